"""A voice of a cast reads, and holds, what it would read and hold alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest
from test_cast import FLOAT32_CACHE, THREADS, exact, open_cast, told

import llamood
import tiny_chat
from casts import spoken_alone
from llamood import _core
from llamood.errors import FileError, ModelError, MoodError
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.voices.cast import Cast
from llamood.voices.character import Character
from llamood.voices.chat_template import chat_tokens
from llamood.voices.event import Event
from open_voices import Answer, random_vectors
from probes import loud_vectors, random_probe

CLOSE = 1e-5  # z-scores and weights; kernels sum in an order that depends on the batch
WORLD = "You live in a small town by the sea, all of you."  # longer than is worth waiting for
MOODS: list[dict[str, Any]] = [
    {},
    {"joy": 1.0},
    {"joy": {"ramp": [0, 1], "over": 20}, "$inertia": 4},
    {"anger": 0.5, "$positions": "all", "$layers": [1, 2]},
    {"anger": {"cap": -0.5}},
    {"joy": {"ramp": [0, 1], "over": 20, "cap": 0.5, "floor": 0}, "$positions": "all"},
]
GREEDY = {"temperature": 0.0, "max_tokens": 24}
TEXT = "What is a ferry like?"  # the model of random weights has no end of an answer to that


@dataclass(frozen=True)
class Reading:
    """Settings with which a cast and a voice alone read the same model."""

    settings: dict[str, Any]

    def cast(self, **settings: Any) -> Cast:
        return open_cast(**{**self.settings, **settings})

    def alone(self, messages: list[dict[str, str]], mood: Mapping[str, Any], **how: Any) -> Answer:
        settings = dict(self.settings)
        llm = llamood.Llama(settings.pop("model"), **settings, **THREADS)
        changes = how.pop("changes", {})
        try:
            prompt = chat_tokens(llm, messages)
            return spoken_alone(llm, prompt, mood=mood, how={"seed": 0, **how}, changes=changes)
        finally:
            llm.close()

    def require_alike(
        self, events: Sequence[Event], messages: list[dict[str, str]], mood: Any, **how: Any
    ) -> None:
        """The events of an answer to these messages are those of a voice alone."""
        said = self.alone(messages, mood, **how)
        assert [event.token for event in events] == said.tokens
        for event, mood, reading in zip(events, said.moods, said.readings, strict=True):
            assert set(reading) == {"anger", "joy"}
            assert event.reading == pytest.approx(reading, abs=CLOSE)
            assert event.mood == pytest.approx(mood, abs=CLOSE)


@pytest.fixture(scope="module")
def reading(random_chat: Path) -> Reading:
    return reading_of(random_chat, random_vectors(random_chat))


@pytest.fixture(scope="module")
def loud(random_chat: Path) -> Reading:
    return reading_of(random_chat, loud_vectors(random_chat))


def reading_of(model: Path, evs: EmotionVectors) -> Reading:
    own = {"emotions": evs, "readings": random_probe(evs, model)}
    return Reading({**exact(model, **own), **FLOAT32_CACHE})


@pytest.fixture
def cast(reading: Reading) -> Iterator[Cast]:
    with reading.cast() as cast:
        yield cast


def asked(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


# -- as alone -------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_each_reads_what_it_reads_alone(reading: Reading, temperature: float) -> None:
    how = {"temperature": temperature, "max_tokens": 40}
    with reading.cast(voices=len(MOODS)) as cast:
        voices = [cast.join(mood=mood, seed=seed, **how) for seed, mood in enumerate(MOODS)]
        texts = dict(zip(voices, tiny_chat.questions()[2:], strict=False))
        events = told(cast.say(texts))
        assert sum(map(len, events.values())) > 100
        for seed, (voice, mood) in enumerate(zip(voices, MOODS, strict=True)):
            reading.require_alike(events[voice], asked(texts[voice]), mood, seed=seed, **how)
            assert voice.reading == events[voice][-1].reading


def test_a_prompt_in_pieces_beside_others(reading: Reading) -> None:
    long = " ".join(tiny_chat.questions()[:3])
    with reading.cast(n_batch=16, voices=2) as cast:
        first, second = (cast.join(mood={"joy": 1, "$positions": "all"}, **GREEDY) for _ in "ab")
        events = iter(cast.say({first: "Hello there!"}))
        said = [next(events)]
        late = told(cast.say({second: long}))[second]
        said += events
    for of_one, text in ((said, "Hello there!"), (late, long)):
        mood = {"joy": 1, "$positions": "all"}
        reading.require_alike(of_one, asked(text), mood, **GREEDY)


def test_shared_beginnings_are_read_once(reading: Reading, cast: Cast) -> None:
    mood = {"joy": 0.5, "$positions": "all"}
    voices = [cast.join(WORLD, mood=mood, **GREEDY) for _ in range(3)]
    texts = dict(zip(voices, [TEXT, "What is it?", TEXT], strict=True))
    n_alone = sum(len(voice.plan(text, {}).tokens) for voice, text in texts.items())
    events = told(cast.say(texts))
    n_said = sum(len(said) - 1 for said in events.values())
    assert cast._shared.stage.n_token < n_alone + n_said - 2 * len(WORLD)
    for voice, text in texts.items():
        messages = [{"role": "system", "content": WORLD}, *asked(text)]
        reading.require_alike(events[voice], messages, mood, **GREEDY)
    # Also of the positions that were shared.
    spans = [voice._core.scores(1, len(WORLD)) for voice in voices]
    assert spans[0] == pytest.approx(spans[1], abs=0)
    assert spans[0] == pytest.approx(spans[2], abs=0)


def test_turns_that_are_dropped(reading: Reading) -> None:
    how = {"max_tokens": 20, "temperature": 0.0}
    with reading.cast(overflow="drop", n_ctx=160) as cast:
        voice, other = (cast.join("You guard.", mood=MOODS[1], **how) for _ in "ab")
        forgotten = 0
        for _ in range(5):
            events = told(cast.say(dict.fromkeys((voice, other), "Let me pass, please.")))
            forgotten += events[voice][0].forgotten
            for one in (voice, other):
                reading.require_alike(events[one], one.messages[:-1], MOODS[1], **how)
    assert forgotten > 1


def test_after_an_interruption(reading: Reading, cast: Cast) -> None:
    voice, other = (cast.join(mood=MOODS[1], **GREEDY) for _ in "ab")
    events: dict[Character, list[Event]] = {voice: [], other: []}
    for event in cast.say(dict.fromkeys(events, TEXT)):
        events[event.voice].append(event)
        if len(events[voice]) == 5 and voice.is_speaking:
            cast.interrupt(voice)
    *said, last = events[voice]
    assert last.token is None
    assert last.reading == said[-1].reading == voice.reading
    reading.require_alike(said, asked(TEXT), MOODS[1], temperature=0.0, max_tokens=5)
    reading.require_alike(events[other], asked(TEXT), MOODS[1], **GREEDY)
    again = told(cast.say({voice: "And now?"}))[voice]
    reading.require_alike(again, voice.messages[:-1], MOODS[1], **GREEDY)


def test_a_mood_that_changes_in_the_middle(reading: Reading, cast: Cast) -> None:
    voice, other = (cast.join(mood=MOODS[1], **GREEDY) for _ in "ab")
    events: dict[Character, list[Event]] = {voice: [], other: []}
    for event in cast.say(dict.fromkeys(events, TEXT)):
        events[event.voice].append(event)
        if event.voice is voice and len(events[voice]) == 6:
            cast.feel(voice, anger=0.8)
    for of_one, changes in ((voice, {6: {"anger": 0.8}}), (other, {})):
        said = events[of_one]
        reading.require_alike(said, asked(TEXT), MOODS[1], changes=changes, **GREEDY)
    assert events[voice][-1].reading != events[other][-1].reading


# -- readings that are held -----------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_two_voices_hold_their_own_targets(loud: Reading, temperature: float) -> None:
    moods: list[dict[str, Any]] = [
        {"joy": {"hold": 1.0, "max": 2.0}, "$layers": [2, 2]},
        {"joy": {"hold": -1.0, "max": 4.0}, "anger": 0.1, "$inertia": 3, "$layers": [2, 2]},
        {},
    ]
    how = {"temperature": temperature, "max_tokens": 40}
    with loud.cast() as cast:
        voices = [cast.join(mood=mood, seed=seed, **how) for seed, mood in enumerate(moods)]
        events = told(cast.say(dict.fromkeys(voices, TEXT)))
    for seed, (voice, mood) in enumerate(zip(voices, moods, strict=True)):
        loud.require_alike(events[voice], asked(TEXT), mood, seed=seed, **how)
    weights = [[event.mood.get("joy", 0.0) for event in events[voice]] for voice in voices]
    assert min(len(set(of_one)) for of_one in weights[:2]) > 15
    assert set(weights[2]) == {0.0}
    late = [[event.reading or {} for event in events[voice][-10:]] for voice in voices[:2]]
    means = [np.mean([read["joy"] for read in of_one]) for of_one in late]
    assert means[0] > means[1] + 0.5


def test_holding_begins_and_ends_in_the_middle(loud: Reading) -> None:
    held = {"joy": {"hold": 1.0, "max": 2.0}, "$layers": [2, 2]}
    changes = {5: held, 15: {"anger": 0.5}}
    events = []
    with loud.cast() as cast:
        voice = cast.join(mood={"joy": 0.2}, **GREEDY)
        for event in cast.say({voice: TEXT}):
            events.append(event)
            if len(events) in changes:
                cast.feel(voice, changes[len(events)])
    loud.require_alike(events, asked(TEXT), {"joy": 0.2}, changes=changes, **GREEDY)
    assert len({event.mood["joy"] for event in events[6:15]}) > 3
    assert {event.mood["anger"] for event in events[15:]} == {0.5}


# -- readings that are waited for -----------------------------------------------------------


def gated(than: float, **how: Any) -> dict[str, Any]:
    return {"joy": {"when": {"joy": f"> {than}"}, "then": {"ramp": [0.5, 1], "over": 5}, **how}}


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_gates_open_as_they_do_alone(loud: Reading, temperature: float) -> None:
    how = {"temperature": temperature, "max_tokens": 40}
    moods: list[dict[str, Any]] = [
        gated(0.2, hysteresis=0.1),
        {**gated(0.0, lasts="always"), "anger": 0.1, "$inertia": 3, "$layers": [2, 2]},
        {**gated(-19, of="user"), "$positions": "all"},
        {"anger": {"when": "joy > 19", "of": "user", "then": 1, "else": 0.25}},
    ]
    with loud.cast(voices=4) as cast:
        voices = [cast.join(mood=mood, seed=seed, **how) for seed, mood in enumerate(moods)]
        events = told(cast.say(dict.fromkeys(voices, TEXT)))
    for seed, (voice, mood) in enumerate(zip(voices, moods, strict=True)):
        loud.require_alike(events[voice], asked(TEXT), mood, seed=seed, **how)
    first = [event.mood.get("joy", 0.0) for event in events[voices[0]]]
    flips = sum((one > 0) != (other > 0) for one, other in itertools.pairwise(first))
    assert 0 < flips < len(first) / 2
    of_user = [event.mood.get("joy", 0.0) for event in events[voices[2]]]
    assert of_user[0] == 0.0
    assert of_user[1:4] == pytest.approx([0.5, 0.6, 0.7])
    assert {event.mood["anger"] for event in events[voices[3]]} == {0.25}


@pytest.mark.parametrize(
    "text", ["Is the kettle loud?", "  Is the\nkettle — loud? \n", "assistant", "a"]
)
def test_what_a_user_said_is_read_where_it_lies(loud: Reading, text: str) -> None:
    with loud.cast() as cast:
        voice = cast.join(WORLD, **GREEDY)
        told(cast.say({voice: text}))  # of two that are the same, the last is meant
        answer = iter(cast.say({voice: text}))
        next(answer)
        core = voice._core
        prompt = core.tokens[: core.n_cached]
        pieces = [cast.piece(token) for token in prompt]
        whole = b"".join(pieces)
        begin = (
            whole.rindex(b"user\n") + whole.split(b"user\n")[-1].index(text.strip().encode()) + 5
        )
        ends = np.cumsum([len(piece) for piece in pieces])
        covered = (ends > begin) & (
            ends - list(map(len, pieces)) < begin + len(text.strip().encode())
        )
        positions = np.flatnonzero(covered)
        assert positions[0] > 60
        scores = np.array(core.scores(positions[0], positions[-1] + 1)).reshape(-1, 2)
        assert core.said() == pytest.approx(
            dict(zip(("anger", "joy"), scores.mean(axis=0), strict=True))
        )


def test_alone_what_is_answered_may_be_a_part_of_the_prompt(loud: Reading) -> None:
    settings = dict(loud.settings)
    with closing(llamood.Llama(settings.pop("model"), **settings, **THREADS)) as llm:
        told = [{"role": "system", "content": WORLD}, {"role": "user", "content": TEXT}]
        prompt = chat_tokens(llm, told)
        how = {"max_tokens": 3, "temperature": 0.0}
        llm.create_completion(prompt, **how)
        span = _core.span_of(llm._model.vocab, prompt, TEXT.encode())
        part, whole = (llm.reader.mean(*at)["joy"] for at in (span, (0, len(prompt))))
        assert part != whole
        sign = "<" if part < whole else ">"
        mood = {"joy": {"when": f"joy {sign} {(part + whole) / 2}", "of": "user", "then": 0.5}}
        opened = {}
        for said in (TEXT, None, "is nowhere"):
            llm.create_completion(prompt, mood=mood, said=said, **how)
            opened[said] = llm.mix
        assert opened == {TEXT: {"joy": 0.5}, None: {}, "is nowhere": {}}
        llm.create_chat_completion(told, mood=mood, **how)  # finds it itself
        assert llm.mix == {"joy": 0.5}


def test_without_readings_nothing_is_held() -> None:
    with open_cast() as cast:
        with pytest.raises(
            MoodError, match=r"joy\.when\.joy.: .*Llama\(.*readings=True\), or Cast"
        ):
            cast.join(mood=gated(0))
        with pytest.raises(MoodError, match=r"Llama\(.*readings=True\), or Cast"):
            cast.join(mood={"joy": {"hold": 0.5}})
        voice = cast.join()
        with pytest.raises(MoodError, match="readings=True"):
            cast.feel(voice, joy={"hold": 0.5})


# -- what it costs, and what is refused -----------------------------------------------------


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each node that llama.cpp stops the graph at."""
    seen: list[int] = []
    prototype = llama_cpp.ggml_backend_sched_eval_callback

    def counted(address: int) -> Any:
        ask_for: Callable[[Any, bool, Any], bool] = prototype(address)

        def ask(node: Any, is_question: bool, user_data: Any) -> bool:
            wanted = ask_for(node, is_question, user_data)
            if is_question and wanted:
                seen.append(1)
            return wanted

        kept.append(prototype(ask))
        return kept[-1]

    kept: list[Any] = []
    monkeypatch.setattr(
        "llamood.voices.shared_context.llama_cpp.ggml_backend_sched_eval_callback", counted
    )
    return seen


