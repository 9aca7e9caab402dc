"""How much longer a token takes beside processes that never rest, with llamood left to choose."""

from __future__ import annotations

from beside import AUTO, UNSET, Setting, measured
from paired import Measure, ratios

from models import SMOLLM2, THREADS, BenchModel

N_ROUND, N_IDLE = 5, 9  # the latter of pairs that differ by less than one run from the next
OURS, PLAIN = Setting(AUTO, UNSET), Setting(str(THREADS), UNSET)
AT_MOST = {"1": 2.2, "2": 3.0}  # beside so many, of a token when idle
SLOWEST_AT_MOST = {"2": 6.0}  # of the 99th percentile
IDLE_AT_MOST = 1.02


def measure() -> list[Measure]:
    return measured_with(SMOLLM2, n_round=N_ROUND, n_idle=N_IDLE)


def measured_with(model: BenchModel, *, n_round: int, n_idle: int) -> list[Measure]:
    """Each row is a process of its own; a round has one of each, one after the other."""
    path = str(model.path())
    rounds = [
        {busy: measured(path, OURS, busy) for busy in ("0", *AT_MOST)} for _ in range(n_round)
    ]
    usual = {name: [each[name].p50 for each in rounds] for name in rounds[0]}

    def said(name: str, above: list[float], below: str, bound: float | None) -> Measure:
        values = ratios(above, usual[below])
        return Measure(name=name, model=model.name, values=values, bound=bound)

    measures = [_idle(model, n_idle)]
    for busy, bound in AT_MOST.items():
        who = f"a token beside {busy} busy {'process' if busy == '1' else 'processes'}"
        slowest = [each[busy].p99 for each in rounds]
        measures += [
            said(f"{who} / idle", usual[busy], "0", bound),
            said(f"{who}, 99th percentile / idle", slowest, "0", SLOWEST_AT_MOST.get(busy)),
        ]
    return measures


def _idle(model: BenchModel, n: int) -> Measure:
    """In pairs, of which now the one and now the other comes first."""
    path = str(model.path())
    found: dict[Setting, list[float]] = {OURS: [], PLAIN: []}
    for number in range(n):
        for setting in (OURS, PLAIN) if number % 2 else (PLAIN, OURS):
            found[setting].append(measured(path, setting, "0").p50)
    return Measure(
        name="a token, idle / llama_cpp.Llama, idle",
        model=model.name,
        values=ratios(found[OURS], found[PLAIN]),
        bound=IDLE_AT_MOST,
    )
