"""What belongs to a model in its folder: doses, the baseline of readings, feelings that were added;
and all of it measured in one go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamood.late import late

if TYPE_CHECKING:
    from llamood.calibration.baseline import measure
    from llamood.calibration.calibration import Calibration
    from llamood.calibration.doses import find_doses
    from llamood.calibration.measuring import Measuring, extract
    from llamood.calibration.repertoire import Repertoire

__all__ = [
    "Calibration",
    "Measuring",
    "Repertoire",
    "extract",
    "find_doses",
    "measure",
]

__getattr__ = late(
    __name__,
    {
        "Measuring": "measuring",
        "extract": "measuring",
        "Calibration": "calibration",
        "find_doses": "doses",
        "measure": "baseline",
        "Repertoire": "repertoire",
    },
)
