"""What is added to one llama.cpp context, and what it was told to add last."""

from __future__ import annotations

from llamood import _core
from llamood.mood import Rows
from llamood.palette import Palette
from llamood.settings import Dose
from llamood.steering import NOTHING, Blend, Steering


class Injection:
    """The injector of a context, with the banks of the doses that it adds from.

    ``unsafe_ctx``: address of a context that was made with ``watch``'s callback and stays open
    until `close`.
    """

    def __init__(self, watch: _core.GraphWatch, palette: Palette, *, unsafe_ctx: int) -> None:
        self.injector = _core.Injector(watch, unsafe_ctx=unsafe_ctx)
        self._palette = palette
        self._banks: dict[Dose, _core.Bank] = {"stored": _core.Bank(palette.data)}
        self._key: int | None = NOTHING.key  # of the blend that is added; None: ask the injector
        self._taken = False

    @property
    def is_taken(self) -> bool:
        """Whether a decode has shown that the model takes vectors. Until then nothing can be
        played."""
        return self._taken

    def add(self, blend: Blend) -> None:
        """From the next decode on, add this."""
        if blend.key == self._key:
            return
        if blend.key:
            self.injector.apply(self._bank(blend.dose), blend.weights, blend.first, blend.last)
        else:
            self.injector.rest()
        self._key = blend.key

    def play(self, rows: Rows, steering: Steering, *, position: int) -> None:
        """Decode the token at ``position`` + i under row i of ``rows`` (n, n_emotion), without
        being told again."""
        bank = self._bank(steering.mood.dose)
        self.injector.play(bank, rows, steering.first, steering.last, position)
        self._key = None

    def missing_layers(self, blend: Blend) -> list[int]:
        """After a decode under ``blend``: the layers that take no vectors, where that is not known
        yet."""
        if self._taken or not blend.key:
            return []
        missing = self.injector.missing_layers()
        self._taken = not missing
        return missing

    def close(self) -> None:
        """Forget the context; whatever is asked of it now raises."""
        self.injector.close()
        self._key = None

    def _bank(self, dose: Dose) -> _core.Bank:
        if dose not in self._banks:
            self._banks[dose] = _core.Bank(self._palette.relative.data)
        return self._banks[dose]
