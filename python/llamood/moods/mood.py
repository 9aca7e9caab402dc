"""What a model is asked to feel: a schedule for each emotion, and how they mix."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from llamood.errors import FileError, MoodError
from llamood.moods import notation, short_form
from llamood.moods.affect import AXES, AffectMap
from llamood.moods.parameters import found
from llamood.moods.schedule import NOTHING_HEARD, Heard, Schedule, Tokens, Values
from llamood.moods.settings import SETTINGS, Blend, Dose, Positions
from llamood.moods.shapes import Constant

Rows = npt.NDArray[np.float32]

BASE = "base"
_NOTHING_HELD: Mapping[str, float] = MappingProxyType({})
UNNAMEABLE = frozenset(",=()")  # what the short form separates with


@dataclass(frozen=True, init=False, repr=False)
class Mood:
    """What is asked for, token by token; an immutable value, neutral when empty.

    ``emotions``: emotion -> schedule of its intensity, a multiple of its vector; negative
    pushes away. ``affect``: axis (valence, arousal, dominance) -> schedule of the coordinate,
    -1..1, for which a mix of emotions is found. ``blend``: ``sum`` adds the weighted vectors;
    ``shared-once`` adds the part that all vectors share once, at the strongest weight, and
    each vector's own part at its weight. ``positions``: ``generated`` begins at the last
    prompt token, ``all`` at the first. ``layers``: first and last layer (both included,
    counted from 0), or None for all. ``dose``: an intensity is a multiple of the vector as
    ``stored``, or, ``relative``, of the root mean square of the hidden state in each layer.
    ``inertia``: half-life in tokens with which the mix moves to what is asked, or None to be
    there at once. ``max``: the largest size of the mix (see ``SteeringVectors.sizes``), or None for
    that of the strongest emotion at its ceiling.

    Keys beginning with ``$`` are these settings: ``Mood({"joy": 1, "$layers": [8, 20]})``.
    Raises `MoodError` naming the place at fault. Whether an emotion exists is known only
    when the names at hand are given.
    """

    emotions: Mapping[str, Schedule]
    affect: Mapping[str, Schedule]
    blend: Blend
    positions: Positions
    layers: tuple[int, int] | None
    dose: Dose
    inertia: float | None
    max: float | None

    def __init__(self, mapping: Mapping[str, Any] | None = None, /, **emotions: Any) -> None:
        if mapping is not None and not isinstance(mapping, Mapping):
            raise MoodError("", f"emotions and weights were expected, found {found(mapping)}")
        settings = {key: setting.default for key, setting in SETTINGS.items()}
        felt: dict[str, Schedule] = {}
        affect: dict[str, Schedule] = {}
        for key, value in _merged(mapping or {}, emotions).items():
            if key.startswith("$"):
                settings[key] = _setting(key, value)
            elif key in AXES:
                affect[key] = _coordinate(key, value)
            else:
                felt[_name(key)] = _schedule(key, value)
        object.__setattr__(self, "emotions", MappingProxyType(felt))
        object.__setattr__(self, "affect", MappingProxyType(affect))
        for key, value in settings.items():
            object.__setattr__(self, key[1:], value)

    def __hash__(self) -> int:
        return hash(frozenset(self._mapping().items()))

    def __repr__(self) -> str:
        inner = ", ".join(
            f"{key!r}: {value.value if isinstance(value, Constant) else repr(value)}"
            for key, value in self._mapping().items()
        )
        return f"Mood({{{inner}}})" if inner else "Mood()"

    def __reduce__(self) -> tuple[type[Mood], tuple[dict[str, Any]]]:
        return Mood, (self._mapping(),)

    @classmethod
    def of(cls, value: MoodLike = None, /, **emotions: Any) -> Mood:
        """What `feel` makes of its arguments: a mood in any form, and emotions by name."""
        if isinstance(value, str):
            value = cls.parse(value)
        if isinstance(value, Mood):
            return cls(value._mapping(), **emotions) if emotions else value
        return cls(value, **emotions)

    @classmethod
    def parse(cls, text: str) -> Mood:
        """The short form, as in ``joy=0.8,$layers=8:20``, or ``@FILE`` with a JSON object.

        Raises `MoodError`, or `FileError` for anything wrong with the file or in it.
        """
        text = text.strip()
        if not text.startswith("@"):
            return cls(short_form.read(text))
        path = text[1:]
        if not path:
            raise MoodError("", "the name of a file was expected after @")
        written = short_form.read_file(path)
        try:
            return cls(written)
        except MoodError as error:
            raise FileError(path, str(error)) from error

    @property
    def is_neutral(self) -> bool:
        """True where nothing is asked for at any token."""
        return all(schedule.bounds() == (0.0, 0.0) for schedule in self.schedules().values())

    @property
    def listens(self) -> bool:
        """True where what is asked depends on the text, or on a Python function."""
        return any(schedule.listens for schedule in self.schedules().values())

    @property
    def holds(self) -> bool:
        """True where a reading is to be held, so that only a voice with readings can feel it."""
        return any(schedule.regulates for schedule in self.emotions.values())

    @property
    def is_constant(self) -> bool:
        """True where every token is asked the same."""
        return all(isinstance(schedule, Constant) for schedule in self.schedules().values())

    def schedules(self) -> dict[str, Schedule]:
        """Emotion or axis of affect -> schedule."""
        return {**self.emotions, **self.affect}

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; ``Mood(mood.to_dict()) == mood``. Settings at their default are left out.

        Raises `MoodError` where a Python function has no written form.
        """
        return {key: _json(key, value) for key, value in self._mapping().items()}

    def to_short(self) -> str:
        """The command line's form; ``Mood.parse(mood.to_short()) == mood``. Raises as `to_dict`."""
        return short_form.write(self._mapping())

    def _mapping(self) -> dict[str, Any]:
        """Key -> schedule or setting, what is at its default left out."""
        said = {
            key: getattr(self, key[1:])
            for key, setting in SETTINGS.items()
            if getattr(self, key[1:]) != setting.default
        }
        return {**self.schedules(), **said}

    # -- numbers ---------------------------------------------------------------------------

    def rows(self, n_token: int, names: Sequence[str]) -> Rows:
        """The weights asked at tokens 0 to ``n_token`` - 1, as if no text were heard.

        float32 ``(n_token, n_emotion)``; ``row @ vectors`` is the blend. Token 0 is the last one
        of the prompt, which predicts the first generated one. ``names``: the emotions at hand,
        in the order of the vectors. ``base``, unless it is among them, stands for the mean of
        them all. Affect is resolved by the published coordinates of the emotions. Raises
        `MoodError` for an emotion that is not at hand, and for a reading that is to be held.
        """
        self.require_known(names)
        named = self.named(np.arange(n_token), names, affect_map=AffectMap.of_names(names))
        return blended(named.weights, self.blend).astype(np.float32)

    def row(self, names: Sequence[str]) -> Rows:
        """The first of `rows`: float32 ``(n_emotion,)``."""
        first: Rows = self.rows(1, names)[0]
        return first

    def require_known(self, names: Sequence[str]) -> None:
        """Raise `MoodError` for an emotion that is neither among ``names`` nor ``base``."""
        for name in self.emotions:
            if name not in names and (name != BASE or not names):
                raise MoodError(name, _unknown(name, names))

    def named(
        self,
        tokens: Tokens,
        names: Sequence[str],
        *,
        affect_map: AffectMap | None,
        heard: Heard = NOTHING_HEARD,
        held: Mapping[str, float] = _NOTHING_HELD,
    ) -> Named:
        """The intensity asked of each emotion at each token, before they are blended.

        ``affect_map`` may be None where the mood names no point of affect. ``held``: what it
        takes at these tokens to hold the readings that the mood holds.
        """
        places = {name: place for place, name in enumerate((*names, BASE))}
        places |= {name: place for place, name in enumerate(names)}  # a vector named base counts
        weights = np.zeros((len(tokens), len(names) + 1))
        for name, schedule in self.emotions.items():
            values = held[name] if name in held else _values(name, schedule, tokens, heard)
            weights[:, places[name]] = values
        if not self.affect or affect_map is None:
            return Named(weights, np.zeros(len(tokens), dtype=bool))
        points = np.zeros((len(tokens), len(AXES)))
        for axis, schedule in self.affect.items():
            points[:, AXES.index(axis)] = _values(axis, schedule, tokens, heard)
        valence, arousal, dominance = (axis in self.affect for axis in AXES)
        mix = affect_map.mix(points, named=(valence, arousal, dominance))
        weights[:, [places[name] for name in affect_map.names]] += mix.weights
        return Named(weights, mix.outside)


