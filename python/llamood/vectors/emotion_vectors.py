"""Emotion vectors as values: what each emotion adds to every layer, and where that came from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from numbers import Integral
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from llamood.errors import VectorError
from llamood.vectors.measurement import NOT_KNOWN, Measurement, finite_number

Affect = tuple[float, float, float]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

BASE = "base"
AXES = ("valence", "arousal", "dominance")  # of affect; a mood asks for a point by these names

_T = TypeVar("_T")


@dataclass(frozen=True, eq=False, repr=False)
class EmotionVectors:
    """One vector per emotion and layer: an immutable value.

    ``names``: n_emotion different names. ``data``: float32 (n_emotion, n_layer, n_embd),
    C-contiguous and read-only; ``data[:, l]`` is what intensity 1 adds at layer ``l``,
    counted from 0 as in llama.cpp's ``l_out-0``. Any real array is taken and copied.
    ``measurement``: where and how it was measured. Per emotion: ``pairs``, how many query
    pairs went into it; ``scale``, what the measured vector has been multiplied by;
    ``ceiling``, the largest intensity that still reads fluently; ``affect``, its valence,
    arousal and dominance, each -1..1.

    ``a + b`` and ``a - b`` need equal names, shape and site, in that order. ``a * x`` takes
    a number or a mapping from names to numbers (names left out stay as they are); it
    multiplies ``scale`` and divides ``ceiling``. What two operands know differently is not
    known of the result.

    Raises `VectorError` for data of another shape or type, for NaN or infinity, and for
    names that are empty, occur twice, or mean something else in a mood (see `reserved`).
    """

    names: tuple[str, ...]
    data: Float32
    measurement: Measurement = NOT_KNOWN
    pairs: tuple[int | None, ...] = ()
    scale: tuple[float, ...] = ()
    ceiling: tuple[float | None, ...] = ()
    affect: tuple[Affect | None, ...] = ()

    __array_ufunc__ = None  # so that numpy_scalar * evs comes here and is not taken apart

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", _names(self.names))
        object.__setattr__(self, "data", _data(self.data, self.names))
        n = len(self.names)
        defaults: dict[str, Any] = {"pairs": None, "scale": 1.0, "ceiling": None, "affect": None}
        for field, default in defaults.items():
            given = tuple(getattr(self, field)) or (default,) * n
            if len(given) != n:
                raise VectorError(f"{field} has {len(given)} entries for {n} emotions")
            checked = tuple(_CHECKS[field](value) for value in given)
            object.__setattr__(self, field, checked)
        rms = self.measurement.residual_rms
        if rms is not None and len(rms) != self.n_layer:
            raise VectorError(f"residual_rms has {len(rms)} entries for {self.n_layer} layers")

    def __reduce__(self) -> tuple[type[EmotionVectors], tuple[Any, ...]]:
        return EmotionVectors, tuple(getattr(self, field.name) for field in fields(self))

    @property
    def n_emotion(self) -> int:
        """How many emotions there are."""
        return int(self.data.shape[0])

    @property
    def n_layer(self) -> int:
        """How many layers, from 0 on."""
        return int(self.data.shape[1])

    @property
    def n_embd(self) -> int:
        """The width of the model's hidden states."""
        return int(self.data.shape[2])

    def __repr__(self) -> str:
        return (
            f"<EmotionVectors {', '.join(self.names)}: {self.n_layer} layers, "
            f"width {self.n_embd}, site {self.measurement.site}>"
        )

    def __getitem__(self, name: str) -> Float32:
        """The vectors of one emotion, read-only (n_layer, n_embd)."""
        return cast("Float32", self.data[self._index(name)])

    def select(self, names: str | Iterable[str]) -> EmotionVectors:
        """These emotions only, in this order."""
        wanted = (names,) if isinstance(names, str) else tuple(names)
        return self._take([self._index(name) for name in wanted])

    def rename(self, names: Mapping[str, str]) -> EmotionVectors:
        """The same vectors under other names: ``rename({"happiness": "joy"})``."""
        for name in names:
            self._index(name)
        return replace(self, names=tuple(names.get(name, name) for name in self.names))

    def merge(self, other: EmotionVectors) -> EmotionVectors:
        """The emotions of both, which must differ in name and agree in shape and site.

        Raises `VectorError` also for vectors known to come from different models.
        """
        shared = sorted(set(self.names) & set(other.names))
        if shared:
            raise VectorError(f"both sets have {', '.join(shared)}; rename or select first")
        self._require_match(other)
        return EmotionVectors(
            self.names + other.names,
            np.concatenate([self.data, other.data]),
            self._agreed(other),
            self.pairs + other.pairs,
            self.scale + other.scale,
            self.ceiling + other.ceiling,
            self.affect + other.affect,
        )

    def centered(self) -> EmotionVectors:
        """Each emotion minus the mean of all: which emotion, without how emotional."""
        wide = self.data.astype(np.float64)
        return replace(self, data=wide - wide.mean(axis=0), ceiling=())

    def base(self) -> EmotionVectors:
        """The mean of all emotions as a set of one, named ``base``: be emotional at all."""
        known = [pairs for pairs in self.pairs if pairs is not None]
        return EmotionVectors(
            (BASE,),
            self.data.mean(axis=0, dtype=np.float64)[np.newaxis],
            self.measurement,
            pairs=(sum(known) if len(known) == self.n_emotion else None,),
            scale=self.scale[:1] if len(set(self.scale)) == 1 else (),
        )

    def norms(self) -> Float64:
        """Euclidean norms, (n_emotion, n_layer)."""
        return cast("Float64", np.linalg.norm(self.data.astype(np.float64), axis=2))

    def cosines(self, other: EmotionVectors | None = None) -> Float64:
        """Cosines of all layers taken as one vector, (n_emotion, n_other), with ``other``.

        ``other`` is this set itself unless given: ``evs.cosines(evs.base())``. An emotion
        that is zero everywhere has cosine 0 with all.
        """
        other = self if other is None else other
        self._require_match(other)
        cosines: Float64 = _units(self.data) @ _units(other.data).T
        return cosines

    def require_fit(
        self, *, n_layer: int, n_embd: int, arch: str | None, fingerprint: str | None
    ) -> None:
        """Raise `VectorError`, naming both sides, unless these belong to such a model.

        What either side does not know (None) is not held against it.
        """
        m = self.measurement
        asked = (
            ("width", self.n_embd, n_embd),
            ("layers", self.n_layer, n_layer),
            ("architecture", m.model_arch, arch),
            ("fingerprint", m.model_fingerprint, fingerprint),
        )
        differing = [
            f"{what} {mine} in the vectors, {its} in the model"
            for what, mine, its in asked
            if mine is not None and its is not None and mine != its
        ]
        if differing:
            origin = f" (measured on {m.model_name})" if m.model_name else ""
            foreign = self.n_layer != n_layer and self.n_embd == n_embd and not m.model_fingerprint
            advice = (
                ". If a file of this model left layers out, or numbers them from one, convert it "
                f"with n_layer={n_layer} or index_base=1 (--n-layer, --index-base of llamood "
                "convert)"
            )
            raise VectorError(
                f"these vectors{origin} belong to another model: {'; '.join(differing)}. "
                "Measure them on this model (llamood extract), or load the model they came from"
                f"{advice if foreign else ''}"
            )

    def __add__(self, other: EmotionVectors) -> EmotionVectors:
        if not isinstance(other, EmotionVectors):
            return NotImplemented
        return self._combined(other, sign=1)

    def __sub__(self, other: EmotionVectors) -> EmotionVectors:
        if not isinstance(other, EmotionVectors):
            return NotImplemented
        return self._combined(other, sign=-1)

    def __mul__(self, factor: float | Mapping[str, float]) -> EmotionVectors:
        if isinstance(factor, EmotionVectors):
            return NotImplemented
        factors = self._factors(factor)
        with np.errstate(over="ignore", under="ignore"):
            data = self.data.astype(np.float64) * np.array(factors)[:, np.newaxis, np.newaxis]
        ceiling = (
            c / x if c is not None and x > 0 else None
            for c, x in zip(self.ceiling, factors, strict=True)
        )
        return replace(
            self,
            data=data,
            scale=tuple(s * x for s, x in zip(self.scale, factors, strict=True)),
            ceiling=tuple(c if c is not None and 0 < c < math.inf else None for c in ceiling),
            affect=tuple(a if x > 0 else None for a, x in zip(self.affect, factors, strict=True)),
        )

    __rmul__ = __mul__

    def _index(self, name: str) -> int:
        if name not in self.names:
            raise VectorError(f"no emotion {name!r} here; there are {', '.join(self.names)}")
        return self.names.index(name)

    def _take(self, rows: list[int]) -> EmotionVectors:
        return EmotionVectors(
            tuple(self.names[i] for i in rows),
            self.data[rows],
            self.measurement,
            tuple(self.pairs[i] for i in rows),
            tuple(self.scale[i] for i in rows),
            tuple(self.ceiling[i] for i in rows),
            tuple(self.affect[i] for i in rows),
        )

    def _require_match(self, other: EmotionVectors) -> None:
        """Raise `VectorError` where shape per emotion, site or model differ."""
        mine, its = self.measurement, other.measurement
        asked = (
            ("layers", self.n_layer, other.n_layer),
            ("width", self.n_embd, other.n_embd),
            ("site", mine.site, its.site),
            ("architecture", mine.model_arch, its.model_arch),
            ("fingerprint", mine.model_fingerprint, its.model_fingerprint),
        )
        differing = [
            f"{what} {a} and {b}"
            for what, a, b in asked
            if a is not None and b is not None and a != b
        ]
        if differing:
            raise VectorError(
                f"{', '.join(self.names)} do not fit together with {', '.join(other.names)}: "
                f"{'; '.join(differing)}"
            )

    def _agreed(self, other: EmotionVectors) -> Measurement:
        """What both measurements say alike; the rest is not known."""
        mine, its = self.measurement, other.measurement
        alike = {
            f.name: _alike(getattr(mine, f.name), getattr(its, f.name), None)
            for f in fields(Measurement)
        }
        return Measurement(**alike)

    def _combined(self, other: EmotionVectors, *, sign: int) -> EmotionVectors:
        if self.names != other.names:
            raise VectorError(
                f"names are {', '.join(self.names)} and {', '.join(other.names)}; "
                "bring them into one order with select"
            )
        self._require_match(other)
        with np.errstate(over="ignore"):
            data = self.data + sign * other.data
        return EmotionVectors(
            self.names,
            data,
            self._agreed(other),
            pairs=tuple(map(_alike, self.pairs, other.pairs, [None] * self.n_emotion)),
            scale=tuple(map(_alike, self.scale, other.scale, [1.0] * self.n_emotion)),
            affect=tuple(map(_alike, self.affect, other.affect, [None] * self.n_emotion)),
        )

    def _factors(self, factor: float | Mapping[str, float]) -> list[float]:
        """One finite factor for each emotion."""
        if not isinstance(factor, Mapping):
            return [finite_number(factor, "factor")] * self.n_emotion
        for name in factor:
            self._index(name)
        return [finite_number(factor.get(name, 1.0), f"factor of {name}") for name in self.names]


