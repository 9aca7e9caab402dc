"""What a model is asked to feel: an intensity for each emotion, and how they mix."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from .errors import FileError, MoodError

Blend = Literal["sum", "shared-once"]
Positions = Literal["generated", "all"]
Rows = npt.NDArray[np.float32]

BASE = "base"
LARGEST = 1e3  # intensities are multiples of a vector; models collapse long before this
FILE_LIMIT = 64 * 1024  # bytes of a mood file
AFFECT = ("valence", "arousal", "dominance")
UNNAMEABLE = frozenset(",=()")  # what the short form separates with


@dataclass(frozen=True, init=False, repr=False)
class Mood:
    """A constant mood; an immutable value, neutral when empty.

    ``weights``: emotion -> intensity, a multiple of its vector; negative pushes away.
    ``blend``: ``sum`` adds the weighted vectors; ``shared-once`` adds the part that all
    vectors share once, at the strongest weight, and each vector's own part at its weight.
    ``positions``: ``generated`` begins at the last prompt token, ``all`` at the first.
    ``layers``: first and last layer (both included, counted from 0), or None for all.

    Keys beginning with ``$`` are these settings: ``Mood({"joy": 1, "$layers": [8, 20]})``.
    Raises `MoodError` naming the place at fault. Whether an emotion exists is known only
    when `row` is given the names at hand.
    """

    weights: Mapping[str, float]
    blend: Blend
    positions: Positions
    layers: tuple[int, int] | None

    def __init__(self, mapping: Mapping[str, Any] | None = None, /, **emotions: Any) -> None:
        if mapping is not None and not isinstance(mapping, Mapping):
            raise MoodError("", f"emotions and weights were expected, found {_found(mapping)}")
        given = _merged(mapping or {}, emotions)
        settings: dict[str, Any] = {"blend": "sum", "positions": "generated", "layers": None}
        weights: dict[str, float] = {}
        for key, value in given.items():
            if key.startswith("$"):
                settings[key[1:]] = _setting(key, value)
            else:
                weights[_name(key)] = _weight(key, value)
        object.__setattr__(self, "weights", MappingProxyType(weights))
        for field, value in settings.items():
            object.__setattr__(self, field, value)

    def __hash__(self) -> int:
        return hash((frozenset(self.weights.items()), self.blend, self.positions, self.layers))

    def __repr__(self) -> str:
        return f"Mood({self.to_dict() or ''})"

    def __reduce__(self) -> tuple[type[Mood], tuple[dict[str, Any]]]:
        return Mood, (self.to_dict(),)

    @classmethod
    def of(cls, value: MoodLike = None, /, **emotions: Any) -> Mood:
        """What `feel` makes of its arguments: a mood in any form, and emotions by name."""
        if isinstance(value, str):
            value = cls.parse(value)
        if isinstance(value, Mood):
            return cls(value.to_dict(), **emotions) if emotions else value
        return cls(value, **emotions)

    @classmethod
    def parse(cls, text: str) -> Mood:
        """The short form, as in ``joy=0.8,$layers=8:20``, or ``@FILE`` with a JSON object.

        Raises `MoodError`, or `FileError` for anything wrong with the file or in it.
        """
        text = text.strip()
        if text.startswith("@"):
            return _read(text[1:])
        return cls(_unique(_split(text)))

    @property
    def is_neutral(self) -> bool:
        """True where nothing is to be added: every weight is 0."""
        return not any(self.weights.values())

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; ``Mood(mood.to_dict()) == mood``. Settings at their default are left out."""
        written: dict[str, Any] = dict(self.weights)
        if self.blend != "sum":
            written["$blend"] = self.blend
        if self.positions != "generated":
            written["$positions"] = self.positions
        if self.layers is not None:
            written["$layers"] = list(self.layers)
        return written

    def to_short(self) -> str:
        """The command line's form; ``Mood.parse(mood.to_short()) == mood``."""
        written = self.to_dict()
        if self.layers is not None:
            written["$layers"] = "{}:{}".format(*self.layers)
        return ",".join(
            f"{key}={repr(value).removesuffix('.0') if isinstance(value, float) else value}"
            for key, value in written.items()
        )

    def row(self, names: Sequence[str]) -> Rows:
        """Effective weights, float32 ``(n_emotion,)``: ``row @ vectors`` is the blend.

        ``names``: the emotions at hand, in the order of the vectors. ``base``, unless it is
        among them, stands for the mean of them all. Raises `MoodError` for an emotion that
        is not at hand.
        """
        asked = np.zeros(len(names), dtype=np.float64)
        places = {name: place for place, name in enumerate(names)}
        for name, weight in self.weights.items():
            if name in places:
                asked[places[name]] = weight
            elif name != BASE or not names:
                raise MoodError(name, _unknown(name, names))
        shared = 0.0 if BASE in places else self.weights.get(BASE, 0.0)

        # With base B = mean_k EV_k and s the strongest weight, shared-once is
        #     s B + sum_k w_k (EV_k - B) = sum_k w_k EV_k + (s - sum_k w_k) B,
        # and B spread over the n vectors makes the effective weight of each
        #     w_k + (s - sum_k w_k) / n.
        # `base` asked for by name has no part of its own: it counts only towards s.
        if self.blend == "shared-once":
            shared = _strongest(self.weights.values()) - float(asked.sum())
        if shared:
            asked += shared / len(names)
        return asked.astype(np.float32)

    def rows(self, n_token: int, names: Sequence[str]) -> Rows:
        """`row` for each of ``n_token`` generated tokens: float32 ``(n_token, n_emotion)``."""
        return np.tile(self.row(names), (n_token, 1))


