"""``llamood calibrate``: find what is best added where, and how much of it a model bears."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from llamood.atomic import write_files
from llamood.calibration.calibration import TOKENS, Limits
from llamood.calibration.doses import chosen, control, find_doses
from llamood.calibration.measuring import CONTROLS, TRIALS
from llamood.calibration.places import Place, places, quick_places
from llamood.calibration.remainder import with_remainder
from llamood.calibration.utterances import origin_path, origins
from llamood.cli import baselines, models, options
from llamood.cli.consoles import printable, progress, remark, results, write_json
from llamood.cli.dose_table import dose_table
from llamood.cli.prompts import first_questions
from llamood.cli.terminal import echo
from llamood.errors import FileError, ModelError
from llamood.extraction.candidates import CONTROL, FILE_NAME, Candidates
from llamood.extraction.queries import everyday
from llamood.readings.probe import Probe
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.files import contents, load

AUTO, ALL, INCREMENTS = "auto", "all", "increments"
EVERYTHING = "everything"
N_QUESTION = 8  # that are answered at each dose


class LayersType(click.ParamType[str]):
    """``auto``, ``everything``, ``all``, ``increments`` or ``first:last``."""

    name = "layers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        first, colon, last = str(value).partition(":")
        named = value in (AUTO, EVERYTHING, ALL, INCREMENTS)
        if not named and not (colon and first.isdigit() and last.isdigit()):
            fault = (
                f"auto, everything, all, increments or first:last was expected, as in 8:20, not "
                f"{value}"
            )
            self.fail(fault, param, ctx)
        return str(value)


@click.command("calibrate")
@options.model_argument
@options.vectors_option
@click.option("-o", "--output", metavar="FOLDER", help="Default: the folder of the vectors.")
@click.option(
    "--layers",
    type=LayersType(),
    default=AUTO,
    show_default=True,
    help="Where to add: in all; in first:last as in 8:20; in all, each layer adding only what its "
    "vector has beyond the layer before (increments); in the window that shows an emotion best "
    "(auto); or what is best of all these (everything, which takes long).",
)
@click.option(
    "--way",
    metavar="WAY",
    help="How vectors are made of what was measured, as in 'texts, centred'. Default: what shows "
    "an emotion best.",
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
@click.option(
    "--divergence",
    type=click.FloatRange(min=0.0, min_open=True),
    default=Limits.divergence,
    show_default=True,
    help="Largest turn of the model's predictions, in nats, at the 95th percentile.",
)
@options.max_tokens_option(TOKENS)
@options.seed_option
@options.hardware_options
@options.json_option
def command(
    *,
    model: str,
    emotions: str | None,
    output: str | None,
    layers: str,
    way: str | None,
    n_question: int,
    perplexity: float,
    divergence: float,
    max_tokens: int,
    seed: int,
    hardware: dict[str, Any],
    as_json: bool,
) -> None:
    """Find for each emotion what shows it best in MODEL's answers, and its largest dose at which
    they still read fluently; 1.0 becomes that dose, which is its ceiling.

    Fluent is: no more perplexed and no further turned than the limits, no loops, neither half as
    long nor twice as long as without. What is tried are the ways that llamood extract has kept;
    vectors from elsewhere are tried as they are, and centred. Feelings that were added stay as they
    are where these ways are not of them. Readings are measured again. Stopped at any point, the
    same command goes on where it was.

    \b
    Examples:
      llamood calibrate model.gguf
      llamood calibrate model.gguf -e evs/ -o calibrated/ --layers everything --questions 16
    """
    path = models.model_path(model)
    vectors = models.default_vectors(model) if emotions is None else Path(emotions)
    if output is None and model == models.DEMO and emotions is None:
        raise click.UsageError("the demo's vectors stay as they are: say where to write (-o)")
    models.require_model(path)
    first_questions(everyday(), n_question)
    if not vectors.exists():
        raise FileError(
            vectors, f"no emotion vectors there; measure them (llamood extract {model})"
        )
    target = Path(output) if output is not None else vectors
    if target.is_file():
        raise click.UsageError("vectors in a single file are written to a folder: say which (-o)")
    known = load(vectors)
    candidates = _candidates(vectors, known)
    tried = _places(candidates, layers, way)
    with (
        _keeping(target) as kept,
        progress(f"Calibrating {path.name}", keep=True) as advance,
    ):
        doses = find_doses(
            path,
            candidates,
            tried,
            n_question=n_question,
            max_tokens=max_tokens,
            seed=seed,
            filter=baselines.filter_of(vectors),
            progress=advance,
            settings={"limits": Limits(perplexity=perplexity, divergence=divergence)},
            kept=kept,
            **hardware,
        )
    paths = _written(candidates, chosen(candidates, doses), known, _folder(vectors), target)
    probe = _probe(path, _folder(vectors), target, hardware)
    if probe is not None:
        paths.append(probe.save(target))
    kept.unlink(missing_ok=True)
    report = doses.report()
    if as_json:
        write_json({"files": [str(each) for each in paths], **report})
        return
    results().print(dose_table(doses))
    for name, bounds in doses.bounds.items():
        if bounds.best is None:
            remark(f"Note: no dose of {printable(name)} was fluent; it is left as it was.")
    echo(f"{len(paths)} files in {target}; 1.0 is now the largest fluent dose of each.")


@contextmanager
def _keeping(target: Path) -> Iterator[Path]:
    """Where trials are kept, so that the same command goes on where it was stopped. Of those by
    which nothing can be written nothing stays."""
    is_new, kept = not target.exists(), target / TRIALS
    try:
        yield kept
    except KeyboardInterrupt:
        remark(
            f"\nStopped. What was tried is kept in {target}; the same command goes on from there."
        )
        raise click.exceptions.Exit(1) from None
    except ModelError:
        kept.unlink(missing_ok=True)
        if is_new and target.is_dir():
            target.rmdir()
        raise


def _candidates(vectors: Path, known: EmotionVectors) -> Candidates:
    """What extract has kept beside the vectors, of those that are still there, or else what the
    vectors can be made into."""
    if vectors.is_dir() and (vectors / FILE_NAME).is_file():
        kept = Candidates.load(vectors)
        names = [name for name in kept.names if name in known.names]
        if names:
            return kept.select(names)
    return Candidates.of_vectors(known)


def _folder(vectors: Path) -> Path:
    return vectors if vectors.is_dir() else vectors.parent


def _written(
    candidates: Candidates, made: EmotionVectors, known: EmotionVectors, folder: Path, target: Path
) -> list[Path]:
    """The vectors, those of ``known`` beside them that no candidate is of, how feelings that were
    added to their ``folder`` came about, and a control where there is one: all files or none."""
    found = contents(with_remainder(made, known), target)
    if any(each.endswith(CONTROL) for each in candidates.ways):
        found |= contents(control(candidates, made), target / CONTROLS)
    if target != folder:
        added = {name: each for name, each in origins(folder).items() if name in known.names}
        found |= {origin_path(target, name): each.write for name, each in added.items()}
    write_files(found)
    return list(found)


def _places(candidates: Candidates, layers: str, way: str | None) -> list[Place]:
    every = places(candidates)
    ways = list(dict.fromkeys(place.way for place in every))
    if way is not None:
        if way not in ways:
            raise ModelError(f"there is no way {way!r}; there are: {'; '.join(ways)}")
        every = [place for place in every if place.way == way]
        ways = [way]
    last = candidates.n_layer - 1
    if layers == EVERYTHING:
        return every
    if layers == AUTO:
        windows = [place for place in every if place.layers != (1, last)]
        return [place for place in quick_places(candidates) if place in every] or windows
    if layers in (ALL, INCREMENTS):
        added = layers == INCREMENTS
        return [place for place in every if place.layers == (1, last) and place.increments == added]
    first, end = (int(part) for part in layers.split(":"))
    if not 1 <= first <= end <= last:
        raise ModelError(f"layers {first} to {end} were asked for; there are 1 to {last}")
    return [Place(name, (first, end)) for name in ways]


def _probe(path: Path, known: Path, target: Path, hardware: dict[str, Any]) -> Probe | None:
    """Of all that lies there, feelings that were added too; None, and a remark, where nothing can
    be read."""
    try:
        return baselines.renewed(path, load(target), known=known, folder=target, llama=hardware)
    except ModelError as error:
        remark(f"Note: nothing can be read with these vectors: {error}")
        return None
