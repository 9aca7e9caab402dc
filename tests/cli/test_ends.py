"""How programs end: nothing on stderr that nobody asked for, whatever is left open, and one line
where stdout takes no more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import tiny_chat
from cli_runs import LLAMOOD
from servers import PATIENCE

FULL = Path("/dev/full")
_TOLD = "Error: standard output cannot be written: No space left on device\n"
_BEGIN = f"""
import asyncio, atexit, builtins, sys, threading, time
import llamood
how = dict(emotions={str(tiny_chat.VECTORS)!r}, n_ctx=256, n_threads=1, verbose=False)
def voice():
    return llamood.Llama({str(tiny_chat.MODEL)!r}, **how)
def cast():
    return llamood.Cast({str(tiny_chat.MODEL)!r}, voices=2, overflow="drop", **how)
"""
_HALF_READ = "said = cast.say({one: 'hi'}); events = iter(said); next(events)"
OPEN = {
    "voice": "voice = voice(); voice('It', max_tokens=2)",
    "stream": "voice = voice(); s = voice('It', max_tokens=50, stream=True, mood='joy=1'); next(s)",
    "nobody's stream": "s = voice()('It', max_tokens=50, stream=True, mood='joy=1'); next(s)",
    "closed voice": "v = voice(); s = v('It', max_tokens=9, stream=True); next(s); v.close()",
    "feeling": "voice = voice(); block = voice.feeling('joy=1'); block.__enter__()",
    "cast": f"cast = cast(); one = cast.join(); {_HALF_READ}",
    "closed cast": f"cast = cast(); one = cast.join(); {_HALF_READ}; cast.close()",
    "cycle": f"cast = cast(); one = cast.join(); {_HALF_READ}; said.me = [cast, one, events]",
    "module": f"cast = cast(); one = cast.join(); {_HALF_READ}; sys.kept = events; del events",
    "builtins": f"cast = cast(); one = cast.join(); {_HALF_READ}; builtins.kept = (cast, events)",
    "atexit": f"cast = cast(); one = cast.join(); {_HALF_READ}; atexit.register(cast.close)",
    "exit": f"cast = cast(); one = cast.join(); {_HALF_READ}; sys.exit(0)",
    "generator": """
def said():
    with cast() as c:
        yield from c.say({c.join(): "hi"})
events = said(); next(events)""",
    "async": """
async def main():
    global c, kept
    c = cast(); kept = aiter(c.say({c.join(): "hi"})); await anext(kept)
asyncio.run(main())""",
    "thread": """
c = cast(); one = c.join()
def speak():
    for _ in range(3): list(c.say({one: "hi"}, max_tokens=20))
threading.Thread(target=speak).start()""",
    "daemon thread of a voice": """
v = voice()
def speak():
    while True: v("It", max_tokens=50, mood="joy=1")
threading.Thread(target=speak, daemon=True).start(); time.sleep(0.3)""",
    "daemon thread in C++": f"""
from llamood import _core
def measure():
    while True: _core.fingerprint({str(tiny_chat.MODEL)!r})
for _ in range(4): threading.Thread(target=measure, daemon=True).start()
time.sleep(0.05)""",
    "no model": """
for kind in (llamood.Llama, llamood.Cast):
    try: kind("/nowhere.gguf", **how)
    except ValueError: pass
    else: raise AssertionError""",
    "no vectors": """
for kind in (llamood.Llama, llamood.Cast):
    try: kind(MODEL, **{**how, "emotions": "/nowhere"})
    except ValueError: pass
    else: raise AssertionError""".replace("MODEL", repr(str(tiny_chat.MODEL))),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", OPEN)
def test_a_program_ends_in_silence(kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _BEGIN + OPEN[kind]],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.stderr, done.stdout, done.returncode) == ("", "", 0)


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["--version"],
        ["convert", "--help"],
        ["inspect", tiny_chat.VECTORS],
        ["inspect", tiny_chat.VECTORS, "--json"],
        ["plot", "joy=ramp(0,1,8)", "--json"],
    ],
    ids=str,
)
def test_a_full_standard_output_is_told_in_one_line(command: list[str | Path]) -> None:
    with FULL.open("w") as full:
        done = subprocess.run([*LLAMOOD, *command], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.stderr, done.returncode) == (_TOLD, 1)


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_nowhere_to_write_at_all_is_an_exit_code() -> None:
    with FULL.open("w") as full:
        done = subprocess.run([*LLAMOOD, "--help"], stdout=full, stderr=full)
    assert done.returncode == 1


def test_a_reader_that_has_gone_is_told_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*LLAMOOD, "--help"], stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.stderr, done.returncode) == ("", 1)


@pytest.mark.slow
@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize("is_mute", [False, True])
def test_the_service_needs_no_standard_output(is_mute: bool) -> None:
    command = [*LLAMOOD, "serve", str(tiny_chat.MODEL), "--port", "0", "--ctx", "64"]
    with FULL.open("w") as full:
        service = subprocess.Popen(
            command, stdout=full, stderr=full if is_mute else subprocess.PIPE, text=True
        )
    if is_mute:
        with pytest.raises(subprocess.TimeoutExpired):
            service.wait(5)
    else:
        assert service.stderr is not None
        assert "Serving" in service.stderr.readline()
    service.send_signal(signal.SIGTERM)
    _, told = service.communicate(timeout=PATIENCE)
    assert service.returncode == 0
    assert not told
