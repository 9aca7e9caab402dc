"""One voice: a ``llama_cpp.Llama`` that feels.

Everything about adding to a llama.cpp context is known by ``_core.Injector``; this room knows
when: which tokens of which call are decoded under which mood, and which cached hidden states
may be used again under another.
"""

from __future__ import annotations

import ctypes
import difflib
import inspect
import itertools
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from llamood import _core
from llamood.call import Call
from llamood.errors import ModelError, MoodError, MoodWarning
from llamood.files import load
from llamood.injection import Injection
from llamood.mood import Mood, MoodLike
from llamood.palette import Palette
from llamood.performance import BLOCK, Performance
from llamood.steering import NOTHING, Blend, Notice, Steering
from llamood.trace import Trace
from llamood.vectors import EmotionVectors

_KNOWN_ARGUMENTS = frozenset(inspect.signature(llama_cpp.Llama.__init__).parameters) - {
    "self",
    "kwargs",
}
_GENERATE = inspect.signature(llama_cpp.Llama.generate)
_NOWHERE = range(0)


class Llama(llama_cpp.Llama):  # type: ignore[misc]
    """A ``llama_cpp.Llama`` in every other way, that speaks in a mood.

    ``emotions``: the emotion vectors to feel with, as a path (see ``llamood.load``) or a
    value. All other arguments are those of ``llama_cpp.Llama``; unknown names are refused
    with a TypeError.

    The mood is set for good by :meth:`feel`, for a block by :meth:`feeling`, or for one call by
    ``mood=``. An answer depends on the prompt, the mood and the seed only (and, where the mood
    has inertia, on what was felt before): hidden states that were cached under another mood are
    computed again, not reused. A schedule counts from the last token of each prompt, or from
    the token at which it is asked for in the middle of an answer.
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
        self._injection: Injection | None = None
        self._emotions: EmotionVectors | None = None
        self._palette: Palette | None = None
        self._feels: tuple[Mood, Steering | None] = (Mood(), None)
        self._call: Call | None = None  # the one that is running now
        self._noticed: set[str] = set()
        self._stepping = False  # within a step of `generate`
        self._performance: Performance | None = None  # of the answer that was spoken last
        self._told = _NOWHERE  # positions whose blend the injector knows already

        super().__init__(str(model_path), **llama)

        # Which blend each cached position was decoded under: Blend.key, 0 = none.
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
        self._palette = Palette.of(evs)
        self._felt = np.zeros(evs.n_emotion)  # the weights applied last, of the stored vectors
        self._feels = (Mood(), Steering(Mood(), self._palette))
        context = ctypes.cast(self._ctx.ctx, ctypes.c_void_p).value or 0
        self._injection = Injection(watch, self._palette, unsafe_ctx=context)

    # -- mood ------------------------------------------------------------------------------

    @property
    def mood(self) -> Mood:
        """What it feels now: the running call's mood if that was given one, else the last."""
        return self._current()[0]

    @property
    def mix(self) -> dict[str, float]:
        """The weights applied to the token that was decoded last, those of 0 left out."""
        if self._emotions is None:
            return {}
        self._settle()
        mix = zip(self._emotions.names, self._felt.tolist(), strict=True)
        return {name: weight for name, weight in mix if weight}

    @property
    def emotions(self) -> EmotionVectors | None:
        """The emotion vectors at hand."""
        return self._emotions

    def feel(self, mood: MoodLike = None, /, **emotions: Any) -> None:
        """Feel this from now on; ``feel()`` is neutral. See ``llamood.Mood`` for the forms.

        Takes effect at the next token, also in the middle of a stream.
        Raises MoodError for unknown emotions and unusable intensities.
        """
        self._feels = self._understand(Mood.of(mood, **emotions))
        self._told = _NOWHERE

    @contextmanager
    def feeling(self, mood: MoodLike = None, /, **emotions: Any) -> Iterator[Llama]:
        """Feel this inside a ``with`` block, and what was felt before after it."""
        before = self._feels
        self.feel(mood, **emotions)
        try:
            yield self
        finally:
            self._feels = before
            self._told = _NOWHERE

    def _understand(self, mood: Mood) -> tuple[Mood, Steering | None]:
        if self._palette is None:
            if mood.is_neutral:
                return mood, None
            raise MoodError(
                "", f"asked for {mood}, but no emotions were loaded; pass Llama(..., emotions=...)"
            )
        steering = Steering(mood, self._palette)
        if not mood.listens:
            for notice in steering.beginning.notices:
                self._notice(notice)
        return mood, steering

    def _notice(self, notice: Notice) -> None:
        """Say it, once for each thing."""
        if notice.what not in self._noticed:
            self._noticed.add(notice.what)
            warnings.warn(notice.text, MoodWarning, stacklevel=2)

    def _current(self) -> tuple[Mood, Steering | None]:
        call = self._call
        return self._feels if call is None or call.mood is None else call.mood

    # -- generating ------------------------------------------------------------------------

    def create_completion(
        self, *args: Any, mood: MoodLike = None, trace: bool = False, **kwargs: Any
    ) -> Any:
        """``llama_cpp.Llama.create_completion``; ``mood``: for this call only.

        ``trace``: the result (of a stream, the chunk with the ``finish_reason``) has, under
        ``["llamood"]["trace"]``, what ``Trace.to_dict`` says of each token.
        """
        return self._in_mood(mood, trace, super().create_completion, *args, **kwargs)

    def __call__(
        self, *args: Any, mood: MoodLike = None, trace: bool = False, **kwargs: Any
    ) -> Any:
        """``llama_cpp.Llama.__call__``; ``mood`` and ``trace`` as in `create_completion`."""
        return self._in_mood(mood, trace, super().__call__, *args, **kwargs)

    def create_chat_completion(
        self, *args: Any, mood: MoodLike = None, trace: bool = False, **kwargs: Any
    ) -> Any:
        """``llama_cpp.Llama.create_chat_completion``; ``mood`` and ``trace`` as in
        `create_completion`."""
        return self._in_mood(mood, trace, super().create_chat_completion, *args, **kwargs)

    def _in_mood(self, mood: MoodLike, trace: bool, method: Any, *args: Any, **kwargs: Any) -> Any:
        if mood is None and not trace:
            return method(*args, **kwargs)
        if trace and self._emotions is None:
            raise MoodError(
                "", "a trace needs emotions, and none were loaded; pass Llama(..., emotions=...)"
            )
        call = Call(
            None if mood is None else self._understand(Mood.of(mood)),
            Trace(self._emotions.names) if trace and self._emotions is not None else None,
        )
        with self._calling(call):
            result = method(*args, **kwargs)
        return call.told(result) if isinstance(result, Mapping) else self._streamed(call, result)

    def _streamed(self, call: Call, stream: Any) -> Iterator[Any]:
        """The stream, each step of it within the call, whatever happens between steps."""
        try:
            while True:
                with self._calling(call):
                    try:
                        chunk = next(stream)
                    except StopIteration:
                        return
                ended = chunk["choices"][0].get("finish_reason") is not None
                yield call.told(chunk) if ended else chunk
        finally:
            stream.close()

    @contextmanager
    def _calling(self, call: Call) -> Iterator[None]:
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
        if self._injection is None:
            return generate(tokens, *args, **kwargs)  # type: ignore[no-any-return]
        return self._generate(generate, tokens, *args, **kwargs)

    def _generate(
        self, generate: Any, tokens: Sequence[int], *args: Any, **kwargs: Any
    ) -> Generator[int, Sequence[int] | None, None]:
        call = _GENERATE.bind(self, tokens, *args, **kwargs)
        call.apply_defaults()
        prompt = list(tokens)
        n_before = 0 if call.arguments["reset"] else self.n_tokens
        performance = self._perform(position=n_before + len(prompt) - 1)
        if call.arguments["reset"]:
            self._drop_stale(prompt, performance)
        trace = None if self._call is None else self._call.trace
        stream = generate(prompt, *args, **kwargs)
        forced: Sequence[int] | None = None
        try:
            for number in itertools.count():
                if self._performance is not performance:
                    self._performance, self._told = performance, _NOWHERE
                # Between two steps, which may be for good, the caller may decode by hand.
                self._stepping = True
                try:
                    token = stream.send(forced)
                except StopIteration:
                    return
                finally:
                    self._stepping = False
                performance.spoken = number
                if trace is not None:
                    asked, applied = performance.row(number)
                    trace.add(self._piece(token), asked=asked, applied=applied)
                forced = yield token
        finally:
            stream.close()

    def _perform(self, *, position: int) -> Performance:
        """A new answer, whose prompt ends at ``position``."""
        self._settle()
        steering = self._current()[1]
        assert steering is not None
        return Performance(steering, position=position, before=self._felt, notice=self._notice)

    def _settle(self) -> None:
        """Keep what was applied at the last token of the answer that runs."""
        if self._performance is not None and self._performance.spoken >= 0:
            self._felt = self._performance.after(self._performance.spoken)

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

    def eval(self, tokens: Sequence[int]) -> None:
        """``llama_cpp.Llama.eval``: decode tokens after those that are cached.

        Outside of a generating call the tokens are a prompt: with ``$positions: generated`` the
        last of them is steered, and those before it are not.
        """
        # Every token of most answers is one that the injector was told of: no more may happen then.
        told = self._stepping and len(tokens) == 1 and self.n_tokens in self._told
        if told or not tokens or self._injection is None:  # no token: drops those after n_tokens
            super().eval(tokens)
        elif not self._stepping:
            performance = self._perform(position=self.n_tokens + len(tokens) - 1)
            self._performance, self._told = performance, _NOWHERE
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
            if performance.steering.mood.listens:
                self._hear(tokens, performance)
            blend = performance.blend(number)
            alike = itertools.takewhile(
                lambda i: performance.blend(number + i) == blend, range(len(tokens))
            )
            self._decode(tokens[: len(list(alike))], blend)
        self._tell(performance)

    def _eval_prompt(self, tokens: list[int], performance: Performance) -> None:
        """Tokens of which the last is the last of the prompt."""
        blend = performance.blend(0)
        start = max(performance.start - self.n_tokens, 0) if blend.key else 0
        if start > 0:
            self._decode(tokens[:start], NOTHING)
        self._decode(tokens[start:], blend)

    def _hear(self, tokens: list[int], performance: Performance) -> None:
        """The tokens that are to be decoded, and those before them that were not listened to."""
        begin = performance.position + performance.n_heard + 1
        missed = self.input_ids[begin : self.n_tokens].tolist()
        number = self.n_tokens - performance.position - len(missed)
        for token in [*missed, *tokens]:
            performance.hear(number, self._piece(token))
            number += 1

    def _piece(self, token: int) -> bytes:
        """The text of one token; nothing for those that only steer the conversation."""
        for size in (32, 512, 65_536):
            buffer = ctypes.create_string_buffer(size)
            n = llama_cpp.llama_token_to_piece(self._model.vocab, token, buffer, size, 0, False)
            if n >= 0:
                return buffer.raw[:n]
        raise ModelError(f"token {token} of {self.model_path} has a text longer than 64 KiB")

    def _tell(self, performance: Performance) -> None:
        """Let the injector know what the coming tokens are decoded under, as far as that is known
        before they are; see `eval`."""
        begin = self.n_tokens
        self._told = _NOWHERE
        number = begin - performance.position
        if performance.steering.mood.listens or begin >= self._n_ctx:
            return
        assert self._injection is not None
        n = self._n_ctx - begin
        if performance.is_still(number):
            blend = performance.blend(number)
            if blend.key and not self._injection.is_taken:
                return
            self._injection.add(blend)
            self._kv_keys[begin:] = blend.key
        elif self._injection.is_taken and self.draft_model is None:
            n = min(n, BLOCK)
            rows, self._kv_keys[begin : begin + n] = performance.block(number, n)
            self._injection.play(rows, performance.steering, position=begin)
        else:
            return
        self._told = range(begin, begin + n)

    def _decode(self, tokens: Sequence[int], blend: Blend) -> None:
        assert self._injection is not None
        begin = self.n_tokens
        self._injection.add(blend)
        try:
            super().eval(tokens)
        finally:
            self._kv_keys[begin : self.n_tokens] = blend.key
        missing = self._injection.missing_layers(blend)
        if missing:
            self.feel()
            self.reset()
            raise ModelError(
                f"{self.model_path}: llama.cpp's {self.metadata.get('general.architecture')!r} "
                f"graph adds no control vector in {len(missing)} of "
                f"{self._injection.injector.n_layer - 1} layers, so this model cannot be steered; "
                "use a model of another architecture"
            )

    # -- what is not steered, and what must follow the cache -------------------------------

    def embed(self, *args: Any, **kwargs: Any) -> Any:
        """``llama_cpp.Llama.embed``: embeddings are those of the text, in no mood."""
        if self._injection is not None:
            self._injection.add(NOTHING)
            self._told = _NOWHERE
        return super().embed(*args, **kwargs)

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
        self._performance, self._told = None, _NOWHERE
        if self._emotions is not None:
            mix = getattr(state, "llamood_mix", {})
            self._felt = np.array([mix.get(name, 0.0) for name in self._emotions.names])

    def close(self) -> None:
        """Free the model and its context."""
        injection: Injection | None = getattr(self, "_injection", None)
        if injection is not None:
            injection.close()
            self._told = _NOWHERE
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
