"""How fast a token comes beside something else that wants the cores.

One row of the table is one process of its own, as libgomp reads its settings once: a model is
loaded, others begin to be busy, and single tokens and prompts are decoded and timed one by one.

    python tools/bench/beside.py --spins 1000 --threads 1,2 --busy 0,1,2 MODEL.gguf
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import numpy as np

FRAME = 1 / 60
WARM, N_TOKEN, N_PROMPT, PROMPT = 8, 96, 4, 128
LONGEST = 20.0  # seconds: a row that takes longer is cut there


def spin() -> None:
    """One that never rests, a game's loop without a limit of frames."""
    while True:
        pass


def frames() -> None:
    """A game at 60 frames a second, each half a frame's work."""
    due = time.perf_counter()
    while True:
        end = time.perf_counter() + FRAME / 2
        while time.perf_counter() < end:
            pass
        due = max(due + FRAME, time.perf_counter())
        time.sleep(max(due - time.perf_counter(), 0))


@contextlib.contextmanager
def beside(others: str) -> Iterator[None]:
    """``others``: a number of busy processes, or ``frames``: a game's loop on every core."""
    n = len(os.sched_getaffinity(0)) if others == "frames" else int(others)
    work = frames if others == "frames" else spin
    context = multiprocessing.get_context("fork")
    running = [context.Process(target=work, daemon=True) for _ in range(n)]
    for process in running:
        process.start()
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.join()


def timed(model: str, *, threads: int) -> dict[str, list[float]]:
    """Milliseconds of each token, and a token of each prompt, in this process."""
    from llama_cpp import Llama

    llm = Llama(model, n_ctx=1024, n_threads=threads, n_threads_batch=threads, verbose=False)
    print("ready", flush=True)
    sys.stdin.readline()
    rng = np.random.default_rng(0)
    words = rng.integers(3, llm.n_vocab() - 3, size=WARM + N_TOKEN).tolist()
    tokens: list[float] = []
    began = time.perf_counter()
    for word in words:
        then = time.perf_counter()
        llm.eval([word])
        tokens.append(1000 * (time.perf_counter() - then))
        if time.perf_counter() - began > LONGEST and len(tokens) > WARM:
            break
    prompts: list[float] = []
    for _ in range(N_PROMPT):
        llm.reset()
        prompt = rng.integers(3, llm.n_vocab() - 3, size=PROMPT).tolist()
        then = time.perf_counter()
        llm.eval(prompt)
        prompts.append(1000 * (time.perf_counter() - then) / PROMPT)
        if time.perf_counter() - began > 2 * LONGEST:
            break
    return {"tokens": tokens[WARM:], "prompts": prompts}


def row(model: str, *, threads: int, spins: str, others: str) -> dict[str, object]:
    """One row, measured in a process of its own."""
    environment = {key: value for key, value in os.environ.items() if key != "GOMP_SPINCOUNT"}
    if spins != "unset":
        environment["GOMP_SPINCOUNT"] = spins
    command = [sys.executable, __file__, model, "--one", "--threads", str(threads)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        with beside(others):
            process.stdin.write("go\n")
            process.stdin.flush()
            told = json.loads(process.stdout.readline())
    tokens, prompts = told["tokens"], told["prompts"]
    return {
        "spins": spins,
        "threads": threads,
        "busy": others,
        "p50": float(np.median(tokens)),
        "p99": float(np.quantile(tokens, 0.99)),
        "mean": float(np.mean(tokens)),
        "prompt": float(np.median(prompts)),
    }


def _several(_: object, __: object, value: str) -> list[str]:
    return value.split(",")


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@click.option("--spins", default="unset,100,1000,10000", callback=_several)
@click.option("--threads", default="1,2", callback=_several)
@click.option("--busy", default="0,1,2,4,frames", callback=_several)
@click.option("--one", is_flag=True, help="Measure in this very process; for the others.")
def main(
    model: Path, spins: Sequence[str], threads: Sequence[str], busy: Sequence[str], one: bool
) -> None:
    """Time MODEL beside others; a line of JSON for each row."""
    if one:
        print(json.dumps(timed(str(model), threads=int(threads[0]))), flush=True)
        return
    for others in busy:
        for count in threads:
            for turns in spins:
                found = row(str(model), threads=int(count), spins=turns, others=others)
                print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
