"""The vectors at hand as a mood mixes them: in one dose, with what is derived from them once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np

from .affect import AffectMap
from .errors import MoodError
from .vectors import EmotionVectors, Float32, Float64, Site


@dataclass(frozen=True, eq=False)
class Palette:
    """``data``: float32 (n_emotion, n_layer, n_embd), what intensity 1 adds; ``factors``: float64
    (n_emotion, n_layer), how many times the vector as stored that is in a layer. ``ceilings``:
    float64 (n_emotion,), the largest intensity that reads fluently; infinite where not known.
    ``units``: float64 (n_emotion,), the intensity here that is as strong as intensity 1 of the
    vector as stored. ``site``: where they are added. ``digest``: 16 bytes that tell one palette
    from another.
    """

    emotions: EmotionVectors
    data: Float32
    factors: Float64
    ceilings: Float64
    units: Float64
    site: Site
    digest: bytes

    @classmethod
    def of(cls, emotions: EmotionVectors, *, site: Site | None = None) -> Palette:
        """The dose ``stored``; added where they were measured unless ``site`` says otherwise."""
        site = site or emotions.measurement.site
        ceilings = np.array([np.inf if c is None else c for c in emotions.ceiling])
        person = b"" if site == "layer_out" else site.encode()
        digest = hashlib.blake2b(emotions.data.tobytes(), digest_size=16, person=person).digest()
        ones = np.ones((emotions.n_emotion, emotions.n_layer))
        return cls(emotions, emotions.data, ones, ceilings, ones[:, 0], site, digest)

    @property
    def first_layer(self) -> int:
        """The first layer that can be added to: llama.cpp has no control vector for layer 0."""
        return 1 if self.site == "layer_out" else 0

    @cached_property
    def relative(self) -> Palette:
        """The dose ``relative``: intensity 1 adds, in each layer, a vector whose root mean square
        is that of the hidden state there.

        Its ceilings are as strong as the stored ones on the root mean square over layers.
        Raises `MoodError` where that of the hidden states is not known.
        """
        residual = self.emotions.measurement.residual_rms
        if residual is None or not any(residual):
            raise MoodError(
                "$dose",
                "relative needs the residual RMS of the model, which is not stored with these "
                "vectors; measure them with llamood extract, or leave $dose out",
            )
        of_layer = np.array(residual)
        of_vector = np.sqrt(np.square(self.data, dtype=np.float64).mean(axis=2))
        known = of_layer > 0
        factors = np.divide(of_layer, of_vector, out=np.zeros_like(of_vector), where=of_vector > 0)
        data = (self.data * factors[:, :, np.newaxis]).astype(np.float32)
        data.flags.writeable = False
        units = np.sqrt(np.square(of_vector[:, known] / of_layer[known]).mean(axis=1))
        units[units == 0] = 1.0  # vectors of zeros are as strong in any dose
        digest = hashlib.blake2b(self.digest + data.tobytes(), digest_size=16).digest()
        ceilings = self.ceilings * units
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

    def sizes(self, rows: Float64, layers: tuple[int, int]) -> Float64:
        """(n,): how strong each blend of weights ``rows`` (n, n_emotion) is in these layers.

        The root mean square over layers of its length, in units of the root mean square of the
        lengths of all vectors there: one vector alone at intensity 1 is about 1.
        """
        first, last = layers
        gram = self._grams[max(first, self.first_layer) : last + 1].mean(axis=0)
        squares = np.einsum("ni,ij,nj->n", rows, gram, rows)
        return cast("Float64", np.sqrt(np.maximum(squares, 0.0)))
