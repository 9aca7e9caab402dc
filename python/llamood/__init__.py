"""llamood: emotion vectors for llama.cpp, from measuring them to speaking with them."""

from __future__ import annotations

import llama_cpp as _llama_cpp  # noqa: F401  (first: it loads the libraries that _core links to)

from llamood import _core as _core
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
