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

from typing import TYPE_CHECKING

from llamood.errors import LlamoodError
from llamood.late import late
from llamood.moods.mood import Mood, affect
from llamood.moods.shapes import Decay as decay
from llamood.moods.shapes import Drift as drift
from llamood.moods.shapes import Keys as keys
from llamood.moods.shapes import Pulse as pulse
from llamood.moods.shapes import Ramp as ramp
from llamood.moods.shapes import Wave as wave
from llamood.moods.triggers import Hold as hold
from llamood.moods.triggers import On as on
from llamood.vectors.conversion import convert
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.files import load, save
from llamood.voices.llama import Llama

if TYPE_CHECKING:
    from llamood import demo, judges
    from llamood.calibration.measuring import extract
    from llamood.voices.cast import Cast

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


# Most programs open one voice and measure nothing.
__getattr__ = late(
    __name__,
    {"Cast": "voices.cast", "demo": "", "extract": "calibration.measuring", "judges": ""},
)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
