"""The build of ggml's Vulkan backend: what it needs is named, what is there is taken. `make
verify-vulkan` builds it and runs on it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import build_vulkan


def built(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, build_vulkan.__file__, str(folder)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


def test_packages_that_are_missing_are_named(tmp_path: Path) -> None:
    tried = built(tmp_path / "built", PATH=str(tmp_path))
    assert tried.returncode == 1
    assert "not here: g++, glslc, libvulkan-dev, spirv-headers" in tried.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(bool(build_vulkan.missing_packages()), reason="Vulkan's packages are missing")
def test_what_is_built_is_not_built_anew(tmp_path: Path) -> None:
    library = tmp_path / version("llama-cpp-python") / build_vulkan.NAME
    library.parent.mkdir()
    library.write_bytes(b"built")
    tried = built(tmp_path)
    assert (tried.returncode, tried.stdout) == (0, f"{library}\n")
    assert library.read_bytes() == b"built"