def test_readings_cost_a_stop_a_step_and_layer_and_nothing_where_they_are_off(
    reading: Reading, stops: list[int]
) -> None:
    said = []
    probe = reading.settings["readings"]
    for readings, n_stop in ((False, 0), (probe, len(probe.chosen))):
        stops.clear()
        with reading.cast(readings=readings) as cast:
            voices = [cast.join(**GREEDY) for _ in "ab"]
            events = told(cast.say(dict.fromkeys(voices, TEXT)))
            n_step = cast._shared.stage.n_step
            assert n_step >= 24
            assert len(stops) == n_step * n_stop
        said.append([[event.token for event in of_one] for of_one in events.values()])
    assert said[0] == said[1]


def test_a_cast_without_readings_says_so() -> None:
    with open_cast() as cast:
        voice = cast.join(max_tokens=2)
        assert [event.reading for event in cast.say({voice: TEXT})] == [None, None]
        with pytest.raises(ModelError, match=r"open it with Cast\(\.\.\., readings=True\)"):
            _ = voice.reading


def test_what_is_read_before_anything_is_said_and_after_a_failure(
    reading: Reading, cast: Cast
) -> None:
    def failing(token: int) -> float:
        return 0.1 / (2 - token)

    voice = cast.join(mood={"joy": failing}, **GREEDY)
    assert voice.reading == {}
    events = iter(cast.say({voice: TEXT}))
    assert next(events).reading == voice.reading != {}
    with pytest.raises(ZeroDivisionError):
        list(events)
    assert voice.reading == {}


