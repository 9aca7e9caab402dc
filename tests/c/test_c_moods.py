"""Moods of the C library: the weights that Python finds, and the faults that it finds, at the same
places."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_mood import BAD_FILES, BAD_MOODS
from test_notation import BAD_JSON, json_values

from c_library import Library, Refused, library
from llamood.errors import MoodError
from llamood.moods import short_form
from llamood.moods.mood import Mood, Rows
from llamood.moods.personality import SHIPPED, Personality
from schedules import MOODS, WRITTEN, schedules

NAMES = ("anger", "fear", "joy", "sadness")
EKMAN = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
N = 150
laws = settings(deadline=None, max_examples=200)


@pytest.fixture(scope="module")
def c() -> Library:
    return library()


def written(mood: Any) -> bytes:
    return json.dumps(mood).encode()


def assert_same_rows(c: Library, mood: dict[str, Any], n: int = N) -> None:
    expected = Mood(mood).rows(n, NAMES)
    found = c.rows(written(mood), n, NAMES)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


HELD = "only while somebody speaks in it"


# -- weights -----------------------------------------------------------------------------------


@st.composite
def moods(draw: st.DrawFn) -> dict[str, Any]:
    felt = st.floats(-1000, 1000) | schedules()
    mood: dict[str, Any] = draw(st.dictionaries(st.sampled_from((*NAMES, "base")), felt))
    others = {
        "valence": st.floats(-1, 1) | st.just({"ramp": [0, -0.5], "over": 9}),
        "arousal": st.floats(-1, 1),
        "$blend": st.sampled_from(["sum", "shared-once"]),
        "$dose": st.sampled_from(["stored", "relative"]),
        "$positions": st.sampled_from(["generated", "all"]),
        "$layers": st.tuples(st.integers(0, 200), st.integers(0, 200)).map(sorted),
        "$inertia": st.floats(0.1, 100),
        "$max": st.floats(0, 10),
    }
    mood |= {key: draw(values) for key, values in others.items() if draw(st.booleans())}
    return Mood(mood).to_dict()


@pytest.mark.slow
@laws
@given(mood=moods())
def test_rows_are_those_of_python(mood: dict[str, Any]) -> None:
    assert_same_rows(library(), mood)


@pytest.mark.parametrize("schedule", [schedule for schedule, _, _ in WRITTEN])
def test_every_kind_has_the_rows_of_python(c: Library, schedule: Any) -> None:
    mood = {"joy": schedule, "anger": 0.5}
    if Mood(mood).holds:
        with pytest.raises(Refused, match=HELD):
            c.rows(written(mood), N, NAMES)
    else:
        assert_same_rows(c, mood)


RISES = {"ramp": [0, 1], "over": 3}


@pytest.mark.parametrize("longer", [{"sum": [RISES, 0.5]}, {"product": [2, RISES]}])
def test_a_constant_beside_it_makes_no_schedule_longer(c: Library, longer: Any) -> None:
    assert_same_rows(c, {"joy": {"then": [longer, -1]}, "anger": {"repeat": longer}})


@pytest.mark.parametrize("mood", MOODS)
def test_moods_as_they_are_documented(c: Library, mood: dict[str, Any]) -> None:
    if Mood(mood).holds:
        with pytest.raises(Refused, match=HELD):
            c.rows(written(mood), N, NAMES)
    else:
        assert_same_rows(c, mood)


def test_names_are_found_among_those_at_hand(c: Library) -> None:
    for names in (NAMES, ("base", "joy"), ()):
        for mood in ({"sadnes": 0}, {"base": 1}, {"joy": 1}, {}):
            said = rows_or_refusal(lambda mood=mood, names=names: Mood(mood).rows(2, names))
            assert said == rows_or_refusal(lambda m=mood, n=names: c.rows(written(m), 2, n))


def rows_or_refusal(rows: Callable[[], Rows]) -> Any:
    try:
        return rows().tolist()
    except (MoodError, Refused) as refusal:
        return str(refusal)


# -- faults ------------------------------------------------------------------------------------

# As Python names what JSON calls otherwise.
JSON_WORDS = (("found a bool", "found true"), ("found a bool", "found false"))
JSON_WORDS += (("found a dict", "found an object"),)


def is_written(value: Any) -> bool:
    """Whether JSON can hold it: no complex numbers, no keys that are no texts."""
    try:
        return bool(json.loads(json.dumps(value)) == value or "nan" in repr(value))
    except TypeError:
        return False


def assert_refused_alike(c: Library, text: bytes, where: str, fault: str) -> None:
    said = c.refusal(text)
    assert said is not None
    place = f"mood at {where!r}: " if where else "mood: "
    assert said.startswith(place)
    faults = {fault, *(fault.replace(one, other) for one, other in JSON_WORDS)}
    # JSON has neither NaN nor infinity, so these are found before anything else is.
    not_numbers = {"found nan", "found inf", "found -inf"}
    if any(each in fault for each in not_numbers):
        assert "a finite number was expected, found" in said
    else:
        assert any(each in said for each in faults)


@pytest.mark.parametrize(
    ("schedule", "where", "fault"), [each for each in BAD_JSON if is_written(each[0])]
)
def test_a_bad_schedule_is_refused_at_its_place(
    c: Library, schedule: Any, where: str, fault: str
) -> None:
    inside = MoodError(where, fault).within("joy").where
    assert_refused_alike(c, written({"joy": schedule}), inside, fault)


@pytest.mark.parametrize(
    ("mood", "where", "fault"), [each for each in BAD_MOODS if is_written(each[0])]
)
def test_a_bad_mood_is_refused_at_its_place(c: Library, mood: Any, where: str, fault: str) -> None:
    assert_refused_alike(c, written(mood), where, fault)


@pytest.mark.parametrize(("content", "fault"), BAD_FILES)
def test_bad_text_is_refused(c: Library, content: bytes, fault: str) -> None:
    said = c.refusal(content)
    assert said is not None
    assert said.startswith("mood")
    if "twice" in fault:
        assert fault in said


@pytest.mark.slow
@settings(deadline=None, max_examples=500)
@given(written_=json_values)
@example({"then": [{"ramp": [0, 1], "over": 5}, 1], "max": 10**400})
def test_any_schedule_is_taken_or_refused_as_in_python(written_: Any) -> None:
    c, text = library(), written({"joy": written_})
    try:
        Mood({"joy": written_})
    except MoodError:
        assert c.refusal(text)
        return
    assert not c.refusal(text)


VALID = [
    b'{"joy": {"on": "be\\"tr\\u00e4y", "pulse": 1.5, "release": 40, "max": 2}, "base": -1e-1}',
    b'{"joy": {"then": [{"keys": [[0, 0], [9, 1.2]], "ease": "smooth"}, 0.5], "after": 12}}',
    b'{"a b": {"sum": [{"drift": 0, "spread": 1, "return": 9, "seed": 7}, 1, {"constant": 2}]}}',
    b'{"joy": 1, "$blend": "shared-once", "$layers": [8, 20], "$inertia": 30, "$max": 1.5}',
]
BITS = (b'"', b"{", b"}", b"[", b"]", b",", b":", b"0", b"-", b"1e9", b"NaN", b"null", b"\xff")
BITS += (b"\\u0000", b"\\ud800", b"\x00", b"\xc3", b"joy", b"max", b" ", b"true", b"9" * 400)


def read_by_python(text: bytes) -> Mood | None:
    """None where it is refused."""
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=short_form.unique)
        return Mood(value) if isinstance(value, dict) else None
    except (ValueError, RecursionError):
        return None


@settings(deadline=None, max_examples=500)
@given(st.sampled_from(VALID), st.data())
def test_damaged_text_is_taken_or_refused_as_in_python(text: bytes, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(begin, min(begin + 9, len(text))))
        text = text[:begin] + data.draw(st.sampled_from([b"", *BITS])) + text[end:]
    text = text.split(b"\0")[0]  # where a text in C ends
    said, mood = library().refusal(text), read_by_python(text)
    if mood is None:
        assert said is not None
        assert said.isprintable()
        assert said.startswith("mood")
    else:
        assert said is None


# Which characters have been assigned depends on the version of Unicode.
names = st.text(min_size=1, max_size=5).filter(
    lambda name: all(unicodedata.category(char) not in ("Cn", "Cs") for char in name)
)


@laws
@given(name=names)
@example("\u200b")
@example("\u3000")
@example("joy ")
def test_a_name_is_taken_or_refused_as_in_python(name: str) -> None:
    assert library().refusal(written({name: 1})) == refusal_of({name: 1})


def refusal_of(mood: dict[str, Any]) -> str | None:
    try:
        Mood(mood)
    except MoodError as error:
        return str(error)
    return None


def test_hostile_text_is_refused(c: Library) -> None:
    for text, fault in [
        (b"[" * 10_000_000, "longer than 64 KiB"),
        (b'{"joy": "' + b"x" * 10_000_000 + b'"}', "longer than 64 KiB"),
        (b"[" * 60_000, "nested 100 deep or less"),
        (b'{"a":' * 10_000, "nested 100 deep or less"),
        (b'{"joy": {"keys": [' + b"[0,1]," * 9_000 + b"[1,1]]}}", "1 to 1000 pairs"),
        (b'{"joy": {"sum": [' + b"0," * 30_000 + b"0]}}", "at most 1000 schedules"),
        (b"{" + b",".join(b'"%d":1' % i for i in range(7_000)) + b',"5":1}', "given twice"),
        (b'{"joy": {"on": "' + b"\xf0\x9f\x98\x80" * 201 + b'", "constant": 1}}', "1 to 200"),
        (b'{"joy": ' + b"-" * 60_000, "not JSON"),
        (b'{"joy": "' + b"\xff" * 60_000, "not JSON"),
        (b'{"joy": 1}' + b" " * 64_000 + b"x", "not JSON"),
        (b'{"' + b"j" * 60_000 + b'\\n": 1}', "an emotion's name is printable"),
    ]:
        said = c.refusal(text)
        assert said is not None
        assert fault in said
        assert len(said) < 600


def test_as_much_as_is_allowed_is_taken(c: Library) -> None:
    keys = [[token, token % 2] for token in range(1000)]
    assert_same_rows(c, {"joy": {"keys": keys, "ease": "smooth"}}, 1010)
    assert_same_rows(c, {"joy": {"sum": [0.5] * 999}}, 2)
    many = {f"n{i}": 1 for i in range(5_000)}
    assert c.refusal(written(many)) is None


# -- personalities -----------------------------------------------------------------------------


def test_personalities_are_those_of_python(c: Library, tmp_path: Path) -> None:
    (tmp_path / "plain.json").write_text('{"joy": 0.5}')
    paths = [*SHIPPED.glob("*.json"), tmp_path / "plain.json"]
    for path in paths:
        known = Personality.load(path)
        with c.personality(path) as (mood, system):
            assert system == known.system
            found = c.rows_of(mood, 30, EKMAN)
        expected = Mood(known.mood).rows(30, EKMAN)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (
            {"mood": {"joy": []}, "system": "x"},
            "a.json: mood at 'mood.joy': a number or a schedule",
        ),
        ({"joy": []}, "a.json: mood at 'joy': a number or a schedule"),
        ({"mood": {}, "sistem": "x"}, "mood at 'sistem': unknown; a personality has about, system"),
        ({"mood": {}, "system": 3}, "mood at 'system': a text was expected, found 3"),
        ({"joy": 0.5, "anger": " " * 70_000}, "a.json"),
    ],
)
def test_files_that_are_no_personalities_are_refused(
    c: Library, tmp_path: Path, content: Any, fault: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content))
    with pytest.raises(Refused, match=re.escape(fault)), c.personality(path):
        pass
    path.unlink()
    with pytest.raises(Refused, match="cannot be read"), c.personality(path):
        pass
