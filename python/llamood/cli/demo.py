"""``llamood demo``: a small real model, in every emotion."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from llamood import demo, judges
from llamood.cli import demo_page, models, options
from llamood.cli.colours import colour_of
from llamood.cli.consoles import remark, results, write_json
from llamood.cli.demo_answers import Answer, all_ways, answered, summarised
from llamood.cli.demo_scenes import (
    OPENING,
    SPEAKERS,
    TURNING_QUESTION,
    argued,
    felt_most,
    turned,
    turning,
)
from llamood.judges.linear_judge import Judge
from llamood.voices.cast import Cast

VOICES = 10  # answers that are given at once
CONTEXT = 512  # tokens that a voice can remember; an argument has some 400
INTRODUCTION = (
    "SmolLM2-135M-Instruct, on this machine. No question has a feeling in it. Answers by vector\n"
    "were asked for none either: hidden states are moved, by 0.6 and by 1 of the largest dose at\n"
    "which the model still reads fluently."
)
NEXT = (
    ("llamood serve demo", "a page to talk to this model and shape what it feels, and an API"),
    ('llamood chat demo --feel "joy=1"', "the same here; /feel anger=0.8 changes its mood"),
    ("llamood extract model.gguf", "measures the emotions of a GGUF model of your own"),
    ("llamood calibrate model.gguf", "finds each one's largest fluent dose"),
    ("llamood chat model.gguf", "talks with it, in any mood; serve takes it too"),
)


@click.command("demo")
@click.option(
    "--questions",
    "n_question",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="How many questions are asked in every way.",
)
@options.seed_option
@options.device_options
@options.json_option
def command(*, n_question: int, seed: int, device: options.Device, as_json: bool) -> None:
    """Hear a small real model in every emotion: SmolLM2-135M-Instruct, in less than a minute.

    It answers the same questions plainly, asked for an emotion in words, and with the emotion's
    vector at two doses; then one answer turns from joy to anger while it is spoken, and two
    characters argue. Beside an answer stands the probability that the bundled judge, a text
    classifier, gives the emotion. Needs the extra [demo].

    \b
    Examples:
      llamood demo
      llamood demo --questions 8 --seed 3
      llamood demo --json
    """
    questions = (*demo.SUGGESTIONS, *demo.questions())
    if n_question > len(questions):
        remark(f"Note: there are {len(questions)} questions.")
    console = None if as_json else results()
    with _opened(device) as cast:
        if console is not None:
            console.print(INTRODUCTION)
        answers = _ask(cast, questions[:n_question], console, seed=seed)
        told = {
            "seed": seed,
            "answers": [answer.described() for answer in answers],
            "summary": summarised(answers),
            "turning": _turn(cast, console, seed=seed),
            "argument": _argue(cast, console, seed=seed),
        }
    if console is None:
        write_json(told)
    else:
        console.print(Text("\nNow you:", style="bold"))
        program = called()
        lines = [(line.replace("llamood", program, 1), what) for line, what in NEXT]
        console.print(demo_page.farewell(lines))


def called() -> str:
    """What to type for ``llamood`` here: where no PATH leads to it, as after ``make demo``, how it
    was called now."""
    if shutil.which("llamood"):
        return "llamood"
    now = sys.argv[0]
    return shlex.quote(now) if Path(now).name == "llamood" else f"{sys.executable} -m llamood"


def _opened(device: options.Device) -> Cast:
    """With voices for the answers, and room for those who argue."""
    path = models.model_path(models.DEMO)
    models.require_model(path)
    cast = Cast(
        path,
        emotions=demo.VECTORS,
        voices=VOICES + len(SPEAKERS),
        n_ctx=device.ctx or CONTEXT,
        verbose=False,
        **device.hardware(),
    )
    for _ in range(VOICES):
        cast.join()
    return cast


def _ask(
    cast: Cast, questions: Sequence[str], console: Console | None, *, seed: int
) -> list[Answer]:
    """All questions in all ways; then what the judge makes of it."""
    judge: Judge = judges.bundled()
    answers: list[Answer] = []
    for question in questions:
        asked = all_ways(question, cast.emotions.names)
        sheet = None
        if console is not None:
            console.print(demo_page.heading(question))
            sheet = demo_page.Sheet(console, asked)
        given = {}
        for answer in answered(cast, asked, seed=seed, judge=judge):
            given[answer.asked] = answer
            if sheet is not None:
                sheet.add(answer)
        answers += [given[each] for each in asked]
    if console is not None:
        console.print(demo_page.summary_table(summarised(answers)))
    return answers


def _turn(cast: Cast, console: Console | None, *, seed: int) -> dict[str, Any]:
    """The answer whose mood turns, each word in the colour of what was felt most then."""
    mood, text = turning(cast.emotions), ""
    if console is not None:
        console.print(demo_page.heading(TURNING_QUESTION, f"in the mood {mood.to_short()}"))
    prose = demo_page.Prose(console)
    for event in turned(cast, seed=seed):
        text += event.text
        prose.write(event.text, style=colour_of(felt_most(event.mood)))
    prose.end()
    return {"question": TURNING_QUESTION, "mood": mood.to_dict(), "text": text}


def _argue(cast: Cast, console: Console | None, *, seed: int) -> list[dict[str, str]]:
    """The argument, each in the colour of the own mood."""
    if console is not None:
        felt = ", ".join(f"{each.name} in {each.emotion}" for each in SPEAKERS)
        console.print(demo_page.heading(OPENING, f"two voices of one model: {felt}"))
    prose, turns = demo_page.Prose(console), []
    for speaker, events in argued(cast, seed=seed):
        style = colour_of(speaker.emotion)
        prose.write(f"{speaker.name}: ", style=f"bold {style}")
        said = ""
        for event in events:
            said += event.text
            prose.write(event.text, style=style)
        prose.end()
        turns.append({"name": speaker.name, "emotion": speaker.emotion, "text": said})
    return turns
