"""What holds a model, and frees it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeVar

_Self = TypeVar("_Self", bound="Closing")


class Closing(ABC):
    """In a ``with`` it is closed at the end."""

    @abstractmethod
    def close(self) -> None:
        """Free what is held; what is closed already stays so."""

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
