"""What lies in a folder of vectors beside what is measured of them now, and is not to be lost."""

from __future__ import annotations

from dataclasses import replace

from .increments import METHOD, is_increments
from .vectors import EmotionVectors


def with_remainder(made: EmotionVectors, known: EmotionVectors) -> EmotionVectors:
    """Vectors that were made anew, and beside them the other emotions of those that are ``known``,
    with the vector, the dose and the ceiling that these have; pairs and affect that were not told
    anew are as they were.

    As a set has one measurement, the others say that of the new ones. Raises `VectorError` where
    they belong to another model.
    """
    made = _told(made, known)
    names = [name for name in known.names if name not in made.names]
    if not names:
        return made
    others = known.select(names)
    if is_increments(made) and not is_increments(others):
        # What says that it is of increments is summed up to see what was measured: not all is.
        method = (made.measurement.method or "").removesuffix(METHOD) + " (increments)"
        made = replace(made, measurement=replace(made.measurement, method=method))
    return made.merge(replace(others, measurement=made.measurement))


def _told(made: EmotionVectors, known: EmotionVectors) -> EmotionVectors:
    pairs, affect = list(made.pairs), list(made.affect)
    for at, name in enumerate(made.names):
        if name in known.names:
            place = known.names.index(name)
            pairs[at] = known.pairs[place] if pairs[at] is None else pairs[at]
            affect[at] = known.affect[place] if affect[at] is None else affect[at]
    return replace(made, pairs=tuple(pairs), affect=tuple(affect))
