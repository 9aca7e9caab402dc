"""``llamood plot``: a mood over tokens as a picture."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from llamood.cli import models, options
from llamood.cli.consoles import remark, tell_written, write_json
from llamood.cli.curves import draw_mood
from llamood.cli.plots import picture
from llamood.moods.affect import ANCHORS
from llamood.moods.mood import Mood, Rows
from llamood.moods.performance import Performance
from llamood.moods.steering import Notice, Steering
from llamood.moods.steering_vectors import SteeringVectors
from llamood.vectors.conversion import convert

MOST = 100_000  # tokens


@click.command("plot")
@click.argument("mood", metavar="MOOD", type=options.MoodType())
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    callback=picture,
    help="The picture: .png, .svg or .pdf (needs matplotlib).",
)
@click.option(
    "-e",
    "--emotions",
    metavar="PATH",
    help="Vectors to find mixes and limits with, or demo for those that come with llamood.",
)
@click.option(
    "--tokens",
    "n_token",
    type=click.IntRange(min=1, max=MOST),
    default=128,
    show_default=True,
    help="How many are drawn.",
)
@options.json_option
def command(
    *, mood: Mood, output: Path | None, emotions: str | None, n_token: int, as_json: bool
) -> None:
    """Draw the weights that MOOD asks for over the tokens of an answer.

    MOOD is written as behind --feel. With -e the weights are drawn that these vectors come to:
    within their ceilings and $max, with $inertia from neutral on, and affect as a mix of them.
    Without, affect is resolved by published coordinates of the emotions.

    \b
    Examples:
      llamood plot 'joy=ramp(0,1.2,64),anger=on("no",pulse(1.5,release=40))' -o mood.png
      llamood plot valence=wave(-0.5,0.5,period=60) -e demo -o mood.svg
      llamood plot @mood.json --json
    """
    if output is None and not as_json:
        raise click.UsageError("say where to: -o mood.png, or --json for the numbers")
    if mood.listens:
        remark("Note: drawn as if no text that the mood waits for were heard.")
    if emotions is None:
        names, asked = _asked(mood, n_token)
        applied = asked
        if mood.inertia is not None or mood.max is not None:
            remark("Note: $inertia and $max are drawn with vectors only (-e).")
    else:
        names, asked, applied = _applied(mood, emotions, n_token)
    if output is not None:
        draw_mood(output, emotions=names, asked=asked, applied=applied)
        tell_written(output)
    if as_json:
        write_json({"emotions": names, "asked": asked.tolist(), "applied": applied.tolist()})


def _asked(mood: Mood, n_token: int) -> tuple[tuple[str, ...], Rows]:
    """Of the emotions that the mood names, where there are no vectors."""
    named = dict.fromkeys([*mood.emotions, *(ANCHORS if mood.affect else ())])
    return tuple(named), mood.rows(n_token, tuple(named))


def _applied(mood: Mood, emotions: str, n_token: int) -> tuple[tuple[str, ...], Rows, Rows]:
    path = models.default_vectors(emotions) if emotions == models.DEMO else Path(emotions)
    evs = convert(path)
    notices: list[Notice] = []
    performance = Performance(
        Steering(mood, SteeringVectors.of(evs)),
        position=0,
        before=np.zeros(evs.n_emotion),
        notice=notices.append,
    )
    performance.block(0, n_token)  # all at once
    rows = [performance.row(token) for token in range(n_token)]
    for text in {notice.what: notice.text for notice in notices}.values():
        remark(f"Note: {text}")
    asked, applied = (np.array(side) for side in zip(*rows, strict=True))
    return evs.names, asked, applied