def test_what_cannot_be_read_is_refused_as_by_a_voice_alone(
    reading: Reading, random_chat: Path, tmp_path: Path
) -> None:
    probe = reading.settings["readings"]
    llamood.save(random_vectors(random_chat), tmp_path)
    with pytest.raises(FileError, match=r"reading\.baseline: does not exist"):
        reading.cast(emotions=tmp_path, readings=True)
    probe.save(tmp_path)
    with reading.cast(emotions=tmp_path, readings=True) as cast:
        assert all(event.reading for event in cast.say({cast.join(**GREEDY): "Hello!"}))
    with pytest.raises(ModelError, match=r"pass readings=Probe\.load"):
        reading.cast(readings=True)
    with pytest.raises(ModelError, match="measured for anger, joy"):
        reading.cast(emotions=random_vectors(random_chat, names=("joy", "fear")))
    with pytest.raises(ModelError, match=r"added at site attn_out.*pass site='layer_out'"):
        reading.cast(site="attn_out")


def test_a_trained_model_reads_what_its_voices_feel() -> None:
    moods = [{"joy": 1.0}, {"anger": 1.0}]
    how = {"max_tokens": 40, "temperature": 0.0}
    with open_cast(readings=True) as cast:
        voices = [cast.join(mood=mood, **how) for mood in moods]
        told(cast.say(dict.fromkeys(voices, "Tell me about the museum.")))
        glad, cross = (voice.reading for voice in voices)
    assert set(glad) == set(cast.emotions.names)
    assert glad["joy"] == max(glad.values())
    assert cross["anger"] == max(cross.values())


def test_a_probe_is_of_all_voices_or_of_none(reading: Reading, cast: Cast) -> None:
    shared = cast._shared
    assert shared._projector is not None
    live = shared._projector.live
    assert live.n_sequence == shared.stage.n_voice == 4
    assert isinstance(live, _core.Probe)
