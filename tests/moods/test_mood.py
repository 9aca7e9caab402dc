"""A mood: what is accepted, what is refused and how, and what its weights add up to."""

from __future__ import annotations

import copy
import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from llamood.errors import FileError, MoodError
from llamood.moods.mood import Mood, affect
from llamood.moods.notation import FUNCTIONS
from llamood.moods.shapes import Constant as constant  # noqa: N813
from llamood.moods.shapes import Ramp, Wave
from schedules import MOODS, schedules

NAMES = ("anger", "fear", "joy", "sadness")
N_LAYER, N_EMBD = 3, 8

weights = st.floats(-4, 4, allow_subnormal=False).map(lambda w: round(w, 6))
any_weight = st.floats(-1000, 1000)
emotion_names = st.text(min_size=1, max_size=12).filter(
    lambda name: (
        name.isprintable()
        and name == name.strip()
        and name[0] not in "@$"
        and not set(name) & set(",=()")
        and name not in ("valence", "arousal", "dominance")
    )
)


@st.composite
def moods(draw: st.DrawFn, names: st.SearchStrategy[str] = emotion_names) -> Mood:
    felt = st.one_of(any_weight, schedules())
    written: dict[str, Any] = draw(st.dictionaries(names, felt, max_size=5))
    settings = {
        "valence": st.floats(-1, 1),
        "arousal": st.just(Wave(-0.5, 0.5, period=9)),
        "$blend": st.sampled_from(["sum", "shared-once"]),
        "$positions": st.sampled_from(["generated", "all"]),
        "$layers": st.tuples(st.integers(0, 200), st.integers(0, 200)).map(sorted),
        "$dose": st.sampled_from(["stored", "relative"]),
        "$inertia": st.floats(0.1, 100),
        "$max": st.floats(0, 10),
    }
    for key, values in settings.items():
        if draw(st.booleans()):
            written[key] = draw(values)
    return Mood(written)


def vectors(n_emotion: int = len(NAMES)) -> np.ndarray:
    """Float64 (n_emotion, n_layer * n_embd): mostly one shared direction, as real ones are."""
    rng = np.random.default_rng(n_emotion)
    shape = (n_emotion, N_LAYER * N_EMBD)
    return rng.standard_normal(shape[1]) * 3 + rng.standard_normal(shape)


# What is accepted


def test_nothing_given_is_neutral() -> None:
    for mood in (Mood(), Mood({}), Mood(None), Mood.of(None), Mood.parse(""), Mood.parse(" ")):
        assert mood.is_neutral
        assert mood == Mood()
        assert mood.to_dict() == {}
        assert not mood.row(NAMES).any()


def test_all_ways_of_writing_make_the_same_value() -> None:
    mood = Mood(joy=0.8, sadness=0.2)
    others = [
        Mood({"sadness": 0.2, "joy": 0.8}),
        Mood({"joy": 0.8}, sadness=0.2),
        Mood.parse("joy=0.8,sadness=0.2"),
        Mood.parse(" joy = 0.8 , sadness = 2e-1 "),
        Mood.of("joy=0.8,sadness=0.2"),
        Mood.of({"joy": 0.8}, sadness=0.2),
        Mood.of(Mood(joy=0.8), sadness=0.2),
        Mood.of(mood),
        Mood({"joy": 0.8, "sadness": 0.2, "$blend": "sum", "$positions": "generated"}),
    ]
    for other in others:
        assert other == mood
        assert hash(other) == hash(mood)
    assert mood.emotions == {"joy": constant(0.8), "sadness": constant(0.2)}
    assert not mood.is_neutral


def test_settings_are_read() -> None:
    said = {"$blend": "shared-once", "$positions": "all", "$layers": (8, 20)}
    more = {"$dose": "relative", "$inertia": 30, "$max": 1.5}
    mood = Mood({**said, **more}, joy=1)
    assert (mood.blend, mood.positions, mood.layers) == ("shared-once", "all", (8, 20))
    assert (mood.dose, mood.inertia, mood.max) == ("relative", 30.0, 1.5)
    short = (
        "joy=1,$blend=shared-once,$positions=all,$layers=8:20,$dose=relative,$inertia=30,$max=1.5"
    )
    assert mood == Mood.parse(short)
    assert mood.to_short() == short
    for key in (*said, *more):
        assert Mood({k: v for k, v in mood.to_dict().items() if k != key}) != mood


