"""``llamood eval``: measure whether steering works on a model."""

from __future__ import annotations

import importlib.util
import json
import shlex
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from llamood import judges
from llamood.answer_log import Answer
from llamood.atomic import write_files
from llamood.cli import models, options
from llamood.cli.consoles import printable, progress, remark, results
from llamood.cli.prompts import chat_tokens
from llamood.conditions import INTENSITIES, UNSTEERED, Range
from llamood.errors import FileError, LlamoodError, ModelError
from llamood.evaluate import Evaluation
from llamood.files import load
from llamood.findings import findings, to_markdown
from llamood.llama import Llama
from llamood.queries import load_queries
from llamood.vectors import EmotionVectors


class LayersType(click.ParamType[Range]):
    """``first:last``."""

    name = "layers"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Range:
        first, _, last = str(value).partition(":")
        if not (first.isdecimal() and last.isdecimal()):
            self.fail(f"first:last was expected, as in 8:20, not {value}", param, ctx)
        return int(first), int(last)


class IntensitiesType(click.ParamType[tuple[float, ...]]):
    """Numbers with commas between them."""

    name = "intensities"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        try:
            return tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"numbers were expected, as in 0,0.5,1, not {value}", param, ctx)


@click.command("eval")
@options.model_argument
@options.vectors_option
@click.option("-o", "--output", metavar="FOLDER", required=True, help="Where the report goes.")
@click.option(
    "--questions",
    "n_question",
    type=click.IntRange(min=2),
    help="How many plain questions are asked. Default: all of the shipped set.",
)
@click.option(
    "--layers",
    type=LayersType(),
    metavar="A:B",
    help="Add in these layers only. Default: in all.",
)
@click.option(
    "--intensities",
    type=IntensitiesType(),
    default=",".join(f"{each:g}" for each in INTENSITIES),
    show_default=True,
    help="Multiples of each emotion's ceiling, or of 1 where it has none.",
)
@click.option(
    "--max-tokens",
    type=click.IntRange(min=8),
    default=96,
    show_default=True,
    help="Longest answer.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**32 - 1),
    default=0,
    show_default=True,
    help="The same seed gives the same answers.",
)
@click.option("--restart", is_flag=True, help="Forget an unfinished evaluation.")
@options.hardware_options
@options.json_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    model: str,
    emotions: str | None,
    output: str,
    n_question: int | None,
    layers: Range | None,
    intensities: tuple[float, ...],
    max_tokens: int,
    seed: int,
    restart: bool,
    n_gpu_layers: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Let MODEL answer plain questions unsteered, in each emotion at several intensities, and
    under controls: asked for the emotion in words, both together, and with a random vector.

    Writes results.json, table.md and every answer (answers.jsonl). Stopped at any point, the same
    command goes on where it was.

    \b
    Examples:
      llamood eval demo --layers 2:4 -o report/
      llamood eval model.gguf -e evs/ -o report/ --questions 30 --intensities 0,0.5,1
    """
    require_scipy()
    path = models.model_path(model)
    models.require_model(path)
    evs = _vectors(model, emotions)
    folder = Path(output)
    evaluation = Evaluation(
        path,
        emotions=evs,
        prompt=_user_turn,
        questions=load_queries().neutral[:n_question],
        output=folder,
        layers=layers,
        intensities=intensities,
        max_tokens=max_tokens,
        seed=seed,
        restart=restart,
        **options.Device(n_gpu_layers=n_gpu_layers, threads=threads, ctx=None).hardware(),
    )
    if evaluation.done:
        remark(f"Going on at {evaluation.done} of {evaluation.total}.")
    try:
        _run(evaluation, path.name)
    except KeyboardInterrupt:
        remark(
            f"\nStopped at {evaluation.done} of {evaluation.total}. The answers are kept in "
            f"{folder}; the same command goes on from there, and --restart begins again."
        )
        ctx.exit(1)
    written = ["llamood", "eval", model, *([] if emotions is None else ["-e", emotions])]
    written += ["-o", output, "--questions", str(evaluation.settings["n_question"])]
    written += [] if layers is None else ["--layers", f"{layers[0]}:{layers[1]}"]
    written += ["--intensities", ",".join(f"{each:g}" for each in intensities)]
    written += ["--max-tokens", str(max_tokens), "--seed", str(seed)]
    report = {
        "command": shlex.join(written),
        "model": path.name,
        "settings": evaluation.settings,
        **findings(evaluation.answers, judge=judges.bundled()),
    }
    paths = _write(folder, report, evaluation.answers)
    evaluation.forget()
    if as_json:
        click.echo(_json(report), nl=False)
        return
    results().print(_table(report))
    click.echo(f"{', '.join(each.name for each in paths)} in {folder}")


def require_scipy() -> None:
    """Raise `LlamoodError` without it: correlations are its, and come after all the answers."""
    if importlib.util.find_spec("scipy") is None:
        raise LlamoodError(
            "llamood eval needs scipy, which is not installed: pip install 'llamood[eval]'"
        )


def _vectors(model: str, emotions: str | None) -> EmotionVectors:
    """Those that the judge has a label for, and a remark on the others."""
    vectors = models.default_vectors(model) if emotions is None else Path(emotions)
    if not vectors.exists():
        raise FileError(
            vectors, f"no emotion vectors there; measure them (llamood extract {model})"
        )
    evs = load(vectors)
    labels = judges.bundled().labels
    known = [name for name in evs.names if name in labels]
    if not known:
        raise ModelError(
            f"{vectors}: the judge knows none of {', '.join(map(printable, evs.names))}; it knows "
            f"{', '.join(labels)}"
        )
    unknown = [printable(name) for name in evs.names if name not in labels]
    if unknown:
        remark(f"Note: the judge does not know {', '.join(unknown)}; left out.")
    return evs.select(known)


def _user_turn(llm: Llama, question: str) -> list[int]:
    return chat_tokens(llm, [{"role": "user", "content": question}])


def _run(evaluation: Evaluation, name: str) -> None:
    """With a bar; what llamood warns of stands below it."""
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always", UserWarning)
        with progress(f"Asking {name}", keep=True) as advance:
            evaluation.run(advance)
    for warning in remarks:
        remark(f"Note: {warning.message}")


def _write(folder: Path, report: dict[str, Any], answers: tuple[Answer, ...]) -> list[Path]:
    texts = {
        folder / "results.json": _json(report),
        folder / "table.md": to_markdown(report, caption=_caption(report)),
        folder / "answers.jsonl": "".join(answer.to_line() for answer in answers),
    }
    write_files({path: partial(_write_text, text) for path, text in texts.items()})
    return list(texts)


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _json(report: dict[str, Any]) -> str:
    return json.dumps(report, indent=2, allow_nan=False) + "\n"


def _caption(report: dict[str, Any]) -> str:
    """What was asked of which model, and how."""
    settings = report["settings"]
    n, seed, layers = settings["n_question"], settings["seed"], settings["layers"]
    where = "all layers" if layers is None else f"layers {layers[0]} to {layers[1]}"
    return (
        f"`{report['command']}`: {n} plain questions to {report['model']}, vectors added in "
        f"{where}; seeds {seed} to {(seed + n - 1) % 2**32}, one for each question and the same in "
        f"every condition, so one answer each; temperature {settings['temperature']:g}, top_p "
        f"{settings['top_p']:g}, at most {settings['max_tokens']} tokens."
    )


def _table(report: dict[str, Any]) -> Table:
    """Over all emotions; each one is in table.md."""
    table = Table(
        "condition",
        title=f"All emotions, {report['n_question']} questions",
        caption="EPS: probability of the emotion asked for; EAS: how emotional, 0 to 100; both by "
        "the bundled judge. Perplexity and length are ratios to unsteered.",
    )
    for title in ("intensity", "EPS", "EAS", "top-1", "perplexity", "loops", "length"):
        table.add_column(title, justify="right")
    for row in report["rows"]:
        if row["emotion"] is None:
            table.add_row(
                row["condition"],
                "" if row["condition"] == UNSTEERED else f"{row['intensity']:g}",
                *(_estimate(row[key], form) for key, form in _SHOWN),
            )
    return table


_SHOWN = (
    ("eps", "{:.2f}"),
    ("eas", "{:.0f}"),
    ("specificity", "{:.2f}"),
    ("perplexity", "x {:.2f}"),
    ("collapse", "{:.0%}"),
    ("length", "x {:.2f}"),
)


def _estimate(found: dict[str, float] | float | None, form: str) -> str:
    if found is None:
        return "-"
    return form.format(found["estimate"] if isinstance(found, dict) else found)
