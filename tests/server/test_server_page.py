"""What the studio asks of the service, and how its files are served."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import llamood
import tiny_chat
from llamood.moods.personality import personalities
from llamood.readings.probe import TRUSTED
from llamood.server import page
from servers import SUGGESTED, Server, serving

NAMES = llamood.load(tiny_chat.VECTORS).names


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    options = ("--ctx", "256", "--voices", "3", "--api-key", "sesame", *SUGGESTED)
    with serving(tiny_chat.MODEL, *options, key="sesame") as server:
        yield server


def found(server: Server, path: str) -> Any:
    status, text = server.get(path, Authorization="Bearer sesame")
    assert status == 200, text
    return json.loads(text)


def rows(server: Server, body: dict[str, Any]) -> tuple[int, Any]:
    return server.post("/v1/mood/rows", body, Authorization="Bearer sesame")


def test_it_says_what_the_page_needs_to_know(server: Server) -> None:
    assert found(server, "/v1/studio") == {
        "object": "studio",
        "model": "tiny_chat",
        "file": tiny_chat.MODEL.name,
        "quantisation": "Q8_0",
        "parameters": 3_935_424,
        "bytes": 4_190_976,
        "version": llamood.__version__,
        "readings": True,
        "unread": None,
        "trusted": TRUSTED,
        "voices": 3,
        "context": 256,
        "questions": list(tiny_chat.SUGGESTIONS),
        "extracts": None,
        "personalities": [
            {
                "name": name,
                "about": each.about,
                "mood": dict(each.mood),
                "system": each.system,
            }
            for name, each in personalities().items()
        ],
    }


def test_emotions_lie_where_points_of_affect_find_them(server: Server) -> None:
    emotions = {one["id"]: one for one in found(server, "/v1/emotions")["data"]}
    assert tuple(emotions) == NAMES
    valence, arousal, dominance = emotions["joy"]["affect"]
    at_joy = {"valence": valence, "arousal": arousal, "dominance": dominance}
    _, told = rows(server, {"mood": at_joy, "tokens": 1})
    (row,) = told["asked"]
    assert told["emotions"][int(np.argmax(row))] == "joy"
    assert row[told["emotions"].index("joy")] > 0.7


def test_rows_are_those_of_the_mood(server: Server) -> None:
    mood = {"joy": {"ramp": [0, 1], "over": 8}, "fear": 0.25}
    status, told = rows(server, {"mood": mood, "tokens": 12})
    assert (status, told["object"], told["notices"]) == (200, "mood.rows", [])
    assert np.array_equal(np.float32(told["asked"]), llamood.Mood(mood).rows(12, NAMES))
    assert told["applied"] == told["asked"]


def test_rows_take_the_short_form_and_64_tokens_where_none_are_said(server: Server) -> None:
    _, told = rows(server, {"mood": "joy=ramp(0,1,8)"})
    assert np.array_equal(
        np.float32(told["asked"]),
        llamood.Mood({"joy": {"ramp": [0, 1], "over": 8}}).rows(64, NAMES),
    )


def test_rows_tell_what_limits_leave(server: Server) -> None:
    _, told = rows(server, {"mood": {"joy": 5.0}, "tokens": 2})
    at = told["emotions"].index("joy")
    assert [row[at] for row in told["asked"]] == [5.0, 5.0]
    assert all(0 < row[at] < 5 for row in told["applied"])
    assert len(told["notices"]) == 1


@pytest.mark.parametrize(
    ("body", "param", "said"),
    [
        ({"mood": {"hope": 1}}, "mood", "hope"),
        ({"mood": {"joy": {"hold": 1.0}}}, "mood", "foreseen"),
        ({"mood": "@mood.json"}, "mood", "mood"),
        ({"mood": {"joy": {"keys": [[i, 0.1] for i in range(3000)]}}}, "mood", "bytes"),
        ({"mood": {}, "tokens": 0}, "tokens", "greater"),
        ({"mood": {}, "tokens": 1025}, "tokens", "less"),
        ({"tokens": 4}, "mood", "required"),
        ({"mood": {}, "model": "tiny_chat"}, "model", "unknown field"),
    ],
)
def test_rows_that_cannot_be(server: Server, body: Any, param: str, said: str) -> None:
    status, told = rows(server, body)
    assert status == 400
    assert told["error"]["param"] == param
    assert said in told["error"]["message"]


def test_chunks_say_what_was_asked_and_what_each_token_expressed(server: Server) -> None:
    stream = server.client().chat.completions.create(
        model="tiny_chat",
        messages=[{"role": "user", "content": "Tell me about bread."}],
        stream=True,
        seed=1,
        extra_body={"mood": {"joy": 5.0}, "readings": True},
    )
    told = [getattr(chunk, "llamood", None) for chunk in stream]
    felt: list[dict[str, Any]] = [one for one in told if one]
    assert all(one["asked"] == {"joy": 5.0} for one in felt)
    assert all(0 < one["mood"]["joy"] < 5 for one in felt)
    scores = np.array([[one["score"][name] for name in NAMES] for one in felt])
    readings = np.array([[one["reading"][name] for name in NAMES] for one in felt])
    counts = 0.5 ** (np.arange(len(felt))[::-1] / 8)
    assert np.allclose(readings[-1], counts @ scores / counts.sum(), atol=1e-5)


def test_what_the_page_asks_needs_the_key_and_the_page_itself_does_not(server: Server) -> None:
    assert server.get("/v1/studio")[0] == 401
    assert server.post("/v1/mood/rows", {"mood": {}})[0] == 401
    assert server.get("/")[0] == 200


def test_every_file_of_the_page_is_served_as_what_it_is(server: Server) -> None:
    kinds = {
        ".html": "text/html",
        ".js": "text/javascript",
        ".css": "text/css",
        ".svg": "image/svg",
    }
    files = [path for path in page.FOLDER.rglob("*.*") if path.name != "README.md"]
    assert len(files) > 10
    for path in files:
        url = f"{server.url}/{path.relative_to(page.FOLDER)}"
        with urllib.request.urlopen(url) as response:
            assert response.read() == path.read_bytes()
            assert response.headers["content-type"].startswith(kinds[path.suffix])
            assert "default-src 'self'" in response.headers["content-security-policy"]
            assert response.headers["x-content-type-options"] == "nosniff"


def test_the_page_takes_nothing_from_elsewhere() -> None:
    for path in page.FOLDER.rglob("*"):
        if path.suffix in (".html", ".js", ".css"):
            links = re.findall(r"https?://[^\s\"'`)]+", path.read_text(encoding="utf-8"))
            assert set(links) <= {"http://www.w3.org/2000/svg"}, path


def test_every_module_that_the_page_imports_is_there() -> None:
    for path in page.FOLDER.glob("*.js"):
        for name in re.findall(r'from "\./([^"]+)"', path.read_text(encoding="utf-8")):
            assert (page.FOLDER / name).is_file(), f"{path.name} imports {name}"


@pytest.mark.parametrize(
    "path", ["/nothing", "/v1/nothing", "/../pyproject.toml", "/%2e%2e/app.py", "/README.md"]
)
def test_what_is_not_there_is_told_as_the_api_tells_it(server: Server, path: str) -> None:
    status, text = server.get(path, Authorization="Bearer sesame")
    assert status == 404
    assert json.loads(text)["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("POST", "/", 405, "GET, HEAD"),
        ("DELETE", "/main.js", 405, "GET, HEAD"),
        ("GET", "/v1/chat/completions", 405, "POST"),
        ("PUT", "/v1/mood/rows", 405, "POST"),
        ("POST", "/v1/models", 405, "GET"),
        ("POST", "/v1/responses", 404, None),
        ("POST", "/v1/chat/completions/", 404, None),
        ("PUT", "/nothing", 404, None),
        ("GET", "/style", 404, None),
    ],
)
def test_what_is_there_says_which_methods_it_has_and_what_is_not_there_has_none(
    server: Server, method: str, path: str, status: int, allowed: str | None
) -> None:
    key = {"Authorization": "Bearer sesame"}
    request = urllib.request.Request(server.url + path, headers=key, method=method)
    with pytest.raises(urllib.error.HTTPError) as refused, urllib.request.urlopen(request):
        pass
    with refused.value as told:
        assert (told.code, told.headers["allow"]) == (status, allowed)
        assert json.load(told)["error"]["type"] == "invalid_request_error"
