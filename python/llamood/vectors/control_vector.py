"""One emotion in a GGUF file that llama.cpp loads with ``--control-vector``.

``direction.N`` is what is added at layer N, counted from 0; llama.cpp has no place for
layer 0, which is kept in the key ``llamood.direction_0`` like all that only we know.
Other writers' files are read too; `read` says how they differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from llamood.errors import FileError, VectorError
from llamood.vectors.emotion_vectors import EmotionVectors, Float32, reserved
from llamood.vectors.gguf_header import (
    F32,
    FLOATS,
    INT32,
    Tensor,
    faults_of_layout,
    opened,
    read_header,
    read_numbers,
)
from llamood.vectors.measurement import SITES, Measurement, Site

ARCHITECTURE = "controlvector"
STEERING_VECTOR = "steeringvector"  # dialz's, which llama.cpp does not load; any floats in it
VERSION = 1
DIRECTION = re.compile(r"direction\.(0|[1-9][0-9]{0,5})")

TEXT, WHOLE, NUMBER, NUMBERS = "a text", "a whole number", "a number", "an array of numbers"
KEYS = {  # key without "llamood." -> what its value must be
    "version": WHOLE,
    "emotion": TEXT,
    "method": TEXT,
    "site": TEXT,
    "positions": TEXT,
    "pairs": WHOLE,
    "direction_0": NUMBERS,
    "residual_rms": NUMBERS,
    "model.name": TEXT,
    "model.fingerprint": TEXT,
    "scale": NUMBER,
    "ceiling": NUMBER,
    "affect": NUMBERS,
}


@dataclass(frozen=True)
class Hints:
    """What a caller knows about files whose writers do not say it.

    ``index_base``: what the writer calls the first layer, 0 or 1; 0 unless given. 1 is right
    for llama.cpp's cvector-generator and for jukofyork's tool, which write what they measured
    at layer N - 1 as ``direction.N`` and leave the last layer out, and for writers that number
    all layers from one. 0, where it is given, lets a ``direction.0`` be layer 0.
    ``n_layer``: the depth of the model, for writers that leave layers out: those stay zero.
    Unless given, the depth is found from the file and a missing layer is a fault.
    ``site``: where the vectors were measured, where the file does not say.
    ``are_named``: the names in the files will be replaced, so they may be any.

    Raises `VectorError` for values that make no sense.
    """

    index_base: int | None = None
    n_layer: int | None = None
    site: Site | None = None
    are_named: bool = False

    def __post_init__(self) -> None:
        if self.index_base not in (None, 0, 1):
            raise VectorError(f"index_base is {self.index_base!r}, expected 0 or 1")
        if self.n_layer is not None and not 2 <= self.n_layer < 10**4:
            raise VectorError(f"n_layer is {self.n_layer!r}, expected the depth of a model")
        if self.site is not None and self.site not in SITES:
            raise VectorError(f"site is {self.site!r}, expected one of {', '.join(SITES)}")

    def name(self, found: str) -> str:
        """What to call an emotion until it is renamed."""
        return f"called {found}" if self.are_named and reserved(found) else found


NO_HINTS = Hints()


def read(path: Path, hints: Hints = NO_HINTS) -> EmotionVectors:
    """The one emotion in a control-vector file, ours or another writer's.

    ``direction.N`` is layer N in files of llamood, repeng, dialz and EasySteer, and to llama.cpp in
    any file; `Hints` has the exceptions. Layer 0 is zero where nothing carries it. The emotion is
    called what ``llamood.emotion`` says, else what the file is called. Another writer's model
    hint may be the Hugging Face name of an architecture, so it becomes ``model_name`` and is
    never compared with a model.

    Raises `FileError` with every fault found; no array is made before the header has passed.
    """
    base = hints.index_base or 0
    with opened(path) as file:
        header = read_header(file, path)
        architecture = header.metadata.get("general.architecture")
        known = (ARCHITECTURE, STEERING_VECTOR)
        if not isinstance(architecture, str) or architecture not in known:
            raise FileError(
                path,
                f"general.architecture is {architecture!r:.60}, expected {ARCHITECTURE!r}: "
                "this is no control vector",
            )
        facts, faults = _facts(header.metadata)
        faults += _contradictions(facts, hints)
        types = tuple(FLOATS) if architecture == STEERING_VECTOR else (F32,)
        declared = header.metadata.get(f"{architecture}.layer_count")
        is_signed = header.kinds.get(f"{architecture}.layer_count") == INT32
        if "version" in facts and isinstance(declared, int):
            declared += 1
        numbers = [int(m[1]) for t in header.tensors if (m := DIRECTION.fullmatch(t.name))]
        faults += faults_of_layout(header)
        faults += _faults_of_zero(numbers, declared, hints, own="version" in facts)
        faults += _faults_of_tensors(header.tensors, types)
        depth, more = _depth(numbers, declared, hints, is_signed=is_signed)
        faults += more
        if faults:
            raise FileError(path, *faults)
        data = _rows(file, path, header.tensors, depth, base)
    faults = _fill_first_layer(data, facts) + _faults_of_values(data, base)
    if faults:
        raise FileError(path, *faults)
    hint = header.metadata.get(f"{architecture}.model_hint")
    return _value(path, data, facts, hint if isinstance(hint, str) and hint else None, hints)


def write(path: Path, evs: EmotionVectors, name: str) -> None:
    """Write one of the emotions, so that `read` gives it back bit for bit."""
    from gguf import GGUFValueType, GGUFWriter  # 70 ms that most programs never need

    m, i = evs.measurement, evs.names.index(name)
    text, f32, f64 = GGUFValueType.STRING, GGUFValueType.FLOAT32, GGUFValueType.FLOAT64
    facts = [
        # Where it is not known an empty one: repeng refuses a file without any.
        (f"{ARCHITECTURE}.model_hint", m.model_arch or "", text),
        (f"{ARCHITECTURE}.layer_count", evs.n_layer - 1, GGUFValueType.UINT32),
        ("llamood.version", VERSION, GGUFValueType.UINT32),
        ("llamood.emotion", name, text),
        ("llamood.method", m.method, text),
        ("llamood.site", m.site, text),
        ("llamood.positions", m.positions, text),
        ("llamood.pairs", evs.pairs[i], GGUFValueType.UINT32),
        ("llamood.direction_0", evs[name][0].tolist(), f32),
        ("llamood.residual_rms", m.residual_rms, f64),
        ("llamood.model.name", m.model_name, text),
        ("llamood.model.fingerprint", m.model_fingerprint, text),
        ("llamood.scale", evs.scale[i], f64),
        ("llamood.ceiling", evs.ceiling[i], f64),
        ("llamood.affect", evs.affect[i], f64),
    ]
    writer = GGUFWriter(path, ARCHITECTURE)
    for key, value, kind in facts:
        if isinstance(value, list | tuple):
            writer.add_key_value(key, value, GGUFValueType.ARRAY, kind)
        elif value is not None:
            writer.add_key_value(key, value, kind)
    for layer in range(1, evs.n_layer):
        writer.add_tensor(f"direction.{layer}", evs[name][layer])
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def gaps(numbers: list[int], first: int, last: int) -> str:
    """The numbers missing between first and last, as ``3, 7-9``; empty if none is."""
    present = [first - 1, *sorted(n for n in set(numbers) if first <= n <= last), last + 1]
    runs = [
        f"{a + 1}" if b - a == 2 else f"{a + 1}-{b - 1}" for a, b in pairwise(present) if b - a > 1
    ]
    return ", ".join(runs)


def _facts(metadata: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Our own keys without their prefix, those of the right type; and what is wrong."""
    facts, faults = {}, []
    for name, expected in KEYS.items():
        value = metadata.get(f"llamood.{name}")
        if value is None:
            continue
        if _kind(value) == expected or (expected == NUMBER and _kind(value) == WHOLE):
            facts[name] = value
        else:
            faults.append(f"llamood.{name} is {_kind(value)}, expected {expected}")
    if facts.get("version", VERSION) > VERSION:
        faults.append(
            f"a newer llamood wrote it (llamood.version {facts['version']}, this one reads "
            f"{VERSION}); upgrade llamood"
        )
    return facts, faults


