"""Emotion vectors as others store them: the paper's JSON, npz, safetensors and PyTorch files.

Each reader takes a file, checks it, and gives the emotions in it as one set, or raises
`FileError` with every fault found. Files are hostile: sizes are held against the bytes
that are there, nothing is unpickled, and nothing in a file is run.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from llamood.arrays import require_proportion, unpacked
from llamood.errors import FileError, VectorError
from llamood.extras import to_install
from llamood.vectors.control_vector import NO_HINTS, Hints, gaps
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.gguf_header import opened
from llamood.vectors.measurement import Measurement, Site

Array: TypeAlias = "np.ndarray[Any, Any]"

LIMIT = 1024**3  # bytes in a file, and in what it unpacks to
ABOUT = "llamood"  # where our own files keep what is known beside the numbers
ABOUT_VERSION = 1
STEERING_VECTORS_TYPES: dict[str, Site] = {  # what steering-vectors calls the places of a block
    "decoder_block": "layer_out",
    "self_attn": "attn_out",
}


class _SteeringVector:
    """What is unpickled for the ``SteeringVector`` of the library steering-vectors: its fields,
    ``layer_activations``, tensors by layer, and ``layer_type``."""


def read_json(path: Path, hints: Hints = NO_HINTS) -> EmotionVectors:
    """The paper's published form, ``{"0": [[n_embd numbers]], "1": ...}``: one emotion.

    The emotion is what follows the last underscore in the file's name. Unless told
    otherwise, its site is ``attn_out``: the published vectors were measured there.
    """
    content = _json(path)
    if not isinstance(content, dict) or not content:
        raise FileError(path, f"JSON {_named(content)}, expected an object of layers")
    faults, rows = [], {}
    for key, row in content.items():
        if not (isinstance(row, list) and len(row) == 1 and isinstance(row[0], list) and row[0]):
            faults.append(f"layer {key!r} is {_named(row)}, expected [[numbers]]")
        elif any(type(number) not in (int, float) for number in row[0]):
            faults.append(f"layer {key!r} has something in it that is no number")
        else:
            try:
                rows[key] = np.array(row[0], dtype=np.float64)
            except OverflowError:
                faults.append(f"layer {key!r} has a number too large for float32")
    if faults:
        raise FileError(path, *faults)
    data = _stacked(path, rows, hints)
    name = path.stem.rpartition("_")[2]
    return _set(path, {name: data}, Measurement(site=hints.site or "attn_out"), hints)


def read_npz(path: Path, hints: Hints = NO_HINTS) -> EmotionVectors:
    """An archive of one array (n_layer, n_embd) for each emotion, or of ``data``
    (n_emotion, n_layer, n_embd) with ``names``, or of one array for each layer number.
    """
    with opened(path) as file:
        arrays = unpacked(path, file, limit=LIMIT)
    about = arrays.pop(ABOUT, None)
    told = None if about is None else str(about)
    return _from_arrays(path, arrays, told, hints)


def read_safetensors(path: Path, hints: Hints = NO_HINTS) -> EmotionVectors:
    """One tensor (n_layer, n_embd) for each emotion, or one for each layer number."""
    try:
        from safetensors import SafetensorError, deserialize
    except ImportError:
        raise _missing(path, "safetensors", to_install("convert")) from None
    content = _content(path)
    try:
        tensors = deserialize(content)  # type: ignore[no-untyped-call, unused-ignore]
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except (SafetensorError, ValueError, RecursionError) as error:
        raise FileError(path, f"truncated, damaged or no .safetensors file: {error}") from error
    told = (header.get("__metadata__") or {}).get(ABOUT)
    kinds = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
    faults = [
        f"{name} is {t['dtype']}, expected {', '.join(kinds)}"
        for name, t in tensors
        if t["dtype"] not in kinds
    ]
    if faults:
        raise FileError(path, *faults)
    arrays = {}
    for name, t in tensors:
        flat = np.frombuffer(t["data"], dtype=kinds[t["dtype"]])
        if t["dtype"] == "BF16":  # the upper half of a float32
            flat = (flat.astype(np.uint32) << 16).view(np.float32)
        arrays[name] = flat.reshape(t["shape"])
    return _from_arrays(path, arrays, told, hints)


def read_pt(path: Path, hints: Hints = NO_HINTS) -> EmotionVectors:
    """What ``torch.save`` wrote: a tensor (n_layer, n_embd), named by the file; or a dict
    of such tensors, of one tensor for each layer number, or of ``data`` with ``names``; or a
    ``SteeringVector`` of the library steering-vectors.

    Only weights are read (``weights_only=True``); a file that holds anything else is refused.
    """
    try:
        import torch
    except ImportError:
        raise _missing(path, "PyTorch", "pip install torch") from None
    content = _unpickled(path)
    if isinstance(content, _SteeringVector):
        content, hints = _of_steering_vectors(path, content, hints)
    if isinstance(content, torch.Tensor):
        content = {path.stem: content}
    if not isinstance(content, dict) or not content:
        raise FileError(path, f"holds {type(content).__name__}, expected a tensor or a dict")
    faults, arrays, n_byte = [], {}, 0
    for key, value in content.items():
        name = str(key) if isinstance(key, str | int) else ""
        if not name or name in arrays:
            faults.append("has a tensor without a name, or two of one name")
        elif key == "names" and isinstance(value, list | tuple):
            arrays["names"] = np.array([str(n) for n in value if isinstance(n, str | int)])
        elif not isinstance(value, torch.Tensor) or not value.is_floating_point():
            faults.append(f"{key!r} is {type(value).__name__}, expected a tensor of floats")
        elif value.layout != torch.strided or value.is_meta:
            faults.append(f"{key!r} is stored as {value.layout}, expected a dense tensor")
        elif value.numel() * value.element_size() > value.untyped_storage().nbytes():
            faults.append(f"{key!r} claims {value.numel()} elements, more than are stored")
        elif (n_byte := n_byte + value.numel() * value.element_size()) > path.stat().st_size:
            faults.append(f"{key!r} and those before it claim more elements than are stored")
        else:
            kept = torch.float64 if value.dtype == torch.float64 else torch.float32
            arrays[name] = value.detach().to(kept).numpy()
    if faults:
        raise FileError(path, *faults)
    return _from_arrays(path, arrays, None, hints)


def _unpickled(path: Path) -> Any:
    """Tensors, and what holds them."""
    import torch

    known = (_SteeringVector, "steering_vectors.steering_vector.SteeringVector")
    with opened(path) as file:
        _require_size(path, file)
        size = file.seek(0, 2)
        try:
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as archive:
                    require_proportion(path, archive, size=size)
            file.seek(0)
            with torch.serialization.safe_globals([known]):  # type: ignore[list-item, unused-ignore]
                return torch.load(file, map_location="cpu", weights_only=True)
        except FileError:
            raise
        except Exception as error:  # a pickle of strangers: there is no list of what it raises
            reason = str(error).partition("\n")[0]
            raise FileError(path, f"truncated, or not only weights in it: {reason}") from error


def _of_steering_vectors(path: Path, value: _SteeringVector, hints: Hints) -> tuple[Any, Hints]:
    """Its tensors by layer, and where they were measured."""
    place = getattr(value, "layer_type", "decoder_block")
    site = STEERING_VECTORS_TYPES.get(place) if isinstance(place, str) else None
    if site is None:
        expected = " or ".join(STEERING_VECTORS_TYPES)
        raise FileError(path, f"was measured at {place!r:.60}, expected {expected}")
    if hints.site not in (None, site):
        raise FileError(path, f"site {hints.site} was asked, it says {place} ({site})")
    return getattr(value, "layer_activations", None), replace(hints, site=site)


def write_npz(path: Path, evs: EmotionVectors) -> None:
    """``data``, ``names``, and the rest of what is known as JSON; `read_npz` restores it all."""
    content = io.BytesIO()
    arrays: dict[str, Any] = {"data": evs.data, "names": np.array(evs.names), ABOUT: _told(evs)}
    np.savez(content, **arrays)
    path.write_bytes(content.getbuffer())


def write_safetensors(path: Path, evs: EmotionVectors) -> None:
    """A tensor for each emotion, and the rest as JSON; `read_safetensors` restores it all."""
    try:
        from safetensors.numpy import save
    except ImportError:
        raise _missing(path, "safetensors", to_install("convert")) from None
    arrays = {name: np.ascontiguousarray(evs[name]) for name in evs.names}
    path.write_bytes(save(arrays, metadata={ABOUT: _told(evs)}))


def _told(evs: EmotionVectors) -> str:
    return json.dumps(
        {
            "version": ABOUT_VERSION,
            "names": evs.names,
            "measurement": asdict(evs.measurement),
            "pairs": evs.pairs,
            "scale": evs.scale,
            "ceiling": evs.ceiling,
            "affect": evs.affect,
        }
    )


def _from_arrays(
    path: Path, arrays: dict[str, Array], told: str | None, hints: Hints
) -> EmotionVectors:
    """The emotions in a collection of named arrays, in whichever of its forms it is.

    ``told``: what `_told` made, in a file of ours.
    """
    by_layer = told is None and bool(arrays) and all(key.isdecimal() for key in arrays)
    if hints.index_base is not None and not by_layer:
        raise FileError(path, "an index base was given, but its layers are not numbered")
    if by_layer:
        arrays = {path.stem: _stacked(path, arrays, hints)}
    names = arrays.pop("names", None)
    if names is not None and "data" in arrays:
        data, listed = arrays["data"], [str(name) for name in np.atleast_1d(names)]
        if len(arrays) > 1 or data.ndim != 3 or len(data) != len(listed):
            raise FileError(
                path,
                f"data has shape {data.shape} for {len(listed)} names, expected "
                "(n_emotion, n_layer, n_embd) and nothing else",
            )
        arrays = dict(zip(listed, data, strict=True))
    if told is not None:
        return _own(path, arrays, told, hints)
    return _set(path, arrays, Measurement(site=hints.site or "layer_out"), hints)


def _own(path: Path, arrays: dict[str, Array], told: str, hints: Hints) -> EmotionVectors:
    """A set as `write_npz` and `write_safetensors` leave it."""
    try:
        about = json.loads(told)
        if about["version"] > ABOUT_VERSION:
            raise FileError(path, f"a newer llamood wrote it (version {about['version']}); upgrade")
        names = tuple(about["names"])
        if len(set(names)) < len(names):
            raise FileError(path, "what llamood wrote about it is damaged: it names one twice")
        measurement = Measurement(**about["measurement"])
        if hints.site not in (None, measurement.site):
            raise FileError(path, f"site {hints.site} was asked, it says {measurement.site}")
        return EmotionVectors(
            tuple(map(hints.name, names)),
            np.stack([arrays[name] for name in names]),
            measurement,
            *(tuple(about[field]) for field in ("pairs", "scale", "ceiling", "affect")),
        )
    except FileError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise FileError(path, f"what llamood wrote about it is damaged: {error}") from error


def _set(
    path: Path, arrays: Mapping[str, Array], measurement: Measurement, hints: Hints
) -> EmotionVectors:
    """One emotion for each array, all (n_layer, n_embd)."""
    shapes = {name: array.shape for name, array in arrays.items()}
    depth = hints.n_layer
    faults = [
        f"{name} has shape {shape}, expected ({depth or 'n_layer'}, n_embd)"
        for name, shape in shapes.items()
        if len(shape) != 2 or 0 in shape or (depth is not None and shape[0] != depth)
    ]
    if not arrays:
        faults.append("no vectors in it")
    if not faults and len(set(shapes.values())) > 1:
        faults.append("unequal shapes: " + ", ".join(f"{n} {s}" for n, s in shapes.items()))
    if faults:
        raise FileError(path, *faults)
    try:
        names = tuple(map(hints.name, arrays))
        return EmotionVectors(names, np.stack(list(arrays.values())), measurement)
    except VectorError as error:
        raise FileError(path, str(error)) from error


def _stacked(path: Path, rows: Mapping[str, Array], hints: Hints) -> Array:
    """(n_layer, n_embd) from one row for each layer number."""
    first, n_layer = hints.index_base or 0, hints.n_layer
    faults = [f"{key[:20]!r} is no layer number" for key in rows if not _is_layer(key)]
    if faults:
        raise FileError(path, *faults)
    flat = {
        int(key): row.reshape(-1)
        for key, row in rows.items()
        if max(row.shape, default=0) == row.size
    }
    faults += [
        f"layer {key} has shape {row.shape}, expected one row"
        for key, row in rows.items()
        if int(key) not in flat
    ]
    if len({row.size for row in flat.values()}) > 1:
        sizes = ", ".join(f"{row.size} ({layer})" for layer, row in flat.items())
        faults.append(f"layers of unequal width: {sizes}")
    last = first + n_layer - 1 if n_layer is not None else max(flat, default=0)
    faults += [
        f"layer {layer} is outside {first}-{last}" for layer in flat if not first <= layer <= last
    ]
    missing = gaps(list(flat), first, last)
    if missing and n_layer is None:
        hint = "are layers numbered from one (index base 1, --index-base 1)? Or " * (missing == "0")
        faults.append(
            f"missing layers: {missing} of {first}-{last}; {hint}give n_layer (--n-layer), the "
            "depth of the model, to leave them at zero"
        )
    if faults:
        raise FileError(path, *faults)
    data = np.zeros((last - first + 1, next(iter(flat.values())).size))
    for layer, row in flat.items():
        data[layer - first] = row
    return data


def _is_layer(key: str) -> bool:
    return key.isascii() and key.isdecimal() and len(key) <= 6 and str(int(key)) == key


def _json(path: Path) -> Any:
    def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            times = Counter(key for key, _ in pairs)
            twice = sorted(key for key, n in times.items() if n > 1)
            raise FileError(path, f"duplicate layers: {', '.join(twice)}")
        return found

    content = _content(path)
    try:
        return json.loads(content, object_pairs_hook=without_duplicates)
    except FileError:
        raise
    except (ValueError, RecursionError) as error:
        raise FileError(path, f"truncated or no JSON: {error}") from error


def _content(path: Path) -> bytes:
    with opened(path) as file:
        _require_size(path, file)
        return file.read()


def _require_size(path: Path, file: BinaryIO) -> None:
    size = file.seek(0, 2)
    file.seek(0)
    if size > LIMIT:
        raise FileError(path, f"has {size} bytes, more than any emotion vectors need ({LIMIT})")


def _missing(path: Path, what: str, how: str) -> FileError:
    return FileError(path, f"needs {what}, which is not installed: {how}")


def _named(value: Any) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    return f"{value!r:.40}"
