"""llamood: emotion vectors for llama.cpp, from measuring them to speaking with them."""

from __future__ import annotations

# ruff: noqa: E402  (nothing else may load before the compiled module is known to fit)
# ruff: noqa: N813  (schedules are classes, and are written like functions)
from llamood import cores

_is_late = cores.ask_for_short_spins()

from llamood import _versions

_versions.check()

from llamood import _core

if _is_late:
    _core.shorten_spins()

from importlib import import_module
from typing import TYPE_CHECKING, Any

from llamood.convert import convert
from llamood.errors import LlamoodError
from llamood.files import load, save
from llamood.llama import Llama
from llamood.mood import Mood, affect
from llamood.shapes import Decay as decay
from llamood.shapes import Drift as drift
from llamood.shapes import Keys as keys
from llamood.shapes import Pulse as pulse
from llamood.shapes import Ramp as ramp
from llamood.shapes import Wave as wave
from llamood.triggers import Hold as hold
from llamood.triggers import On as on
from llamood.vectors import EmotionVectors

if TYPE_CHECKING:
    from llamood import demo, judges
    from llamood.cast import Cast
    from llamood.measuring import extract

__version__ = "0.1.0"

__all__ = [
    "Cast",
    "EmotionVectors",
    "Llama",
    "LlamoodError",
    "Mood",
    "affect",
    "convert",
    "decay",
    "demo",
    "drift",
    "extract",
    "hold",
    "judges",
    "keys",
    "load",
    "on",
    "pulse",
    "ramp",
    "save",
    "wave",
]


# Loaded at its first use, from there: most programs open one voice and measure nothing.
_LATE = {"Cast": "cast", "extract": "measuring"}
_LATE_MODULES = ("demo", "judges")


def __getattr__(name: str) -> Any:
    if name in _LATE_MODULES:
        return import_module(f"llamood.{name}")
    if name not in _LATE:
        raise AttributeError(f"module 'llamood' has no attribute {name!r}")
    return getattr(import_module(f"llamood.{_LATE[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
