"""Sessions that survive a restart of the service: ``llamood serve --sessions FOLDER``."""

from __future__ import annotations

import json
import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest
from test_server import joys
from test_server_faults import ENDLESS

import tiny_chat
from llamood.errors import FileError
from llamood.moods.mood import Mood
from llamood.server.session_folder import Kept, SessionFolder
from llamood.server.sessions import Sessions
from servers import PATIENCE, serving

SLOW = {"joy": 1.0, "$inertia": 8}
OPTIONS = ("--ctx", "128", "--voices", "1", "--sessions")


def waits(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def written(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in folder.glob("*.session")]


@pytest.mark.slow
@pytest.mark.parametrize("ends", [signal.SIGTERM, signal.SIGKILL])
def test_a_session_goes_on_after_a_restart(tmp_path: Path, ends: signal.Signals) -> None:
    folder = tmp_path / "made" / "sessions"
    with serving(tiny_chat.MODEL, *OPTIONS, folder) as server, server.client() as client:
        first, (name,) = joys(client, True, mood=SLOW)
        if ends == signal.SIGKILL:  # what was felt is on the disk a moment later
            waits(lambda: [bool(kept["felt"]) for kept in written(folder)] == [True])
        server.process.send_signal(ends)
        server.process.wait(PATIENCE)
    (path,) = folder.iterdir()
    assert path.stat().st_mode & 0o077 == 0
    with serving(tiny_chat.MODEL, *OPTIONS, folder) as server, server.client() as client:
        second, _ = joys(client, name)
        assert second[0] > first[-1] > 0.5
        with pytest.raises(openai.NotFoundError):
            joys(client, name[:-1])


def test_what_is_no_session_of_this_model_is_left_out_and_left_there(tmp_path: Path) -> None:
    kept = Kept("127.0.0.1", "a", Mood({"joy": 1.0}), {"joy": 1.0}, time.time())
    folder = SessionFolder(tmp_path)
    list(folder.open("0" * 32))
    folder.keep(kept)
    folder.close()
    (tmp_path / "b.session").write_text('{"llamood": "session", "version": 2}')
    (tmp_path / "c.session").write_text("[" * 99999)
    (tmp_path / "d.session").write_bytes(b"\xff")
    (tmp_path / "notes.txt").write_text("mine")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with (
        serving(tiny_chat.MODEL, *OPTIONS, tmp_path) as server,
        server.client() as client,
        pytest.raises(openai.NotFoundError),
    ):
        joys(client, "a")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert len(before) == 5


@pytest.mark.slow
def test_a_mood_that_cannot_be_felt_here_is_left_out(tmp_path: Path) -> None:
    with serving(tiny_chat.MODEL, *OPTIONS, tmp_path) as server, server.client() as client:
        _, (name,) = joys(client, True, mood={"joy": 1.0})
    (path,) = tmp_path.iterdir()
    other = json.loads(path.read_bytes())
    path.write_text(json.dumps({**other, "mood": {"hunger": 1.0}}))
    with (
        serving(tiny_chat.MODEL, *OPTIONS, tmp_path) as server,
        server.client() as client,
        pytest.raises(openai.NotFoundError),
    ):
        joys(client, name)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="file"):
        SessionFolder(tmp_path / "file")
    with pytest.raises(FileError, match="cannot be made a folder"):
        SessionFolder(tmp_path / "file" / "inside")


def opened(path: Path, **how: Any) -> tuple[SessionFolder, Sessions]:
    folder = SessionFolder(path)
    sessions = Sessions(**{"most": 2, "seconds": 100, **how}, folder=folder)
    sessions.restore(folder.open("model"))
    return folder, sessions


def test_those_that_are_forgotten_are_gone_from_the_folder(tmp_path: Path) -> None:
    folder, sessions = opened(tmp_path, kept=0)
    for name in "abc":
        sessions.get(name).asked(Mood({"joy": 0.5}))
    folder.close()
    assert sorted(each["name"] for each in written(tmp_path)) == ["b", "c"]
    folder, sessions = opened(tmp_path, kept=0)
    assert len(sessions) == 2
    sessions.get("b")
    sessions.get("d")  # which takes the place of the longest unused
    folder.close()
    assert sorted(each["name"] for each in written(tmp_path)) == ["b", "d"]


def test_those_that_were_not_asked_for_too_long_do_not_come_back(tmp_path: Path) -> None:
    folder, sessions = opened(tmp_path)
    sessions.get("old")
    sessions.get("new", owner="other")
    folder.close()
    for path in tmp_path.glob("*.session"):
        kept = json.loads(path.read_bytes())
        used = kept["used"] - (101 if kept["name"] == "old" else 99)
        path.write_text(json.dumps({**kept, "used": used}))
    folder, sessions = opened(tmp_path)
    assert len(sessions) == 1
    assert sessions.known("new", owner="other").mood == Mood()
    folder.close()
    assert [each["name"] for each in written(tmp_path)] == ["new"]


def test_what_the_disk_refuses_is_written_when_it_takes_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    here, elsewhere = tmp_path / "sessions", tmp_path / "elsewhere"
    folder, sessions = opened(here)
    session = sessions.get("a")
    waits(lambda: [kept["name"] for kept in written(here)] == ["a"])
    here.rename(elsewhere)
    here.write_text("in the way")
    session.asked(Mood({"joy": 0.5}))
    waits(lambda: "kept in memory until the disk takes them" in caplog.text)
    session.asked(Mood({"joy": 0.7}))
    sessions.get("b")
    here.unlink()
    elsewhere.rename(here)
    waits(lambda: "all are on the disk again" in caplog.text)
    assert {kept["name"]: kept["mood"] for kept in written(here)} == {"a": {"joy": 0.7}, "b": {}}
    assert len(caplog.messages) == 2
    folder.close()


def test_what_the_disk_refuses_to_the_end_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    here = tmp_path / "sessions"
    folder, sessions = opened(here)
    here.rename(tmp_path / "elsewhere")
    here.write_text("in the way")
    sessions.get("a")
    folder.close()
    assert "the disk has refused 1 of them to the end" in caplog.text


def test_a_request_that_is_refused_leaves_sessions_as_they_were(tmp_path: Path) -> None:
    options = ("--ctx", "1024", "--voices", "1", "--queue", "0", "--sessions", tmp_path)
    with serving(tiny_chat.MODEL, *options) as server, server.client() as client:
        before, (name,) = joys(client, True, mood={"joy": 0.5})
        server.settles("llamood_speaking", 0)
        stream = client.chat.completions.create(**ENDLESS, stream=True)
        server.settles("llamood_speaking", 1)
        for session in (True, name):
            with pytest.raises(openai.RateLimitError):
                joys(client, session, mood={"joy": 0.9})
        stream.close()
        server.settles("llamood_speaking", 0)
        status, told = server.post(
            "/v1/chat/completions",
            {
                "messages": [{"role": "user", "content": "bread and butter " * 1000}],
                "llamood": {"session": True},
            },
        )
        assert (status, told["error"]["code"]) == (400, "context_length_exceeded")
        assert joys(client, name)[0] == before
        waits(lambda: [kept["mood"] for kept in written(tmp_path)] == [{"joy": 0.5}])
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(PATIENCE)
    assert [kept["name"] for kept in written(tmp_path)] == [name]
