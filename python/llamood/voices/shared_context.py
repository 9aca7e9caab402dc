"""One llama.cpp context that many voices speak from, as llama_cpp opens it."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import llama_cpp

from llamood import _core
from llamood.cores import may_vary, threads
from llamood.errors import ModelError
from llamood.moods.mood import Mood
from llamood.moods.steering import Steering
from llamood.moods.steering_vectors import SteeringVectors
from llamood.readings.probe import Probe
from llamood.readings.projector import Projector
from llamood.vectors.emotion_vectors import EmotionVectors, Float32
from llamood.vectors.measurement import Site
from llamood.voices.chat_template import chat_tokens
from llamood.voices.collapse_monitor import Care
from llamood.voices.control_texts import ControlTexts
from llamood.voices.injection import chosen_site, steering_vectors_for, understood
from llamood.voices.opened_llama import OpenedLlama, be_watched, hold_sequences
from llamood.voices.reach import require_reach
from llamood.voices.tokenizing import Tokenizer

Overflow = Literal["refuse", "drop"]

_DESCRIBED = 256  # bytes that llama.cpp may take to describe a model
_MOST_VOICES = 256  # of one llama.cpp context
_REFUSED = {
    "embedding": "a cast speaks, and makes no embeddings",
    "draft_model": "a cast takes no draft model",
    "logits_all": "a cast keeps no logits",
    "vocab_only": "a cast needs the whole model",
}


class SharedContext(OpenedLlama):
    """A ``llama_cpp.Llama`` whose context holds ``voices`` sequences of ``n_ctx`` tokens each, and
    the `stage` that decodes them. ``probe``: what reads them; None reads nothing.

    ``llama``: further arguments of ``llama_cpp.Llama``. Raises `ModelError` for a model whose
    memory is recurrent, a number of voices that llama.cpp does not hold, and vectors that do not
    fit.
    """

    def __init__(
        self,
        model_path: str,
        *,
        emotions: EmotionVectors,
        site: Site | None,
        probe: Probe | None,
        voices: int,
        n_ctx: int,
        **llama: Any,
    ) -> None:
        _require(llama, voices=voices, n_ctx=n_ctx)
        self._counts = threads(llama.get("n_threads"), llama.get("n_threads_batch"))
        self._yields = may_vary(llama)
        self.share = n_ctx
        self.n_voice = voices
        self._watch = _core.GraphWatch()
        self._rows: _core.RowInjector | None = None
        self._limiter: _core.RowLimiter | None = None
        self._stage: _core.Stage | None = None
        try:
            super().__init__(
                model_path,
                n_ctx=n_ctx * voices,
                **{**llama, **self._counts},
            )
        except ValueError as error:  # what llama_cpp raises for files and contexts
            raise ModelError(f"{model_path} cannot be opened: {error}") from None
        try:
            self.fingerprint = _core.fingerprint(self.model_path)
            vectors = self.fitting(emotions, site=site, probe=probe)
            if not (self._is_recurrent or self._is_hybrid):  # which the stage refuses
                arch = self.metadata.get("general.architecture", "")
                require_reach(self._model_address(), arch=arch, site=vectors.site, rows=True)
            self._furnish(vectors, probe)
        except BaseException:
            self.close()
            raise

    def _shape(self, params: Any) -> None:
        be_watched(params, self._watch)
        hold_sequences(params, self.n_voice)

    def fitting(
        self, evs: EmotionVectors, *, site: Site | None, probe: Probe | None
    ) -> SteeringVectors:
        """The vectors as this model takes them. Raises an error where it does not, or where they
        cannot be read there."""
        model = self._model.model
        arch = self.metadata.get("general.architecture", "")
        evs.require_fit(
            n_layer=llama_cpp.llama_model_n_layer(model),
            n_embd=llama_cpp.llama_model_n_embd(model),
            arch=arch or None,
            fingerprint=self.fingerprint,
        )
        vectors = steering_vectors_for(
            evs,
            site=chosen_site(evs, asked=site, arch=arch),
            unsafe_model=self._model_address(),
        )
        if probe is not None:
            probe.require_site(vectors.site)
        return vectors

    def refurnish(self, vectors: SteeringVectors, probe: Probe | None) -> None:
        """Other vectors for the same context, of which everything that was decoded is forgotten.
        What was made of the stage of before, a cast say, is of no use any more."""
        self._let_go()
        self._ctx.kv_cache_clear()
        self._furnish(vectors, probe)

    def _furnish(self, vectors: SteeringVectors, probe: Probe | None) -> None:
        arch = self.metadata.get("general.architecture", "")
        node = _core.node_of(vectors.site, arch)
        assert node is not None
        context = self._context_address()
        self._rows = _core.RowInjector(self._watch, context, node=node)
        self._limiter = _core.RowLimiter(self._watch, context)
        projector = None
        if probe is not None:
            projector = Projector(
                self._watch, probe, vectors, unsafe_ctx=context, n_sequence=self.n_voice
            )
        self._at_hand = (vectors, projector)
        live = None if projector is None else projector.live
        try:
            self._stage = _core.Stage(self._rows, self._limiter, context, probe=live)
        except ValueError as error:
            raise ModelError(f"{self.model_path} cannot take a cast: {error}") from None
        if self._yields:
            self._stage.yield_to_others(**self._counts)

    @property
    def vectors(self) -> SteeringVectors:
        """What is felt with."""
        return self._at_hand[0]

    @property
    def _projector(self) -> Projector | None:
        return self._at_hand[1]

    @property
    def stage(self) -> _core.Stage:
        """Raises `ModelError` once closed."""
        if self._stage is None:
            raise ModelError("the cast is closed")
        return self._stage

    @property
    def slides(self) -> bool:
        """Whether the memory forgets what lies behind a window of attention."""
        window: int = llama_cpp.llama_model_n_swa(self._model.model)
        return window > 0 and not self.context_params.swa_full

    @property
    def is_closed(self) -> bool:
        return self._stage is None

    @property
    def reads(self) -> bool:
        return self._projector is not None

    @property
    def reading_quality(self) -> Mapping[str, float]:
        return {} if self._projector is None else self._projector.probe.quality

    def cast(self, *, overflow: Overflow, care: Care | None) -> _core.Cast:
        """Voices that speak from here, while this is open. ``care``: what becomes of answers that
        collapse."""
        assert self._rows is not None
        return _Acting(
            self._rows,
            self.stage,
            self.vectors.core,
            None if self._projector is None else self._projector.core,
            n_ctx=self.share,
            slides=self.slides,
            name=self.model_path,
            fingerprint=self.fingerprint,
            shown=[] if self._projector is None else list(self._projector.told),
            places=self.vectors.emotions.affect,
            drops=overflow == "drop",
            care=care,
            shared=self,
        )

    def understand(self, mood: Mood) -> Steering:
        """The mood with what is at hand here. Raises `MoodError` where it cannot be felt."""
        return understood(mood, *self._at_hand)  # one look, as another thread may change it

    def mix(self, steering: Steering) -> tuple[_core.Bank, int, int]:
        """What rows of weights of this mood are weights of: vectors, first and last layer."""
        vectors = steering.vectors
        return vectors.bank, max(steering.first, vectors.first_layer), steering.last

    def project(self, layers: Sequence[int], directions: Float32) -> _core.Probe:
        """What projects hidden states of batches that it is told of on directions (n_layer,
        n_direction, n_embd); close it first."""
        return _core.Probe(
            self._watch,
            self._context_address(),
            layers=layers,
            directions=directions,
            n_sequence=self.n_voice,
        )

    def decode(self, batch: Any, rows: Float32, *, steering: Steering) -> None:
        """Decode a ``llama_batch`` beside those of the stage, token i under row i of ``rows``
        (n_token, n_emotion), weights of this mood, whose caps are left out; tokens of sequences
        that no voice has, those of each side by side. Raises `ModelError` where that failed or was
        not steered as asked.
        """
        assert self._rows is not None
        assert self._limiter is not None
        n = batch.n_tokens
        try:
            self._limiter.rest()
            if rows.any():
                bank, first, last = self.mix(steering)
                is_output = [bool(batch.logits[i]) for i in range(n)]
                self._rows.expect(bank, rows, [(first, last)] * n, is_output)
            else:
                self._rows.rest()
            code = llama_cpp.llama_decode(self.ctx, batch)
            if code != 0:
                raise RuntimeError(f"llama.cpp could not decode a batch ({code})")
            self._rows.check()
            self._rows.require_places(self.vectors.first_layer, self.vectors.site)
        except RuntimeError as error:
            raise ModelError(f"{self.model_path}: {error}") from None

    @cached_property
    def model_file(self) -> Mapping[str, Any]:
        """See `Cast.model_file`."""
        model, said = self._model.model, ctypes.create_string_buffer(_DESCRIBED)
        llama_cpp.llama_model_desc(model, said, _DESCRIBED)
        _, _, quantisation = said.value.decode(errors="replace").split(" ", 2)
        return {
            "file": Path(self.model_path).name,
            "quantisation": quantisation,
            "parameters": int(llama_cpp.llama_model_n_params(model)),
            "bytes": int(llama_cpp.llama_model_size(model)),
        }

    def chat(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        """A conversation as tokens; see `chat_tokens`."""
        return chat_tokens(self, [dict(message) for message in messages])

    def prompt(
        self,
        said: str | Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Mapping[str, Any]] | None = None,
        plain: bool = False,
        begun: str = "",
    ) -> list[int]:
        """A text, begun as the model wants texts begun, or a conversation, as tokens. ``plain``:
        the texts of control tokens in messages are plain characters. ``begun``: how the answer
        begins."""
        if isinstance(said, str):
            return list(self.tokenize(said.encode(), add_bos=True, special=True))
        texts = self._control_texts if plain else None
        asked = chat_tokens(self, [dict(message) for message in said], tools=tools, plain=texts)
        if not begun:
            return asked
        return asked + self.tokenize(begun.encode(), add_bos=False, special=not plain)

    @cached_property
    def _control_texts(self) -> ControlTexts:
        return ControlTexts(self._model.vocab)

    def tokenize(self, text: bytes, add_bos: bool = True, special: bool = False) -> list[int]:
        """As ``llama_cpp.Llama.tokenize``, in a time that grows with the text."""

        def plain(part: bytes, is_first: bool) -> list[int]:
            return list(OpenedLlama.tokenize(self, part, add_bos and is_first, special))

        return self._tokenizers[special].tokens(text, plain)

    def n_token_at_least(self, text: str) -> int:
        """How many tokens a text surely has, special ones looked up, which costs little to know."""
        return self._tokenizers[True].at_least(text.encode("utf-8", "replace"))

    @cached_property
    def _tokenizers(self) -> Mapping[bool, Tokenizer]:
        vocab = self._model.vocab
        return {special: Tokenizer(vocab, special=special) for special in (False, True)}

    def piece(self, token: int) -> bytes:
        """See ``_core.piece_of``."""
        vocab = ctypes.cast(self._model.vocab, ctypes.c_void_p).value or 0
        return _core.piece_of(vocab, token)

    def close(self) -> None:
        """Free the model and its context."""
        self._let_go()
        if hasattr(self, "_stack"):
            super().close()

    def _let_go(self) -> None:
        """Of the context, to which other parts may be given."""
        for name in ("_stage", "_projector", "_limiter", "_rows"):
            part = getattr(self, name, None)
            if part is not None:
                part.close()
        self._stage = None


class _Acting(_core.Cast):
    """Has its prompts written by the shared context."""

    def __init__(self, *parts: Any, shared: SharedContext, **settings: Any) -> None:
        super().__init__(*parts, **settings)
        self.chat = shared.chat


def _require(llama: Mapping[str, Any], *, voices: int, n_ctx: int) -> None:
    for name, why in _REFUSED.items():
        if llama.get(name):
            raise ModelError(f"{name}={llama[name]!r:.60}: {why}")
    if not isinstance(voices, int) or not 1 <= voices <= _MOST_VOICES:
        raise ModelError(f"voices is {voices!r:.60}, expected 1 to {_MOST_VOICES}")
    if not isinstance(n_ctx, int) or n_ctx < 1:
        raise ModelError(
            f"n_ctx is {n_ctx!r:.60}, expected how many tokens each voice can remember"
        )
