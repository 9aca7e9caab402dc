"""The bundled model: a small companion who talks about everyday things.

Trained by ``tools/train_demo_model.py``; its vectors measured by ``llamood extract`` and scaled by
``llamood calibrate``, so that 1.0 is the largest dose at which it still speaks fluently. See
MODEL_CARD.md; what steering does to it is shown in docs/evidence.md.
"""

from __future__ import annotations

import json
from pathlib import Path

_FOLDER = Path(__file__).parent
MODEL = _FOLDER / "model.gguf"
VECTORS = _FOLDER / "evs"
# Of words that the model knows well.
SUGGESTIONS = (
    "Tell me about bread.",
    "Tell me about the museum.",
    "What do you say about the colour of the sea?",
    "Let me hear about your shoes.",
    "What should one expect from a cat over a year?",
    "What do you know about letters?",
    "How do I choose a bicycle?",
    "What is the library like?",
)


def questions() -> tuple[str, ...]:
    """Everyday questions without any feeling in them, that the model was not trained on."""
    return tuple(json.loads((_FOLDER / "questions.json").read_text(encoding="utf-8")))
