"""How long `import llamood` takes beyond `import llama_cpp`, in fresh processes."""

from __future__ import annotations

import subprocess
import sys

from paired import Block, Measure, differences, interleave

N_ROUND = 15
TIMED = "import time; begin = time.perf_counter(); import {}; print(time.perf_counter() - begin)"


def measure() -> list[Measure]:
    seconds = interleave({name: block(name) for name in ("llama_cpp", "llamood")}, n_round=N_ROUND)
    return [
        Measure(
            name="import llamood - import llama_cpp",
            values=differences(seconds["llamood"], seconds["llama_cpp"]),
            bound=0.15,
            unit="s",
        )
    ]


def block(module: str) -> Block:
    """Times one import, as the fresh process itself sees it."""

    def run(_round: int) -> float:
        command = [sys.executable, "-c", TIMED.format(module)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    return run
