"""A mood over the tokens of an answer: inertia, changes, limits, and how much is asked at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamood.errors import MoodError
from llamood.moods.mood import Mood
from llamood.moods.performance import Performance
from llamood.moods.steering import NOTHING, Notice, Steering
from llamood.moods.steering_vectors import SAFE_SUM, SteeringVectors
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.measurement import Measurement, Site

NAMES = ("anger", "joy", "sadness")
RESIDUAL = (0.5, 1.0, 4.0, 2.0)
laws = settings(deadline=None, max_examples=50)


def emotions(ceiling: tuple[float | None, ...] = (1000.0,) * 3) -> EmotionVectors:
    """Three vectors of four layers, ten times longer in the last than in the first, mostly one
    direction."""
    rng = np.random.default_rng(5)
    shared = rng.standard_normal((4, 16))
    data = (shared + 0.5 * rng.standard_normal((3, 4, 16))) * np.geomspace(1, 10, 4)[:, np.newaxis]
    return EmotionVectors(NAMES, data, Measurement(residual_rms=RESIDUAL), ceiling=ceiling)


VECTORS = SteeringVectors.of(emotions())


def perform(
    mood: dict[str, Any],
    *,
    vectors: SteeringVectors = VECTORS,
    before: Any = (0.0, 0.0, 0.0),
    notices: list[Notice] | None = None,
) -> Performance:
    return Performance(
        Steering(Mood(mood), vectors),
        position=10,
        before=np.array(before, dtype=np.float64),
        notice=lambda notice: None if notices is None else notices.append(notice),
    )


def applied(performance: Performance, n: int, begin: int = 0) -> np.ndarray:
    """float32 (n, 3)"""
    return np.array([performance.row(token)[1] for token in range(begin, begin + n)])


MOVING: list[dict[str, Any]] = [
    {"joy": {"ramp": [0, 1.2], "over": 20}},
    {"joy": {"wave": [0.2, 1.0], "period": 7}, "anger": {"drift": 0.6, "spread": 0.2, "return": 9}},
    {"joy": {"pulse": 1.5, "attack": 4, "hold": 8, "release": 9}, "$inertia": 5},
    {"joy": {"decay": 1.5, "half_life": 4}, "anger": 0.5, "$blend": "shared-once"},
    {"valence": {"ramp": [-0.5, 0.5], "over": 9}, "joy": 0.1, "$inertia": 3},
    {"base": {"keys": [[0, 0], [5, 1.2], [9, 0.3]], "ease": "smooth"}, "$dose": "relative"},
    {"joy": {"ramp": [0, 9], "over": 20}, "$max": 1.5},
]


# -- rows -----------------------------------------------------------------------------------


# Mood.rows knows no vectors, and finds mixes for affect by a table.
@pytest.mark.parametrize("mood", [mood for mood in MOVING if "valence" not in mood])
def test_asked_is_what_the_mood_says(mood: dict[str, Any]) -> None:
    performance = perform(mood)
    asked = [performance.row(token)[0] for token in range(40)]
    np.testing.assert_allclose(asked, Mood(mood).rows(40, NAMES), rtol=1e-6)


@laws
@given(st.sampled_from(MOVING), st.lists(st.integers(1, 15), max_size=6))
def test_rows_do_not_depend_on_how_many_are_asked_at_once(
    mood: dict[str, Any], sizes: list[int]
) -> None:
    expected = applied(perform(mood), 100)
    performance = perform(mood)
    begin = 0
    for size in sizes:
        rows, keys = performance.block(begin, size)
        assert np.array_equal(rows, expected[begin : begin + size])
        assert keys.tolist() == [performance.blend(begin + i).key for i in range(size)]
        begin += size


def test_a_blend_is_the_row_with_a_key_of_its_own() -> None:
    performance = perform({"joy": {"ramp": [0, 1], "over": 4}, "$layers": [1, 2]})
    blends = [performance.blend(token) for token in range(7)]
    assert blends[0] == NOTHING
    assert [blend.weights[1] for blend in blends[1:]] == [0.25, 0.5, 0.75, 1, 1, 1]
    assert len({blend.key for blend in blends}) == 5
    assert (blends[1].first, blends[1].last, blends[1].dose) == (1, 2, "stored")
    # Other layers, another dose, other vectors: another key for the same weights.
    others = [
        perform({"joy": 1, "$layers": [1, 3]}),
        perform({"joy": 1}),
        perform({"joy": 1, "$layers": [1, 2], "$dose": "relative"}),
        perform({"joy": 1, "$layers": [1, 2]}, vectors=SteeringVectors.of(emotions() * 2)),
    ]
    keys = {blends[4].key, *(other.blend(0).key for other in others)}
    assert len(keys) == 5
    assert perform({"joy": 1, "$layers": [1, 2]}).blend(3).key == blends[4].key


def test_what_changes_no_more_is_known_to() -> None:
    assert perform({}).is_still(0)
    assert perform({"joy": 1}).is_still(0)
    assert not perform({"joy": {"ramp": [0, 1], "over": 5}}).is_still(3)
    moving = perform({"joy": 1, "$inertia": 2})
    assert not moving.is_still(0)
    assert not moving.is_still(20)
    assert moving.is_still(80)
    assert moving.blend(80).weights == (0, 1, 0)


# -- inertia --------------------------------------------------------------------------------


@laws
@given(st.integers(1, 200), st.floats(-2, 2), st.floats(-2, 2))
def test_half_of_the_way_is_gone_in_a_half_life(half_life: int, was: float, asked: float) -> None:
    performance = perform({"joy": asked, "$inertia": half_life}, before=(0, was, 0))
    rows, _ = performance.block(0, 2 * half_life)
    gap = was - asked
    assert rows[half_life - 1, 1] == pytest.approx(asked + gap / 2, abs=1e-6)
    assert rows[2 * half_life - 1, 1] == pytest.approx(asked + gap / 4, abs=1e-6)


@laws
@given(st.sampled_from(MOVING), st.floats(2, 50), st.floats(-2, 2))
def test_with_inertia_nothing_jumps(mood: dict[str, Any], half_life: float, was: float) -> None:
    before = np.array([0.0, was, 0.5])
    performance = perform({**mood, "$inertia": half_life}, before=before)
    units = performance.steering.vectors.units
    rows = np.vstack([before * units, applied(performance, 60)])
    asked = np.array([performance.row(token)[0] for token in range(60)])
    furthest = np.abs(np.vstack([rows, asked])).max()
    assert np.abs(np.diff(rows, axis=0)).max() <= 2 * furthest * (1 - 0.5 ** (1 / half_life)) + 1e-6


def test_without_inertia_it_is_there_at_once() -> None:
    assert applied(perform({"joy": 1.0}, before=(9, 9, 9)), 2).tolist() == [[0, 1, 0]] * 2


def test_neutral_with_inertia_dies_away() -> None:
    performance = perform({"$inertia": 1}, before=(0, 1, 0))
    assert applied(performance, 3)[:, 1].tolist() == [0.5, 0.25, 0.125]


def test_the_dose_may_change_without_a_jump() -> None:
    """Half of what was felt is felt on, whatever it is counted in."""
    units = VECTORS.relative.units
    performance = perform({"$dose": "relative", "$inertia": 1}, before=(0, 1, 0))
    assert applied(performance, 1)[0, 1] == pytest.approx(units[1] / 2)
    assert performance.after(0).tolist() == pytest.approx([0, 0.5, 0])


def test_a_change_begins_another_mood_where_the_last_one_was() -> None:
    performance = perform({"joy": {"ramp": [0, 1], "over": 10}})
    performance.change(
        Steering(Mood({"anger": {"ramp": [0, 1], "over": 4}, "$inertia": 1}), VECTORS), 6
    )
    rows = applied(performance, 12)
    assert rows[:6, 1].tolist() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert rows[6:9, 1].tolist() == pytest.approx([0.25, 0.125, 0.0625])  # what is left of joy
    assert rows[6:8, 0].tolist() == pytest.approx([0, 0.125])  # anger begins at its own token 0
    performance.change(Steering(Mood({"sadness": 1}), VECTORS), 8)
    assert applied(performance, 2, 8).tolist() == [[0, 0, 1]] * 2
    assert np.array_equal(applied(performance, 8), rows[:8])  # what was played stays so


# -- what is heard --------------------------------------------------------------------------

ALARM: dict[str, Any] = {"anger": {"on": "no", "pulse": 1.0, "release": 4}}


def tell(performance: Performance, *said: str, begin: int = 1) -> None:
    for token, piece in enumerate(said, begin):
        performance.hear(token, piece=piece.encode())


def test_a_text_starts_a_schedule_at_the_token_that_ends_it() -> None:
    performance = perform(ALARM)
    rows = [performance.blend(0)]
    for token, piece in enumerate(["Oh", " n", "o", ".", ".", ".", "."], 1):
        performance.hear(token, piece=piece.encode())
        rows.append(performance.blend(token))
    assert [row.weights[0] if row.weights else 0 for row in rows] == [
        0,
        0,
        0,
        1,
        0.75,
        0.5,
        0.25,
        0,
    ]


def test_a_guess_that_was_wrong_is_taken_back() -> None:
    performance = perform(ALARM)
    tell(performance, "Oh", " n", "o", "!")
    assert performance.blend(4).weights[0] == 0.75
    tell(performance, "ice", begin=3)
    assert performance.blend(3) == NOTHING
    assert performance.n_heard == 3


def test_a_mood_that_comes_later_hears_from_then_on() -> None:
    performance = perform({"joy": 1})
    before = [performance.row(token)[1].tolist() for token in range(3)]
    performance.change(Steering(Mood(ALARM), VECTORS), 3)
    assert performance.n_heard == 0  # nothing was listened to: it is told what it has missed
    tell(performance, "no", " n", "o", " no")
    # The one that ends after the mood began counts, though it had begun before.
    assert performance.blend(3).weights[0] == 1
    assert performance.blend(4).weights[0] == 1
    assert [performance.row(token)[1].tolist() for token in range(3)] == before
    earlier = perform({"joy": 1})
    earlier.change(Steering(Mood(ALARM), VECTORS), 3)
    tell(earlier, "no", ".", ".")
    assert earlier.blend(3) == NOTHING


# -- limits ---------------------------------------------------------------------------------

LIMITED = SteeringVectors.of(emotions(ceiling=(1.0, 2.0, 1000.0)))
ALL_LIMITED = SteeringVectors.of(emotions(ceiling=(1.0, 2.0, 1.5)))


def test_an_emotion_is_held_at_its_ceiling_and_that_is_said() -> None:
    notices: list[Notice] = []
    mood = {"joy": {"ramp": [0, 4], "over": 4}, "anger": -3, "sadness": 9}
    performance = perform(mood, vectors=LIMITED, notices=notices)
    asked, row = performance.row(4)
    assert asked.tolist() == [-3, 4, 9]
    assert row.tolist() == [-1, 2, 9]
    assert {notice.what for notice in notices} == {"joy", "anger"}
    assert any("joy is held at 2" in n.text and "4 was asked for" in n.text for n in notices)


def test_a_limit_is_told_once_while_a_mood_that_listens_is_felt() -> None:
    notices: list[Notice] = []
    mood = {
        "joy": {"ramp": [0, 9], "over": 90},
        "anger": {"on": "no", "keys": [[0, 0], [60, 6]]},
    }
    performance = perform(mood, vectors=LIMITED, notices=notices)
    for token in range(80):
        performance.row(token)
        tell(performance, "no" if token == 9 else "a", begin=token + 1)
    assert [notice.what for notice in notices] == ["anger", "joy"]
    performance.change(performance.steering, 80)
    for token in range(80, 160):
        performance.row(token)
        tell(performance, "a", begin=token + 1)
    assert [notice.what for notice in notices] == ["anger", "joy", "joy"]


@pytest.mark.parametrize(
    ("schedule", "reached"),
    [
        ({"ramp": [0, 4], "over": 1, "max": 3}, 3),  # higher than the ceiling, as was asked
        ({"ramp": [0, 4], "over": 1, "max": 0.5}, 0.5),
        ({"ramp": [0, 4], "over": 1}, 2),
        (1.5, 1.5),
    ],
)
def test_max_stands_in_for_the_ceiling(schedule: Any, reached: float) -> None:
    notices: list[Notice] = []
    performance = perform({"joy": schedule}, vectors=LIMITED, notices=notices)
    assert performance.row(1)[1][1] == reached
    assert bool(notices) == (reached == 2)


def sizes(performance: Performance, n: int) -> list[float]:
    steering = performance.steering
    core, layers = steering.vectors.core, (steering.first, steering.last)
    return [core.size(row, *layers) for row in applied(performance, n)]


def data_of(vectors: SteeringVectors) -> np.ndarray:
    """float32 (n_emotion, n_layer, n_embd), what intensity 1 adds."""
    last = vectors.emotions.n_layer - 1
    return np.array([vectors.bank.blend(row, 0, last) for row in np.eye(3, dtype=np.float32)])


def test_the_whole_mix_is_held_at_the_largest_size_of_one() -> None:
    notices: list[Notice] = []
    performance = perform({"joy": 2.0, "anger": 1.0}, vectors=ALL_LIMITED, notices=notices)
    alone = sizes(perform({"joy": 2.0}, vectors=ALL_LIMITED), 1)
    assert sizes(performance, 1) == pytest.approx(alone)
    row = performance.row(0)[1]
    assert row[1] / row[0] == pytest.approx(2)  # the same mix, less of it
    assert [notice.what for notice in notices] == ["$max"]
    assert not perform({"joy": 2.0}, vectors=ALL_LIMITED).steering.notices()


@laws
@given(
    st.dictionaries(st.sampled_from((*NAMES, "base")), st.floats(-50, 50), min_size=1),
    st.floats(0, 5),
    st.sampled_from(["stored", "relative"]),
    st.sampled_from(["sum", "shared-once"]),
)
def test_max_of_the_mix_is_kept(
    asked: dict[str, float], most: float, dose: str, blend: str
) -> None:
    mood = {**asked, "$max": most, "$dose": dose, "$blend": blend}
    smallest = np.finfo(np.float32).smallest_normal  # rounding is coarser below
    assert sizes(perform(mood), 1)[0] <= most * (1 + 1e-6) + smallest


ALL = (1.0, 2.0, 1.5)
NEVER = (None, None, None)


@pytest.mark.parametrize(
    ("mood", "ceiling", "residual", "noticed"),
    [
        ({"joy": 9, "anger": 9}, ALL, None, {"joy", "anger", "$max"}),
        ({"joy": 9, "anger": -9}, (1.0, 2.0, None), None, {"joy", "anger"}),
        ({"joy": {"constant": 9, "max": 3}}, ALL, None, set()),
        ({"base": {"constant": 9, "max": 3}, "$max": 0.5}, NEVER, None, {"$max"}),
        ({"joy": 9, "$max": 100}, ALL, None, {"joy"}),
        ({"joy": 1, "$max": 0}, NEVER, None, {"$max"}),
        ({"joy": 1, "sadness": 1}, NEVER, (0.0, 5.0, 9.0, 0.0), {"joy", "sadness", "$max"}),
        ({"joy": 1, "anger": 1}, (1.0, None, 1.0), RESIDUAL, {"joy", "$max"}),
        ({"joy": {"constant": 9, "max": 3}}, NEVER, RESIDUAL, set()),
        ({"joy": 1, "$max": 2}, NEVER, RESIDUAL, set()),
        ({"base": 1}, NEVER, RESIDUAL, {"$max"}),
    ],
)
def test_of_what_something_is_taken_away(
    mood: dict[str, Any], ceiling: Any, residual: Any, noticed: set[str]
) -> None:
    evs = replace(emotions(ceiling), measurement=Measurement(residual_rms=residual))
    notices: list[Notice] = []
    perform(mood, vectors=SteeringVectors.of(evs), notices=notices).row(0)
    assert {notice.what for notice in notices} == noticed


def test_max_of_the_mix_may_be_higher_than_the_default() -> None:
    free = perform({"joy": 2.0, "anger": 1.0, "$max": 100}, vectors=ALL_LIMITED)
    assert free.row(0)[1].tolist() == [1, 2, 0]


GUESSED = SteeringVectors.of(emotions(ceiling=(1.0, None, None)))


@pytest.mark.parametrize("dose", ["stored", "relative"])
@pytest.mark.parametrize("site", ["layer_out", "attn_out"])
def test_what_was_never_calibrated_adds_a_safe_part_of_the_hidden_state(
    dose: str, site: Site
) -> None:
    vectors = SteeringVectors.of(GUESSED.emotions, site=site)
    notices: list[Notice] = []
    performance = perform({"joy": 2.0, "$dose": dose}, vectors=vectors, notices=notices)
    _, row = performance.row(0)
    steering = performance.steering
    added = row[1] * data_of(steering.vectors)[1, vectors.first_layer :].astype(np.float64)
    shares = np.sqrt(np.square(added).mean(axis=1)) / RESIDUAL[vectors.first_layer :]
    assert shares.sum() == pytest.approx(SAFE_SUM)
    assert [notice.what for notice in notices] == ["joy"]
    assert "never calibrated; 2 was asked for (llamood calibrate" in notices[0].text


@pytest.mark.parametrize(
    "mood",
    [
        {"joy": {"constant": 2, "max": 3}},  # whoever says a limit keeps it
        {"joy": 2, "$max": 9},
        {"anger": 1, "joy": {"ramp": [0, 2], "over": 3, "max": 2}, "$max": 9},
        {"joy": -0.005},
    ],
)
def test_a_limit_that_is_said_stands_in_for_the_safe_one(mood: dict[str, Any]) -> None:
    notices: list[Notice] = []
    performance = perform(mood, vectors=GUESSED, notices=notices)
    for token in range(5):
        asked, row = performance.row(token)
        assert row.tolist() == asked.tolist()
    assert not notices


def test_where_nothing_is_known_of_hidden_states_nothing_is_held() -> None:
    evs = replace(GUESSED.emotions, measurement=Measurement())
    assert perform({"joy": 2}, vectors=SteeringVectors.of(evs)).row(0)[1][1] == 2
    learnt = SteeringVectors.of(evs, residual_rms=RESIDUAL)
    np.testing.assert_array_equal(learnt.ceilings, GUESSED.ceilings)
    np.testing.assert_array_equal(data_of(learnt.relative), data_of(GUESSED.relative))


def test_a_limit_takes_hold_before_inertia() -> None:
    """So that what is felt moves to the limit, and never jumps there."""
    performance = perform({"joy": 9, "$inertia": 1}, vectors=LIMITED)
    assert applied(performance, 3)[:, 1].tolist() == [1, 1.5, 1.75]


# -- doses ----------------------------------------------------------------------------------


def test_relative_is_a_share_of_the_hidden_state_in_each_layer() -> None:
    data = data_of(VECTORS.relative)
    rms = np.sqrt(np.square(data, dtype=np.float64).mean(axis=2))
    np.testing.assert_allclose(rms, np.tile(RESIDUAL, (3, 1)), rtol=1e-6)
    unit = data / np.linalg.norm(data, axis=2, keepdims=True)
    stored = data_of(VECTORS) / np.linalg.norm(data_of(VECTORS), axis=2, keepdims=True)
    np.testing.assert_allclose(unit, stored, atol=1e-6)


def test_ceilings_are_as_strong_in_either_dose() -> None:
    relative = LIMITED.relative
    of_vector = np.sqrt(np.square(data_of(LIMITED)[0], dtype=np.float64).mean(axis=1))
    expected = np.sqrt(np.mean(np.square(1.0 * of_vector / RESIDUAL)))
    assert relative.ceilings[0] == pytest.approx(expected)


def test_relative_needs_to_know_the_hidden_states() -> None:
    unknown = SteeringVectors.of(replace(emotions(), measurement=Measurement()))
    with pytest.raises(MoodError, match="relative needs the residual RMS") as caught:
        Steering(Mood({"joy": 0.1, "$dose": "relative"}), unknown)
    assert caught.value.where == "$dose"
    assert Steering(Mood({"joy": 0.1}), unknown).still is not None


def test_a_vector_of_zeros_is_nothing_in_any_dose() -> None:
    data = emotions().data.copy()
    data[1] = 0
    vectors = SteeringVectors.of(EmotionVectors(NAMES, data, Measurement(residual_rms=RESIDUAL)))
    assert not data_of(vectors.relative)[1].any()
    performance = perform({"joy": 1, "$dose": "relative", "$inertia": 2}, vectors=vectors)
    assert np.isfinite(performance.after(3)).all()


def test_size_counts_layers_alike_and_one_vector_as_one() -> None:
    def alone(vectors: SteeringVectors, first: int, *, weight: float = 1.0) -> np.ndarray:
        return np.array([vectors.core.size(row, first, 3) for row in weight * np.eye(3)])

    assert alone(VECTORS, 0) == pytest.approx(np.ones(3), abs=0.3)
    assert np.square(alone(VECTORS, 0)).mean() == pytest.approx(1)
    assert alone(VECTORS, 2, weight=2.5) == pytest.approx(2.5 * alone(VECTORS, 2))
    louder = emotions().data.copy()
    louder[:, 3] *= 100
    other = SteeringVectors.of(EmotionVectors(NAMES, louder))
    assert alone(other, 0) == pytest.approx(alone(VECTORS, 0))


# -- how much of what reads fluently -----------------------------------------------------------


@pytest.mark.parametrize(
    ("mood", "expected"),
    [
        ({}, 0.0),
        ({"joy": 0.5}, 0.5),
        ({"joy": -1.0}, 1.0),
        ({"joy": {"constant": 3.0, "max": 9}, "$max": 9}, 3.0),
        ({"joy": 0.6, "anger": 0.4, "$max": 9}, np.hypot(0.6, 0.2)),
        ({"joy": 0.5, "$dose": "relative", "$max": 9}, None),  # see below
    ],
)
def test_an_overdose_is_how_many_times_the_ceiling(
    mood: dict[str, Any], expected: float | None
) -> None:
    vectors = SteeringVectors.of(emotions(ceiling=(2.0, 1.0, 1.0)))
    performance = perform(mood, vectors=vectors)
    if expected is None:
        expected = 0.5 / vectors.relative.ceilings[NAMES.index("joy")]
    assert performance.overdose(0) == performance.overdose(7) == pytest.approx(expected)
    performance.soften(5, 0.25)
    assert performance.overdose(4) == pytest.approx(expected)
    assert performance.overdose(5) == pytest.approx(expected / 4)


def test_an_overdose_moves_with_the_mood() -> None:
    vectors = SteeringVectors.of(emotions(ceiling=(1.0, 1.0, 1.0)))
    ramp = {"joy": {"ramp": [0, 4], "over": 8, "max": 9}, "$max": 9}
    performance = perform(ramp, vectors=vectors)
    assert [performance.overdose(at) for at in (0, 2, 8, 99)] == pytest.approx([0, 1, 4, 4])


def test_of_vectors_that_no_one_measured_an_overdose_is_not_known() -> None:
    vectors = replace(emotions(ceiling=(None,) * 3), measurement=Measurement())
    assert perform({"joy": 3.0}, vectors=SteeringVectors.of(vectors)).overdose(0) is None
    known = perform(
        {"joy": {"constant": 50, "max": 99}, "$max": 99},
        vectors=SteeringVectors.of(emotions()),
    )
    guessed = SteeringVectors.of(emotions(ceiling=(None,) * 3))
    uncalibrated = perform({"joy": {"constant": 50, "max": 99}, "$max": 99}, vectors=guessed)
    assert known.overdose(0) == pytest.approx(0.05)
    assert uncalibrated.overdose(0) == pytest.approx(50 / guessed.ceilings[1])


def test_of_fewer_layers_more_reads_fluently() -> None:
    vectors = SteeringVectors.of(emotions(ceiling=(1.0, 1.0, 1.0)))
    everywhere = vectors.core.fluent(1, 3)
    parts = [vectors.core.fluent(layer, layer) for layer in (1, 2, 3)]
    assert np.allclose(everywhere, 1.0)
    assert all((part > 1).all() for part in parts)
    assert np.allclose(sum(1 / part for part in parts), 1.0)
    assert np.isinf(vectors.core.fluent(0, 0)).all()  # nothing is added there
