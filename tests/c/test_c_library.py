"""The frame of the C library: its header, its own tests, how it is installed and found."""

from __future__ import annotations

import re
import shutil
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

import pytest

import tiny_chat
from c_library import (
    ROOT,
    cc,
    compile_library,
    compiled,
    cxx,
    installed,
    library,
    program,
    run,
    run_under_valgrind,
    tool,
)

HEADER = ROOT / "csrc" / "capi" / "llamood.h"
PROGRAMS = ("test_schedules", "test_performance", "test_llamood_h")

PROGRAM = r"""
#include <llamood.h>
#include <stdio.h>

int main(void) {
    const char *names[] = {"joy"};
    char error[LLAMOOD_ERROR_SIZE];
    float row[1];
    llamood_mood *mood;
    if (LLAMOOD_CHECK_VERSION(error, sizeof error) != 0) return 1;
    mood = llamood_mood_parse("{\"joy\": 0.5}", error, sizeof error);
    if (llamood_mood_rows(mood, names, 1, 1, row, error, sizeof error) != 0) return 1;
    printf("llamood %s says %g\n", llamood_version(), (double)row[0]);
    llamood_mood_free(mood);
    return 0;
}
"""
SAYS = f"llamood {version('llamood')} says 0.5\n"

# A program in C alone: neither C++ nor llama.cpp nor JSON is looked for.
PROJECT = """
cmake_minimum_required(VERSION 3.21)
project(consumer LANGUAGES C)
find_package(llamood {version} REQUIRED CONFIG)
add_executable(consumer main.c)
target_link_libraries(consumer PRIVATE llamood::llamood)
"""


def test_versions_agree() -> None:
    project = version("llamood")
    major, minor, _ = (int(number) for number in project.split("."))
    assert library().version == project
    assert library().serves(major, minor)
    assert not library().serves(major, minor + 1)
    assert not library().serves(major + 1, minor)


def test_its_own_tests_pass() -> None:
    compiled()
    run(tool("ctest"), "--output-on-failure", cwd=compiled())


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_its_own_tests_are_clean_under_valgrind(name: str) -> None:
    run_under_valgrind(program(name))


@pytest.mark.parametrize("language", ["c99", "c11", "c++11", "c++17"])
def test_the_header_stands_alone(language: str, tmp_path: Path) -> None:
    is_c = language.startswith("c") and "+" not in language
    source = tmp_path / ("main.c" if is_c else "main.cpp")
    source.write_text(PROGRAM)
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror"]
    strict += ["-Wstrict-prototypes"] if is_c else []
    run(cc() if is_c else cxx(), f"-std={language}", *strict, f"-I{HEADER.parent}", "-c", source,
        "-o", tmp_path / "main.o")  # fmt: skip


def test_nothing_but_the_header_is_visible() -> None:
    declared = set(re.findall(r"\b(llamood_\w+)\(", HEADER.read_text(encoding="utf-8")))
    found = run(tool("nm"), "-D", "--defined-only", next(compiled().glob("libllamood.so")))
    assert {line.split()[-1].split("@")[0] for line in found.splitlines()} == declared


def test_every_function_is_documented() -> None:
    text = HEADER.read_text(encoding="utf-8")
    for name in re.findall(r"LLAMOOD_API .*?\b(llamood_\w+)\(", text):
        before = text[: text.index(f"{name}(")]
        declaration = before[before.rindex("LLAMOOD_API") :]
        assert before.removesuffix(declaration).endswith("*/\n") or name.endswith("_free"), name


