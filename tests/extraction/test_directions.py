"""Ways from labelled hidden states to directions, where what emotions add is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelled_states import N_EMBD, N_LAYER, NAMES, labelled, loud, planted
from llamood.errors import ModelError
from llamood.extraction.directions import EXPLAINED, METHODS, SHARED, SHARED_TOO, Method, directions
from llamood.extraction.states import States

ADDED = dict(zip(NAMES, planted(), strict=True))
SCALED = tuple(method for method in METHODS if method != "mean difference")


def cosines(
    one: npt.NDArray[np.floating], other: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """Of vectors (..., n_embd) in the same place."""
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    return np.asarray((one * other).sum(axis=-1) / lengths, dtype=np.float64)


def own(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Without the mean of all emotions."""
    return np.asarray(vectors - vectors.mean(axis=0))


def unit(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


@pytest.mark.parametrize("method", METHODS)
def test_a_direction_for_each_emotion_in_each_layer(method: Method) -> None:
    found = directions(labelled(ADDED), method, names=NAMES)
    assert found.shape == (3, N_LAYER, N_EMBD)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


@pytest.mark.parametrize("method", [m for m in METHODS if m != "shuffled"])
def test_what_was_added_is_found(method: Method) -> None:
    expected = planted() if method == "mean difference" else own(planted())
    if method == SHARED_TOO:
        shared = planted().mean(axis=0)
        expected = unit(expected) + SHARED * unit(shared)
    common = loud(scale=0.5) if method == "cleaned" else None  # it takes out half, come what may
    found = directions(labelled(ADDED, n=200, common=common), method, names=NAMES)
    assert cosines(found, expected).min() > 0.9


def test_the_mean_difference_is_that_of_the_means() -> None:
    states = labelled(ADDED)
    found = directions(states, "mean difference", names=NAMES)
    for name, vector in zip(NAMES, found, strict=True):
        expected = states.of(name).mean(axis=0) - states.of("neutral").mean(axis=0)
        np.testing.assert_allclose(vector, expected, atol=1e-5)
    centred = directions(states, "centred", names=NAMES)
    np.testing.assert_allclose(centred, own(found), atol=1e-5)


def test_whitened_finds_through_noise_what_means_do_not() -> None:
    """Texts differ in few ways by much more than in what they express."""
    states = labelled(ADDED, common=loud(), noise=0.1)
    whitened, centred = (
        cosines(directions(states, method, names=NAMES), own(planted()))
        for method in ("whitened", "centred")
    )
    assert whitened.min() > 0.8
    assert centred.mean() < 0.6


def test_cleaned_has_nothing_of_what_neutral_texts_differ_in() -> None:
    states = labelled(ADDED, common=loud(), noise=0.1)
    cleaned = directions(states, "cleaned", names=NAMES)
    centred = directions(states, "centred", names=NAMES)
    for layer in range(N_LAYER):
        neutral = states.of("neutral")[:, layer].astype(np.float64)
        _, sizes, components = np.linalg.svd(neutral - neutral.mean(axis=0), full_matrices=False)
        explained = np.cumsum(sizes**2) / (sizes**2).sum()
        leading = components[: int((explained < EXPLAINED).sum()) + 1]
        length = np.linalg.norm(cleaned[:, layer], axis=1, keepdims=True)
        assert np.abs(cleaned[:, layer] / length @ leading.T).max() < 1e-5
        # Of what is left nothing is lost, but for how long all are.
        rest = centred[:, layer] - centred[:, layer] @ leading.T @ leading
        np.testing.assert_allclose(cosines(cleaned[:, layer], rest), 1, atol=1e-5)


@pytest.mark.parametrize("names", [NAMES, NAMES[:1]])
def test_shuffled_labels_know_nothing(names: tuple[str, ...]) -> None:
    added = {name: 3 * ADDED[name] for name in names}
    states = labelled(added, n=200)
    expected = planted(names=names)
    if len(names) > 1:
        expected = own(expected)
    length = np.linalg.norm(3 * expected, axis=-1)
    seen = directions(states, "centred", names=names)
    found = directions(states, "shuffled", names=names)
    share = (seen * expected).sum(axis=-1) / np.linalg.norm(expected, axis=-1) / length
    np.testing.assert_allclose(share, 1, atol=0.1)
    share = (found * expected).sum(axis=-1) / np.linalg.norm(expected, axis=-1) / length
    assert np.abs(share).max() < 0.25
    assert np.array_equal(found, directions(states, "shuffled", names=names))
    assert not np.array_equal(found, directions(states, "shuffled", names=names, seed=1))


@given(st.integers(0, 2**32 - 1))
def test_the_order_of_texts_makes_no_difference(seed: int) -> None:
    states = labelled(ADDED, n=8)
    order = np.random.default_rng(seed).permutation(len(states.labels))
    mixed = States(tuple(states.labels[i] for i in order), states.data[order])
    for method in METHODS:
        if method not in ("shuffled", "paired"):  # which deal out texts by their order
            found = directions(mixed, method, names=NAMES)
            np.testing.assert_allclose(found, directions(states, method, names=NAMES), atol=1e-4)


@pytest.mark.parametrize("method", SCALED)
def test_all_are_as_long_as_the_centred_ones(method: Method) -> None:
    states = labelled(ADDED, n=200)
    found, centred = (
        np.sqrt(np.square(directions(states, m, names=NAMES)).sum(axis=(0, 2)))
        for m in (method, "centred")
    )
    if method == "shuffled":
        assert (found < centred).all()  # as they come: chance alone moves little
    else:
        np.testing.assert_allclose(found, centred, rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_one_emotion_alone_is_told_from_neutral(method: Method) -> None:
    added = {"joy": 3 * ADDED["joy"]}
    found = directions(labelled(added), method, names=("joy",))
    assert found.shape == (1, N_LAYER, N_EMBD)
    if method != "shuffled":
        assert cosines(found[0], ADDED["joy"]).min() > 0.8


@pytest.mark.parametrize("method", METHODS)
def test_columns_that_never_move_add_nothing(method: Method) -> None:
    states = labelled(ADDED)
    still = states.data.copy()
    still[:, :, 5] = 7.0
    found = directions(States(states.labels, still), method, names=NAMES)
    np.testing.assert_allclose(found[:, :, 5], 0, atol=1e-5)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("method", METHODS)
def test_labels_without_texts_are_named(method: Method) -> None:
    states = labelled({"joy": ADDED["joy"], "fear": ADDED["fear"]}, n=3)
    with pytest.raises(ModelError, match=r"no texts of awe, hope$"):
        directions(states, method, names=("joy", "awe", "hope"))
    felt = np.array(states.labels) != "neutral"
    without = States(tuple(np.array(states.labels)[felt].tolist()), states.data[felt])
    with pytest.raises(ModelError, match="no texts of neutral"):
        directions(without, method, names=("joy", "fear"))


def test_what_is_given_stays_as_it_is() -> None:
    states = labelled(ADDED, n=4)
    labels, data = states.labels, states.data.copy()
    for method in METHODS:
        directions(states, method, names=NAMES)
    assert states.labels == labels
    np.testing.assert_array_equal(states.data, data)
