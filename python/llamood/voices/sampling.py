"""How a voice of a cast draws its tokens, in llama-cpp-python's names."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from llamood import _core
from llamood.errors import LlamoodError

# The paper samples with temperature 0.6 and top_p 0.9 (section 4, reference code). The bound on
# the candidates only keeps sorting a vocabulary of 150 000 off the clock.
TEMPERATURE, TOP_P, CANDIDATES = 0.6, 0.9, 256

_CHAIN = (
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "typical_p",
    "repeat_penalty",
    "frequency_penalty",
    "presence_penalty",
    "last_n_tokens",
    "grammar",
)
_N_SEED = 2**32
_ANY_SEED = _N_SEED - 1  # llama.cpp draws one for this; who asks for it gets 0
_LARGEST = 2**31 - 1
_FLOAT32_MAX = 3.4e38


@dataclass(frozen=True)
class Sampling:
    """Defaults are those of ``llama_cpp.Llama.create_chat_completion``.

    ``temperature``: 0 takes the likeliest token, below 0 draws from the logits as they are.
    ``repeat_penalty``, ``frequency_penalty`` and ``presence_penalty`` count the last
    ``last_n_tokens`` tokens of the answer itself. ``grammar``: GBNF text whose root is ``root``.
    ``seed``: 0 to 2**32 - 1, for every answer anew; None for another one each time.
    ``max_tokens``: None for as many as the context holds; ``max_seconds``: None for no limit.
    ``stop``: texts at which an answer ends, not part of it. ``logprobs``: of how many tokens, the
    likeliest, each event tells the probability beside that of its own; None for not even that.

    Raises `LlamoodError` for values that mean nothing.
    """

    temperature: float = 0.2
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    typical_p: float = 1.0
    repeat_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    last_n_tokens: int = 64
    grammar: str = ""
    seed: int | None = None
    max_tokens: int | None = None
    max_seconds: float | None = None
    stop: tuple[str, ...] = field(default=())
    logprobs: int | None = None

    def __post_init__(self) -> None:
        for name in _CHAIN[:-1]:
            _require_number(name, getattr(self, name), whole=name in ("top_k", "last_n_tokens"))
        if not isinstance(self.grammar, str):
            raise LlamoodError(f"grammar is {self.grammar!r:.60}, expected GBNF text")
        if self.seed is not None and (not _is_whole(self.seed) or not 0 <= self.seed < _N_SEED):
            raise LlamoodError(f"seed is {self.seed!r:.60}, expected 0 to {_N_SEED - 1} or None")
        if self.max_tokens is not None and (not _is_whole(self.max_tokens) or self.max_tokens < 1):
            raise LlamoodError(
                f"max_tokens is {self.max_tokens!r:.60}, expected 1 or more, or None"
            )
        if self.logprobs is not None and (
            not _is_whole(self.logprobs) or not 0 <= self.logprobs <= _LARGEST
        ):
            raise LlamoodError(f"logprobs is {self.logprobs!r:.60}, expected 0 or more, or None")
        if self.max_seconds is not None:
            _require_number("max_seconds", self.max_seconds, whole=False)

    @classmethod
    def of(cls, sampling: Mapping[str, Any], *, base: Sampling | None = None) -> Sampling:
        """``base``, or the defaults, with these values. Raises TypeError for unknown names."""
        known = [field.name for field in fields(cls)]
        for name in sampling:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise TypeError(f"unknown sampling argument {name!r}{hint}")
        values = {**(asdict(base) if base is not None else {}), **sampling}
        values["stop"] = _stop(values.get("stop"))
        return cls(**values)

    def manner(self) -> _core.Manner:
        """The same in the core, where each answer has a seed of its own if there is none."""
        chain = {name: getattr(self, name) for name in _CHAIN}
        return _core.Manner(
            **chain,
            seed=_ANY_SEED if self.seed is None else self.seed % _ANY_SEED,
            n_likely=-1 if self.logprobs is None else self.logprobs,
            stops=self.stop,
            max_tokens=min(self.max_tokens or 0, _LARGEST),
            max_seconds=math.inf if self.max_seconds is None else self.max_seconds,
        )


def _stop(stop: Any) -> tuple[str, ...]:
    texts = (stop,) if isinstance(stop, str) else () if stop is None else stop
    if not isinstance(texts, Iterable):
        raise LlamoodError(f"stop is {stop!r:.60}, expected a text or several")
    texts = tuple(texts)
    if not all(isinstance(text, str) and text for text in texts):
        raise LlamoodError(f"stop is {stop!r:.60}, expected a text or several, none of them empty")
    return texts


def _require_number(name: str, value: Any, *, whole: bool) -> None:
    is_number = _is_whole(value) or (isinstance(value, float) and not whole)
    largest = _LARGEST if whole else _FLOAT32_MAX
    if not is_number or not math.isfinite(value) or abs(value) > largest:
        kind = "a whole number" if whole else "a number"
        raise LlamoodError(f"{name} is {value!r:.60}, expected {kind}")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