def test_numbers_of_every_kind_become_floats() -> None:
    mood = Mood(a=1, b=np.float32(0.5), c=np.int64(-2), d=-0.0)
    written = mood.to_dict()
    assert all(type(weight) is float for weight in written.values())
    assert written == {"a": 1.0, "b": 0.5, "c": -2.0, "d": 0.0}
    assert str(written["d"]) == "0.0"


def test_a_mood_does_not_change() -> None:
    given_weights = {"joy": 1.0}
    mood = Mood(given_weights)
    given_weights["joy"] = 2.0
    mood.to_dict()["joy"] = 2.0
    mood.row(NAMES)[:] = 7
    with pytest.raises(AttributeError):
        mood.blend = "shared-once"  # type: ignore[misc]
    with pytest.raises(TypeError):
        mood.emotions["joy"] = 2.0  # type: ignore[index]
    assert mood == Mood(joy=1.0)


@given(moods())
def test_every_form_leads_back(mood: Mood) -> None:
    assert Mood(mood.to_dict()) == mood
    assert Mood(json.loads(json.dumps(mood.to_dict()))) == mood
    assert Mood.parse(mood.to_short()) == mood
    assert eval(repr(mood), {"Mood": Mood, **FUNCTIONS}) == mood
    assert copy.deepcopy(mood) == mood
    assert pickle.loads(pickle.dumps(mood)) == mood


# What is refused


BAD_MOODS: list[tuple[Any, str, str]] = [
    ({"joy": {"ramp": [0, 1]}}, "joy", "over is missing"),
    ({"joy": {"hold": 20.5}}, "joy.hold", "a number between -20 and 20 was expected"),
    ({"joy": {"hold": {"ramp": [0, 1], "over": 8}}}, "joy.hold", "a number was expected"),
    ({"valence": {"hold": 0.5}}, "valence", "no axis of affect is read"),
    ({"valence": {"hold": 0.5, "max": 0.5}}, "valence", "no axis of affect is read"),
    ({"joy": {"ramp": [0, "1"], "over": 9}}, "joy.ramp[1]", "found '1'"),
    ({"joy": [1]}, "joy", "a number or a schedule was expected, found a list"),
    ({"joy": "1"}, "joy", "a number or a schedule was expected, found '1'"),
    ({"joy": None}, "joy", "a number or a schedule was expected, found null"),
    ({"joy": True}, "joy", "a number or a schedule was expected, found a bool"),
    ({"joy": np.bool_(True)}, "joy", "a number or a schedule was expected, found a bool"),
    ({"joy": 1j}, "joy", "a number or a schedule was expected, found a complex"),
    ({"joy": float("nan")}, "joy", "found nan"),
    ({"joy": float("-inf")}, "joy", "found -inf"),
    ({"joy": 1000.5}, "joy", "between -1000 and 1000 was expected, found 1000.5"),
    ({"joy": 10**400}, "joy", "found a huge number"),
    ({"valence": 1.5}, "valence", "lies between -1 and 1, found 1.5"),
    ({"arousal": {"ramp": [-2, 0], "over": 9}}, "arousal", "lies between -1 and 1, found -2"),
    ({"dominance": None}, "dominance", "a number or a schedule was expected, found null"),
    ({"$color": 30}, "$color", "known are $blend, $dose, $inertia, $layers, $max, $positions"),
    ({"$inertia": 0}, "$inertia", "a number between 0.01 and 1e+06"),
    ({"$inertia": "30"}, "$inertia", "a number was expected, found '30'"),
    ({"$dose": "absolute"}, "$dose", "stored or relative was expected"),
    ({"$max": -1}, "$max", "a number between 0 and"),
    ({"$max": float("nan")}, "$max", "found nan"),
    ({"$blend": "mean"}, "$blend", "sum or shared-once was expected, found 'mean'"),
    ({"$positions": ["all"]}, "$positions", "generated or all was expected, found a list"),
    ({"$layers": 8}, "$layers", "first and last layer were expected, as in [8, 20], found 8"),
    ({"$layers": [1, 2, 3]}, "$layers", "found a list"),
    ({"$layers": [1, 2.0]}, "$layers", "found 2.0 in it"),
    ({"$layers": [False, 2]}, "$layers", "found a bool in it"),
    ({"$layers": [-1, 2]}, "$layers", "found -1 in it"),
    ({"$layers": [9, 8]}, "$layers", "found the first after the last"),
    ({"": 1}, "", "an emotion's name is printable"),
    ({" joy": 1}, " joy", "an emotion's name is printable"),
    ({"@joy": 1}, "@joy", "'@' before it"),
    ({"a\nb": 1}, "a\nb", "an emotion's name is printable"),
    ({"a=b": 1}, "a=b", "no comma, equals sign or parenthesis"),
    ({3: 1}, "", "the name of an emotion was expected, found 3"),
    ([("joy", 1)], "", "emotions and weights were expected, found a list"),
]


