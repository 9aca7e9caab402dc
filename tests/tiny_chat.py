"""The tests' own chat model, of 3.9 million parameters: a companion for everyday things.

Trained by ``tools/tiny_chat/train.py``; its vectors measured by ``llamood extract`` and scaled by
``llamood calibrate``, so that 1.0 is the largest dose at which it still speaks fluently. They lie
where every command looks for them. See models/tiny_chat.md.
"""

from __future__ import annotations

import json
from pathlib import Path

_FOLDER = Path(__file__).parent / "models"
MODEL = _FOLDER / "tiny_chat.gguf"
VECTORS = _FOLDER / "tiny_chat.evs"
TRAINING = _FOLDER / "tiny_chat_training.json"
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
    path = _FOLDER / "tiny_chat_questions.json"
    return tuple(json.loads(path.read_text(encoding="utf-8")))