# What `Mood.of` takes. None is neutral.
MoodLike: TypeAlias = Mood | Mapping[str, Any] | str | None


def _strongest(weights: Iterable[float]) -> float:
    """The weight largest in size, with its sign; of two equal in size the positive one."""
    return max(weights, key=lambda weight: (abs(weight), weight), default=0.0)


def _unknown(name: str, names: Sequence[str]) -> str:
    known = sorted({*names, BASE}) if names else []
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"no such emotion among those at hand ({', '.join(known) or 'none'}){hint}"


def _found(value: object) -> str:
    """``value`` as an error message shows it: numbers and short texts whole, else the type."""
    if value is None:
        return "null"
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        text = repr(value) if not isinstance(value, int) or abs(value) < 1e9 else "a huge number"
        return text if len(text) <= 40 else f"{text[:37]}..."
    return f"a {type(value).__name__}"


def _merged(mapping: Mapping[str, Any], emotions: Mapping[str, Any]) -> dict[str, Any]:
    for key in mapping:
        if not isinstance(key, str):
            raise MoodError("", f"the name of an emotion was expected, found {_found(key)}")
        if key in emotions:
            raise MoodError(key, "given twice; give it once")
    return {**mapping, **emotions}


def _name(name: str) -> str:
    if name in AFFECT:
        raise MoodError(name, "coordinates of affect are not understood; name emotions instead")
    if not name or name != name.strip() or name[0] == "@" or not name.isprintable():
        fault = "an emotion's name is printable, without space around it or '@' before it"
    elif UNNAMEABLE & set(name):
        fault = "an emotion's name holds no comma, equals sign or parenthesis"
    else:
        return name
    raise MoodError(name, f"{fault}; rename the vector")


def _weight(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise MoodError(name, f"a number was expected, found {_found(value)}")
    try:
        weight = float(value)
    except OverflowError:
        weight = math.inf
    if not abs(weight) <= LARGEST:  # so written, NaN is refused too
        fault = f"a number between -{LARGEST:g} and {LARGEST:g} was expected"
        raise MoodError(name, f"{fault}, found {_found(value)}")
    return weight + 0.0  # -0.0 becomes 0.0: nothing is added either way


def _setting(key: str, value: object) -> Any:
    if key not in SETTINGS:
        raise MoodError(key, f"unknown setting; known are {', '.join(sorted(SETTINGS))}")
    return SETTINGS[key](key, value)


def _one_of(known: tuple[str, ...]) -> Callable[[str, object], str]:
    def check(key: str, value: object) -> str:
        if not isinstance(value, str) or value not in known:
            raise MoodError(key, f"{' or '.join(known)} was expected, found {_found(value)}")
        return value

    return check


def _layers(key: str, value: object) -> tuple[int, int]:
    expected = "first and last layer were expected, as in [8, 20]"
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise MoodError(key, f"{expected}, found {_found(value)}")
    for layer in value:
        if isinstance(layer, bool) or not isinstance(layer, int) or layer < 0:
            raise MoodError(key, f"{expected}, found {_found(layer)} in it")
    if value[0] > value[1]:
        raise MoodError(key, f"{expected}, found the first after the last")
    return value[0], value[1]


SETTINGS: Mapping[str, Callable[[str, object], Any]] = {
    "$blend": _one_of(get_args(Blend)),
    "$positions": _one_of(get_args(Positions)),
    "$layers": _layers,
}


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs as a dict; a repeated key is refused instead of silently replaced."""
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise MoodError(key, "given twice; give it once")
        seen[key] = value
    return seen


def _split(text: str) -> list[tuple[str, Any]]:
    """Short form -> (key, value) pairs; commas within parentheses do not separate."""
    parts, depth, start = [], 0, 0
    for place, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and depth <= 0:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    if parts == [""]:
        return []
    return [_pair(part) for part in parts]


def _pair(part: str) -> tuple[str, Any]:
    key, equals, value = (piece.strip() for piece in part.partition("="))
    if not equals:
        raise MoodError(key, "name=intensity was expected, as in joy=0.8")
    if key == "$layers":
        ends = value.split(":")
        whole = len(ends) == 2 and all(end.isascii() and end.isdigit() for end in ends)
        if not whole or len(value) > 20:
            raise MoodError(key, f"first:last was expected, as in 8:20, found {_found(value)}")
        return key, [int(end) for end in ends]
    if key.startswith("$"):
        return key, value
    try:
        return key, float(value)
    except ValueError:
        raise MoodError(key, f"a number was expected, found {_found(value)}") from None


def _read(path: str) -> Mood:
    """The mood in a JSON file; every fault is a `FileError`."""
    if not path:
        raise MoodError("", "the name of a file was expected after @")
    content = _content(path)
    try:
        return Mood(_object(json.loads(content, object_pairs_hook=_unique)))
    except MoodError as error:
        raise FileError(path, str(error)) from error
    except (ValueError, RecursionError) as error:
        raise FileError(path, f"not JSON: {error}") from error


def _content(path: str) -> bytes:
    file = Path(path)
    if not file.is_file():
        found = "something that is no file" if file.exists() else "nothing there"
        raise FileError(path, f"a JSON file was expected, found {found}")
    try:
        with file.open("rb") as stream:
            data = stream.read(FILE_LIMIT + 1)
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror}") from error
    if len(data) > FILE_LIMIT:
        raise FileError(path, f"larger than {FILE_LIMIT // 1024} KiB; a mood is a short file")
    return data


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MoodError("", f'an object was expected, as in {{"joy": 0.8}}, found {_found(value)}')
    return value
