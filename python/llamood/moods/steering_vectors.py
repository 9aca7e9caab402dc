"""The vectors at hand as a mood mixes them: in one dose, with what is derived from them once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np
import numpy.typing as npt

from llamood.errors import MoodError
from llamood.moods.affect import AffectMap
from llamood.vectors.emotion_vectors import EmotionVectors, Float32, Float64, Site

# What a vector may add that was never calibrated: parts of the hidden state's root mean square in
# each layer, summed over layers. What a sum does depends little on how many layers share it.
# Mean differences of six emotions in SmolLM2-135M, six answers of 40 tokens each: perplexity as a
# multiple of that of plain answers, the mean and the worst of the emotions.
#
#     all layers   0.16: 1.20, 1.33   0.23: 1.33, 1.55   0.31: 1.49, 1.61   0.47: 2.18, 2.67
#     8 layers                                           0.35: 1.79, 2.32   0.70: 3.16, 4.64
#     1 layer                         0.20: 1.34, 1.54                      0.50: 3.39, 5.21
SAFE_SUM = 0.2
_FIRST: dict[Site, int] = {"layer_out": 1, "attn_out": 0}  # layer that can be added to


@dataclass(frozen=True, eq=False)
class SteeringVectors:
    """``data``: float32 (n_emotion, n_layer, n_embd), what intensity 1 adds; ``factors``: float64
    (n_emotion, n_layer), how many times the vector as stored that is in a layer. ``ceilings``:
    float64 (n_emotion,), the largest intensity that reads fluently; where that was not measured,
    the one that adds `SAFE_SUM`; infinite where that is not known either. ``units``: float64
    (n_emotion,), the intensity here that is as strong as intensity 1 of the vector as stored.
    ``residual``: float64 (n_layer,), the root mean square of the hidden state, 0 where it is not
    known. ``site``: where they are added. ``digest``: 16 bytes that tell one from another.
    """

    emotions: EmotionVectors
    data: Float32
    factors: Float64
    ceilings: Float64
    units: Float64
    residual: Float64
    site: Site
    digest: bytes

    @classmethod
    def of(
        cls,
        emotions: EmotionVectors,
        *,
        site: Site | None = None,
        residual_rms: Sequence[float] | None = None,
    ) -> SteeringVectors:
        """The dose ``stored``; added where they were measured unless ``site`` says otherwise.
        ``residual_rms``: of the model at hand, where it is not stored with the vectors."""
        site = site or emotions.measurement.site
        known = residual_rms or emotions.measurement.residual_rms or np.zeros(emotions.n_layer)
        residual = np.array(known, dtype=np.float64)
        safe = _safe(emotions.data, residual, first=_FIRST[site])
        either = zip(emotions.ceiling, safe.tolist(), strict=True)
        ceilings = np.array([guess if measured is None else measured for measured, guess in either])
        person = b"" if site == "layer_out" else site.encode()
        digest = hashlib.blake2b(emotions.data.tobytes(), digest_size=16, person=person).digest()
        ones = np.ones((emotions.n_emotion, emotions.n_layer))
        return cls(emotions, emotions.data, ones, ceilings, ones[:, 0], residual, site, digest)

    @property
    def is_calibrated(self) -> npt.NDArray[np.bool_]:
        """(n_emotion,): of which vectors it was measured how much of them reads fluently."""
        return np.array([ceiling is not None for ceiling in self.emotions.ceiling])

    @property
    def first_layer(self) -> int:
        """The first layer that can be added to: llama.cpp has no control vector for layer 0."""
        return _FIRST[self.site]

    @cached_property
    def relative(self) -> SteeringVectors:
        """The dose ``relative``: intensity 1 adds, in each layer, a vector whose root mean square
        is that of the hidden state there.

        Ceilings that were measured are as strong as the stored ones on the root mean square over
        layers. Raises `MoodError` where that of the hidden states is not known.
        """
        of_layer = self.residual
        if not of_layer.any():
            raise MoodError(
                "$dose",
                "relative needs the residual RMS of the model, which is not stored with these "
                "vectors; measure them with llamood extract, or leave $dose out",
            )
        of_vector = np.sqrt(np.square(self.data, dtype=np.float64).mean(axis=2))
        factors = _divided(np.broadcast_to(of_layer, of_vector.shape), of_vector, otherwise=0.0)
        data = (self.data * factors[:, :, np.newaxis]).astype(np.float32)
        data.flags.writeable = False
        shares = _shares(self.data, of_layer)[:, of_layer > 0]
        units = np.sqrt(np.square(shares).mean(axis=1))
        units[units == 0] = 1.0  # vectors of zeros are as strong in any dose
        digest = hashlib.blake2b(self.digest + data.tobytes(), digest_size=16).digest()
        safe = _safe(data, of_layer, first=self.first_layer)
        ceilings = np.where(self.is_calibrated, self.ceilings * units, safe)
        return replace(
            self, data=data, factors=factors, ceilings=ceilings, units=units, digest=digest
        )

    @cached_property
    def affect_map(self) -> AffectMap:
        """Where these emotions lie in valence, arousal and dominance."""
        return AffectMap.fit(self.emotions)

    @cached_property
    def _grams(self) -> Float64:
        """(n_layer, n_emotion, n_emotion): inner products in units of the layer's mean square
        length, so that a late layer, whose vectors are many times longer, counts no more."""
        wide = self.data.astype(np.float64)
        grams = np.einsum("ile,jle->lij", wide, wide)
        lengths = np.einsum("lii->l", grams) / len(wide)
        grams /= np.where(lengths == 0, 1.0, lengths)[:, np.newaxis, np.newaxis]
        return cast("Float64", grams)

    def fluent(self, layers: tuple[int, int]) -> Float64:
        """(n_emotion,): the largest intensities that read fluently in these layers alone, which are
        the ceilings as many times as there is less in them; infinite where that is not known."""
        sizes = _shares(self.data, self.residual)
        if not sizes.any():
            sizes = _shares(self.data, np.ones(self.emotions.n_layer))
        first, last = max(layers[0], self.first_layer), layers[1]
        within = sizes[:, first : last + 1].sum(axis=1)
        times = _divided(sizes[:, self.first_layer :].sum(axis=1), within, otherwise=np.inf)
        return self.ceilings * times

    def sizes(self, rows: Float64, layers: tuple[int, int]) -> Float64:
        """(n,): how strong each blend of weights ``rows`` (n, n_emotion) is in these layers.

        The root mean square over layers of its length, in units of the root mean square of the
        lengths of all vectors there: one vector alone at intensity 1 is about 1.
        """
        first, last = layers
        gram = self._grams[max(first, self.first_layer) : last + 1].mean(axis=0)
        squares = np.einsum("ni,ij,nj->n", rows, gram, rows)
        return cast("Float64", np.sqrt(np.maximum(squares, 0.0)))


def _shares(data: Float32, residual: Float64) -> Float64:
    """(n_emotion, n_layer): the root mean squares of vectors as parts of the hidden state's; 0
    where that is not known."""
    of_vector = np.sqrt(np.square(data, dtype=np.float64).mean(axis=2))
    return _divided(of_vector, residual, otherwise=0.0)


def _safe(data: Float32, residual: Float64, *, first: int) -> Float64:
    """(n_emotion,): the intensities that add `SAFE_SUM` from layer ``first`` on; infinite where
    that is not known."""
    sums = _shares(data, residual)[:, first:].sum(axis=1)
    return _divided(np.full_like(sums, SAFE_SUM), sums, otherwise=np.inf)


def _divided(some: Float64, by: Float64, *, otherwise: float) -> Float64:
    """``otherwise`` where the divisor is 0."""
    found: Float64 = np.full_like(some, otherwise)
    np.divide(some, by, out=found, where=by > 0)
    return found
