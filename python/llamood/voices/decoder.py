"""Decodes each token under its own blend, and knows what was decoded under which.

Everything about adding to a llama.cpp context is known by ``_core``'s injectors, and which of them
it is by `Injection`; this room knows when: which tokens are decoded under which blend, and which
cached hidden states may be used again under another mood.
"""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import llama_cpp
import numpy as np

from llamood import _core
from llamood.cores import may_vary, threads
from llamood.errors import ModelError
from llamood.moods.mood import Mood
from llamood.moods.performance import BLOCK, Performance
from llamood.moods.steering import NOTHING, Blend, Notice, Steering
from llamood.moods.steering_vectors import SteeringVectors
from llamood.readings.probe import Probe
from llamood.readings.projector import Projector
from llamood.readings.reader import Reader
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.measurement import Site
from llamood.voices.injection import Injection, steering_vectors_for
from llamood.voices.opened_llama import OpenedLlama, be_watched
from llamood.voices.reach import require_reach

NOWHERE = range(0)


class Decoder(OpenedLlama):
    """A ``llama_cpp.Llama`` whose tokens are decoded under `_current`.

    ``watched``: its graph is looked at, so that vectors can be added. ``llama``: arguments of
    ``llama_cpp.Llama``; without ``n_threads`` there is a thread for each core, and there are fewer
    while others want the cores too, if that is faster; below 0 it is all cores but so many.
    """

    n_tokens: int  # llama_cpp's: how many tokens are cached

    def __init__(self, model_path: str, *, watched: bool, **llama: Any) -> None:
        self._watch = _core.GraphWatch() if watched else None
        self._emotions: EmotionVectors | None = None
        self._injection: Injection | None = None
        self._projector: Projector | None = None
        self._reader: Reader | None = None
        self._stepping = False  # within a step of `Voice.generate`
        self._performance: Performance | None = None  # of the answer that was spoken last
        self._by_hand: Performance | None = None  # of the tokens that were decoded by hand last
        self._told = NOWHERE  # positions whose blend the injector knows already
        self._read_from = 1  # the position from which readings count
        self._crew: _core.Crew | None = None
        counts = threads(llama.get("n_threads"), llama.get("n_threads_batch"))
        super().__init__(model_path, **{**llama, **counts})
        if may_vary(llama):
            self._crew = _core.Crew(self._context_address(), **counts)
        # Which blend each cached position was decoded under: Blend.key, 0 = none.
        self._kv_keys = np.zeros(self._n_ctx, dtype=np.int64)

    @abstractmethod
    def _current(self) -> tuple[Mood, Steering | None]:
        """The mood of the moment."""

    @abstractmethod
    def _notice(self, notice: Notice) -> None:
        """Told what was asked for and is not given."""

    @abstractmethod
    def _refuse_moods(self) -> None:
        """Feel nothing: the model takes no vectors."""

    def _shape(self, params: Any) -> None:
        if self._watch is not None:
            be_watched(params, self._watch)

    def _take(self, evs: EmotionVectors, site: Site, probe: Probe | None) -> SteeringVectors:
        """Be able to add these vectors there, and to read with this probe. Raises `VectorError`
        and `ModelError` where they belong to another model."""
        assert self._watch is not None
        model = self._model.model
        arch = self.metadata.get("general.architecture", "")
        evs.require_fit(
            n_layer=llama_cpp.llama_model_n_layer(model),
            n_embd=llama_cpp.llama_model_n_embd(model),
            arch=arch or None,
            fingerprint=_core.fingerprint(self.model_path),
        )
        address = self._model_address()
        require_reach(address, arch=arch, site=site, rows=False)
        vectors = steering_vectors_for(evs, site=site, unsafe_model=address)
        self._emotions = evs
        self._felt = np.zeros(evs.n_emotion)  # the weights applied last, of the stored vectors
        context = self._context_address()
        self._injection = Injection(self._watch, vectors, arch=arch, unsafe_ctx=context)
        if probe is not None:
            self._projector = Projector(self._watch, probe, vectors, unsafe_ctx=context)
            self._reader = Reader(self._projector, n_ctx=self._n_ctx)
        return vectors

    def _piece_of(self, token: int) -> bytes:
        return _core.piece_of(self._model.vocab, token)

    # -- what is felt ----------------------------------------------------------------------

    def _perform(self, *, position: int) -> Performance:
        """A new answer, whose prompt ends at ``position``."""
        self._settle()
        steering = self._current()[1]
        assert steering is not None
        return Performance(
            steering,
            position=position,
            before=self._felt,
            notice=self._notice,
            reading=None if self._reader is None else self._reader.reading,
            said=self._read_said,
        )

    @abstractmethod
    def _read_said(self) -> Mapping[str, float]:
        """What is read of what is answered."""

    @property
    def mix(self) -> dict[str, float]:
        """The weights applied to the token that was decoded last, those of 0 left out."""
        if self._emotions is None:
            return {}
        self._settle()
        mix = zip(self._emotions.names, self._felt.tolist(), strict=True)
        return {name: weight for name, weight in mix if weight}

    def _settle(self) -> None:
        """Keep what was applied at the last token of the answer that runs."""
        if self._performance is not None and self._performance.spoken >= 0:
            self._felt = self._performance.after(self._performance.spoken)

    def _by_hand_at(self, position: int) -> Performance:
        """For a prompt that is decoded by hand; the same again where nothing changes."""
        last = self._by_hand
        if (
            last is not None
            and last is self._performance
            and last.steering is self._current()[1]
            and last.steering.still is not None
        ):
            last.position = position
            return last
        self._by_hand = self._perform(position=position)
        return self._by_hand

    # -- decoding --------------------------------------------------------------------------

    def eval(self, tokens: Sequence[int]) -> None:
        """``llama_cpp.Llama.eval``: decode tokens after those that are cached.

        Outside of a generating call the tokens are a prompt: with ``$positions: generated`` the
        last of them is steered, and those before it are not.
        """
        # Every token of most answers is one that the injector was told of: no more may happen then.
        told = self._stepping and len(tokens) == 1 and self.n_tokens in self._told
        if told or not tokens or self._injection is None:  # no token: drops those after n_tokens
            if self._crew is None:
                super().eval(tokens)
            else:  # as `_compute`, whose call would be one more a token
                self._crew.begin(len(tokens), is_prompt=len(tokens) > 1)
                super().eval(tokens)
                self._crew.end()
        elif not self._stepping:
            if self.n_tokens <= self._read_from:
                self._read_from = 1  # another text; its first position is an outlier
            performance = self._by_hand_at(self.n_tokens + len(tokens) - 1)
            self._performance, self._told = performance, NOWHERE
            self._eval_prompt(list(tokens), performance)
            performance.spoken = 0
        else:
            assert self._performance is not None
            self._eval_answer(list(tokens), self._performance)

    def _eval_answer(self, tokens: list[int], performance: Performance) -> None:
        """What is left of the prompt, or generated tokens: one, or with a draft model a guess at
        more, of which those are decoded that are to be decoded under one blend."""
        steering = self._current()[1]
        number = self.n_tokens - performance.position
        if steering is not None and steering is not performance.steering:
            performance.change(steering, max(number, 0))
        if number <= 0:
            self._eval_prompt(tokens, performance)
        else:
            if performance.listens:
                self._hear(tokens, performance)
            blend = performance.blend(number)
            n = len(tokens) if performance.is_foreseen else 1
            alike = itertools.takewhile(lambda i: performance.blend(number + i) == blend, range(n))
            self._decode(tokens[: len(list(alike))], blend)
        self._tell(performance)

    def _eval_prompt(self, tokens: list[int], performance: Performance) -> None:
        """Tokens of which the last is the last of the prompt."""
        blend = performance.blend(0)
        start = max(performance.start - self.n_tokens, 0) if blend.key else 0
        if start > 0 and blend.adds:
            self._decode(tokens[:start], NOTHING)
            start, tokens = 0, tokens[start:]
        self._decode(tokens, blend, free=start)

    def _hear(self, tokens: list[int], performance: Performance) -> None:
        """The tokens that are to be decoded, and those before them that were not listened to."""
        begin = performance.position + performance.n_heard + 1
        missed = self.input_ids[begin : self.n_tokens].tolist()
        number = self.n_tokens - performance.position - len(missed)
        for token in [*missed, *tokens]:
            performance.hear(number, piece=self._piece_of(token))
            number += 1

    def _tell(self, performance: Performance) -> None:
        """Let the injector know what the coming tokens are decoded under, as far as that is known
        before they are; see `eval`."""
        begin = self.n_tokens
        self._told = NOWHERE
        number = begin - performance.position
        n = min(performance.ahead(number), self._n_ctx - begin)
        if n <= 0:
            return
        assert self._injection is not None
        if performance.is_still(number):
            blend = performance.blend(number)
            if blend.adds and not self._injection.is_taken:
                return
            self._injection.add(blend)
            self._kv_keys[begin : begin + n] = blend.key
            if self._reader is not None:
                self._reader.note(begin, n, blend)
        elif self._injection.is_taken and self.draft_model is None:
            n = min(n, BLOCK)
            rows, self._kv_keys[begin : begin + n] = performance.block(number, n)
            self._injection.play(rows, performance.steering, position=begin)
            if self._reader is not None:
                self._reader.note_rows(begin, rows, performance.steering)
        else:
            return
        self._told = range(begin, begin + n)

    def _decode(self, tokens: Sequence[int], blend: Blend, *, free: int = 0) -> None:
        """``free``: of these tokens the first so many are decoded under nothing, which can be where
        the blend only bounds."""
        assert self._injection is not None
        begin = self.n_tokens
        self._injection.add(blend, begin=begin + free)
        try:
            self._compute(tokens)
        finally:
            self._kv_keys[begin : self.n_tokens] = blend.key
            self._kv_keys[begin : begin + free] = 0
            if self._reader is not None:
                self._reader.note(begin, self.n_tokens - begin, blend)
        fault = self._injection.fault(blend)
        if fault is not None:
            self._refuse_moods()
            self.reset()
            raise ModelError(f"{self.model_path}: {fault}")

    def _decode_plainly(self, tokens: Sequence[int]) -> None:
        """These tokens and no others, without steering."""
        self._settle()
        self.reset()
        self._performance, self._told = None, NOWHERE
        if self._injection is None:
            self._compute(tokens)
        else:
            self._decode(tokens, NOTHING)

    def _compute(self, tokens: Sequence[int]) -> None:
        if self._crew is None:
            super().eval(tokens)
            return
        self._crew.begin(len(tokens), is_prompt=len(tokens) > 1)
        super().eval(tokens)
        self._crew.end()

    # -- what is cached, and what must follow it -------------------------------------------

    def _drop_stale(self, prompt: list[int], performance: Performance) -> None:
        """Keep of the cache only what this prompt would have in this answer.

        ``llama_cpp`` compares tokens only, and answers an exact repetition from old logits.
        """
        n = min(len(prompt), self.n_tokens)
        wanted = np.zeros(n, dtype=np.int64)
        wanted[performance.start :] = performance.blend(0).key
        same = (self.input_ids[:n] == prompt[:n]) & (self._kv_keys[:n] == wanted)
        if not same.all():
            self.n_tokens = int(np.argmin(same))
            self._requires_eval = True
        self._drop_unreachable(prompt)

    def _drop_unreachable(self, prompt: Sequence[int]) -> None:
        """Keep nothing of the cache where it has forgotten what this prompt would go on from."""
        n = min(len(prompt), self.n_tokens)
        same = self.input_ids[:n] == np.asarray(prompt[:n], dtype=self.input_ids.dtype)
        n = n if same.all() else int(np.argmin(same))
        is_answered = n == len(prompt) == self.n_tokens and not self._requires_eval
        if not is_answered and not self._reaches(min(n, len(prompt) - 1)):
            self.n_tokens = 0
            self._requires_eval = True

    def _rewind(self, tokens: list[int], performance: Performance) -> None:
        """Have all of these cached but the last, as this answer has them now; nothing of one that
        is closed, as where a program ends with an answer half said."""
        if self._is_closed:
            return
        n, start = len(tokens) - 1, performance.start
        self._told = NOWHERE
        self._requires_eval = True
        # Where only the answer is steered, nothing is decoded otherwise than it was.
        begin = n if start == performance.position else min(start, n)
        self.n_tokens = begin if self._reaches(begin) else 0
        while self.n_tokens < n:
            at = self.n_tokens
            number = max(at - performance.position, 0)
            if at < start:
                self._decode(tokens[at : min(start, n)], NOTHING)
            else:
                end = performance.position + 1 if number == 0 else at + 1
                self._decode(tokens[at : min(end, n)], performance.blend(number))

    def embed(self, *args: Any, **kwargs: Any) -> Any:
        """``llama_cpp.Llama.embed``: embeddings are those of the text, in no mood."""
        if self._injection is not None:
            self._injection.add(NOTHING)
            self._told = NOWHERE
        try:
            return super().embed(*args, **kwargs)
        finally:
            self._forget_readings()

    def _forget_readings(self) -> None:
        if self._reader is not None:
            self._reader.forget()

    def save_state(self) -> Any:
        """``llama_cpp.Llama.save_state``, with the moods that the cached states carry."""
        state = super().save_state()
        state.llamood_kv_keys = self._kv_keys[: self.n_tokens].copy()
        state.llamood_mix = self.mix
        return state

    def load_state(self, state: Any) -> None:
        """``llama_cpp.Llama.load_state``; a state saved by plain llama_cpp is unsteered."""
        try:
            super().load_state(state)
        except BaseException:
            self.reset()  # what is cached now is neither the old state nor the new one
            raise
        self._kv_keys[: self.n_tokens] = getattr(state, "llamood_kv_keys", 0)
        self._performance, self._told = None, NOWHERE
        self._forget_readings()
        if self._emotions is not None:
            mix = getattr(state, "llamood_mix", {})
            self._felt = np.array([mix.get(name, 0.0) for name in self._emotions.names])

    def close(self) -> None:
        """Free the model and its context."""
        injection: Injection | None = getattr(self, "_injection", None)
        if injection is not None:
            injection.close()
            self._told = NOWHERE
        projector: Projector | None = getattr(self, "_projector", None)
        if projector is not None:
            projector.close()
        if hasattr(self, "_stack"):
            super().close()
