"""``llamood calibrate``: find each emotion's fluent range on a model, and rescale."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from llamood import judges
from llamood.calibrate import (
    N_QUESTION,
    Bounds,
    Calibration,
    Limits,
    Spread,
    calibrated,
    candidates,
    with_increments,
)
from llamood.cli import baselines, models, options
from llamood.cli.consoles import printable, progress, remark, results, write_json
from llamood.cli.prompts import user_turn
from llamood.errors import FileError, ModelError
from llamood.extract import Progress
from llamood.files import load, save
from llamood.increments import is_increments
from llamood.probe import FILE_NAME
from llamood.queries import load_queries
from llamood.vectors import EmotionVectors

AUTO, ALL, INCREMENTS = "auto", "all", "increments"
USUAL_TRIALS = 9  # of one emotion


class LayersType(click.ParamType[str]):
    """``auto``, ``all``, ``increments`` or ``first:last``."""

    name = "layers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        first, colon, last = str(value).partition(":")
        named = value in (AUTO, ALL, INCREMENTS)
        if not named and not (colon and first.isdigit() and last.isdigit()):
            fault = f"auto, all, increments or first:last was expected, as in 8:20, not {value}"
            self.fail(fault, param, ctx)
        return str(value)


@click.command("calibrate")
@options.model_argument
@options.vectors_option
@click.option("-o", "--output", metavar="FOLDER", help="Default: the folder of the vectors.")
@click.option(
    "--layers",
    type=LayersType(),
    default=ALL,
    show_default=True,
    help="Where to add: in all; in first:last as in 8:20; in all, each layer adding only what its "
    "vector has beyond the layer before (increments); or what is best of these (auto).",
)
@click.option(
    "--questions",
    "n_question",
    type=click.IntRange(min=4),
    default=N_QUESTION,
    show_default=True,
    help="Plain questions that are answered at each dose.",
)
@click.option(
    "--perplexity",
    type=click.FloatRange(min=1.0),
    default=1.5,
    show_default=True,
    help="Largest ratio to the unsteered answers' perplexity.",
)
@options.max_tokens_option
@options.seed_option
@options.device_options
@options.json_option
def command(
    *,
    model: str,
    emotions: str | None,
    output: str | None,
    layers: str,
    n_question: int,
    perplexity: float,
    max_tokens: int,
    seed: int,
    device: options.Device,
    as_json: bool,
) -> None:
    """Find the largest dose of each emotion at which MODEL still answers fluently, and rescale the
    vectors so that 1.0 is that dose. It becomes their ceiling.

    Fluent is: no more perplexed than the limit, no loops, neither half as long nor twice as long
    as without. With --layers the vectors keep only what is in those layers; auto takes the range
    in which the answers, as fluent everywhere, show most often the emotion that was asked for.

    \b
    Examples:
      llamood calibrate model.gguf
      llamood calibrate model.gguf -e evs/ -o calibrated/ --layers auto
    """
    vectors = models.default_vectors(model) if emotions is None else Path(emotions)
    if output is None and model == models.DEMO and emotions is None:
        raise click.UsageError("the demo's vectors stay as they are: say where to write (-o)")
    models.require_model(models.model_path(model))
    if not vectors.exists():
        raise FileError(
            vectors, f"no emotion vectors there; measure them (llamood extract {model})"
        )
    target = Path(output) if output is not None else vectors
    if target.is_file():
        raise click.UsageError("vectors in a single file are written to a folder: say which (-o)")
    evs = load(vectors)
    spreads = _spreads(layers, evs)
    trying = with_increments(evs) if any(each.increments for each in spreads) else evs
    # Unguarded: a dose at which answers collapse is to be found, not mended.
    llm = models.open_model(model, emotions=trying, device=device, guard=False)
    questions = load_queries().neutral[:n_question]
    prompts = [user_turn(llm, question) for question in questions]
    limits = Limits(perplexity=perplexity)
    with progress(f"Asking {Path(llm.model_path).name}", keep=True) as advance:
        calibration = Calibration(llm, prompts, limits=limits, max_tokens=max_tokens, seed=seed)
        found = _bounds(calibration, evs.names, spreads, advance)
    llm.close()
    judge = judges.bundled()
    specific = {each: calibration.specificity(found[each], judge) for each in spreads}
    best = max(spreads, key=lambda each: specific[each])
    if not any(bounds.best for bounds in found[best].values()):
        raise ModelError("no dose of any emotion was fluent; nothing is written")
    made = calibrated(evs, found[best], spread=best)
    paths = save(made, target)
    if best.increments:
        _measure_baseline(model, made, target, device)
    else:
        _take_baseline_along(vectors, target)
    report = _report(evs, found, specific, best)
    if as_json:
        write_json({"files": [str(path) for path in paths], **report})
        return
    results().print(_table(report))
    for name, bounds in found[best].items():
        if bounds.best is None:
            remark(f"Note: no dose of {printable(name)} was fluent; it is left as it was.")
    click.echo(f"{len(paths)} files in {target}; 1.0 is now the largest fluent dose of each.")


def _bounds(
    calibration: Calibration, names: Sequence[str], spreads: Sequence[Spread], advance: Progress
) -> dict[Spread, dict[str, Bounds]]:
    """For each spread, of each emotion. How many trials that takes is guessed for the bar."""
    found: dict[Spread, dict[str, Bounds]] = {spread: {} for spread in spreads}
    searches = [(spread, name) for spread in spreads for name in names]
    total = len(searches) * USUAL_TRIALS
    for number, (spread, name) in enumerate(searches):

        def tried(n_trial: int, *, before: int = number * USUAL_TRIALS) -> None:
            advance(before + min(n_trial, USUAL_TRIALS), total)

        found[spread][name] = calibration.bounds(name, spread, tried=tried)
    advance(total, total)
    return found


def _spreads(layers: str, evs: EmotionVectors) -> list[Spread]:
    whole = evs.measurement.site == "layer_out" and not is_increments(evs)
    last = evs.n_layer - 1
    if layers == AUTO:
        return candidates(evs.n_layer, increments=whole)
    if layers in (ALL, INCREMENTS):
        return [Spread((1, last), increments=layers == INCREMENTS)]
    first, end = (int(part) for part in layers.split(":"))
    if not 1 <= first <= end <= last:
        raise ModelError(f"layers {first} to {end} were asked for; there are 1 to {last}")
    return [Spread((first, end))]


def _measure_baseline(
    model: str, made: EmotionVectors, target: Path, device: options.Device
) -> None:
    """What injection does to a reading was measured with other vectors."""
    path, llama = models.model_path(model), device.hardware()
    try:
        passages = baselines.answers_of(path, made.names, llama=llama)
        baselines.measured(path, made, passages, llama=llama).save(target)
    except ModelError as error:
        (target / FILE_NAME).unlink(missing_ok=True)
        remark(f"Note: nothing can be read with these vectors: {error}")


def _take_baseline_along(vectors: Path, target: Path) -> None:
    """Readings are taken against the vectors as measured, whatever they are scaled by."""
    baseline = (vectors if vectors.is_dir() else vectors.parent) / FILE_NAME
    if baseline.is_file() and not (target / FILE_NAME).exists():
        shutil.copyfile(baseline, target / FILE_NAME)


def _report(
    evs: EmotionVectors,
    found: dict[Spread, dict[str, Bounds]],
    specific: dict[Spread, float],
    best: Spread,
) -> dict[str, Any]:
    """JSON-able."""
    return {
        "layers": list(best.layers),
        "increments": best.increments,
        "specificity": specific[best],
        "tried": [
            {
                "layers": list(each.layers),
                "increments": each.increments,
                "specificity": specific[each],
            }
            for each in found
        ],
        "emotions": {
            name: {
                "dose": None if bounds.best is None else bounds.best.dose,
                "perplexity": None if bounds.best is None else bounds.best.fluency.perplexity,
                "collapse": None if bounds.best is None else bounds.best.fluency.collapse,
                "length": None if bounds.best is None else bounds.best.fluency.length,
                "trials": [{"dose": trial.dose, **vars(trial.fluency)} for trial in bounds.trials],
            }
            for name, bounds in ((name, found[best][name]) for name in evs.names)
        },
    }


def _table(report: dict[str, Any]) -> Table:
    first, last = report["layers"]
    table = Table(
        "emotion",
        title=f"Largest fluent doses in layers {first} to {last}"
        + (", in increments" if report["increments"] else ""),
        caption=f"The judge finds the emotion asked for in {100 * report['specificity']:.0f} % of "
        "the answers at these doses.",
    )
    for title in ("dose", "perplexity", "loops", "length", "trials"):
        table.add_column(title, justify="right")
    for name, row in report["emotions"].items():
        if row["dose"] is None:
            table.add_row(printable(name), "-", "-", "-", "-", str(len(row["trials"])))
            continue
        table.add_row(
            printable(name),
            f"{row['dose']:.3g}",
            f"x {row['perplexity']:.2f}",
            f"{100 * row['collapse']:.0f} %",
            f"x {row['length']:.2f}",
            str(len(row["trials"])),
        )
    return table
