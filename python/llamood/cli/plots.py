"""Norms and cosines as a picture."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

from llamood.atomic import write_files
from llamood.errors import LlamoodError
from llamood.extras import to_install
from llamood.vectors.emotion_vectors import BASE, EmotionVectors

INCHES_PER_EMOTION = 0.45
FORMATS = (".png", ".svg", ".pdf")


def draw(evs: EmotionVectors, path: Path) -> None:
    """Two heat maps: norm of each emotion in each layer; cosines, with the mean of all too.

    ``path`` ends in one of `FORMATS`. Raises `LlamoodError` where matplotlib is not installed,
    `FileError` where the file cannot be written.
    """
    figure = new_figure(figsize=(10, 2.5 + INCHES_PER_EMOTION * evs.n_emotion))
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _norms(figure, left, evs)
    _cosines(figure, right, evs)
    write_files({path: partial(save, figure, path.suffix)})


def new_figure(*, figsize: tuple[float, float]) -> Any:
    """An empty figure, in inches. Raises `LlamoodError` where matplotlib is not installed."""
    return _figure_class()(figsize=figsize, layout="constrained")


def _figure_class() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise LlamoodError(f"pictures need matplotlib: {to_install('plot')}") from error
    return Figure


def save(figure: Any, suffix: str, path: Path) -> None:
    """``suffix``: one of `FORMATS`, which ``path``, a temporary one, need not end in."""
    figure.savefig(path, format=suffix[1:].lower(), dpi=150)


def picture(_ctx: click.Context, param: click.Parameter, value: str | None) -> Path | None:
    """Callback of an option that names a picture: refuses what cannot be drawn, before there is
    anything to draw."""
    if value is None:
        return None
    if Path(value).suffix.lower() not in FORMATS:
        name = max(param.opts, key=len)
        raise click.UsageError(f"{name} writes {', '.join(FORMATS)}, not {value}")
    _figure_class()
    return Path(value)


def _norms(figure: Any, axes: Any, evs: EmotionVectors) -> None:
    image = axes.imshow(evs.norms(), aspect="auto", interpolation="nearest", cmap="magma")
    axes.set(title="Norm", xlabel="layer")
    axes.set_yticks(range(evs.n_emotion), evs.names)
    figure.colorbar(image, ax=axes)


def _cosines(figure: Any, axes: Any, evs: EmotionVectors) -> None:
    cosines = np.hstack([evs.cosines(), evs.cosines(evs.base())])
    image = axes.imshow(
        cosines, aspect="auto", interpolation="nearest", cmap="RdBu_r", vmin=-1, vmax=1
    )
    axes.set(title="Cosine over all layers")
    axes.set_yticks(range(evs.n_emotion), evs.names)
    axes.set_xticks(range(evs.n_emotion + 1), (*evs.names, BASE), rotation=45, ha="right")
    for (row, column), cosine in np.ndenumerate(cosines):
        colour = "white" if abs(cosine) > 0.6 else "black"
        axes.text(column, row, f"{cosine:.2f}", ha="center", va="center", color=colour, size=8)
    figure.colorbar(image, ax=axes)
