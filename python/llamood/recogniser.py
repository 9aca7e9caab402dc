"""A judge of one feeling that no classifier knows: the model itself, which reads the texts."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from types import TracebackType
from typing import Any

import numpy as np

from .contrast import Contrast
from .listener import Listener
from .probe_measurement import layers_to_read
from .states import LAYER_OUT, LONGEST_TEXT, PARALLEL
from .texts import NEUTRAL
from .vectors import Float64


class Recogniser:
    """Tells, by the layer that tells best, how likely a text expresses the feeling of ``contrast``
    rather than anything else, both as likely beforehand. Texts are read without any steering.

    ``labels``: the feeling, and neutral for all else. ``llama``: arguments of ``llama_cpp.Llama``.
    Raises `ModelError` for a model that cannot be read.
    """

    def __init__(self, model: str | PathLike[str], contrast: Contrast, **llama: Any) -> None:
        self.labels = (contrast.name, NEUTRAL)
        fits = {layer: contrast.fit(layer) for layer in layers_to_read(contrast.n_layer)}
        self.layer = max(fits, key=lambda layer: fits[layer].auroc)
        fit = fits[self.layer]
        self._direction = fit.direction
        others = contrast.others[:, self.layer].astype(np.float64) @ fit.direction
        self._mean, self._spread = others.mean(), others.std()
        own, rest = fit.scores[fit.is_own], fit.scores[~fit.is_own]
        self._middle = (own.mean() + rest.mean()) / 2
        self._slope = (own.mean() - rest.mean()) / ((own.var() + rest.var()) / 2)
        self._listener = Listener(
            model, parallel=PARALLEL, n_prompt=0, n_answer=LONGEST_TEXT, **llama
        )

    def close(self) -> None:
        """Free the model."""
        self._listener.close()

    def __enter__(self) -> Recogniser:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def probabilities(self, texts: Iterable[str]) -> Float64:
        """(n_text, 2), as `labels`; of a text of no token beyond the first the feeling has 0."""
        tokens = [self._listener.tokens(text, first=True)[:LONGEST_TEXT] for text in texts]
        found = []
        for begin in range(0, len(tokens), PARALLEL):
            heard = self._listener.texts([(each, 0) for each in tokens[begin : begin + PARALLEL]])
            found += [
                self._probability(each.mean[LAYER_OUT, self.layer]) if each.n_token else 0.0
                for each in heard
            ]
        own = np.array(found)
        return np.stack([own, 1.0 - own], axis=1)

    def _probability(self, state: Float64) -> float:
        score = (state @ self._direction - self._mean) / self._spread
        return float(1.0 / (1.0 + np.exp(np.clip(-self._slope * (score - self._middle), -50, 50))))
