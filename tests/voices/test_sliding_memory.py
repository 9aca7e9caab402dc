"""Where a model's cache forgets behind a window, an answer depends on prompt, mood and seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest

import llamood
from open_voices import random_vectors
from other_models import write_other_model

WINDOW = 32
# llama.cpp keeps a window and a batch, in steps of 256 cells; longer texts slide.
SMALL: dict[str, Any] = {
    "n_ctx": 1024,
    "n_batch": 64,
    "n_ubatch": 64,
    "swa_full": False,
    "n_threads": 1,
    "n_threads_batch": 1,
    "verbose": False,
}
LETTERS = np.random.default_rng(1).integers(33, 127, 900).tolist()
LONG = [256, *LETTERS[:700]]
SHORT = [*LONG[:150], *LETTERS[700:720]]  # begins as the long one does
ANSWER: dict[str, Any] = {"max_tokens": 6, "temperature": 0.0}
JOY = {"joy": 1.0}
EVERYWHERE = {"joy": 1.0, "$positions": "all"}


@pytest.fixture(scope="module")
def sliding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random gemma3 that looks 32 tokens back."""
    path = tmp_path_factory.mktemp("sliding") / "gemma3.gguf"
    return write_other_model(path, "gemma3", window=WINDOW)


def logits_after(llm: llama_cpp.Llama, prompt: Sequence[int]) -> np.ndarray[Any, Any]:
    """Of the token that follows on the prompt."""
    stream = llm.generate(prompt, temp=0.0)
    next(stream)
    stream.close()
    pointer = llama_cpp.llama_get_logits_ith(llm.ctx, -1)
    return np.ctypeslib.as_array(pointer, shape=(llm.n_vocab(),)).copy()


def test_the_memory_of_this_model_does_slide(sliding: Path) -> None:
    """What is to be kept right is wrong in llama_cpp, or these tests could not fail."""
    fresh = logits_after(llama_cpp.Llama(str(sliding), **SMALL), SHORT)
    llm = llama_cpp.Llama(str(sliding), **SMALL)
    logits_after(llm, LONG)
    assert not np.array_equal(logits_after(llm, SHORT), fresh)


@pytest.mark.parametrize("mood", [None, JOY, EVERYWHERE])
def test_a_voice_that_said_more_answers_as_a_fresh_one(
    sliding: Path, mood: dict[str, Any] | None
) -> None:
    def opened() -> llamood.Llama:
        if mood is None:
            return llamood.Llama(sliding, **SMALL)
        llm = llamood.Llama(sliding, emotions=random_vectors(sliding), guard=False, **SMALL)
        llm.feel(mood)
        return llm

    fresh = opened()
    expected = logits_after(fresh, SHORT)
    used = opened()
    logits_after(used, LONG)
    assert np.array_equal(logits_after(used, SHORT), expected)
    assert np.array_equal(logits_after(used, SHORT), expected)  # said again
    assert np.array_equal(logits_after(used, [*SHORT, 65]), logits_after(fresh, [*SHORT, 65]))


def n_decoded(llm: llama_cpp.Llama) -> int:
    """Since it was opened, as llama.cpp counts."""
    counts = llama_cpp.llama_perf_context(llm.ctx)
    n: int = counts.n_p_eval + counts.n_eval
    return n


def test_a_prompt_that_goes_on_is_not_decoded_anew(sliding: Path) -> None:
    llm = llamood.Llama(sliding, emotions=random_vectors(sliding), guard=False, **SMALL)
    logits_after(llm, LONG)
    before = n_decoded(llm)
    logits_after(llm, [*LONG, 65, 66])
    assert n_decoded(llm) - before < 5


def test_a_rescued_answer_is_that_of_a_memory_that_keeps_all(sliding: Path) -> None:
    """The guard goes back, here to the beginning of what was said."""
    said = []
    for swa_full in (True, False):
        settings = {**SMALL, "swa_full": swa_full, "n_batch": 64}
        llm = llamood.Llama(sliding, emotions=random_vectors(sliding), **settings)
        stream = llm.create_completion(
            LONG, max_tokens=200, temperature=0.0, mood={"joy": 8.0}, stream=True
        )
        said.append(list(stream))
    texts = ["".join(chunk["choices"][0]["text"] for chunk in chunks) for chunks in said]
    assert texts[0] == texts[1]
    assert "guard" in said[0][-1]["llamood"]


Asked = tuple[Sequence[int], int]  # a prompt, and which voice is to answer


def last_answer(sliding: Path, *asked: Asked, mood: Any = JOY) -> list[Any]:
    """Of several that are given one after the other: what is likely, token by token."""
    evs = random_vectors(sliding)
    with llamood.Cast(sliding, emotions=evs, voices=2, guard=False, **SMALL) as cast:
        voices = [cast.join(), cast.join()]
        for prompt, number in asked:
            events = cast.answer(prompt, among=[voices[number]], mood=mood, logprobs=3, **ANSWER)
            likely = [event.likely for event in events]
        return likely


@pytest.mark.parametrize("mood", [None, JOY, EVERYWHERE])
def test_a_cast_that_said_more_answers_as_a_fresh_one(sliding: Path, mood: Any) -> None:
    fresh = last_answer(sliding, (SHORT, 0), mood=mood)
    for before in ([(LONG, 0)], [(LONG, 1)], [(LONG, 0), (LONG, 1)]):
        assert last_answer(sliding, *before, (SHORT, 0), mood=mood) == fresh
