"""Whatever happens around it, a voice says, and reads, what it would alone."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from test_cast import FLOAT32_CACHE, THREADS, exact, open_cast

import llamood
from casts import spoken_alone
from llamood.errors import ModelError
from llamood.moods.mood import Mood
from llamood.voices.cast import Cast
from llamood.voices.character import Character
from llamood.voices.chat_template import chat_tokens
from llamood.voices.event import Event
from probes import loud_vectors, random_probe

MOODS: list[dict[str, Any]] = [
    {},
    {"joy": 1.0},
    {"anger": 0.5, "$layers": [1, 2]},
    {"joy": {"ramp": [0, 1], "over": 9}},
    {"anger": 0.4, "$positions": "all"},
    {"joy": {"hold": 1.0, "max": 2.0}, "$layers": [2, 2]},
]
WORLD = "You live in a small town by the sea, all of you."  # longer than is worth waiting for
CLOSE = 1e-5  # z-scores
TEXTS = ["Hi", "What is it?", "Tell me about the sea."]


@dataclass
class Heard:
    """An answer that is being listened to, and what it depends on."""

    events: Iterator[Event]
    mood: Mood
    how: dict[str, Any]
    messages: list[dict[str, str]]
    tokens: list[int | None] = field(default_factory=list)
    readings: list[Mapping[str, float] | None] = field(default_factory=list)
    is_whole: bool = True  # nobody interfered


class Game:
    """Random calls on a cast; `answers` are those that ended by themselves."""

    def __init__(self, cast: Cast, seed: int) -> None:
        self.cast = cast
        self.rng = random.Random(seed)
        self.heard: dict[Character, Heard] = {}
        self.answers: list[Heard] = []

    def play(self) -> None:
        rng, voices = self.rng, self.cast.voices
        chance = rng.random()
        if chance < 0.08 and len(voices) < 4:
            self.cast.join(rng.choice([WORLD, None]), mood=rng.choice(MOODS))
        elif chance < 0.5 and voices:
            self.disturb(rng.choice(voices), chance)
        elif self.heard:
            self.listen(rng.choice(list(self.heard)), n=rng.choice([1, 3, 50]))

    def disturb(self, voice: Character, chance: float) -> None:
        heard = self.heard.get(voice)
        if chance < 0.19 and heard is not None:
            heard.is_whole = False
        if chance < 0.12:
            self.cast.leave(voice)
        elif chance < 0.16:
            self.cast.interrupt(voice)
        elif chance < 0.19:
            self.cast.feel(voice, self.rng.choice(MOODS))
        elif heard is None and not voice.is_speaking:
            self.say(voice)

    def say(self, voice: Character) -> None:
        how = {
            "temperature": self.rng.choice([0.0, 1.0]),
            "seed": self.rng.randrange(99),
            "max_tokens": self.rng.choice([3, 20]),
        }
        try:
            stream = self.cast.say({voice: self.rng.choice(TEXTS)}, **how)
        except ModelError:  # does not fit, all older turns being dropped
            return
        self.heard[voice] = Heard(iter(stream), voice.mood, how, voice.messages)

    def listen(self, voice: Character, *, n: int) -> None:
        heard = self.heard[voice]
        for _ in range(n):
            event = next(heard.events, None)
            if event is None:
                del self.heard[voice]
                if heard.is_whole:
                    self.answers.append(heard)
                return
            heard.tokens.append(event.token)
            heard.readings.append(event.reading)
        if self.rng.random() < 0.03:
            del self.heard[voice]  # the loop is left


@pytest.mark.parametrize("seed", range(3))
def test_voices_join_speak_are_interrupted_and_leave(random_chat: Path, seed: int) -> None:
    evs = loud_vectors(random_chat)
    own = {"emotions": evs, "readings": random_probe(evs, random_chat)}
    settings = exact(random_chat, n_ctx=160, **own)
    with open_cast(overflow="drop", **settings, **FLOAT32_CACHE) as cast:
        game = Game(cast, seed)
        for _ in range(400):
            game.play()
    assert len(game.answers) > 20
    llm = llamood.Llama(settings.pop("model"), **settings, **FLOAT32_CACHE, **THREADS)
    for heard in game.answers:
        prompt = chat_tokens(llm, heard.messages)
        mood = heard.mood.to_dict()
        said = spoken_alone(llm, prompt, mood=mood, how=heard.how)
        assert heard.tokens == said.tokens
        for ours, alone in zip(heard.readings, said.readings, strict=True):
            assert ours == pytest.approx(alone, abs=CLOSE)
    llm.close()


def test_threads_share_the_steps(random_chat: Path) -> None:
    settings = exact(random_chat)
    how = {"temperature": 1.0, "max_tokens": 24, "seed": 3}
    said: dict[int, list[list[int | None]]] = {number: [] for number in range(4)}
    with open_cast(**settings, **FLOAT32_CACHE) as cast:
        voices = [cast.join(mood=mood, **how) for mood in MOODS[:4]]

        def listen(voice: Character) -> None:
            for text in TEXTS[:2]:
                said[voice.number].append([event.token for event in cast.say({voice: text})])

        threads = [threading.Thread(target=listen, args=(voice,)) for voice in voices]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        histories = [voice.messages for voice in voices]
    llm = llamood.Llama(settings.pop("model"), **settings, **FLOAT32_CACHE, **THREADS)
    for voice, history in zip(voices, histories, strict=True):
        for turn, tokens in enumerate(said[voice.number]):
            prompt = chat_tokens(llm, history[: 2 * turn + 1])
            mood = voice.mood.to_dict()
            assert tokens == spoken_alone(llm, prompt, mood=mood, how=how).tokens
    llm.close()
