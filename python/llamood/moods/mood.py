"""What a model is asked to feel: a schedule for each emotion, and how they mix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from llamood import _core
from llamood.errors import FileError, MoodError
from llamood.moods import notation, short_form
from llamood.moods.affect import AXES, AffectMap
from llamood.moods.parameters import found
from llamood.moods.personality import is_name, mood_in, named
from llamood.moods.schedule import Schedule
from llamood.moods.settings import SETTINGS, Blend, Dose, Positions
from llamood.moods.shapes import Constant

Rows = npt.NDArray[np.float32]


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
    there at once. ``max``: the largest size of the mix, where one vector alone is about 1, or None
    for that of the strongest emotion at its ceiling.

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
    core: _core.Mood = field(compare=False)  # the same where it is played

    def __init__(self, mapping: Mapping[str, Any] | None = None, /, **emotions: Any) -> None:
        if mapping is not None and not isinstance(mapping, Mapping):
            raise MoodError("", f"emotions and weights were expected, found {found(mapping)}")
        settings = {key: setting.default for key, setting in SETTINGS.items()}
        felt: dict[str, Schedule] = {}
        affect: dict[str, Schedule] = {}
        for key, value in _merged(mapping or {}, emotions).items():
            if key.startswith("$"):
                known = key.encode(errors="replace").decode()  # half a character is no text
                settings[key] = _core.checked_setting(known, value)
            else:
                (affect if key in AXES else felt)[key] = _schedule(key, value)
        object.__setattr__(self, "emotions", MappingProxyType(felt))
        object.__setattr__(self, "affect", MappingProxyType(affect))
        for key, value in settings.items():
            object.__setattr__(self, key[1:], value)
        said = {k: v.core if isinstance(v, Schedule) else v for k, v in self._mapping().items()}
        object.__setattr__(self, "core", _core.Mood(said))

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
        """The short form, as in ``joy=0.8,$layers=8:20``; the name of a personality that ships, as
        in ``shy``; or ``@FILE`` with a JSON object, a mood or a personality.

        Raises `MoodError`, or `FileError` for anything wrong with the file or in it.
        """
        text = text.strip()
        if is_name(text):
            return cls(named(text).mood)
        if not text.startswith("@"):
            return cls(short_form.read(text))
        path = text[1:]
        if not path:
            raise MoodError("", "the name of a file was expected after @")
        try:
            return cls(mood_in(path))
        except MoodError as error:
            raise FileError(path, str(error)) from error

    @property
    def is_neutral(self) -> bool:
        """True where nothing is asked for at any token."""
        return self.core.is_neutral

    @property
    def listens(self) -> bool:
        """True where what is asked depends on the text, or on a Python function."""
        return self.core.listens

    @property
    def holds(self) -> bool:
        """True where a reading is to be held, so that only a voice with readings can feel it."""
        return self.core.holds

    @property
    def reads(self) -> bool:
        """The same where a reading is only waited for."""
        return self.core.reads

    @property
    def is_constant(self) -> bool:
        """True where every token is asked the same."""
        return self.core.is_constant

    def having(self, intensities: Mapping[str, float], *, among: Iterable[str]) -> Mood:
        """The same, in which of the emotions ``among`` these alone are felt, and no others."""
        gone = set(among)
        kept = {key: value for key, value in self._mapping().items() if key not in gone}
        return Mood({**kept, **{name: value for name, value in intensities.items() if value}})

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
        affect_map = AffectMap.of_names(names).core if self.affect else None
        return self.core.rows(n_token, list(names), affect_map)

    def row(self, names: Sequence[str]) -> Rows:
        """The first of `rows`: float32 ``(n_emotion,)``."""
        first: Rows = self.rows(1, names)[0]
        return first


# What `Mood.of` takes. None is neutral.
MoodLike: TypeAlias = Mood | Mapping[str, Any] | str | None


def affect(
    *, valence: Any = None, arousal: Any = None, dominance: Any = None
) -> dict[str, Schedule]:
    """A mood at this point of affect, each axis -1..1 or a schedule; axes left out are free.

    For ``feel``, ``feeling`` and ``mood=``. Raises `MoodError`.
    """
    point = dict(zip(AXES, (valence, arousal, dominance), strict=True))
    return dict(Mood({axis: value for axis, value in point.items() if value is not None}).affect)


def _merged(mapping: Mapping[str, Any], emotions: Mapping[str, Any]) -> dict[str, Any]:
    for key in mapping:
        if not isinstance(key, str):
            raise MoodError("", f"the name of an emotion was expected, found {found(key)}")
        if key in emotions:
            raise MoodError(key, "given twice; give it once")
    return {**mapping, **emotions}


def _schedule(key: str, value: Any) -> Schedule:
    try:
        return notation.from_json(value)
    except MoodError as error:
        raise error.within(key) from None


def _json(key: str, value: Any) -> Any:
    if not isinstance(value, Schedule):
        return list(value) if isinstance(value, tuple) else value
    try:
        return notation.to_json(value)
    except MoodError as error:
        raise error.within(key) from None
