"""Write docs/evidence.md: what steering does to the bundled model, against what was hoped for.

From two reports of ``llamood eval``: with the controls, and on the paper's axes. What is said of
the figures stands in tools/evidence_notes.md and is written by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from llamood.conditions import GRADED, PROMPT, RANDOM, UNSTEERED, VECTOR

NOTES = Path(__file__).with_name("evidence_notes.md")
TOP = 1.0  # the intensity that is the largest fluent dose
RHO, SPECIFICITY, PERPLEXITY, COLLAPSE, TOPIC = 0.9, 0.8, 1.5, 0.01, 0.9

Report = Mapping[str, Any]


@dataclass(frozen=True)
class Claim:
    """What was hoped for, what was measured, and whether that is it."""

    hoped: str
    measured: str
    holds: bool

    def row(self) -> str:
        return f"| {self.hoped} | {self.measured} | {'yes' if self.holds else '**no**'} |"


def claims(report: Report) -> list[Claim]:
    """Each hope of the bundled model."""
    made = []
    for over, what in (("means", "the mean of each intensity"), ("answers", "single answers")):
        rho = report["asked_versus_got"][VECTOR]
        least = min(each[over]["estimate"] for each in rho.values())
        told = ", ".join(f"{name} {each[over]['estimate']:.2f}" for name, each in rho.items())
        hoped = f"Spearman's rho, asked against got, of {what}: {RHO} or more for each emotion"
        made.append(Claim(hoped, told, least >= RHO))
    top = _row(report, VECTOR, TOP)
    made += [
        Claim(
            f"top-1 at {TOP:g}: {SPECIFICITY} or more on average",
            _told(top["specificity"]),
            top["specificity"]["estimate"] >= SPECIFICITY,
        ),
        Claim(
            f"perplexity at {TOP:g}: {PERPLEXITY} times the unsteered or less",
            _told(top["perplexity"]),
            top["perplexity"]["estimate"] <= PERPLEXITY,
        ),
        Claim(
            f"loops at {TOP:g}: {100 * COLLAPSE:g} % of answers or fewer",
            f"{100 * top['collapse']:.1f} %",
            top["collapse"] <= COLLAPSE,
        ),
        Claim(
            f"topic adherence at {TOP:g}: {TOPIC} times the unsteered or more",
            _told(top["topic"]),
            top["topic"]["estimate"] >= TOPIC,
        ),
        _flat(report),
        *_better(report),
    ]
    return made


def _flat(report: Report) -> Claim:
    """Random vectors change nothing that the interval could tell from nothing."""
    random, plain = _row(report, RANDOM, TOP)["eps"], _row(report, UNSTEERED, 0.0)["eps"]
    vector = _row(report, VECTOR, TOP)["eps"]
    return Claim(
        "random vectors of equal norms: as unsteered (EPS)",
        f"{_told(random)}; unsteered {_told(plain)}; vectors {_told(vector)}",
        random["low"] <= plain["estimate"] <= random["high"],
    )


def _better(report: Report) -> list[Claim]:
    """Than being told in words and numbers how much."""
    made = []
    for over, what in (("means", "the mean of each intensity"), ("answers", "single answers")):
        mean = {
            kind: sum(each[over]["estimate"] for each in found.values()) / len(found)
            for kind, found in report["asked_versus_got"].items()
        }
        made.append(
            Claim(
                f"rho of {what}, mean over emotions: above that of a graded prompt",
                f"{mean[VECTOR]:.2f}; graded prompt {mean[GRADED]:.2f}",
                mean[VECTOR] > mean[GRADED],
            )
        )
    return made


def _row(report: Report, kind: str, at: float) -> Mapping[str, Any]:
    """Over all emotions."""
    (row,) = (
        row
        for row in report["rows"]
        if (row["emotion"], row["condition"], row["intensity"]) == (None, kind, at)
    )
    found: Mapping[str, Any] = row
    return found


def _told(found: Mapping[str, float]) -> str:
    return f"{found['estimate']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


@click.command()
@click.argument("controlled", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("paper", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
def main(controlled: Path, paper: Path, output: Path) -> None:
    """From the folders CONTROLLED and PAPER of two evaluations to OUTPUT."""
    report = json.loads((controlled / "results.json").read_text(encoding="utf-8"))
    found = claims(report)
    prompt = _row(report, PROMPT, 0.0)
    tables = [
        (folder / name).read_text(encoding="utf-8").replace("\n#", "\n##").replace("# ", "## ", 1)
        for folder, name in ((controlled, "table.md"), (paper, "paper.md"))
    ]
    lines = [
        "# Evidence: what steering does to the bundled model",
        "",
        f"{report['n_question']} held-out questions, of kinds and forms that the model was not "
        "trained on, and with which neither its vectors nor their doses were found. Made by",
        "",
        "    make evidence",
        "",
        f"which runs `{report['command']}` and the same with `--paper`. Told to feel it in words "
        f"and not steered, the model gets {_told(prompt['specificity'])} top-1.",
        "",
        "| hoped for | measured | holds |",
        "|---|---|---|",
        *(claim.row() for claim in found),
        "",
        NOTES.read_text(encoding="utf-8").strip(),
        "",
        *tables,
    ]
    output.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    click.echo(f"{sum(claim.holds for claim in found)} of {len(found)} hold")


if __name__ == "__main__":
    main()