@pytest.mark.parametrize(("written", "where", "fault"), BAD_MOODS)
def test_refused_by_place(written: Any, where: str, fault: str) -> None:
    with pytest.raises(MoodError) as caught:
        Mood.of(written)
    assert caught.value.where == where
    assert fault in caught.value.fault
    assert len(str(caught.value)) < 200


def test_an_emotion_given_twice_is_refused() -> None:
    with pytest.raises(MoodError, match="given twice"):
        Mood({"joy": 1}, joy=2)
    with pytest.raises(MoodError, match="given twice"):
        Mood.parse("joy=1,joy=1")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("joy", "joy"),
        ("joy=", "joy"),
        ("joy=much", "joy"),
        ("joy=nan", "joy"),
        ("joy=ramp(0,1.2),fear=1", "joy"),
        ("joy=ramp(0,1.2,64", "joy"),
        ("joy=ramp(0,1.2,x),fear=1", "joy.over"),
        ("joy=1,fear=on(no,pulse(1)", "fear"),
        ("valence=2", "valence"),
        ("$inertia=much", "$inertia"),
        ("$max=", "$max"),
        ("joy=1,", ""),
        ("=1", ""),
        ("@", ""),
        ("$layers=8", "$layers"),
        ("$layers=8:x", "$layers"),
        ("$layers=-8:9", "$layers"),
        ("$layers=" + "9" * 5000 + ":1", "$layers"),
        ("$blend=", "$blend"),
        ("$seed=1", "$seed"),
    ],
)
def test_short_forms_refused(text: str, where: str) -> None:
    with pytest.raises(MoodError) as caught:
        Mood.parse(text)
    assert caught.value.where == where


@pytest.mark.parametrize("text", ['5" nails', "it's", '"', "\\", '\\"', '",', "a, b", '(")', "])"])
def test_the_texts_that_start_a_schedule_may_hold_what_separates(text: str) -> None:
    started = {"on": text, "decay": 1, "half_life": 3}
    mood = Mood({"joy": started, "anger": 0.5, "$layers": [1, 2]})
    assert Mood.parse(mood.to_short()) == mood


@given(st.text(alphabet="joy=.,1()$layersbnd:@ -", max_size=30))
def test_any_short_form_is_a_mood_or_a_mood_error(text: str) -> None:
    assume(not text.strip().startswith("@"))
    try:
        mood = Mood.parse(text)
    except MoodError:
        return
    assert Mood.parse(mood.to_short()) == mood


# Files


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mood.json"
    mood = Mood({"joy": 0.5, "freude": -1, "$layers": [1, 3]})
    file.write_text(json.dumps(mood.to_dict()), encoding="utf-8")
    assert Mood.parse(f"@{file}") == mood


BAD_FILES: list[tuple[bytes, str]] = [
    (b"", "not JSON"),
    (b'{"joy": 1', "not JSON"),
    (b"\xff\xfe\xff", "not JSON"),
    (b'{"joy": ' + b"1" * 5000 + b"}", "not JSON"),
    (b"[" * 60_000, "not JSON"),
    (b"[1]", "an object was expected"),
    (b'"joy=1"', "an object was expected"),
    (b'{"joy": 1, "joy": 2}', "given twice"),
    (b'{"joy": NaN}', "found nan"),
    (b'{"joy": 1e999}', "found inf"),
    (b'{"joy": {"ramp": [0, 1]}}', "mood at 'joy'"),
    (b'{"joy": {"ramp": [0, 1], "over": 2, "over": 3}}', "mood at 'over': given twice"),
    (b'{"\\ud800": 1}', "is printable"),
    (b'{"joy": 1}' + b" " * 65_536, "larger than 64 KiB"),
]


