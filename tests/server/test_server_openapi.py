"""The service keeps to the OpenAPI document that it gives, whatever is sent to it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

import tiny_chat
from servers import Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    own = tmp_path_factory.mktemp("api") / "own.evs"
    shutil.copytree(tiny_chat.VECTORS, own)
    options = ("-e", own, "--allow-extract", "--ctx", "64", "--voices", "4")
    with serving(tiny_chat.MODEL, *options) as server:
        yield server


@pytest.fixture(scope="module")
def api(server: Server) -> Any:
    document = without_high_bounds(httpx.get(f"{server.url}/openapi.json").json())
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=server.url)
    return schema


def without_high_bounds(part: Any) -> Any:
    """Arrays that are to be longer than a high bound are filled with copies: a sum of a thousand
    schedules that are sums of a thousand, until all memory is used up."""
    if isinstance(part, list):
        return [without_high_bounds(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    return {
        key: without_high_bounds(inner)
        for key, inner in part.items()
        if not (key == "maxItems" and isinstance(inner, int) and inner > HIGH)
    }


ENDPOINTS = [
    ("/v1/chat/completions", "POST"),
    ("/v1/completions", "POST"),
    ("/v1/models", "GET"),
    ("/v1/models/{model}", "GET"),
    ("/v1/emotions", "GET"),
    ("/v1/emotions", "POST"),
    ("/v1/emotions/addition", "GET"),
    ("/v1/emotions/addition/cancel", "POST"),
    ("/v1/mood/rows", "POST"),
    ("/v1/studio", "GET"),
    ("/health", "GET"),
    ("/metrics", "GET"),
]
HIGH = 128  # items
# Not that everything valid is taken: an emotion is one of those at hand, and a prompt fits.
NOT_SAID = [checks.positive_data_acceptance]


def test_all_endpoints_are_here(api: Any) -> None:
    assert {(path, method.upper()) for path in api for method in api[path]} == set(ENDPOINTS)


def test_what_answers_tell_beside_openais_is_all_in_the_document(server: Server) -> None:
    document = httpx.get(f"{server.url}/openapi.json").json()
    felt = document["components"]["schemas"]["Felt"]["properties"]
    asked = {
        "messages": [{"role": "user", "content": "Hi"}],
        "mood": {"joy": 9},
        "readings": True,
        "llamood": {"session": True},
        "max_tokens": 4,
    }
    status, whole = server.post("/v1/chat/completions", asked)
    assert status == 200
    assert set(whole["llamood"]) == {"session"}
    (choice,) = whole["choices"]
    read = {"asked", "mood", "reading", "score", "face", "face_reading", "valence", "arousal"}
    assert set(choice["llamood"]) == read | {"notices"}
    with httpx.stream(
        "POST", f"{server.url}/v1/chat/completions", json=asked | {"stream": True}
    ) as said:
        lines = [line[6:] for line in said.iter_lines() if line.startswith("data: {")]
    told = [json.loads(line).get("llamood", {}) for line in lines]
    assert {key for each in told for key in each} == read | {"notices", "session"}
    assert read | {"notices", "session"} <= set(felt)
    # These come where a character feels by itself, and where an answer collapses.
    assert set(felt) == read | {"notices", "session", "feels", "guard"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "method", "mode"),
    [
        *((path, method, GenerationMode.POSITIVE) for path, method in ENDPOINTS),
        *(
            (path, method, GenerationMode.NEGATIVE)
            for path, method in ENDPOINTS
            if method == "POST"
        ),
    ],
)
def test_it_does_what_it_says(api: Any, path: str, method: str, mode: GenerationMode) -> None:
    operation = api[path][method]

    @settings(max_examples=60, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: Any) -> None:
        case.call_and_validate(excluded_checks=NOT_SAID)

    holds()
