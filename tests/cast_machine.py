"""A cast that is called in random order, and what must be true of it after every call."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cast_answers import Failing, Listening, Lost, Speaker, fails_at
from llamood.errors import LlamoodError, ModelError, MoodError
from llamood.moods.mood import Mood
from llamood.voices.answer_stream import AnswerStream
from llamood.voices.character import Character
from open_casts import KINDS, N_VOICE, Call, OpenCast, OpenCasts

WORLD = "You live in a small town by the sea."  # longer than is worth waiting for
MOODS = {
    "neutral": Mood(),
    "joy": Mood({"joy": 1.0}),
    "layers": Mood({"anger": 0.5, "$layers": [1, 2]}),
    "ramp": Mood({"joy": {"ramp": [0, 1], "over": 9}}),
    "all": Mood({"anger": 0.4, "$positions": "all"}),
    "inertia": Mood({"joy": 0.8, "$inertia": 3}),
    "relative": Mood({"anger": 0.1, "$dose": "relative"}),
    "word": Mood({"anger": {"on": "b", "pulse": 1.0, "release": 3}, "joy": 0.75}),
    "words": Mood(
        {"joy": {"on": "ab", "pulse": 1.0, "release": 3}, "anger": {"on": "a", "constant": 0.5}}
    ),
    "fails later": Mood({"joy": Failing(3)}),
    "fails": Mood({"joy": Failing(0)}),
}
LETTERS = 'root ::= ("a" | "b" | "é" | "日" | "ab"){8,}'

WHO = st.integers(0, N_VOICE - 1)
SYSTEM = st.sampled_from([None, WORLD])
MOOD = st.sampled_from([name for name in MOODS if name != "fails"])
ANY_MOOD = st.sampled_from(list(MOODS))
TEXT = st.sampled_from(["", "Hi", "é日", "Tell me of the sea.", "tell " * 6])
N_HEARD = st.sampled_from([3, 0, 1, 5])  # events that are listened to at once
_TEMPERATURE, _SEED = st.sampled_from([0.0, 1.0, -1.0]), st.integers(0, 3)
_OTHER: dict[str, Any] = {
    "max_tokens": st.sampled_from([None, 20, None, 3, 1]),
    "max_seconds": st.sampled_from([None, 1e6, None, 1e6, 0.0]),
    "stop": st.sampled_from([("ab",), ("bé", "日a", "aaaa"), ("f2", "Z")]),
    "repeat_penalty": st.sampled_from([1.0, 1.3]),
    "top_k": st.sampled_from([5, 0]),
}
_GRAMMAR = st.sampled_from([LETTERS, "", LETTERS, "", 'root ::= "yes" | "no"'])
HOW = st.fixed_dictionaries(
    {"temperature": _TEMPERATURE, "seed": _SEED, "grammar": _GRAMMAR}, optional=_OTHER
)
HOW_NOW = st.fixed_dictionaries({}, optional={"seed": _SEED, "grammar": _GRAMMAR, **_OTHER})


def noted(call: Callable[..., None]) -> Callable[..., None]:
    """Of a machine; kept among its ``calls``."""

    @functools.wraps(call)
    def noting(machine: CastMachine, **arguments: Any) -> None:
        machine.calls.append(Call(call.__name__, arguments))
        call(machine, **arguments)

    return noting


def where(may: Callable[[CastMachine], object]) -> Callable[..., Any]:
    """A call that is left out unless this is so. No precondition of hypothesis': what is drawn next
    would depend on who speaks, which in a cast with grammars depends on the clock."""

    def calling(call: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(call)
        def called(machine: CastMachine, **arguments: Any) -> None:
            if may(machine):
                call(machine, **arguments)

        return called

    return calling


class CastMachine(RuleBasedStateMachine):
    """A game on one of ``casts``; played to its end, it is one of ``games``."""

    def __init__(self, casts: OpenCasts, games: list[list[Call]]) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self._casts = casts
        self._games = games
        self._kind: str | None = None
        self._speakers: list[Speaker] = []
        self._streams: list[Listening] = []
        self._gone: Character | None = None
        self._n_silent = 0  # calls since somebody spoke or was told something
        self._n_in_vain = 0

    @property
    def _silent(self) -> list[Speaker]:
        return [speaker for speaker in self._speakers if speaker.answer is None]

    @property
    def _speaking(self) -> list[Speaker]:
        return [speaker for speaker in self._speakers if speaker.answer is not None]

    @property
    def _is_idle(self) -> bool:
        """Whether it is time that somebody speaks: most games would be spent in silence."""
        return bool(self._speakers) and self._n_silent > 2

    def _at(self, who: int) -> Speaker:
        """One of all, those who speak first."""
        return [*self._speaking, *self._silent][who % len(self._speakers)]

    # -- coming and going ------------------------------------------------------------------

    @initialize(kind=st.sampled_from(sorted(KINDS)), mood=MOOD, how=HOW)
    @noted
    def open(self, kind: str, mood: str, how: dict[str, Any]) -> None:
        self._kind = kind
        self._opened: OpenCast = self._casts.get(kind)
        self._cast = self._opened.cast
        self._join(WORLD, MOODS[mood], how)

    @rule(system=SYSTEM, mood=MOOD, how=HOW)
    @where(lambda self: len(self._speakers) < N_VOICE and not self._is_idle)
    @noted
    def join(self, system: str | None, mood: str, how: dict[str, Any]) -> None:
        self._join(system, MOODS[mood], how)

    def _join(self, system: str | None, mood: Mood, how: dict[str, Any]) -> None:
        voice = self._cast.join(system, mood=mood, **how)
        messages = [] if system is None else [{"role": "system", "content": system}]
        felt = np.zeros(self._cast.emotions.n_emotion)
        self._speakers.append(Speaker(voice, how, mood, messages, felt))

    @rule(who=WHO)
    @where(lambda self: self._speakers and not self._is_idle)
    @noted
    def leave(self, who: int) -> None:
        self._leave(self._at(who))

    def _leave(self, speaker: Speaker) -> None:
        speaker.may_be_interrupted()
        self._cast.leave(speaker.voice)
        self._settle()
        self._speakers.remove(speaker)
        self._gone = speaker.voice

    # -- speaking --------------------------------------------------------------------------

    @rule(who=WHO, text=TEXT, how=HOW_NOW, n=N_HEARD)
    @where(lambda self: self._silent)
    @noted
    def say(self, who: int, text: str, how: dict[str, Any], n: int) -> None:
        silent = self._silent
        self._say([silent[who % len(silent)]], text, how, n)

    @rule(most=st.integers(2, N_VOICE), text=TEXT, how=HOW_NOW, n=N_HEARD)
    @where(lambda self: len(self._silent) > 1)
    @noted
    def say_to_several(self, most: int, text: str, how: dict[str, Any], n: int) -> None:
        self._say(self._silent[:most], text, how, n)

    def _say(self, told: list[Speaker], text: str, how: dict[str, Any], n: int) -> None:
        self._n_silent = 0
        planned = {speaker: speaker.planned(text, how, self._opened) for speaker in told}
        to = {speaker.voice: text for speaker in told}
        answers = {each.voice: answer for each, answer in planned.items() if answer is not None}
        has_room = len(answers) == len(told)
        if not has_room or any(fails_at(speaker.mood) == 0 for speaker in told):
            self._refused(Lost if has_room else ModelError, lambda: self._cast.say(to, **how))
            return
        self._streams.append(Listening(self._cast.say(to, **how), answers))
        for speaker in told:
            speaker.answer = answers[speaker.voice]
        if n:
            self._listen(self._streams[-1], n)

    @rule(who=WHO, mood=ANY_MOOD)
    @where(lambda self: self._speakers and not self._is_idle)
    @noted
    def feel(self, who: int, mood: str) -> None:
        speaker, asked = self._at(who), MOODS[mood]
        if speaker.answer is not None and fails_at(asked) == 0:
            self._refused(Lost, lambda: self._cast.feel(speaker.voice, asked))
            return
        self._cast.feel(speaker.voice, asked)
        speaker.mood = asked
        if speaker.answer is not None:
            speaker.answer.feel(asked)

    @rule(who=WHO)
    @where(lambda self: self._speaking)
    @noted
    def interrupt(self, who: int) -> None:
        speaker = self._speaking[who % len(self._speaking)]
        speaker.may_be_interrupted()
        self._cast.interrupt(speaker.voice)
        assert not speaker.voice.is_speaking

    # -- listening -------------------------------------------------------------------------

    @rule(which=WHO, n=st.sampled_from([1, 3, 8]))
    @where(lambda self: self._streams)
    @noted
    def listen(self, which: int, n: int) -> None:
        self._listen(self._stream(which), n)

    @rule(which=WHO)
    @where(lambda self: self._streams)
    @noted
    def listen_to_the_end(self, which: int) -> None:
        self._listen(self._stream(which), None)

    def _listen(self, stream: Listening, n: int | None) -> None:
        try:
            is_over = not stream.listen(n)
            self._settle()
            assert not (is_over and stream.has_failed)
        except Lost:
            is_over = True
            stream.may_be_interrupted()
            self._settle()
            assert stream.has_failed
        if is_over:
            self._streams.remove(stream)

    @rule(which=WHO, way=st.sampled_from(["close", "let go", "leave a task"]))
    @where(lambda self: self._streams)
    @noted
    def listen_no_more(self, which: int, way: str) -> None:
        stream = self._stream(which)
        stream.may_be_interrupted()
        self._streams.remove(stream)
        has_failed = False
        if way == "close":
            stream.stream.close()
            assert list(stream.stream) == []
        elif way == "leave a task":
            has_failed = asyncio.run(_leave_a_task(stream.stream))
        else:
            stream.let_go()
        self._settle()
        assert all(answer.is_over or answer.is_lost for answer in stream.answers.values())
        assert stream.has_failed or not has_failed

    def _stream(self, which: int) -> Listening:
        return self._streams[which % len(self._streams)]

    # -- what changes nothing --------------------------------------------------------------

    def _call_in_vain(self) -> None:
        """Another one each time."""
        cast, gone = self._cast, self._gone
        voice = self._speakers[self._n_in_vain % len(self._speakers)].voice
        speaking = self._speaking[0].voice if self._speaking else gone
        calls: list[tuple[Any, Callable[[], Any]]] = [
            (MoodError, lambda: cast.feel(voice, {"jov": 1.0})),
            (MoodError, lambda: cast.feel(voice, {"joy": 1.0, "$layers": [0, 99]})),
            (LlamoodError, lambda: cast.say({voice: 3})),
            (LlamoodError, lambda: cast.say({voice: "Hi"}, max_tokens=0)),
            (LlamoodError, lambda: cast.say({voice: "Hi", "nobody": "Hi"})),
            (LlamoodError, lambda: cast.say({voice: ""}, grammar="root ::= (")),
            (LlamoodError, lambda: cast.say({voice: "tell " * 40})),
            (LlamoodError, lambda: cast.say({voice: "", speaking: ""})),
            (LlamoodError, lambda: cast.interrupt(gone)),
            (LlamoodError, lambda: cast.leave(gone)),
            (LlamoodError, lambda: cast.feel(gone, {"joy": 1.0})),
        ]
        self._refused(*calls[self._n_in_vain % len(calls)])
        if len(self._speakers) == N_VOICE:
            self._refused(LlamoodError, cast.join)
        self._n_in_vain += 1

    def _refused(self, fault: type[Exception], call: Callable[[], Any]) -> None:
        """The call raises, and then nothing has happened, but that something was perhaps not kept
        for the next answer."""
        before = self._state()
        with pytest.raises(fault):
            call()
        assert self._state() == before
        for speaker in self._silent:
            speaker.decoded = None

    def _state(self) -> list[Any]:
        voices = self._cast.voices
        known = [(v, v.messages, v.mood, v.is_speaking, v._core.felt.tolist()) for v in voices]
        return [self._cast._shared.stage.n_token, *known]

    # -- what is true after every call -----------------------------------------------------

    @invariant()
    def all_is_well(self) -> None:
        self._settle()
        self._n_silent = 0 if self._speaking else self._n_silent + 1
        there = {speaker.voice.number: speaker for speaker in self._speakers}
        assert set(self._cast.voices) == {speaker.voice for speaker in self._speakers}
        for number in range(N_VOICE):
            n_cached = self._opened.require_consecutive(number)
            if number in there:
                there[number].check(n_cached)
            else:
                assert n_cached == 0
        if self._speakers:
            self._call_in_vain()

    def _settle(self) -> None:
        for speaker in self._speakers:
            answer = speaker.settle(self._opened.alone)
            if answer is not None:
                self._casts.counts.update(answer.kinds)

    def teardown(self) -> None:
        if self._kind is None:
            return
        try:
            for speaker in list(self._speakers):
                self._leave(speaker)
            self._opened.require_as_new()
        except BaseException:
            self._casts.drop(self._kind)
            raise
        self._games.append(self.calls)


async def _leave_a_task(stream: AnswerStream) -> bool:
    """An ``async for`` that is left after an event, in a loop that has something else to do; True
    where a mood had failed."""
    try:
        async for _ in stream:
            break
    except Lost:
        return True
    finally:
        assert stream.is_over  # at once
    return False


def replay(calls: list[Call], casts: OpenCasts) -> None:
    """The same game again."""
    machine = CastMachine(casts, [])
    for call in calls:
        getattr(machine, call.name)(**call.arguments)
        machine.all_is_well()
    machine.teardown()
