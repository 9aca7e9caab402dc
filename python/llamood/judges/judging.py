"""What every judge can do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy.typing as npt


class Judging(Protocol):
    """``probabilities`` gives (n_text, n_label), columns as in ``labels``."""

    @property
    def labels(self) -> Sequence[str]: ...

    def probabilities(self, texts: Iterable[str]) -> npt.ArrayLike: ...
