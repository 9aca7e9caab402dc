"""The vectors at hand as a mood mixes them: in one dose, with what is derived from them once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from llamood import _core
from llamood.moods.affect import AffectMap
from llamood.vectors.emotion_vectors import EmotionVectors, Float64
from llamood.vectors.measurement import Site

# What a vector may add that was never calibrated: parts of the hidden state's root mean square in
# each layer, summed over layers.
SAFE_SUM = _core.safe_sum


@dataclass(frozen=True, eq=False)
class SteeringVectors:
    """``core``: what is known of them, in one dose."""

    emotions: EmotionVectors
    core: _core.SteeringVectors

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
        core = _core.SteeringVectors(
            emotions.names,
            _core.Bank(emotions.data),
            ceilings=emotions.ceiling,
            scales=emotions.scale,
            site=site or emotions.measurement.site,
            residual=residual_rms or emotions.measurement.residual_rms or (),
        )
        return cls(emotions, core)

    @cached_property
    def relative(self) -> SteeringVectors:
        """The dose ``relative``: intensity 1 adds, in each layer, a vector whose root mean square
        is that of the hidden state there.

        Ceilings that were measured are as strong as the stored ones on the root mean square over
        layers. Raises `MoodError` where that of the hidden states is not known.
        """
        return replace(self, core=self.core.relative)

    @cached_property
    def affect_map(self) -> AffectMap:
        """Where these emotions lie in valence, arousal and dominance."""
        return AffectMap.fit(self.emotions)

    @property
    def site(self) -> Site:
        """Where they are added."""
        return self.core.site

    @property
    def first_layer(self) -> int:
        """The first layer that can be added to: llama.cpp has no control vector for layer 0."""
        return self.core.first_layer

    @cached_property
    def bank(self) -> _core.Bank:
        """What intensity 1 adds."""
        return self.core.bank

    @property
    def factors(self) -> Float64:
        """(n_emotion, n_layer): how many times the vector as stored that is in a layer."""
        return self.core.factors

    @property
    def ceilings(self) -> Float64:
        """(n_emotion,): the largest intensity that reads fluently; where that was not measured,
        the one that is safe; infinite where that is not known either."""
        return self.core.ceilings

    @property
    def units(self) -> Float64:
        """(n_emotion,): the intensity here that is as strong as intensity 1 of the vector as
        stored."""
        return self.core.units
