"""What papers do by hand: PyTorch forward hooks that add a vector at the output of attention."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


@contextmanager
def hooked(
    model: Any, added: np.ndarray, *, first: int = 0, site: str = "attn_out"
) -> Iterator[None]:
    """Adds ``added[layer]`` (n_layer, n_embd) from position ``first`` on: at the output of each
    self-attention, or at the end of each block but that of layer 0 (``layer_out``)."""

    def hook_for(layer: int) -> Any:
        def hook(_module: Any, _args: Any, output: Any) -> Any:
            states, *rest = output if isinstance(output, tuple) else (output,)
            steered = states.clone()
            steered[:, first:] += torch.tensor(added[layer])
            return (steered, *rest) if isinstance(output, tuple) else steered

        return hook

    blocks = list(enumerate(model.model.layers))
    modules = (
        [(n, block) for n, block in blocks if n > 0]
        if site == "layer_out"
        else [(n, block.self_attn) for n, block in blocks]
    )
    handles = [module.register_forward_hook(hook_for(n)) for n, module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def steered_logits(
    model: Any,
    tokens: Sequence[int],
    added: np.ndarray,
    *,
    first: int = 0,
    site: str = "attn_out",
) -> np.ndarray:
    """Float32 (n_token, n_vocab)."""
    with torch.no_grad(), hooked(model, added, first=first, site=site):
        logits: np.ndarray = model(torch.tensor([list(tokens)])).logits[0].numpy()
        return logits
