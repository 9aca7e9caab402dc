"""What is to be felt: schedules, moods, how they are written, and what becomes of them over tokens.

Numbers only: nothing here knows llama.cpp.
"""

from __future__ import annotations

from llamood.moods.mood import Mood
from llamood.moods.performance import Performance
from llamood.moods.schedule import Schedule
from llamood.moods.steering import Steering
from llamood.moods.steering_vectors import SteeringVectors

__all__ = [
    "Mood",
    "Performance",
    "Schedule",
    "Steering",
    "SteeringVectors",
]
