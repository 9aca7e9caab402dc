"""A stage that steps in a thread of its own, in C++ and under a thread sanitizer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tiny_chat
from c_library import ROOT, compile_library, cxx, program, run, tool

WHERE = ROOT / "build" / "c-tsan"


def test_a_stage_that_steps_by_itself() -> None:
    run(program("by_itself"), tiny_chat.MODEL, tiny_chat.VECTORS)


def requires_sanitizer(folder: Path) -> None:
    source, out = folder / "nothing.cpp", folder / "nothing"
    source.write_text("int main() {}\n")
    made = subprocess.run([cxx(), "-fsanitize=thread", source, "-o", out], check=False)
    # Without it the sanitizer meets addresses that it does not know, on newer kernels.
    if made.returncode or subprocess.run([*unrandomised(), out], check=False).returncode:
        pytest.skip("this compiler has no thread sanitizer that runs here")


def unrandomised() -> list[str]:
    return [tool("setarch"), os.uname().machine, "-R"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="written for Linux")
def test_no_two_threads_touch_the_same(tmp_path: Path) -> None:
    requires_sanitizer(tmp_path)
    compile_library(
        WHERE,
        f"-DPython_EXECUTABLE={sys.executable}",
        "-DCMAKE_CXX_FLAGS=-fsanitize=thread -g",
        "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
    )
    by_itself = WHERE / "csrc" / "tests" / "by_itself"
    said = run(*unrandomised(), by_itself, tiny_chat.MODEL, tiny_chat.VECTORS)
    assert "ThreadSanitizer" not in said