def test_a_program_finds_it_by_cmake(tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text(PROGRAM)
    (tmp_path / "CMakeLists.txt").write_text(PROJECT.format(version=version("llamood")))
    build, cmake = tmp_path / "build", tool("cmake")
    run(cmake, "-S", tmp_path, "-B", build, f"-DCMAKE_PREFIX_PATH={installed()}")
    run(cmake, "--build", build)
    assert run(build / "consumer") == SAYS


def test_another_version_is_not_found_by_cmake(tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text(PROGRAM)
    (tmp_path / "CMakeLists.txt").write_text(PROJECT.format(version="9.0"))
    with pytest.raises(pytest.fail.Exception, match=r"requested\s+version"):
        run(
            tool("cmake"),
            "-S",
            tmp_path,
            "-B",
            tmp_path / "build",
            f"-DCMAKE_PREFIX_PATH={installed()}",
        )


def test_a_program_finds_it_by_pkg_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "main.c").write_text(PROGRAM)
    lib = next(installed().glob("lib*/pkgconfig")).parent
    monkeypatch.setenv("PKG_CONFIG_PATH", str(lib / "pkgconfig"))
    assert run(tool("pkg-config"), "--modversion", "llamood").strip() == version("llamood")
    flags = run(tool("pkg-config"), "--cflags", "--libs", "llamood").split()
    out = tmp_path / "consumer"
    run(cc(), "-std=c99", tmp_path / "main.c", *flags, f"-Wl,-rpath,{lib}", "-o", out)
    assert run(out) == SAYS


def test_what_is_installed_can_be_moved(tmp_path: Path) -> None:
    prefix = tmp_path / "elsewhere"
    shutil.copytree(installed(), prefix, symlinks=True)
    lib = next(prefix.glob("lib*/pkgconfig")).parent
    texts = [*lib.rglob("*.cmake"), *lib.rglob("*.pc")]
    assert len(texts) == 5
    assert not [text for text in texts if str(installed()) in text.read_text(encoding="utf-8")]


@pytest.mark.slow
def test_it_is_compiled_against_an_installed_llama_cpp_too(tmp_path: Path) -> None:
    """llama-cpp-python installs llama.cpp's own CMake package beside its own copy."""
    prefix = Path(sysconfig.get_path("platlib"))
    if not (prefix / "lib" / "cmake" / "llama").is_dir():
        pytest.skip("needs llama.cpp's CMake package, which this llama-cpp-python does not bring")
    compile_library(tmp_path, f"-DLLAMOOD_LLAMA_CPP={prefix}", "-DLLAMOOD_WERROR=ON")
    run(tool("ctest"), "--output-on-failure", cwd=tmp_path)
    run(tool("cmake"), "--install", tmp_path, "--prefix", tmp_path / "ours")
    lib = next(tmp_path.glob("ours/lib*"))
    assert {"libllama.so.0", "libggml.so.0", "libggml-cpu.so.0"} <= {
        file.name for file in lib.iterdir()
    }


def test_llama_cpp_that_does_not_say_where_its_parts_are_is_found_too(tmp_path: Path) -> None:
    """One that somebody compiled; that of llama-cpp-python says it."""
    shutil.copytree(installed(), tmp_path / "ours", symlinks=True)
    lib = next(tmp_path.glob("ours/lib*"))
    script = tmp_path / "forget.cmake"
    each = "foreach(each ${all})\n  file(RPATH_REMOVE FILE ${each})\nendforeach()\n"
    script.write_text(f"file(GLOB all {lib}/libggml*.so.* {lib}/libllama.so.*)\n{each}")
    run(tool("cmake"), "-P", script)
    program, source = tmp_path / "npc", ROOT / "examples" / "npc.c"
    where = (f"-I{tmp_path / 'ours' / 'include'}", f"-L{lib}", "-lllamood", f"-Wl,-rpath,{lib}")
    run(cc(), source, *where, "-o", program)
    run(program, tiny_chat.MODEL, tiny_chat.VECTORS)
    assert not re.search(r"lib(?:llama|ggml).*not found", run("ldd", program))
    assert re.search(rf"libggml-cpu.* => {re.escape(str(lib))}/", run("ldd", program))


def test_it_can_leave_llama_cpp_where_it_is(tmp_path: Path) -> None:
    compiled()
    build = tmp_path / "build"
    run(tool("cmake"), "-S", ROOT, "-B", build, "-DLLAMOOD_PYTHON=OFF", "-DLLAMOOD_C=ON",
        "-DLLAMOOD_BUNDLE=OFF", f"-DPython_EXECUTABLE={sys.executable}")  # fmt: skip
    assert "libllama.so" not in (build / "cmake_install.cmake").read_text(encoding="utf-8")


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    compiled()  # nothing else is missing
    pybind11 = pytest.importorskip("pybind11")
    options = ["-S", ROOT, "-DLLAMOOD_C=ON", "-DLLAMOOD_PYTHON=OFF"]
    options += [
        f"-DPython_EXECUTABLE={sys.executable}",
        f"-Dpybind11_DIR={pybind11.get_cmake_dir()}",
    ]
    cases = {
        "apt-get install nlohmann-json3-dev": ["-DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON"],
        "apt-get install zlib1g-dev": ["-DCMAKE_DISABLE_FIND_PACKAGE_ZLIB=ON"],
        "leave LLAMOOD_LLAMA_CPP empty": ["-DLLAMOOD_PYTHON=ON", f"-DLLAMOOD_LLAMA_CPP={tmp_path}"],
    }
    for number, (advice, more) in enumerate(cases.items()):
        with pytest.raises(pytest.fail.Exception) as caught:
            run(tool("cmake"), *options, "-B", tmp_path / str(number), *more)
        assert advice in " ".join(str(caught.value).split())
