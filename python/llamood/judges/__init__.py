"""Who tells which emotion a text expresses: by its words, by hidden states, by another model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamood.late import late

if TYPE_CHECKING:
    from llamood.judges.hf_judge import HfJudge
    from llamood.judges.linear_judge import Judge, bundled, load_judge
    from llamood.judges.reading_judge import ReadingJudge
    from llamood.judges.zero_shot import ZeroShotJudge

__all__ = [
    "HfJudge",
    "Judge",
    "ReadingJudge",
    "ZeroShotJudge",
    "bundled",
    "load_judge",
]

__getattr__ = late(
    __name__,
    {
        "Judge": "linear_judge",
        "bundled": "linear_judge",
        "load_judge": "linear_judge",
        "ReadingJudge": "reading_judge",
        "ZeroShotJudge": "zero_shot",
        "HfJudge": "hf_judge",
    },
)
