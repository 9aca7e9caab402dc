"""One voice: a ``llama_cpp.Llama`` that feels.

Everything about adding to a llama.cpp context is known by ``_core.Injector``; this room knows
when: which tokens of which call are decoded under which mood, and which cached hidden states
may be used again under another.
"""

from __future__ import annotations

import ctypes
import difflib
import inspect
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from llamood import _core
from llamood.errors import ModelError, MoodError
from llamood.files import load
from llamood.mood import Mood, MoodLike
from llamood.steering import UNSTEERED, Steering, digest_of
from llamood.vectors import EmotionVectors

_KNOWN_ARGUMENTS = frozenset(inspect.signature(llama_cpp.Llama.__init__).parameters) - {
    "self",
    "kwargs",
}
_GENERATE = inspect.signature(llama_cpp.Llama.generate)


class Llama(llama_cpp.Llama):  # type: ignore[misc]
    """A ``llama_cpp.Llama`` in every other way, that speaks in a mood.

    ``emotions``: the emotion vectors to feel with, as a path (see ``llamood.load``) or a
    value. All other arguments are those of ``llama_cpp.Llama``; unknown names are refused
    with a TypeError.

    The mood is set for good by :meth:`feel`, for a block by :meth:`feeling`, or for one call by
    ``mood=``. An answer depends on the prompt, the mood and the seed only: hidden states that
    were cached under another mood are computed again, not reused.
    """

    n_tokens: int  # llama_cpp's: how many tokens are cached

    def __init__(
        self,
        model_path: str | PathLike[str],
        *,
        emotions: str | PathLike[str] | EmotionVectors | None = None,
        **llama: Any,
    ) -> None:
        _refuse_unknown(llama)
        self._watch = None if emotions is None else _core.GraphWatch()
        self._injector: _core.Injector | None = None
        self._emotions: EmotionVectors | None = None
        self._bank: _core.Bank | None = None
        self._digest = b""
        self._mood = Mood()
        self._steering = UNSTEERED
        self._call: tuple[Mood, Steering] | None = None  # of the call that is running now
        self._prompt_end: int | None = None  # where generated tokens begin; None outside a call
        self._injected: Steering | None = UNSTEERED  # what the injector was told last
        self._taken = False  # a steered decode has shown that the model takes vectors

        super().__init__(str(model_path), **llama)

        # Which steering each cached position was decoded under: Steering.key, 0 = none.
        self._kv_keys = np.zeros(self._n_ctx, dtype=np.int64)
        if emotions is not None and self._watch is not None:
            self._take_emotions(emotions, self._watch)

    # llama_cpp.Llama makes this struct, then the context from it. The eval callback can be given
    # at no other time.
    @property
    def context_params(self) -> Any:
        return self._context_params

    @context_params.setter
    def context_params(self, params: Any) -> None:
        if self._watch is not None:
            params.cb_eval = llama_cpp.ggml_backend_sched_eval_callback(self._watch.callback)
            params.cb_eval_user_data = self._watch.user_data
        self._context_params = params

    def _take_emotions(
        self, emotions: str | PathLike[str] | EmotionVectors, watch: _core.GraphWatch
    ) -> None:
        evs = emotions if isinstance(emotions, EmotionVectors) else load(Path(emotions))
        model = self._model.model
        evs.require_fit(
            n_layer=llama_cpp.llama_model_n_layer(model),
            n_embd=llama_cpp.llama_model_n_embd(model),
            arch=self.metadata.get("general.architecture"),
            fingerprint=_core.fingerprint(self.model_path),
        )
        if evs.measurement.site == "attn_out":
            warnings.warn(
                "these vectors were measured at the attention output (site attn_out) and are "
                "added at the end of each block (layer_out), one MLP late: usable, not identical",
                stacklevel=3,
            )
        self._emotions = evs
        self._digest = digest_of(evs)
        self._bank = _core.Bank(evs.data)
        context = ctypes.cast(self._ctx.ctx, ctypes.c_void_p).value or 0
        self._injector = _core.Injector(watch, unsafe_ctx=context)

    # -- mood ------------------------------------------------------------------------------

    @property
    def mood(self) -> Mood:
        """What it feels now: the running call's mood if that was given one, else the last."""
        return self._mood if self._call is None else self._call[0]

    @property
    def emotions(self) -> EmotionVectors | None:
        """The emotion vectors at hand."""
        return self._emotions

    def feel(self, mood: MoodLike = None, /, **emotions: Any) -> None:
        """Feel this from now on; ``feel()`` is neutral. See ``llamood.Mood`` for the forms.

        Takes effect at the next token, also in the middle of a stream.
        Raises MoodError for unknown emotions and unusable intensities.
        """
        self._mood, self._steering = self._understand(Mood.of(mood, **emotions))

    @contextmanager
    def feeling(self, mood: MoodLike = None, /, **emotions: Any) -> Iterator[Llama]:
        """Feel this inside a ``with`` block, and what was felt before after it."""
        before = self._mood, self._steering
        self.feel(mood, **emotions)
        try:
            yield self
        finally:
            self._mood, self._steering = before

    def _understand(self, mood: Mood) -> tuple[Mood, Steering]:
        if self._emotions is None:
            if mood.is_neutral:
                return mood, UNSTEERED
            raise MoodError(
                "", f"asked for {mood}, but no emotions were loaded; pass Llama(..., emotions=...)"
            )
        return mood, Steering.of(mood, self._emotions, digest=self._digest)

    # -- generating ------------------------------------------------------------------------

    def create_completion(self, *args: Any, mood: MoodLike = None, **kwargs: Any) -> Any:
        """``llama_cpp.Llama.create_completion``; ``mood``: for this call only."""
        return self._in_mood(mood, super().create_completion, *args, **kwargs)

    def __call__(self, *args: Any, mood: MoodLike = None, **kwargs: Any) -> Any:
        """``llama_cpp.Llama.__call__``; ``mood``: for this call only."""
        return self._in_mood(mood, super().__call__, *args, **kwargs)

    def create_chat_completion(self, *args: Any, mood: MoodLike = None, **kwargs: Any) -> Any:
        """``llama_cpp.Llama.create_chat_completion``; ``mood``: for this call only."""
        return self._in_mood(mood, super().create_chat_completion, *args, **kwargs)

    def _in_mood(self, mood: MoodLike, method: Any, *args: Any, **kwargs: Any) -> Any:
        if mood is None:
            return method(*args, **kwargs)
        call = self._understand(Mood.of(mood))
        with self._calling(call):
            result = method(*args, **kwargs)
        return result if isinstance(result, Mapping) else self._stream_in_mood(call, result)

    def _stream_in_mood(self, call: tuple[Mood, Steering], stream: Any) -> Iterator[Any]:
        """The stream, each step of it under the call's mood, whatever happens between steps."""
        try:
            while True:
                with self._calling(call):
                    try:
                        chunk = next(stream)
                    except StopIteration:
                        return
                yield chunk
        finally:
            stream.close()

    @contextmanager
    def _calling(self, call: tuple[Mood, Steering]) -> Iterator[None]:
        before = self._call
        self._call = call
        try:
            yield
        finally:
            self._call = before

    def generate(
        self, tokens: Sequence[int], *args: Any, **kwargs: Any
    ) -> Generator[int, Sequence[int] | None, None]:
        """``llama_cpp.Llama.generate`` under the mood of the moment."""
        generate = super().generate
        if self._injector is None:
            return generate(tokens, *args, **kwargs)  # type: ignore[no-any-return]
        return self._generate(generate, tokens, *args, **kwargs)

    def _generate(
        self, generate: Any, tokens: Sequence[int], *args: Any, **kwargs: Any
    ) -> Generator[int, Sequence[int] | None, None]:
        asked = _GENERATE.bind(self, tokens, *args, **kwargs)
        asked.apply_defaults()
        prompt = list(tokens)
        if asked.arguments["reset"]:
            self._drop_stale(prompt)
            prompt_end = len(prompt)
        else:
            prompt_end = self.n_tokens + len(prompt)
        stream = generate(prompt, *args, **kwargs)
        forced: Sequence[int] | None = None
        try:
            while True:
                # Between two steps, which may be for good, the caller may decode by hand.
                self._prompt_end = prompt_end
                try:
                    token = stream.send(forced)
                except StopIteration:
                    return
                finally:
                    self._prompt_end = None
                forced = yield token
        finally:
            stream.close()

    def _current(self) -> Steering:
        return self._steering if self._call is None else self._call[1]

    def _drop_stale(self, prompt: list[int]) -> None:
        """Keep of the cache only what this prompt would have under the mood of the moment.

        ``llama_cpp`` compares tokens only, and answers an exact repetition from old logits.
        """
        n = min(len(prompt), self.n_tokens)
        steering = self._current()
        wanted = np.zeros(n, dtype=np.int64)
        wanted[steering.start(0, len(prompt)) :] = steering.key
        same = (self.input_ids[:n] == prompt[:n]) & (self._kv_keys[:n] == wanted)
        if not same.all():
            self.n_tokens = int(np.argmin(same))
            self._requires_eval = True

    def eval(self, tokens: Sequence[int]) -> None:
        """``llama_cpp.Llama.eval``: decode tokens after those that are cached.

        Outside of a generating call the tokens are a prompt: with ``$positions: generated`` the
        last of them is steered, and those before it are not.
        """
        steering = self._current()
        if self._injector is None or not tokens:  # no token: drops what is beyond n_tokens
            super().eval(tokens)
            return
        if not steering.key:
            self._decode(tokens, steering)
            return
        tokens = list(tokens)
        prompt_end = self.n_tokens + len(tokens) if self._prompt_end is None else self._prompt_end
        start = min(max(steering.start(self.n_tokens, prompt_end), 0), len(tokens))
        if start > 0:
            self._decode(tokens[:start], UNSTEERED)
        if start < len(tokens):
            self._decode(tokens[start:], steering)

    def _decode(self, tokens: Sequence[int], steering: Steering) -> None:
        begin = self.n_tokens
        if steering is not self._injected:
            self._inject(steering)
        try:
            super().eval(tokens)
        finally:
            self._kv_keys[begin : self.n_tokens] = steering.key
        if steering.key and not self._taken:
            self._require_taken()

    def _inject(self, steering: Steering) -> None:
        if self._injector is None or self._bank is None:
            return
        if steering.key:
            self._injector.apply(self._bank, steering.weights, steering.first, steering.last)
        else:
            self._injector.rest()
        self._injected = steering

    def _require_taken(self) -> None:
        assert self._injector is not None
        missing = self._injector.missing_layers()
        if missing:
            self._mood, self._steering = Mood(), UNSTEERED
            self.reset()
            raise ModelError(
                f"{self.model_path}: llama.cpp's {self.metadata.get('general.architecture')!r} "
                f"graph adds no control vector in {len(missing)} of {self._injector.n_layer - 1} "
                "layers, so this model cannot be steered; use a model of another architecture"
            )
        self._taken = True

    # -- what is not steered, and what must follow the cache -------------------------------

    def embed(self, *args: Any, **kwargs: Any) -> Any:
        """``llama_cpp.Llama.embed``: embeddings are those of the text, in no mood."""
        self._inject(UNSTEERED)
        return super().embed(*args, **kwargs)

    def save_state(self) -> Any:
        """``llama_cpp.Llama.save_state``, with the moods that the cached states carry."""
        state = super().save_state()
        state.llamood_kv_keys = self._kv_keys[: self.n_tokens].copy()
        return state

    def load_state(self, state: Any) -> None:
        """``llama_cpp.Llama.load_state``; a state saved by plain llama_cpp is unsteered."""
        try:
            super().load_state(state)
        except BaseException:
            self.reset()  # what is cached now is neither the old state nor the new one
            raise
        self._kv_keys[: self.n_tokens] = getattr(state, "llamood_kv_keys", 0)

    def close(self) -> None:
        """Free the model and its context."""
        injector: _core.Injector | None = getattr(self, "_injector", None)
        if injector is not None:
            injector.close()
            self._injected = None  # whatever is asked of it now raises
        if hasattr(self, "_stack"):
            super().close()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "emotions": self._emotions}


def _refuse_unknown(llama: Mapping[str, Any]) -> None:
    for name in llama:
        if name not in _KNOWN_ARGUMENTS:
            near = difflib.get_close_matches(name, _KNOWN_ARGUMENTS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"llamood.Llama got an unknown argument {name!r}{hint}")
