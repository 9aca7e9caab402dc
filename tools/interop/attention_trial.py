"""The paper's hook at the attention output, in PyTorch, against llamood's site ``attn_out``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from interop.comparison import Agreement, Cosines, Logits, by_layer, stored_logits
from interop.voice import steered_logits
from interop.workplace import Workplace
from llamood.vectors.emotion_vectors import EmotionVectors

COEFFICIENT = 1.0


@dataclass(frozen=True)
class AttentionTrial:
    """``exact``: with the same weights in float32 here; ``quantised``: with the model's own file.
    ``unsteered``: that file without any steering, for what its kernels alone make of the logits."""

    exact: Agreement
    quantised: Agreement
    unsteered: Agreement


def tried(place: Workplace, added: EmotionVectors) -> AttentionTrial:
    """``added``: one emotion, in all layers, layer 0 too."""
    rows = place.folder / "attention-rows.npz"
    np.savez(rows, **{str(layer): row for layer, row in enumerate(added.data[0])})
    _, arrays = place.job(
        "attend", "attend", prompts=place.prompts, rows=str(rows), coefficient=COEFFICIENT
    )
    plain, steered = (stored_logits(arrays, name) for name in ("plain", "steered"))

    def here(model: Path, times: float) -> list[Logits]:
        return steered_logits(
            model,
            added,
            place.prompts,
            coefficient=times,
            threads=place.threads,
            site="attn_out",
        )

    return AttentionTrial(
        Agreement.of(here(place.exact, COEFFICIENT), steered, plain),
        Agreement.of(here(place.quantised, COEFFICIENT), steered, plain),
        Agreement.of(here(place.quantised, 0.0), plain, plain),
    )


def attention_alone(own: dict[str, Logits]) -> dict[int, Logits]:
    """Of the mean differences that llamood measured at both sites (n_layer, n_embd), what attention
    alone adds in each layer but the first: what is between attention and MLP, less what the layer
    began with."""
    return {
        layer: row - own["layer_out"][layer - 1]
        for layer, row in by_layer(own["attn_out"]).items()
        if layer > 0
    }


def cosines(own: dict[str, Logits], theirs: dict[int, Logits]) -> tuple[Cosines, Cosines]:
    """Of the attention output as a peer measured it: with that of llamood, and with what llamood
    calls ``attn_out``, in which the residual stream is, too."""
    return (
        Cosines.of(theirs, attention_alone(own)),
        Cosines.of(theirs, by_layer(own["attn_out"])),
    )
