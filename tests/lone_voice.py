"""What a voice that nobody is beside says, and as what text that is told."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

import llamood
from llamood import _core
from llamood.chat_template import chat_tokens
from llamood.mood import Mood
from llamood.vectors import Float64
from voices import logits

ROUNDING = 2e-5  # of logits, where nothing is rounded to fewer bits than float32 has
_MOST_KEPT = 2048  # answers
_N_TRY = 200


@dataclass(frozen=True)
class Request:
    """All that an answer may depend on.

    ``moods``: from which of its tokens on it is given in which mood, rising from 0. ``sampling``:
    names and values of llama-cpp-python. ``before``: the weights (n_emotion,) that were felt last.
    """

    prompt: tuple[int, ...]
    moods: tuple[tuple[int, Mood], ...]
    sampling: tuple[tuple[str, Any], ...]
    before: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Spoken:
    """A token, and the weights (n_emotion,) of the vectors as stored that it was chosen under."""

    token: int
    felt: Float64


class LoneVoice:
    """A `llamood.Llama` that is asked as if it were fresh each time; answers are kept."""

    def __init__(self, model: Path, **settings: Any) -> None:
        self._llm = llamood.Llama(model, **settings)
        self.said = lru_cache(maxsize=_MOST_KEPT)(self._said)

    def close(self) -> None:
        self._llm.close()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the emotions."""
        assert self._llm.emotions is not None
        return self._llm.emotions.names

    def chat(self, messages: Sequence[dict[str, str]]) -> tuple[int, ...]:
        """The conversation as tokens."""
        return tuple(chat_tokens(self._llm, messages))

    def piece(self, token: int) -> bytes:
        return _core.piece_of(self._llm._model.vocab, token)

    def ends_with(self, token: int) -> bool:
        """Whether the model says nothing after it."""
        return bool(llama_cpp.llama_vocab_is_eog(self._llm._model.vocab, token))

    def might_say(self, request: Request, n: int, token: int) -> bool:
        """Whether it may say this after the first ``n`` tokens, if its logits were rounded
        otherwise: kernels sum in an order that depends on the batch, and now and then two tokens
        are as near to each other, or a draw to the border between them, as that."""
        said, rows = [], []
        for spoken in islice(self._speak(request), n + 1):
            said.append(spoken.token)
            rows.append(logits(self._llm))
        sampler = self._llm._init_sampler(**self._how(request))
        chain = sampler.sampler  # which it owns
        for row, drawn in zip(rows, said[:n], strict=False):
            assert _draw(chain, row) == drawn
            llama_cpp.llama_sampler_accept(chain, drawn)
        rng = np.random.default_rng(1)
        noise = rng.uniform(-ROUNDING, ROUNDING, (_N_TRY, len(rows[n])))
        might = any(_drawn(chain, rows[n] + each) == token for each in noise)
        sampler.close()
        return might

    def _said(self, request: Request, n: int) -> tuple[Spoken, ...]:
        """The first ``n`` tokens of the answer, up to one that ends it."""
        return tuple(islice(self._speak(request), n))

    def _speak(self, request: Request) -> Iterator[Spoken]:
        llm, moods = self._llm, dict(request.moods)
        how = self._how(request)
        llm.reset()
        llm._performance, llm._felt = None, np.array(request.before)
        llm.feel(moods[0])
        for n, token in enumerate(llm.generate(request.prompt, **how), start=1):
            yield Spoken(token, np.array([llm.mix.get(name, 0.0) for name in self.names]))
            if self.ends_with(token):
                return
            if n in moods:
                llm.feel(moods[n])

    def _how(self, request: Request) -> dict[str, Any]:
        """In the names of ``generate``, but for the seed, which is set."""
        how = dict(request.sampling)
        how["temp"] = how.pop("temperature")
        if grammar := how.pop("grammar", ""):
            how["grammar"] = llama_cpp.LlamaGrammar.from_string(grammar, verbose=False)
        self._llm.set_seed(how.pop("seed"))
        return how


def _draw(chain: Any, row: npt.NDArray[np.floating[Any]]) -> int:
    """From logits (n_vocab,)."""
    data = (llama_cpp.llama_token_data * len(row))()
    for token, logit in enumerate(row):
        data[token].id, data[token].logit = token, logit
    some = llama_cpp.llama_token_data_array(data, len(row), -1, False)
    llama_cpp.llama_sampler_apply(chain, ctypes.byref(some))
    return int(some.data[some.selected].id)


def _drawn(chain: Any, row: npt.NDArray[np.floating[Any]]) -> int:
    """What would be drawn; the chain stays as it is."""
    once = llama_cpp.llama_sampler_clone(chain)
    try:
        return _draw(once, row)
    finally:
        llama_cpp.llama_sampler_free(once)


def told(pieces: Sequence[bytes], stops: Sequence[str], *, is_over: bool = False) -> str:
    """The text that is told of tokens with these bytes: whole characters, up to a stop text, and,
    until the answer is over, without what may be the beginning of one."""
    said = b"".join(pieces)
    wanted = [stop.encode() for stop in stops]
    found = [place for place in map(said.find, wanted) if place >= 0]
    if found:
        return said[: min(found)].decode(errors="ignore")
    n_open = 0
    for stop in wanted:
        begun = [n for n in range(1, len(stop)) if said.endswith(stop[:n])]
        n_open = max(n_open, *begun, 0)
    kept = said if is_over else said[: len(said) - n_open]
    return kept.decode(errors="ignore")


def has_stopped(pieces: Sequence[bytes], stops: Sequence[str]) -> bool:
    """Whether a stop text was said."""
    said = b"".join(pieces)
    return any(stop.encode() in said for stop in stops)
