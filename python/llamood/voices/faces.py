"""The faces that a voice can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llamood import _core
from llamood.errors import LlamoodError

# Emotions, each shown under its own name; or label -> the emotion that it shows, None for the
# neutral face, which is "neutral" unless it is said.
Faces = Sequence[str] | Mapping[str, str | None]


def faces_of(faces: Faces | None, emotions: Sequence[str]) -> _core.FaceSet | None:
    """Of what is read. Raises `LlamoodError` for what are none."""
    if faces is None:
        return None
    pairs: list[tuple[str, str | None]] = []
    is_known = not isinstance(faces, str)
    if isinstance(faces, Mapping):
        pairs = list(faces.items())
    elif is_known and isinstance(faces, Sequence):
        pairs = [(emotion, None if emotion == "neutral" else emotion) for emotion in faces]
    else:
        is_known = False
    is_said = [_is_text(label) and (of is None or _is_text(of)) for label, of in pairs]
    if not is_known or not all(is_said):
        raise LlamoodError(
            f"faces are emotions, or label -> emotion, found {faces!r:.60}; expected as in "
            '{"smile": "joy", "frown": "anger", "idle": None}'
        )
    try:
        return _core.FaceSet(pairs, emotions)
    except ValueError as error:
        raise LlamoodError(str(error)) from None


def _is_text(value: object) -> bool:
    """Half a character is none."""
    return isinstance(value, str) and value.encode(errors="replace").decode() == value