@pytest.mark.parametrize(("content", "fault"), BAD_FILES)
def test_a_bad_file_is_one_file_error(tmp_path: Path, content: bytes, fault: str) -> None:
    file = tmp_path / "mood.json"
    file.write_bytes(content)
    with pytest.raises(FileError, match=r"mood\.json") as caught:
        Mood.parse(f"@{file}")
    assert caught.value.path == file
    assert fault in str(caught.value)


def test_what_is_no_file_is_a_file_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for ever
    for name, fault in [("none.json", "found nothing"), (".", "no file"), ("pipe", "no file")]:
        with pytest.raises(FileError, match=fault):
            Mood.parse(f"@{tmp_path / name}")
    with pytest.raises(FileError):
        Mood.parse("@nul\0byte")


# Weights


def test_row_follows_the_order_of_the_names() -> None:
    row = Mood(sadness=0.25, anger=-1).row(NAMES)
    assert row.dtype == np.float32
    assert row.tolist() == [-1, 0, 0, 0.25]
    assert Mood(sadness=0.25, anger=-1).row(NAMES[::-1]).tolist() == [0.25, 0, 0, -1]


def test_rows_follow_the_schedules() -> None:
    mood = Mood({"joy": {"ramp": [0, 1.2], "over": 4}, "fear": -0.5, "base": 0.4})
    rows = mood.rows(6, NAMES)
    assert (rows.shape, rows.dtype) == ((6, 4), np.float32)
    joy = np.array([0, 0.3, 0.6, 0.9, 1.2, 1.2])
    expected = np.column_stack([np.zeros(6), np.full(6, -0.5), joy, np.zeros(6)]) + 0.1
    np.testing.assert_allclose(rows, expected, rtol=1e-6)
    for token in range(6):
        constants = Mood(joy=joy[token], fear=-0.5, base=0.4)
        np.testing.assert_array_equal(constants.row(NAMES), rows[token])


def test_affect_is_resolved_by_what_is_published() -> None:
    names = ("anger", "joy", "pride")
    for mood in (Mood(affect(valence=0.76, arousal=0.48, dominance=0.35)), Mood(joy=1)):
        np.testing.assert_allclose(mood.row(names), [0, 1, 0], atol=0.01)
    both = Mood(affect(valence=0.76, arousal=0.48), anger=0.25)
    assert both.row(names)[0] == pytest.approx(0.25, abs=0.02)
    moving = Mood(affect(valence=Ramp(0, 0.6, over=6)))
    rows = moving.rows(7, names)
    np.testing.assert_allclose(rows, np.linspace(0, 1, 7)[:, np.newaxis] * rows[-1], atol=1e-6)
    assert affect() == {}
    with pytest.raises(MoodError, match="valence"):
        affect(valence="much")


@pytest.mark.parametrize("written", MOODS)
def test_moods_as_they_are_documented(written: dict[str, Any]) -> None:
    mood = Mood(written)
    assert not mood.is_neutral
    assert Mood(mood.to_dict()) == mood == Mood.parse(mood.to_short())


def test_a_function_is_felt_but_not_written() -> None:
    def joy(token: int) -> float:
        return token / 4

    mood = Mood(joy=joy)
    assert mood.rows(3, NAMES)[:, 2].tolist() == [0, 0.25, 0.5]
    assert "joy" in repr(mood)
    assert mood == Mood.of({"joy": joy}) != Mood(joy=lambda token: 1)
    for write in (mood.to_dict, mood.to_short):
        with pytest.raises(MoodError, match="no written form") as caught:
            write()
        assert caught.value.where == "joy"
    assert Mood.of(mood, fear=1).emotions.keys() == {"joy", "fear"}


def test_what_a_mood_is() -> None:
    assert Mood({"joy": 0, "$inertia": 3}).is_neutral
    assert not Mood({"joy": {"ramp": [0, 1], "over": 3}}).is_neutral
    assert Mood(joy=1, valence=0.5).is_constant
    assert not Mood({"joy": {"ramp": [0, 1], "over": 3}}).is_constant
    assert Mood({"joy": {"sum": [1, {"on": "no", "constant": 1}]}}).listens
    assert not Mood({"joy": {"ramp": [0, 1], "over": 3}}).listens


def test_rows_repeat_the_row() -> None:
    mood = Mood({"joy": 0.5, "fear": 0.5, "$blend": "shared-once"})
    rows = mood.rows(3, NAMES)
    assert (rows.shape, rows.dtype) == ((3, 4), np.float32)
    assert (rows == mood.row(NAMES)).all()
    assert mood.rows(0, NAMES).shape == (0, 4)


