"""Where and how emotion vectors were measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np

from llamood.errors import VectorError

Site = Literal["layer_out", "attn_out"]
SITES: tuple[Site, ...] = get_args(Site)
POSITIONS = ("generated", "all")


@dataclass(frozen=True)
class Measurement:
    """Where and how vectors were measured; None stands for "not known".

    ``method``: as in ``mean_difference``. ``site``: the place in a block where hidden states
    were read: ``layer_out``, the end of the block, or ``attn_out``, between attention and MLP
    (llamood reads the residual stream there; others the output of attention alone, which is added
    to it, so that adding is the same for both). ``positions``: the tokens read, ``generated`` or
    ``all``. ``model_arch``: the GGUF architecture. ``model_fingerprint``: tells two models of one
    shape apart. ``residual_rms``: root mean square of the residual stream in each layer of that
    model.

    Raises `VectorError` for another site or position, an empty text, or an RMS that is
    negative or not finite.
    """

    method: str | None = None
    site: Site = "layer_out"
    positions: str | None = None
    model_name: str | None = None
    model_arch: str | None = None
    model_fingerprint: str | None = None
    residual_rms: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.site not in SITES:
            raise VectorError(f"site is {self.site!r}, expected one of {', '.join(SITES)}")
        if self.positions is not None and self.positions not in POSITIONS:
            expected = " or ".join(POSITIONS)
            raise VectorError(f"positions are {self.positions!r}, expected {expected}")
        for name in ("method", "model_name", "model_arch", "model_fingerprint"):
            text = getattr(self, name)
            if text is not None and (not isinstance(text, str) or not text):
                raise VectorError(f"{name} is {text!r}, expected a text, or None if not known")
        if self.residual_rms is not None:
            rms = tuple(finite_number(value, "residual_rms") for value in self.residual_rms)
            if any(value < 0 for value in rms):
                raise VectorError(f"residual_rms has {min(rms)}, expected no negative numbers")
            object.__setattr__(self, "residual_rms", rms)


NOT_KNOWN = Measurement()


def finite_number(value: Any, what: str) -> float:
    """As a float. Raises `VectorError` for anything else, which calls it ``what``."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise VectorError(f"{what} is {value!r}, expected a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise VectorError(f"{what} is {number}, expected a finite number")
    return number
