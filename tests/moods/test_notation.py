"""How schedules are written: each form gives the same schedule again, and faults have a place."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llamood.errors import MoodError
from llamood.moods.composition import Max
from llamood.moods.notation import (
    FUNCTIONS,
    METHODS,
    from_json,
    parse,
    to_json,
    to_python,
    to_short,
)
from llamood.moods.parameters import parameters
from llamood.moods.schedule import Schedule
from llamood.moods.shapes import Constant, Decay, Drift, Keys, Pulse, Ramp, Wave
from llamood.moods.triggers import Custom, Hold, On
from schedules import MOODS, WRITTEN, schedules

check = settings(deadline=None, max_examples=150)


@pytest.mark.parametrize(("written", "python", "short"), WRITTEN)
def test_one_schedule_in_three_forms(written: Any, python: str, short: str) -> None:
    schedule = from_json(written)
    assert to_json(schedule) == written
    assert repr(schedule) == to_python(schedule) == python
    assert to_short(schedule) == short
    assert parse(short) == parse(python) == eval(python, dict(FUNCTIONS)) == schedule


@check
@given(schedules())
def test_json_form_gives_the_schedule_again(schedule: Schedule) -> None:
    assert from_json(json.loads(json.dumps(to_json(schedule)))) == schedule


@check
@given(schedules())
def test_python_form_gives_the_schedule_again(schedule: Schedule) -> None:
    assert eval(repr(schedule), dict(FUNCTIONS)) == schedule


@check
@given(schedules())
def test_short_form_gives_the_schedule_again(schedule: Schedule) -> None:
    assert parse(to_short(schedule)) == schedule
    assert parse(to_python(schedule)) == schedule


@pytest.mark.parametrize("mood", MOODS)
def test_reads_the_moods_of_the_design(mood: dict[str, Any]) -> None:
    for key, written in mood.items():
        if not key.startswith("$"):
            schedule = from_json(written)
            assert to_json(schedule) == as_kept(written)


def as_kept(written: Any) -> Any:
    """Without defaults, and with limits of readings as a text."""
    if not isinstance(written, dict):
        return written
    kept = {key: value for key, value in written.items() if (key, value) != ("ease", "linear")}
    if isinstance(kept.get("when"), dict):
        kept["when"] = " and ".join(f"{name} {limit}" for name, limit in kept["when"].items())
    return kept


def kinds_in(value: Any) -> set[str]:
    """Of a schedule and all that it is made of."""
    if isinstance(value, tuple):
        return set().union(*map(kinds_in, value))
    if not isinstance(value, Schedule):
        return set()
    return {value.kind}.union(*map(kinds_in, vars(value).values()))


def test_every_kind_is_among_the_examples() -> None:
    kinds = set().union(*(kinds_in(from_json(written)) for written, _, _ in WRITTEN))
    assert kinds == {*FUNCTIONS, *METHODS, "sum", "product"} == set(Schedule.kinds) - {"function"}


def test_each_kind_has_the_fields_of_the_table() -> None:
    for kind, cls in Schedule.kinds.items():
        if cls is Custom:
            continue
        fields = {field.name: field.default for field in dataclasses.fields(cls)}
        assert fields == {
            p.attribute: dataclasses.MISSING if p.required else p.default for p in parameters(kind)
        }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" 0.8 ", Constant(0.8)),
        ("-2e-1", Constant(-0.2)),
        ("+1", Constant(1)),
        ("ramp(0,1.2,64)", Ramp(0, 1.2, 64)),
        ("ramp(0,1.2,64,smooth)", Ramp(0, 1.2, 64, "smooth")),
        ("ramp( start = 0, end = 1.2, over = 64 )", Ramp(0, 1.2, 64)),
        ("keys([[0,0],[20,1.2]],smooth)", Keys([[0, 0], [20, 1.2]], "smooth")),
        ("keys(((0,0),(20,1.2)),ease='smooth')", Keys([[0, 0], [20, 1.2]], "smooth")),
        ('on("betray",pulse(1.5,release=40))', On("betray", Pulse(1.5, release=40))),
        ("on('betray',pulse(1.5,0,0,40))", On("betray", Pulse(1.5, release=40))),
        ("on(betray,pulse(1.5,release=40))", On("betray", Pulse(1.5, release=40))),
        ('on("return=1",1)', On("return=1", Constant(1))),
        ("on('\\'return=1',1)", On("'return=1", Constant(1))),
        ("pulse(1.5,4,8,30).then(0.2)", Pulse(1.5, 4, 8, 30).then(0.2)),
        ("0.5.then(2,3)", Constant(0.5).then(2, 3)),
        ("ramp(0,1,8)*wave(0.2,1,period=50)+0.1", Ramp(0, 1, 8) * Wave(0.2, 1, 50) + 0.1),
        ("2*(1+ramp(0,1,8))", 2 * (1 + Ramp(0, 1, 8))),
        ("2+3*4", Constant(2) + Constant(3) * 4),
        ("drift(0.6,0.2,30,7)", Drift(0.6, 0.2, 30, 7)),
        ("drift(0.6,spread=0.2,return =30)", Drift(0.6, 0.2, 30)),
        ("drift(0.6,spread=0.2,return_=30)", Drift(0.6, 0.2, 30)),
        ("hold(0.5).max(2).max(1)", Max(Hold(0.5), 1)),
        ("hold(target=-0.5)", Hold(-0.5)),
        ("decay(1,40).repeat(3,20).clamp(low=0,high=1)", Decay(1, 40).repeat(3, 20).clamp(0, 1)),
        ("+".join(["0.5"] * 999), sum([Constant(0.5)] * 998, start=Constant(0.5))),
    ],
)
def test_short_form_as_people_write_it(text: str, expected: Schedule) -> None:
    assert parse(text) == expected


def test_schedules_and_functions_may_stand_in_json() -> None:
    rising = Ramp(0, 1, 8)
    assert from_json(rising) is rising
    assert from_json({"then": [rising, 0.2]}) == rising.then(0.2)
    assert from_json({"delay": float, "by": 2}) == Custom(float).delay(2)
    assert from_json(float) == Custom(float)
    assert from_json({"on": "a", "start": rising}) == On("a", rising)


def test_a_function_shows_its_name_and_has_no_written_form() -> None:
    def rising(token: int) -> float:
        return token / 9

    names = {**FUNCTIONS, "Custom": Custom, "rising": rising}
    for schedule, text in [
        (Custom(rising), "Custom(rising)"),
        (Custom(rising) + 1, "Custom(rising) + 1"),
        (2 * Custom(rising), "constant(2) * rising"),
        (Ramp(0, 1, 8).then(rising), "ramp(0, 1, over=8).then(rising)"),
        (rising + Ramp(0, 1, 8), "rising + ramp(0, 1, over=8)"),
        (Custom(rising).delay(5), "Custom(rising).delay(5)"),
        (On("a", rising), 'on("a", rising)'),
    ]:
        assert repr(schedule) == text
        assert eval(text, names) == schedule
        for form in (to_json, to_short):
            with pytest.raises(MoodError, match="a Python function has no written form"):
                form(schedule)


def test_a_schedule_too_long_for_one_line_is_not_written_on_one() -> None:
    schedule = Keys([(token, 0.5) for token in range(1000)])
    with pytest.raises(MoodError, match="longer than 4096 characters; write it as JSON"):
        to_short(schedule)
    with pytest.raises(MoodError, match="longer than 4096 characters; write it as JSON"):
        parse(to_python(schedule))
    assert from_json(to_json(schedule)) == schedule


# -- what is refused ---------------------------------------------------------------------------

NAN, INF = float("nan"), float("inf")

BAD_JSON: list[tuple[Any, str, str]] = [
    (None, "", "a number or a schedule was expected, found null"),
    (True, "", "a number or a schedule was expected, found a bool"),
    ("0.8", "", "a number or a schedule was expected, found '0.8'"),
    ("x" * 99, "", "found 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."),
    ([0, 1], "", "a number or a schedule was expected, found a list of 2"),
    (NAN, "", "a number between -1000 and 1000 was expected, found nan"),
    (-INF, "", "found -inf"),
    (1000.5, "", "found 1000.5"),
    (10**400, "", "found a huge number"),
    ({}, "", "one of constant, ramp, decay, pulse, wave, keys, drift, sum, product, then"),
    ({}, "", "was expected, found nothing"),
    ({"hold": "0.5"}, "hold", "a number was expected, found '0.5'"),
    ({"hold": NAN}, "hold", "a number between -20 and 20 was expected, found nan"),
    ({"hold": 0.5, "pulse": 1.5}, "hold", "a whole number of tokens from 0 to 1000000"),
    ({"hold": 1, "over": 8}, "over", "unknown; hold takes on, max"),
    ({"on": "a", "hold": 0.5}, "on", "hold says what is to be read"),
    ({"on": "a", "start": {"hold": 0.5, "max": 1}}, "on", "hold says what is to be read"),
    ({"sum": [0.1, {"hold": 0.5}]}, "sum", "hold says what is to be read"),
    ({"product": [2, {"hold": 0.5, "max": 2}]}, "product", "nothing can be made of it"),
    ({"then": [{"hold": 0.5}, 1], "after": 9}, "then", "let it stand for the whole emotion"),
    ({"delay": {"delay": {"hold": 0.5}, "by": 1}, "by": 1}, "delay.delay", "alone or with a max"),
    ({"clamp": {"hold": 0.5}, "low": 0, "high": 1}, "clamp", "hold says what is to be read"),
    ({"repeat": {"hold": 0.5}, "every": 9}, "repeat", "hold says what is to be read"),
    ({"over": 8, "ease": "step"}, "", "was expected, found 'over, ease'"),
    ({"max": 2}, "", "was expected, found nothing"),
    ({"on": "a"}, "", "was expected, found nothing"),
    ({"on": "a", "start": 1, "ramp": [0, 1], "over": 8}, "ramp", "unknown; on takes start, max"),
    ({"rmap": [0, 1], "over": 8}, "rmap", "unknown; a schedule is one of constant, ramp"),
    ({"rmap": [0, 1], "over": 8}, "rmap", "did you mean 'ramp'?"),
    ({"over": 8, "Ramp": [0, 1]}, "Ramp", "did you mean 'ramp'?"),
    ({"ramp": [0, 1], "keys": [[0, 1]]}, "", "says both ramp and keys; one schedule was expected"),
    (
        {"ramp": [0, 1], "ovr": 8},
        "ovr",
        "unknown; ramp takes over, ease, on, max, floor, cap; did you mean 'over'?",
    ),
    ({"ramp": [0, 1], "over": 8, "start": 0}, "start", "unknown; ramp takes over, ease, on, max"),
    ({"drift": 0, "spread": 1, "return_": 9}, "return_", "did you mean 'return'?"),
    ({"ramp": [0, 1], 8: "over"}, "8", "unknown; ramp takes"),
    ({"ramp": [0, 1], "x" * 99: 8}, "x" * 40, "unknown; ramp takes"),
    ({"ramp": [0, 1]}, "", "over is missing; ramp cannot do without it"),
    ({"ramp": [0], "over": 8}, "ramp", "[start, end] was expected, found a list of 1"),
    ({"ramp": 1, "over": 8}, "ramp", "[start, end] was expected, found 1"),
    ({"ramp": [0, "1"], "over": 8}, "ramp[1]", "a number was expected, found '1'"),
    ({"ramp": [0, False], "over": 8}, "ramp[1]", "a number was expected, found a bool"),
    ({"ramp": [0, NAN], "over": 8}, "ramp[1]", "found nan"),
    ({"ramp": [0, None], "over": 8}, "ramp[1]", "a value was expected, found null"),
    ({"ramp": [0, 1], "over": True}, "over", "a whole number of tokens from 1 to 1000000"),
    ({"ramp": [0, 1], "over": 1e300}, "over", "found 1e+300"),
    ({"ramp": [0, 1], "over": 8, "ease": "smoth"}, "ease", "linear or smooth or step was expected"),
    ({"ramp": [0, 1], "over": 8, "ease": None}, "ease", "found null; leave the key out"),
    ({"decay": [1], "half_life": 9}, "decay", "a number was expected, found a list of 1"),
    ({"decay": {"ramp": [0, 1], "over": 8}, "half_life": 9}, "decay", "found a dict"),
    ({"pulse": 1}, "", "give it a hold or a release"),
    ({"keys": {"0": 1}}, "keys", "1 to 1000 pairs [token, intensity] were expected, found a dict"),
    ({"keys": [[0, 1], [0, 2]]}, "keys[1][0]", "a token after 0 was expected, found 0"),
    ({"keys": [[0, 1], [9, "2"]]}, "keys[1][1]", "a number was expected, found '2'"),
    ({"ramp": [0, 1], "over": 8, "max": "2"}, "max", "a number was expected, found '2'"),
    ({"ramp": [0, 1], "over": 8, "max": -1}, "max", "between 0 and 1000 was expected, found -1"),
    ({"ramp": [0, NAN], "over": 8, "max": 1, "on": "a"}, "ramp[1]", "found nan"),
    ({"on": 1, "constant": 1}, "on", "a text of 1 to 200 characters was expected, found 1"),
    ({"on": "a", "start": {"ramp": [NAN, 1], "over": 8}}, "start.ramp[0]", "found nan"),
    ({"sum": 1}, "sum", "a list of two or more schedules was expected, found 1"),
    ({"sum": [1]}, "sum", "a list of two or more schedules was expected, found a list of 1"),
    ({"sum": [1, {"ramp": [0, 1]}]}, "sum[1]", "over is missing"),
    ({"product": [1, "x"]}, "product[1]", "a number or a schedule was expected, found 'x'"),
    ({"then": [1, {"ramp": ["0", 1], "over": 8}], "after": 4}, "then[1].ramp[0]", "found '0'"),
    ({"then": [1, 2]}, "", "never ends; say after how many tokens the next begins"),
    ({"then": [1, 2], "after": None}, "after", "a value was expected, found null"),
    ({"clamp": 1, "low": 1, "high": 0}, "high", "at least 1 was expected, found 0"),
    ({"delay": {"repeat": 1, "every": 0}, "by": 1}, "delay.every", "from 1 to 1000000"),
    ({"delay": None, "by": 1}, "delay", "a number or a schedule was expected, found null"),
    ({"function": "x"}, "", "one of constant"),
    ({"sum": [900, 900]}, "sum", "can reach a size of 1800; 1000 or less was expected"),
]


@pytest.mark.parametrize(("written", "where", "fault"), BAD_JSON)
def test_bad_json_is_refused_at_its_place(written: Any, where: str, fault: str) -> None:
    with pytest.raises(MoodError) as caught:
        from_json(written)
    assert caught.value.where == where
    assert fault in caught.value.fault


NOT_UNDERSTOOD = "only numbers, texts, schedules, + and * are understood, found "

BAD_SHORT: list[tuple[str, str, str]] = [
    ("", "", "a number or a schedule was expected, as in 0.8 or ramp(0,1.2,over=64), found ''"),
    ("ramp(0,1", "", "as in 0.8 or ramp(0,1.2,over=64), found 'ramp(0,1'"),
    ("0.8 0.9", "", "found '0.8 0.9'"),
    ("joyful", "", "a number or a schedule was expected, found 'joyful'"),
    ("nan", "", "a number or a schedule was expected, found 'nan'"),
    ("'0.8'", "", "found '0.8'"),
    ("True", "", "found a bool"),
    ("-True", "", NOT_UNDERSTOOD + "'-True'"),
    ("None", "", NOT_UNDERSTOOD + "'None'"),
    ("1e999", "", "a number between -1000 and 1000 was expected, found inf"),
    ("9" * 4000, "", "found a huge number"),
    ("1j", "", NOT_UNDERSTOOD + "'1j'"),
    ("b'x'", "", NOT_UNDERSTOOD),
    ("ramp(0,1,8)-1", "", NOT_UNDERSTOOD + "'ramp(0, 1, 8) - 1'"),
    ("-ramp(0,1,8)", "", NOT_UNDERSTOOD + "'ramp(0, 1, 8)'"),
    ("-'x'", "", NOT_UNDERSTOOD),
    ("2**3", "", NOT_UNDERSTOOD + "'2 ** 3'"),
    ("1 if 1 else 2", "", NOT_UNDERSTOOD),
    ("__import__('os')", "__import__", "unknown; known are constant, ramp, decay"),
    ("(lambda: 1)()", "", NOT_UNDERSTOOD),
    ("[0.5][0]", "", NOT_UNDERSTOOD),
    ("rmap(0,1,8)", "rmap", "did you mean 'ramp'?"),
    ("sum(1,2)", "sum", "unknown; known are"),
    ("then(1,2)", "then", "unknown; known are"),
    ("ramp(0,1,8).dealy(2)", "dealy", "unknown; known after a dot are then, clamp"),
    ("ramp(0,1,8).dealy(2)", "dealy", "did you mean 'delay'?"),
    ("ramp(0,1,8).ramp(0,1,8)", "ramp", "unknown; known after a dot are"),
    ("ramp(0,1,8).over", "", NOT_UNDERSTOOD),
    ("ramp(0,1)", "", "over is missing; ramp cannot do without it"),
    ("ramp(0,over=8)", "", "end is missing"),
    ("ramp(0,1,8,step,9)", "", "ramp takes 4 values or fewer, found 5"),
    ("ramp(0,1,8,over=8)", "over", "given twice; give it once"),
    ("ramp(0,1,ovr=8)", "ovr", "unknown; ramp takes start, end, over, ease; did you mean 'over'?"),
    ("ramp(0,1,**8)", "None", "unknown; ramp takes"),
    ("ramp(*[0,1],8,9)", "ramp[0]", NOT_UNDERSTOOD),
    ("ramp(0,nan,8)", "ramp[1]", "a number was expected, found 'nan'"),
    ("ramp(0,[1],8)", "ramp[1]", "a number was expected, found a list of 1"),
    ("ramp(0,1,1.5)", "over", "found 1.5"),
    ("ramp(0,1,8,fast)", "ease", "linear or smooth or step was expected, found 'fast'"),
    ("keys([0,1])", "keys[0]", "[token, intensity] was expected, found 0"),
    ("keys([[0,1],[0,2]])", "keys[1][0]", "a token after 0 was expected, found 0"),
    ("drift(0,1,30,return=9)", "return", "given twice"),
    ("on(1,1)", "on", "a text of 1 to 200 characters was expected, found 1"),
    ("on('a',ramp(0,x,8))", "ramp[1]", "a number was expected, found 'x'"),
    ("ramp(0,1,8).then(ramp(x,1,8))", "then[1].ramp[0]", "a number was expected, found 'x'"),
    ("ramp(0,x,8).then(1)", "then[0].ramp[1]", "a number was expected, found 'x'"),
    ("(1+ramp(0,x,8)).delay(3)", "delay.sum[1].ramp[1]", "a number was expected, found 'x'"),
    ("ramp(0,1,8).max(-1)", "max", "between 0 and 1000 was expected, found -1"),
    ("wave(0,1,50).repeat()", "", "never ends; say every how many tokens it begins anew"),
    ("900+900", "sum", "can reach a size of 1800; 1000 or less was expected"),
    ("+".join("1" * 1000), "sum", "at most 1000 schedules nested 32 deep were expected"),
    ("constant(1)" + ".delay(1)" * 40, "delay." * 8 + "delay", "found 33 nested 33 deep"),
    ("-" * 4000 + "1", "", "as in 0.8 or"),
    ("~" * 4000 + "1", "", "as in 0.8 or"),
    ("1**" * 1300 + "1", "", "as in 0.8 or"),
    ("a." * 2000 + "delay(1)", "", "as in 0.8 or"),
    ("(" * 2000 + "1" + ")" * 2000, "", "as in 0.8 or"),
    ("[" * 150 + "]" * 150, "", "found a list of 1"),
    ("1" * 4097, "", "longer than 4096 characters; write it as JSON, in a file"),
    ("ramp(0,1,8)\0", "", "as in 0.8 or"),
    ("on('\ud800',1)", "", "as in 0.8 or"),
    ("on('\\ud800',1)", "on", "half of a surrogate pair"),
]


@pytest.mark.parametrize(("text", "where", "fault"), BAD_SHORT)
def test_bad_short_form_is_refused_at_its_place(text: str, where: str, fault: str) -> None:
    with pytest.raises(MoodError) as caught:
        parse(text)
    assert caught.value.where == where
    assert fault in caught.value.fault


@pytest.mark.parametrize("wrap", ["delay", "start", "sum", "max"])
def test_json_nested_without_end_is_refused(wrap: str) -> None:
    written: Any = 1
    for _ in range(5 * sys.getrecursionlimit()):
        written = {
            "delay": {"delay": written, "by": 1},
            "start": {"on": "a", "start": written},
            "sum": {"sum": [1, written]},
            "max": {"delay": written, "by": 1, "max": 1},
        }[wrap]
    with pytest.raises(MoodError, match="nested 32 deep or less"):
        from_json(written)


# -- anything at all ---------------------------------------------------------------------------

# Which characters are assigned, and so shown as they are, depends on the version of Unicode.
assigned = st.characters(exclude_categories=("Cs", "Cn"))
KEYS = ["on", "max", "start", "over", "ease", "every", "after", "by", "low", "high", "x", "\ud800"]
keys = st.sampled_from([*KEYS, "period", *(set(Schedule.kinds) - {"function"})])
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(assigned, max_size=5),
    st.sampled_from([0, 1, 5, "smooth", 10**400, "\ud800"]),
)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(keys | st.text(assigned), inner, max_size=4)
    ),
)


def read_or_refusal(read: Callable[[Any], Schedule], written: Any) -> Schedule | MoodError:
    try:
        return read(written)
    except MoodError as error:
        return error


@pytest.mark.slow
@settings(deadline=None, max_examples=500)
@given(json_values)
@example({"then": [{"ramp": [0, 1], "over": 5}, 1], "max": 10**400})
def test_any_json_is_a_schedule_or_refused(written: Any) -> None:
    read = read_or_refusal(from_json, written)
    if isinstance(read, MoodError):
        assert read.fault
        assert str(read).isprintable()
    else:
        assert from_json(to_json(read)) == read


pieces = st.sampled_from(
    [
        *FUNCTIONS,
        *(f".{name}" for name in METHODS),
        *"()[],=+*-.:\\'\"\n \0",
        *("0", "1", "0.5", "over", "return", "smooth", "nan", "lambda", "a"),
        *("\ud800", "\N{LINE SEPARATOR}"),
    ]
)


@settings(deadline=None, max_examples=500)
@given(st.text(assigned, max_size=40) | st.lists(pieces, max_size=14).map("".join))
def test_any_text_is_a_schedule_or_refused(text: str) -> None:
    read = read_or_refusal(parse, text)
    if isinstance(read, MoodError):
        assert read.fault
        assert str(read).isprintable()
    else:
        assert parse(to_short(read)) == read


def test_a_damaged_text_is_a_schedule_or_refused() -> None:
    text = 'on("be\\"tray",pulse(1.5,release=40)).then(drift(0.6,spread=0.2,return=30)*2,9)'
    assert parse(text)
    damaged = [text[:place] + text[place + n :] for place in range(len(text)) for n in (1, 2, 99)]
    read = [read_or_refusal(parse, each) for each in damaged]
    refused = [each for each in read if isinstance(each, MoodError)]
    assert len(read) / 3 < len(refused) < len(read)
    for schedule in set(read) - set(refused):
        assert parse(to_short(schedule)) == schedule


def test_the_hold_of_a_pulse_is_no_schedule() -> None:
    assert from_json({"hold": 8, "pulse": 1.5}) == Pulse(1.5, hold=8)
    assert from_json({"pulse": 1.5, "hold": 8}) == parse("pulse(1.5,hold=8)")
    with pytest.raises(MoodError, match="says both ramp and hold"):
        from_json({"ramp": [0, 1], "hold": 0.5})


def test_what_stands_beside_is_outermost() -> None:
    limited = from_json({"on": "a", "ramp": [0, 3], "over": 9, "max": 2})
    assert limited == Max(On("a", Ramp(0, 3, 9)), 2)
