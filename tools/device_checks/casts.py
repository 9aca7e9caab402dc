"""A cast on a device: what a voice says is its own, and voices that were saved go on as they would
have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from weights import shared

import llamood
from devices import Place

from .check import Check
from .subject import Subject

SAID = ("How are you today?", "Tell me about the rain.")
N_TOKEN = 24
ANSWERS = "answers differ"

Answers = list[str]


def spoken(subject: Subject, place: Place) -> Iterator[Check]:
    """Casts of as many voices each, as kernels round differently for other numbers of rows."""
    moods = _moods(subject.emotions.names[-1])
    with shared(place.put):
        with TemporaryDirectory() as folder, _open(subject, len(moods)) as cast:
            voices = [_join(cast, mood) for mood in moods]
            together = _answers(cast, voices, SAID[0])
            files = [Path(folder) / f"{i}.voice" for i in range(len(moods))]
            for voice, path in zip(voices, files, strict=True):
                voice.save(path, cache=True)
            later = _answers(cast, voices, SAID[1])
            with _open(subject, len(moods)) as other:
                went_on = _answers(other, [other.load(path) for path in files], SAID[1])
        alone = []
        for i, mood in enumerate(moods):
            with _open(subject, len(moods)) as cast:
                alike = [_join(cast, mood) for _ in moods]
                alone.append(_answers(cast, alike, SAID[0])[i])
    for what, ours, theirs in (
        (f"a cast of {len(moods)}, a mood each / among voices in the same mood", together, alone),
        ("voices that were saved and loaded / that went on", went_on, later),
    ):
        yield Check(
            what=what,
            place=place.name,
            model=subject.name,
            figure=sum(our != their for our, their in zip(ours, theirs, strict=True)),
            bound=0,
            unit=ANSWERS,
        )
    yield Check(
        what="answers in a mood / in none, of which so many are the same",
        place=place.name,
        model=subject.name,
        figure=together[1:].count(together[0]),
        bound=0,
        unit="answers",
    )


def _moods(name: str) -> list[dict[str, Any]]:
    """No two alike: none, constant ones, and one that changes with every token."""
    return [{}, {name: 1.0}, {name: -1.0}, {name: {"ramp": [0.0, 1.0], "over": N_TOKEN}}]


@contextmanager
def _open(subject: Subject, n_voice: int) -> Iterator[llamood.Cast]:
    with llamood.Cast(
        str(subject.path),
        emotions=subject.emotions,
        voices=n_voice,
        n_ctx=512,
        n_threads=1,
        n_threads_batch=1,
        guard=False,
    ) as cast:
        yield cast


def _join(cast: llamood.Cast, mood: dict[str, Any]) -> llamood.Character:
    return cast.join(mood=mood, max_tokens=N_TOKEN, temperature=0)


def _answers(cast: llamood.Cast, voices: Iterable[llamood.Character], said: str) -> Answers:
    voices = list(voices)
    for _ in cast.say(dict.fromkeys(voices, said)):
        pass
    return [voice.messages[-1]["content"] for voice in voices]
