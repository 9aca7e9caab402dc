"""Python and C are two faces of one cast: whatever both are asked in random order, what is heard is
the same, step by step. (But for grammars: what they draw may come a step later.)"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import llamood
import tiny_chat
from c_library import Refused
from c_stage import Stage
from cast_answers import fails_at
from cast_machine import MOODS, WORLD
from llamood.errors import LlamoodError
from llamood.moods.mood import Mood
from llamood.voices.answer_stream import AnswerStream
from llamood.voices.character import Character
from llamood.voices.event import Event

N_VOICE = 3
SETTINGS: dict[str, Any] = {"voices": N_VOICE, "n_ctx": 128, "n_batch": 32}
# As llama.cpp has it unless told otherwise, and in one order of sums.
LIKE_C: dict[str, Any] = {"flash_attn": True, "n_threads": 1, "n_threads_batch": 1}
ASKED = [mood for mood in MOODS.values() if fails_at(mood) is None]
TOO_MUCH = Mood({"joy": {"constant": 3, "max": 9}, "$max": 9})  # for this model
HELD = Mood({"joy": {"hold": 1.5}})
# Read of the same text, what opens for one opens for the other; in between lies rounding.
GATED = Mood(
    {
        "joy": {"when": "joy > 0.5", "then": {"ramp": [0.5, 1], "over": 9}, "hysteresis": 0.2},
        "anger": {"when": "fear < 0 and joy < 1", "of": "user", "then": 0.4, "else": -0.2},
    }
)
BOUNDED = Mood(
    {"anger": {"cap": 0.0}, "joy": {"ramp": [0, 1], "over": 9, "floor": -0.5, "cap": 0.5}}
)
AFFECT = Mood({"valence": {"ramp": [-0.6, 0.7], "over": 12}, "arousal": 0.3})
FACES = [None, {"smile": "joy", "idle": None, "frown": "anger"}]
TEXTS = ["Tell me about bread.", "Where is the kettle?", "é日", "Tell me about rain. " * 9]
FEW_GAMES, N_CALL = 4, 250
CLOSE = 1e-5  # each adds up what a baseline says in an order of its own
FED_BACK = 0.02  # and of who holds a reading, what that leaves comes back at every token


class Game:
    """The same calls on both; ``counts``: what became of the answers."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.folder = folder
        self.rng = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.cast = llamood.Cast(
            tiny_chat.MODEL, emotions=tiny_chat.VECTORS, overflow="drop", readings=True,
            verbose=False, **SETTINGS, **LIKE_C,
        )  # fmt: skip
        self.stage = Stage(tiny_chat.MODEL, tiny_chat.VECTORS, **SETTINGS)
        self.streams: dict[int, AnswerStream] = {}
        self.holding: set[int] = set()  # voices that have held a reading

    def close(self) -> None:
        self.cast.close()
        self.stage.close()

    def play(self) -> None:
        """One call."""
        rng, voices = self.rng, self.cast.voices
        chance = rng.random()
        if chance < 0.05 or not voices:
            self.join()
        elif chance < 0.25:
            self.disturb(rng.choice(voices), chance)
        elif chance < 0.4:
            self.say(rng.choice(voices))
        else:
            for _ in range(rng.choice([1, 2, 20])):
                self.cast.step()
                is_speaking = self.stage.step()
                assert is_speaking == any(voice.is_speaking for voice in self.cast.voices)
                self.compare()
        self.compare()

    def how(self) -> dict[str, Any]:
        rng = self.rng
        how = {"temperature": rng.choice([0.0, 1.0, -1.0]), "seed": rng.randrange(9)}
        others: dict[str, Any] = {
            "max_tokens": rng.choice([1, 8, 40, 40]),
            "stop": [". ", "the kett"],
            "logprobs": 2,
            "repeat_penalty": 1.3,
        }
        return {**how, **{name: others[name] for name in others if rng.random() < 0.3}}

    def mood(self) -> Mood:
        return self.rng.choice([*ASKED, TOO_MUCH, TOO_MUCH, HELD, GATED, BOUNDED, AFFECT])

    def join(self) -> None:
        system, mood, how = self.rng.choice([None, WORLD]), self.mood(), self.how()
        faces = self.rng.choice(FACES)
        number = self.both(
            lambda: self.cast.join(system, mood=mood, faces=faces, **how).number,
            lambda: self.stage.join(system, mood, **how),
        )
        if number is not None:
            self.note(number, mood)
        if number is not None and faces is not None:
            self.stage.set_faces(number, faces)

    def say(self, voice: Character) -> None:
        text, how = self.rng.choice(TEXTS), self.how()
        stream = self.both(
            lambda: self.cast.say({voice: text}, **{**default(), **how}),
            lambda: self.stage.say(voice.number, text, **how),
            alike=False,
        )
        if stream is not None:
            self.streams[voice.number] = stream

    def disturb(self, voice: Character, chance: float) -> None:
        number, mood, paused = voice.number, self.mood(), self.rng.random() < 0.5
        if chance < 0.07:
            self.compare()
            self.both(lambda: self.cast.leave(voice), lambda: self.stage.leave(number))
            self.holding.discard(number)
            self.streams.pop(number, None)  # who leaves in C is heard no more
        elif chance < 0.09:
            self.save_and_load(voice, with_cache=paused)
        elif chance < 0.115:
            self.both(lambda: self.cast.interrupt(voice), lambda: self.stage.interrupt(number))
        elif chance < 0.15:
            self.both(
                lambda: self.cast.pause(voice, paused=paused),
                lambda: self.stage.pause(number, paused=paused),
            )
        else:
            self.both(lambda: self.cast.feel(voice, mood), lambda: self.stage.feel(number, mood))
            self.note(number, mood)

    def note(self, number: int, mood: Mood) -> None:
        if mood.holds:
            self.holding.add(number)

    def save_and_load(self, voice: Character, *, with_cache: bool) -> None:
        """Each saves the voice, and goes on with what the other has written."""
        self.compare()
        ours, theirs = self.folder / "ours", self.folder / "theirs"
        voice.save(ours, cache=with_cache)
        self.stage.save(voice.number, theirs, with_cache=with_cache)
        self.cast.leave(voice)
        self.stage.leave(voice.number)
        self.streams.pop(voice.number, None)
        was_holding = voice.number in self.holding
        self.holding.discard(voice.number)
        loaded = self.cast.load(theirs)
        if was_holding:
            self.holding.add(loaded.number)
        assert loaded.number == self.stage.load(ours)
        if loaded.is_speaking:
            self.streams[loaded.number] = self.cast.listen(loaded)
            self.counts["loaded in the middle"] += 1

    def both(
        self, ours: Callable[[], Any], theirs: Callable[[], Any], *, alike: bool = True
    ) -> Any:
        """What Python returns, and C too; None where both refuse."""
        try:
            said = ours()
        except LlamoodError:
            with pytest.raises(Refused):
                theirs()
            return None
        other = theirs()
        assert not alike or said == other
        return said

    def compare(self) -> None:
        """What was said and not compared yet."""
        told: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for number, event in self.stage.events():
            told[number].append(event)
        for number, stream in list(self.streams.items()):
            for event in heard(stream):
                close = FED_BACK if number in self.holding else CLOSE
                self.require_same(event, told[number].pop(0), close=close)
                if event["finish_reason"] is not None:
                    self.count(event)
                    del self.streams[number]
        assert not any(told.values())

    def require_same(self, event: dict[str, Any], other: dict[str, Any], *, close: float) -> None:
        del event["notices"]
        for name in ("mood", "asked", "reading", "score"):
            assert (event.pop(name) or {}) == pytest.approx(other.pop(name), abs=close)
        for name in ("face_reading", "valence", "arousal"):
            assert event.pop(name) == pytest.approx(other.pop(name), abs=close)
        self.counts[event["face"]] += 1
        ours, theirs = event.pop("likely"), other.pop("likely")
        assert [token for token, _ in ours] == [token for token, _ in theirs]
        assert [each for _, each in ours] == pytest.approx([each for _, each in theirs], abs=close)
        assert event == other

    def count(self, event: dict[str, Any]) -> None:
        self.counts[event["finish_reason"]] += 1
        self.counts["rescued"] += event["guard"] is not None


def heard(stream: AnswerStream) -> list[dict[str, Any]]:
    return [
        {each.name: getattr(event, each.name) for each in fields(Event) if each.name != "voice"}
        for event in stream.take()
    ]


def default() -> dict[str, Any]:
    """In C each answer is asked for anew, whatever was said when its voice joined."""
    return {"max_tokens": None, "stop": (), "grammar": "", "logprobs": None, "repeat_penalty": 1.0}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::llamood.errors.MoodWarning")
def test_what_is_heard_in_python_is_heard_in_c(tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    for seed in range(FEW_GAMES):
        game = Game(seed, tmp_path)
        try:
            for _ in range(N_CALL):
                game.play()
        finally:
            game.close()
        counts += game.counts
    ends = ("stop", "length", "interrupted", "rescued", "loaded in the middle")
    assert min(counts[end] for end in ends) > 2
    assert min(counts[face] for face in ("neutral", "joy", "idle", "smile")) > 2
