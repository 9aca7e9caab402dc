"""A client's latency while others try to keep it out, beside its latency in peace.

    python tools/bench/attacked.py [ATTACK ...]

It ends with 1 where an answer is not the one of peace, or the 99th percentile is more than `MOST`
times that of peace, which is measured before each attack. Not part of `make bench`: each attack
takes half a minute.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for llama_gguf

from attacks import ATTACKS, KEY, ask, chat
from serving import serving

MOST = 3.0  # times the 99th percentile of peace
SECONDS = 10.0  # of asking, in peace and under each attack
FEWEST = 20  # answers of each, however long they take
# What is likeliest there is so by far, whatever else is in the batch, which moves last bits.
ASKED = {"messages": [{"role": "user", "content": "Write the numbers from 1 to 20, with commas."}]}
SERVE = "from llamood.cli import main; main()"


def latencies(port: int) -> tuple[list[float], set[str]]:
    """Seconds until each answer, and what was answered; the same is asked each time."""
    seconds: list[float] = []
    said: set[str] = set()
    end = time.perf_counter() + SECONDS
    while len(seconds) < FEWEST or time.perf_counter() < end:
        began = time.perf_counter()
        try:
            status, body = ask(port, chat(**ASKED, temperature=0, mood={"joy": 0.5}))
        except OSError as fault:
            status, body = 0, str(fault)
        seconds.append(time.perf_counter() - began)
        said.add(body["choices"][0]["message"]["content"] if status == 200 else f"{status} {body}")
    return seconds, said


def percentile(seconds: Sequence[float]) -> float:
    """The 99th."""
    return statistics.quantiles(seconds, n=100, method="inclusive")[-1]


def main(names: Sequence[str]) -> int:
    unknown = sorted(set(names) - set(ATTACKS))
    if unknown:
        sys.exit(f"no attack is named {', '.join(unknown)}; there are {'; '.join(ATTACKS)}")
    failed = 0
    command = [sys.executable, "-c", SERVE, "serve", "demo", "--api-key", KEY, "--name", "demo"]
    with serving(command) as port:
        ask(port, chat())
        print("| attack | answers | median, ms | 99th percentile, ms | times peace | right |")
        print("|---|---|---|---|---|---|", flush=True)
        for name in names or ATTACKS:
            peace, right = latencies(port)
            attackers = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("attacks.py")), name, str(port)]
            )
            try:
                time.sleep(3)
                war, said = latencies(port)
            finally:
                attackers.kill()
                attackers.wait()
            time.sleep(2)
            ratio = percentile(war) / percentile(peace)
            failed += ratio > MOST or said != right
            print(
                f"| {name} | {len(peace)}, {len(war)} "
                f"| {_ms(statistics.median(peace))}, {_ms(statistics.median(war))} "
                f"| {_ms(percentile(peace))}, {_ms(percentile(war))} | {ratio:.1f} "
                f"| {'all' if said == right else sorted(said - right)} |",
                flush=True,
            )
    return int(failed > 0)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
