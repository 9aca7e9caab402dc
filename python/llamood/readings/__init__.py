"""Emotion read back from hidden states while they are computed."""

from __future__ import annotations

from llamood.readings.probe import Probe
from llamood.readings.projector import Projector
from llamood.readings.reader import Reader

__all__ = [
    "Probe",
    "Projector",
    "Reader",
]
