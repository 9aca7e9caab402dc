"""Many voices in one batch say what each of them would say alone."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import llamood
import tiny_chat
from casts import spoken, spoken_alone
from families.table import BY_NAME
from llamood import _core
from llamood.errors import LlamoodError, ModelError, MoodError, MoodWarning
from llamood.vectors.measurement import Site
from llamood.voices.answer_stream import AnswerStream
from llamood.voices.cast import Cast
from llamood.voices.character import Character
from llamood.voices.chat_template import chat_tokens
from llamood.voices.event import Event
from open_voices import Answer, random_vectors

THREADS: dict[str, Any] = {"n_threads": 1, "n_threads_batch": 1, "verbose": False}
FLOAT32_CACHE: dict[str, Any] = {"type_k": 0, "type_v": 0}
ROUNDING = 0.25  # largest difference of logits where activations are rounded to 8 bits
MOODS: list[dict[str, Any]] = [
    {"joy": 1.0},
    {"anger": 0.8, "fear": 0.2},
    {"sadness": {"ramp": [0, 1], "over": 20}, "$inertia": 4},
    {"surprise": {"on": "the", "pulse": 1.0, "release": 6}, "$positions": "all"},
]


def open_cast(**settings: Any) -> Cast:
    """Of `tiny_chat`; together no more than it was trained on, of which llama.cpp warns."""
    defaults = {"emotions": tiny_chat.VECTORS, "voices": 4, "n_ctx": 128, **THREADS}
    return Cast(settings.pop("model", tiny_chat.MODEL), **{**defaults, **settings})


@pytest.fixture
def cast() -> Iterator[Cast]:
    with open_cast() as cast:
        yield cast


def told(stream: AnswerStream) -> dict[Character, list[Event]]:
    """Its events by voice."""
    events: dict[Character, list[Event]] = {}
    for event in stream:
        events.setdefault(event.voice, []).append(event)
    return events


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events)


def alone(messages: list[dict[str, str]], mood: Mapping[str, Any], **how: Any) -> str:
    """What `tiny_chat` says by itself."""
    settings = {"n_ctx": 128, **FLOAT32_CACHE, **THREADS}
    llm = llamood.Llama(tiny_chat.MODEL, emotions=tiny_chat.VECTORS, **settings)
    try:
        answer = llm.create_chat_completion(messages, mood=mood, **how)
    finally:
        llm.close()
    return str(answer["choices"][0]["message"]["content"])


def tokens_alone(
    messages: list[dict[str, str]], mood: Mapping[str, Any], *, how: Mapping[str, Any], **voice: Any
) -> list[int]:
    """As `alone`; llama_cpp itself counts no limit in the middle of a character."""
    llm = llamood.Llama(voice.pop("model"), **{**voice, **FLOAT32_CACHE, **THREADS})
    try:
        return spoken_alone(llm, chat_tokens(llm, messages), mood=mood, how=how).tokens
    finally:
        llm.close()


def exact(model: Path, **settings: Any) -> dict[str, Any]:
    """Settings of a voice of random weights in which sums differ in their last bits only: nothing
    is rounded to fewer bits on its way."""
    return {
        "model": model,
        "emotions": random_vectors(model),
        "guard": False,  # what it says is one loop
        "n_ctx": 256,
        **settings,
    }


# -- exactness ------------------------------------------------------------------------------


def both_ways(
    moods: Sequence[Mapping[str, Any]], *, how: Mapping[str, Any], **settings: Any
) -> Iterator[tuple[Answer, Answer]]:
    """What each of four voices says in a cast, and alone."""
    with open_cast(**settings) as cast:
        hows = [{**how, "seed": seed} for seed in range(1, 1 + len(moods))]
        voices = [cast.join(mood=mood, **one) for mood, one in zip(moods, hows, strict=True)]
        asked = dict(zip(voices, tiny_chat.questions(), strict=False))
        prompts = [voice.plan(text, {}).tokens for voice, text in asked.items()]
        said = spoken(cast, asked)
    model = settings.pop("model", tiny_chat.MODEL)
    of_one = {"emotions": tiny_chat.VECTORS, "n_ctx": 128, **settings, **THREADS}
    for voice, prompt, mood, one in zip(voices, prompts, moods, hows, strict=True):
        llm = llamood.Llama(model, **of_one)
        yield said[voice], spoken_alone(llm, prompt, mood=mood, how=one)
        llm.close()


@pytest.mark.parametrize("site", ["layer_out", "attn_out"])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_each_says_what_it_says_alone(random_chat: Path, site: Site, temperature: float) -> None:
    moods: list[dict[str, Any]] = [
        {"joy": 1.0},
        {"anger": 0.8, "joy": 0.2},
        {"joy": {"ramp": [0, 1], "over": 20}, "$inertia": 4},
        {"anger": 0.5, "$positions": "all"},
    ]
    how = {"max_tokens": 48, "temperature": temperature, "repeat_penalty": 1.1, "top_p": 0.9}
    settings = exact(random_chat, site=site, **FLOAT32_CACHE)
    n_token = 0
    for together, one in both_ways(moods, how=how, **settings):
        assert together.tokens == one.tokens
        assert np.abs(together.logits - one.logits).max() < 1e-4
        n_token += len(one.tokens)
    assert n_token > 80


@pytest.mark.parametrize("site", ["layer_out", "attn_out"])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.filterwarnings("ignore:these vectors were measured")
def test_the_quantised_model_differs_by_its_rounding(site: Site, temperature: float) -> None:
    """Kernels sum in an order that depends on the batch. Where activations are rounded to 8 bits
    before each product, a last bit may tip a rounding, and then logits differ by about 0.1."""
    how = {"max_tokens": 40, "temperature": temperature}
    for together, one in both_ways(MOODS, how=how, site=site, guard=False):
        pairs = zip(together.tokens, one.tokens, strict=False)
        n = next((i for i, (ours, theirs) in enumerate(pairs) if ours != theirs), None)
        upto = None if n is None else n + 1
        assert np.abs(together.logits[:upto] - one.logits[:upto]).max() < ROUNDING
        if n is None:
            assert together.tokens == one.tokens
        elif temperature == 0:
            best = np.sort(one.logits[n])
            assert best[-1] - best[-2] < 2 * ROUNDING


def test_a_conversation_goes_on_as_it_would_alone(random_chat: Path) -> None:
    how = {"max_tokens": 24, "temperature": 0.7, "seed": 5}
    moods = [{"joy": 1.0}, {"anger": 0.5}]
    settings = exact(random_chat)
    with open_cast(**settings, **FLOAT32_CACHE) as cast:
        voices = [cast.join(mood=mood, **how) for mood in moods]
        for question in tiny_chat.questions()[:2]:
            events = told(cast.say(dict.fromkeys(voices, question)))
    for voice, mood in zip(voices, moods, strict=True):
        *before, answer = voice.messages
        assert [message["role"] for message in before] == ["user", "assistant", "user"]
        assert text_of(events[voice]) == answer["content"]
        said = [event.token for event in events[voice]]
        assert said == tokens_alone(before, mood, how=how, **settings)


def test_moods_of_other_doses_and_layers_take_turns() -> None:
    moods = [{"joy": 1.0}, {"joy": 1.0, "$layers": [2, 3]}, {"anger": 0.1, "$dose": "relative"}]
    how = {"max_tokens": 16, "temperature": 0.0}
    question = tiny_chat.questions()[3]
    with open_cast(**FLOAT32_CACHE) as cast:
        voices = [cast.join(mood=mood, **how) for mood in moods]
        events = told(cast.say(dict.fromkeys(voices, question)))
    for voice, mood in zip(voices, moods, strict=True):
        messages = [{"role": "user", "content": question}]
        assert text_of(events[voice]) == alone(messages, mood, **how)


def test_a_prompt_longer_than_a_batch_is_decoded_beside_others(random_chat: Path) -> None:
    long = " ".join(tiny_chat.questions()[:3])
    how = {"max_tokens": 24, "temperature": 0.0, "seed": 1}
    settings = exact(random_chat)
    with open_cast(n_batch=16, voices=2, **settings, **FLOAT32_CACHE) as cast:
        first, second = (cast.join(mood={"joy": 1}, **how) for _ in range(2))
        events = iter(cast.say({first: "Hello there!"}))
        said = [next(events)]
        late = told(cast.say({second: long}))
        said += events
    for events_of, text in ((said, "Hello there!"), (late[second], long)):
        messages = [{"role": "user", "content": text}]
        expected = tokens_alone(messages, {"joy": 1}, how=how, **settings)
        assert [event.token for event in events_of] == expected


def test_what_is_common_is_decoded_once(cast: Cast) -> None:
    world = "You live in a small town by the sea. " * 4
    first, second = (cast.join(world, mood={"joy": 1}, max_tokens=1) for _ in range(2))
    stage = cast._shared.stage
    told(cast.say({first: "Hello!"}))
    n_first = stage.n_token
    assert n_first > 40
    shared = told(cast.say({second: "Good day!"}))
    assert stage.n_token - n_first < 20
    cast.leave(first)
    fresh = cast.join(world, mood={"joy": 1}, max_tokens=1)
    assert text_of(told(cast.say({fresh: "Good day!"}))[fresh]) == text_of(shared[second])


def test_what_is_common_is_decoded_once_also_when_all_are_told_at_once(cast: Cast) -> None:
    world = "You live in a small town by the sea. " * 4
    voices = [cast.join(world, mood={"joy": 1}, max_tokens=2, temperature=0.0) for _ in range(4)]
    events = told(cast.say(dict.fromkeys(voices, "Hello!")))
    assert len({text_of(said) for said in events.values()}) == 1
    assert cast._shared.stage.n_token < 100


def test_a_voice_that_waits_for_another_can_be_interrupted(cast: Cast) -> None:
    world = "You live in a small town by the sea. " * 4
    first, second, third = (cast.join(world, max_tokens=2) for _ in range(3))
    stream = cast.say(dict.fromkeys((first, second, third), "Hello!"))
    assert [voice.is_waiting for voice in (first, second, third)] == [False, True, True]
    cast.interrupt(first)
    cast.feel(second, joy=1)
    cast.interrupt(third)
    events = told(stream)
    assert [len(events[voice]) for voice in (first, second, third)] == [1, 2, 1]
    assert third.messages == first.messages == [{"role": "system", "content": world}]


def test_a_neutral_voice_stops_the_graph_nowhere(cast: Cast) -> None:
    told(cast.say({cast.join(max_tokens=4): "Hello!"}))
    rows = cast._shared._rows
    assert rows is not None
    assert rows.n_stop == 0


# -- events ---------------------------------------------------------------------------------


def test_events_tell_text_token_and_mood(cast: Cast) -> None:
    voice = cast.join(mood={"joy": {"ramp": [0, 1], "over": 4}}, temperature=0.0, max_tokens=6)
    events = told(cast.say({voice: "Where is the kettle?"}))[voice]
    assert [event.mood.get("joy", 0.0) for event in events] == [0, 0.25, 0.5, 0.75, 1, 1]
    spoken = cast._shared.detokenize([event.token or 0 for event in events])
    assert spoken.decode() == text_of(events)
    assert [event.finish_reason for event in events] == [None] * 5 + ["length"]


def test_whole_characters_only(random_chat: Path) -> None:
    """A model whose tokens are bytes, and most of what it says no text at all."""
    with open_cast(model=random_chat, emotions=random_vectors(random_chat), guard=False) as cast:
        voice = cast.join(temperature=2.0, seed=1, max_tokens=64, top_k=0, min_p=0.0)
        events = told(cast.say({voice: "é"}))[voice]
        vocab = cast._shared._model.vocab
        said = b"".join(_core.piece_of(vocab, event.token or 0) for event in events)
    assert text_of(events) == said.decode(errors="ignore")
    assert any(event.text == "" for event in events)


def test_stop_texts_end_an_answer_and_are_not_said(cast: Cast) -> None:
    voice = cast.join(temperature=0.0, max_tokens=30)
    whole = text_of(told(cast.say({voice: "Where is the kettle?"}))[voice])
    cut = whole[8:14]
    other = cast.join(temperature=0.0, max_tokens=30, stop=["never said", cut])
    events = told(cast.say({other: "Where is the kettle?"}))[other]
    assert text_of(events) == whole[: whole.index(cut)]
    assert events[-1].finish_reason == "stop"
    assert other.messages[-1]["content"] == text_of(events)


def test_the_end_is_said_where_it_is_no_stop_text_after_all(cast: Cast) -> None:
    voice = cast.join(temperature=0.0, max_tokens=12)
    whole = text_of(told(cast.say({voice: "Where is the kettle?"}))[voice])
    other = cast.join(temperature=0.0, max_tokens=12, stop=[whole[-1] + "never said"])
    events = told(cast.say({other: "Where is the kettle?"}))[other]
    assert events[-1].finish_reason == "length"
    assert text_of(events) == whole
    assert other.messages[-1]["content"] == whole


def test_a_time_limit_ends_an_answer(cast: Cast) -> None:
    voice = cast.join(max_seconds=0.0)
    events = told(cast.say({voice: "Where is the kettle?"}))[voice]
    assert [event.finish_reason for event in events] == ["time"]


def test_an_event_tells_what_limits_have_taken(cast: Cast) -> None:
    """Of every answer, and not of the one before; a warning tells it once a voice."""
    voice = cast.join(max_tokens=3)
    with pytest.warns(MoodWarning, match="joy"):
        cast.feel(voice, joy=50.0)
    for _ in range(2):
        events = told(cast.say({voice: "Where is the kettle?"}))[voice]
        assert [len(event.notices) for event in events] == [1] * len(events)
        assert "joy" in events[0].notices[0]
        assert events[0].mood["joy"] < 50
    cast.feel(voice, joy=0.5)
    assert not any(e.notices for e in told(cast.say({voice: "Where is the kettle?"}))[voice])


def test_an_answer_that_is_cut_tells_what_limits_have_taken(cast: Cast) -> None:
    voice = cast.join(max_tokens=9)
    with pytest.warns(MoodWarning, match="joy"):
        cast.feel(voice, joy=50.0)
    events = []
    for event in (stream := cast.say({voice: "Where is the kettle?"})):
        events.append(event)
        if len(events) == 2:
            cast.interrupt(voice)
    assert stream.is_over
    assert events[-1].finish_reason == "interrupted"
    assert events[-1].notices == events[0].notices != ()


@pytest.mark.parametrize("seed", [0, 2**31, 2**32 - 2, 2**32 - 1])
def test_a_seed_gives_one_answer(cast: Cast, seed: int) -> None:
    said = set()
    for _ in range(3):
        voice = cast.join(seed=seed, temperature=2.0, max_tokens=12)
        said.add(text_of(told(cast.say({voice: "Where is the kettle?"}))[voice]))
        cast.leave(voice)
    assert len(said) == 1


def test_a_grammar_is_followed(cast: Cast) -> None:
    voice = cast.join(grammar='root ::= "yes" | "no"', temperature=1.0)
    assert text_of(told(cast.say({voice: "Is it?"}))[voice]) in ("yes", "no")
    with pytest.raises(LlamoodError, match="the grammar was not understood"):
        cast.say({voice: "Is it?"}, grammar="root ::= (")
    assert not voice.is_speaking


# -- coming and going -----------------------------------------------------------------------


def test_a_mood_changes_in_the_middle_of_an_answer(cast: Cast) -> None:
    voice = cast.join(mood={"joy": 1}, max_tokens=4)
    moods = []
    for event in cast.say({voice: "Hello!"}):
        moods.append(dict(event.mood))
        if len(moods) == 2:
            cast.feel(voice, anger=0.5)
    assert moods == [{"joy": 1.0}] * 2 + [{"anger": 0.5}] * 2
    stream = cast.say({voice: "Hello!"})
    cast.feel(voice)
    assert [event.mood for event in stream] == [{}] * 4


def test_an_interrupted_voice_keeps_what_it_said(cast: Cast) -> None:
    voice, other = cast.join(max_tokens=20), cast.join(max_tokens=5)
    events: dict[Character, list[Event]] = {voice: [], other: []}
    for event in cast.say({voice: "Hello!", other: "Hello!"}):
        events[event.voice].append(event)
        if len(events[voice]) == 3 and voice.is_speaking:
            cast.interrupt(voice)
    assert events[voice][-1].finish_reason == "interrupted"
    assert len(events[voice]) == 4
    assert voice.messages[-1]["content"] == text_of(events[voice])
    assert len(events[other]) == 5


def test_leaving_the_loop_interrupts(cast: Cast) -> None:
    voice = cast.join(max_tokens=20)

    def consume() -> None:
        for _ in cast.say({voice: "Hello!"}):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        consume()
    assert not voice.is_speaking
    for _ in cast.say({voice: "And now?"}):
        break
    assert not voice.is_speaking
    assert len(voice.messages) == 4


def test_a_scene_that_nobody_hears_ends(cast: Cast) -> None:
    voice, other = cast.join(max_tokens=20), cast.join(max_tokens=5)
    cast.say({voice: "Hello!"})
    told(cast.say({other: "Hello!"}))
    assert not voice.is_speaking


def test_a_token_that_was_never_heard_ends_its_answer(cast: Cast) -> None:
    voice, other = cast.join(max_tokens=20), cast.join(max_tokens=20)
    streams = [cast.say({speaker: "Hello!"}) for speaker in (voice, other)]
    cast._shared.stage.step()  # as where Ctrl-C comes between a step and what follows
    for stream in streams:
        assert [event.finish_reason for event in stream] == ["interrupted"]
    assert len(told(cast.say({voice: "Hello!"}, max_tokens=3))[voice]) == 3


def test_a_mood_that_raises_ends_its_own_answer_only(cast: Cast) -> None:
    def rising(token: int) -> float:
        if token == 3:
            raise KeyError("lost")
        return 0.1

    voice, other = cast.join(mood={"joy": rising}, max_tokens=9), cast.join(max_tokens=6)
    streams = [cast.say({speaker: "Hello!"}) for speaker in (voice, other)]
    with pytest.raises(Exception, match="lost"):
        told(streams[0])
    assert voice.messages == []
    assert len(told(streams[1])[other]) == 6


def test_places_are_given_again(cast: Cast) -> None:
    voices = [cast.join() for _ in range(4)]
    with pytest.raises(LlamoodError, match="all 4 voices are taken"):
        cast.join()
    cast.leave(voices[1])
    with pytest.raises(LlamoodError, match="no voice of this cast"):
        cast.say({voices[1]: "Hello!"})
    assert cast.join().number == voices[1].number
    assert len(cast.voices) == 4


def test_asyncio(cast: Cast) -> None:
    async def listen(voice: Character) -> int:
        n = 0
        async for event in cast.say({voice: "Hello!"}):
            n += event.token is not None
        return n

    async def both() -> list[int]:
        return await asyncio.gather(
            *(listen(cast.join(temperature=0.0, max_tokens=n)) for n in (5, 9))
        )

    assert asyncio.run(both()) == [5, 9]
    assert cast._shared.stage.n_step < 14


def test_the_interpreter_is_free_while_a_batch_is_decoded(cast: Cast) -> None:
    stage = cast._shared.stage
    cast.say({cast.join(): " ".join(tiny_chat.questions()[:4])})
    stop, ticks = threading.Event(), []

    def tick() -> None:
        while not stop.is_set():
            ticks.append(time.perf_counter())

    thread = threading.Thread(target=tick)
    thread.start()
    begin = time.perf_counter()
    stage.step()
    end = time.perf_counter()
    stop.set()
    thread.join()
    assert any(begin < at < end for at in ticks)


# -- memory ---------------------------------------------------------------------------------


def test_what_does_not_fit_is_refused_and_changes_nothing(cast: Cast) -> None:
    voice, other = cast.join("You are a guard."), cast.join()
    with pytest.raises(ModelError, match=r"a voice can remember 128; .* pass overflow='drop'"):
        cast.say({other: "Hello!", voice: "Let me pass. " * 60})
    assert not other.is_speaking
    assert [message["role"] for message in voice.messages] == ["system"]


def test_the_oldest_turns_are_dropped_and_told() -> None:
    with open_cast(overflow="drop", **FLOAT32_CACHE) as cast:
        voice = cast.join("You are a guard.", max_tokens=20, temperature=0.0)
        forgotten = []
        for _ in range(6):
            events = told(cast.say({voice: "Let me pass, please, said the man to you."}))[voice]
            assert len(events) > 1
            forgotten.append(events[0].forgotten)
            assert all(event.forgotten == 0 for event in events[1:])
        assert forgotten[0] == 0
        assert sum(forgotten) >= 2
        messages = voice.messages
        assert messages[0] == {"role": "system", "content": "You are a guard."}
        assert len(messages) == 1 + 2 * (6 - sum(forgotten))
        expected = alone(messages[:-1], {}, max_tokens=20, temperature=0)
        assert messages[-1]["content"] == expected
        with pytest.raises(ModelError, match="this message alone has"):
            cast.say({voice: "Let me pass. " * 60})
        assert voice.messages == messages


def test_an_answer_ends_where_memory_ends(cast: Cast) -> None:
    voice = cast.join(grammar="root ::= [a-z]{400}", max_tokens=None)
    events = told(cast.say({voice: "Say something."}))[voice]
    assert events[-1].finish_reason == "length"
    assert 64 < len(events) < 128


PENALISED = """
import resource, sys
from open_casts import vectors_with_a_dose
from pathlib import Path
import llamood

