"""Requests whose answer is known: each was asked alone before, and is decided at every token.

Whatever else is in a batch moves the last bits of a model whose weights, or cache, are rounded, so
that a token that is about as likely as another may be drawn instead. So the logarithm of a token's
probability may differ from what it was alone by so much, which goes by the model; and an answer
counts as far as each of its tokens is likelier than any other by twice as much, so that no other
can be drawn. Another mood, or another prompt, moves it further.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soaking.answer import Answer, Choice, Wrong
from soaking.asking import Line
from soaking.record import Record

# What of a mood goes by all emotions that there are; personalities have some of it.
_OF_ALL = ("$max", "$blend", "valence", "arousal")
_LONGEST = 16  # tokens
_SHORTEST = 3
_MOODS: Sequence[Any] = (
    None,
    {"joy": 0.8},
    "anger=0.7,fear=0.3",
    {"sadness": {"ramp": [0, 1], "over": 6}},
    {"fear": {"wave": [0.2, 1], "period": 5}},
    {"joy": {"keys": [[0, 0], [4, 0.9]]}, "$inertia": 2},
    {"anger": {"decay": 1, "half_life": 3}, "$max": 0.6},
    "joy=pulse(1,hold=4,release=2)",
    {"sadness": {"on": "a", "pulse": 1, "release": 6}},
    {"joy": {"when": {"sadness": "> 0.5"}, "of": "user", "then": 0.8}},
    {"fear": {"when": {"joy": "< 9"}, "of": "answer", "then": 0.6}},
    {"joy": {"hold": 1, "max": 0.8}},
    {"anger": {"cap": 0.5}, "joy": {"ramp": [0, 1], "over": 8, "cap": 2}},
    {"joy": {"constant": 0.5, "floor": 0.2}, "$positions": "all"},
    {"valence": 0.6, "arousal": -0.3},
    {"joy": -0.6, "$blend": "shared-once"},
    "gloomy",
    "cheerful",
)


@dataclass(frozen=True)
class Known:
    """``body``: of the request, without what says in which way it is answered. ``near``: nats by
    which each of the ``logprobs`` may differ in company."""

    body: Mapping[str, Any]
    text: str
    logprobs: Sequence[float]
    near: float

    @property
    def is_of_all(self) -> bool:
        """Whether its mood is another one when an emotion is added."""
        mood = self.body.get("mood")
        return mood in ("gloomy", "cheerful") or any(name in (mood or ()) for name in _OF_ALL)

    def check(self, answer: Answer, record: Record) -> None:
        """Raises `Wrong` for another answer than that."""
        for choice in answer.choices:
            if (choice.text, choice.reason) != (self.text, "length"):
                raise Wrong(
                    "crossed",
                    f"{self.body!r:.300}: expected {self.text!r}, found {choice.text!r} "
                    f"({choice.reason})",
                )
            for found, alone in zip(choice.logprobs, self.logprobs, strict=False):
                record.differed(abs(found - alone))
                if abs(found - alone) > self.near:
                    raise Wrong(
                        "crossed",
                        f"{self.body!r:.300}: a token of {self.text!r} had {found:.3f} for a "
                        f"logarithm of its probability, and {alone:.3f} alone",
                    )


def candidates(questions: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Chats and texts, in every kind of mood."""
    said: dict[str, Any]
    for number, mood in enumerate((*_MOODS, *_MOODS)):
        feels = {} if mood is None else {"mood": mood}
        question = questions[number % len(questions)]
        if number % 4 == 3:
            tokens = [300 + 7 * number + i for i in range(5)]
            said = {"prompt": tokens if number % 8 == 7 else question}
        else:
            said = {"messages": [{"role": "user", "content": question}]}
        yield {**said, **feels, "temperature": 0, "seed": number}


async def learned(line: Line, questions: Sequence[str], *, most: int, near: float) -> list[Known]:
    """Of these, as many as are decided, one asked after the other; each has another answer."""
    found: list[Known] = []
    for body in candidates(questions):
        logs = {"logprobs": 2} if "prompt" in body else {"logprobs": True, "top_logprobs": 2}
        asked = {**body, **logs, "max_tokens": _LONGEST}
        (choice,) = (await line.ask(asked, stream=False, official=False)).choices
        n = _n_decided(choice, by=2 * near)
        if n < _SHORTEST:
            continue
        answer = await line.ask({**asked, "max_tokens": n}, stream=False, official=False)
        (choice,) = answer.choices
        if choice.reason == "length" and choice.text not in [each.text for each in found]:
            logprobs = tuple(choice.logprobs)
            found.append(Known({**body, "max_tokens": n}, choice.text, logprobs, near))
        if len(found) == most:
            break
    return found


async def still_known(line: Line, known: Sequence[Known], record: Record) -> list[Known]:
    """Those that are answered as before, now that an emotion was added: all but some whose moods go
    by all emotions."""
    found: list[Known] = []
    for each in known:
        logs = {"logprobs": 0} if "prompt" in each.body else {"logprobs": True}
        answer = await line.ask({**each.body, **logs}, stream=False, official=False)
        try:
            each.check(answer, Record())
        except Wrong as wrong:
            if not each.is_of_all:
                record.fault("crossed", f"since an emotion was added: {wrong}")
        else:
            found.append(each)
    return found


def _n_decided(choice: Choice, *, by: float) -> int:
    """How many tokens from the first on. The last may be half of a character, and none ends it."""
    n = 0
    for own, top in zip(choice.logprobs, choice.tops, strict=True):
        others = sorted(top, reverse=True)[1:]
        if not others or own - others[0] < by:
            break
        n += 1
    return n if choice.reason == "length" or n < len(choice.logprobs) else n - 1
