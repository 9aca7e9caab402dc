"""``llamood extract``: measure emotion vectors on a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.table import Table

from llamood.calibration.doses import Doses, chosen
from llamood.calibration.measuring import PER_LABEL, PER_LABEL_GIVEN, TOKENS, Measuring, Source
from llamood.cli import baselines, models, options
from llamood.cli.consoles import (
    Advance,
    printable,
    profile,
    progress_in_parts,
    remark,
    results,
    write_json,
)
from llamood.cli.dose_table import dose_table
from llamood.cli.terminal import echo
from llamood.errors import ModelError
from llamood.extraction.queries import load_queries
from llamood.extraction.texts import LabelledTexts, load_texts
from llamood.readings.probe import Probe
from llamood.vectors.emotion_vectors import EmotionVectors

BOTH = "both"
# How long the parts of the work take, against each other: for the bar.
SHARES = {"texts": 3.0, "answers": 2.0, "doses": 5.0, "readings": 1.0}


@click.command("extract")
@options.model_argument
@click.option("-o", "--output", metavar="FOLDER", help="Default: <MODEL>.evs beside the model.")
@click.option(
    "--from",
    "source",
    type=click.Choice(["texts", "answers", BOTH]),
    help="Labelled texts, the model's own answers, or both: then each emotion takes what steers "
    "better. Default: what --texts or --queries gives, else both.",
)
@click.option(
    "--queries",
    metavar="FILE",
    help='Questions, {"joy": ["...", ...], ...}. Default: the set that ships with llamood.',
)
@click.option(
    "--texts",
    metavar="FILE",
    help="Labelled texts (.tsv, .csv, .jsonl), one label being neutral. Default: those that ship "
    "with llamood.",
)
@click.option("--labels", metavar="FILE", help="Names of numbered labels, the first for 0.")
@click.option(
    "--as-answer-to",
    metavar="QUESTION",
    help="Put each text as the answer to QUESTION into the chat template.",
)
@click.option(
    "--per-label",
    type=click.IntRange(min=1),
    help=f"Most texts a label. Default: {PER_LABEL} of those that ship, or {PER_LABEL_GIVEN} of "
    "--texts.",
)
@click.option(
    "--calibrate/--no-calibrate",
    default=True,
    help="Find by answers what is added where, and how much of it reads fluently (some minutes). "
    "Without, 1.0 is a small dose.",
)
@options.seed_option
@click.option(
    "--parallel",
    type=click.IntRange(min=2),
    default=16,
    show_default=True,
    help="Answers or texts at a time.",
)
@options.max_tokens_option(TOKENS)
@click.option("--restart", is_flag=True, help="Forget an unfinished measurement.")
@options.hardware_options
@options.json_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    model: str,
    output: str | None,
    source: str | None,
    queries: str | None,
    texts: str | None,
    labels: str | None,
    as_answer_to: str | None,
    per_label: int | None,
    calibrate: bool,
    seed: int,
    parallel: int,
    max_tokens: int,
    restart: bool,
    hardware: dict[str, Any],
    as_json: bool,
) -> None:
    """Measure emotion vectors on MODEL itself, from labelled texts and from its own answers, and
    find out how much of each it bears.

    Stopped at any point, the same command goes on where it was. Writes one GGUF file for each
    emotion, those that the paper would add (paper/) and a control of shuffled labels (control/),
    those of the attention output (attn_out/), all ways that calibrate may choose from, report.json,
    answers.jsonl, and the baseline that llamood read needs, reading.baseline. What an earlier
    measurement has left in the folder goes; one with feelings that were added is refused.

    \b
    Examples:
      llamood extract model.gguf -o evs/
      llamood extract base.gguf --from texts --no-calibrate
      llamood extract model.gguf --texts train.tsv --labels labels.txt
    """
    if texts is None and labels:
        raise click.UsageError("--labels belongs to --texts")
    folder = _output(model, output)
    path = models.model_path(model)
    models.require_model(path)
    measuring = Measuring(
        path,
        output=folder,
        sources=_sources(source),
        queries=None if queries is None else load_queries(queries),
        texts=None if texts is None else _texts(texts, labels),
        as_answer_to=as_answer_to,
        per_label=per_label,
        seed=seed,
        parallel=parallel,
        max_tokens=max_tokens,
        restart=restart,
        **hardware,
    )
    if measuring.done:
        remark(f"Going on at {measuring.done} of {measuring.total} texts and answers.")
    parts = [*measuring.extractions, *(["doses"] if calibrate else []), "readings"]
    try:
        with progress_in_parts(
            f"Measuring {path.name}", {part: SHARES[part] for part in parts}, keep=True
        ) as part:
            measuring.run(part)
            candidates = measuring.candidates()
            for source, why in measuring.useless.items():
                remark(f"Note: nothing comes of the {source}: {printable(why)}")
            doses = measuring.doses(candidates, progress=part("doses")) if calibrate else None
            vectors = chosen(candidates, doses)
            probe = _probe(measuring, vectors, part("readings"))
            part("readings")(1, 1)
    except KeyboardInterrupt:
        remark(
            f"\nStopped at {measuring.kept} of {measuring.total} texts and answers. What is "
            f"measured and tried is kept in {folder}; the same command goes on from there, and "
            "--restart begins again."
        )
        ctx.exit(1)
    paths = measuring.save(folder, vectors=vectors, candidates=candidates, doses=doses, probe=probe)
    report = measuring.report(doses, probe)
    if as_json:
        write_json({"files": [str(written) for written in paths], **report})
        return
    _show(report, vectors, doses, probe)
    echo(f"{len(paths)} files in {folder}")


def _show(
    report: dict[str, Any], vectors: EmotionVectors, doses: Doses | None, probe: Probe | None
) -> None:
    console = results()
    for source, measured in report["sources"].items():
        console.print(report_table(measured, title=f"Measured from {source}"))
    if doses is None:
        echo(
            "1.0 is a small dose of each emotion, and its ceiling; llamood calibrate finds how "
            "much reads fluently."
        )
    else:
        console.print(dose_table(doses))
        for name, ceiling in zip(vectors.names, vectors.ceiling, strict=True):
            if ceiling is None:
                remark(f"Note: no dose of {printable(name)} was fluent; it is left as it was.")
    if probe is not None:
        echo(baselines.quality_of(probe))


def _probe(measuring: Measuring, vectors: EmotionVectors, progress: Advance) -> Probe | None:
    """None, and a remark, where nothing can be read."""
    try:
        return measuring.probe(vectors, progress=progress)
    except ModelError as error:
        remark(f"Note: nothing can be read with these vectors: {error}")
        return None


def report_table(report: dict[str, Any], *, title: str) -> Table:
    """The short form of an extraction's report: what was used and what came out of it."""
    table = Table("emotion", "used", "dropped", "norm, first layer to last", title=title)
    table.add_column("most", justify="right")
    table.add_column("cosine with the mean", justify="right")
    layer_out = report["sites"]["layer_out"]
    with_base = dict(zip(report["emotions"], layer_out["cosines_with_base"], strict=True))
    for name, used in report["used"].items():
        reasons = report["dropped"].get(name, {})
        dropped = ", ".join(f"{n} ({printable(reason)})" for reason, n in reasons.items()) or "0"
        norms = layer_out["norms"].get(name)  # neutral texts are used, but are no emotion
        table.add_row(
            name,
            str(used),
            dropped,
            "" if norms is None else profile(norms),
            "" if norms is None else f"{max(norms):.3g}",
            "" if norms is None else f"{with_base[name]:.2f}",
        )
    return table


def _sources(source: str | None) -> tuple[Source, ...]:
    if source is None:
        return ()
    both: tuple[Source, ...] = ("texts", "answers")
    return both if source == BOTH else tuple(each for each in both if each == source)


def _output(model: str, output: str | None) -> Path:
    if output is not None:
        return Path(output)
    if model == models.DEMO:
        raise click.UsageError("the demo's vectors stay as they are: say where to write (-o)")
    return models.default_vectors(model)


def _texts(path: str, labels: str | None) -> LabelledTexts:
    """The texts, and a remark on those that had several labels."""
    texts = load_texts(path, labels=labels)
    if texts.dropped:
        remark(f"Note: {texts.dropped} texts with several labels are left out.")
    return texts
