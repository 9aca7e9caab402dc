"""Conversations whose mood lives on, for as long as there is room and time."""

from __future__ import annotations

from llamood.server.sessions import Sessions


def test_the_same_name_is_the_same_session() -> None:
    sessions = Sessions(most=2, seconds=10, now=lambda: 0.0)
    assert sessions.get("a") is sessions.get("a")
    assert sessions.get("a") is not sessions.get("b")


def test_the_one_not_asked_for_the_longest_makes_room() -> None:
    sessions = Sessions(most=2, seconds=10, now=lambda: 0.0)
    first, second = sessions.get("a"), sessions.get("b")
    assert sessions.get("a") is first
    sessions.get("c")
    assert len(sessions) == 2
    assert sessions.get("a") is first
    assert sessions.get("b") is not second


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
