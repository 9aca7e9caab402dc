"""Conversations of several turns in one mood, to see what becomes of the last answer.

Between two turns the mood can be left in what is cached of the answers so far, or these can be
decoded again without it. Steered keys and values that stay wear a dialogue down (arXiv 2605.10664).
``llamood.Llama`` decodes again; here both are done, from equal seeds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

import llama_cpp

from llamood.errors import LlamoodError, ModelError
from llamood.evaluation.conditions import UNSTEERED, VECTOR, Condition
from llamood.extraction.extraction import LONGEST_PROMPT
from llamood.extraction.states import Progress
from llamood.moods.mood import Mood
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.gguf_header import trained_context
from llamood.voices.chat_template import chat_text, chat_tokens
from llamood.voices.llama import Llama
from llamood.voices.sampling import TEMPERATURE, TOP_P

DIALOGUES = Path(__file__).parents[1] / "data" / "dialogues.json"
TOKENS = 32  # of an answer
FEWEST_TURNS = 2
CONTEXT_STEP = 256  # llama.cpp rounds a context up to this; llama_cpp's buffers do not follow
_WRITTEN = 128  # tokens, of what a template writes around a question and its answer; fewer are
_ANSWER = "ANSWER"  # stands where an answer will, to see what a template writes after it

Way = Literal["unsteered", "kept", "decoded anew"]
WAYS = get_args(Way)
PLAIN, KEPT, ANEW = WAYS


@dataclass(frozen=True)
class Exchange:
    """``question`` and ``answer``, which has ``n_token`` tokens. ``n_decoded``: tokens that were
    decoded before the answer began, in so many ``seconds``."""

    question: str
    answer: str
    n_token: int
    n_decoded: int
    seconds: float


@dataclass(frozen=True)
class Dialogue:
    """One conversation. ``number``: which, from 0. ``emotion``: None where none is felt.
    ``nll``: mean negative log likelihood of the tokens of the last answer, in nats, by the
    unsteered model after the whole conversation; None for an answer of no token."""

    number: int
    emotion: str | None
    way: Way
    exchanges: tuple[Exchange, ...]
    nll: float | None


class Dialogues:
    """Each conversation unsteered, and for each emotion in both ways.

    ``model``: a GGUF file. ``emotions``: its vectors; all of them are felt. ``turns``: of each
    conversation what the user says, equally often, `FEWEST_TURNS` times or more; the shipped ones
    unless given. ``intensity``: a multiple of an emotion's ceiling, or of 1 where it has none.
    ``max_tokens``: the longest answer. ``llama``: arguments of ``llama_cpp.Llama``. No guard takes
    a mood back. Without a mood both ways decode the same, so that is done once.

    Raises `ModelError` for a model that cannot be loaded, whose template writes no answers back,
    or that was not trained for conversations of this length.
    """

    def __init__(
        self,
        model: str | PathLike[str],
        *,
        emotions: EmotionVectors,
        turns: Sequence[Sequence[str]] | None = None,
        intensity: float = 1.0,
        max_tokens: int = TOKENS,
        seed: int = 0,
        **llama: Any,
    ) -> None:
        self._model = Path(model)
        self._emotions = emotions
        self._turns = shipped_turns() if turns is None else tuple(tuple(each) for each in turns)
        n_turn = {len(each) for each in self._turns}
        if len(n_turn) != 1 or min(n_turn) < FEWEST_TURNS:
            raise ModelError(
                f"conversations have {', '.join(map(str, sorted(n_turn))) or 'no'} turns; all are "
                f"to have as many, {FEWEST_TURNS} at least"
            )
        self._intensity = intensity
        self._max_tokens = max_tokens
        self._seed = seed
        self._llama = llama

    @property
    def total(self) -> int:
        """Conversations in all."""
        return len(self._turns) * (1 + 2 * self._emotions.n_emotion)

    def run(self, progress: Progress | None = None) -> tuple[Dialogue, ...]:
        """Hold them all; ``progress(done, total)`` as they end. Raises as the constructor says, and
        `VectorError` where the vectors belong to another model."""
        found: list[Dialogue] = []
        with closing(self._open()) as llm:
            for each in self._each(llm):
                found.append(each)
                if progress is not None:
                    progress(len(found), self.total)
        return tuple(found)

    def _each(self, llm: Llama) -> Iterator[Dialogue]:
        """One conversation of one emotion in both ways next to each other, as a machine gets slower
        and faster."""
        for number in range(len(self._turns)):
            yield self._held(llm, number, Condition(UNSTEERED, None, 0.0, 0.0), PLAIN)
            for name, ceiling in zip(self._emotions.names, self._emotions.ceiling, strict=True):
                dose = self._intensity * (1.0 if ceiling is None else ceiling)
                condition = Condition(VECTOR, name, self._intensity, dose)
                yield self._held(llm, number, condition, KEPT)
                yield self._held(llm, number, condition, ANEW)

    def _held(self, llm: Llama, number: int, condition: Condition, way: Way) -> Dialogue:
        llm.feel(condition.mood(None))
        llm.reset()
        said: list[int] = []  # tokens of the conversation, as they were drawn
        answer: list[int] = []
        exchanges = []
        for turn, question in enumerate(self._turns[number]):
            said += _opening(llm, question) if turn == 0 else _between(llm, question)
            llm.set_seed((self._seed + number * len(self._turns[number]) + turn) % 2**32)
            n_before, begin = _n_decoded(llm), time.perf_counter()
            stream = _drawn(llm, said, is_kept=way == KEPT)
            answer, first = [], next(stream)
            seconds, n_decoded = time.perf_counter() - begin, _n_decoded(llm) - n_before
            token: int | None = first
            while token is not None and not _ends(llm, token):
                answer.append(token)
                token = None if len(answer) == self._max_tokens else next(stream, None)
            stream.close()
            text = llm.detokenize(answer).decode(errors="replace").strip()
            exchanges.append(Exchange(question, text, len(answer), n_decoded, seconds))
            prompt, said = said, [*said, *answer]
        llm.feel(Mood())
        nll = float(llm.nll(prompt, answer).mean()) if answer else None
        return Dialogue(number, condition.emotion, way, tuple(exchanges), nll)

    # -- the model -------------------------------------------------------------------------

    def _open(self) -> Llama:
        """Warm, as the first tokens take longer."""
        most = max(sum(len(each.encode()) + _WRITTEN for each in turns) for turns in self._turns)
        most += LONGEST_PROMPT + len(self._turns[0]) * self._max_tokens
        room = min(most, trained_context(self._model) or most)
        room += -room % CONTEXT_STEP
        how = {"n_ctx": room, "n_batch": room, "verbose": False, **self._llama}
        try:
            llm = Llama(self._model, emotions=self._emotions, guard=False, **how)
        except LlamoodError:
            raise
        except ValueError as error:  # llama_cpp has no type of its own for this
            fault = f"llama.cpp cannot load this model ({error})"
            raise ModelError(f"{self._model}: {fault}") from error
        try:
            self._require_room(llm)
        except ModelError:
            llm.close()
            raise
        for _ in zip(range(2), llm.generate(_opening(llm, self._turns[0][0])), strict=False):
            pass
        return llm

    def _require_room(self, llm: Llama) -> None:
        n_turn = len(self._turns[0])
        asked = max(
            len(_opening(llm, first)) + sum(len(_between(llm, each)) for each in others)
            for first, *others in self._turns
        )
        room = asked + n_turn * self._max_tokens
        if room > llm.n_ctx():
            raise ModelError(
                f"a conversation may have {room} tokens, and this model has room for "
                f"{llm.n_ctx()}; take fewer turns than {n_turn}, or answers of fewer tokens than "
                f"{self._max_tokens}"
            )


def shipped_turns() -> tuple[tuple[str, ...], ...]:
    """Of three plain conversations what the user says, ten times; it follows on any answer."""
    return tuple(map(tuple, json.loads(DIALOGUES.read_text(encoding="utf-8"))))


def _drawn(
    llm: Llama, said: Sequence[int], *, is_kept: bool
) -> Generator[int, Sequence[int] | None, None]:
    """The tokens that follow on a conversation, of which what is cached is kept as it is, or is
    what ``llamood.Llama`` makes of it."""
    how = {"temp": TEMPERATURE, "top_p": TOP_P}
    if is_kept:
        return llm.generate(list(said[llm.n_tokens :]), reset=False, **how)
    return llm.generate(list(said), **how)


def _opening(llm: llama_cpp.Llama, question: str) -> list[int]:
    return chat_tokens(llm, [{"role": "user", "content": question}])


def _between(llm: llama_cpp.Llama, question: str) -> list[int]:
    """What the model's template writes from the end of an answer to the beginning of the next."""
    messages = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": _ANSWER},
        {"role": "user", "content": question},
    ]
    _, found, after = chat_text(llm, messages).partition(_ANSWER)
    if not found:
        raise ModelError("the model's chat template does not write answers back")
    return list(llm.tokenize(after.encode(), add_bos=False, special=True))


def _ends(llm: llama_cpp.Llama, token: int) -> bool:
    vocab = llama_cpp.llama_model_get_vocab(llm.model)
    return bool(llama_cpp.llama_vocab_is_eog(vocab, token))


def _n_decoded(llm: llama_cpp.Llama) -> int:
    """Tokens that this context has decoded, as llama.cpp counts them."""
    counted = llama_cpp.llama_perf_context(llm.ctx)
    return int(counted.n_p_eval + counted.n_eval)
