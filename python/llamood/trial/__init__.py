"""Whether a llama.cpp that llamood was not written against does what llamood needs of it."""

from __future__ import annotations

from llamood.trial.behaviour import faults_of_behaviour
from llamood.trial.interface import faults_of_interface

__all__ = ["faults_of_behaviour", "faults_of_interface"]
