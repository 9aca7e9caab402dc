"""How many threads a command takes: one for each core that it may use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest

import llamood
import tiny_chat
from llamood import _core
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
    assert own == {"n_gpu_layers": -1}  # so that what runs may choose
    assert threads() == {"n_threads": usable_cores(), "n_threads_batch": usable_cores()}
    assert threads(-1)["n_threads"] == max(usable_cores() - 1, 1)
    assert threads(3, -1) == {"n_threads": 3, "n_threads_batch": max(usable_cores() - 1, 1)}
    assert threads(3, 5) == {"n_threads": 3, "n_threads_batch": 5}


on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere llama.cpp does not use libgomp"
)


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A Python of its own, whose environment says of OpenMP just this."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("GOMP_", "OMP_", "KMP_"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=own | environment,
        capture_output=True,
        text=True,
        check=True,
    )


@on_linux
@pytest.mark.parametrize(("given", "spins"), [({}, "1000"), ({"GOMP_SPINCOUNT": "77"}, "77")])
def test_threads_that_wait_leave_the_cores_to_others(given: dict[str, str], spins: str) -> None:
    """libgomp itself tells what it goes by. What the user has set stays."""
    told = run("import llamood, llama_cpp", OMP_DISPLAY_ENV="verbose", **given)
    if "GOMP_SPINCOUNT" not in told.stderr:
        pytest.skip("llama.cpp is built without libgomp")
    assert f"GOMP_SPINCOUNT = '{spins}'" in told.stderr


LATE = """
import os
{before}
def threads():
    return len(os.listdir("/proc/self/task"))
is_late = "/libgomp" in open("/proc/self/maps").read()
then = threads()
import llamood
print(is_late, threads() - then)
"""


@on_linux
@pytest.mark.parametrize(
    ("before", "given", "is_held"),
    [
        ("import llama_cpp", {}, True),
        ("", {}, False),  # the environment says it in time
        ("import llama_cpp", {"GOMP_SPINCOUNT": "77"}, False),
        ("import llama_cpp", {"OMP_WAIT_POLICY": "active"}, False),
    ],
)
def test_libgomp_that_was_loaded_before_is_told_by_a_team_that_sleeps(
    before: str, given: dict[str, str], is_held: bool
) -> None:
    """That it then waits briefly, ``make bench`` measures (tools/bench/beside.py)."""
    is_late, n_more = run(LATE.format(before=before), **given).stdout.split()
    if before and is_late == "False":
        pytest.skip("llama.cpp is built without libgomp")
    assert (int(n_more) > (os.cpu_count() or 1)) == is_held


@pytest.mark.parametrize(
    ("asked", "size"),
    [({}, usable_cores()), ({"n_threads": 1}, 1), ({"n_threads": -1}, max(usable_cores() - 1, 1))],
)
def test_a_voice_has_a_thread_for_each_core_or_as_many_as_are_asked_for(
    asked: dict[str, int], size: int
) -> None:
    voice = llamood.Llama(tiny_chat.MODEL, n_ctx=64, verbose=False, **asked)
    assert (voice.n_threads, voice.n_threads_batch) == (size, size)
    voice.close()


def test_threads_vary_where_answers_do_not_depend_on_them() -> None:
    """With flash attention they do, so that equal seeds would not give equal answers."""
    own: dict[str, Any] = {"n_ctx": 64, "verbose": False}
    for more, varies in (({}, True), ({"flash_attn": True}, False), ({"n_threads": 2}, False)):
        voice = llamood.Llama(tiny_chat.MODEL, **own, **more)
        assert (voice._crew is not None) == varies
        voice.close()
        cast = {"emotions": tiny_chat.VECTORS, "voices": 2, **own, **more}
        with llamood.Cast(tiny_chat.MODEL, **cast) as opened:
            assert opened.shared._yields == varies


def test_what_is_computed_does_not_depend_on_threads() -> None:
    """So they may change from token to token."""
    with_logits: dict[str, Any] = {"n_ctx": 64, "logits_all": True, "verbose": False}
    voices = [llamood.Llama(tiny_chat.MODEL, n_threads=n, **with_logits) for n in (1, 2, 3)]
    tokens = list(range(3, 40))
    for voice in voices:
        voice.eval(tokens[:20])
        for token in tokens[20:]:
            voice.eval([token])
    one, *others = [voice.scores[: len(tokens)] for voice in voices]
    for other in others:
        np.testing.assert_array_equal(one, other)


def test_a_step_has_as_many_threads_as_its_crew() -> None:
    """llama.cpp itself tells. A prompt has all of them."""
    voice = llamood.Llama(tiny_chat.MODEL, n_ctx=64, n_threads=2, verbose=False)
    crew = _core.Crew(voice._context_address(), n_threads=3, n_threads_batch=4)
    context = voice._ctx.ctx
    crew.begin(1, is_prompt=False)
    assert llama_cpp.llama_n_threads(context) == crew.size == 3
    crew.end()
    crew.begin(16, is_prompt=True)
    assert llama_cpp.llama_n_threads_batch(context) == 4
    crew.end()
