"""One voice of a cast: the answer that it gives, its mood, and what it has cached."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from llamood.errors import LlamoodError, ModelError, MoodWarning
from llamood.moods.mood import Mood
from llamood.moods.performance import Performance
from llamood.moods.steering import NOTHING, Blend, Notice, Steering
from llamood.vectors.emotion_vectors import Float32, Float64
from llamood.voices.collapse_monitor import Care, Rescue
from llamood.voices.event import Event, FinishReason
from llamood.voices.memory import Memory, Overflow
from llamood.voices.sampling import Sampling
from llamood.voices.shared_context import SharedContext
from llamood.voices.turn import Plan, Turn

_WORTH_WAITING = 32  # tokens that another voice is about to decode


class Character:
    """Made by ``Cast.join``, which alone calls what is not a property here.

    ``number``: its sequence in the shared context.
    """

    def __init__(
        self,
        shared: SharedContext,
        number: int,
        *,
        system: str | None,
        mood: Mood,
        sampling: Sampling,
        overflow: Overflow,
        care: Care | None,
    ) -> None:
        self.number = number
        self.sampling = sampling
        self.is_present = True
        self._shared = shared
        self._memory = Memory(shared, system=system, overflow=overflow)
        self._care = care
        self._noticed: set[str] = set()
        self._reader = shared.reader(number)
        self._reading: dict[str, float] = {}
        self._steering = self._understand(mood)
        self._felt = np.zeros(shared.vectors.emotions.n_emotion)
        self._turn: Turn | None = None
        # What is decoded, or will be, and the key of the blend of each position; of these the
        # first `stage.n_cached` are decoded.
        self._tokens: list[int] = []
        self._keys: list[int] = []

    @property
    def mood(self) -> Mood:
        """What it feels now."""
        return self._steering.mood

    @property
    def reading(self) -> dict[str, float]:
        """What the last tokens of its answer expressed: emotion -> z-score, 0 as in neutral text.

        As ``llamood.Llama.reading``, of what was decoded when its last token was chosen; empty
        before there is one. Raises `ModelError` in a cast without readings.
        """
        if self._reader is None:
            raise ModelError("this voice reads nothing; open it with Cast(..., readings=True)")
        return dict(self._reading)

    @property
    def felt(self) -> Mapping[str, float]:
        """The weights applied last, from which a mood with inertia moves on; those of 0 left out.
        Multiples of the vectors as stored."""
        return self._steering.named(self._felt)

    @property
    def messages(self) -> list[dict[str, str]]:
        """What it remembers of the conversation, as chat messages; a copy."""
        asked = None if self._turn is None else self._turn.plan.messages
        messages = self._memory.messages if asked is None else asked
        return [dict(message) for message in messages]

    @property
    def is_speaking(self) -> bool:
        return self._turn is not None

    @property
    def is_waiting(self) -> bool:
        """Whether its prompt is not on the stage yet."""
        return self._turn is not None and self._turn.is_waiting

    @property
    def is_prompting(self) -> bool:
        """Whether its prompt is being decoded."""
        return self._turn is not None and not self._turn.n_drawn and not self._turn.is_waiting

    # -- a turn ----------------------------------------------------------------------------

    def plan(self, text: str, sampling: Mapping[str, Any]) -> Plan:
        """The answer to ``text``. Changes nothing.

        Raises `LlamoodError` while it speaks and for a grammar that llama.cpp does not take, and
        `ModelError` where there is no room.
        """
        self._require_silent()
        if not isinstance(text, str):
            raise LlamoodError(f"a voice is told a text, found {text!r:.60}")
        chosen = Sampling.of(sampling, base=self.sampling)
        self._shared.require_grammar(chosen.grammar)
        return self._memory.plan(text, chosen)

    def plan_prompt(self, tokens: Sequence[int], sampling: Mapping[str, Any]) -> Plan:
        """The answer to a prompt of its own, beside the conversation. Changes nothing; raises as
        `plan` does."""
        self._require_silent()
        chosen = Sampling.of(sampling, base=self.sampling)
        room = chosen.max_tokens or 1
        if not tokens or len(tokens) + room > self._shared.share:
            raise ModelError(
                f"the prompt has {len(tokens)} tokens and the answer may have {room}; expected at "
                f"least one, and together at most {self._shared.share}"
            )
        return Plan(None, list(tokens), 0, chosen)

    def keys(self, plan: Plan, mood: Mood, *, felt: Mapping[str, float]) -> npt.NDArray[np.int64]:
        """Of the blend of each position of the plan's prompt, if it was answered in this mood."""
        steering = self._shared.understand(mood)
        performance = Performance(
            steering,
            position=len(plan.tokens) - 1,
            before=_weights(felt, steering.names),
            notice=lambda notice: None,  # it is not felt yet
            reading=None if self._reader is None else self._reader.reading,
        )
        return Turn(plan, performance, n_ctx=self._shared.share).keys()

    def _require_silent(self) -> None:
        if not self.is_present:
            raise LlamoodError("this voice has left the cast")
        if self.is_speaking:
            raise LlamoodError("this voice is speaking; interrupt it first, or let it end")

    def begin(self, plan: Plan, others: Iterable[Character]) -> Character | None:
        """Give the answer. ``others``: from whom to take over what they have decoded already.

        Returns the one of them who is about to decode much of the same; `start` is to be called
        when that one `is_prompting` no more.
        """
        self._reading = {}
        notices: list[str] = []
        self._turn = Turn(
            plan,
            self._performance(plan, notices),
            n_ctx=self._shared.share,
            care=self._care,
            notices=notices,
        )
        leader = self._leader(self._turn, others)
        self._turn.is_waiting = leader is not None
        if leader is None:
            self.start(others)
        return leader

    def _performance(self, plan: Plan, notices: list[str]) -> Performance:
        """``notices``: where those of its limits are kept."""
        return Performance(
            self._steering,
            position=len(plan.tokens) - 1,
            before=self._felt,
            notice=lambda notice: self._notice(notice, notices),
            reading=None if self._reader is None else self._reader.reading,
        )

    def _leader(self, turn: Turn, others: Iterable[Character]) -> Character | None:
        tokens, keys = turn.plan.tokens, turn.keys()
        decoded = max((voice.n_common(tokens, keys) for voice in (self, *others)), default=0)
        ahead = {voice: voice.n_same(tokens, keys) for voice in others if voice.is_prompting}
        leader = max(ahead, key=lambda voice: ahead[voice], default=None)
        return None if leader is None or ahead[leader] < decoded + _WORTH_WAITING else leader

    def start(self, others: Iterable[Character]) -> None:
        """Decode the prompt."""
        turn = self._turn
        assert turn is not None
        turn.is_waiting = False
        stage, tokens, wanted = self._shared.stage, turn.plan.tokens, turn.keys()
        n = stage.keep(self.number, min(self.n_common(tokens, wanted), len(tokens) - 1))
        n += self._borrow(n, tokens, wanted, others)
        blends = turn.rows(0)
        self._note_all(0, blends[:n])
        self._keys = wanted[:n].tolist()
        self._speak(turn, n, blends[n:])

    def _again(self, turn: Turn) -> None:
        """Draw what follows on the answer as far as it goes, in the mood of now. What is decoded of
        it stays, unless the mood steers the prompt too."""
        stage, tokens = self._shared.stage, turn.tokens
        stage.rest(self.number)
        n = len(tokens) - 1
        if turn.performance.start < turn.performance.position:
            n = min(n, self.n_common(tokens, np.array([blend.key for blend in turn.rows(0)])))
        n = stage.keep(self.number, n)
        self._keys = self._keys[:n]
        self._speak(turn, n, turn.rows(n))

    def _speak(self, turn: Turn, n: int, blends: list[Blend]) -> None:
        """Draw what follows on the turn's tokens, of which the first ``n`` are decoded, and the
        rest are to be under ``blends``."""
        tokens = turn.tokens
        turn.is_unfelt, turn.is_begun = turn.is_paused and turn.n_drawn > 0, True
        if turn.is_unfelt:
            blends[-1] = NOTHING
        self._tokens = tokens
        self._keys += [blend.key for blend in blends]
        self._note_all(n, blends)
        mix = self._shared.mix(turn.performance.steering)
        said = tokens[len(turn.plan.tokens) :]
        rows = np.array([self._row(blend) for blend in blends])
        try:
            how = {**turn.plan.sampling.chain(), **turn.limits(), "said": said}
            if turn.monitor is not None:  # which hears how likely each token was
                how["n_likely"] = max(how["n_likely"], 0)
            self._shared.stage.begin(self.number, tokens[n:], rows, *mix, **how)
        except ValueError as error:
            raise LlamoodError(f"this answer cannot be given: {error}") from None

    def n_same(self, tokens: Sequence[int], keys: npt.NDArray[np.int64]) -> int:
        """How many of these positions it has decoded, or will, of the same tokens in the same
        moods."""
        n = min(len(tokens), len(self._tokens))
        same = np.equal(self._tokens[:n], tokens[:n]) & np.equal(self._keys[:n], keys[:n])
        return n if same.all() else int(np.argmin(same))

    @property
    def n_cached(self) -> int:
        """How many positions it has decoded."""
        return self._shared.stage.n_cached(self.number)

    def n_common(self, tokens: Sequence[int], keys: npt.NDArray[np.int64]) -> int:
        """How many of these it has decoded."""
        return min(self.n_same(tokens, keys), self._shared.stage.n_cached(self.number))

    def _borrow(
        self,
        n: int,
        tokens: Sequence[int],
        keys: npt.NDArray[np.int64],
        others: Iterable[Character],
    ) -> int:
        """How many positions after the first ``n`` another voice had decoded."""
        last = len(tokens) - 1
        known = [(min(other.n_common(tokens, keys), last), other.number) for other in others]
        most, number = max(known, default=(0, -1))
        if most <= n:
            return 0
        self._shared.stage.share(number, self.number, n, most)
        return most - n

    def hear(self, token: int, piece: bytes, text: str, reason: FinishReason | None) -> list[Event]:
        """It drew this token, whose bytes are ``piece`` and which adds ``text`` to its answer;
        ``reason``: why that is over. Returns what can be told now: nothing while the answer smells
        of collapse, or of this token where that is drawn anew."""
        turn = self._turn
        assert turn is not None
        turn.is_begun = False
        likely = self._shared.stage.likely(self.number)
        # What a grammar asks for a model may find unlikely.
        logprob = likely[0][1] if likely and not turn.plan.sampling.grammar else None
        rescue = turn.heard(token, piece, logprob, is_over=reason not in (None, "length"))
        if rescue is not None:
            return self._rescue(turn, rescue)
        turn.untold.append(self._event(turn, token, text, reason))
        if reason is None:
            self._feed(turn, token, piece)
        events = turn.sound(is_over=reason is not None)
        if reason is not None:
            self._end(turn)
        return events

    def _event(self, turn: Turn, token: int, text: str, reason: FinishReason | None) -> Event:
        number, turn.n_drawn = turn.n_drawn, turn.n_drawn + 1
        turn.performance.spoken = number
        asked, applied = turn.performance.mixes(number)
        mood = {} if turn.is_unfelt else applied
        score = None
        if self._reader is not None:
            position = turn.performance.position
            self._reading, score = self._reader.heard(position, position + turn.n_drawn)
        forgotten = 0 if number else turn.plan.forgotten
        tells = turn.plan.sampling.logprobs is not None
        likely = tuple(self._shared.stage.likely(self.number)) if tells else ()
        return Event(
            self,
            text,
            token,
            mood,
            self._told,
            reason,
            forgotten,
            likely,
            asked=asked,
            score=score,
            guard=turn.guard,
            notices=tuple(turn.notices),
        )

    def _rescue(self, turn: Turn, rescue: Rescue) -> list[Event]:
        """Go on from before the collapse in less of the mood, or say no more."""
        turn.take_back(rescue)
        if rescue.factor is None:
            self._end(turn)
            return [Event(self, "", None, {}, self._told, "stop", guard=turn.guard)]
        turn.performance.soften(rescue.kept, rescue.factor)
        self._again(turn)
        return []

    @property
    def _told(self) -> Mapping[str, float] | None:
        """What an event says of `reading`."""
        return None if self._reader is None else self._reading

    def _feed(self, turn: Turn, token: int, piece: bytes) -> None:
        """Let the token be decoded, in the mood that it calls for."""
        turn.fed.append((token, piece))
        self._tokens.append(token)
        self._keys.append(0)
        self._play(turn)

    def _play(self, turn: Turn) -> None:
        """Decode the last token in this mood, which listens to it, and to those before it where
        none did."""
        performance, n = turn.performance, turn.n_drawn
        if performance.listens:
            for number in range(min(performance.n_heard + 1, n), n + 1):
                performance.hear(number, piece=turn.fed[number - 1][1])
        blend = NOTHING if turn.is_paused else performance.blend(n)
        turn.is_unfelt = turn.is_paused
        rows = self._row(blend)[np.newaxis]
        self._shared.stage.play(self.number, rows, *self._shared.mix(performance.steering))
        self._keys[-1] = blend.key
        self._note(len(self._keys) - 1, 1, blend)

    def _note(self, position: int, n: int, blend: Blend) -> None:
        """These positions are decoded under this blend."""
        if self._reader is not None:
            self._reader.note(position, n, blend)

    def _note_all(self, position: int, blends: Sequence[Blend]) -> None:
        """These positions, from the first on, are decoded under these blends."""
        for _, alike in groupby(blends, key=lambda blend: blend.key):
            same = list(alike)
            self._note(position, len(same), same[0])
            position += len(same)

    def _row(self, blend: Blend) -> Float32:
        row = np.zeros(len(self._felt), dtype=np.float32)
        if blend.key:
            row[:] = blend.weights
        return row

    def interrupt(self) -> Event | None:
        """Say no more; what was said until now stays. None where it does not speak."""
        turn = self._turn
        if turn is None:
            return None
        is_sound = not turn.untold
        turn.untold.clear()
        text = self._end(turn, tells_rest=is_sound)
        return Event(self, text, None, {}, self._told, "interrupted", guard=turn.guard)

    def abandon(self) -> None:
        """The turn went wrong: it is as if it had not been."""
        self._reading = {}
        if self._turn is not None:
            self._turn.told.clear()
            self._end(self._turn)

    def _end(self, turn: Turn, *, tells_rest: bool = False) -> str:
        """Returns the end of what was told, where it was held back and is told."""
        self._turn = None
        rest = self._shared.stage.rest(self.number)
        held = rest if tells_rest else ""
        if turn.told:  # else all is as before: many templates want question and answer in turn
            self._felt = turn.performance.after(len(turn.told) - 1)
            if turn.plan.messages is not None:
                answer = {"role": "assistant", "content": "".join([*turn.told, held])}
                self._memory.messages = [*turn.plan.messages, answer]
        return held

    def leave(self) -> None:
        """Forget everything."""
        self._shared.stage.keep(self.number, 0)
        self.is_present = False

    # -- mood ------------------------------------------------------------------------------

    def feel(self, mood: Mood, *, felt: Mapping[str, float] | None = None) -> None:
        """From the next token on, also in the middle of an answer. ``felt``: what to have felt
        before the next one, unless it is to be remembered."""
        steering, turn = self._understand(mood), self._turn
        if turn is not None:
            turn.performance.change(steering, turn.n_drawn)
        self._steering = steering
        if felt is not None:
            self._felt = _weights(felt, steering.names)
        if turn is None:
            return
        if turn.is_begun and turn.n_drawn:
            self._again(turn)
        elif turn.n_drawn:
            self._play(turn)
        else:
            self._shared.stage.rest(self.number)
            self.begin(turn.plan, ())

    def pause(self, paused: bool) -> None:
        """Add nothing from the next token of this answer on, or the mood again: time goes on in
        it meanwhile."""
        turn = self._turn
        if turn is None or turn.is_paused == paused:
            return
        turn.is_paused = paused
        if turn.is_begun and turn.n_drawn:
            self._again(turn)
        elif turn.n_drawn:
            self._play(turn)

    def _understand(self, mood: Mood) -> Steering:
        steering = self._shared.understand(mood)
        if not mood.listens:
            for notice in steering.beginning.notices:
                self._notice(notice, [])
        return steering

    def _notice(self, notice: Notice, told: list[str]) -> None:
        if notice.text not in told:
            told.append(notice.text)
        if notice.what not in self._noticed:
            self._noticed.add(notice.what)
            warnings.warn(notice.text, MoodWarning, stacklevel=2)


def _weights(felt: Mapping[str, float], names: Sequence[str]) -> Float64:
    """(n_emotion,)."""
    return np.array([felt.get(name, 0.0) for name in names])