def test_an_emotion_not_at_hand_is_refused_with_the_closest() -> None:
    mood = Mood(sadnes=0)
    with pytest.raises(MoodError) as caught:
        mood.row(NAMES)
    assert caught.value.where == "sadnes"
    assert "(anger, fear, joy, sadness); did you mean 'sadness'?" in str(caught.value)
    assert "llamood emotion add MODEL sadnes --texts FILE" in str(caught.value)
    with pytest.raises(MoodError, match=r"at hand \(none\)"):
        Mood(base=1).rows(2, ())


def test_base_is_the_mean_of_all_at_hand() -> None:
    evs = vectors()
    np.testing.assert_allclose(Mood(base=2).row(NAMES) @ evs, 2 * evs.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(
        Mood(base=-1, joy=0.5).row(NAMES) @ evs, 0.5 * evs[2] - evs.mean(axis=0), rtol=1e-6
    )
    assert Mood(base=2).row(("base", "joy")).tolist() == [2, 0]


@given(st.dictionaries(st.sampled_from(NAMES), weights))
@example({"joy": 1.0, "anger": -1.0})
def test_shared_once_is_base_once_and_own_parts_weighted(asked: dict[str, float]) -> None:
    evs = vectors()
    base = evs.mean(axis=0)
    strongest = max(asked.values(), key=lambda w: (abs(w), w), default=0.0)
    expected = strongest * base
    for name, weight in asked.items():
        expected = expected + weight * (evs[NAMES.index(name)] - base)
    row = Mood({**asked, "$blend": "shared-once"}).row(NAMES)
    np.testing.assert_allclose(row @ evs, expected, atol=1e-4)


@given(st.sampled_from(NAMES), any_weight)
def test_shared_once_of_one_emotion_is_its_sum(name: str, weight: float) -> None:
    once = Mood({name: weight, "$blend": "shared-once"})
    assert once.row(NAMES).tolist() == Mood({name: weight}).row(NAMES).tolist()


@given(weights)
def test_shared_once_of_all_alike_is_one_base_and_every_own_part(weight: float) -> None:
    evs = vectors()
    base = evs.mean(axis=0)
    expected = weight * base + weight * (evs - base).sum(axis=0)
    row = Mood({**dict.fromkeys(NAMES, weight), "$blend": "shared-once"}).row(NAMES)
    np.testing.assert_allclose(row @ evs, expected, atol=1e-4)


@given(weights, weights)
def test_shared_once_takes_base_as_an_emotion_without_own_part(base: float, joy: float) -> None:
    evs = vectors()
    mean = evs.mean(axis=0)
    strongest = max((base, joy), key=lambda w: (abs(w), w))
    row = Mood({"base": base, "joy": joy, "$blend": "shared-once"}).row(NAMES)
    np.testing.assert_allclose(row @ evs, strongest * mean + joy * (evs[2] - mean), atol=1e-4)


@pytest.mark.slow
@given(moods(st.sampled_from((*NAMES, "base"))))
def test_the_order_of_writing_does_not_matter(mood: Mood) -> None:
    backwards = Mood(dict(reversed(list(mood.to_dict().items()))))
    assert backwards == mood
    np.testing.assert_allclose(backwards.row(NAMES), mood.row(NAMES), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("blend", ["sum", "shared-once"])
def test_weights_of_zero_add_nothing(blend: str) -> None:
    mood = Mood({"joy": 0.0, "fear": -0.0, "base": 0, "$blend": blend})
    assert mood.is_neutral
    row = mood.row(NAMES)
    assert row.tobytes() == np.zeros(4, np.float32).tobytes()  # no -0.0 either


@given(st.dictionaries(st.sampled_from(NAMES), weights), weights)
def test_sum_is_linear(asked: dict[str, float], factor: float) -> None:
    scaled = {name: weight * factor for name, weight in asked.items()}
    np.testing.assert_allclose(
        Mood(scaled).row(NAMES), factor * Mood(asked).row(NAMES), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("key", ["$\ud800x", "$layers\ud800"])
def test_a_setting_of_half_a_character_is_unknown(key: str) -> None:
    with pytest.raises(MoodError, match="unknown setting"):
        Mood({key: 1})
