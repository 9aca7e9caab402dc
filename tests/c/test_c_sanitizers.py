"""The tests in C++ and C, compiled once for sanitizers of memory and undefined behaviour, and once
for that of threads. llama.cpp itself is compiled already, so what it does is not watched."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import tiny_chat
from c_library import ROOT, compile_library, cxx, run, tool

SANITIZERS = {
    "memory": "-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer",
    "threads": "-fsanitize=thread",
}
PROGRAMS = {  # and what each is given
    "test_schedules": (),
    "test_performance": (),
    "test_crew_size": (),
    "test_llamood_h": (),
    "voices": (tiny_chat.MODEL, tiny_chat.VECTORS),
    "by_itself": (tiny_chat.MODEL, tiny_chat.VECTORS),
}
BEYOND = "#include <vector>\nint main(int n, char**) { std::vector<int> v(n); return v[n]; }\n"
RACE = """
#include <thread>
int n;
int main() {
    std::thread other([] { ++n; });
    ++n;
    other.join();
}
"""
FAULTY = {"memory": BEYOND, "threads": RACE}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="written for Linux"),
]


def unrandomised() -> list[str]:
    """Without it the sanitizer of threads meets addresses that it does not know, on newer
    kernels."""
    return [tool("setarch"), os.uname().machine, "-R"]


def made(folder: Path, kind: str, source: str) -> Path:
    """A program of its own; skips where this compiler has no such sanitizer that runs here."""
    code, out = folder / "program.cpp", folder / "program"
    code.write_text(source)
    flags = [*SANITIZERS[kind].split(), "-pthread", "-g"]
    if subprocess.run([cxx(), *flags, code, "-o", out], check=False).returncode:
        pytest.skip(f"this compiler has no sanitizer of {kind}")
    return out


@cache
def sanitized(kind: str) -> Path:
    """The folder of the programs, compiled for it; by one process of tests at a time."""
    folder = ROOT / "build" / f"c-{kind}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        compile_library(
            folder,
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-DCMAKE_CXX_FLAGS={SANITIZERS[kind]} -g1",
            f"-DCMAKE_C_FLAGS={SANITIZERS[kind]} -g1",
            "-DCMAKE_BUILD_TYPE=None",
            "-DLLAMOOD_OPTIMIZE=-O1",
        )
    return folder


@pytest.mark.parametrize("kind", SANITIZERS)
def test_the_sanitizer_finds_a_fault(kind: str, tmp_path: Path) -> None:
    program = made(tmp_path, kind, FAULTY[kind])
    said = subprocess.run(
        [*unrandomised(), program], stderr=subprocess.PIPE, text=True, check=False
    )
    assert said.returncode != 0
    assert "Sanitizer" in said.stderr


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("kind", SANITIZERS)
def test_they_are_clean(kind: str, name: str, tmp_path: Path) -> None:
    if kind == "memory" and "LLAMOOD_SANITIZE" not in os.environ:
        # Valgrind looks at most of it, and the fuzzers' targets are compiled for it.
        pytest.skip("all is compiled once more for it, which takes minutes: make sanitize")
    run(*unrandomised(), made(tmp_path, kind, "int main() {}\n"))
    program = sanitized(kind) / "csrc" / "tests" / name
    said = run(*unrandomised(), program, *PROGRAMS[name])
    assert "Sanitizer" not in said
    assert "runtime error" not in said