def reserved(name: str) -> str | None:
    """Why a mood could not mean an emotion of this name, or None: what follows on the name."""
    if name in AXES:
        return "means something else in a mood, a point of affect"
    return "means something else in a mood, a setting" if name[:1] == "$" else None


def _alike(mine: _T, its: _T, otherwise: _T) -> _T:
    return mine if mine == its else otherwise


def _units(data: Float32) -> Float64:
    """(n_emotion, n_layer * n_embd), each row of length 1, or 0 where all is zero."""
    flat = data.reshape(len(data), -1).astype(np.float64)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return flat / np.where(length == 0, 1.0, length)


def _names(given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise VectorError(f"names are {given!r}, expected one name for each emotion")
    names = tuple(given)
    if not names:
        raise VectorError("no emotion was given, expected at least one")
    for name in names:
        if not isinstance(name, str) or not name.strip() or name != name.strip():
            raise VectorError(f"{name!r} is no name of an emotion: it is empty or ends in blanks")
        if not name.isprintable():
            raise VectorError(f"{name!r} is no name of an emotion: it has control characters")
        if fault := reserved(name):
            raise VectorError(
                f"{name!r:.80} {fault}; give the emotion another name (names= of llamood.convert, "
                "--names of llamood convert)"
            )
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise VectorError(f"{', '.join(twice)} occurs more than once, expected different names")
    return names


def _data(given: npt.ArrayLike, names: tuple[str, ...]) -> Float32:
    """A float32 copy, C-contiguous, read-only, finite, of shape (len(names), >0, >0)."""
    try:
        array = np.asarray(given)
    except ValueError as error:
        raise VectorError(f"vectors are not one array: {error}") from None
    if array.dtype.kind not in "fiu":
        raise VectorError(f"vectors are of type {array.dtype}, expected real numbers")
    if array.ndim != 3 or 0 in array.shape:
        raise VectorError(
            f"vectors have shape {array.shape}, expected (n_emotion, n_layer, n_embd)"
        )
    if len(array) != len(names):
        raise VectorError(f"{len(array)} vectors were given for {len(names)} names")
    with np.errstate(over="ignore", under="ignore"):
        data = np.array(array, dtype=np.float32, order="C")
    finite = np.isfinite(data).all(axis=2)
    if not finite.all():
        places = [f"{names[emotion]} at layer {layer}" for emotion, layer in np.argwhere(~finite)]
        more = f" and {len(places) - 5} more" if len(places) > 5 else ""
        raise VectorError(
            f"NaN, infinity, or a number too large for float32 in {', '.join(places[:5])}{more}"
        )
    data.flags.writeable = False
    return data


def _pairs(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Integral) or not 0 <= int(value) < 2**32:
        raise VectorError(f"pairs is {value!r}, expected how many, or None if not known")
    return int(value)


def _scale(value: Any) -> float:
    return finite_number(value, "scale")


def _ceiling(value: Any) -> float | None:
    if value is None:
        return None
    ceiling = finite_number(value, "ceiling")
    if ceiling <= 0:
        raise VectorError(f"ceiling is {ceiling}, expected an intensity above 0")
    return ceiling


def _affect(value: Any) -> Affect | None:
    if value is None:
        return None
    numbers = [finite_number(number, "affect") for number in value]
    if len(numbers) != 3 or any(abs(number) > 1 for number in numbers):
        raise VectorError(f"affect is {numbers}, expected valence, arousal, dominance in -1..1")
    valence, arousal, dominance = numbers
    return valence, arousal, dominance


_CHECKS = {"pairs": _pairs, "scale": _scale, "ceiling": _ceiling, "affect": _affect}
