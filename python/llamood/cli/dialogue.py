"""``llamood dialogue``: what a mood does over several turns, and what decoding answers anew is
worth."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from llamood.cli import baselines, models, options
from llamood.cli.consoles import printable, progress, results, write_json
from llamood.cli.terminal import echo
from llamood.errors import FileError, LlamoodError
from llamood.evaluation import dialogue_results
from llamood.evaluation.dialogue import FEWEST_TURNS, TOKENS, Dialogues, shipped_turns
from llamood.judges.jury import jury
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.files import load

TURNS = shipped_turns()


@click.command("dialogue")
@options.model_argument
@options.vectors_option
@click.option(
    "--feeling",
    "feelings",
    metavar="EMOTION",
    multiple=True,
    help="This one only. May be given again. Default: all.",
)
@click.option(
    "--intensity",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="A multiple of each emotion's ceiling, or of 1 where it has none.",
)
@click.option(
    "--turns",
    "n_turn",
    type=click.IntRange(min=FEWEST_TURNS, max=len(TURNS[0])),
    default=len(TURNS[0]),
    show_default=True,
    help="Questions in a conversation.",
)
@click.option(
    "--conversations",
    "n_conversation",
    type=click.IntRange(min=1),
    default=len(TURNS),
    show_default=True,
    help=f"Of more than {len(TURNS)} the same are held again, with other seeds.",
)
@options.max_tokens_option(TOKENS)
@options.seed_option
@options.hardware_options
@options.json_option
def command(
    *,
    model: str,
    emotions: str | None,
    feelings: tuple[str, ...],
    intensity: float,
    n_turn: int,
    n_conversation: int,
    max_tokens: int,
    seed: int,
    hardware: dict[str, Any],
    as_json: bool,
) -> None:
    """Hold plain conversations with MODEL, unsteered and in each emotion, and show the last answer:
    how coherent it is, how much of the emotion it has, and what that costs.

    Each is held in two ways: the old answers are kept in the cache as they were steered, or, which
    is what llamood does, decoded anew without the mood before the next turn. Seeds are equal.

    \b
    Examples:
      llamood dialogue demo
      llamood dialogue model.gguf -e evs/ --feeling joy --conversations 12 --json
    """
    path = models.model_path(model)
    models.require_model(path)
    vectors = models.default_vectors(model) if emotions is None else Path(emotions)
    evs = _vectors(vectors, model, feelings)
    turns = [each[:n_turn] for each in itertools.islice(itertools.cycle(TURNS), n_conversation)]
    held = Dialogues(
        path,
        emotions=evs,
        turns=turns,
        intensity=intensity,
        max_tokens=max_tokens,
        seed=seed,
        **hardware,
    )
    with jury(path, baselines.filter_of(vectors), **hardware) as seated:
        with progress(f"Talking to {path.name}", keep=True) as advance:
            said = held.run(advance)
        found = dialogue_results.results(said, seated)
    report = {
        "model": path.name,
        "intensity": intensity,
        "max_tokens": max_tokens,
        "seed": seed,
        **found,
    }
    if as_json:
        write_json(report)
        return
    results().print(_table(report))
    echo(
        f"Decoding old answers anew costs {report['price_ms']:.0f} ms a turn before the answer "
        "begins (median of pairs)."
    )


def _vectors(vectors: Path, model: str, feelings: tuple[str, ...]) -> EmotionVectors:
    if not vectors.exists():
        raise FileError(
            vectors, f"no emotion vectors there; measure them (llamood extract {model})"
        )
    evs = load(vectors)
    unknown = [name for name in feelings if name not in evs.names]
    if unknown:
        raise LlamoodError(
            f"there is no {', '.join(map(printable, unknown))} here; there are "
            f"{', '.join(map(printable, evs.names))}"
        )
    return evs.select(list(dict.fromkeys(feelings))) if feelings else evs


def _table(report: dict[str, Any]) -> Table:
    """A line for each emotion in each way."""
    table = Table(
        "emotion",
        "old answers",
        title=f"The answer at turn {report['n_turn']}, of {report['n_conversation']} conversations",
        caption="Perplexity is a ratio to unsteered, and low where an answer says again what "
        "earlier ones said (repeated, of its 4-grams of words); seen: the probability of the "
        "emotion by each judge; ms: before the first token of an answer that follows on another.",
    )
    seen = [f"seen ({judge})" for judge in report["judges"]]
    for title in ("perplexity", "loops", "repeated", *seen, "tokens decoded", "ms"):
        table.add_column(title, justify="right")
    for row in report["rows"]:
        shown = [row["shown"][judge] for judge in report["judges"]]
        table.add_row(
            "all" if row["emotion"] is None else printable(row["emotion"]),
            row["way"],
            "-" if row["perplexity"] is None else f"x {row['perplexity']:.2f}",
            f"{row['collapse']:.0%}",
            f"{row['repeated']:.0%}",
            *("-" if each is None else f"{each:.2f}" for each in shown),
            f"{row['decoded']:.0f}",
            f"{row['ms']:.0f}",
        )
    return table
