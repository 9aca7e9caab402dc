"""Hidden states projected on directions: of texts as they are, and as vectors move them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from typing import Any

import llama_cpp
import numpy as np

from llamood.closing import Closing
from llamood.extraction.texts import NEUTRAL
from llamood.judges.layer_fits import CHOOSING, parts
from llamood.moods.mood import Mood
from llamood.vectors.emotion_vectors import EmotionVectors, Float32, Float64
from llamood.voices.shared_context import SharedContext

N_CTX = 512  # tokens that are decoded together
PARALLEL = 10  # sequences side by side
NEUTRAL_TOKENS = 1500  # read one by one for the spread, of texts that were not fitted first
RESPONSE_TOKENS = 48  # of neutral text, read again under emotions; those of `PARALLEL` fit a batch
RESPONSE_DOSE = 0.1  # of the hidden state's root mean square: so little that it is in proportion


class Projections(Closing):
    """``layers``: which are read, rising, neither the first nor the last. ``directions``: float32
    (n_layer_read, n_direction, n_embd). ``llama``: arguments of ``llama_cpp.Llama``. Raises
    `ModelError` for a model that cannot be opened or batched.
    """

    def __init__(
        self,
        model: str | PathLike[str],
        emotions: EmotionVectors,
        layers: Sequence[int],
        directions: Float32,
        **llama: Any,
    ) -> None:
        self._layers = tuple(layers)
        self._emotions = emotions
        settings = {"verbose": False, **llama, "n_batch": N_CTX, "n_ubatch": N_CTX}
        self._shared = SharedContext(
            str(model),
            emotions=emotions,
            site="layer_out",
            probe=None,
            voices=PARALLEL,
            n_ctx=-(-N_CTX // PARALLEL),  # of each, but any of them may have what others leave
            **settings,
        )
        self._probe = self._shared.project(layers, directions)
        self._batch = llama_cpp.llama_batch_init(N_CTX, 0, 1)

    def close(self) -> None:
        """Free the model."""
        llama_cpp.llama_batch_free(self._batch)
        self._probe.close()
        self._shared.close()

    def passages(self, neutral: Sequence[str]) -> list[list[int]]:
        """Neutral texts as tokens, those that were not fitted at first before the others, up to
        `NEUTRAL_TOKENS` in all."""
        part = parts([NEUTRAL] * len(neutral))
        found: list[list[int]] = []
        for at in np.argsort(part < CHOOSING, kind="stable"):
            tokens = self._shared.tokenize(neutral[at].encode(), special=False)
            found.append(list(tokens)[:N_CTX])
            if sum(map(len, found)) >= NEUTRAL_TOKENS:
                break
        return found

    def __call__(self, tokens: Sequence[int]) -> Float64:
        """Projections (n_token - 1, n_layer_read, n_direction): the first position is an
        outlier."""
        (found,) = self._read([tokens], np.zeros((1, self._emotions.n_emotion)), layer=1)
        return found

    def responses(self, passages: Sequence[Sequence[int]]) -> Iterator[tuple[int, int, Float64]]:
        """Layer, emotion, and by how much its vector as measured, added there alone, moves each
        projection (n_layer_read, n_direction). Where a vector is nothing, and above all that is
        read, it moves nothing.

        Measured in the layers that are read, in the first, and where a vector begins and ends: that
        many however deep the model is. Between them what a vector of unit length moves is
        interpolated, which errs no more than other `RESPONSE_TOKENS` do (docs/method.md).
        """
        tokens = [token for passage in passages for token in passage][:RESPONSE_TOKENS]
        unmoved = self(tokens).mean(axis=0)
        lengths = self._emotions.norms().astype(np.float64)[:, : self._layers[-1] + 1]
        nodes = [self._nodes(of_emotion) for of_emotion in lengths]
        moved: list[dict[int, Float64]] = [{} for _ in nodes]  # by a vector of unit length
        for layer in sorted(set().union(*nodes)):
            there = [emotion for emotion, of_emotion in enumerate(nodes) if layer in of_emotion]
            for begin in range(0, len(there), PARALLEL):
                some = there[begin : begin + PARALLEL]
                weights = self._small(layer)[some]
                rows = np.zeros((len(some), len(nodes)))
                rows[range(len(some)), some] = weights
                read = self._read([tokens] * len(some), rows, layer=layer)
                for emotion, weight, found in zip(some, weights, read, strict=True):
                    by = weight * lengths[emotion, layer]
                    moved[emotion][layer] = (found.mean(axis=0) - unmoved) / by
        for emotion, (of_emotion, known) in enumerate(zip(lengths, moved, strict=True)):
            for layer in (np.flatnonzero(of_emotion[1:]) + 1).tolist():
                scale = of_emotion[layer] / self._emotions.scale[emotion]
                yield layer, emotion, scale * self._between(known, layer)

    def _nodes(self, lengths: Float64) -> set[int]:
        """In which layers a vector of these lengths (n_layer,) is measured."""
        there = (np.flatnonzero(lengths[1:]) + 1).tolist()
        return {1, *self._layers, *there[:1], *there[-1:]}.intersection(there)

    def _between(self, known: Mapping[int, Float64], layer: int) -> Float64:
        """(n_layer_read, n_direction), linear between the known layers next to this one; what is
        added above a layer that is read does not move it."""
        found = np.zeros_like(next(iter(known.values())))
        for place, read in enumerate(self._layers):
            below = [each for each in known if each <= read]
            if layer <= read and below:
                before = max((each for each in below if each <= layer), default=below[0])
                after = min((each for each in below if each >= layer), default=before)
                share = (layer - before) / (after - before) if after > before else 0.0
                found[place] = (1 - share) * known[before][place] + share * known[after][place]
        return found

    def _read(
        self, sequences: Sequence[Sequence[int]], weights: Float64, *, layer: int
    ) -> list[Float64]:
        """`__call__` of sequences that fit a batch together, each under weights (n_emotion,) of its
        own that are added at the end of this layer."""
        memory = llama_cpp.llama_get_memory(self._shared.ctx)
        llama_cpp.llama_memory_clear(memory, True)
        lengths = [len(tokens) for tokens in sequences]
        places = [(number, at) for number, n in enumerate(lengths) for at in range(n)]
        for row, (number, at) in enumerate(places):
            self._batch.token[row] = sequences[number][at]
            self._batch.pos[row] = at
            self._batch.n_seq_id[row] = 1
            self._batch.seq_id[row][0] = number
            self._batch.logits[row] = row == len(places) - 1
        self._batch.n_tokens = len(places)
        self._probe.expect([(number, 0, n) for number, n in enumerate(lengths)])
        self._shared.decode(
            self._batch,
            np.repeat(weights, lengths, axis=0).astype(np.float32),
            steering=self._shared.understand(Mood.of({"$layers": [layer, layer]})),
        )
        return [
            self._probe.read(1, max(n - 1, 0), sequence=number).astype(np.float64)
            for number, n in enumerate(lengths)
        ]

    def _small(self, layer: int) -> Float64:
        """(n_emotion,): weights that add a small part of the hidden state there; 0 where there is
        nothing to add."""
        rms = np.sqrt(np.square(self._emotions.data[:, layer], dtype=np.float64).mean(axis=1))
        residual = self._emotions.measurement.residual_rms
        dose = RESPONSE_DOSE * (residual[layer] if residual else rms)
        return np.where(rms > 0, np.minimum(dose / np.maximum(rms, 1e-30), 100.0), 0.0)
