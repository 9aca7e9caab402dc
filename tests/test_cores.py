"""How many threads a command takes: one for each core that it may use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llamood.cli.options import Device
from llamood.cores import threads, usable_cores

needs_affinity = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="a process has processors of its own on Linux"
)


def with_siblings(folder: Path, *cores: str) -> Path:
    """The folder in which each processor of this process is told to be of one of these cores, as
    they come round."""
    for place, number in enumerate(sorted(os.sched_getaffinity(0))):
        topology = folder / f"cpu{number}" / "topology"
        topology.mkdir(parents=True)
        siblings = cores[place % len(cores)]
        (topology / "thread_siblings_list").write_text(f"{siblings}\n", encoding="ascii")
    return folder


@needs_affinity
def test_threads_of_one_core_count_once(tmp_path: Path) -> None:
    n = len(os.sched_getaffinity(0))
    assert usable_cores(cpus=with_siblings(tmp_path / "one", "0-63")) == 1
    assert usable_cores(cpus=with_siblings(tmp_path / "two", "0,2", "1,3")) == min(n, 2)
    assert usable_cores(cpus=tmp_path / "nowhere") == n


@needs_affinity
def test_what_a_process_may_not_use_does_not_count() -> None:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert usable_cores() == 1
        assert threads() == {"n_threads": 1, "n_threads_batch": 1}
    finally:
        os.sched_setaffinity(0, before)


def test_a_command_takes_what_it_is_told() -> None:
    asked = Device(n_gpu_layers=0, threads=3, ctx=None).hardware()
    assert asked == {"n_gpu_layers": 0, "n_threads": 3, "n_threads_batch": 3}
    own = Device(n_gpu_layers=-1, threads=None, ctx=None).hardware()
    assert own == {"n_gpu_layers": -1, **threads()}
    assert own["n_threads"] == usable_cores() >= 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere llama.cpp does not use libgomp")
@pytest.mark.parametrize(("given", "spins"), [(None, "1000"), ("77", "77")])
def test_threads_that_wait_leave_the_cores_to_others(given: str | None, spins: str) -> None:
    """libgomp itself tells what it goes by. What the user has set stays."""
    environment = {key: value for key, value in os.environ.items() if key != "GOMP_SPINCOUNT"}
    environment["OMP_DISPLAY_ENV"] = "verbose"
    if given is not None:
        environment["GOMP_SPINCOUNT"] = given
    command = [sys.executable, "-c", "import llamood, llama_cpp"]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    if "GOMP_SPINCOUNT" not in told.stderr:
        pytest.skip("llama.cpp is built without libgomp")
    assert f"GOMP_SPINCOUNT = '{spins}'" in told.stderr
