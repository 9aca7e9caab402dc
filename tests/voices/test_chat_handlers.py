"""What a chat handler of the user's own gives is passed on as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from open_voices import voice

HI = [{"role": "user", "content": "Hi"}]


def chunk(**said: Any) -> dict[str, Any]:
    return {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "m", **said}


SAID = chunk(choices=[{"index": 0, "delta": {"content": "hi"}, "finish_reason": "stop"}])
USAGE = chunk(choices=[], usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2})
GIVEN: dict[str, list[Any]] = {
    "whole": [SAID],
    "usage": [SAID, USAGE],
    "none": [],
    "odd": ["a text", None, 3, {}, {"choices": None}, {"choices": ["no object"]}, ("a", "b")],
}


class Chunks:
    """An iterator, and no generator: it cannot be closed."""

    def __init__(self, chunks: list[Any]) -> None:
        self._left = list(chunks)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if not self._left:
            raise StopIteration
        return self._left.pop(0)


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("kind", [iter, Chunks, lambda chunks: (each for each in chunks)])
def test_streams_of_every_kind(random_chat: Path, given: str, kind: Any) -> None:
    llm = voice(random_chat, chat_handler=lambda **_: kind(GIVEN[given]))
    for mood in (None, {"joy": 0.5}):
        assert list(llm.create_chat_completion(HI, stream=True, mood=mood)) == GIVEN[given]


@pytest.mark.parametrize("given", [{"choices": []}, "a text", ["a list"], None])
def test_results_of_every_kind(random_chat: Path, given: Any) -> None:
    llm = voice(random_chat, chat_handler=lambda **_: given)
    assert llm.create_chat_completion(HI) == given


def test_a_handler_that_fails_fails_as_it_does(random_chat: Path) -> None:
    def failing(**_: Any) -> Iterator[Any]:
        yield SAID
        raise KeyError("mine")

    stream = voice(random_chat, chat_handler=failing).create_chat_completion(HI, stream=True)
    assert next(stream) == SAID
    with pytest.raises(KeyError, match="mine"):
        next(stream)