# What `Mood.of` takes. None is neutral.
MoodLike: TypeAlias = Mood | Mapping[str, Any] | str | None


@dataclass(frozen=True, eq=False)
class Named:
    """``weights``: float64 (n_token, n_emotion + 1), the last for ``base`` where no vector has
    that name. ``outside``: bool (n_token,), the point of affect is out of reach."""

    weights: Values
    outside: npt.NDArray[np.bool_]


def affect(
    *, valence: Any = None, arousal: Any = None, dominance: Any = None
) -> dict[str, Schedule]:
    """A mood at this point of affect, each axis -1..1 or a schedule; axes left out are free.

    For ``feel``, ``feeling`` and ``mood=``. Raises `MoodError`.
    """
    point = dict(zip(AXES, (valence, arousal, dominance), strict=True))
    return dict(Mood({axis: value for axis, value in point.items() if value is not None}).affect)


def blended(named: Values, blend: Blend) -> Values:
    """Effective weights (n_token, n_emotion) of `Named.weights`: ``row @ vectors`` is the blend.

    With base B = mean_k EV_k and s the strongest weight, shared-once is
        s B + sum_k w_k (EV_k - B) = sum_k w_k EV_k + (s - sum_k w_k) B,
    and B spread over the n vectors makes the effective weight of each
        w_k + (s - sum_k w_k) / n.
    ``base`` asked for by name has no part of its own: it counts only towards s.
    """
    weights, shared = named[:, :-1], named[:, -1]
    if not weights.shape[1]:
        return weights
    if blend == "shared-once":
        shared = _strongest(named) - weights.sum(axis=1)
    # Where nothing is shared nothing may be rounded.
    return np.where(
        shared[:, np.newaxis] == 0, weights, weights + shared[:, np.newaxis] / weights.shape[1]
    )


