"""What it takes to hold readings: a regulator for each emotion whose reading a mood holds.

A vector is the mean of emotional answers without that of neutral ones. So what it is itself in the
direction that is read is known to be the reading of such answers, and its ceiling is believed to
make answers about as emotional as those; without a ceiling, the vector as it was measured. Text
follows a weight slowly: it finishes its sentence, and then stays with what it has said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from llamood.errors import MoodError
from llamood.moods.composition import Max
from llamood.moods.mood import Mood
from llamood.moods.regulator import Regulator
from llamood.moods.schedule import Schedule
from llamood.moods.steering_vectors import SteeringVectors
from llamood.moods.triggers import UNREAD, Hold

LAG = 20.0  # tokens, the half-life with which the smoothed reading of a text follows a weight
LEAD = 4.0  # tokens; what is read is late by more, but further ahead is only noise
STRIDES = 4  # from one limit to the other
DEFAULT_MAX = 1.0  # of a vector as stored whose ceiling is not known


def regulators(
    mood: Mood, vectors: SteeringVectors, told: Mapping[str, float] | None
) -> dict[str, Regulator]:
    """Emotion -> what holds its reading, in the mood's dose.

    The weight stays between -max and max of the schedule, by default the ceiling of the vector, or
    `DEFAULT_MAX` where that is not known. ``told``: see ``Reader.told``; None where nothing is
    read. Raises MoodError for what is not read, and for what can never be held.
    """
    return {
        name: _regulator(name, schedule, vectors, told)
        for name, schedule in mood.emotions.items()
        if schedule.regulates
    }


def _regulator(
    name: str,
    schedule: Schedule,
    vectors: SteeringVectors,
    told: Mapping[str, float] | None,
) -> Regulator:
    if told is None:
        raise MoodError(name, UNREAD)
    if not told:
        fault = (
            "cannot be held: readings of this model are too unsure; measure a better baseline "
            "(llamood read --measure)"
        )
        raise MoodError(name, fault)
    if name not in told:
        raise MoodError(name, f"is not read, so it cannot be held; read are {', '.join(told)}")
    if told[name] <= 0:
        fault = "what it adds is not read as this emotion, so that cannot be held"
        raise MoodError(name, fault)
    emotions, at = vectors.emotions, vectors.emotions.names.index(name)
    ceiling, unit = float(vectors.ceilings[at]), float(vectors.units[at])
    is_known = bool(vectors.is_calibrated[at])
    full = ceiling if is_known else unit / abs(emotions.scale[at])  # the weight that is believed
    hold, most = schedule, ceiling if math.isfinite(ceiling) else DEFAULT_MAX * unit
    if isinstance(schedule, Max):
        hold, most = schedule.schedule, schedule.size
    assert isinstance(hold, Hold)
    if most == 0:
        raise MoodError(name, "a max above 0 was expected, found 0; nothing can be held with that")
    return Regulator(
        hold.target,
        gain=told[name] / full,
        half_life=LAG,
        lead=LEAD,
        low=-most,
        high=most,
        rate=2 * most / STRIDES,
    )
