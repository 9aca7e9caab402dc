"""What a voice that nobody is beside says, and as what text that is told."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

import llamood
from llamood import _core
from llamood.moods.mood import Mood
from llamood.vectors.emotion_vectors import Float64
from llamood.voices.chat_template import chat_tokens
from llamood.voices.drawing import Drawing
from open_voices import logits

ROUNDING = 2e-5  # of logits, where nothing is rounded to fewer bits than float32 has
_MOST_KEPT = 2048  # answers
_N_TRY = 200


@dataclass(frozen=True)
class Request:
    """All that an answer may depend on.

    ``moods``: after how many draws it is given in which mood, rising from 0. ``sampling``:
    names and values of llama-cpp-python. ``before``: the weights (n_emotion,) that were felt last.
    """

    prompt: tuple[int, ...]
    moods: tuple[tuple[int, Mood], ...]
    sampling: tuple[tuple[str, Any], ...]
    before: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Spoken:
    """A token, and the weights (n_emotion,) of the vectors as stored, and mood, that it was chosen
    under."""

    token: int
    felt: Float64
    mood: Mood


@dataclass(frozen=True, eq=False)
class Said:
    """What stands of an answer, of which ``n_told`` tokens are told. ``felt``: the weights at each
    token, of which rescues leave less where the prompt is steered too. ``rows``: the logits
    (n_vocab,) of each draw, where they were asked for."""

    spoken: tuple[Spoken, ...]
    n_told: int
    felt: tuple[Float64, ...]
    is_rescued: bool
    rows: Sequence[npt.NDArray[np.float32]]


class _Enough(Exception):
    """So many tokens are drawn."""


class _Drawn(llamood.Llama):
    """Tells ``before`` what is decoded before each draw; what is drawn while it ``ends`` is told
    whatever it does to the answer."""

    before: Callable[[Sequence[int]], None]
    ends = False

    def eval(self, tokens: Sequence[int]) -> None:
        self.before(tokens)
        super().eval(tokens)

    def _hear_drawn(self, token: int, drawing: Drawing, *args: Any, **kwargs: Any) -> Any:
        if not self.ends:
            return super()._hear_drawn(token, drawing, *args, **kwargs)
        return drawing.draw(token, self._piece_of(token), None)


class LoneVoice:
    """A `llamood.Llama` that is asked as if it were fresh each time; answers are kept."""

    def __init__(self, model: Path, **settings: Any) -> None:
        self._llm = _Drawn(model, **settings)
        self.said = lru_cache(maxsize=_MOST_KEPT)(self._speak)

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
        said = self._speak(request, n + 1, with_rows=True)
        if said.is_rescued:  # its draws began anew; how many are tipped is counted
            return True
        rows = said.rows
        sampler = self._llm._init_sampler(**self._how(request))
        chain = sampler.sampler  # which it owns
        for row, spoken in zip(rows, said.spoken[:n], strict=False):
            assert _draw(chain, row) == spoken.token
            llama_cpp.llama_sampler_accept(chain, spoken.token)
        rng = np.random.default_rng(1)
        noise = rng.uniform(-ROUNDING, ROUNDING, (_N_TRY, len(rows[n])))
        might = any(_drawn(chain, rows[n] + each) == token for each in noise)
        sampler.close()
        return might

    def _speak(
        self, request: Request, n_draw: int, *, ends: bool = False, with_rows: bool = False
    ) -> Said:
        """The answer when so many tokens are drawn, some of them perhaps anew; ``ends``: with the
        last of them, whatever that is."""
        llm, moods, n_prompt = self._llm, dict(request.moods), len(request.prompt)
        spoken: list[Spoken] = []
        rows: list[npt.NDArray[np.float32]] = []
        draws = count()

        def before(tokens: Sequence[int]) -> None:
            drawn = [*llm.input_ids[: llm.n_tokens].tolist(), *tokens][n_prompt:]
            n = next(draws)
            if n and with_rows:
                rows.append(logits(llm))
            del spoken[len(drawn) :]
            if len(spoken) < len(drawn):
                felt = llm._performance.after(len(drawn) - 1)
                spoken.append(Spoken(drawn[-1], felt, llm.mood))
            if n == n_draw:
                raise _Enough
            llm.ends = ends and n == n_draw - 1
            if n and n in moods:
                llm.feel(moods[n])

        how = self._how(request)
        llm.reset()
        llm._performance, llm._felt = None, np.array(request.before)
        llm.feel(moods[0])
        llm.before = before
        n_told = 0
        try:
            for _ in llm.generate(request.prompt, **how):
                n_told += 1
            n_told -= 1  # the last one only says that it is over
            del spoken[n_told:]
        except _Enough:
            pass
        finally:
            performance, llm._performance = llm._performance, None
            watch, llm._monitor = llm._monitor, None
            llm.feel()  # nothing of this answer is kept, however it ended
        felt = tuple(performance.after(n) for n in range(len(spoken)))
        is_rescued = watch is not None and watch.told is not None
        return Said(tuple(spoken), n_told, felt, is_rescued, rows)

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
