"""What each voice of a cast must remember and say, whatever happens to the others."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from llamood.moods.mood import Mood
from llamood.vectors.emotion_vectors import Float64
from llamood.voices.answer_stream import AnswerStream
from llamood.voices.character import Character
from llamood.voices.event import Event
from lone_voice import LoneVoice, Request, Said, has_stopped, told
from open_casts import OpenCast

_KEPT_FREE = 4  # for an answer of no known length, this part of what a voice can remember
_LIMITS = ("max_tokens", "max_seconds", "stop")  # all others say how a token is drawn


class Lost(Exception):
    """What `Failing` raises."""


@dataclass(frozen=True)
class Failing:
    """A mood's function that fails at token ``at``."""

    at: int

    def __call__(self, token: int) -> float:
        if token == self.at:
            raise Lost
        return 0.5


def fails_at(mood: Mood) -> int | None:
    """The token of the mood at which it fails, if it does."""
    functions = (getattr(schedule, "function", None) for schedule in mood.emotions.values())
    return next((each.at for each in functions if isinstance(each, Failing)), None)


@dataclass(eq=False)
class Answer:
    """An answer that is being given. ``moods``: from which token on which; ``limit``: how many
    tokens it may have; ``events``: all of them, from where they are made."""

    voice: Character
    messages: list[dict[str, str]]
    prompt: tuple[int, ...]
    forgotten: int
    how: dict[str, Any]
    limit: int
    moods: list[tuple[int, Mood]]
    before: Float64
    events: list[Event] = field(default_factory=list)
    may_be_interrupted: bool = False
    is_lost: bool = False  # nobody hears what is said from here on
    is_over: bool = False
    has_failed: bool = False  # its mood did
    is_tipped: bool = False  # by rounding, from what would be said alone

    @property
    def n_drawn(self) -> int:
        """Tokens, with those that were drawn anew; until another answer begins."""
        return self.voice._core.n_draw

    @property
    def tokens(self) -> list[int]:
        return [event.token for event in self.events if event.token is not None]

    @property
    def decoded(self) -> list[int] | None:
        """What is decoded when it ends, and perhaps one token more; None where some were drawn that
        are not told: they wait, or were taken back."""
        return [*self.prompt, *self.tokens] if self.n_drawn == len(self.tokens) else None

    @property
    def stops(self) -> Sequence[str]:
        stops: Sequence[str] = self.how.get("stop", ())
        return stops

    def feel(self, mood: Mood) -> None:
        """From the next token on."""
        n, moods = self.n_drawn, self.moods
        self.moods = [(at, before) for at, before in moods if at < n] + [(n, mood)]

    def request(self) -> Request:
        drawn = {name: value for name, value in self.how.items() if name not in _LIMITS}
        return Request(
            self.prompt, tuple(self.moods), tuple(sorted(drawn.items())), tuple(self.before)
        )

    # -- what must be true of it -------------------------------------------------------------

    def check(self, alone: LoneVoice) -> None:
        """All that was said, against what the voice says alone."""
        tokens, said = self.tokens, self._said(alone)
        for n, (token, one) in enumerate(zip(tokens, said.spoken, strict=False)):
            if one.mood.dose == "stored":
                felt = [self.events[n].mood.get(name, 0.0) for name in alone.names]
                assert np.allclose(felt, one.felt, atol=1e-6)
            if token != one.token:
                assert alone.might_say(self.request(), n, token)
                self.is_tipped = True
                break  # from here on it is another answer
        reason = self.events[-1].finish_reason if self.events else None
        if reason is not None and not self.is_tipped:
            n_told = said.n_told if reason == "interrupted" else len(said.spoken)
            assert len(tokens) == n_told
        pieces = [alone.piece(token) for token in tokens]
        self._check_texts(pieces)
        self._check_ends(pieces, alone)

    def felt(self, alone: LoneVoice) -> Float64:
        """What was felt last."""
        n = len(self.tokens)
        return self._said(alone).felt[n - 1] if n else self.before

    def _said(self, alone: LoneVoice) -> Said:
        last = self.events[-1] if self.events else None
        # The guard does not hear what a stop text or the time ends.
        ends = (
            last is not None and last.token is not None and last.finish_reason in ("stop", "time")
        )
        return alone.said(self.request(), self.n_drawn, ends=ends)

    def _check_texts(self, pieces: list[bytes]) -> None:
        """Each event tells what could be told by then, the last one all that was said."""
        so_far = ""
        for number, event in enumerate(self.events):
            so_far += event.text
            is_over = event.finish_reason is not None
            assert so_far == told(pieces[: number + 1], self.stops, is_over=is_over)

    def _check_ends(self, pieces: list[bytes], alone: LoneVoice) -> None:
        """One finish_reason, the last event's, and the true one."""
        last = len(self.events) - 1
        for number, event in enumerate(self.events):
            if event.token is None:
                assert number == last
                if event.guard is not None and event.guard["stopped"]:
                    assert event.finish_reason == "stop"
                    continue
                assert event.finish_reason == "interrupted"
                assert self.may_be_interrupted
                assert event.forgotten == 0  # where nothing was said, nothing is
                continue
            reason = None
            if alone.ends_with(event.token) or has_stopped(pieces[: number + 1], self.stops):
                reason = "stop"
            elif number + 1 == self.limit:
                reason = "length"
            elif self.how.get("max_seconds") == 0.0:
                reason = "time"
            assert event.finish_reason == reason
            assert reason is None or number == last
            assert event.forgotten == (0 if number else self.forgotten)

    def text(self, alone: LoneVoice) -> str:
        """What is remembered of it."""
        return told([alone.piece(token) for token in self.tokens], self.stops, is_over=True)

    @property
    def kinds(self) -> list[str]:
        """What became of it, for counting."""
        reasons = [event.finish_reason for event in self.events if event.finish_reason]
        kinds = {
            "answers": True,
            "failed": self.has_failed,
            "lost": self.is_lost,
            "changed": len(self.moods) > 1,
            "forgotten": bool(self.forgotten and self.tokens),
            "unsaid": not self.tokens,
            "tipped": self.is_tipped,
            "rescued": any(event.guard is not None for event in self.events),
        }
        return [*reasons, *(kind for kind, is_so in kinds.items() if is_so)]