def _strongest(named: Values) -> Values:
    """Of each row the weight largest in size, with its sign; of two equal the positive one."""
    highest, lowest = named.max(axis=1), named.min(axis=1)
    strongest: Values = np.where(highest >= -lowest, highest, lowest)
    return strongest


def _values(name: str, schedule: Schedule, tokens: Tokens, heard: Heard) -> Values:
    try:
        return schedule.at(tokens, heard)
    except MoodError as error:
        raise error.within(name) from None


def _unknown(name: str, names: Sequence[str]) -> str:
    fault = "no such emotion among those at hand"
    if not names:
        return f"{fault} (none)"
    close = difflib.get_close_matches(name, sorted(names), n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    return (
        f"{fault} ({', '.join(sorted(names))}){hint} "
        f"To add it: llamood emotion add MODEL {name} --texts FILE"
    )


def _merged(mapping: Mapping[str, Any], emotions: Mapping[str, Any]) -> dict[str, Any]:
    for key in mapping:
        if not isinstance(key, str):
            raise MoodError("", f"the name of an emotion was expected, found {found(key)}")
        if key in emotions:
            raise MoodError(key, "given twice; give it once")
    return {**mapping, **emotions}


def _name(name: str) -> str:
    if not name or name != name.strip() or name[0] == "@" or not name.isprintable():
        fault = "an emotion's name is printable, without space around it or '@' before it"
    elif UNNAMEABLE & set(name):
        fault = "an emotion's name holds no comma, equals sign or parenthesis"
    else:
        return name
    raise MoodError(name[:40], f"{fault}; rename the vector")


def _schedule(key: str, value: Any) -> Schedule:
    try:
        return notation.from_json(value)
    except MoodError as error:
        raise error.within(key) from None


def _coordinate(axis: str, value: Any) -> Schedule:
    schedule = _schedule(axis, value)
    if schedule.regulates:
        raise MoodError(axis, "no axis of affect is read, so none can be held; hold an emotion")
    low, high = schedule.bounds()
    if not schedule.calls and not (low >= -1 and high <= 1):
        beyond = low if low < -1 else high
        raise MoodError(axis, f"a coordinate of affect lies between -1 and 1, found {beyond:g}")
    return schedule


def _setting(key: str, value: Any) -> Any:
    if key not in SETTINGS:
        raise MoodError(key[:40], f"unknown setting; known are {', '.join(sorted(SETTINGS))}")
    return SETTINGS[key].read(key, value)


def _json(key: str, value: Any) -> Any:
    if not isinstance(value, Schedule):
        return list(value) if isinstance(value, tuple) else value
    try:
        return notation.to_json(value)
    except MoodError as error:
        raise error.within(key) from None
