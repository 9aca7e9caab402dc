"""A judge of another kind than words: what the unsteered model's hidden states say of a text.

It reads what a person reads and a list of words does not ("the wind is howling, and the water is
rising"), and it is not independent of vectors that were measured on the same model: use it beside
another judge.
"""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from llamood.llama import Llama
from llamood.probe import Probe
from llamood.texts import NEUTRAL, LabelledTexts
from llamood.vectors import EmotionVectors

Float64 = npt.NDArray[np.float64]

N_CTX = 512
SCALES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
OFFSETS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)


class ReadingJudge:
    """Reads texts with ``probe``, and makes probabilities of the means: proportional to
    ``exp(scale * z)`` of each emotion, and ``exp(offset)`` of neutral. Both are those of `SCALES`
    and `OFFSETS` that make ``fitted``, labelled texts, likeliest.

    ``emotions``: the vectors that the probe was measured with. ``llama``: arguments of
    ``llama_cpp.Llama``. Raises `ModelError` for a model that cannot be loaded or read.
    """

    def __init__(
        self,
        model: str | PathLike[str],
        *,
        emotions: EmotionVectors,
        probe: Probe,
        fitted: LabelledTexts,
        **llama: Any,
    ) -> None:
        settings = {"n_ctx": N_CTX, "n_batch": N_CTX, "verbose": False, **llama}
        self._llm = Llama(model, emotions=emotions, readings=probe, site="layer_out", **settings)
        self.labels = (*probe.names, NEUTRAL)
        texts = [(name, text) for name in self.labels for text in fitted.texts.get(name, ())]
        scores = self._scores([text for _, text in texts])
        truth = np.array([self.labels.index(name) for name, _ in texts])
        _, self._scale, self._offset = max(
            (_likelihood(scores, truth, scale, offset), scale, offset)
            for scale in SCALES
            for offset in OFFSETS
        )

    def close(self) -> None:
        """Free the model."""
        self._llm.close()

    def __enter__(self) -> ReadingJudge:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def probabilities(self, texts: Iterable[str]) -> Float64:
        """``float64 (n_text, n_label)``, each row summing to 1, columns as in `labels`. A text of
        no token beyond the first is as neutral text is on average; of a long one the beginning
        counts.

        Raises TypeError for a single ``str``, which would be read letter by letter.
        """
        if isinstance(texts, str):
            raise TypeError("probabilities() takes several texts; for one, give a list: [text]")
        return np.exp(_log_probabilities(self._scores(list(texts)), self._scale, self._offset))

    def _scores(self, texts: list[str]) -> Float64:
        """(n_text, n_emotion), mean z-scores."""
        names = self.labels[:-1]
        rows = np.zeros((len(texts), len(names)))
        for row, text in zip(rows, texts, strict=True):
            tokens = self._llm.tokenize(text.encode(), add_bos=True, special=False)
            if len(tokens) < 2:
                continue
            if len(tokens) > N_CTX:
                kept = self._llm.detokenize(tokens[: N_CTX - 8]).decode(errors="ignore")
                text = kept.strip()
            read = self._llm.read(text)
            row[:] = [read[name] for name in names]
        return rows


def _log_probabilities(scores: Float64, scale: float, offset: float) -> Float64:
    """(n_text, n_emotion + 1), neutral last."""
    neutral = np.full((len(scores), 1), offset)
    logits = np.concatenate([scale * scores, neutral], axis=1)
    logits -= logits.max(axis=1, keepdims=True)
    found: Float64 = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return found


def _likelihood(scores: Float64, truth: npt.NDArray[np.intp], scale: float, offset: float) -> float:
    rows = _log_probabilities(scores, scale, offset)
    return float(rows[np.arange(len(truth)), truth].sum())
