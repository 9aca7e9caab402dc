"""``llamood extract``: measure emotion vectors on a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.table import Table

from llamood.cli import baselines, models, options
from llamood.cli.consoles import printable, profile, progress, remark, results, write_json
from llamood.errors import ModelError
from llamood.extract import Extraction
from llamood.queries import load_queries
from llamood.texts import LabelledTexts, load_texts

PER_LABEL = 400  # labelled texts that are measured


@click.command("extract")
@options.model_argument
@click.option("-o", "--output", metavar="FOLDER", help="Default: <MODEL>.evs beside the model.")
@click.option(
    "--queries",
    metavar="FILE",
    help='Questions, {"joy": ["...", ...], ...}. Default: the set that ships with llamood.',
)
@click.option(
    "--texts",
    metavar="FILE",
    help="Measure from labelled texts instead (.tsv, .csv, .jsonl; one label being neutral), "
    "for models too small to follow an instruction.",
)
@click.option("--labels", metavar="FILE", help="Names of numbered labels, the first for 0.")
@click.option(
    "--as-answer-to",
    metavar="QUESTION",
    help="Put each text as the answer to QUESTION into the chat template.",
)
@click.option("--per-label", type=click.IntRange(min=1), help="Most texts a label. Default: 400.")
@options.seed_option
@click.option(
    "--parallel",
    type=click.IntRange(min=2),
    default=8,
    show_default=True,
    help="Answers or texts at a time.",
)
@options.max_tokens_option
@click.option("--restart", is_flag=True, help="Forget an unfinished measurement.")
@options.hardware_options
@options.json_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    model: str,
    output: str | None,
    queries: str | None,
    texts: str | None,
    labels: str | None,
    as_answer_to: str | None,
    per_label: int | None,
    seed: int,
    parallel: int,
    max_tokens: int,
    restart: bool,
    n_gpu_layers: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Measure emotion vectors on MODEL itself, by letting it answer questions plainly and with
    each emotion asked for.

    Stopped at any point, the same command goes on where it was. Writes one GGUF file for each
    emotion, the same for the attention output (attn_out/), report.json, answers.jsonl, and the
    baseline that llamood read needs, reading.baseline.

    \b
    Examples:
      llamood extract model.gguf -o evs/
      llamood extract small.gguf --texts train.tsv --labels labels.txt --per-label 200
    """
    if texts is None and (labels or as_answer_to or per_label):
        raise click.UsageError("--labels, --as-answer-to and --per-label belong to --texts")
    if texts is not None and queries is not None:
        raise click.UsageError("measure from --queries or from --texts, not from both")
    folder = _output(model, output)
    path = models.model_path(model)
    models.require_model(path)
    llama = options.Device(n_gpu_layers=n_gpu_layers, threads=threads, ctx=None).hardware()
    asked = None if queries is None else load_queries(queries)
    labelled = None if texts is None else _texts(texts, labels)
    extraction = Extraction(
        path,
        output=folder,
        queries=asked,
        texts=labelled,
        as_answer_to=as_answer_to,
        per_label=per_label or PER_LABEL,
        seed=seed,
        parallel=parallel,
        max_tokens=max_tokens,
        restart=restart,
        **llama,
    )
    if extraction.done:
        remark(f"Going on at {extraction.done} of {extraction.total}.")
    try:
        with progress(f"Measuring {path.name}", keep=True) as advance:
            extraction.run(advance)
    except KeyboardInterrupt:
        remark(
            f"\nStopped at {extraction.kept} of {extraction.total}. What is measured is kept in "
            f"{folder}; the same command goes on from there, and --restart begins again."
        )
        ctx.exit(1)
    paths = extraction.save()
    report = extraction.report()
    probe = None
    try:
        with progress(f"Asking {path.name}", keep=True) as advance:
            passages = extraction.passages(advance)
        probe = baselines.measured(path, extraction.vectors(), passages, llama=llama)
        paths.append(probe.save(folder))
        report["reading"] = {"layer": probe.layer, **probe.about}
    except ModelError as error:
        remark(f"Note: nothing can be read with these vectors: {error}")
    if as_json:
        write_json({"files": [str(written) for written in paths], **report})
        return
    results().print(report_table(report))
    if probe is not None:
        click.echo(baselines.quality_of(probe))
    click.echo(f"{len(paths)} files in {folder}")


def report_table(report: dict[str, Any]) -> Table:
    """The short form of an extraction's report: what was used and what came out of it."""
    table = Table(
        "emotion", "used", "dropped", "norm, first layer to last", title="Emotion vectors"
    )
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
