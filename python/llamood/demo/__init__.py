"""The bundled model: a small companion who talks about everyday things.

Trained by ``tools/train_demo_model.py``, its vectors measured by ``llamood extract``, its
intensities chosen and its figures made by ``tools/measure_demo_model.py``. See MODEL_CARD.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from llamood.mood import Mood

_FOLDER = Path(__file__).parent
MODEL = _FOLDER / "model.gguf"
VECTORS = _FOLDER / "evs"


def questions() -> tuple[str, ...]:
    """Everyday questions without any feeling in them, that the model was not trained on."""
    return tuple(json.loads((_FOLDER / "questions.json").read_text(encoding="utf-8")))


def measured() -> dict[str, Any]:
    """The figures of the model card."""
    figures: dict[str, Any] = json.loads((_FOLDER / "measured.json").read_text(encoding="utf-8"))
    return figures


def intensities() -> dict[str, tuple[float, float]]:
    """Emotion -> a mild and a strong intensity; the strong one is that of the model card.

    Answers turn within a narrow band of doses: at half the strong one hardly any does.
    """
    return {name: (0.75 * strong, strong) for name, strong in measured()["intensity"].items()}


def mood(emotion: str, intensity: float) -> Mood:
    """This emotion, in the layers for which the intensities were chosen."""
    return Mood({emotion: intensity, "$layers": measured()["layers"]})
