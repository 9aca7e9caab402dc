"""Windows of layers, by how deep they lie in a model."""

from __future__ import annotations

Range = tuple[int, int]
# First and last depth of windows; most models are steered best in the second (2604.04064).
DEPTHS = ((0.25, 0.5), (0.4, 0.65), (0.5, 0.75))
LAST = (0.8, 1.0)  # where words are chosen
LATER_HALF = (0.55, 1.0)


def window(depths: tuple[float, float], *, n_layer: int) -> Range:
    """First and last layer between two depths, 0 to 1."""
    first, last = (max(round(depth * (n_layer - 1)), 1) for depth in depths)
    return first, last
