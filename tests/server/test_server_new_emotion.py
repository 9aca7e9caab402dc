"""Emotions that are added over HTTP, beside answers: ``llamood serve --allow-extract``."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import openai
import pytest
from test_server import joys

import llamood
import tiny_chat
from llamood import demo
from llamood.calibration.utterances import FEWEST, MOST, origins, utterances
from llamood.extraction.side_effects import collapse
from llamood.server.additions import MOST as MOST_EMOTIONS
from open_voices import random_vectors
from servers import PATIENCE, Server, serving
from studios import BREAD, endless_model

FEELINGS = Path(__file__).parents[1] / "feelings"
CALM, PRIDE = (list(utterances(FEELINGS / f"{name}.txt", name)) for name in ("calm", "pride"))
SLOW = {"joy": 1.0, "$inertia": 8}
MINUTES = 600  # seconds; of what takes some of these on a real model


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    """Of `tiny_chat`, to be added to."""
    folder = tmp_path / "own.evs"
    shutil.copytree(tiny_chat.VECTORS, folder)
    return folder


def allowing(vectors: Path, *options: str | Path, **how: Any) -> Any:
    return serving(tiny_chat.MODEL, "-e", vectors, "--allow-extract", *options, **how)


def add(server: Server, name: str, **how: Any) -> tuple[int, Any]:
    return server.post("/v1/emotions", {"name": name, **how})


def latest(server: Server) -> Any:
    status, text = server.get("/v1/emotions/addition")
    assert status == 200, text
    return json.loads(text)


def ended(server: Server, *, patience: float = PATIENCE) -> Any:
    """The addition, once it does not run any more. What it tells never goes back."""
    end, share = time.monotonic() + patience, 0.0
    while (now := latest(server))["status"] == "running":
        assert time.monotonic() < end, now
        assert now["progress"] >= share
        share = now["progress"]
        time.sleep(0.05)
    return now


def emotions(server: Server) -> list[str]:
    return [one["id"] for one in json.loads(server.get("/v1/emotions")[1])["data"]]


def waits(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def said(client: openai.OpenAI, mood: Any, **how: Any) -> Iterator[Any]:
    """The chunks of an answer."""
    return iter(
        client.chat.completions.create(
            model="tiny_chat",
            messages=[{"role": "user", "content": BREAD}],
            stream=True,
            extra_body={"mood": mood, "readings": True},
            **{"seed": 5, "temperature": 0.6, **how},
        )
    )


def texts_of(chunks: Iterator[Any]) -> list[str]:
    return [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]


@pytest.mark.slow
def test_one_is_added_while_an_answer_is_given_and_stays(vectors: Path) -> None:
    before = contents(vectors)
    with (
        allowing(vectors, "--voices", "2", exact=True) as server,
        server.client() as client,
    ):
        assert f"Emotions that are added lie in {vectors}\n" in server.said
        assert latest(server)["status"] == "none"
        _, (session,) = joys(client, True, mood=SLOW)
        undisturbed = "".join(texts_of(said(client, {"joy": 0.8})))
        status, told = add(server, "calm", texts=CALM)
        assert (status, told["name"], told["status"]) == (202, "calm", "running")
        assert "".join(texts_of(said(client, {"joy": 0.8}))) == undisturbed
        told = ended(server)
        assert (told["status"], told["error"], told["progress"]) == ("added", None, 1.0)
        assert told["ceiling"] == pytest.approx(1.0)
        assert 0.5 < told["auroc"] <= 1
        assert "".join(texts_of(said(client, {"joy": 0.8}))) == undisturbed
        names = sorted([*llamood.load(tiny_chat.VECTORS).names, "calm"])
        assert emotions(server) == names
        last = list(said(client, {"calm": 1.0}, max_tokens=8))[-1]
        assert last.llamood["mood"] == {"calm": 1.0}
        assert set(last.llamood["reading"]) == set(names)
        went_on, _ = joys(client, session)
        assert went_on[0] > 0.5
    assert origins(vectors)["calm"].texts == tuple(CALM)
    after = contents(vectors)
    assert all(after[name] == data for name, data in before.items() if "baseline" not in name)
    with allowing(vectors) as server:
        assert emotions(server) == names


@pytest.mark.slow
def test_the_answer_that_is_being_given_goes_on(tmp_path: Path) -> None:
    """Token by token as it would have, with the vectors of before and then with those of now."""
    model, mood = endless_model(tmp_path), {"joy": {"wave": [0.1, 0.4], "period": 50}}
    how = {"max_tokens": 30_000, "temperature": 0}
    with (
        serving(model, "--allow-extract", "--ctx", "40000", "--voices", "2") as server,
        server.client() as client,
    ):
        assert add(server, "calm", texts=CALM)[0] == 202
        stream, found, before = said(client, mood, **how), [], 0
        while latest(server)["status"] == "running":
            more = list(islice(stream, 50))
            found += more
            if len(more) < 50:  # the machine is slow, and it is over: another is asked for
                before = int(server.metric("llamood_tokens_total"))
                stream, found = said(client, mood, **how), []
        assert latest(server)["status"] == "added", latest(server)
        n = int(server.metric("llamood_tokens_total")) - before + 50
        found += [next(stream) for _ in range(n - len(found))]
        assert found[-1].choices[0].finish_reason is None
    with serving(model, "--ctx", "40000", "--voices", "1") as server, server.client() as client:
        expected = list(said(client, mood, **{**how, "max_tokens": n}))
    assert texts_of(iter(found)) == texts_of(iter(expected[:n]))


@pytest.mark.slow
def test_one_at_a_time_and_cancelled_without_a_trace(vectors: Path) -> None:
    before = contents(vectors)
    with allowing(vectors) as server:
        add(server, "calm", texts=CALM)
        status, told = add(server, "pride", texts=PRIDE)
        assert (status, told["error"]["code"]) == (409, "addition_running")
        assert "calm is being added" in told["error"]["message"]
        cancel = "/v1/emotions/addition/cancel"
        assert server.post(cancel, {"name": "pride"})[0] == 404
        assert server.send("POST", cancel, b"", Origin="http://elsewhere")[0] == 400
        assert latest(server)["status"] == "running"
        assert server.post(cancel, {"name": "calm"})[0] == 200
        assert ended(server)["status"] == "cancelled"
        assert server.post(cancel, {"name": "calm"})[0] == 404
        assert contents(vectors) == before
        assert add(server, "pride", texts=PRIDE)[0] == 202
        assert ended(server)["status"] == "added"
        assert "pride" in emotions(server)


@pytest.mark.parametrize(
    ("how", "param", "says"),
    [
        ({"name": "joy", "texts": CALM}, "name", "joy is there already"),
        ({"name": "Joy", "describe": "gay"}, "name", "is there already"),
        ({"name": "../calm", "texts": CALM}, "name", "cannot name an emotion"),
        ({"name": "valence", "texts": CALM}, "name", "means something else"),
        ({"name": "/etc/passwd", "texts": CALM}, "name", "cannot name an emotion"),
        ({"name": "a" * 65, "texts": CALM}, "name", "at most 64 characters"),
        ({"name": "", "texts": CALM}, "name", "at least 1"),
        ({"name": "calm"}, "texts", "one of the two"),
        ({"name": "calm", "texts": CALM, "describe": "warm"}, "texts", "one of the two"),
        ({"name": "calm", "texts": CALM[: FEWEST - 1]}, "texts", f"at least {FEWEST}"),
        ({"name": "calm", "texts": ["It is."] * FEWEST}, "texts", "1 different texts"),
        ({"name": "calm", "texts": [" "] * FEWEST}, "texts", "0 different texts"),
        ({"name": "calm", "texts": ["a"] * (MOST + 1)}, "texts", f"at most {MOST}"),
        ({"name": "calm", "texts": [*CALM, "a" * 2001]}, "texts.24", "at most"),
        ({"name": "calm", "texts": [*CALM, "\0"]}, "texts.24", "zero byte"),
        ({"name": "calm", "texts": "calm.txt"}, "texts", ""),
        ({"name": "calm", "describe": "a" * 401}, "describe", "at most 400"),
        ({"name": "calm", "describe": " . "}, "describe", "a manner in words"),
        ({"name": "calm", "texts": CALM, "output": "/tmp"}, "output", "unknown field"),
    ],
)
def test_what_cannot_be_added_is_refused(
    allowed: Server, how: dict[str, Any], param: str, says: str
) -> None:
    status, told = allowed.post("/v1/emotions", how)
    assert (status, told["error"]["param"]) == (400, param), told
    assert says in told["error"]["message"]
    assert latest(allowed)["status"] == "none"


@pytest.fixture(scope="module")
def allowed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("allowed") / "own.evs"
    shutil.copytree(tiny_chat.VECTORS, folder)
    with allowing(folder) as server:
        yield server


def test_a_service_that_was_not_told_so_adds_nothing() -> None:
    with serving(tiny_chat.MODEL, "--ctx", "64", "--voices", "1") as server:
        for status, told in (
            add(server, "calm", texts=CALM),
            server.post("/v1/emotions/addition/cancel", {"name": "calm"}),
        ):
            assert (status, told["error"]["code"]) == (403, "additions_not_allowed")
            assert "--allow-extract" in told["error"]["message"]
        assert server.get("/v1/emotions/addition")[0] == 403


def test_who_has_no_key_adds_nothing(vectors: Path) -> None:
    with allowing(vectors, "--api-key", "sesame") as server:
        assert add(server, "calm", texts=CALM)[0] == 401


def test_there_are_no_more_than_can_be_shown(random_chat: Path, tmp_path: Path) -> None:
    names = [f"feeling{i}" for i in range(MOST_EMOTIONS)]
    llamood.save(random_vectors(random_chat, names=names), tmp_path)
    with serving(random_chat, "-e", tmp_path, "--allow-extract", "--ctx", "64") as server:
        status, told = add(server, "calm", texts=CALM)
    assert status == 400
    assert f"{MOST_EMOTIONS} emotions already" in told["error"]["message"]


def test_vectors_that_cannot_be_added_to_are_told_at_once(tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match="is a file; the folder of a model's vectors"),
        allowing(tiny_chat.VECTORS / "joy.gguf"),
    ):
        pass


def children(process: int) -> list[int]:
    """Of all its threads."""
    of_threads = Path(f"/proc/{process}/task").glob("*/children")
    return [int(number) for path in of_threads for number in path.read_text().split()]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("ends", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_the_service_and_goes_on_when_asked_again(
    vectors: Path, ends: signal.Signals
) -> None:
    before = contents(vectors)
    unfinished = vectors / "added" / "calm.partial"
    with allowing(vectors) as server:
        add(server, "calm", texts=CALM)
        waits(unfinished.is_dir)
        (child,) = children(server.process.pid)
        server.process.send_signal(ends)
        server.process.wait(PATIENCE)
        waits(lambda: _is_gone(child))
    assert {name: contents(vectors)[name] for name in before} == before
    assert unfinished.is_dir()
    with allowing(vectors) as server:
        assert "calm" not in emotions(server)
        add(server, "calm", texts=CALM)
        assert ended(server)["status"] == "added"
    assert not unfinished.exists()


def _is_gone(process: int) -> bool:
    """Whether it runs no more, though nobody may have asked how it ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] == "Z"
    except OSError:
        return True


