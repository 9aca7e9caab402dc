"""What an emotion that is added costs those who are answered meanwhile, and how long it takes:
``python tools/measure_additions.py``, on Linux, with the demo. Some ten minutes.

Answers are timed in turns, one while the process that measures works and one while it is stopped,
so that whatever else the machine does falls on both.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from llamood.calibration.utterances import utterances
from servers import Server, serving

FEELINGS = Path(__file__).parents[1] / "tests" / "feelings"
N_PAIR = 24
TOKENS = 64
_MB = 1024  # kB


def latest(server: Server) -> Any:
    return json.loads(server.get("/v1/emotions/addition")[1])


def child(server: Server) -> int:
    """The process that measures."""
    of_threads = Path(f"/proc/{server.process.pid}/task").glob("*/children")
    (number,) = [int(each) for path in of_threads for each in path.read_text().split()]
    return number


def memory(process: int) -> int:
    """MB, of which it has its share of what it has in common with others."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    (pss,) = [line for line in lines if line.startswith("Pss:")]
    return int(pss.split()[1]) // _MB


def speed(server: Server, seed: int) -> float:
    """Tokens a second of one answer."""
    began = time.monotonic()
    asked = {
        "messages": [{"role": "user", "content": "Tell me about the house you live in."}],
        "max_tokens": TOKENS,
        "seed": seed,
        "mood": {"joy": 0.5},
    }
    _, told = server.post("/v1/chat/completions", asked)
    return float(told["usage"]["completion_tokens"]) / (time.monotonic() - began)


def add(server: Server, name: str) -> None:
    texts = list(utterances(FEELINGS / f"{name}.txt", name))
    status, told = server.post("/v1/emotions", {"name": name, "texts": texts})
    assert status == 202, told


def undisturbed(server: Server) -> tuple[float, int]:
    """Seconds that it takes while nobody is answered, and the most memory."""
    began, most = time.monotonic(), 0
    add(server, "calm")
    while latest(server)["status"] == "running":
        with contextlib.suppress(OSError, ValueError):  # it begins or ends
            most = max(most, memory(child(server)))
        time.sleep(0.5)
    assert latest(server)["status"] == "added", latest(server)
    return time.monotonic() - began, most


def paired(server: Server) -> tuple[list[float], list[float]]:
    """Speeds of answers while it works, and while it is stopped."""
    add(server, "pride")
    while latest(server)["part"] is None:
        time.sleep(0.2)
    working, stopped = [], []
    for number in range(N_PAIR):
        process = child(server)
        working.append(speed(server, number))
        os.kill(process, signal.SIGSTOP)
        stopped.append(speed(server, number))
        os.kill(process, signal.SIGCONT)
    server.post("/v1/emotions/addition/cancel", {"name": "pride"})
    return working, stopped


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CONFIG_HOME"] = folder
        with serving("demo", "--allow-extract", "--threads", str(os.cpu_count())) as server:
            speed(server, 0)
            print(f"the service: {memory(server.process.pid)} MB")
            seconds, most = undisturbed(server)
            print(f"calm, from 24 texts: {seconds:.0f} s, {most} MB at most")
            working, stopped = paired(server)
    ratios = [one / other for one, other in zip(working, stopped, strict=True)]
    print(
        f"answers: {statistics.median(working):.1f} tokens a second while it works, "
        f"{statistics.median(stopped):.1f} while it is stopped; median of {N_PAIR} ratios "
        f"{statistics.median(ratios):.2f}"
    )


if __name__ == "__main__":
    main()
