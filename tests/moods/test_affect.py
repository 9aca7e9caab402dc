"""Affect: the map fitted to vectors, how well they carry each axis, and mixes for points."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import llamood
import tiny_chat
from cli_runs import run
from llamood import EmotionVectors
from llamood.errors import MoodError
from llamood.moods.affect import ANCHORS, AXES, AffectMap

ALL = (True, True, True)
# What an error on a free axis counts, and intensity; and how much of a point may be missed.
FREE_AXIS, INTENSITY, MISSED = 0.05, 0.05, 0.1
TABLE = np.array(list(ANCHORS.values()))

laws = settings(max_examples=60, deadline=None)
seeds = st.integers(0, 2**32 - 1)
axes = st.tuples(st.booleans(), st.booleans(), st.booleans())
hundredths = st.integers(-100, 100).map(lambda whole: whole / 100)
places = st.tuples(hundredths, hundredths, hundredths)


def map_of(coordinates):
    """A map whose emotions lie exactly there."""
    return AffectMap(
        tuple(f"emotion {i}" for i in range(len(coordinates))),
        np.array(coordinates, dtype=float).reshape(-1, 3),
    )


# Hundredths often coincide, cancel or lie in line; scattered ones are in general position.
maps = st.lists(places, min_size=1, max_size=6).map(map_of)
scattered_maps = st.builds(
    lambda seed, n: map_of(np.random.default_rng(seed).uniform(-1, 1, (n, 3))),
    seeds,
    st.integers(1, 6),
)


def raised(coordinates, named):
    """(n, 4): coordinates as `mix` counts them, with the price of intensity as the fourth."""
    price = np.full((len(coordinates), 1), INTENSITY)
    return np.hstack([coordinates * np.where(named, 1.0, FREE_AXIS), price])


def vectors(anchors, *, shared, noise, seed, width=64):
    """Vectors of one layer that carry the anchors along orthogonal directions, as real ones do:
    with a part that all share, and with noise."""
    rng = np.random.default_rng(seed)
    *directions, common = np.linalg.qr(rng.normal(size=(width, 4)))[0].T
    data = anchors @ np.array(directions) + shared * common
    data += noise * rng.normal(size=data.shape) / np.sqrt(width)
    return EmotionVectors(tuple(ANCHORS), data[:, np.newaxis])


# -- mixes ----------------------------------------------------------------------------------


@laws
@given(maps, axes, st.lists(places, max_size=5))
def test_a_mix_is_of_few_emotions_and_never_negative(affect, named, points):
    mix = affect.mix(np.reshape(points, (-1, 3)), named=named)
    assert mix.weights.shape == (len(points), len(affect.names))
    assert (mix.weights >= 0).all()
    assert ((mix.weights > 0).sum(axis=1) <= 3).all()
    np.testing.assert_allclose(mix.reached, mix.weights @ affect.coordinates, atol=1e-12)
    assert mix.outside.shape == (len(points),)


@laws
@given(maps, axes)
def test_the_origin_is_neutral_whatever_is_at_hand(affect, named):
    for neutral in (affect, AffectMap.of_names(()), AffectMap.of_names(("ennui",))):
        mix = neutral.mix(np.zeros((2, 3)), named=named)
        assert not mix.weights.any()
        assert not mix.reached.any()
        assert not mix.outside.any()


@laws
@given(maps, axes, places)
def test_what_is_reached_is_the_projection(affect, named, point):
    # The projection onto a cone is the one place in it from which no generator leads nearer.
    mix = affect.mix([point], named=named)
    cone = raised(affect.coordinates, named)
    reached = mix.weights[0] @ cone
    missed = np.append(np.where(named, point, 0.0), 0.0) - reached
    np.testing.assert_allclose(missed @ reached, 0, atol=1e-7)
    assert (cone @ missed <= 1e-7).all()


@laws
@given(maps, axes, places)
def test_outside_are_points_missed_by_more_than_a_tenth(affect, named, point):
    mix = affect.mix([point], named=named)
    asked = np.array(point)[list(named)]
    missed = np.linalg.norm(mix.reached[0, list(named)] - asked)
    allowed = MISSED * np.linalg.norm(asked)
    if abs(missed - allowed) > 1e-7:
        assert mix.outside[0] == (missed > allowed)


@laws
@given(scattered_maps, seeds)
def test_a_point_that_moderate_intensities_span_is_reached(affect, seed):
    weights = np.random.default_rng(seed).uniform(0, 1, len(affect.names))
    point = weights @ affect.coordinates
    mix = affect.mix([point], named=ALL)
    missed = np.linalg.norm(mix.reached[0] - point)
    # This mix misses nothing and pays for its intensity; what is taken cannot be worse.
    assert missed <= INTENSITY * weights.sum() + 1e-9


def test_what_no_emotion_is_like_is_projected_and_said_so():
    calm = AffectMap.of_names(("joy", "sadness")).mix([[1.0, -1.0, 0.0]], named=ALL)
    assert calm.outside[0]
    assert calm.reached[0, 0] > 0
    below = AffectMap.of_names(("joy", "surprise")).mix([[-1.0, 0.0, 0.0]], named=ALL)
    assert below.outside[0]
    assert not below.weights.any()


def test_the_place_of_an_emotion_is_that_emotion():
    mix = AffectMap.of_names(tuple(ANCHORS)).mix(TABLE, named=ALL)
    np.testing.assert_allclose(mix.weights, np.eye(len(TABLE)), atol=0.01)
    assert not mix.outside.any()


@laws
@given(scattered_maps, axes, places, st.sets(st.integers(1, 10_000), min_size=2, max_size=8))
def test_along_a_ray_all_is_in_proportion_and_nothing_turns_back(affect, named, point, lengths):
    lengths = np.sort(list(lengths)) / 100
    mix = affect.mix(np.outer(lengths, point), named=named)
    unit = affect.mix([point], named=named)
    np.testing.assert_allclose(mix.weights, np.outer(lengths, unit.weights), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(mix.reached, np.outer(lengths, unit.reached), rtol=1e-6, atol=1e-6)
    assert (mix.outside == unit.outside[0]).all()
    assert (np.diff(mix.weights, axis=0) >= 0).all()
    towards = np.sign(unit.reached[0])
    assert (np.diff(mix.reached, axis=0) * towards >= 0).all()


@laws
@given(maps, axes, places)
def test_what_is_reached_is_on_the_side_of_neutral_that_was_asked_for(affect, named, point):
    reached = affect.mix([point], named=named).reached[0]
    assert np.where(named, reached * point, 0.0).sum() >= -1e-9


@laws
@given(maps, axes, places, places)
def test_what_is_reached_moves_no_further_than_the_point(affect, named, point, other):
    weights = affect.mix([point, other], named=named).weights
    moved = np.linalg.norm((weights[0] - weights[1]) @ raised(affect.coordinates, named))
    asked = np.where(named, np.subtract(point, other), 0.0)
    assert moved <= np.linalg.norm(asked) + 1e-7


@laws
@given(scattered_maps, axes, places, seeds)
def test_a_small_change_of_the_point_is_a_small_change_of_the_mix(affect, named, point, seed):
    step = 1e-4 * np.random.default_rng(seed).normal(size=3)
    weights = affect.mix([point, point + step], named=named).weights
    cone = raised(affect.coordinates, named)
    n = len(cone)
    faces = [cone[list(chosen)] for chosen in combinations(range(n), min(n, 3))]
    steepest = max(np.linalg.norm(np.linalg.pinv(face), 2) for face in faces)
    assert np.linalg.norm(weights[0] - weights[1]) <= steepest * (np.linalg.norm(step) + 1e-6)


@laws
@given(maps, axes, places, places)
def test_axes_that_were_not_named_are_free(affect, named, point, other):
    changed = np.where(named, point, other)
    mixes = [affect.mix([p], named=named) for p in (point, changed)]
    assert np.array_equal(mixes[0].weights, mixes[1].weights)


def test_free_axes_stay_near_neutral_where_they_can():
    affect = AffectMap.of_names(tuple(ANCHORS))
    unhappy = affect.mix([[-0.5, 0.0, 0.0]], named=(True, False, False))
    np.testing.assert_allclose(unhappy.reached[0, 0], -0.5, atol=0.01)
    assert abs(unhappy.reached[0, 1]) < 0.05
    calm_too = affect.mix([[-0.5, -0.3, 0.0]], named=(True, True, False))
    np.testing.assert_allclose(calm_too.reached[0, :2], [-0.5, -0.3], atol=0.1)


def test_of_two_emotions_at_one_place_the_first_is_used():
    affect = map_of([TABLE[0], TABLE[1], TABLE[0]])
    mix = affect.mix(np.random.default_rng(5).uniform(-1, 1, (50, 3)), named=ALL)
    assert mix.weights[:, 0].any()
    assert not mix.weights[:, 2].any()


def test_many_points_and_emotions_at_once_are_each_their_own_mix():
    rng = np.random.default_rng(3)
    affect = map_of(rng.uniform(-1, 1, (20, 3)))
    points = rng.uniform(-1, 1, (300, 3))  # more than are tried in one go
    mix = affect.mix(points, named=ALL)
    for i in (0, 1, 150, 299):
        np.testing.assert_allclose(
            mix.weights[i], affect.mix(points[[i]], named=ALL).weights[0], atol=1e-9
        )


def test_arrays_are_read_only():
    affect = AffectMap.of_names(("joy",))
    mix = affect.mix([[0.1, 0.2, 0.3]], named=ALL)
    for array in (affect.coordinates, mix.weights, mix.reached, mix.outside):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize(
    ("names", "words"), [(("ennui", "awe"), r"ennui, awe.*coordinates"), ((), "no emotions")]
)
def test_a_point_that_nothing_has_coordinates_for_is_refused(names, words):
    affect = AffectMap.of_names(names)
    for axis, named in ((0, ALL), (1, (False, True, False)), (2, ALL)):
        point = np.zeros((1, 3))
        point[0, axis] = 0.5
        with pytest.raises(MoodError, match=words) as caught:
            affect.mix(point, named=named)
        assert caught.value.where == AXES[axis]


# -- the map --------------------------------------------------------------------------------


def test_emotions_as_distinct_as_the_average_are_read_at_ten_elevenths():
    evs = EmotionVectors(tuple(ANCHORS), np.eye(len(TABLE))[:, np.newaxis])
    np.testing.assert_allclose(AffectMap.fit(evs).coordinates, TABLE / 1.1)


@laws
@given(seeds)
def test_the_map_is_linear_in_the_vectors(seed):
    rng = np.random.default_rng(seed)
    data = np.zeros((6, 1, 40))
    data[:4, 0] = rng.normal(size=(4, 40))
    data[4] = data[0] + data[1]
    data[5] = data[2]
    evs = EmotionVectors(tuple(ANCHORS), data)
    coordinates = AffectMap.fit(evs).coordinates
    np.testing.assert_allclose(coordinates[4], coordinates[0] + coordinates[1], atol=1e-5)
    np.testing.assert_allclose(coordinates[5], coordinates[2], atol=1e-9)
    silent = AffectMap.fit(evs * {"joy": 0})
    assert not silent.coordinates[0].any()


@laws
@given(seeds, st.floats(1e-3, 1e3))
def test_every_layer_counts_alike_however_long_its_vectors(seed, factor):
    data = np.random.default_rng(seed).normal(size=(6, 3, 16))
    factors = np.array([1.0, factor, 1.0])[:, np.newaxis]
    plain, scaled = (
        AffectMap.fit(EmotionVectors(tuple(ANCHORS), d)) for d in (data, data * factors)
    )
    np.testing.assert_allclose(scaled.coordinates, plain.coordinates, atol=1e-5)
    np.testing.assert_allclose(scaled.carried, plain.carried, atol=1e-4)


def test_layers_and_emotions_that_are_zero_do_no_harm():
    data = np.random.default_rng(1).normal(size=(6, 2, 16))
    data[:, 1] = 0
    with_zeros = AffectMap.fit(EmotionVectors(tuple(ANCHORS), data))
    without = AffectMap.fit(EmotionVectors(tuple(ANCHORS), data[:, :1]))
    np.testing.assert_allclose(with_zeros.coordinates, without.coordinates)
    nothing = AffectMap.fit(EmotionVectors(tuple(ANCHORS), np.zeros((6, 2, 16))))
    assert not nothing.coordinates.any()
    assert nothing.carried == (0, 0, 0)
    assert nothing.mix([[0.5, 0.5, 0.5]], named=ALL).outside[0]


def test_an_emotion_without_coordinates_is_left_out_and_named():
    evs = EmotionVectors(("ennui", "Joy", "awe"), np.eye(3)[:, np.newaxis])
    affect = AffectMap.fit(evs)
    assert (affect.names, affect.left_out) == (("Joy",), ("ennui", "awe"))
    np.testing.assert_allclose(affect.coordinates, [ANCHORS["joy"]])
    table = AffectMap.of_names(evs.names)
    assert (table.names, table.left_out) == (affect.names, affect.left_out)
    np.testing.assert_array_equal(table.coordinates, [ANCHORS["joy"]])
    none = AffectMap.fit(evs.select("awe"))
    assert (none.names, none.left_out, none.coordinates.shape) == ((), ("awe",), (0, 3))
    assert none.report() == table.report()


def test_affect_stored_with_the_vectors_goes_before_the_table():
    stored = (-0.1, -0.2, -0.3)
    evs = EmotionVectors(
        ("joy", "ennui", "fear"),
        np.eye(3)[:, np.newaxis],
        affect=(stored, (0.0, -0.9, 0.0), None),
    )
    affect = AffectMap.fit(evs)
    assert affect.left_out == ()
    expected = np.array([stored, (0.0, -0.9, 0.0), ANCHORS["fear"]])
    np.testing.assert_allclose(affect.coordinates, expected / 1.1)


# -- how well axes are carried --------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shared", [1, 2])
def test_vectors_that_carry_affect_are_found_to(seed, shared):
    affect = AffectMap.fit(vectors(TABLE, shared=shared, noise=0.1, seed=seed))
    assert min(affect.carried) > 0.75
    assert affect.weak_axes() == ()
    assert "weak" not in affect.report()


@pytest.mark.parametrize("shared", [0, 1])
def test_noise_carries_nothing_on_average(shared):
    carried = np.array(
        [
            AffectMap.fit(vectors(0 * TABLE, shared=shared, noise=1, seed=seed)).carried
            for seed in range(200)
        ]
    )
    # One figure spreads by about 0.5, so the mean of 200 by about 0.035.
    np.testing.assert_allclose(carried.mean(axis=0), 0, atol=0.12)
    assert (carried.std(axis=0) > 0.2).all()


@pytest.mark.parametrize("seed", range(5))
def test_arousal_is_said_to_be_the_weak_one_when_it_is(seed):
    affect = AffectMap.fit(vectors(TABLE * [1, 0, 1], shared=1, noise=0.1, seed=seed))
    valence, arousal, dominance = affect.carried
    assert min(valence, dominance) > 0.8 > 0.3 > arousal
    assert affect.weak_axes() == ("arousal",)
    assert "Arousal is the weak one: what is asked of it may hardly show." in affect.report()


def test_several_weak_axes_are_listed_the_weakest_first():
    affect = AffectMap(tuple(ANCHORS), TABLE, carried=(0.9, 0.4, -0.2))
    assert affect.weak_axes() == ("dominance", "arousal")
    assert affect.report() == (
        "How well these vectors of 6 emotions carry affect (1 fully, 0 or less no better than "
        "chance): valence 0.90, arousal 0.40, dominance -0.20. Dominance and arousal are the "
        "weak ones, the weakest first: what is asked of them may hardly show."
    )


def test_what_cannot_be_told_is_not_claimed():
    evs = vectors(TABLE, shared=1, noise=0.1, seed=0)
    for few in (AffectMap.fit(evs.select(evs.names[:3])), AffectMap.of_names(evs.names)):
        assert few.carried == (None, None, None)
        assert few.weak_axes() == ()
        assert "cannot be told" in few.report()
    flat = replace(evs, affect=tuple((v, a, 0.2) for v, a, _ in ANCHORS.values()))
    affect = AffectMap.fit(flat)
    assert affect.carried[0] is not None
    assert affect.carried[2] is None
    assert "dominance not known" in affect.report()


# -- real vectors ---------------------------------------------------------------------------


def test_the_vectors_of_a_trained_model_say_how_well_they_carry_affect():
    require_sound(AffectMap.fit(llamood.load(tiny_chat.VECTORS)))


def test_the_papers_vectors_carry_valence_and_hardly_arousal(shared_data: Path):
    affect = AffectMap.fit(llamood.convert(shared_data / "paper-evs"))
    require_sound(affect)
    assert affect.carried[0] > 0.5
    assert affect.weak_axes()[0] == "arousal"


def require_sound(affect):
    assert affect.left_out == ()
    assert all(-1 <= value <= 1 for value in affect.carried)
    assert affect.carried[0] > 0
    for value, axis in zip(affect.carried, AXES, strict=True):
        assert f"{axis} {value:.2f}" in affect.report()
        assert (axis in affect.weak_axes()) == (value < 0.5)
    anchors = np.array([ANCHORS[name] for name in affect.names])
    np.testing.assert_allclose(affect.coordinates, anchors, atol=0.2)
    mix = affect.mix(affect.coordinates, named=ALL)
    np.testing.assert_allclose(mix.weights, np.eye(len(affect.names)), atol=0.05)


# -- llamood inspect ------------------------------------------------------------------------


def test_inspect_shows_affect_to_people_and_programs():
    affect = AffectMap.fit(llamood.load(tiny_chat.VECTORS))
    shown = " ".join(run("inspect", tiny_chat.VECTORS).stdout.split())
    assert " Affect " in shown
    assert affect.report() in shown
    joy = affect.coordinates[affect.names.index("joy")]
    assert "joy │ " + " │ ".join(f"{value:.2f}" for value in joy) in shown
    found = json.loads(run("inspect", tiny_chat.VECTORS, "--json").stdout)["affect"]
    assert found == {
        "coordinates": dict(zip(affect.names, affect.coordinates.tolist(), strict=True)),
        "carried": dict(zip(AXES, affect.carried, strict=True)),
        "weak": list(affect.weak_axes()),
        "left_out": [],
    }


def test_inspect_names_what_has_no_coordinates(tmp_path: Path):
    evs = EmotionVectors(("ennui", "joy"), np.ones((2, 2, 4)))
    llamood.save(evs, tmp_path)
    assert "│ ennui │ - │ - │ - │" in " ".join(run("inspect", tmp_path).stdout.split())
    found = json.loads(run("inspect", tmp_path, "--json").stdout)["affect"]
    assert found["left_out"] == ["ennui"]
    assert found["carried"] == dict.fromkeys(AXES)


def test_inspect_says_nothing_of_affect_where_nothing_has_coordinates(tmp_path: Path):
    llamood.save(EmotionVectors(("ennui",), np.ones((1, 2, 4))), tmp_path)
    assert "Affect" not in run("inspect", tmp_path).stdout
    assert json.loads(run("inspect", tmp_path, "--json").stdout)["affect"] is None
