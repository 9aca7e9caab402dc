"""Where in a model vectors take hold: what is tried when it is opened with some."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from llamood import _core
from llamood.errors import ModelError
from llamood.vectors.measurement import Site
from llamood.voices.opened_llama import OpenedLlama

_AT_LAYER_OUT = "so nothing can be added there; use site='layer_out'"
_ELSEWHERE = "so it cannot be steered; use a model of another architecture"


@dataclass(frozen=True)
class ReachIn:
    """In which layers of a model each way of adding takes hold. ``is_recurrent``: whether its
    memory is, wholly or in part."""

    arch: str
    n_layer: int
    vector: tuple[int, ...]
    layer_out: tuple[int, ...]
    attn_out: tuple[int, ...]
    is_recurrent: bool


def reach_in(path: Path) -> ReachIn:
    """Of a model file. Raises `ModelError` where llama.cpp does not load it, or decodes nothing."""
    try:
        llm = OpenedLlama(str(path), n_ctx=1)
    except ValueError as error:
        raise ModelError(f"{path}: llama.cpp cannot load this model ({error})") from None
    with closing(llm):
        arch = llm.metadata.get("general.architecture", "")
        reach = _core.reach_of(llm._model_address(), arch=arch)
        if not reach.is_known:
            raise ModelError(f"{path}: llama.cpp decodes no token of this model by itself")
        return ReachIn(
            arch=arch,
            n_layer=len(reach.vector),
            vector=_layers(reach.vector),
            layer_out=_layers(reach.layer_out),
            attn_out=_layers(reach.attn_out),
            is_recurrent=bool(llm._is_recurrent or llm._is_hybrid),
        )


def ranges(layers: Sequence[int]) -> str:
    """Rising numbers in words: "1 to 3, 5"; "none" where there are none."""
    runs: list[list[int]] = []
    for layer in layers:
        if runs and layer == runs[-1][1] + 1:
            runs[-1][1] = layer
        else:
            runs.append([layer, layer])
    said = (str(first) if first == last else f"{first} to {last}" for first, last in runs)
    return ", ".join(said) or "none"


def _layers(reached: Sequence[bool]) -> tuple[int, ...]:
    return tuple(layer for layer, is_reached in enumerate(reached) if is_reached)


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
        place = f"has no place for site {site}"
        _judge(reach.attn_out, arch=arch, first=0, lack=place, then=_AT_LAYER_OUT)
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
        warnings.warn(
            f"{said}, so vectors do nothing there: layers {ranges(missing)}", stacklevel=4
        )
        return
    raise ModelError(f"{said}, {then}")
