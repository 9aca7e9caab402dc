"""The linear discriminant of labelled hidden states, on data whose best one is known."""

from __future__ import annotations

import numpy as np
import pytest

from labelled_states import N_EMBD, NAMES, labelled, loud, planted
from llamood.errors import ModelError
from llamood.extraction.discriminant import SHRINKAGES, Discriminant
from llamood.judges.layer_fits import CHOOSING, LayerFit, parts
from llamood.judges.measures import macro_auroc
from llamood.vectors.emotion_vectors import Float32

ADDED = dict(zip(NAMES, planted(), strict=True))


def of(n: int, *, seed: int = 2, common: Float32 | None = None) -> tuple[Float32, list[str]]:
    """Hidden states of the first layer and their labels."""
    states = labelled(ADDED, n=n, seed=seed, common=common, noise=0.2)
    return states.data[:, 0], list(states.labels)


def read(rows: Float32, labels: list[str], directions: Float32) -> float:
    """Area under the ROC curve."""
    areas = macro_auroc(rows @ directions.T, labels, labels=NAMES)
    assert areas.macro is not None
    return areas.macro


def test_directions_have_unit_length() -> None:
    rows, labels = of(20)
    for shrinkage in SHRINKAGES:
        found = Discriminant(rows, labels, names=NAMES).directions(shrinkage)
        assert found.shape == (3, N_EMBD)
        assert found.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)


def test_it_is_fishers_where_nothing_is_shrunk() -> None:
    rows, labels = of(400, common=loud())
    known = np.array(labels)
    means = {name: rows[known == name].mean(axis=0, dtype=np.float64) for name in set(labels)}
    within = np.cov(
        np.array([row - means[label] for row, label in zip(rows, labels, strict=True)]).T
    )
    emotional = np.array([means[name] for name in NAMES])
    expected = (emotional - emotional.mean(axis=0)) @ np.linalg.inv(within)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = Discriminant(rows, labels, names=NAMES).directions(0.0)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    # Only the diagonal left: each column by its own variance.
    scaled = (emotional - emotional.mean(axis=0)) / np.diag(within)
    scaled /= np.linalg.norm(scaled, axis=1, keepdims=True)
    alone = Discriminant(rows, labels, names=NAMES).directions(1.0)
    np.testing.assert_allclose(alone, scaled, atol=1e-3)


def test_texts_that_were_not_fitted_are_read_better_than_by_means() -> None:
    rows, labels = of(80, common=loud())
    held_out, truth = of(80, common=loud(), seed=5)
    known = np.array(labels)
    means = np.array([rows[known == name].mean(axis=0) for name in NAMES])
    by_means = read(held_out, truth, means - means.mean(axis=0))
    for shrinkage in SHRINKAGES[:3]:
        found = Discriminant(rows, labels, names=NAMES).directions(shrinkage)
        assert read(held_out, truth, found) > by_means + 0.1


def test_shrinking_helps_where_texts_are_few() -> None:
    """With hardly more texts than columns the covariance is hardly known."""
    rows, labels = of(8)
    held_out, truth = of(100, seed=5)
    discriminant = Discriminant(rows, labels, names=NAMES)
    few, none = (read(held_out, truth, discriminant.directions(s)) for s in (0.1, 1e-6))
    assert few > none


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_texts_that_were_not_fitted_choose_how_far_it_is_shrunk(seed: int) -> None:
    states = labelled(ADDED, n=35, seed=seed, common=loud(scale=1.0), noise=0.8)
    part, labels, rows = parts(states.labels), np.array(states.labels), states.data[:, 0]
    fitted, chooses = part < CHOOSING, part == CHOOSING
    discriminant = Discriminant(rows[fitted], labels[fitted].tolist(), names=NAMES)
    areas = [
        read(rows[chooses], labels[chooses].tolist(), discriminant.directions(shrinkage))
        for shrinkage in SHRINKAGES
    ]
    assert LayerFit.of(states, 0, NAMES).shrinkage == SHRINKAGES[int(np.argmax(areas))]


def test_the_order_of_texts_makes_no_difference() -> None:
    rows, labels = of(10)
    order = np.random.default_rng(0).permutation(len(labels))
    mixed = Discriminant(rows[order], [labels[i] for i in order], names=NAMES)
    found = Discriminant(rows, labels, names=NAMES).directions(0.4)
    np.testing.assert_allclose(mixed.directions(0.4), found, atol=1e-5)


def test_one_emotion_is_told_from_neutral() -> None:
    states = labelled({"joy": ADDED["joy"]}, n=40, common=loud(scale=1.0), noise=0.1)
    found = Discriminant(states.data[:, 0], states.labels, names=("joy",)).directions(0.1)
    assert found.shape == (1, N_EMBD)
    joyful = np.array(states.labels) == "joy"
    scores = states.data[:, 0] @ found[0]
    assert scores[joyful].min() > scores[~joyful].max()


def test_columns_that_never_move_tell_nothing() -> None:
    rows, labels = of(20)
    rows = rows.copy()
    rows[:, 3] = -2.0
    found = Discriminant(rows, labels, names=NAMES).directions(0.4)
    assert not found[:, 3].any()
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(("missing", "n"), [("fear", 0), ("fear", 1), ("neutral", 1)])
def test_too_few_texts_are_told(missing: str, n: int) -> None:
    rows, labels = of(5)
    places = [i for i, label in enumerate(labels) if label == missing]
    kept = [i for i in range(len(labels)) if i not in places[n:]]
    with pytest.raises(
        ModelError, match=rf"to tell {missing} from others takes at least two texts, found {n}"
    ):
        Discriminant(rows[kept], [labels[i] for i in kept], names=NAMES)


def test_emotions_that_are_the_same_are_not_told_apart() -> None:
    rows, labels = of(6)
    same = np.concatenate([rows[:4]] * 6)
    with pytest.raises(ModelError, match="cannot be told apart"):
        Discriminant(np.ones_like(same), labels, names=NAMES).directions(0.4)
