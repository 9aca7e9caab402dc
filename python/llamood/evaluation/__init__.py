"""Whether steering works: every question in every condition, and what the answers show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamood.late import late

if TYPE_CHECKING:
    from llamood.evaluation.conditions import Condition
    from llamood.evaluation.dialogue import Dialogues
    from llamood.evaluation.evaluation import Evaluation

__all__ = [
    "Condition",
    "Dialogues",
    "Evaluation",
]

__getattr__ = late(
    __name__,
    {
        "Evaluation": "evaluation",
        "Condition": "conditions",
        "Dialogues": "dialogue",
    },
)
