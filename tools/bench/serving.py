"""The service with clients that ask at once: what their moods cost, and how it compares with
``llama_cpp.server``, which answers one after another."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from paired import Block, Measure, interleave, ratios

import llamood
from models import EMOTIONS, MODELS, QWEN, THREADS, BenchModel

N_CLIENT = (1, 8)
ROUNDS, FEWEST = 6, 3  # of a bench of voices, for one of clients; rounds at least
N_TOKEN = 16  # of an answer
N_CTX = 640  # of a voice
AT_LEAST = 0.97
PATIENCE = 120  # seconds
ALONE = (QWEN,)  # models that llama_cpp.server is not asked for: it would take minutes

Mood = Mapping[str, float] | None
SAID = {
    "one": "one mood",
    "each": "a mood each",
    "none": "no mood",
    "theirs": "llama_cpp.server",
}


def measure() -> list[Measure]:
    return [result for model in MODELS for result in _measure(model)]


class Clients:
    """``n`` of them, who ask at once. ``numbers``: of their questions, which nobody has asked
    before: so each prompt is to be decoded. `firsts`: seconds until they read the first of an
    answer, on the average, for each time that they asked."""

    def __init__(self, n: int, *, numbers: Iterator[int]) -> None:
        self.n = n
        self.firsts: dict[str, list[float]] = {}
        self._numbers = numbers

    def block(self, name: str, port: int, moods: Sequence[Mood]) -> Block:
        """Which takes until the last of them is answered."""

        def run(number: int) -> float:
            began = time.perf_counter()
            with ThreadPoolExecutor(self.n) as pool:
                asked = [pool.submit(_ask, port, mood, next(self._numbers)) for mood in moods]
                firsts = [one.result() for one in asked]
            if number >= 0:
                self.firsts.setdefault(name, []).append(sum(firsts) / self.n)
            return time.perf_counter() - began

        return run

    def rates(self, seconds: Sequence[float]) -> tuple[float, ...]:
        """Requests per second."""
        return tuple(self.n / took for took in seconds)


def _measure(model: BenchModel) -> list[Measure]:
    with tempfile.TemporaryDirectory() as folder:
        llamood.save(model.vectors(), folder)
        mine = [*_LLAMOOD, str(model.path()), "-e", folder, "--threads", str(THREADS)]
        mine += ["--voices", str(max(N_CLIENT)), "--ctx", str(N_CTX), "--name", "bench"]
        theirs = [*_LLAMA_CPP, "--model", str(model.path()), "--n_ctx", str(N_CTX)]
        theirs += ["--n_threads", str(THREADS), "--n_threads_batch", str(THREADS)]
        numbers = itertools.count()
        everybody = [Clients(n, numbers=numbers) for n in N_CLIENT]
        with ExitStack() as stack:
            port = stack.enter_context(serving(mine))
            other = None if model in ALONE else stack.enter_context(serving(theirs))
            return [m for some in everybody for m in _compared(model, some, port, other)]


def _compared(model: BenchModel, clients: Clients, port: int, other: int | None) -> list[Measure]:
    """``other``: the port of ``llama_cpp.server``, where it is compared with."""
    n = clients.n
    each = [_mood(i) for i in range(n)]
    block = clients.block("each", port, each)
    n_round = max(model.n_round // ROUNDS, FEWEST)
    seconds = interleave(
        {
            "one": clients.block("one", port, each[:1] * n),
            "each": block,
            "none": clients.block("none", port, [None] * n),
        },
        n_round=n_round,
    )
    who = f"{n} clients" if n > 1 else "1 client"
    compared = {
        ("each", "one"): ratios(seconds["one"], seconds["each"]),
        ("one", "none"): ratios(seconds["none"], seconds["one"]),
    }
    beside: dict[str, tuple[float, ...]] = {}
    if other is not None:
        theirs = clients.block("theirs", other, [None] * n)
        beside = interleave({"each": block, "theirs": theirs}, n_round=FEWEST)
        compared["each", "theirs"] = ratios(beside["theirs"], beside["each"])
    bounds = {("each", "one"): AT_LEAST if n > 1 else None}
    rates = {name: clients.rates(took) for name, took in {**beside, **seconds}.items()}
    return [
        *(
            Measure(
                name=f"{who}, {SAID[above]} / {SAID[below]}, requests per second",
                model=model.name,
                values=values,
                bound=bounds.get((above, below)),
                at_least=True,
            )
            for (above, below), values in compared.items()
        ),
        *(
            Measure(
                name=f"{who}, {said}: {what}", model=model.name, values=tuple(values), unit=unit
            )
            for name, said in SAID.items()
            if name in rates
            for what, values, unit in (
                ("requests per second", rates[name], "/s"),
                ("time to the first token", clients.firsts[name], "s"),
            )
        ),
    ]


def _mood(i: int) -> Mood:
    """All of one size."""
    names = len(EMOTIONS)
    return {EMOTIONS[i % names]: 0.8, EMOTIONS[(i + 1 + i // names) % names]: 0.2}


# -- clients -----------------------------------------------------------------------------------


def _ask(port: int, mood: Mood, number: int) -> float:
    """Read a streamed answer to its end: seconds until the first of it."""
    body: dict[str, Any] = {
        "model": "bench",
        "messages": [{"role": "user", "content": f"{number:05}: what is that?"}],
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
    return first


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
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    """Whether the model is there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/health")  # of which theirs knows nothing
        return connection.getresponse().status in (200, 404)
    except OSError:
        return False
    finally:
        connection.close()
