"""What llamood finds on a machine, and what it says is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import llamood
from cli_runs import run
from llamood.cli import doctor
from llamood.voices.devices import devices_at_hand, gpus


def found() -> Any:
    done = run("doctor", "--json")
    return done.exit_code, json.loads(done.stdout)


def test_it_tells_versions_devices_and_that_nothing_is_wrong() -> None:
    status, told = found()
    assert (status, told["faults"]) == (0, [])
    assert told["llamood"] == llamood.__version__
    names = [device["name"] for device in told["devices"]]
    assert names == [device.name for device in devices_at_hand()]
    assert any(device["kind"] == "cpu" and device["total"] > 2**28 for device in told["devices"])
    assert told["layers can lie on"] == (", ".join(gpu.name for gpu in gpus()) or "none")
    said = run("doctor")
    assert said.exit_code == 0
    assert said.stdout.endswith("Nothing is wrong.\n")
    assert f"llamood: {llamood.__version__}\n" in said.stdout


def test_a_gpu_that_llama_cpp_has_nothing_for_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if gpus():
        pytest.skip("there is a GPU that llama.cpp uses")
    driver = tmp_path / "version"
    driver.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module")
    monkeypatch.setattr(doctor, "NVIDIA", driver)
    status, told = found()
    assert status == 1
    (fault,) = told["faults"]
    assert "no CUDA" in fault["found"]
    assert "-DGGML_CUDA=ON" in fault["mend"]
    assert "To mend it: CMAKE_ARGS=" in run("doctor").stdout


def test_instructions_that_llama_cpp_leaves_unused_are_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpu = tmp_path / "cpuinfo"
    cpu.write_text("processor\t: 0\nflags\t\t: fpu avx avx2 sse2\n\nprocessor\t: 1\n")
    monkeypatch.setattr(doctor, "CPU_INFO", cpu)
    monkeypatch.setattr(doctor, "_built_with", lambda: {"AVX", "SSE3"})
    status, told = found()
    assert status == 1
    assert "the processor has AVX2, and" in told["faults"][0]["found"]


def test_a_demo_whose_model_is_broken_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF")
    monkeypatch.setattr(llamood.demo, "MODEL", broken, raising=False)
    status, told = found()
    assert status == 1
    assert "broken.gguf" in told["faults"][0]["found"]
