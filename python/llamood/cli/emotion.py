"""``llamood emotion``: the feelings that a model has; add one of your own, or take one away."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from llamood.calibration.repertoire import Addition, Feeling, Repertoire
from llamood.calibration.utterances import FEWEST, utterances
from llamood.cli import models, options
from llamood.cli.consoles import printable, progress_in_parts, remark, results, write_json
from llamood.cli.terminal import echo
from llamood.errors import FileError


@click.group("emotion")
def command() -> None:
    """The feelings that MODEL has: list them, add new ones, take some away.

    \b
    Examples:
      llamood emotion list demo
      llamood emotion add --help
    """


@command.command("list", short_help="Show the feelings.")
@options.model_argument
@options.vectors_option
@options.json_option
def listing(*, model: str, emotions: str | None, as_json: bool) -> None:
    """Show each feeling: where it came from, its dose, its ceiling, and how well it is read.

    \b
    Examples:
      llamood emotion list demo
      llamood emotion list model.gguf -e evs/ --json
    """
    repertoire = _repertoire(model, emotions)
    feelings = repertoire.feelings()
    if as_json:
        write_json({each.name: _described(each) for each in feelings})
        return
    results().print(_table(feelings, title=f"Feelings in {repertoire.folder}"))
    method = repertoire.vectors.measurement.method
    if method is not None:
        echo(f"The set was measured so: {printable(method)}.")


@command.command("add", short_help="Measure a new feeling, and find its dose.")
@options.model_argument
@click.argument("name", metavar="NAME")
@click.option(
    "--texts",
    metavar="FILE",
    help=f"What expresses it, {FEWEST} utterances or more: a .txt with one a line, or labelled "
    "texts (.tsv, .csv, .jsonl), of which those labelled NAME count.",
)
@click.option(
    "--describe",
    metavar="WORDS",
    help="The manner of one who feels it, as in 'warm, unhurried, at peace': the model answers "
    "everyday questions so, and plainly.",
)
@options.vectors_option
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    help="Make FOLDER, a copy of the vectors with the new feeling. Default: it is added to them.",
)
@options.seed_option
@options.hardware_options
@options.json_option
def adding(
    *,
    model: str,
    name: str,
    texts: str | None,
    describe: str | None,
    emotions: str | None,
    output: str | None,
    seed: int,
    hardware: dict[str, Any],
    as_json: bool,
) -> None:
    """Add a feeling NAME to those of MODEL: its vector, its largest fluent dose as 1.0, and what
    reads it. The others stay as they are.

    \b
    Examples:
      llamood emotion add model.gguf calm --texts calm.txt
      llamood emotion add demo calm --describe "warm, unhurried, at peace" -o mine.evs/
    """
    if (texts is None) == (describe is None):
        raise click.UsageError("say what it is: --texts FILE, or --describe WORDS")
    if output is None and model == models.DEMO and emotions is None:
        raise click.UsageError("the demo's vectors stay as they are: say where to write (-o)")
    repertoire = _repertoire(model, emotions, **hardware)
    repertoire.require_room(name, output)
    lines = () if texts is None else utterances(texts, name)
    parts = repertoire.parts(is_described=describe is not None)
    with progress_in_parts(f"Adding {name}", parts, keep=True) as part:
        added = repertoire.add(
            name, texts=lines, manner=describe, output=output, seed=seed, parts=part
        )
        part(list(parts)[-1])(1, 1)
    if as_json:
        files = [str(path) for path in added.paths]
        write_json({"files": files, **_described(added.feeling), "doses": added.doses.report()})
        return
    _tell(added, model, output or emotions)
    echo(f"{len(added.paths)} files in {output or repertoire.folder}")


@command.command("remove", short_help="Take a feeling away.")
@options.model_argument
@click.argument("name", metavar="NAME")
@options.vectors_option
def removing(*, model: str, name: str, emotions: str | None) -> None:
    """Take the feeling NAME away from those of MODEL: its vector, and what reads it.

    \b
    Examples:
      llamood emotion remove model.gguf calm
      llamood emotion remove demo calm -e mine.evs/
    """
    if model == models.DEMO and emotions is None:
        raise click.UsageError("the demo's vectors stay as they are: say which are meant (-e)")
    repertoire = _repertoire(model, emotions)
    repertoire.remove(name)
    left = [each for each in repertoire.vectors.names if each != name]
    echo(f"{name} is gone from {repertoire.folder}; there are {printable(', '.join(left))}.")


def _repertoire(model: str, emotions: str | None, **llama: Any) -> Repertoire:
    path = models.model_path(model)
    models.require_model(path)
    folder = models.default_vectors(model) if emotions is None else Path(emotions)
    if not folder.exists():
        raise FileError(folder, f"no emotion vectors there; measure them (llamood extract {model})")
    return Repertoire(path, folder, **llama)


def _tell(added: Addition, model: str, folder: str | None) -> None:
    results().print(_table([added.feeling], title="Added"))
    (place,) = added.doses.places.values()
    (bounds,) = added.doses.bounds.values()
    assert bounds.best is not None
    echo(
        f"1.0 of {added.feeling.name} is the largest dose that read fluently (perplexity x "
        f"{bounds.best.fluency.perplexity:.2f}): {place}."
    )
    if added.probe is None:
        remark(
            "Note: there is no baseline of readings with these vectors, so it is not read; measure "
            "one (llamood read --measure)."
        )
    elif added.feeling.origin is not None and added.feeling.origin.manner is not None:
        remark(
            "Note: how well it is read was tried on the model's own answers; what people write is "
            f"told less surely. They are in added/{added.feeling.name}.json: a small model may "
            "only echo the words, and texts (--texts) then serve better."
        )
    where = "" if folder is None else f" -e {folder}"
    echo(f"Try: llamood generate {model}{where} --feel {added.feeling.name}=1 'Hello!'")


def _table(feelings: list[Feeling] | tuple[Feeling, ...], *, title: str) -> Table:
    table = Table("emotion", "from", title=title)
    for column in ("layers", "dose", "ceiling", "read (AUROC)"):
        table.add_column(column, justify="right")
    for each in feelings:
        table.add_row(
            printable(each.name),
            _origin(each),
            "none" if each.layers is None else f"{each.layers[0]} to {each.layers[1]}",
            f"{each.dose:.3g}",
            "not known" if each.ceiling is None else f"{each.ceiling:.3g}",
            _reading(each),
        )
    return table


def _origin(feeling: Feeling) -> str:
    origin = feeling.origin
    if origin is None:
        return "the set"
    if origin.manner is None:
        return f"{len(origin.texts)} texts"
    return f"{len(origin.texts)} answers: {printable(origin.manner)}"


def _reading(feeling: Feeling) -> str:
    if not feeling.is_read:
        return "no"
    return "yes" if feeling.auroc is None else f"{feeling.auroc:.2f}"


def _described(feeling: Feeling) -> dict[str, Any]:
    """JSON-able."""
    return dataclasses.asdict(feeling)
