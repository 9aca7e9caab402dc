"""``llamood inspect``: what is in a file or folder of vectors."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from llamood.cli import models, options
from llamood.cli.consoles import printable, profile, results, tell_written, write_json
from llamood.cli.plots import draw, picture
from llamood.moods.affect import AXES, AffectMap
from llamood.vectors.conversion import convert
from llamood.vectors.emotion_vectors import BASE, EmotionVectors
from llamood.vectors.gguf_header import metadata_of
from llamood.voices.reach import ReachIn, ranges, reach_in


@click.command("inspect")
@click.argument("path", metavar="PATH")
@click.option(
    "--plot",
    metavar="FILE",
    callback=picture,
    help="Draw norms and cosines too: .png, .svg or .pdf (needs matplotlib).",
)
@options.json_option
def command(*, path: str, plot: Path | None, as_json: bool) -> None:
    """Show metadata, norms in each layer, cosines and affect of the vectors in PATH.

    PATH is a folder or a file of any format that llamood convert reads, or demo: the vectors that
    come with llamood. Of a model file it shows where vectors take hold in it.

    \b
    Examples:
      llamood inspect evs/
      llamood inspect evs/joy.gguf --json
      llamood inspect evs/ --plot evs.png
      llamood inspect model.gguf
    """
    if is_model(Path(path)):
        reach = reach_in(Path(path))
        write_json(dataclasses.asdict(reach)) if as_json else results().print(_reach_table(reach))
        return
    evs = convert(models.default_vectors(path) if path == models.DEMO else path)
    if plot is not None:
        draw(evs, plot)
        tell_written(plot)
    if as_json:
        write_json(described(evs))
        return
    console = results()
    console.print(_measurement_table(evs))
    _print_emotions(console, evs)
    console.print(cosines_table(evs))
    affect = AffectMap.fit(evs)
    if affect.names:
        console.print(_affect_table(affect))


def is_model(path: Path) -> bool:
    """Whether that is a GGUF file of a model, and not of vectors."""
    if path.suffix != ".gguf" or not path.is_file():
        return False
    metadata = metadata_of(path)
    arch = metadata.get("general.architecture")
    return isinstance(arch, str) and f"{arch}.block_count" in metadata


def _reach_table(reach: ReachIn) -> Table:
    table = Table("way", "layers in which it takes hold", title="Where vectors take hold")
    table.add_row("architecture", printable(reach.arch))
    table.add_row("layers", str(reach.n_layer))
    for way, layers in (
        ("control vector (site layer_out)", reach.vector),
        ("rows, readings (site layer_out)", reach.layer_out),
        ("rows (site attn_out)", reach.attn_out),
    ):
        table.add_row(way, ranges(layers))
    kind = "recurrent: one voice, no cast" if reach.is_recurrent else "of attention alone"
    table.add_row("memory", kind)
    return table


def described(evs: EmotionVectors) -> dict[str, Any]:
    """Everything about the vectors but the vectors, JSON-able. Norms are one a layer.

    ``affect`` is None where no emotion has known coordinates.
    """
    with_base = evs.cosines(evs.base())[:, 0]
    affect = AffectMap.fit(evs)
    return {
        "n_layer": evs.n_layer,
        "n_embd": evs.n_embd,
        "measurement": dataclasses.asdict(evs.measurement),
        "emotions": {
            name: {
                "pairs": evs.pairs[i],
                "scale": evs.scale[i],
                "ceiling": evs.ceiling[i],
                "affect": evs.affect[i],
                "norms": norms.tolist(),
                "cosines": dict(zip(evs.names, cosines.tolist(), strict=True)),
                "cosine_with_base": float(with_base[i]),
            }
            for i, (name, norms, cosines) in enumerate(
                zip(evs.names, evs.norms(), evs.cosines(), strict=True)
            )
        },
        "affect": _affect(affect) if affect.names else None,
    }


def cosines_table(evs: EmotionVectors) -> Table:
    """Cosine of each emotion with each and with their mean, over all layers as one vector."""
    table = Table("cosine", title="Cosines over all layers")
    for name in (*evs.names, BASE):
        table.add_column(printable(name), justify="right")
    rows = np.hstack([evs.cosines(), evs.cosines(evs.base())])
    for name, row in zip(evs.names, rows, strict=True):
        table.add_row(printable(name), *(f"{cosine:.2f}" for cosine in row))
    return table


def _measurement_table(evs: EmotionVectors) -> Table:
    table = Table(title="Measurement", show_header=False)
    m = evs.measurement
    facts = {
        "model": m.model_name,
        "architecture": m.model_arch,
        "fingerprint": m.model_fingerprint,
        "layers x width": f"{evs.n_layer} x {evs.n_embd}",
        "method": m.method,
        "site": m.site,
        "positions": m.positions,
        "residual RMS": None if m.residual_rms is None else _course(m.residual_rms),
    }
    for fact, value in facts.items():
        table.add_row(fact, "not known" if value is None else printable(value))
    return table


def _print_emotions(console: Console, evs: EmotionVectors) -> None:
    table = Table("emotion", "norm, first layer to last", title="Vectors")
    for title in ("least", "median", "most", "pairs", "scale", "ceiling", "affect (v, a, d)"):
        table.add_column(title, justify="right")
    for i, (name, norms) in enumerate(zip(evs.names, evs.norms(), strict=True)):
        affect = evs.affect[i]
        table.add_row(
            printable(name),
            profile(norms.tolist()),
            *(f"{value:.3g}" for value in (norms.min(), np.median(norms), norms.max())),
            _known(evs.pairs[i]),
            _known(evs.scale[i]),
            _known(evs.ceiling[i]),
            "-" if affect is None else ", ".join(f"{value:.2f}" for value in affect),
        )
    console.print(table)


def _affect(affect: AffectMap) -> dict[str, Any]:
    """JSON-able: where intensity 1 of each emotion lies, and how well each axis is carried."""
    return {
        "coordinates": dict(zip(affect.names, affect.coordinates.tolist(), strict=True)),
        "carried": dict(zip(AXES, affect.carried, strict=True)),
        "weak": list(affect.weak_axes()),
        "left_out": list(affect.left_out),
    }


def _affect_table(affect: AffectMap) -> Table:
    table = Table("intensity 1 of", title="Affect", caption=affect.report())
    for axis in AXES:
        table.add_column(axis, justify="right")
    for name, place in zip(affect.names, affect.coordinates.tolist(), strict=True):
        table.add_row(printable(name), *(f"{value:.2f}" for value in place))
    for name in affect.left_out:
        table.add_row(printable(name), *("-" for _ in AXES))
    return table


def _course(values: Sequence[float]) -> str:
    return f"{profile(values)}  {min(values):.3g} to {max(values):.3g}"


def _known(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
