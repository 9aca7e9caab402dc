"""How much of prompts is read beside those who speak."""

from __future__ import annotations

import pytest

from llamood.server.pace import FIRST, LEAST, LONGEST, MOST, Pace


def stepped(pace: Pace, *, base: float, each: float, n_said: int, n_read: int, n: int = 50) -> None:
    """Steps of a model that takes so many seconds for a batch, and for each token of a prompt."""
    for _ in range(n):
        pace.stepped(base + each * n_read, n_said=n_said, n_read=n_read)


@pytest.mark.parametrize(("base", "each"), [(0.012, 0.001), (0.003, 0.00001), (0.2, 0.004)])
def test_prompts_take_as_long_as_those_who_speak(base: float, each: float) -> None:
    pace = Pace()
    assert pace.room(is_said=True) == FIRST
    stepped(pace, base=base, each=each, n_said=1, n_read=0)
    for _ in range(20):
        stepped(pace, base=base, each=each, n_said=1, n_read=pace.room(is_said=True), n=1)
    stepped(pace, base=base, each=each, n_said=1, n_read=0, n=1)
    assert pace.room(is_said=True) * each == pytest.approx(base, rel=0.1)
    stepped(pace, base=2 * base, each=each, n_said=4, n_read=0)
    assert pace.room(is_said=True) * each == pytest.approx(2 * base, rel=0.1)


def test_where_a_few_tokens_take_longer_than_prompts_may_they_are_not_in_every_step() -> None:
    pace, rooms = Pace(), []
    stepped(pace, base=0.01, each=0.0, n_said=1, n_read=0)
    for _ in range(80):
        rooms.append(pace.room(is_said=True))
        stepped(pace, base=0.01, each=0.004, n_said=1, n_read=rooms[-1], n=1)
    assert rooms[0] == FIRST
    read = rooms[40:]
    assert {n for n in read if n} <= {LEAST, LEAST + 1}
    assert sum(read) * 0.004 == pytest.approx(len(read) * 0.01, rel=0.15)


def test_a_step_that_hung_is_not_paid_for_long() -> None:
    pace = Pace()
    stepped(pace, base=0.01, each=0.001, n_said=1, n_read=0)
    stepped(pace, base=0.01, each=0.001, n_said=1, n_read=10)
    stepped(pace, base=60.0, each=0.001, n_said=1, n_read=10, n=1)
    stepped(pace, base=0.01, each=0.0, n_said=1, n_read=0, n=int(2 * LONGEST / 0.01) + 2)
    assert pace.room(is_said=True) >= LEAST


def test_what_a_step_of_answers_takes_is_measured_again_and_again() -> None:
    pace, rooms = Pace(), []
    stepped(pace, base=2.0, each=0.0, n_said=32, n_read=0)  # 32 speak, or it hung
    for _ in range(400):
        rooms.append(min(pace.room(is_said=True), 512))  # what a batch holds
        stepped(pace, base=0.01, each=0.002, n_said=1, n_read=rooms[-1], n=1)
    assert max(rooms[300:]) <= LEAST + 1


def test_steps_that_are_not_for_all_who_speak_do_not_tell_what_those_take() -> None:
    pace = Pace()
    stepped(pace, base=0.03, each=0.001, n_said=8, n_read=0)
    for _ in range(60):
        for _ in range(2):
            pace.stepped(0.01, n_said=2, n_read=0, is_for_all=False)
        stepped(pace, base=0.03, each=0.001, n_said=8, n_read=pace.room(is_said=True), n=1)
    assert pace.room(is_said=True) * 0.001 == pytest.approx(0.03, rel=0.1)


def test_prompts_that_take_no_time_have_room() -> None:
    pace = Pace()
    stepped(pace, base=0.01, each=0.0, n_said=1, n_read=0)
    stepped(pace, base=0.01, each=0.0, n_said=1, n_read=512)
    stepped(pace, base=0.01, each=0.0, n_said=1, n_read=0, n=1)
    assert pace.room(is_said=True) >= 512


def test_what_is_learnt_while_nobody_speaks_counts() -> None:
    pace = Pace()
    assert pace.room(is_said=False) == MOST
    stepped(pace, base=0.01, each=0.001, n_said=0, n_read=500)
    assert LONGEST / 0.0011 < pace.room(is_said=False) <= LONGEST / 0.001
    assert pace.room(is_said=True) == FIRST
    stepped(pace, base=0.01, each=0.0, n_said=1, n_read=0)
    assert 8 <= pace.room(is_said=True) <= 10
