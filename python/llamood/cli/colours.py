"""In which colour an emotion is shown on a terminal."""

from __future__ import annotations

_COLOURS = {
    "anger": "red",
    "disgust": "green",
    "fear": "magenta",
    "joy": "yellow",
    "sadness": "blue",
    "surprise": "cyan",
}


def colour_of(emotion: str | None, *, otherwise: str = "default") -> str:
    """Rich's name of it; ``otherwise`` where nothing is felt, or what has no colour of its own."""
    return _COLOURS.get(emotion or "", otherwise)
