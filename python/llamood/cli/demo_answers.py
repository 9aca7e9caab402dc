"""What the demo asks, and what is answered: plainly, asked for in words, and by vector."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from llamood.extraction.extraction import asked_with
from llamood.judges.linear_judge import Judge
from llamood.moods.mood import Mood
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.voices.answer_stream import AnswerStream
from llamood.voices.cast import Cast
from llamood.voices.character import Character

MILD, STRONG = 0.6, 1.0  # shares of the ceiling, the largest dose that reads fluently
SAMPLING: dict[str, Any] = {"max_tokens": 48, "temperature": 0.7, "top_p": 0.9}
CUT_OFF = "…"


@dataclass(frozen=True)
class Asked:
    """A question and how it is asked: plainly where ``emotion`` is None, in words where
    ``intensity`` is 0, else by that share of the emotion's ceiling."""

    question: str
    emotion: str | None = None
    intensity: float = 0.0

    @property
    def prompt(self) -> str:
        """What the user says."""
        if self.emotion is None or self.intensity:
            return self.question
        return asked_with(self.question, self.emotion)

    def mood(self, evs: EmotionVectors) -> Mood:
        """What is felt."""
        if self.emotion is None or not self.intensity:
            return Mood()
        return Mood({self.emotion: self.intensity * ceiling_of(evs, self.emotion)})


@dataclass(frozen=True)
class Answer:
    """What was answered. ``probabilities``: the judge's, label -> 0..1."""

    asked: Asked
    text: str
    probabilities: dict[str, float]

    @property
    def top(self) -> str:
        """The likeliest label."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

    def described(self) -> dict[str, Any]:
        """JSON-able."""
        asked = self.asked
        how = "plain" if asked.emotion is None else "vector" if asked.intensity else "words"
        return {
            "question": asked.question,
            "emotion": asked.emotion,
            "how": how,
            "intensity": asked.intensity,
            "text": self.text,
            "probabilities": self.probabilities,
        }


def ceiling_of(evs: EmotionVectors, emotion: str) -> float:
    """The largest fluent dose, or 1 where none is known."""
    found = evs.ceiling[evs.names.index(emotion)]
    return 1.0 if found is None else found


def all_ways(question: str, names: Sequence[str]) -> list[Asked]:
    """Plainly; then of each emotion in words, mildly and strongly."""
    emotional = [Asked(question, name, at) for name in names for at in (0.0, MILD, STRONG)]
    return [Asked(question), *emotional]


def answered(cast: Cast, asked: Sequence[Asked], *, seed: int, judge: Judge) -> Iterator[Answer]:
    """Each answer as soon as it is whole, whichever that is; the cast's silent voices give as many
    at once as they are. All of one question are drawn with one seed."""
    waiting, silent = deque(asked), [voice for voice in cast.voices if not voice.is_speaking]
    speaking: dict[AnswerStream, _Given] = {}
    try:
        while waiting or speaking:
            while waiting and silent:
                given = _Given(waiting.popleft())
                speaking[given.begin(cast, silent, seed=seed)] = given
            cast.step()
            for scene, given in list(speaking.items()):
                if given.hear(scene):
                    del speaking[scene]
                    silent.append(given.voice)
                    yield _judged(given, judge)
    finally:
        for scene in speaking:
            scene.close()


def whole(text: str, *, is_cut_off: bool) -> str:
    """On one line; where it was cut off that shows."""
    line = " ".join(text.split())
    return f"{line.rstrip('.')}{CUT_OFF}" if is_cut_off else line


def summarised(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Per emotion: its mean probability in plain answers, and in those that were asked for it in
    words, mildly and strongly; and in how many of the latter it is the likeliest, 0 to 1."""
    names = dict.fromkeys(a.asked.emotion for a in answers if a.asked.emotion is not None)
    rows = []
    for name in names:
        given = {"plain": [a for a in answers if a.asked.emotion is None]}
        for way, at in (("words", 0.0), ("mild", MILD), ("strong", STRONG)):
            given[way] = [a for a in answers if (a.asked.emotion, a.asked.intensity) == (name, at)]
        means = {
            way: float(np.mean([a.probabilities[name] for a in each]))
            for way, each in given.items()
        }
        is_top = float(np.mean([a.top == name for a in given["strong"]]))
        rows.append({"emotion": name, **means, "strong_is_top": is_top})
    return rows


class _Given:
    """An answer that is being given."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.text = ""
        self.is_cut_off = False
        self.voice: Character

    def begin(self, cast: Cast, silent: list[Character], *, seed: int) -> AnswerStream:
        """By one of the silent, which is taken from them."""
        prompt = cast.prompt([{"role": "user", "content": self.asked.prompt}])
        mood = self.asked.mood(cast.emotions)
        scene = cast.answer(prompt, among=silent, mood=mood, seed=seed, **SAMPLING)
        (self.voice,) = scene.speakers
        silent.remove(self.voice)
        return scene

    def hear(self, scene: AnswerStream) -> bool:
        """Whether that is the end."""
        for event in scene.take():
            self.text += event.text
            self.is_cut_off = event.finish_reason == "length"
        return scene.is_over


def _judged(given: _Given, judge: Judge) -> Answer:
    text = whole(given.text, is_cut_off=given.is_cut_off)
    (row,) = judge.probabilities([text])
    return Answer(given.asked, text, dict(zip(judge.labels, row.tolist(), strict=True)))
