"""Emotion vectors as points of a plane."""

from __future__ import annotations

import numpy as np
import pytest

from llamood import EmotionVectors
from llamood.vectors.principal_plane import NEUTRAL, in_two_dimensions


def flat(seed: int = 0, *, n_layer: int = 3) -> tuple[EmotionVectors, np.ndarray]:
    """Four vectors that lie in one plane with the origin, alike in every layer, and where."""
    rng = np.random.default_rng(seed)
    places = rng.normal(size=(4, 2))
    plane = np.linalg.qr(rng.normal(size=(16, 2)))[0].T
    data = np.repeat((places @ plane)[:, np.newaxis], n_layer, axis=1)
    data *= 10.0 ** np.arange(n_layer)[:, np.newaxis]  # lengths differ, directions do not
    return EmotionVectors(("a", "b", "c", "d"), data.astype(np.float32)), places


def test_a_plane_is_shown_as_it_is() -> None:
    evs, places = flat()
    layout = in_two_dimensions(evs)
    assert layout.names == ("a", "b", "c", "d", NEUTRAL)
    assert sum(layout.shares) == pytest.approx(1)
    assert layout.shares[0] >= layout.shares[1]
    points = np.vstack([places, np.zeros(2)])
    points /= np.linalg.norm(places, axis=1).mean()
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    np.testing.assert_allclose(
        np.linalg.norm(layout.places[:, None] - layout.places, axis=2), apart, atol=1e-5
    )
    assert (layout.places[0] >= layout.places[-1]).all()


def test_an_empty_layer_and_a_single_emotion() -> None:
    evs, _ = flat(n_layer=2)
    emptied = np.array(evs.data)
    emptied[:, 0] = 0
    np.testing.assert_allclose(
        in_two_dimensions(EmotionVectors(evs.names, emptied)).places,
        in_two_dimensions(evs).places,
        atol=1e-5,
    )
    one = in_two_dimensions(evs.select("a"))
    assert one.names == ("a", NEUTRAL)
    assert np.linalg.norm(one.places[0] - one.places[1]) == pytest.approx(1)
    assert one.shares == pytest.approx((1.0, 0.0))
