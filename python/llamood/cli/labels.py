"""Names beside points of a picture, where they hide least."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, bottom, right, top

SIZE = 8.0  # points
_WIDTH, _HEIGHT = 0.62, 1.2  # of a character, in sizes
_MARK = 4.0  # half the side of a mark, in points
_AWAY = 5.0  # from the middle of a mark to its text, along each axis


def place_labels(
    axes: Any, points: Sequence[Point], texts: Sequence[str], *, beside: Sequence[Point] = ()
) -> None:
    """Write each text at its point, on the side where it covers fewest marks and other texts.

    The limits of the axes must be set, and the figure must have 72 dots an inch. ``beside``:
    marks without a name.
    """
    axes.figure.draw_without_rendering()  # the layout is known after it
    marks = [tuple(place) for place in axes.transData.transform([*points, *beside])]
    taken = [(x - _MARK, y - _MARK, x + _MARK, y + _MARK) for x, y in marks]
    for point, mark, text in zip(points, marks, texts, strict=False):
        sides = [_side(mark, text, dx, dy) for dx, dy in _SIDES]
        hidden = [_outside(box, axes.bbox.extents) + _overlap(box, taken) for box in sides]
        best = min(range(len(sides)), key=hidden.__getitem__)
        taken.append(sides[best])
        dx, dy = _SIDES[best]
        axes.annotate(
            text,
            point,
            (dx * _AWAY, dy * _AWAY),
            textcoords="offset points",
            ha={-1: "right", 0: "center", 1: "left"}[dx],
            va={-1: "top", 0: "center", 1: "bottom"}[dy],
            size=SIZE,
        ).set_in_layout(False)


# Intervals run along the axes, so a text in a corner is first choice.
_SIDES = ((1, -1), (-1, 1), (1, 1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1))


def _side(mark: Sequence[float], text: str, dx: int, dy: int) -> Box:
    width, height = _WIDTH * SIZE * len(text), _HEIGHT * SIZE
    x, y = mark[0] + dx * _AWAY, mark[1] + dy * _AWAY
    left, bottom = x + width * (dx - 1) / 2, y + height * (dy - 1) / 2
    return left, bottom, left + width, bottom + height


def _overlap(box: Box, others: Sequence[Box]) -> float:
    """Area, in square points."""
    areas = [
        max(min(box[2], other[2]) - max(box[0], other[0]), 0.0)
        * max(min(box[3], other[3]) - max(box[1], other[1]), 0.0)
        for other in others
    ]
    return sum(areas)


def _outside(box: Box, axes: Sequence[float]) -> float:
    whole = (box[2] - box[0]) * (box[3] - box[1])
    return whole - _overlap(box, [(axes[0], axes[1], axes[2], axes[3])])
