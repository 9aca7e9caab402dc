"""Conversations whose mood lives on, for as long as there is room and time."""

from __future__ import annotations

import contextlib

import pytest

from llamood.server.errors import ApiError
from llamood.server.sessions import Sessions


def test_the_same_name_is_the_same_session() -> None:
    sessions = Sessions(most=2, seconds=10, now=lambda: 0.0)
    assert sessions.get("a") is sessions.get("a")
    assert sessions.get("a") is not sessions.get("b")


def test_the_same_name_of_another_owner_is_another_session() -> None:
    sessions = Sessions(most=2, seconds=10, now=lambda: 0.0)
    assert sessions.get("a", owner="one") is sessions.get("a", owner="one")
    assert sessions.get("a", owner="one") is not sessions.get("a", owner="other")


def test_the_one_not_asked_for_the_longest_makes_room() -> None:
    now = [0.0]
    sessions = Sessions(most=2, seconds=100, kept=10, now=lambda: now[0])
    first, second = sessions.get("a"), sessions.get("b")
    now[0] = 9.0
    assert sessions.get("a") is first
    now[0] = 10.0
    sessions.get("c")
    assert len(sessions) == 2
    assert sessions.get("a") is first
    now[0] = 30.0
    assert sessions.get("b") is not second


def test_no_session_that_was_asked_for_lately_makes_room() -> None:
    now = [0.0]
    sessions = Sessions(most=2, seconds=100, kept=10, now=lambda: now[0])
    mine = [sessions.get(name, owner="one") for name in "ab"]
    with pytest.raises(ApiError, match="as many sessions as there may be") as told:
        sessions.get("c", owner="one")
    assert told.value.status_code == 429
    assert told.value.param == "llamood.session"
    assert int((told.value.headers or {})["Retry-After"]) == 10
    for number in range(100):  # of owners that nobody knows
        with contextlib.suppress(ApiError):
            sessions.get("a", owner=f"other {number}")
    assert [sessions.get(name, owner="one") for name in "ab"] == mine


def test_they_expire() -> None:
    now = [0.0]
    sessions = Sessions(most=5, seconds=10, now=lambda: now[0])
    first, second = sessions.get("a"), sessions.get("b")
    now[0] = 9.0
    assert sessions.get("a") is first
    now[0] = 10.0
    assert sessions.get("b") is not second
    assert sessions.get("a") is first
    now[0] = 100.0
    sessions.get("c")
    assert len(sessions) == 1


def test_a_name_that_nobody_was_given_is_no_session() -> None:
    now = [0.0]
    sessions = Sessions(most=5, seconds=10, now=lambda: now[0])
    mine, other = sessions.begin(owner="one"), sessions.begin(owner="one")
    assert mine is not other
    assert len(mine.name) >= 32
    assert sessions.known(mine.name, owner="one") is mine
    now[0] = 10.0
    for name, owner in ((mine.name, "one"), ("a", "one"), ("", "one")):
        with pytest.raises(ApiError, match="begin one with session: true") as told:
            sessions.known(name, owner=owner)
        assert told.value.status_code == 404
        assert told.value.code == "session_not_found"
    assert len(sessions) == 0
