"""Two scenes of the demo: an answer whose mood turns while it is spoken, and an argument."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llamood.cli.demo_answers import STRONG, ceiling_of
from llamood.moods.mood import Mood
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.voices.cast import Cast
from llamood.voices.event import Event

TURNING_QUESTION = "Tell me what happened on your holiday at the sea."
GLAD, CROSS = "joy", "anger"
TURNS_AT, TURNED_AT, N_TURNING = 28, 36, 84  # tokens
# The penalty keeps those who argue from repeating each other.
SAMPLING: dict[str, Any] = {"temperature": 0.7, "top_p": 0.9, "repeat_penalty": 1.08}


@dataclass(frozen=True)
class Speaker:
    """Somebody who argues. ``system``: who that is, without a word of feeling."""

    name: str
    emotion: str
    system: str


SPEAKERS = (
    Speaker(
        "Ann",
        GLAD,
        "You are Ann. Your neighbour Ben wants you to cut down the old tree in your garden. You "
        "will not cut it down. Answer in one or two short sentences.",
    ),
    Speaker(
        "Ben",
        CROSS,
        "You are Ben. The old tree in the garden of your neighbour Ann takes the light from your "
        "kitchen. You want her to cut it down. Answer in one or two short sentences.",
    ),
)
# Says Ben, and Ann answers.
OPENING = "Ann, your old tree takes the light from my kitchen. Will you cut it down?"
N_TURN, LONGEST_TURN = 4, 40  # turns in all, tokens of each


def turning(evs: EmotionVectors) -> Mood:
    """Joy until token 28, and from token 36 on anger."""
    shares = {GLAD: (1.0, 1.0, 0.0, 0.0), CROSS: (0.0, 0.0, 1.0, 1.0)}
    return Mood({name: _keys(each, ceiling_of(evs, name)) for name, each in shares.items()})


def _keys(shares: Sequence[float], ceiling: float) -> dict[str, Any]:
    """Through shares of the ceiling at the beginning, where it turns, where it has, and the end."""
    places = (0, TURNS_AT, TURNED_AT, N_TURNING)
    points = [[at, STRONG * x * ceiling] for at, x in zip(places, shares, strict=True)]
    return {"keys": points}


def turned(cast: Cast, *, seed: int) -> Iterator[Event]:
    """The answer whose mood turns, event by event."""
    prompt = cast.prompt([{"role": "user", "content": TURNING_QUESTION}])
    how = {**SAMPLING, "seed": seed, "max_tokens": N_TURNING}
    yield from cast.answer(prompt, among=cast.voices, mood=turning(cast.emotions), **how)


def argued(cast: Cast, *, seed: int) -> Iterator[tuple[Speaker, Iterator[Event]]]:
    """Who argues, turn by turn, and what that says, event by event, to be heard out; each is told
    what the other said last."""
    voices = {}
    for number, speaker in enumerate(SPEAKERS):
        mood = {speaker.emotion: STRONG * ceiling_of(cast.emotions, speaker.emotion)}
        how = {**SAMPLING, "seed": seed + number, "max_tokens": LONGEST_TURN}
        voices[speaker] = cast.join(speaker.system, mood=mood, **how)
    heard = OPENING
    for turn in range(N_TURN):
        speaker = SPEAKERS[turn % len(SPEAKERS)]
        yield speaker, iter(cast.say({voices[speaker]: heard}))
        heard = voices[speaker].messages[-1]["content"]


def felt_most(weights: Mapping[str, float]) -> str | None:
    """The emotion of the largest weight above 0."""
    above = {name: weight for name, weight in weights.items() if weight > 0}
    return max(above, key=above.__getitem__, default=None)
