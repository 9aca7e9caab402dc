"""How fast a token comes beside something else that wants the cores.

One row is one process of its own, as libgomp reads its settings once: a model is loaded, others
begin to be busy, and single tokens and prompts are decoded and timed one by one.

    python tools/bench/beside.py MODEL.gguf --spins 1000 --threads 1,2,auto --busy 0,1,2
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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

FRAME = 1 / 60
WARM, N_TOKEN, N_PROMPT, PROMPT = 8, 64, 3, 64
LONGEST = 3.0  # seconds: a row whose tokens, or whose prompts, take longer is cut there
AUTO, UNSET, FRAMES = "auto", "unset", "frames"


@dataclass(frozen=True)
class Setting:
    """``threads``: a number for llama_cpp.Llama with as many, or ``auto`` for llamood.Llama, which
    is left to choose. ``spins``: what GOMP_SPINCOUNT says, or ``unset``."""

    threads: str
    spins: str


@dataclass(frozen=True)
class Row:
    """Milliseconds a token: the median and the 99th percentile of tokens that follow on each other,
    and the median of prompts. ``busy``: what ran beside it, see `beside`. ``stolen``: seconds a
    second in which the machine below this one ran others."""

    setting: Setting
    busy: str
    p50: float
    p99: float
    prompt: float
    stolen: float


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


def speak(model: str) -> None:
    """A llamood that decodes token after token."""
    llm = opened(model, AUTO)
    while True:
        llm.reset()
        for token in range(3, min(llm.n_vocab(), 400)):
            llm.eval([token])


def opened(model: str, threads: str) -> Any:
    """What is measured. Imported here, as the environment is to be read by each process anew."""
    if threads == AUTO:
        import llamood

        return llamood.Llama(model, n_ctx=512, verbose=False)
    from llama_cpp import Llama

    n = int(threads)
    return Llama(model, n_ctx=512, n_threads=n, n_threads_batch=n, verbose=False)


@contextlib.contextmanager
def beside(others: str) -> Iterator[None]:
    """``others``: a number of busy processes; ``frames``: a game's loop on every core; or a model's
    path: one more llamood that speaks."""
    context = multiprocessing.get_context("fork")
    if others == FRAMES:
        running = [context.Process(target=frames, daemon=True) for _ in os.sched_getaffinity(0)]
    elif others.isdigit():
        running = [context.Process(target=spin, daemon=True) for _ in range(int(others))]
    else:
        running = [multiprocessing.get_context("spawn").Process(target=speak, args=(others,))]
    for process in running:
        process.start()
    if not others.isdigit() and others != FRAMES:
        time.sleep(3)  # while it loads
    try:
        yield
        if not all(process.is_alive() for process in running):
            raise RuntimeError(f"what was to run beside it ({others}) has ended by itself")
    finally:
        for process in running:
            process.kill()
            process.join()


def timed(model: str, *, threads: str) -> dict[str, list[float]]:
    """Milliseconds of each token, and a token of each prompt, in this process."""
    llm = opened(model, threads)
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
    began = time.perf_counter()
    for _ in range(N_PROMPT):
        llm.reset()
        prompt = rng.integers(3, llm.n_vocab() - 3, size=PROMPT).tolist()
        then = time.perf_counter()
        llm.eval(prompt)
        prompts.append(1000 * (time.perf_counter() - then) / PROMPT)
        if time.perf_counter() - began > LONGEST:
            break
    return {"tokens": tokens[WARM:], "prompts": prompts}


def stolen() -> float:
    """Seconds for which the machine below this one has run others instead, all cores together."""
    total = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0]
    return int(total.split()[8]) / os.sysconf("SC_CLK_TCK")


def measured(model: str, setting: Setting, busy: str) -> Row:
    """One row, in a process of its own."""
    environment = {key: value for key, value in os.environ.items() if key != "GOMP_SPINCOUNT"}
    if setting.spins != UNSET:
        environment["GOMP_SPINCOUNT"] = setting.spins
    command = [sys.executable, __file__, model, "--one", "--threads", setting.threads]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        with beside(busy):
            process.stdin.write("go\n")
            process.stdin.flush()
            before, began = stolen(), time.perf_counter()
            told = json.loads(process.stdout.readline())
            share = (stolen() - before) / (time.perf_counter() - began)
    tokens, prompts = told["tokens"], told["prompts"]
    return Row(
        setting,
        busy,
        p50=float(np.median(tokens)),
        p99=float(np.quantile(tokens, 0.99)),
        prompt=float(np.median(prompts)),
        stolen=share,
    )


def _several(_: object, __: object, value: str) -> list[str]:
    return value.split(",")


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@click.option("--spins", default=UNSET, callback=_several)
@click.option("--threads", default=f"1,2,{AUTO}", callback=_several)
@click.option("--busy", default=f"0,1,2,4,{FRAMES}", callback=_several)
@click.option("--one", is_flag=True, help="Measure in this very process; for the others.")
def main(
    model: Path, spins: Sequence[str], threads: Sequence[str], busy: Sequence[str], one: bool
) -> None:
    """Time MODEL beside others; a line of JSON for each row."""
    if one:
        print(json.dumps(timed(str(model), threads=threads[0])), flush=True)
        return
    for others in busy:
        for count in threads:
            for turns in spins:
                row = measured(str(model), Setting(count, turns), others)
                print(json.dumps(asdict(row)), flush=True)


if __name__ == "__main__":
    main()