@pytest.mark.slow
def test_a_disk_that_refuses_is_told_without_its_paths(vectors: Path) -> None:
    (vectors / "added").write_text("in the way of the folder")
    with allowing(vectors) as server:
        status, told = add(server, "calm", texts=CALM)
        if status == 202:
            told = ended(server)
            assert told["status"] == "failed"
        assert str(vectors) not in json.dumps(told)
        assert "its log says" in json.dumps(told)
        assert "calm" not in emotions(server)


@pytest.mark.slow
def test_one_that_is_described_is_answered_in(random_chat: Path, tmp_path: Path) -> None:
    drawn = replace(random_vectors(random_chat), ceiling=(1.0, 1.0))
    llamood.save(drawn, tmp_path)
    with serving(random_chat, "-e", tmp_path, "--allow-extract", "--ctx", "64") as server:
        assert add(server, "calm", describe="warm, unhurried")[0] == 202
        told = ended(server)
        assert (told["status"], told["auroc"]) == ("added", None), told
        assert "calm" in emotions(server)
    assert origins(tmp_path)["calm"].manner == "warm, unhurried"


@pytest.mark.slow
def test_the_demo_takes_one_more_and_its_own_vectors_stay(
    demo_model: Path, demo_vectors: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What people try first; its answers are calmer by it, and as fluent."""
    for name in ("HOME", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    before = contents(demo_vectors)
    with serving("demo", "--allow-extract", "--threads", "2") as server:
        (line,) = [line for line in server.said if line.startswith("Emotions that are added")]
        assert add(server, "calm", texts=CALM)[0] == 202
        told = ended(server, patience=MINUTES)
        assert told["status"] == "added", told
        plain, calm = (_answers(server, {"calm": intensity}) for intensity in (0.0, 1.0))
    assert contents(demo_vectors) == before
    own = Path(line.split(" lie in ")[1].strip())
    assert own.is_relative_to(tmp_path)
    assert not any(collapse(text).collapsed for text in calm)
    llm = llamood.Llama(demo_model, emotions=own, readings=True, n_ctx=512, verbose=False)
    read = [[llm.read(text)["calm"] for text in texts] for texts in (plain, calm)]
    llm.close()
    assert sum(after > ago for ago, after in zip(*read, strict=True)) >= len(plain) - 1
    with serving("demo", "--allow-extract") as server:
        assert "calm" in emotions(server)
    with serving("demo") as server:
        assert "calm" not in emotions(server)


def _answers(server: Server, mood: Any) -> list[str]:
    with server.client() as client:
        answers = [
            client.chat.completions.create(
                model="demo",
                messages=[{"role": "user", "content": question}],
                max_tokens=48,
                seed=3,
                temperature=0.6,
                extra_body={"mood": mood},
            )
            for question in demo.questions()[:6]
        ]
    return [str(answer.choices[0].message.content) for answer in answers]
