"""Where in a model vectors take hold: what is tried when it is opened with some."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from llamood import _core
from llamood.errors import ModelError
from llamood.vectors.emotion_vectors import Site


_ELSEWHERE = "so it cannot be steered; use a model of another architecture"


def require_reach(unsafe_model: int, *, arch: str, site: Site, rows: bool) -> None:
    """Decode one token of the model at this address, and look where its graph could add vectors at
    this site; ``rows``: to the rows of a node also where llama.cpp's control vector would do.

    Raises `ModelError` where that is nowhere. Warns where layers are without, and names them. Costs
    a token on one thread and a small context; see ``csrc/graph/reach.hpp``.
    """
    reach = _core.reach_of(unsafe_model, arch=arch)
    if not reach.is_known:  # the first answer in a mood will tell
        return
    if site == "attn_out":
        _judge(reach.attn_out, arch=arch, first=0, lack=f"has no place for site {site}", then="so nothing can be added there; use site='layer_out'")
    elif rows:
        _judge(reach.layer_out, arch=arch, first=0, lack="shows no end of a block")
    else:
        _judge(reach.vector, arch=arch, first=1, lack="ignores control vectors: it adds none")


def _judge(
    reached: Sequence[bool], *, arch: str, first: int, lack: str, then: str = _ELSEWHERE
) -> None:
    missing = [layer for layer in range(first, len(reached)) if not reached[layer]]
    n = len(reached) - first
    if not missing:
        return
    said = f"llama.cpp's {arch!r} graph {lack} in {len(missing)} of {n} layers of this model"
    if len(missing) < n:
        named = ", ".join(map(str, missing))
        warnings.warn(f"{said}, so vectors do nothing in layers {named}", stacklevel=4)
        return
    raise ModelError(f"{said}, {then}")
