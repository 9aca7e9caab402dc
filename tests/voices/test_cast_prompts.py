"""A cast that answers prompts which come whole, stepped by one driver."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest

import tiny_chat
from llama_gguf import LlamaShape, byte_tokenizer, random_weights, write_llama
from llamood.errors import LlamoodError
from llamood.voices.answer_stream import AnswerStream
from llamood.voices.cast import Cast
from llamood.voices.character import Character
from llamood.voices.event import Event
from open_voices import random_vectors

THREADS: dict[str, Any] = {"n_threads": 1, "n_threads_batch": 1, "verbose": False}
FLOAT32_CACHE: dict[str, Any] = {"type_k": 0, "type_v": 0}
ROUNDING = 0.25  # largest difference of logits where activations are rounded to 8 bits


@pytest.fixture
def cast() -> Iterator[Cast]:
    """Of `tiny_chat`; together no more than it was trained on, of which llama.cpp warns."""
    with Cast(tiny_chat.MODEL, emotions=tiny_chat.VECTORS, voices=4, n_ctx=128, **THREADS) as cast:
        yield cast


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events)


def driven(cast: Cast, *streams: AnswerStream) -> list[list[Event]]:
    """What is said in each of these while one driver steps all."""
    events: list[list[Event]] = [[] for _ in streams]
    while cast.step():
        for heard, stream in zip(events, streams, strict=True):
            heard += stream.take()
    return events


def test_a_prompt_is_answered_as_a_conversation_is(cast: Cast) -> None:
    how = {"seed": 3, "max_tokens": 12}
    voices = [cast.join() for _ in range(3)]
    asked = [{"role": "user", "content": "Tell me about bread."}]
    prompt = cast.prompt(asked)
    moods = [{"joy": 1.0}, {"anger": 0.8}, {"sadness": {"ramp": [0, 1], "over": 20}, "$inertia": 4}]
    streams = []
    for mood in moods:
        silent = [voice for voice in voices if not voice.is_speaking]
        streams.append(cast.answer(prompt, among=silent, mood=mood, **how))
    for said, mood in zip(driven(cast, *streams), moods, strict=True):
        other = cast.join(mood=mood, **how)
        assert text_of(said) == text_of(list(cast.say({other: asked[0]["content"]})))
        cast.leave(other)
    assert all(voice.messages == [] for voice in voices)
    assert not cast.step()


def test_a_step_without_prompts_leaves_those_who_wait_alone(cast: Cast) -> None:
    voice = cast.join()
    stream = cast.answer(cast.prompt("Tell me about bread."), among=[voice], max_tokens=3)
    for _ in range(3):
        assert cast.step(n_prompt=0)
    assert stream.take() == []
    (said,) = driven(cast, stream)
    assert said[-1].finish_reason in ("stop", "length")


def test_the_voice_that_has_most_of_a_prompt_answers_it(cast: Cast) -> None:
    voices = [cast.join() for _ in range(3)]
    prompts = [cast.prompt(f"{word} is a thing that people like.") for word in ("Tea", "Bread")]
    first: list[Character] = []
    for prompt in prompts:
        ((event,),) = driven(cast, cast.answer(prompt, among=voices, max_tokens=1))
        first.append(event.voice)
    assert first[0] is not first[1]
    for prompt, voice in zip(prompts, first, strict=True):
        n_token = cast._shared.stage.n_token
        ((event,),) = driven(cast, cast.answer(prompt, among=voices, max_tokens=1))
        assert event.voice is voice
        assert cast._shared.stage.n_token == n_token + 1
    # Under another mood from the first token on nothing of it counts.
    mood = {"joy": 1.0, "$positions": "all"}
    n_token = cast._shared.stage.n_token
    driven(cast, cast.answer(prompts[0], among=voices, mood=mood, max_tokens=1))
    assert cast._shared.stage.n_token == n_token + len(prompts[0])


def test_what_was_felt_before_can_be_told(cast: Cast) -> None:
    voices = [cast.join()]
    prompt = cast.prompt("Bread is")
    inert = {"joy": 1.0, "$inertia": 4}
    (first,) = driven(cast, cast.answer(prompt, among=voices, mood=inert, max_tokens=4))
    felt = voices[0].felt
    assert felt == pytest.approx({"joy": first[-1].mood["joy"]})
    (anew,) = driven(cast, cast.answer(prompt, among=voices, mood=inert, max_tokens=4))
    assert [e.mood for e in anew] == [e.mood for e in first[: len(anew)]]
    (on,) = driven(cast, cast.answer(prompt, among=voices, mood=inert, felt=felt, max_tokens=4))
    assert on[0].mood["joy"] > first[-1].mood["joy"]


def test_who_does_not_answer_keeps_what_it_feels(cast: Cast) -> None:
    """Also where it was asked first whether it has the prompt decoded."""
    prompt = cast.prompt("Bread is")
    idle, busy = cast.join(mood={"sadness": 0.5, "$inertia": 4}), cast.join()
    for voice in (idle, busy):
        driven(cast, cast.say({voice: "Hi"}, max_tokens=2))
    driven(cast, cast.answer(prompt, among=[busy], max_tokens=2))
    mood, felt = idle.mood, idle.felt
    assert felt["sadness"] > 0
    for _ in range(2):
        stream = cast.answer(prompt, among=[idle, busy], mood={"joy": 1.0}, max_tokens=2)
        assert stream.speakers == (busy,)
        driven(cast, stream)
    assert idle.mood == mood
    assert idle.felt == felt


def test_a_mood_pauses(cast: Cast) -> None:
    voices = [cast.join()]
    ramp = {"joy": {"ramp": [0, 1], "over": 10}}
    how = {"mood": ramp, "max_tokens": 10, "grammar": "root ::= [a-z ]{200}"}
    stream = cast.answer(cast.prompt("Bread is"), among=voices, **how)
    events: list[Event] = []
    while cast.step():
        events += stream.take()
        cast.pause(voices[0], paused=3 <= len(events) < 6)
    joys = [event.mood.get("joy", 0.0) for event in events]
    # The token after the one at which it was asked for is decoded so; time goes on meanwhile.
    assert joys == pytest.approx([0, 0.1, 0.2, 0, 0, 0, 0.6, 0.7, 0.8, 0.9])
    after = cast.answer(cast.prompt("Bread is"), among=voices, **how)
    assert [event.mood.get("joy", 0.0) for event in driven(cast, after)[0]][3] > 0


def test_what_was_likely(cast: Cast) -> None:
    voice = cast.join(logprobs=3, temperature=0.0, max_tokens=5)
    llm = llama_cpp.Llama(
        str(tiny_chat.MODEL), n_ctx=128, logits_all=True, **FLOAT32_CACHE, **THREADS
    )
    prompt = cast.prompt("Bread is")
    (events,) = driven(cast, cast.answer(prompt, among=[voice]))
    llm.eval(prompt + [event.token for event in events])
    rows = llm.scores[len(prompt) - 1 :]
    llm.close()
    for event, row in zip(events, rows, strict=False):
        logprobs = row - np.log(np.exp(row - row.max()).sum()) - row.max()
        order = np.argsort(-logprobs)[:3].tolist()
        assert [token for token, _ in event.likely] == [event.token, *order]
        for token, logprob in event.likely:
            assert logprob == pytest.approx(logprobs[token], abs=ROUNDING)
    (plain,) = driven(cast, cast.answer(prompt, among=[voice], logprobs=None))
    assert all(event.likely == () for event in plain)


def test_a_grammar_without_a_token_left_ends_its_own_answer_only(tmp_path: Path) -> None:
    model = tmp_path / "ascii.gguf"
    shape = LlamaShape(n_layer=2, n_embd=64, n_ff=64, n_head=2, n_head_kv=2, n_vocab=300, n_ctx=256)
    bytes_ = byte_tokenizer(shape.n_vocab)
    # The bytes of no ASCII text have texts of their own, so that no other text can be said.
    tokens = [t if i < 128 or i > 255 else f"<{i}>" for i, t in enumerate(bytes_.tokens)]
    write_llama(
        model,
        shape,
        random_weights(shape, seed=1, scale=0.2),
        tokenizer=dataclasses.replace(bytes_, tokens=tuple(tokens)),
        quant="f32",
        name="ascii",
    )
    settings = {"emotions": random_vectors(model), "voices": 2, "n_ctx": 64, **THREADS}
    with Cast(model, **settings) as cast:
        one, other = cast.join(), cast.join()
        prompt = cast.prompt("Bread is")
        how = {"seed": 1, "max_tokens": 8, "temperature": 0.8}
        (alone,) = driven(cast, cast.answer(prompt, among=[one], **how))
        good = cast.answer(prompt, among=[one], **how)
        bad = cast.answer(prompt, among=[other], grammar='root ::= "a" "\\u65e5"', **how)
        said: list[Event] = []
        faults: list[str] = []
        while cast.step():
            said += good.take()
            try:
                bad.take()
            except LlamoodError as fault:
                faults.append(str(fault))
        assert faults == ["the grammar of this answer left no token to draw"]
        assert [event.token for event in said] == [event.token for event in alone]
        assert not other.is_speaking


@pytest.mark.parametrize(
    ("prompt", "how", "fault"),
    [
        ([], {}, "the prompt has 0 tokens"),
        ([5] * 128, {}, "together at most 128"),
        ([5] * 100, {"max_tokens": 50}, "together at most 128"),
        ([5, 10**6], {}, "tokens of the model"),
        ([5], {"mood": {"joyy": 1}}, "joyy"),
        ([5], {"logprobs": -1}, "logprobs is -1"),
    ],
)
def test_prompts_that_are_refused(cast: Cast, prompt: Any, how: Any, fault: str) -> None:
    voice = cast.join()
    with pytest.raises(LlamoodError, match=fault):
        cast.answer(prompt, among=[voice], **how)
    with pytest.raises(LlamoodError, match="at least one voice"):
        cast.answer([5], among=[])
    assert not voice.is_speaking
    assert driven(cast, cast.answer([5], among=[voice], max_tokens=1))[0][0].finish_reason
