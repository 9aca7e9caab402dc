"""A judge of another kind than words: what the unsteered model's hidden states say of a text.

It reads what a person reads and a list of words does not ("the wind is howling, and the water is
rising"), and it is not independent of vectors that were measured on the same model: use it beside
another judge.
"""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import Any

import numpy as np

from llamood.closing import Closing
from llamood.extraction.listener import Listener
from llamood.extraction.states import LAYER_OUT, LONGEST_TEXT, PARALLEL
from llamood.extraction.texts import NEUTRAL
from llamood.judges.filters import Filter
from llamood.vectors.emotion_vectors import Float64


class ReadingJudge(Closing):
    """Reads texts with ``filter``, each by itself, as a model finds it that was asked nothing.

    ``labels``: the emotions of the filter, and neutral. ``llama``: arguments of
    ``llama_cpp.Llama``. Raises `ModelError` for a model that cannot be loaded or read.
    """

    def __init__(self, model: str | PathLike[str], filter: Filter, **llama: Any) -> None:
        self.labels = (*filter.names, NEUTRAL)
        self._filter = filter
        self._listener = Listener(
            model, parallel=PARALLEL, n_prompt=0, n_answer=LONGEST_TEXT, **llama
        )

    def close(self) -> None:
        """Free the model."""
        self._listener.close()

    def probabilities(self, texts: Iterable[str]) -> Float64:
        """``float64 (n_text, n_label)``, each row summing to 1, columns as in `labels`. A text of
        no token beyond the first is as neutral text is on average; of a long one the beginning
        counts.

        Raises TypeError for a single ``str``, which would be read letter by letter.
        """
        if isinstance(texts, str):
            raise TypeError("probabilities() takes several texts; for one, give a list: [text]")
        tokens = [self._listener.tokens(text, first=True)[:LONGEST_TEXT] for text in texts]
        scores = np.zeros((len(tokens), len(self.labels) - 1))
        for begin in range(0, len(tokens), PARALLEL):
            group = [(each, 0) for each in tokens[begin : begin + PARALLEL]]
            found = self._listener.texts(group, until=self._filter.layers[-1])
            for at, heard in enumerate(found, start=begin):
                if heard.n_token:
                    states = heard.mean[LAYER_OUT, list(self._filter.layers)]
                    scores[at] = self._filter.scores(states[np.newaxis])[0]
        return np.exp(self._filter.odds.log_probabilities(scores))
