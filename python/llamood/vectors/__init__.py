"""Emotion vectors: the value, our files, and the formats of others."""

from __future__ import annotations

from llamood.vectors.conversion import convert
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.files import load, save
from llamood.vectors.measurement import Measurement, Site

__all__ = [
    "EmotionVectors",
    "Measurement",
    "Site",
    "convert",
    "load",
    "save",
]