def _contradictions(facts: dict[str, Any], hints: Hints) -> list[str]:
    faults = []
    if "version" in facts and hints.index_base == 1:
        faults.append("index base 1 was asked, but llamood wrote this file, from base 0")
    if hints.site is not None and facts.get("site", hints.site) != hints.site:
        faults.append(f"site {hints.site} was asked, but the file says {facts['site']}")
    return faults


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiu":
        return NUMBERS
    kinds = {str: TEXT, int: WHOLE, float: NUMBER}
    return kinds.get(type(value), "a list of texts")


def _faults_of_tensors(tensors: tuple[Tensor, ...], types: tuple[int, ...]) -> list[str]:
    """Whatever llama.cpp's loader would refuse the whole file for, but for other ``types``."""
    faults = []
    if not tensors:
        faults.append("no direction in it, expected direction.1 and so on")
    widths: dict[int, str] = {}
    for tensor in tensors:
        match = DIRECTION.fullmatch(tensor.name)
        if not match:
            faults.append(f"tensor {tensor.name!r}, expected only direction.1 and so on")
        if tensor.type not in types:
            faults.append(f"{tensor.name} is {tensor.type_name}, expected F32")
        if len(tensor.shape) != 1:
            shape = "x".join(map(str, tensor.shape))
            faults.append(f"{tensor.name} is {len(tensor.shape)}-D ({shape}), expected 1-D")
        elif tensor.shape[0] == 0:
            faults.append(f"{tensor.name} is empty")
        else:
            widths.setdefault(tensor.shape[0], tensor.name)
    if len(widths) > 1:
        each = ", ".join(f"{width} ({name})" for width, name in widths.items())
        faults.append(f"directions of unequal width: {each}")
    return faults


