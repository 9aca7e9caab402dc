"""Many answers of one model at a time, each to a prompt of its own and in a mood of its own.

An evaluation and a calibration ask thousands of questions of which nobody waits for any one. A
batch of sixteen answers is decoded about twice as fast as the same answers one after another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from os import PathLike
from statistics import fmean
from typing import Any

import llama_cpp
import numpy as np

from llamood.closing import Closing
from llamood.errors import LlamoodError, ModelError
from llamood.moods.mood import Mood, MoodLike
from llamood.vectors.emotion_vectors import EmotionVectors, Float32, Float64
from llamood.vectors.measurement import Site
from llamood.voices.answer_stream import AnswerStream
from llamood.voices.cast import Cast
from llamood.voices.character import Character
from llamood.voices.likelihoods import Comparison, Hindsight, Passage
from llamood.voices.sampling import TEMPERATURE, TOP_P

PARALLEL = 16  # answers at a time
MOST_PARALLEL = 252
_BESIDE = 4  # sequences in which answers are decoded once more


@dataclass(frozen=True, eq=False)
class Request:
    """``prompt``: tokens, one at least. ``mood``: in any form. ``max_tokens``: the longest answer,
    1 or more. ``seed``: 0 to 2**32 - 1."""

    prompt: Sequence[int]
    max_tokens: int
    mood: MoodLike = field(default_factory=Mood)
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Reply:
    """``text``: as it was said. ``tokens``: as they were drawn, without the one that ended the
    answer; writing `text` as tokens may give others. ``is_over``: one did, rather than that there
    was no room for more. ``mix``: the weights under which the last token was drawn, those of 0
    left out. ``nll``: as `Answering.nll` would find it, where the mood was neutral and
    it is known without looking again; else None."""

    text: str
    tokens: tuple[int, ...]
    is_over: bool
    mix: Mapping[str, float]
    nll: float | None


class Answering(Closing):
    """One model with vectors, that gives ``parallel`` answers at a time.

    ``model``: a GGUF file; it needs no chat template. ``n_ctx``: tokens that the longest prompt and
    answer have together. ``site``: as of ``llamood.Llama``. ``llama``: arguments of
    ``llama_cpp.Llama``; threads are as many as there are cores unless given. Nothing takes a mood
    back where an answer collapses.

    Tokens are drawn as in arXiv 2502.04075 (`TEMPERATURE`, `TOP_P`). An answer depends on its
    request alone, and not on ``parallel`` or on what else is asked, but for the last bits of sums,
    whose order depends on the batch. Where nothing is rounded to fewer bits than float32 has
    (weights; ``type_k=0, type_v=0``; ``flash_attn=False``, which is on unless given) that changes
    no token. Else it may tip one now and then.

    Not for several threads. Raises `ModelError` for a model that cannot be opened or batched.
    """

    def __init__(
        self,
        model: str | PathLike[str],
        *,
        emotions: EmotionVectors,
        n_ctx: int,
        parallel: int = PARALLEL,
        site: Site | None = None,
        **llama: Any,
    ) -> None:
        if not 1 <= parallel <= MOST_PARALLEL:
            raise ModelError(f"{parallel} answers at a time; expected 1 to {MOST_PARALLEL}")
        with ExitStack() as stack:
            self._cast = Cast(
                model,
                emotions=emotions,
                voices=parallel + _BESIDE,
                n_ctx=n_ctx,
                site=site,
                guard=False,
                # Without it each token would be compared with those of all answers.
                **{"flash_attn": True, "verbose": False, **llama},
            )
            stack.callback(self._cast.close)
            self._voices = [self._cast.join() for _ in range(parallel)]
            taken = {voice.number for voice in self._voices}
            self._hindsight = Hindsight(
                self._cast.shared,
                sequences=[n for n in range(self._cast.n_voice) if n not in taken],
                voices=self._voices,
            )
            stack.callback(self._hindsight.close)
            self._exit = stack.pop_all()

    def close(self) -> None:
        """Free the model."""
        self._exit.close()

    def forget(self) -> None:
        """Go on as if just opened. What is decoded already saves time, and may change the last bit
        of a sum: whoever has to get the same again, from another process too, forgets it first.
        """
        for voice in self._voices:
            self._cast.shared.stage.keep(voice.number, 0)
        memory = llama_cpp.llama_get_memory(self._cast.shared.ctx)
        llama_cpp.llama_memory_clear(memory, False)

    @property
    def parallel(self) -> int:
        """How many answers at a time."""
        return len(self._voices)

    @property
    def llama(self) -> llama_cpp.Llama:
        """The model, to write prompts for it with; it is to be asked for nothing else."""
        return self._cast.shared

    @property
    def emotions(self) -> EmotionVectors:
        """The vectors at hand."""
        return self._cast.emotions

    # -- answers ---------------------------------------------------------------------------

    def answers(self, requests: Iterable[Request]) -> list[Reply]:
        """In the order of the requests. Raises as `each`."""
        found = {number: reply for some in self.each(requests) for number, reply in some}
        return [found[number] for number in sorted(found)]

    def each(self, requests: Iterable[Request]) -> Iterator[list[tuple[int, Reply]]]:
        """The answers as they come, with the numbers of their requests, counted from 0; those that
        end with the same token of all together. Requests are taken in order and when there is room.

        What is left when this iterator is closed is asked no more. Raises `ModelError` for a prompt
        that is empty or has no room, `MoodError` for a mood that cannot be had.
        """
        coming = enumerate(requests)
        going: dict[Character, _Going] = {}
        try:
            while True:
                self._begin(coming, going)
                if not going:
                    return
                self._cast.step()
                finished = [(one.number, one.reply) for one in _finished(going)]
                if finished:
                    yield finished
        finally:
            for one in going.values():
                one.stream.close()

    def _begin(self, coming: Iterator[tuple[int, Request]], going: dict[Character, _Going]) -> None:
        """Let every voice that is free answer the next request."""
        while len(going) < len(self._voices):
            number, request = next(coming, (-1, None))
            if request is None:
                return
            mood = Mood.of(request.mood)
            stream = self._cast.answer(
                request.prompt,
                among=[voice for voice in self._voices if voice not in going],
                mood=mood,
                logprobs=0 if mood.is_neutral else None,
                max_tokens=request.max_tokens,
                temperature=TEMPERATURE,
                top_p=TOP_P,
                seed=request.seed,
            )
            (voice,) = stream.speakers
            going[voice] = _Going(number, stream)

    # -- what they would be without a mood ---------------------------------------------------

    def nll(self, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> Float64:
        """Of each answer the mean negative log likelihood of its tokens without steering, in nats;
        (n_answer,), NaN for an answer of no token.

        Prompts and answers are tokens. It is fastest while the prompts are those of answers that
        were given last, as in a loop over `each`. Raises `ModelError` for an empty prompt and for
        what does not fit ``n_ctx``.
        """
        passages = [Passage(*pair) for pair in zip(prompts, answers, strict=True)]
        found = self._hindsight.nll(passages)
        return np.array([each.mean() if len(each) else np.nan for each in found])

    def kl(
        self,
        prompts: Sequence[Sequence[int]],
        answers: Sequence[Sequence[int]],
        moods: Sequence[MoodLike],
        *,
        plain: Sequence[Float32] | None = None,
    ) -> list[Float64]:
        """`Comparison.kl` of each answer. Raises as `compared`."""
        return [each.kl for each in self.compared(prompts, answers, moods, plain=plain)]

    def compared(
        self,
        prompts: Sequence[Sequence[int]],
        answers: Sequence[Sequence[int]],
        moods: Sequence[MoodLike],
        *,
        plain: Sequence[Float32] | None = None,
    ) -> list[Comparison]:
        """Of each answer, how far its mood turned each token, and how likely that is without: both
        at two thirds of what they cost one by one, and at half of that where the `logits` without
        steering are known. Raises as `nll`, and `MoodError` for a mood that cannot be had or
        that holds readings."""
        known = [None] * len(moods) if plain is None else plain
        return [
            self._hindsight.compared(Passage(prompt, answer), Mood.of(mood), plain=logits)
            for prompt, answer, mood, logits in zip(prompts, answers, moods, known, strict=True)
        ]

    def logits(self, prompt: Sequence[int], answer: Sequence[int]) -> Float32:
        """See `Hindsight.logits`. Raises as `nll`."""
        return self._hindsight.logits(Passage(prompt, answer))


class _Going:
    """An answer that is being given."""

    def __init__(self, number: int, stream: AnswerStream) -> None:
        self.number = number
        self.stream = stream
        self._said: list[str] = []
        self._tokens: list[int] = []
        self._logprobs: list[float] = []  # of its tokens, where no mood is felt
        self.reply: Reply

    def hear(self) -> bool:
        """Take what it said since; whether it is over."""
        for event in self.stream.take():
            self._said.append(event.text)
            if event.token is None:
                raise LlamoodError("an answer was interrupted by another user of its voices")
            if event.finish_reason != "stop":
                self._tokens.append(event.token)
                self._logprobs += [logprob for _, logprob in event.likely[:1]]
            if event.finish_reason is not None:
                self.reply = Reply(
                    text="".join(self._said),
                    tokens=tuple(self._tokens),
                    is_over=event.finish_reason == "stop",
                    mix=event.mood,
                    nll=-fmean(self._logprobs) if self._logprobs else None,
                )
                return True
        return False


def _finished(going: dict[Character, _Going]) -> list[_Going]:
    """Those that are over, which are taken out."""
    over = {voice: one for voice, one in going.items() if one.hear()}
    for voice in over:
        del going[voice]
    return list(over.values())
