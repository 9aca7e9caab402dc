"""Answers that were given, decoded once more: how likely each token was, and what a mood changed.

It happens beside the voices of a cast, in sequences of its context that none of them has, and what
a voice has decoded of a prompt already is taken from it.
"""

from __future__ import annotations

import bisect
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import llama_cpp
import numpy as np

from llamood import _core
from llamood.errors import ModelError, MoodError, MoodWarning
from llamood.moods.mood import Mood
from llamood.moods.performance import Performance
from llamood.vectors.emotion_vectors import Float32, Float64
from llamood.voices.character import Character
from llamood.voices.shared_context import SharedContext

_AT_ONCE = 16  # rows of logits that are looked at together: what a processor's cache holds
_MOST_LOGITS = 2**26  # of one batch: a quarter of a gigabyte

# Some tokens of an answer, and the logits (n, n_vocab) that they follow on, which hold until the
# next batch.
Part = tuple[slice, Float32]


class Passage(NamedTuple):
    """Tokens of a prompt, at least one, and of the answer to it."""

    prompt: Sequence[int]
    answer: Sequence[int]

    @property
    def tokens(self) -> list[int]:
        """That must be decoded to know how likely each token of the answer is."""
        return [*self.prompt, *self.answer][:-1]

    @property
    def first(self) -> int:
        """The position after which the answer begins."""
        return len(self.prompt) - 1


@dataclass(frozen=True, eq=False)
class Comparison:
    """Of each token of an answer, (n_token,) in nats. ``kl``: how far a mood turns the distribution
    that it was drawn from, which is the Kullback-Leibler divergence of that in the mood from that
    without steering. ``nll``: its negative log likelihood without steering."""

    kl: Float64
    nll: Float64


@dataclass(frozen=True, eq=False)
class _Line:
    """A passage in a sequence of its own. ``rows``: float32 (n_token, n_emotion), the weights under
    which each token is decoded, and ``keys`` those of their blends. ``n_known``: how many of its
    tokens were decoded before."""

    passage: Passage
    sequence: int
    rows: Float32
    keys: list[int]
    mood: Mood
    n_known: int = 0