def _depth(
    numbers: list[int], declared: Any, hints: Hints, *, is_signed: bool
) -> tuple[int, list[str]]:
    """The number of layers, and the faults in the numbering of the directions.

    ``declared``: the layer count in the file; some writers count directions, others layers.
    ``is_signed``: its type, as of cvector-generator.
    """
    last = max(numbers, default=0)
    if hints.n_layer is not None:
        layer, n = last - (hints.index_base or 0), hints.n_layer
        faults = [f"direction.{last} is layer {layer} of a model of {n} layers"]
        return n, faults if layer >= n else []
    faults = []
    depth = last + 1
    if declared is not None:
        if not isinstance(declared, int) or not 0 < declared < 10**6:
            return depth, [f"layer_count is {declared!r:.60}, expected a number of layers"]
        if declared < len(numbers):
            faults.append(f"layer_count is {declared}, but there are {len(numbers)} directions")
        depth = max(depth, declared)
        # Who numbers as many as it says from one has them all; but cvector-generator counts
        # directions, and leaves the last layer out.
        if hints.index_base == 1 and declared == last and not is_signed:
            depth = last
    elif hints.index_base == 1:
        faults.append(
            f"it does not say whether direction.{last} is of the model's last layer; give n_layer "
            "(--n-layer), the depth of the model"
        )
    missing = gaps(numbers, 1, depth - 1)
    if missing and numbers:
        faults.append(
            f"missing layers: direction {missing} of 1-{depth - 1}; "
            "give n_layer, the depth of the model, to leave them at zero"
        )
    return depth, faults


def _faults_of_zero(numbers: list[int], declared: Any, hints: Hints, *, own: bool) -> list[str]:
    """What is wrong with a ``direction.0``, which is layer 0 where the file shows that it has all
    layers (as EasySteer's do), or where it is said."""
    if 0 not in numbers:
        return []
    if hints.index_base == 1:
        return ["there is a direction.0, but index base 1 was asked"]
    shows = declared == len(numbers) == max(numbers) + 1
    if not own and (hints.index_base == 0 or shows):
        return []
    return [
        "direction.0 is zero-numbered; llama.cpp knows directions from 1 on. If it is of layer 0, "
        "convert the file with index_base=0 (llamood convert --index-base 0)"
    ]


def _rows(
    file: BinaryIO, path: Path, tensors: tuple[Tensor, ...], depth: int, index_base: int
) -> Float32:
    """(depth, n_embd); the layers that no direction is for are zero."""
    data = np.zeros((depth, tensors[0].shape[0]), dtype=np.float32)
    for tensor in tensors:
        number = int(tensor.name.removeprefix("direction."))
        data[number - index_base] = read_numbers(file, path, tensor)
    return data


def _fill_first_layer(data: Float32, facts: dict[str, Any]) -> list[str]:
    first = facts.get("direction_0")
    if first is None:
        return []
    if len(first) != data.shape[1]:
        return [f"llamood.direction_0 has width {len(first)}, the directions {data.shape[1]}"]
    data[0] = first
    return []


def _faults_of_values(data: Float32, index_base: int) -> list[str]:
    bad = np.flatnonzero(~np.isfinite(data).all(axis=1)) + index_base
    return [f"direction.{number} has NaN or infinity in it" for number in bad]


def _value(
    path: Path, data: Float32, facts: dict[str, Any], hint: str | None, hints: Hints
) -> EmotionVectors:
    own = "version" in facts
    rms = facts.get("residual_rms")
    affect = facts.get("affect")
    try:
        measurement = Measurement(
            method=facts.get("method"),
            site=facts.get("site", hints.site or "layer_out"),
            positions=facts.get("positions"),
            model_name=facts.get("model.name") if own else hint,
            model_arch=hint if own else None,
            model_fingerprint=facts.get("model.fingerprint"),
            residual_rms=None if rms is None else tuple(rms.tolist()),
        )
        return EmotionVectors(
            (hints.name(facts.get("emotion", path.stem)),),
            data[np.newaxis],
            measurement,
            pairs=(facts.get("pairs"),),
            scale=(facts.get("scale", 1.0),),
            ceiling=(facts.get("ceiling"),),
            affect=(None if affect is None else affect.tolist(),),
        )
    except VectorError as error:
        raise FileError(path, str(error)) from error