@dataclass(eq=False)
class Speaker:
    """A voice, and what must be true of it. ``decoded``: what it has decoded, and perhaps one
    token more, where that is known."""

    voice: Character
    how: dict[str, Any]
    mood: Mood
    messages: list[dict[str, str]]
    felt: Float64
    answer: Answer | None = None
    decoded: list[int] | None = None

    def planned(self, text: str, how: dict[str, Any], opened: OpenCast) -> Answer | None:
        """The answer that would be given; None where there is no room for it."""
        how = {**self.how, **how}
        messages = [*self.messages, {"role": "user", "content": text}]
        n_system = sum(message["role"] == "system" for message in messages)
        asked = how.get("max_tokens")
        room = asked or (opened.n_ctx // _KEPT_FREE if opened.drops else 1)
        forgotten = 0
        while len(prompt := opened.alone.chat(messages)) + room > opened.n_ctx:
            if not opened.drops or len(messages) == n_system + 1:
                return None
            del messages[n_system : n_system + 2]  # a question and its answer
            forgotten += 1
        left = opened.n_ctx - len(prompt)
        limit = min(asked or left, left)
        return Answer(
            self.voice, messages, prompt, forgotten, how, limit, [(0, self.mood)], self.felt
        )

    def may_be_interrupted(self) -> None:
        if self.answer is not None:
            self.answer.may_be_interrupted = True

    def settle(self, alone: LoneVoice) -> Answer | None:
        """An answer that has come to its end, by whatever; it is checked and remembered."""
        answer = self.answer
        if answer is None or self.voice.is_speaking:
            return None
        self.answer, answer.is_over = None, True
        answer.check(alone)
        n = len(answer.tokens)
        has_ended = bool(answer.events) and answer.events[-1].finish_reason is not None
        if not has_ended and not answer.is_lost:
            if not answer.is_tipped:
                with pytest.raises(Lost):
                    alone.said(answer.request(), answer.n_drawn + 1)
            answer.has_failed = True
            decoded = [*answer.prompt, *answer.tokens, self._unheard(answer, alone)]
            self.decoded = decoded if answer.n_drawn == n + 1 else None
        elif not n:  # as if it had not been
            self.decoded = None
        else:
            self.decoded = answer.decoded
            text = {"role": "assistant", "content": answer.text(alone)}
            self.messages = [*answer.messages, text]
            self.felt = self.voice._core.felt if answer.is_tipped else answer.felt(alone)
        return answer

    def _unheard(self, answer: Answer, alone: LoneVoice) -> int:
        """The token after which the mood failed."""
        n = len(answer.tokens)
        token = alone.said(answer.request(), answer.n_drawn).spoken[-1].token
        last = self.voice._core.tokens[-1]
        if token != last:
            assert answer.is_tipped or alone.might_say(answer.request(), n, last)
            answer.is_tipped = True
        return last

    def check(self, n_cached: int) -> None:
        """What it remembers and feels, and what it has decoded of that."""
        voice, answer = self.voice, self.answer
        assert voice.messages == (self.messages if answer is None else answer.messages)
        assert voice.mood == self.mood
        assert np.allclose(voice._core.felt, self.felt, atol=1e-6)
        tokens = voice._core.tokens
        assert len(voice._core.keys) == len(tokens) >= n_cached
        if answer is not None and not voice.is_waiting:
            told = [*answer.prompt, *answer.tokens]
            assert tokens[: len(told)] == told
            assert n_cached < len(tokens)
            self.decoded = answer.decoded
            assert self.decoded in (None, tokens)
            if not answer.tokens:
                return
        if self.decoded is not None and not voice.is_waiting:
            assert tokens[:n_cached] == self.decoded[:n_cached]
            assert n_cached == len(self.decoded) - 1


class Listening:
    """A stream that is listened to, the answers in it, and all events from where they are made."""

    def __init__(self, stream: AnswerStream, answers: Mapping[Character, Answer]) -> None:
        self.answers = answers
        self.stream = stream
        self._made: list[Event] = []
        self._n_told = 0
        self._is_begun = False
        self._events = iter(stream)
        made, heard = self._made, weakref.ref(stream)

        def tell(event: Event) -> None:
            made.append(event)
            answers[event.voice].events.append(event)
            AnswerStream.tell(heard(), event)

        stream.tell = tell  # knows the stream by a weak reference, so that it can be let go of

    @property
    def has_failed(self) -> bool:
        """Whether a mood in it did."""
        return any(answer.has_failed for answer in self.answers.values())

    def listen(self, n: int | None = None) -> bool:
        """To ``n`` events, or all; False where no more will come. Every event that is made is told,
        once and in that order."""
        while n != 0:
            self._is_begun = True
            event = next(self._events, None)
            if event is None:
                assert self._n_told == len(self._made)
                return False
            assert event is self._made[self._n_told]
            self._n_told += 1
            n = None if n is None else n - 1
        return True

    def may_be_interrupted(self) -> None:
        for answer in self.answers.values():
            answer.may_be_interrupted = True

    def let_go(self) -> None:
        """Of the stream, and the iterator over it."""
        if not self._is_begun:
            for answer in self.answers.values():
                answer.is_lost = True
        del self.stream, self._events
