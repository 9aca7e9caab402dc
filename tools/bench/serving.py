"""The service with clients that ask at once: what their moods cost, and how it compares with
``llama_cpp.server``, which answers one after another."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models import EMOTIONS, MODELS, QWEN, THREADS, BenchModel
from paired import Measure, interleave, ratios

import llamood

N_CLIENT = (1, 4, 8, 16)
N_ROUND = 8
N_TOKEN = 16  # of an answer
N_CTX = 640  # of a voice
AT_LEAST = 0.97
PATIENCE = 120  # seconds

Mood = Mapping[str, float] | None


def measure() -> list[Measure]:
    return [result for model in MODELS for result in _measure(model)]


@dataclass(frozen=True)
class Answered:
    """Seconds, from the request on."""

    first: float
    whole: float


def _measure(model: BenchModel, *, n_client: Sequence[int] = N_CLIENT) -> list[Measure]:
    with tempfile.TemporaryDirectory() as folder:
        llamood.save(model.vectors(), folder)
        mine = [*_LLAMOOD, str(model.path()), "-e", folder, "--threads", str(THREADS)]
        mine += ["--voices", str(max(n_client)), "--ctx", str(N_CTX), "--name", "bench"]
        theirs = [*_LLAMA_CPP, "--model", str(model.path()), "--n_ctx", str(N_CTX)]
        theirs += ["--n_threads", str(THREADS), "--n_threads_batch", str(THREADS)]
        with serving(mine) as port, serving(theirs) as other:
            return [m for n in n_client for m in _compared(model, n, port, other)]


def _compared(model: BenchModel, n: int, port: int, other: int) -> list[Measure]:
    firsts: dict[str, list[float]] = {}

    def block(name: str, at: int, moods: Sequence[Mood]) -> Callable[[int], float]:
        def run(number: int) -> float:
            began = time.perf_counter()
            answers = _ask_at_once(at, moods, f"{name[0]}{number}")
            took = time.perf_counter() - began
            if number >= 0:
                firsts.setdefault(name, []).append(sum(a.first for a in answers) / n)
            return took

        return run

    each = [_mood(i) for i in range(n)]
    seconds = interleave(
        {
            "one": block("one", port, [each[0]] * n),
            "each": block("each", port, each),
            "theirs": block("theirs", other, [None] * n),
        },
        n_round=N_ROUND,
    )
    who = f"{n} clients" if n > 1 else "1 client"
    bound = AT_LEAST if model is QWEN and n > 1 else None

    def each_request(name: str) -> tuple[float, ...]:
        return tuple(took / n for took in seconds[name])

    named = {"each": "a mood each", "theirs": "llama_cpp.server"}
    return [
        Measure(
            name=f"{who}, a mood each / one mood, requests per second",
            model=model.name,
            values=ratios(seconds["one"], seconds["each"]),
            bound=bound,
            at_least=True,
        ),
        Measure(
            name=f"{who}, a mood each / llama_cpp.server, requests per second",
            model=model.name,
            values=ratios(seconds["theirs"], seconds["each"]),
            at_least=True,
        ),
        *(
            Measure(name=f"{who}, {said}: {what}", model=model.name, values=tuple(values), unit="s")
            for name, said in named.items()
            for what, values in (
                ("time to the first token", firsts[name]),
                ("time for each request", each_request(name)),
            )
        ),
    ]


def _mood(i: int) -> Mood:
    """All of one size."""
    names = len(EMOTIONS)
    return {EMOTIONS[i % names]: 0.8, EMOTIONS[(i + 1 + i // names) % names]: 0.2}


# -- clients -----------------------------------------------------------------------------------


def _ask_at_once(port: int, moods: Sequence[Mood], about: str) -> list[Answered]:
    with ThreadPoolExecutor(len(moods)) as pool:
        asked = [pool.submit(_ask, port, mood, f"{about}.{i}") for i, mood in enumerate(moods)]
        return [one.result() for one in asked]


def _ask(port: int, mood: Mood, about: str) -> Answered:
    """A streamed answer to a question that nobody has asked before."""
    body: dict[str, Any] = {
        "model": "bench",
        "messages": [{"role": "user", "content": f"{about}: what is this number to you?"}],
        "max_tokens": N_TOKEN,
        "temperature": 0.8,
        "top_p": 0.95,
        "seed": 1,
        "stream": True,
    }
    if mood is not None:
        body["mood"] = mood
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    began = time.perf_counter()
    connection.request(
        "POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"}
    )
    with connection.getresponse() as response:
        assert response.status == 200, response.read()
        first, last = 0.0, b""
        for line in response:
            if line.startswith(b"data: {"):
                last = line
                if not first and _choice(line)["delta"].get("content"):
                    first = time.perf_counter() - began
        assert _choice(last)["finish_reason"] == "length", last  # it was said to its end
    connection.close()
    return Answered(first, time.perf_counter() - began)


def _choice(line: bytes) -> Any:
    return json.loads(line.removeprefix(b"data: "))["choices"][0]


# -- servers -----------------------------------------------------------------------------------

_LLAMOOD = [sys.executable, "-c", "from llamood.cli import main; main()", "serve"]
# Which by itself breaks an answer off when somebody else asks.
_LLAMA_CPP = [sys.executable, "-m", "llama_cpp.server", "--interrupt_requests", "false"]


@contextmanager
def serving(command: Sequence[str]) -> Iterator[int]:
    """The port at which this is served until the block is left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            stdout=said,
            stderr=said,
            cwd=Path(os.sep),
        )
        try:
            end = time.monotonic() + PATIENCE
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > end:
                    said.seek(0)
                    raise RuntimeError(f"it does not serve: {said.read().decode()[-2000:]}")
                time.sleep(0.1)
            yield port
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def _answers(port: int) -> bool:
    """Whether the model is there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/v1/models")
        models = connection.getresponse().read()
        connection.request("GET", "/health")
        health = connection.getresponse()
        health.read()
        return bool(models) and health.status in (200, 404)
    except OSError:
        return False
    finally:
        connection.close()
