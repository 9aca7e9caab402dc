"""What every program measures from, and what is then said to the steered model."""

from __future__ import annotations

from dataclasses import dataclass

from llamood.extraction.texts import BUNDLED, NEUTRAL, load_texts

EMOTION = "joy"
PROMPTS = (
    "The parcel came late in the evening, and nobody was in.",
    "My neighbour asked me what I thought of the new bridge, and I said",
    "It is half past seven. The train to the coast leaves from platform 4",
    "<|im_start|>user\nTell me about the house you live in.<|im_end|>\n<|im_start|>assistant\n",
)


@dataclass(frozen=True)
class ContrastivePairs:
    """``positive[n]`` is a text of the emotion, ``negative[n]`` one without any."""

    positive: tuple[str, ...]
    negative: tuple[str, ...]

    @classmethod
    def bundled(cls, n_pair: int) -> ContrastivePairs:
        """The first of the texts that ship with llamood."""
        texts = load_texts(BUNDLED).texts
        return cls(texts[EMOTION][:n_pair], texts[NEUTRAL][:n_pair])

    def told(self) -> list[tuple[str, str]]:
        return list(zip(self.positive, self.negative, strict=True))
