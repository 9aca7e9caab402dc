"""``llamood demo``: the bundled model answers the same questions in every emotion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import click
import numpy as np
from rich.console import Group
from rich.table import Table
from rich.text import Text

from llamood import demo, judges
from llamood.cli import models, options
from llamood.cli.consoles import printable, progress, remark, results, write_json
from llamood.cli.prompts import chat_tokens
from llamood.judges import Judge
from llamood.llama import Llama
from llamood.mood import Mood

MILD, STRONG = 0.85, 1.0  # of the largest fluent dose; answers turn between a half and the whole
SHOWN = 3  # questions; all of them count in the table at the end
COLOURS = {
    "anger": "red",
    "disgust": "green",
    "fear": "magenta",
    "joy": "yellow",
    "sadness": "blue",
    "surprise": "cyan",
}
ANSWER = options.Sampling(max_tokens=96, temperature=0.6, top_p=0.9, seed=0)


@dataclass(frozen=True)
class Answer:
    """An answer of the model; ``emotion`` None and intensity 0 for the unsteered one.

    ``probabilities``: the judge's, label -> 0..1.
    """

    question: str
    emotion: str | None
    intensity: float
    text: str
    probabilities: dict[str, float]

    @property
    def top(self) -> str:
        """The likeliest label."""
        return max(self.probabilities, key=self.probabilities.__getitem__)


@click.command("demo")
@click.option(
    "--questions",
    "n_question",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help=f"How many questions are asked; the first {SHOWN} are shown with their answers.",
)
@options.seed_option
@options.device_options
@options.json_option
def command(*, n_question: int, seed: int, device: options.Device, as_json: bool) -> None:
    """Ask the bundled model the same questions, unsteered and in each emotion at two intensities.

    Beside each answer stands the probability that the bundled judge, a text classifier, gives
    the emotion asked for. No question has a feeling in it, and no prompt asks for one.

    \b
    Examples:
      llamood demo
      llamood demo --questions 20 --json
    """
    questions = demo.questions()
    if n_question > len(questions):
        remark(f"Note: there are {len(questions)} questions.")
    llm = models.open_model(models.DEMO, emotions=demo.VECTORS, device=device)
    judge = judges.bundled()
    console = results()
    answers: list[Answer] = []
    for place, question in enumerate(questions[:n_question]):
        sheet = answered(llm, judge, question, seed=seed)
        answers += sheet
        if place < SHOWN and not as_json:
            console.print(answers_shown(sheet))
    summary = summarised(answers)
    if as_json:
        write_json({"seed": seed, "answers": [asdict(a) for a in answers], "summary": summary})
    else:
        console.print(summary_table(summary))


def answered(llm: Llama, judge: Judge, question: str, *, seed: int) -> list[Answer]:
    """The unsteered answer, then that of each emotion, mild and strong."""
    assert llm.emotions is not None
    tokens = chat_tokens(llm, [{"role": "user", "content": question}])
    asked: list[tuple[str | None, float]] = [(None, 0.0)]
    asked += [(name, intensity) for name in llm.emotions.names for intensity in (MILD, STRONG)]
    texts = []
    with progress(printable(question)) as advance:
        for emotion, intensity in asked:
            mood = Mood() if emotion is None else Mood({emotion: intensity})
            completion = llm.create_completion(
                tokens, mood=mood, **{**ANSWER.arguments(), "seed": seed}
            )
            texts.append(completion["choices"][0]["text"].strip())
            advance(len(texts), len(asked))
    rows = judge.probabilities(texts)
    return [
        Answer(
            question, emotion, intensity, text, dict(zip(judge.labels, row.tolist(), strict=True))
        )
        for (emotion, intensity), text, row in zip(asked, texts, rows, strict=True)
    ]


def summarised(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Per emotion: mean probability unsteered, and at each intensity with the share of top-1."""
    emotions = dict.fromkeys(a.emotion for a in answers if a.emotion is not None)
    return [
        {
            "emotion": emotion,
            "unsteered": float(
                np.mean([a.probabilities[emotion] for a in answers if a.emotion is None])
            ),
            "mild": _at(answers, emotion, MILD),
            "strong": _at(answers, emotion, STRONG),
        }
        for emotion in emotions
    ]


def _at(answers: Sequence[Answer], emotion: str, intensity: float) -> dict[str, float]:
    given = [a for a in answers if a.emotion == emotion and a.intensity == intensity]
    return {
        "intensity": intensity,
        "probability": float(np.mean([a.probabilities[emotion] for a in given])),
        "top_1": float(np.mean([a.top == emotion for a in given])),
    }


def answers_shown(sheet: Sequence[Answer]) -> Group:
    """One question and its plain answer; below, emotions down, mild and strong side by side."""
    plain, *steered = sheet
    table = Table("", show_lines=True)
    table.add_column("mild", ratio=1)
    table.add_column("strong", ratio=1)
    for mild, strong in _pairs(steered):
        emotion = mild.emotion or ""
        colour = COLOURS.get(emotion, "default")
        table.add_row(
            Text(emotion, style=f"bold {colour}"),
            _cell(mild, emotion, colour),
            _cell(strong, emotion, colour),
        )
    question = Text(f"\n{printable(plain.question)}", style="bold")
    unsteered = Text.assemble(("unsteered  ", "bold"), _cell(plain, plain.top, "default"))
    return Group(question, unsteered, table)


def summary_table(summary: Sequence[Mapping[str, Any]]) -> Table:
    """What `summarised` found; probabilities in percent."""
    table = Table("emotion", title="Mean probability of the emotion asked for, by the judge")
    for title in ("unsteered", "mild", "strong", "strong is top-1"):
        table.add_column(title, justify="right")
    for row in summary:
        emotion = row["emotion"]
        mild, strong = row["mild"], row["strong"]
        table.add_row(
            Text(emotion, style=f"bold {COLOURS.get(emotion, 'default')}"),
            _percent(row["unsteered"]),
            f"{_percent(mild['probability'])} (x {mild['intensity']:.2g})",
            f"{_percent(strong['probability'])} (x {strong['intensity']:.2g})",
            _percent(strong["top_1"]),
        )
    return table


def _pairs(steered: Sequence[Answer]) -> Iterator[tuple[Answer, Answer]]:
    return zip(steered[0::2], steered[1::2], strict=True)


def _cell(answer: Answer, label: str, colour: str) -> Text:
    """The answer, more strongly coloured the surer the judge is, and the judge's word."""
    probability = answer.probabilities[label]
    style = f"bold {colour}" if probability >= 0.5 else colour
    verdict = f"  {label} {_percent(probability)}"
    return Text.assemble((printable(answer.text), style), (verdict, "dim"))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
