"""A judge that needs no training: the unsteered model itself, asked which label a text expresses.

It is not independent of what it judges: a model may know its own emotional words better than
another's, and its own mistakes worse. Nor need it be any good: a tiny model that was taught to
talk and not to classify judges at chance. Use it beside another judge, not instead of one.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from itertools import takewhile
from os import PathLike
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

from llamood.closing import Closing
from llamood.errors import LlamoodError, ModelError
from llamood.voices.chat_template import Prompt
from llamood.voices.llama import Llama

Float64 = npt.NDArray[np.float64]

N_CTX = 512  # tokens: the question, a text of some 300 words, and a label
CONTENT_FREE = ("N/A", "[MASK]", "")  # arXiv 2102.09690, section 4
LONGEST_TOKEN = 32  # characters; what is beyond so many for each token of room is not looked at


class ZeroShotJudge(Closing):
    """A language model as a judge: how likely it finds each label as the answer.

    ``model``: a GGUF file. ``labels``: at least two different ones, as the model is to say them.
    ``prompt``: how a user's turn is written for the model. ``llama``: arguments of
    ``llama_cpp.Llama``; ``n_ctx`` is `N_CTX` unless given.

    The model is asked `question`. The likelihood of a label is that of its tokens as the answer,
    without what would end it. A model prefers some labels whatever the text; that is taken out
    by contextual calibration (arXiv 2102.09690, section 4): with p(label | text) as those
    likelihoods, the probabilities are proportional to p(label | text) / p(label | nothing), where
    the latter is the mean over texts without content (`CONTENT_FREE`) of the likelihoods that are
    scaled to sum to 1. It also takes out that a long label is less likely than a short one.

    Raises `LlamoodError` for labels that cannot be asked for, `ModelError` for a model that cannot
    be loaded or asked.
    """

    def __init__(
        self,
        model: str | PathLike[str],
        *,
        labels: Sequence[str],
        prompt: Prompt,
        **llama: Any,
    ) -> None:
        self._labels = _checked(labels)
        self._prompt = prompt
        with ExitStack() as stack:
            self._llama = _opened(model, llama)
            stack.callback(self._llama.close)
            self._spoken = [self._tokens(label) for label in self._labels]
            self._room = self._room_for_prompt()
            # What all questions begin with is decoded once: half of most of them.
            self._beginning = _common([self._asked(text) for text in CONTENT_FREE])
            self._has_begun = False
            rows = [self._log_likelihoods(text) for text in CONTENT_FREE]
            self._log_prior = np.log(np.mean([_softmax(row) for row in rows], axis=0))
            self._exit = stack.pop_all()

    def close(self) -> None:
        """Free the model."""
        self._exit.close()

    @property
    def labels(self) -> tuple[str, ...]:
        """As given; their order is that of the columns and changes nothing else."""
        return self._labels

    def probabilities(self, texts: Iterable[str]) -> Float64:
        """``float64 (n_text, n_label)``, each row summing to 1, columns as in `labels`.

        A text that does not fit the context is cut after the last word that does. A text is
        judged alike alone and among others.

        Raises TypeError for a single ``str``, which would be read letter by letter.
        """
        if isinstance(texts, str):
            raise TypeError("probabilities() takes several texts; for one, give a list: [text]")
        rows = [_softmax(self._log_likelihoods(text) - self._log_prior) for text in texts]
        return np.array(rows, dtype=np.float64).reshape(-1, len(self._labels))

    def _log_likelihoods(self, text: str) -> Float64:
        """(n_label,), in nats: of each label as the answer to the question about this text."""
        llm = self._llama
        fitted = cut_to_fit(text, n_token=self._room, count=lambda part: len(self._asked(part)))
        asked = self._asked(fitted)
        if not _goes_back(llm):
            return np.array([-llm.nll(asked, label).sum() for label in self._spoken])
        self._decode(asked)
        first = self._log_probabilities()
        found = np.empty(len(self._spoken))
        for place, (token, *rest) in enumerate(self._spoken):
            found[place] = first[token]
            llm.n_tokens = len(asked)  # forgets the label before
            for following in rest:
                llm.eval([token])
                found[place] += self._log_probabilities()[following]
                token = following
        return found

    def _decode(self, asked: list[int]) -> None:
        """In the same parts whatever was asked before, so that nothing is rounded otherwise."""
        llm, n = self._llama, len(self._beginning)
        if asked[:n] != self._beginning or len(asked) == n:
            self._has_begun = False
            llm.reset()
            llm.eval(asked)
            return
        if not self._has_begun:
            llm.reset()
            llm.eval(self._beginning)
            self._has_begun = True
        llm.n_tokens = n  # forgets the text before
        llm.eval(asked[n:])

    def _log_probabilities(self) -> Float64:
        """(n_vocab,), of the token that follows what was decoded last."""
        last = llama_cpp.llama_get_logits_ith(self._llama.ctx, -1)
        logits = np.ctypeslib.as_array(last, shape=(self._llama.n_vocab(),)).astype(np.float64)
        logits -= logits.max()
        return np.asarray(logits - np.log(np.exp(logits).sum()), dtype=np.float64)

    def _asked(self, text: str) -> list[int]:
        return list(self._prompt(self._llama, question(text, self._labels)))

    def _tokens(self, label: str) -> list[int]:
        tokens = list(self._llama.tokenize(label.encode(), add_bos=False, special=False))
        if not tokens:
            raise LlamoodError(f"the label {label!r} has no token in this model; name another")
        return tokens

    def _room_for_prompt(self) -> int:
        """Tokens, so that the longest label still fits after them."""
        llm = self._llama
        # llama.cpp rounds a context up; llama_cpp's buffers keep the size that was asked for.
        n_most = min(len(llm.input_ids), llm.n_batch, llama_cpp.llama_model_n_ctx_train(llm.model))
        room: int = n_most - max(map(len, self._spoken))
        n_least = max(len(self._asked(text)) for text in CONTENT_FREE)
        if n_least > room:
            raise ModelError(
                f"{llm.model_path}: asking for {len(self._labels)} labels takes {n_least} tokens, "
                f"and {room} fit; take a larger context (n_ctx), or fewer labels"
            )
        return room


def question(text: str, labels: Iterable[str]) -> str:
    """What the user asks. The labels stand in alphabetical order, whatever theirs is."""
    return (
        f"Which of these does the text below express: {', '.join(sorted(labels))}? "
        f"Answer with one of these words only.\n\nText: {text}"
    )


def cut_to_fit(text: str, *, n_token: int, count: Callable[[str], int]) -> str:
    """The longest beginning of a text of which ``count`` says at most ``n_token``.

    It ends after a word; within one where not even the first fits. What UTF-8 cannot hold is
    replaced by a question mark. Of huge texts only the first `LONGEST_TOKEN` characters a token
    are looked at.
    """
    text = text[: LONGEST_TOKEN * n_token].encode("utf-8", "replace").decode("utf-8")
    if count(text) <= n_token:
        return text
    words = [word.end() for word in re.finditer(r"\S+", text)]
    for ends in (words, range(1, len(text))):
        n_fit = bisect.bisect_left(ends, True, key=lambda end: count(text[:end]) > n_token)
        if n_fit:
            return text[: ends[n_fit - 1]]
    return ""


def _opened(model: str | PathLike[str], llama: dict[str, Any]) -> Llama:
    n_ctx = llama.get("n_ctx", N_CTX)
    settings = {"n_ctx": n_ctx, "n_batch": n_ctx, "verbose": False, **llama}
    try:
        llm = Llama(model, **settings)
    except (ValueError, RuntimeError) as error:  # llama_cpp has no type of its own for this
        raise ModelError(f"{model}: llama.cpp cannot load this model ({error})") from error
    if llama_cpp.llama_get_memory(llm.ctx) is None or llama_cpp.llama_model_has_encoder(llm.model):
        llm.close()
        raise ModelError(
            f"{model}: this {llm.metadata.get('general.architecture')!r} model does not continue "
            "texts, so it cannot be asked; take a chat model"
        )
    return llm


def _common(questions: Sequence[Sequence[int]]) -> list[int]:
    """The tokens that all begin with."""
    columns = takewhile(lambda column: len(set(column)) == 1, zip(*questions, strict=False))
    return [column[0] for column in columns]


def _goes_back(llm: Llama) -> bool:
    """Whether its last tokens can be forgotten: not where a state sums up all of them."""
    model = llm.model
    recurrent: bool = llama_cpp.llama_model_is_recurrent(model)
    return not (recurrent or llama_cpp.llama_model_is_hybrid(model))


def _checked(labels: Sequence[str]) -> tuple[str, ...]:
    names = tuple(labels)
    if isinstance(labels, str) or len(names) < 2 or len(set(names)) != len(names):
        raise LlamoodError(f"labels are {labels!r}, expected different names, at least two")
    if not all(name.strip() for name in names):
        raise LlamoodError(f"labels are {labels!r}, expected none that is empty")
    return names


def _softmax(logits: Float64) -> Float64:
    scaled = np.exp(logits - logits.max())
    return np.asarray(scaled / scaled.sum(), dtype=np.float64)
