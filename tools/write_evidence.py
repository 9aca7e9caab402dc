"""Write docs/evidence.md: what steering does to SmolLM2, against what was hoped for.

From the report of ``llamood eval demo``. What is said of the figures stands in
tools/evidence_notes.md and is written by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from llamood.evaluation.conditions import PROMPT, SHUFFLED, UNSTEERED, VECTOR

NOTES = Path(__file__).with_name("evidence_notes.md")
TOP = 1.0  # the intensity that is the largest fluent dose
RHO, SPECIFICITY, PERPLEXITY, COLLAPSE, TOPIC = 0.95, 0.6, 1.5, 0.01, 0.9
TIMES_WORDS = 2.5
SHARE_OF_SHUFFLED = 1 / 3

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
    """Each hope of a real small model; what depends on who judges, by each judge."""
    top = _row(report, VECTOR, TOP)
    by_judge = [
        claim for judge in report["judges"] for claim in _judged(report, str(judge["name"]))
    ]
    return [
        *by_judge,
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
    ]


def _judged(report: Report, judge: str) -> list[Claim]:
    ours, words = (
        _row(report, kind, at)["judges"][judge]["specificity"]
        for kind, at in ((VECTOR, TOP), (PROMPT, 0.0))
    )
    return [
        Claim(
            f"{judge}: top-1 at {TOP:g} {SPECIFICITY} or more on average",
            _told(ours),
            ours["estimate"] >= SPECIFICITY,
        ),
        Claim(
            f"{judge}: {TIMES_WORDS} times what asking in words gets",
            f"{ours['estimate']:.2f}; words {_told(words)}",
            ours["estimate"] >= TIMES_WORDS * words["estimate"],
        ),
        _each_beats_words(report, judge),
        _shuffled(report, judge),
        _dial(report, judge),
    ]


def _each_beats_words(report: Report, judge: str) -> Claim:
    pairs = {
        emotion: tuple(
            _row(report, kind, at, emotion)["judges"][judge]["specificity"]["estimate"]
            for kind, at in ((VECTOR, TOP), (PROMPT, 0.0))
        )
        for emotion in _emotions(report)
    }
    told = ", ".join(f"{name} {ours:.2f} / {words:.2f}" for name, (ours, words) in pairs.items())
    return Claim(
        f"{judge}: of each emotion what words get, or more (vector / words)",
        told,
        all(ours >= words for ours, words in pairs.values()),
    )


def _shuffled(report: Report, judge: str) -> Claim:
    """What the manner of the texts does, without their labels."""
    plain, ours, theirs = (
        _row(report, kind, at)["judges"][judge]["eps"]["estimate"]
        for kind, at in ((UNSTEERED, 0.0), (VECTOR, TOP), (SHUFFLED, TOP))
    )
    return Claim(
        f"{judge}: vectors from shuffled labels at most a third of the effect (EPS over unsteered)",
        f"{theirs - plain:.3f} of {ours - plain:.3f}",
        theirs - plain <= SHARE_OF_SHUFFLED * (ours - plain),
    )


def _dial(report: Report, judge: str) -> Claim:
    views = [each for each in report["judges"] if each["name"] == judge]
    found = views[0].get("asked_versus_got", report["asked_versus_got"])
    rho = found[VECTOR]
    told = ", ".join(f"{name} {each['means']['estimate']:.2f}" for name, each in rho.items())
    return Claim(
        f"{judge}: Spearman's rho, asked against got, of the means {RHO} or more for each emotion",
        told,
        min(each["means"]["estimate"] for each in rho.values()) >= RHO,
    )


def _emotions(report: Report) -> list[str]:
    return list(dict.fromkeys(row["emotion"] for row in report["rows"] if row["emotion"]))


def _row(report: Report, kind: str, at: float, emotion: str | None = None) -> Mapping[str, Any]:
    """Over all emotions unless one is named."""
    (row,) = (
        row
        for row in report["rows"]
        if (row["emotion"], row["condition"], row["intensity"]) == (emotion, kind, at)
    )
    found: Mapping[str, Any] = row
    return found


def _told(found: Mapping[str, float]) -> str:
    return f"{found['estimate']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
def main(folder: Path, output: Path) -> None:
    """From the FOLDER of an evaluation to OUTPUT."""
    report = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    found = claims(report)
    table = (folder / "table.md").read_text(encoding="utf-8")
    lines = [
        "# Evidence: what steering does to SmolLM2-135M-Instruct (Q4_1)",
        "",
        f"{report['n_question']} everyday questions, with which neither vectors nor doses were "
        "found. Made by",
        "",
        "    make evidence",
        "",
        f"which runs `{report['command']}`.",
        "",
        "| hoped for | measured | holds |",
        "|---|---|---|",
        *(claim.row() for claim in found),
        "",
        NOTES.read_text(encoding="utf-8").strip(),
        "",
        table.replace("\n#", "\n##").replace("# ", "## ", 1),
    ]
    output.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    click.echo(f"{sum(claim.holds for claim in found)} of {len(found)} hold")


if __name__ == "__main__":
    main()