model = Path(sys.argv[1])
with llamood.Cast(model, emotions=vectors_with_a_dose(model), voices=1, n_ctx=128) as cast:
    voice = cast.join(temperature=0, max_tokens=12, repeat_penalty=1.3)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + 2**30, resource.RLIM_INFINITY))
    prompt = cast.prompt("Hi")
    said = [
        [event.token for event in cast.answer(prompt, among=[voice], last_n_tokens=n)]
        for n in (64, 2**31 - 1)
    ]
assert said[0] == said[1] and len(said[0]) > 1
"""


@pytest.mark.skipif(sys.platform != "linux", reason="bounds memory as Linux does")
def test_however_many_tokens_are_penalised_takes_no_more_room(random_chat: Path) -> None:
    """llama.cpp makes room for as many as it is told: of 2**31 that is 8 GB."""
    known = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-W", "ignore", "-c", PENALISED, str(random_chat)]
    ran = subprocess.run(command, env=known, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


# -- what is refused ------------------------------------------------------------------------


def test_a_recurrent_memory_is_refused(tmp_path: Path) -> None:
    model = BY_NAME["plamo2"].write(tmp_path / "plamo2.gguf")
    with pytest.raises(ModelError, match="memory is recurrent"):
        open_cast(model=model, emotions=random_vectors(model))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"voices": 0}, "voices is 0, expected 1 to 256"),
        ({"n_ctx": 0}, "n_ctx is 0, expected how many tokens"),
        ({"overflow": "forget"}, "overflow is 'forget'"),
        ({"n_batch": 4}, "raise n_batch"),
        ({"embedding": True}, "a cast speaks"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(LlamoodError, match=message):
        open_cast(**settings)


@pytest.mark.parametrize(
    ("sampling", "message"),
    [
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"top_k": 1.5}, "top_k is 1.5, expected a whole number"),
        ({"seed": -1}, "seed is -1"),
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"stop": [""]}, "none of them empty"),
        ({"grammar": 3}, "grammar is 3"),
    ],
)
def test_sampling_that_means_nothing(cast: Cast, sampling: dict[str, Any], message: str) -> None:
    with pytest.raises(LlamoodError, match=message):
        cast.join(**sampling)
    assert cast.voices == ()


def test_unknown_names_are_refused(cast: Cast) -> None:
    with pytest.raises(TypeError, match="'temprature'; did you mean 'temperature'"):
        cast.join(temprature=1)
    with pytest.raises(TypeError, match=r"llamood.Cast got an unknown argument 'n_gpu_layer'"):
        open_cast(n_gpu_layer=1)
    with pytest.raises(MoodError):
        cast.join(mood={"jov": 1})
    with pytest.raises(MoodError):
        cast.join(mood={"joy": {"hold": 0.5, "max": 1}})


def test_a_closed_cast_says_so(cast: Cast) -> None:
    voice = cast.join(max_tokens=20)
    events = []
    for event in cast.say({voice: "Hello!"}):
        events.append(event)
        if len(events) == 2:
            cast.close()
    assert events[-1].finish_reason == "interrupted"
    cast.close()
    with pytest.raises(ModelError, match="the cast is closed"):
        cast.join()


def test_a_context_of_many_voices_is_not_warned_about(capfd: pytest.CaptureFixture[str]) -> None:
    with Cast(tiny_chat.MODEL, emotions=tiny_chat.VECTORS, voices=8, n_ctx=256, verbose=False):
        out = capfd.readouterr()
    assert out.out + out.err == ""
