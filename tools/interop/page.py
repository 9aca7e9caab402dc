"""What was found, as docs/interop.md tells it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from device_checks.machine import processor
from interop.attention_trial import AttentionTrial
from interop.comparison import Agreement, Cosines
from interop.meter import Cost
from interop.peer_trial import PeerTrial
from interop.program_trial import N_TOKEN, Answers, GeneratorTrial

NOTES = Path(__file__).with_name("interop_notes.md")
TOLERANCE = 1e-3  # of logits, both sides in float32; SmolLM2's span about -30 to 30
ALIKE = 0.999  # the least cosine of directions that were measured in the same way


@dataclass(frozen=True)
class Speed:
    """``is_whole``: the cost is of a whole program, with opening the model."""

    title: str
    cost: Cost
    is_whole: bool = False


@dataclass(frozen=True)
class Findings:
    """``attention``: of the paper's hook. ``at_attention``: cosines of the attention output as
    steering-vectors measured it, with what attention adds in llamood's measurement, and with
    what llamood calls ``attn_out``."""

    reading: dict[str, Any]
    n_pair: int
    threads: int
    peers: list[PeerTrial]
    attention: AttentionTrial
    at_attention: tuple[Cosines, Cosines]
    generators: list[GeneratorTrial]
    answers: list[Answers]
    speeds: list[Speed]

    def missed(self) -> list[str]:
        """What does not hold that the page promises."""
        return [what for what, holds in self._promises() if not holds]

    def _promises(self) -> Iterator[tuple[str, bool]]:
        for trial in self.peers:
            title = trial.method.title
            yield f"{title}: its file is read number by number", trial.is_read
            if trial.method.precision == "float32":
                yield f"{title}: its file steers here", trial.theirs.most < TOLERANCE
            if trial.ours is not None:
                yield f"{title}: ours steers there", trial.ours.most < TOLERANCE
            if trial.method.name in ("mean", "mean_diff"):
                yield f"{title}: it measures what llamood does", trial.cosines.least > ALIKE
        yield "the paper's hook", self.attention.exact.most < TOLERANCE
        yield "what attention adds", self.at_attention[0].least > ALIKE
        for generator in self.generators:
            if generator.method == "mean":
                yield "the generator's rule", generator.cosines.least > ALIKE
        for answers in self.answers:
            yield f"answers with {answers.vectors} vectors", answers.same == answers.n_answer


def page(findings: Findings) -> str:
    """The whole of it."""
    versions = findings.reading["versions"]
    others = findings.reading["others"]
    whole, summed = findings.at_attention
    return NOTES.read_text(encoding="utf-8").format(
        date=date.today().isoformat(),
        machine=f"{os.cpu_count()} cores, {processor()}, Python {platform.python_version()}, "
        f"llama-cpp-python {version('llama-cpp-python')}, gguf {version('gguf')}",
        load=f"{os.getloadavg()[2]:.0f}",
        versions=", ".join(f"{name} {number}" for name, number in versions.items()),
        n_pair=findings.n_pair,
        n_token=N_TOKEN,
        threads=findings.threads,
        n_text=findings.reading["n_text"],
        other_tokens=others[0],
        our_tokens=others[1],
        tolerance=f"{TOLERANCE:g}",
        steering="".join(map(_steering, findings.peers)),
        imports="".join(
            line for trial in findings.peers if trial.ours is not None for line in [_import(trial)]
        ),
        attention=_row("float32", findings.attention.exact)
        + _row("Q4_1", findings.attention.quantised)
        + _row("Q4_1, unsteered", findings.attention.unsteered),
        directions="".join(
            _direction(trial.method.title, trial.cosines) for trial in findings.peers
        ),
        attended=_direction("what attention adds", whole) + _direction("`attn_out`", summed),
        speeds="".join(map(_speed, findings.speeds)),
        answers="".join(
            f"| {each.vectors} | {each.model} | {each.same} of {each.n_answer} | {each.changed} |\n"
            for each in findings.answers
        ),
        generators="".join(map(_generator, findings.generators)),
    )


def _row(title: str, agreement: Agreement) -> str:
    return (
        f"| {title} | {agreement.most:.2g} | {agreement.moved:.1f} | "
        f"{agreement.same} of {agreement.n_token} |\n"
    )


def _steering(trial: PeerTrial) -> str:
    read = "yes" if trial.is_read else "**no**"
    return (
        f"| {trial.method.title} | {trial.vectors.measurement.site} | {read} | "
        f"{trial.method.coefficient:g} | {trial.theirs.moved:.1f} | {trial.theirs.most:.2g} | "
        f"{trial.quantised.most:.2g} | "
        f"{trial.quantised.same} of {trial.quantised.n_token} |\n"
    )


def _import(trial: PeerTrial) -> str:
    assert trial.ours is not None
    how = "its import of our file"
    if trial.refused is not None:
        how = f"rows; its import says `{trial.refused}`"
    elif not trial.method.imports:
        how = "rows; it has no import"
    return f"| {trial.method.peer} | {how} | {trial.ours.moved:.1f} | {trial.ours.most:.2g} |\n"


def _direction(title: str, cosines: Cosines) -> str:
    return f"| {title} | {cosines.least:.4f} | {cosines.median:.4f} | {cosines.last:.4f} |\n"


def _generator(trial: GeneratorTrial) -> str:
    return (
        f"| {trial.method} | {trial.cosines.least:.4f} | {trial.cosines.median:.4f} | "
        f"{trial.shifted.median:.4f} | {trial.upright} of {trial.n_layer} | "
        f"{', '.join(map(str, trial.zero))} |\n"
    )


def _speed(speed: Speed) -> str:
    cost = speed.cost
    before = "" if speed.is_whole else f"{cost.before:.0f}"
    title = speed.title + (" (whole program)" if speed.is_whole else "")
    return f"| {title} | {cost.wall:.1f} | {cost.processor:.1f} | {before} | {cost.peak:.0f} |\n"
