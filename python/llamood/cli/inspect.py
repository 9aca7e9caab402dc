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
from llamood.cli.consoles import printable, profile, results, write_json
from llamood.cli.plots import FORMATS, draw
from llamood.convert import convert
from llamood.vectors import BASE, EmotionVectors


@click.command("inspect")
@click.argument("path", metavar="PATH")
@click.option(
    "--plot",
    metavar="FILE",
    help="Draw norms and cosines too: .png, .svg or .pdf (needs matplotlib).",
)
@options.json_option
def command(*, path: str, plot: str | None, as_json: bool) -> None:
    """Show metadata, norms in each layer and cosines of the vectors in PATH.

    PATH is a folder or a file of any format that llamood convert reads, or demo: the vectors of
    the bundled model.

    \b
    Examples:
      llamood inspect evs/
      llamood inspect evs/joy.gguf --json
      llamood inspect evs/ --plot evs.png
    """
    if plot is not None and Path(plot).suffix.lower() not in FORMATS:
        raise click.UsageError(f"--plot writes {', '.join(FORMATS)}, not {plot}")
    evs = convert(models.default_vectors(path) if path == models.DEMO else path)
    if plot is not None:
        draw(evs, Path(plot))
    if as_json:
        write_json(described(evs))
        return
    console = results()
    console.print(_measurement_table(evs))
    _print_emotions(console, evs)
    console.print(cosines_table(evs))


def described(evs: EmotionVectors) -> dict[str, Any]:
    """Everything about the vectors but the vectors, JSON-able. Norms are one a layer."""
    with_base = evs.cosines(evs.base())[:, 0]
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


def _course(values: Sequence[float]) -> str:
    return f"{profile(values)}  {min(values):.3g} to {max(values):.3g}"


def _known(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
