"""Where an emotion may be added to a model, and in which way it was measured."""

from __future__ import annotations

from dataclasses import dataclass

from llamood.extraction.candidates import BOTH, CONTROL, WORDS, Candidates, name_of
from llamood.extraction.windows import DEPTHS, LAST, LATER_HALF, Range, window
from llamood.moods.parameters import LARGEST


@dataclass(frozen=True)
class Place:
    """What is added, and where: ``way`` of `Candidates`; in ``layers``, both ends included; as
    measured, or in ``increments`` (`llamood.increments`)."""

    way: str
    layers: Range
    increments: bool = False

    def vector(self, emotion: str) -> str:
        """What is added of an emotion, by its name in `Candidates.together`."""
        return name_of(emotion, self.way, increments=self.increments)

    def mood(self, emotion: str, dose: float) -> dict[str, object]:
        """So much of an emotion, whatever its ceiling, by what `vector` names."""
        return {
            self.vector(emotion): {"constant": dose, "max": LARGEST},
            "$layers": self.layers,
            "$max": LARGEST,
        }

    def __str__(self) -> str:
        how = ", in increments" if self.increments else ""
        return f"{self.way}{how}, layers {self.layers[0]} to {self.layers[1]}"


def places(candidates: Candidates) -> list[Place]:
    """All that may be tried: every way but the control, in each window, in all layers, and in
    increments; those with words, up to the last layer."""
    n_layer = candidates.n_layer
    ways = [way for way in candidates.ways if not way.endswith(CONTROL)]
    felt = [way for way in ways if not way.endswith((WORDS, BOTH))]
    windows = dict.fromkeys(window(depths, n_layer=n_layer) for depths in DEPTHS)
    last, half = (window(depths, n_layer=n_layer) for depths in (LAST, LATER_HALF))
    return [
        *(Place(way, layers) for layers in windows for way in felt),
        *(Place(way, half if way.endswith(BOTH) else last) for way in ways if way not in felt),
        *(Place(way, (1, n_layer - 1)) for way in felt),
        *(Place(way, (1, n_layer - 1), increments=True) for way in felt),
    ]


def quick_places(candidates: Candidates) -> list[Place]:
    """What a first calibration tries (docs/method.md says why): of the first source what is felt in
    two windows, words, and both; of another what is felt in the middle; of vectors that were
    measured elsewhere every window."""
    ways = [way for way in candidates.ways if not way.endswith(CONTROL)]
    first, *others = dict.fromkeys(way.partition(", ")[0] for way in ways)
    tried: dict[str, tuple[tuple[float, float], ...]] = {
        candidates.felt(first): DEPTHS[1:],
        f"{first}, {WORDS}": (LAST,),
        f"{first}, {BOTH}": (LATER_HALF,),
        **{candidates.felt(other): DEPTHS[1:2] for other in others},
    }
    known = {way: depths for way, depths in tried.items() if way in ways} or {ways[0]: DEPTHS}
    n_layer = candidates.n_layer
    found = [Place(way, window(each, n_layer=n_layer)) for way in known for each in known[way]]
    return list(dict.fromkeys(found))