class Hindsight:
    """``sequences``: of the shared context, two at least, such as no voice has; each may hold
    as much as a voice. ``voices``: whose decoded prompts may be used.

    Nothing here is sampled, and voices that speak go on afterwards as if it had not been. Raises
    `ModelError` for a passage that a voice could not hold.
    """

    def __init__(
        self, shared: SharedContext, *, sequences: Sequence[int], voices: Iterable[Character]
    ) -> None:
        self._shared = shared
        self._sequences = tuple(sequences)
        self._voices = tuple(voices)
        self._room = min(shared.stage.n_batch, max(_MOST_LOGITS // shared.n_vocab(), 2))
        self._n_emotion = shared.vectors.emotions.n_emotion
        self._batch = llama_cpp.llama_batch_init(self._room, 0, 1)

    def close(self) -> None:
        """Before the shared context is closed."""
        llama_cpp.llama_batch_free(self._batch)

    def nll(self, passages: Sequence[Passage]) -> list[Float64]:
        """Of each token of each answer its negative log likelihood without steering, in nats:
        (n_token,) each."""
        found = [np.empty(len(passage.answer)) for passage in passages]
        for group in self._groups(passages):
            lines = [
                self._line(passages[number], Mood(), sequence)
                for number, sequence in zip(group, self._sequences, strict=False)
            ]
            for parts in self._decoded(lines):
                for number, (at, logits) in zip(group, parts, strict=True):
                    found[number][at] = _nlls(logits, passages[number].answer[at])
        return found

    def logits(self, passage: Passage) -> Float32:
        """(n_token, n_vocab): what each token of the answer follows on without steering, to be
        compared with moods."""
        found = np.empty((len(passage.answer), self._shared.n_vocab()), dtype=np.float32)
        if passage.answer:
            for ((at, logits),) in self._decoded([self._line(passage, Mood(), self._sequences[0])]):
                found[at] = logits
        return found

    def compared(self, passage: Passage, mood: Mood, *, plain: Float32 | None = None) -> Comparison:
        """An answer in a mood and without, of which ``plain`` are the `logits` where they are
        known. Where a mood listens, it hears the tokens of the answer. Raises `MoodError` for a
        mood that cannot be had, or that holds readings."""
        kl, nll = np.empty(len(passage.answer)), np.empty(len(passage.answer))
        if not passage.answer:
            return Comparison(kl, nll)
        lines = [
            self._line(passage, each, sequence)
            for each, sequence in zip((mood, Mood()), self._sequences, strict=False)
        ]
        for (at, steered), *beside in self._decoded(lines[: 2 if plain is None else 1]):
            still = beside[0][1] if plain is None else plain[at]
            kl[at] = _divergences(steered, still)
            nll[at] = _nlls(still, passage.answer[at])
        return Comparison(kl, nll)

    # -- lines -----------------------------------------------------------------------------

    def _groups(self, passages: Sequence[Passage]) -> Iterator[list[int]]:
        """Which are decoded side by side: as many as there are sequences and as fit a batch."""
        group: list[int] = []
        n_row = 0
        for number, passage in enumerate(passages):
            n = len(passage.tokens)
            if group and (len(group) == len(self._sequences) or n_row + n > self._room):
                yield group
                group, n_row = [], 0
            if passage.answer:
                group.append(number)
                n_row += n
        if group:
            yield group

    def _line(self, passage: Passage, mood: Mood, sequence: int) -> _Line:
        n = len(passage.tokens)
        if not passage.prompt or n > self._shared.share:
            raise ModelError(
                f"a passage has {len(passage.prompt)} tokens of a prompt and {len(passage.answer)} "
                f"of an answer; expected one of a prompt at least, and together at most "
                f"{self._shared.share + 1}"
            )
        rows = np.zeros((n, self._n_emotion), dtype=np.float32)
        keys = [0] * n
        if not mood.is_neutral:
            self._play(passage, mood, rows, keys)
        return _Line(passage, sequence, rows, keys, mood)

    def _play(self, passage: Passage, mood: Mood, rows: Float32, keys: list[int]) -> None:
        """Note under what each token is decoded in this mood."""
        if mood.reads:
            raise MoodError("", "a mood that goes by readings is felt only while it is spoken in")
        performance = Performance(
            self._shared.understand(mood),
            position=passage.first,
            before=np.zeros(self._n_emotion),
            notice=lambda notice: warnings.warn(notice.text, MoodWarning, stacklevel=2),
        )
        for position in range(performance.start, len(keys)):
            number = max(position - passage.first, 0)
            if number and performance.listens:
                token = passage.answer[number - 1]
                performance.hear(number, piece=self._shared.piece(token))
            blend = performance.blend(number)
            keys[position] = blend.key
            if blend.key:
                rows[position] = blend.weights

    def _with_known(self, line: _Line) -> _Line:
        """With what a voice has decoded of its prompt, and not forgotten since."""
        if self._shared.slides:
            return line
        n_most, best = 0, None
        for voice in self._voices:
            n = min(voice.n_common(line.passage.tokens, line.keys), line.passage.first)
            if n > n_most:
                n_most, best = n, voice
        if best is None:
            return line
        memory = llama_cpp.llama_get_memory(self._shared.ctx)
        llama_cpp.llama_memory_seq_cp(memory, best.number, line.sequence, 0, n_most)
        return _Line(line.passage, line.sequence, line.rows, line.keys, line.mood, n_most)

    # -- decoding --------------------------------------------------------------------------

    def _decoded(self, lines: Sequence[_Line]) -> Iterator[list[Part]]:
        """Decode lines side by side, of which those in a mood have one dose; yields their `Part`s,
        batch by batch. Those of lines that are equally long are too."""
        memory = llama_cpp.llama_get_memory(self._shared.ctx)
        try:
            lines = [self._with_known(line) for line in lines]
            begins = [line.n_known for line in lines]
            lengths = [len(line.keys) for line in lines]
            while begins != lengths:
                ends = _ends(begins, lengths, room=self._room)
                shares = list(zip(lines, begins, ends, strict=True))
                self._decode(shares)
                yield self._parts(shares)
                begins = ends
        finally:
            for line in lines:
                llama_cpp.llama_memory_seq_rm(memory, line.sequence, -1, -1)

    def _decode(self, shares: Sequence[tuple[_Line, int, int]]) -> None:
        """One batch: of each line the positions from the first number on, before the second."""
        shared, batch = self._shared, self._batch
        at = 0
        for line, begin, end in shares:
            tokens = line.passage.tokens
            for position in range(begin, end):
                batch.token[at] = tokens[position]
                batch.pos[at] = position
                batch.n_seq_id[at] = 1
                batch.seq_id[at][0] = line.sequence
                batch.logits[at] = position >= line.passage.first
                at += 1
        batch.n_tokens = at
        rows = np.concatenate([line.rows[begin:end] for line, begin, end in shares])
        mood = next((line.mood for line, *_ in shares if not line.mood.is_neutral), Mood())
        shared.decode(batch, rows, steering=shared.understand(mood))

    def _parts(self, shares: Sequence[tuple[_Line, int, int]]) -> list[Part]:
        """Of the batch that was decoded last."""
        places = []
        for line, begin, end in shares:
            first = line.passage.first
            places.append(slice(max(begin - first, 0), max(end - first, 0)))
        n_output = sum(place.stop - place.start for place in places)
        if not n_output:
            empty = np.empty((0, self._shared.n_vocab()), dtype=np.float32)
            return [(place, empty) for place in places]
        logits = np.ctypeslib.as_array(
            llama_cpp.llama_get_logits(self._shared.ctx),
            shape=(n_output, self._shared.n_vocab()),
        )
        ends = np.cumsum([place.stop - place.start for place in places])
        return list(zip(places, np.split(logits, ends[:-1]), strict=True))


def _ends(begins: Sequence[int], lengths: Sequence[int], *, room: int) -> list[int]:
    """Up to where lines are decoded next, so that what is missing fits: all to the same position
    that have not been there."""

    def ends(at: int) -> list[int]:
        return [max(begin, min(at, n)) for begin, n in zip(begins, lengths, strict=True)]

    def n_row(at: int) -> int:
        return sum(ends(at)) - sum(begins)

    return ends(bisect.bisect_right(range(max(lengths) + 1), room, key=n_row) - 1)


def _nlls(logits: Float32, said: Sequence[int]) -> Float64:
    """(n,): of the tokens that were said after these logits (n, n_vocab), in nats."""
    return _core.log_sums(logits) - logits[np.arange(len(said)), list(said)]


def _divergences(steered: Float32, plain: Float32) -> Float64:
    """(n,): of each row of logits (n, n_vocab) from the other, in nats."""
    found = np.empty(len(steered))
    for begin in range(0, len(steered), _AT_ONCE):
        ours, theirs = (rows[begin : begin + _AT_ONCE] for rows in (steered, plain))
        likely = ours - _core.log_sums(ours)[:, np.newaxis]
        more = likely - (theirs - _core.log_sums(theirs)[:, np.newaxis])
        found[begin : begin + _AT_ONCE] = (np.exp(likely) * more).sum(axis=1)
    return np.maximum(found, 0.0)  # which rounding may pass
