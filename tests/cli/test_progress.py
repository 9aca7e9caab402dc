"""Progress, with a terminal and without: how far, of what, and how long it will still take."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from llamood.cli import consoles
from llamood.cli.consoles import progress, progress_in_parts
from llamood.course import Course, in_words


class Clock:
    """Stands still until it is told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Of all that is shown."""
    clock = Clock()
    monkeypatch.setattr(consoles, "Course", lambda parts: Course(parts, clock=clock))
    return clock  # type: ignore[return-value]


def test_what_is_left_follows_from_the_speed_so_far() -> None:
    clock = Clock()
    course = Course({"": 1.0}, clock=clock)
    assert course.left is None
    course.report("", 40, 100)  # of a run that was stopped
    assert (course.share, course.left) == (0.4, None)
    clock.now += 30
    course.report("", 50, 100)
    assert course.left == pytest.approx(150)
    clock.now += 30
    assert course.left == pytest.approx(300)  # nothing came of it
    course.report("", 100, 100)
    assert (course.share, course.left) == (1.0, 0.0)


def test_parts_count_by_their_weight() -> None:
    clock = Clock()
    course = Course({"asking": 30, "reading": 10}, clock=clock)
    course.report("asking", 0, 200)
    clock.now += 60
    course.report("asking", 200, 200)
    assert course.share == pytest.approx(0.75)
    assert course.left == pytest.approx(20)
    course.report("reading", 3, 6)  # three of them were there already
    assert course.share == pytest.approx(0.875)
    assert course.left == pytest.approx(60 * 0.125 / 0.75)
    course.report("reading", 0, 0)
    assert course.share == pytest.approx(1)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.2, "1 s"),
        (59.4, "60 s"),
        (59.6, "1 min"),
        (290, "5 min"),
        (3599, "1 h"),
        (4900, "1 h 22 min"),
    ],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_lines_now_and_then_without_a_terminal(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress("Asking m.gguf") as advance:
        for done in range(11):
            advance(done, 10)
            clock.now += 6
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "Asking m.gguf: 3 of 10, about 42 s left",
        "Asking m.gguf: 6 of 10, about 24 s left",
        "Asking m.gguf: 9 of 10, about 6 s left",
        "Asking m.gguf: done in 1 min",
    ]


def test_what_takes_no_time_says_nothing_without_a_terminal(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress("Asking m.gguf", keep=True) as advance:
        for done in range(11):
            advance(done, 10)
            clock.now += 1
    assert capsys.readouterr().err == ""


def test_several_parts_are_one_whole(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with progress_in_parts("Measuring m.gguf", {"asking": 30, "reading": 10}) as part:
        for name, total in (("asking", 300), ("reading", 8)):
            for quarter in range(5):
                part(name)(quarter * total // 4, total)
                clock.now += 20 if name == "asking" else 10
    assert capsys.readouterr().err.splitlines() == [
        "Measuring m.gguf, asking: 75 of 300, 19 % of the whole, about 1 min left",
        "Measuring m.gguf, asking: 150 of 300, 38 % of the whole, about 1 min left",
        "Measuring m.gguf, asking: 225 of 300, 56 % of the whole, about 47 s left",
        "Measuring m.gguf, asking: 300 of 300, 75 % of the whole, about 27 s left",
        "Measuring m.gguf, reading: 0 of 8, 75 % of the whole, about 34 s left",
        "Measuring m.gguf, reading: 4 of 8, 88 % of the whole, about 18 s left",
        "Measuring m.gguf: done in 2 min",
    ]


@pytest.mark.parametrize("keep", [True, False])
def test_a_bar_on_a_terminal(
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    keep: bool,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with progress_in_parts("Measuring", {"asking": 3, "reading": 1}, keep=keep) as part:
        part("asking")(0, 12)
        clock.now += 30
        part("asking")(12, 12)
        part("reading")(2, 4)
        part("reading")(4, 4)
    last = capsys.readouterr().err
    assert "Measuring, reading" in last
    assert "4/4" in last
    assert "30 s" in last
