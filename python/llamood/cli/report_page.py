"""The page of an evaluation: one HTML file that needs nothing else, no network and no scripts."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from llamood.cli.inline_svg import can_draw
from llamood.cli.picture import Figures, emotion_colours, in_words
from llamood.cli.report_pictures import pictures
from llamood.evaluation.answer_log import Answer
from llamood.evaluation.conditions import AFFECT, KINDS, PROMPT, RANDOM, SHUFFLED, UNSTEERED, VECTOR
from llamood.evaluation.results_table import (
    RHO_MEANING,
    judged,
    judged_columns,
    judges_in_words,
    meaning,
    views,
)
from llamood.extras import to_install

TEMPLATE = "report.html"
N_SAMPLE = 5  # questions whose answers are shown
LONGEST_ANSWER = 1500  # characters shown
MOST_CHARACTERS = 500_000  # of all answers shown
FEW_QUESTIONS = 20

# What a row shows whoever judges: its key, the head of its column, how many digits, and what 1
# counts there.
COLUMNS = (
    ("perplexity", "perplexity", 2, 1),
    ("topic", "topic", 2, 1),
    ("collapse", "loops, %", 0, 100),
    ("length", "length", 2, 1),
    ("disclaimer", "disclaimers, %", 0, 100),
    ("refusal", "refusals, %", 0, 100),
)


@dataclass(frozen=True)
class Said:
    """An answer as it is shown, and in which condition it was given."""

    condition: str
    text: str


@dataclass(frozen=True)
class Sample:
    """A question, and its answers by what was asked for."""

    question: str
    answers: Mapping[str, tuple[Said, ...]]


def page(found: Figures, answers: Sequence[Answer]) -> str:
    """HTML 5. ``found``: what ``results.json`` holds: results, and how they came about.

    The same input gives the same text. Without matplotlib the page has no pictures, and says so.
    """
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    template = resources.files("llamood.cli").joinpath(TEMPLATE).read_text(encoding="utf-8")
    drawn = can_draw()
    return environment.from_string(template).render(
        found=found,
        headline=headline(found),
        facts=facts(found),
        drawn=drawn,
        to_install=to_install("plot"),
        pictures=pictures(found) if drawn else (),
        colours=emotion_colours(found),
        columns=columns(found),
        judged=judged,
        groups=groups(found),
        views=views(found),
        rho_table=rho_table,
        disagreements=found.get("disagreements", ()),
        samples=samples(answers),
        n_question=len({(answer.number, answer.question) for answer in answers}),
        meaning=meaning(found),
        rho_meaning=RHO_MEANING,
        cautions=cautions(found),
        cell=_cell,
    )


def columns(found: Figures) -> list[tuple[str, str, int, int, str | None]]:
    """As `COLUMNS`, and the judge where there are several; what no row has is left out."""
    by_judge = [(key, title, n, 1, judge) for title, key, n, judge in judged_columns(found)]
    made = [*by_judge, *((*column, None) for column in COLUMNS)]
    return [
        column
        for column in made
        if any(judged(row, column[0], column[-1]) is not None for row in found["rows"])
    ]


def headline(found: Figures) -> str:
    """Over all emotions, each kind of condition at its largest intensity, in a sentence."""
    told = []
    for kind in (UNSTEERED, VECTOR, PROMPT, RANDOM):
        rows = [
            row
            for row in found["rows"]
            if row["emotion"] is None and row["condition"] == kind and row["eps"] is not None
        ]
        if rows:
            row = max(rows, key=lambda each: float(each["intensity"]))
            at = f" at {row['intensity']:g}" if row["intensity"] else ""
            told.append(f"{in_words(row['eps'])} ({kind}{at})")
    if not told:
        return ""
    return f"Mean probability of the emotion asked for, over all emotions: {', '.join(told)}."


def facts(found: Figures) -> list[tuple[str, str]]:
    """What was asked of which model, and how, as far as it is known."""
    told: list[tuple[str, Any]] = [
        ("command", found["command"]),
        ("model", found["model"]),
        ("judge", judges_in_words(found) or found["judge"]),
        ("embedder", found["embedder"]),
        ("questions", found["n_question"]),
    ]
    told += [
        (_SETTINGS.get(name, name.replace("_", " ")), _setting(name, value))
        for name, value in (found["settings"] or {}).items()
        if name not in _TOLD_ELSEWHERE
    ]
    return [(name, _in_line(value)) for name, value in told if value is not None]


def groups(found: Figures) -> dict[str | None, list[Figures]]:
    """The rows by emotion; those over all emotions, under None, come first."""
    by_emotion: dict[str | None, list[Figures]] = {None: []}
    for row in found["rows"]:
        by_emotion.setdefault(row["emotion"], []).append(row)
    return {emotion: rows for emotion, rows in by_emotion.items() if rows}


def rho_table(found: Figures) -> dict[str, list[Any]]:
    """For each emotion the rho over answers and over means of each kind, as ``found`` has them."""
    emotions = dict.fromkeys(name for of_kind in found.values() for name in of_kind)
    return {
        name: [
            of_kind.get(name, {}).get(over)
            for of_kind in found.values()
            for over in ("answers", "means")
        ]
        for name in emotions
    }


def samples(answers: Sequence[Answer]) -> list[Sample]:
    """Questions from first to last, with their answers in all conditions, unsteered first; fewer
    where they are long."""
    by_question: dict[tuple[int, str], list[Answer]] = {}
    for answer in answers:
        by_question.setdefault((answer.number, answer.question), []).append(answer)
    keys = sorted(by_question)
    n = min(N_SAMPLE, len(keys))
    chosen = [keys[round(place * (len(keys) - 1) / max(n - 1, 1))] for place in range(n)]
    found: list[Sample] = []
    room = MOST_CHARACTERS
    for number, question in chosen:
        sample = _sample(by_question[number, question], question or f"Question {number + 1}")
        room -= sum(len(said.text) for each in sample.answers.values() for said in each)
        if room < 0 and found:
            break
        found.append(sample)
    return found


def cautions(found: Figures) -> list[str]:
    """What to mind before anything is claimed."""
    kinds = {row["condition"] for row in found["rows"]}
    n = found["n_question"]
    told = [
        f"The judge ({found['judge']}) is a program, no person. What it takes for an emotion need "
        "not be one: read some of the answers above.",
        f"Intervals say how far a figure may move with other questions than these {n}. They say "
        "nothing of another judge, model or seed, and one in twenty misses."
        + (f" With fewer than {FEW_QUESTIONS} they are too narrow." if n < FEW_QUESTIONS else ""),
    ]
    if RANDOM in kinds:
        told.append("What a random vector of the same length does too is no emotion.")
    if SHUFFLED in kinds:
        told.append(
            "What a vector from shuffled labels of the same texts does too is the manner of the "
            "texts, and no emotion: it is the hard control."
        )
    if PROMPT in kinds:
        told.append(
            "Words in the prompt are the control to beat: compare the vector with them, not only "
            "with unsteered answers."
        )
        if _is_known(found, "perplexity"):
            told.append(
                "Perplexity is taken after the prompt that the answer was given to. Below 1, after "
                "a prompt that asks for the emotion, it does not mean that the answer reads better."
            )
    if VECTOR in kinds:
        told.append("An intensity of one model is not the same amount in another.")
    return told


_TOLD_ELSEWHERE = frozenset({"n_question", "model_bytes"})
# Of these the settings hold digests, by which a stopped evaluation knows its own.
_SETTINGS = {
    "model": "fingerprint of the model",
    "vectors": "digest of the vectors",
    "questions": "digest of the questions",
    "conditions": "digest of the conditions",
}


def _setting(name: str, value: Any) -> Any:
    if name != "layers":
        return value
    return "all" if value is None else f"{value[0]} to {value[1]}"


def _is_known(found: Figures, key: str) -> bool:
    return any(row[key] is not None for row in found["rows"])


def _in_line(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_in_line, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _cell(value: Any, digits: int = 2, unit: float = 1) -> tuple[str, str]:
    """A figure, and its interval in brackets where it has one."""
    if value is None:
        return "-", ""
    if not isinstance(value, Mapping):
        return f"{unit * value:.{digits}f}", ""
    estimate, _, interval = in_words(value, digits=digits).partition(" ")
    return estimate, interval


def _sample(answers: Sequence[Answer], question: str) -> Sample:
    by_asked: dict[str, list[Said]] = {}
    for answer in sorted(answers, key=lambda each: (KINDS.index(each.kind), each.intensity)):
        at = f" at {answer.intensity:g}" if answer.intensity else ""
        text = answer.text
        if len(text) > LONGEST_ANSWER:
            text = f"{text[:LONGEST_ANSWER]}…"
        by_asked.setdefault(_asked_of(answer), []).append(Said(f"{answer.kind}{at}", text))
    return Sample(question, {asked: tuple(said) for asked, said in by_asked.items()})


def _asked_of(answer: Answer) -> str:
    if answer.kind == AFFECT and answer.point is not None:
        return "valence {:g}, arousal {:g}".format(*answer.point)
    return answer.emotion or "nothing"


def _shown(value: Any) -> Any:
    """Text with what HTML cannot hold replaced; marked-up text, which is ours, as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs")
        else "\N{REPLACEMENT CHARACTER}"
        for character in value
    )
