"""What a voice says and reads: it draws an answer token by token, anew where that collapsed."""

from __future__ import annotations

import inspect
from collections.abc import Generator, Sequence
from typing import Any

import llama_cpp
import numpy as np

from llamood import _core
from llamood.errors import ModelError
from llamood.moods.performance import Performance
from llamood.readings.reader import Reader
from llamood.vectors.emotion_vectors import Float64
from llamood.voices.call import Call
from llamood.voices.collapse_monitor import Care, CollapseMonitor, Rescue
from llamood.voices.decoder import NOWHERE, Decoder
from llamood.voices.drawing import Drawing, Note

_GENERATE = inspect.signature(llama_cpp.Llama.generate)


class Voice(Decoder):
    """Draws tokens, and reads what they express.

    ``care``: what becomes of an answer that collapses under a mood (see `CollapseMonitor`); None
    for nothing.
    ``decoder``: arguments of `Decoder`.
    """

    def __init__(self, model_path: str, *, care: Care | None, **decoder: Any) -> None:
        self._care = care
        self._call: Call | None = None  # the one that is running now
        self._is_unmoved = False  # what is decoded now is of a call that a grammar draws
        self._monitor: CollapseMonitor | None = None  # of the answer spoken last
        self._most: int | None = None  # tokens of the answer that comes, where that is known
        self._said: Sequence[int] = ()  # tokens of the answer that a new sampler is to count
        self._prompt: Sequence[int] = ()  # that is answered
        super().__init__(model_path, **decoder)

    # -- generating ------------------------------------------------------------------------

    def _create_completion(
        self, prompt: Any, suffix: str | None = None, max_tokens: int | None = 16, **rest: Any
    ) -> Any:
        """``llama_cpp.Llama``'s, which asks `generate` for no more tokens than these."""
        self._most = max_tokens
        return super()._create_completion(prompt, suffix, max_tokens, **rest)

    def generate(
        self, tokens: Sequence[int], *args: Any, **kwargs: Any
    ) -> Generator[int, Sequence[int] | None, None]:
        """``llama_cpp.Llama.generate`` under the mood of the moment."""
        generate = super().generate
        if self._injection is None:
            call = _GENERATE.bind(self, tokens, *args, **kwargs)
            if call.arguments.get("reset", True):
                self._drop_unreachable(tokens)
            return generate(tokens, *args, **kwargs)  # type: ignore[no-any-return]
        return self._generate(generate, tokens, *args, **kwargs)

    def _generate(
        self, generate: Any, tokens: Sequence[int], *args: Any, **kwargs: Any
    ) -> Generator[int, Sequence[int] | None, None]:
        """Tokens are told as they are drawn. Where an answer smells of collapse they wait until it
        is known to be sound, or are drawn anew."""
        call = _GENERATE.bind(self, tokens, *args, **kwargs)
        call.apply_defaults()
        before = [] if call.arguments["reset"] else self.input_ids[: self.n_tokens].tolist()
        prompt = [*before, *tokens]
        is_formed = call.arguments["grammar"] is not None
        is_unmoved = is_formed and self._call is not None and not self._call.steers_all
        self._prompt = prompt
        performance = self._begin(len(prompt) - 1, is_unmoved=is_unmoved)
        if call.arguments["reset"]:
            self._drop_stale(prompt, performance)
        drawing = self._drawing()
        self._read_from = max(performance.position, 1)
        stream = generate(list(tokens), *args, **kwargs)

        def again(said: list[int]) -> Any:
            """What follows on the tokens that are kept."""
            stream.close()
            self._rewind([*prompt, *said], performance)
            self._said = tuple(said)
            call.arguments.update(tokens=[*prompt, *said], reset=True)
            return generate(*call.args[1:], **call.kwargs)

        # What is asked for by other means a model may find unlikely.
        is_free = not is_formed and call.arguments["logits_processor"] is None
        guess: Sequence[int] | None = None  # of the caller, at what comes; see llama_cpp.Llama
        try:
            while True:
                if self._performance is not performance:
                    self._performance, self._told = performance, NOWHERE
                # Between two steps, which may be for good, the caller may decode by hand.
                self._stepping, self._is_unmoved = True, is_unmoved
                try:
                    token = stream.send(guess)
                except StopIteration:
                    break
                finally:
                    self._stepping = self._is_unmoved = False
                if drawing is None:  # nobody hears the token: no more may happen to it
                    performance.spoken += 1
                    guess = yield token
                    continue
                rescue = self._hear_drawn(token, drawing, performance, is_free=is_free)
                if rescue is not None:
                    if rescue.factor is None:
                        yield self.token_eos()
                        return
                    performance.soften(rescue.kept, rescue.factor)
                    stream = again(drawing.tokens)
                guess = yield from _tell(drawing, performance)
            if drawing is not None:
                drawing.pass_all()
                yield from _tell(drawing, performance)
        finally:
            stream.close()
            self._said = ()
            if drawing is not None and drawing.waits:
                self._rewind([*prompt, *drawing.tokens[: drawing.n_told]], performance)

    def _begin(self, position: int, *, is_unmoved: bool) -> Performance:
        """An answer whose prompt ends there."""
        self._is_unmoved = is_unmoved
        try:
            return self._perform(position=position)
        finally:
            self._is_unmoved = False

    def _drawing(self) -> Drawing | None:
        """Of a new answer; None where nobody hears its tokens."""
        self._monitor = None if self._care is None else CollapseMonitor(self._care)
        trace = None if self._call is None else self._call.trace
        most, self._most = self._most, None
        is_heard = self._monitor is not None or trace is not None
        return Drawing(self._monitor, trace, most=most) if is_heard else None

    def _hear_drawn(
        self, token: int, drawing: Drawing, performance: Performance, *, is_free: bool
    ) -> Rescue | None:
        note, piece, number = None, self._piece_of(token), len(drawing.tokens)
        if drawing.is_traced:
            reading = None if self._reader is None else self.reading
            note = Note(piece, *performance.row(number), reading)
        is_over = llama_cpp.llama_vocab_is_eog(self._model.vocab, token)
        is_last = drawing.is_ending or self.n_tokens + 1 >= self._n_ctx
        if self._care is None or not performance.is_felt or is_over:
            drawing.draw(token, piece, note)
            return None
        logprob = self._logprob(token, performance.position + number) if is_free else None
        overdose = performance.overdose(number)
        rescue = drawing.draw_monitored(token, piece, note, logprob=logprob, overdose=overdose)
        if rescue is None and is_last:
            drawing.pass_all()
        return rescue

    def _logprob(self, token: int, position: int) -> float:
        """Of a token that was drawn after this position, the logarithm of its probability."""
        if not self._logits_all:
            return _core.last_logprob(self._context_address(), token)
        logits = self._scores[position : position + 1]
        return float(logits[0, token] - _core.log_sums(logits)[0])

    def _init_sampler(self, *args: Any, **kwargs: Any) -> Any:
        """``llama_cpp.Llama``'s, which counts what the answer says already."""
        sampler = super()._init_sampler(*args, **kwargs)
        for token in self._said:
            sampler.accept(token)
        return sampler

    # -- reading ---------------------------------------------------------------------------

    @property
    def reading(self) -> dict[str, float]:
        """What the last tokens expressed: emotion -> z-score, 0 as in neutral text.

        Of the answer, from the last token of its prompt on; outside of one, of the text. Tokens
        eight further back count half. Empty before anything was decoded. Raises `ModelError`
        for a voice without readings.
        """
        return self.reader.reading(self._read_from, self.n_tokens)

    @property
    def reader(self) -> Reader:
        """What `reading` is taken from, position by position. Raises `ModelError` as `reading`."""
        if self._reader is None:
            raise ModelError("this voice reads nothing; open it with Llama(..., readings=True)")
        return self._reader

    def _read_said(self) -> dict[str, float]:
        if self._reader is None:
            return {}
        begin, end = 0, len(self._prompt)
        if self._call is not None and self._call.said is not None:
            begin, end = _core.span_of(self._model.vocab, self._prompt, self._call.said.encode())
        return self._reader.mean(begin, end)

    def read(self, text: str) -> dict[str, float]:
        """What a text expresses: emotion -> mean z-score over its tokens, 0 as in neutral text.

        Of the text by itself, unsteered, without its first token. Forgets what is cached. Raises
        `ModelError` for a text of fewer than two tokens or more than the context has room for, and
        as `reading`.
        """
        reader = self.reader
        tokens = self.tokenize(text.encode(), add_bos=True, special=False)
        if not 2 <= len(tokens) <= self._n_ctx:
            raise ModelError(
                f"the text has {len(tokens)} tokens, expected 2 to {self._n_ctx}; give one of that "
                "length, or open the model with another n_ctx"
            )
        self._decode_plainly(tokens)
        means = reader.scores(1, len(tokens)).mean(axis=0)
        return dict(zip(reader.names, means.tolist(), strict=True))

    def nll(self, prompt: Sequence[int], answer: Sequence[int]) -> Float64:
        """Negative log likelihood of each token of an answer without steering, (n_answer,), in
        nats. Forgets what is cached. Raises `ModelError` where both do not fit a batch."""
        tokens = [*prompt, *answer]
        if not prompt or len(tokens) > min(self.n_batch, self._n_ctx):
            raise ModelError(
                f"{len(tokens)} tokens, of which {len(prompt)} are the prompt; between 1 and "
                f"{min(self.n_batch, self._n_ctx)} fit a batch (n_batch, n_ctx)"
            )
        before: bool = self._logits_all
        self._logits_all: bool = True
        try:
            self._decode_plainly(tokens)
        finally:
            self._logits_all = before
        logits = self.scores[len(prompt) - 1 : len(tokens) - 1]
        said: Float64 = logits[np.arange(len(answer)), list(answer)].astype(np.float64)
        return _core.log_sums(logits) - said


def _tell(
    drawing: Drawing, performance: Performance
) -> Generator[int, Sequence[int] | None, Sequence[int] | None]:
    """Those that may be told; what the caller guesses after the last that was drawn."""
    guess: Sequence[int] | None = None
    while drawing.is_tellable:
        performance.spoken = drawing.n_told
        guess = yield drawing.tell()
    return None if drawing.waits else guess
