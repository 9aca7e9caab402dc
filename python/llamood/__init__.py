"""llamood: emotion vectors for llama.cpp, from measuring them to speaking with them."""

from __future__ import annotations

# ruff: noqa: E402  (nothing else may load before the compiled module is known to fit)
from llamood import _versions

_versions.check()

from llamood import demo, judges
from llamood.convert import convert
from llamood.errors import FileError, LlamoodError, ModelError, MoodError, VectorError
from llamood.extract import Extraction, extract
from llamood.files import load, save
from llamood.llama import Llama
from llamood.mood import Mood
from llamood.vectors import EmotionVectors, Measurement

__version__ = "0.1.0"

__all__ = [
    "EmotionVectors",
    "Extraction",
    "FileError",
    "Llama",
    "LlamoodError",
    "Measurement",
    "ModelError",
    "Mood",
    "MoodError",
    "VectorError",
    "convert",
    "demo",
    "extract",
    "judges",
    "load",
    "save",
]


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
