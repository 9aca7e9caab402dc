"""Casts that stay open from one random game to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from llamood import EmotionVectors
from llamood.moods.mood import Mood
from llamood.moods.steering import Steering
from llamood.vectors.measurement import Measurement
from llamood.voices.cast import Cast
from llamood.voices.sampling import Sampling
from llamood.voices.shared_context import Overflow
from lone_voice import LoneVoice
from open_voices import random_vectors

N_VOICE = 4
# What a model of random weights says is salad, which the guard takes back.
KINDS: dict[str, dict[str, Any]] = {
    "short": {"overflow": "drop", "site": "layer_out", "n_ctx": 64, "n_batch": 16, "guard": False},
    "long": {"overflow": "refuse", "site": "attn_out", "n_ctx": 128, "n_batch": 64, "guard": True},
}
# Nothing is rounded to fewer bits on its way, and one thread sums in one order.
EXACT = {"type_k": 0, "type_v": 0, "n_threads": 1, "n_threads_batch": 1, "verbose": False}


def vectors_with_a_dose(model: Path) -> EmotionVectors:
    """`random_vectors`, which can be given in the dose ``relative`` too."""
    evs = random_vectors(model)
    return replace(evs, measurement=Measurement(residual_rms=(1.0,) * evs.n_layer))


class OpenCast:
    """A cast, and a lone voice of the same model; ``n_ctx`` tokens are what each can remember."""

    def __init__(
        self, model: Path, *, overflow: Overflow, n_ctx: int, n_batch: int, **both: Any
    ) -> None:
        evs = vectors_with_a_dose(model)
        settings = {"emotions": evs, **both, **EXACT}
        self.n_ctx = n_ctx
        self.drops = overflow == "drop"
        self.alone = LoneVoice(model, n_ctx=n_ctx, **settings)
        self.cast = Cast(
            model, voices=N_VOICE, n_ctx=n_ctx, n_batch=n_batch, overflow=overflow, **settings
        )
        self._sizes = [self._n_byte(0), self._fill([0], 1), self._fill([0], 2)]

    def close(self) -> None:
        self.cast.close()
        self.alone.close()

    def require_consecutive(self, number: int) -> int:
        """How many positions a sequence has: 0 up to that without a gap."""
        ctx = self.cast._shared.ctx
        memory = llama_cpp.llama_get_memory(ctx)
        n = llama_cpp.llama_memory_seq_pos_max(memory, number) + 1
        assert llama_cpp.llama_memory_seq_pos_min(memory, number) == (0 if n else -1)
        assert self.cast._shared.stage.n_cached(number) == n
        first, one = self._sizes[1], self._sizes[2] - self._sizes[1]
        expected = first + (n - 1) * one if n else self._sizes[0]
        assert self._n_byte(number) == expected  # each position has a cell of its own
        return int(n)

    def require_as_new(self) -> None:
        """Nobody is there, nothing is remembered, and all of it can be used. Leaves places and
        turns in their first order, so that a game depends on nothing before it."""
        assert self.cast.voices == ()
        self._require_empty()
        self._fill(range(N_VOICE), self.n_ctx)
        voices = [self.cast.join() for _ in range(N_VOICE)]
        for voice in sorted(voices, key=lambda voice: -voice.number):
            self.cast.leave(voice)
        self._fill(range(N_VOICE), self.n_ctx, until=N_VOICE - 1)  # then comes 0
        self._require_empty()

    def _require_empty(self) -> None:
        assert [self.require_consecutive(number) for number in range(N_VOICE)] == [0] * N_VOICE

    def _n_byte(self, number: int) -> int:
        """The size of a sequence as llama.cpp would save it, the same for each of its cells."""
        return int(llama_cpp.llama_state_seq_get_size(self.cast._shared.ctx, number))

    def _fill(self, numbers: Sequence[int], n: int, *, until: int | None = None) -> int:
        """Decode ``n`` tokens in each of these sequences, or only ``until`` one has some; forgets
        them, and returns the size of the first."""
        shared = self.cast._shared
        stage = shared.stage
        tokens = [97 + i % 26 for i in range(n)]
        rows = np.zeros((n, shared.vectors.emotions.n_emotion), dtype=np.float32)
        mix = shared.mix(Steering(Mood(), shared.vectors))
        manner = Sampling(seed=1, max_tokens=1).manner()
        for number in numbers:
            stage.begin(number, tokens, rows, *mix, manner)
        while any(stage.n_cached(number) < n for number in numbers):
            stage.step()
            if until is not None and stage.n_cached(until):
                break
        size = self._n_byte(numbers[0])
        for number in numbers:
            stage.rest(number)
            assert stage.keep(number, 0) == 0
        return size


@dataclass(frozen=True)
class Call:
    """Of a machine, by name."""

    name: str
    arguments: dict[str, Any]


class OpenCasts:
    """Of each of `KINDS` one, opened anew only after a game that failed; ``counts``: what became
    of the answers."""

    def __init__(self, model: Path) -> None:
        self._model = model
        self._open: dict[str, OpenCast] = {}
        self.counts: Counter[str] = Counter()

    def get(self, kind: str) -> OpenCast:
        if kind not in self._open:
            self._open[kind] = OpenCast(self._model, **KINDS[kind])
        return self._open[kind]

    def drop(self, kind: str) -> None:
        """It cannot be trusted any more."""
        self._open.pop(kind).close()

    def close(self) -> None:
        for kind in list(self._open):
            self.drop(kind)
