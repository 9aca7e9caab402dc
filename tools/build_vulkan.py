"""Build ggml's Vulkan backend by itself, for the llama.cpp that is installed here.

    .venv/bin/python tools/build_vulkan.py build/vulkan

Of llama-cpp-python's source distribution, which pip fetches, only this backend is compiled: some
minutes on two cores the first time, nothing later. llama.cpp loads it into a process
(`tools/verify_device.py --backend`), and what else is installed stays as it is. Prints where it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import click

NAME = "libggml-vulkan.so"
# What older headers lack: see there.
ADDED = Path(__file__).resolve().parent / "vulkan" / "layer_settings.hpp"
HEADERS = {"libvulkan-dev": "vulkan/vulkan.hpp", "spirv-headers": "spirv/unified1/spirv.hpp"}
DRIVERS = (Path("/usr/share/vulkan/icd.d"), Path("/etc/vulkan/icd.d"))
OPTIONS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=ON",
    "-DGGML_VULKAN=ON",
    "-DGGML_BACKEND_DL=ON",  # a library that ggml_backend_load takes
    "-DGGML_NATIVE=OFF",
    *(f"-DLLAMA_BUILD_{part}=OFF" for part in ("COMMON", "EXAMPLES", "SERVER", "TESTS", "TOOLS")),
    f"-DCMAKE_CXX_FLAGS=-include {ADDED}",
)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Build into FOLDER what is not there yet."""
    missing = missing_packages()
    if missing:
        raise click.ClickException(
            f"not here: {', '.join(missing)}, as Debian names them; apt-get install them"
        )
    release = version("llama-cpp-python")
    library = folder.resolve() / release / NAME
    if not library.is_file():
        click.echo(f"compiling the Vulkan backend of llama-cpp-python {release}", err=True)
        build(release, library)
    click.echo(library)


def missing_packages() -> list[str]:
    """What is needed to build it and to run it, by Debian's names of what is not here."""
    programs = {"g++": "c++", "glslc": "glslc"}
    missing = [package for package, program in programs.items() if not shutil.which(program)]
    missing += [package for package, header in HEADERS.items() if not _is_header(header)]
    asked_for = os.environ.get("VK_DRIVER_FILES") or os.environ.get("VK_ICD_FILENAMES")
    if not asked_for and not any(any(folder.glob("*.json")) for folder in DRIVERS):
        missing.append("mesa-vulkan-drivers")
    return missing


def _is_header(name: str) -> bool:
    if not shutil.which("c++"):
        return False
    tried = subprocess.run(
        ["c++", "-x", "c++", "-E", "-o", os.devnull, "-"],
        input=f"#include <{name}>\n",
        text=True,
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


def build(release: str, library: Path) -> None:
    """What the compiler says lies beside the library. Raises ClickException where it fails."""
    library.parent.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(dir=library.parent) as made,
        (library.parent / "build.log").open("w", encoding="utf-8") as log,
    ):
        own = Path(made)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # cmake, ninja

        def run(*command: str | Path) -> None:
            done = subprocess.run(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PATH": path},
                check=False,
            )
            if done.returncode:
                raise click.ClickException(f"{command[0]} failed; what it said: {log.name}")

        source = ("--no-deps", "--no-binary", "llama-cpp-python", f"llama-cpp-python=={release}")
        run(sys.executable, "-m", "pip", "download", "--dest", own, *source)
        (archive,) = own.glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(own, filter="data")
        (root,) = own.glob("*/vendor/llama.cpp")
        run("cmake", "-G", "Ninja", "-S", root, "-B", own / "build", *OPTIONS)
        run("cmake", "--build", own / "build", "--target", "ggml-vulkan", "--parallel")
        (built,) = (own / "build").rglob(NAME)
        built.replace(library)


if __name__ == "__main__":
    main()
