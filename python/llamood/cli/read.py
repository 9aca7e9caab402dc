"""``llamood read``: what a text expresses, as the model reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.table import Table
from rich.text import Text

from llamood.cli import baselines, models, options
from llamood.cli.colours import colour_of
from llamood.cli.consoles import (
    printable,
    remark,
    results,
    standard_input,
    tell_written,
    write_json,
)
from llamood.cli.curves import draw_readings
from llamood.cli.plots import picture
from llamood.cli.prompts import chat_tokens, plain_tokens, require_room
from llamood.cli.terminal import echo
from llamood.errors import FileError, ModelError
from llamood.extraction.texts import MAX_FILE_BYTES
from llamood.extraction.texts import read_text as read_file
from llamood.readings.probe import Probe
from llamood.readings.reader import smooth
from llamood.vectors.files import load
from llamood.voices.llama import Llama

QUESTION = "Say something."  # what a text is read as the answer to, with --as-answer
SHOWN_FROM = 1.0  # z-score above which a token is coloured
STRONG_FROM = 2.0


@click.command("read")
@options.model_argument
@click.argument("text", metavar="TEXT", required=False)
@options.vectors_option
@click.option(
    "--measure",
    "anew",
    is_flag=True,
    help="Measure first what readings are compared with, and keep it with the vectors.",
)
@click.option(
    "--lines",
    metavar="FILE",
    help="Read each line of FILE (- for standard input) by itself, and tell its means.",
)
@click.option(
    "--as-answer", is_flag=True, help="Read TEXT as an answer of the model's own in a chat."
)
@click.option("--layer", type=click.IntRange(min=0), help="Read this layer, not the best one.")
@click.option(
    "--plot",
    metavar="FILE",
    callback=picture,
    help="Draw the readings over the tokens: .png, .svg or .pdf (needs matplotlib).",
)
@options.device_options
@options.json_option
def command(
    *,
    model: str,
    text: str | None,
    emotions: str | None,
    anew: bool,
    lines: str | None,
    as_answer: bool,
    layer: int | None,
    plot: Path | None,
    device: options.Device,
    as_json: bool,
) -> None:
    """Show which emotions MODEL finds in TEXT, token by token. TEXT - reads standard input.

    Figures are z-scores: 0 is as in neutral text, 1 is one standard deviation of its tokens above.
    What is read, and in which layer, is measured by llamood extract, or here with --measure, on the
    labelled texts that ship with llamood. With --lines and --json each line gives a JSON object.

    \b
    Examples:
      llamood read demo "I am so happy that it rests. I am afraid of the dark."
      llamood read demo --lines letters.txt --json
      llamood read model.gguf -e evs/ --measure
      llamood read model.gguf --plot reading.png - < letter.txt
    """
    if text is None and lines is None and not anew:
        raise click.UsageError("say what to read: TEXT, - for standard input, --lines or --measure")
    if text is not None and lines is not None:
        raise click.UsageError("read TEXT or --lines, not both")
    models.require_model(models.model_path(model))
    vectors = models.default_vectors(model) if emotions is None else Path(emotions)
    folder = vectors if vectors.is_dir() else vectors.parent
    probe = _measured_anew(model, vectors, folder, device) if anew else Probe.load(folder)
    if layer is not None:
        probe = probe.at(layer)
    if text is None and lines is None:
        if as_json:
            write_json({"layers": probe.chosen, **probe.about})
        else:
            echo(baselines.quality_of(probe))
        return
    llm = models.open_model(model, emotions=vectors, device=device, readings=probe)
    if text is None:
        _read_lines(llm, str(lines), as_json=as_json)
        return
    asked = QUESTION if as_answer else None
    reading = read_text(llm, standard_input() if text == "-" else text, asked=asked)
    if plot is not None:
        draw_readings(plot, reading)
        tell_written(plot)
    if as_json:
        write_json(reading)
        return
    console = results()
    if probe.doubt is not None:
        remark(f"Note: do not trust this: {probe.doubt}.")
    console.print(printable(reading_text(reading)) if probe.doubt else coloured(reading))
    console.print(table(reading))


def read_text(llm: Llama, text: str, *, asked: str | None) -> dict[str, Any]:
    """JSON-able: for each token its ``text``, its own ``scores`` and the smoothed ``reading``, in
    the order of ``emotions``; and the ``mean`` of all scores of each emotion.

    ``asked``: the question that the text is read as an answer to; None reads it by itself, without
    its first token. Raises `ModelError` for a text that is empty or does not fit the context.
    """
    reader = llm.reader
    if asked is None:
        prefix, own = [], plain_tokens(llm, text)
    else:
        prefix = chat_tokens(llm, [{"role": "user", "content": asked}])
        own = list(llm.tokenize(text.encode(), add_bos=False, special=False))
    begin = max(len(prefix), 1)  # the first position of all is an outlier
    tokens = [*prefix, *own]
    require_room(llm, tokens if own else own)
    llm.reset()
    llm.eval(tokens)
    scores = reader.scores(begin, len(tokens))
    means = scores.mean(axis=0).tolist() if len(scores) else []
    pieces = [llm.detokenize([token]).decode(errors="replace") for token in tokens[begin:]]
    return {
        "layers": list(reader.probe.chosen),
        "emotions": list(reader.names),
        "mean": dict(zip(reader.names, means, strict=False)),
        "tokens": [
            {"text": piece, "scores": each.tolist(), "reading": upto.tolist()}
            for piece, each, upto in zip(pieces, scores, smooth(scores), strict=True)
        ],
    }


def _read_lines(llm: Llama, path: str, *, as_json: bool) -> None:
    """A result for each line that is not blank, as soon as it is read."""
    content = standard_input() if path == "-" else read_file(Path(path), max_bytes=MAX_FILE_BYTES)
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            means = llm.read(line)
        except ModelError as error:
            raise ModelError(f"{path}, line {number}: {error}") from error
        if as_json:
            echo(json.dumps({"line": number, "text": line, "mean": means}))
        else:
            highest = sorted(means.items(), key=lambda item: -item[1])[:2]
            told = ", ".join(f"{printable(name)} {score:.1f}" for name, score in highest)
            echo(f"{told}\t{printable(line)}")


def reading_text(reading: dict[str, Any]) -> str:
    """The text that was read, as tokens."""
    return "".join(token["text"] for token in reading["tokens"])


def coloured(reading: dict[str, Any]) -> Text:
    """The text, each token in the colour of the emotion that is read there, where one is."""
    shown = Text()
    for token in reading["tokens"]:
        place = int(np.argmax(token["reading"]))
        score = token["reading"][place]
        colour = colour_of(reading["emotions"][place], otherwise="white")
        style = "" if score < SHOWN_FROM else colour if score < STRONG_FROM else f"bold {colour}"
        shown.append(printable(token["text"]), style=style)
    return shown


def table(reading: dict[str, Any]) -> Table:
    """Mean and highest smoothed score of each emotion, the highest mean first."""
    shown = Table(
        "emotion", title=f"Read in {baselines.named(reading['layers'])}, in standard deviations"
    )
    shown.add_column("mean", justify="right")
    shown.add_column("highest", justify="right")
    shown.add_column("there")
    smoothed = np.array([token["reading"] for token in reading["tokens"]])
    for name, mean in sorted(reading["mean"].items(), key=lambda item: -item[1]):
        column = smoothed[:, reading["emotions"].index(name)]
        at = int(column.argmax())
        words = "".join(token["text"] for token in reading["tokens"][max(at - 4, 0) : at + 1])
        shown.add_row(
            Text(name, style=colour_of(name)),
            f"{mean:.2f}",
            f"{column[at]:.2f}",
            printable(words.strip()),
        )
    return shown


def _measured_anew(model: str, vectors: Path, folder: Path, device: options.Device) -> Probe:
    if not vectors.exists():
        raise FileError(
            vectors, f"no emotion vectors there; measure them (llamood extract {model})"
        )
    path, evs = models.model_path(model), load(vectors)
    probe = baselines.measured(path, evs, folder=folder, llama=device.hardware())
    tell_written(probe.save(folder))
    return probe
