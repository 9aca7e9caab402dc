"""How emotions are read off the hidden states of one model.

A hidden state is projected on a direction for each emotion: its vector without the mean of all
vectors (which emotion, not how emotional), at unit length. Neutral text gives a baseline, with
which a projection becomes a z-score: 0 is as in neutral text, 1 is one standard deviation of
its tokens above.

What the injector adds is in the hidden states that are read, and moves on through the layers
above. How far each weight in each layer moves each projection in neutral text is measured, and
taken off, so that a neutral text under an injected emotion reads as neutral. To first order: the
model answers large doses with more than is in proportion.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from llamood.atomic import write_files
from llamood.errors import FileError, ModelError, MoodWarning
from llamood.vectors.emotion_vectors import EmotionVectors, Float32, Float64
from llamood.vectors.gguf_header import (
    F32,
    Header,
    faults_of_layout,
    opened,
    read_header,
    read_numbers,
)
from llamood.vectors.increments import as_measured, is_increments
from llamood.vectors.measurement import Site

# In the folder of the vectors; a GGUF file, with a name of its own because whoever globs *.gguf
# there, llama.cpp's --control-vector among them, means vectors.
FILE_NAME = "reading.baseline"
ARCHITECTURE = "llamood.baseline"
VERSION = 2
MAX_ABOUT = 100_000  # characters
ADDED = "added"  # what `Probe.about` says of feelings that were added: their quality by name
TRUSTED = 0.7  # area under the ROC curve, below which nothing is coloured or held by a reading

_TENSORS = {  # -> dimensions
    "directions": 3,
    "mean": 2,
    "spread": 2,
    "joint": 1,
    "response": 4,
    "auroc": 2,
}

_ALONG_VECTORS = {"vector_median": 2, "vector_spread": 2}  # both, or none in older files


@dataclass(frozen=True, eq=False)
class Probe:
    """For the emotions ``names``, at each of ``layers`` (n_layer_read, rising).

    ``directions``: float32 (n_layer_read, n_emotion, n_embd), of unit length. ``mean`` and
    ``spread``: float32 (n_layer_read, n_emotion), of the projections of the tokens of neutral
    text. ``response``: float32 (n_layer, n_emotion, n_layer_read, n_emotion), by how much one
    vector as measured, added in one layer, moves each projection. ``auroc``: float32
    (n_layer_read, n_emotion), how well labelled texts are told apart, 0.5 by chance; NaN where
    that was not measured. ``chosen``: the layers, rising, whose z-scores are averaged unless
    another is asked for; ``joint``: float32 (n_emotion,), the spread of that average in neutral
    text, 1 of one layer. ``about``: JSON-able, what it was measured on, and how good it is on texts
    that had no say in it. ``vector_median`` and ``vector_spread``: float32 (n_layer, n_emotion), of
    the projections of such tokens on each emotion's vector (see `directions_along`); the spread is
    half the range of the middle 68 %, 0 where there is no vector, and both are None in files of
    older versions.
    """

    names: tuple[str, ...]
    layers: tuple[int, ...]
    directions: Float32
    mean: Float32
    spread: Float32
    response: Float32
    auroc: Float32
    chosen: tuple[int, ...]
    joint: Float32
    about: Mapping[str, Any]
    vector_median: Float32 | None = None
    vector_spread: Float32 | None = None

    def place(self, layer: int) -> int:
        """The index of a layer among those that can be read. Raises `ModelError`."""
        if layer not in self.layers:
            raise ModelError(
                f"layer {layer} cannot be read; layers {self.layers[0]} to {self.layers[-1]} can"
            )
        return self.layers.index(layer)

    def in_order(self, names: tuple[str, ...]) -> Probe:
        """The same with its emotions in the order of ``names``, which are all of them."""
        order = [self.names.index(name) for name in names]
        return replace(
            self,
            names=names,
            directions=self.directions[:, order],
            mean=self.mean[:, order],
            spread=self.spread[:, order],
            response=self.response[:, order][..., order],
            auroc=self.auroc[:, order],
            joint=self.joint[order],
            **{name: array[:, order] for name, array in self.along_vectors.items()},
        )

    def at(self, layer: int) -> Probe:
        """The same, read at one layer. Raises `ModelError` where that cannot be."""
        self.place(layer)
        return replace(self, chosen=(layer,), joint=np.ones(len(self.names), np.float32))

    @property
    def along_vectors(self) -> dict[str, Any]:
        """``vector_median`` and ``vector_spread``, where they were measured."""
        if self.vector_median is None or self.vector_spread is None:
            return {}
        return {"vector_median": self.vector_median, "vector_spread": self.vector_spread}

    @property
    def places(self) -> tuple[int, ...]:
        """The indices of the chosen layers among those that can be read."""
        return tuple(self.place(layer) for layer in self.chosen)

    @property
    def weights(self) -> Float64:
        """(n_chosen, n_emotion): what a projection counts in a score."""
        spread = self.spread[list(self.places)].astype(np.float64)
        weights: Float64 = 1 / (len(spread) * spread * self.joint)
        return weights

    def scores(self, projections: npt.ArrayLike) -> Float64:
        """Z-scores (..., n_emotion) of projections (..., n_chosen, n_emotion)."""
        from_mean = np.asarray(projections, np.float64) - self.mean[list(self.places)]
        scores: Float64 = (from_mean * self.weights).sum(axis=-2)
        return scores

    @property
    def quality(self) -> dict[str, float]:
        """Emotion -> how surely its reading tells texts that had no say in it, as an area under
        the ROC curve; those of which that is not known are left out."""
        told = dict((self.about.get("quality") or {}).get("auroc", {}))
        told |= {name: added["auroc"] for name, added in self.about.get(ADDED, {}).items()}
        return {name: float(told[name]) for name in self.names if told.get(name) is not None}

    @property
    def doubt(self) -> str | None:
        """Why nothing is coloured or held by what it reads, in words; None where it is trusted, as
        one is whose quality was not measured."""
        area = (self.about.get("quality") or {}).get("macro_auroc")
        if area is None or area >= TRUSTED:
            return None
        return (
            f"its baseline tells emotions apart with an area under the ROC curve of {area:.2f}, "
            f"where {TRUSTED:g} is the least that is trusted (0.5 is chance)"
        )

    def require_fit(self, emotions: EmotionVectors) -> None:
        """Raise `ModelError` unless it was measured with these vectors on their model."""
        mine, its = self.about.get("fingerprint"), emotions.measurement.model_fingerprint
        known = mine is not None and its is not None
        method = self.about.get("method", emotions.measurement.method)
        alike = set(self.names) == set(emotions.names) and method == emotions.measurement.method
        if not alike or (known and mine != its):
            raise ModelError(
                f"the baseline of the readings was measured for {', '.join(self.names)} on model "
                f"{mine} ({method}); the vectors are {', '.join(emotions.names)} of model {its} "
                f"({emotions.measurement.method}): measure it again (llamood read --measure)"
            )

    def require_site(self, site: Site) -> None:
        """Raise `ModelError` unless what is added there can be taken off."""
        if site != "layer_out":
            raise ModelError(
                f"these vectors are added at site {site}, and readings are corrected for what is "
                "added at layer_out; leave readings out, or pass site='layer_out'"
            )

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write ``<folder>/reading.baseline``. Raises `FileError`."""
        path = Path(folder) / FILE_NAME
        write_files({path: self.write})
        return path

    def write(self, path: Path) -> None:
        """Write the file."""
        _write(self, path)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Probe:
        """Read ``<folder>/reading.baseline``. Raises `FileError` with every fault."""
        path = Path(folder) / FILE_NAME
        if not path.exists():
            raise FileError(
                path,
                "does not exist: there is no baseline to read emotions against; measure it "
                "(llamood read --measure)",
            )
        with opened(path) as file:
            header = read_header(file, path)
            facts = _facts(header, path)
            faults = faults_of_layout(header) + _faults_of_tensors(header)
            if faults:
                raise FileError(path, *faults)
            arrays = {t.name: read_numbers(file, path, t) for t in header.tensors}
        faults = _faults(facts, arrays)
        if faults:
            raise FileError(path, *faults)
        return cls(
            names=facts.names,
            layers=facts.layers,
            chosen=facts.chosen,
            about=json.loads(facts.about),
            **{name: _frozen(array) for name, array in arrays.items()},
        )


def chosen_probe(
    readings: bool | Probe, emotions: str | PathLike[str] | EmotionVectors, evs: EmotionVectors
) -> Probe | None:
    """What ``readings`` asks for: a probe, the one that lies beside ``emotions``, which ``evs``
    came from, or none.

    Raises `FileError` where there is none beside them, and `ModelError` for one that does not fit.
    """
    if not readings:
        return None
    if isinstance(readings, Probe):
        probe = readings
    elif isinstance(emotions, EmotionVectors):
        raise ModelError(
            "the baseline of the readings lies beside files of vectors, and these are none; "
            "pass readings=Probe.load(FOLDER)"
        )
    else:
        folder = Path(emotions)
        probe = Probe.load(folder if folder.is_dir() else folder.parent)
    probe.require_fit(evs)
    if probe.doubt is not None:
        text = f"readings of this model are unsure: {probe.doubt}"
        warnings.warn(text, MoodWarning, stacklevel=3)
    return probe


def directions_of(emotions: EmotionVectors, layers: tuple[int, ...]) -> Float32:
    """Float32 (n_layer_read, n_emotion, n_embd): what is each emotion's own in the hidden state, at
    unit length.

    A single emotion is its own direction. Raises `ModelError` where nothing is left of one.
    """
    own = as_measured(emotions).data[:, list(layers)].astype(np.float64)
    if emotions.n_emotion > 1:
        own = own - own.mean(axis=0)
    length = np.linalg.norm(own, axis=2, keepdims=True)
    if not length.all():
        emotion, layer = np.argwhere(length[:, :, 0] == 0)[0]
        raise ModelError(
            f"{emotions.names[emotion]} has nothing of its own in layer {layers[layer]}; emotions "
            "that cannot be told apart cannot be read"
        )
    return np.ascontiguousarray((own / length).transpose(1, 0, 2), dtype=np.float32)


def directions_along(emotions: EmotionVectors) -> Float32:
    """Float32 (n_layer, n_emotion, n_embd): each emotion's vector as measured, at unit length; zero
    where there is none."""
    data = emotions.data.astype(np.float64)
    if is_increments(emotions):
        data = np.cumsum(data, axis=1)
    length = np.linalg.norm(data, axis=2, keepdims=True)
    unit = data / np.where(length > 0, length, 1.0) * np.sign(emotions.scale)[:, None, None]
    return np.ascontiguousarray(unit.transpose(1, 0, 2), dtype=np.float32)


class _Facts(NamedTuple):
    names: tuple[str, ...]
    layers: tuple[int, ...]
    chosen: tuple[int, ...]
    about: str


def _write(probe: Probe, path: Path) -> None:
    from gguf import GGUFValueType, GGUFWriter  # 70 ms that most programs never need

    writer = GGUFWriter(path, ARCHITECTURE)
    writer.add_key_value("llamood.version", VERSION, GGUFValueType.UINT32)
    facts = (
        ("names", list(probe.names), GGUFValueType.STRING),
        ("layers", list(probe.layers), GGUFValueType.INT32),
        ("chosen", list(probe.chosen), GGUFValueType.INT32),
    )
    for name, values, kind in facts:
        writer.add_key_value(f"{ARCHITECTURE}.{name}", values, GGUFValueType.ARRAY, kind)
    about = json.dumps(dict(probe.about))
    writer.add_key_value(f"{ARCHITECTURE}.about", about, GGUFValueType.STRING)
    arrays = {**{name: getattr(probe, name) for name in _TENSORS}, **probe.along_vectors}
    for name, array in arrays.items():
        writer.add_tensor(name, np.ascontiguousarray(array))
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _facts(header: Header, path: Path) -> _Facts:
    """Raises `FileError` where this is no baseline, or lacks what every baseline has."""
    said = header.metadata.get
    found = said("general.architecture")
    if not isinstance(found, str) or found != ARCHITECTURE:
        raise FileError(
            path,
            f"general.architecture is {found!r:.60}, expected {ARCHITECTURE!r}: this is no "
            "baseline of readings",
        )
    version = said("llamood.version")
    if not isinstance(version, int) or version != VERSION:
        fault = f"llamood.version is {version!r:.60}, expected {VERSION}; measure it again"
        raise FileError(path, fault)
    names, layers, chosen, about = (
        said(f"{ARCHITECTURE}.{key}") for key in ("names", "layers", "chosen", "about")
    )
    if not (
        isinstance(names, list)
        and isinstance(layers, np.ndarray)
        and isinstance(chosen, np.ndarray)
        and layers.dtype.kind + chosen.dtype.kind in ("ii", "iu", "ui", "uu")
        and isinstance(about, str)
    ):
        raise FileError(path, "the names, the layers, or what it was measured on, is missing")
    return _Facts(tuple(names), _whole(layers), _whole(chosen), about)


def _whole(numbers: npt.NDArray[Any]) -> tuple[int, ...]:
    return tuple(int(each) for each in numbers)


def _faults_of_tensors(header: Header) -> list[str]:
    tensors = {tensor.name: tensor for tensor in header.tensors}
    known = {**_TENSORS, **_ALONG_VECTORS}
    needed = {**_TENSORS, **(_ALONG_VECTORS if tensors.keys() & _ALONG_VECTORS else {})}
    faults = [f"{name!r} is missing" for name in needed if name not in tensors]
    faults += [f"{name!r} is no part of a baseline" for name in tensors if name not in known]
    for name, n_dim in known.items():
        tensor = tensors.get(name)
        if tensor is not None and (tensor.type != F32 or len(tensor.shape) != n_dim):
            faults.append(
                f"{name!r} is {tensor.type_name} with {len(tensor.shape)} dimensions, expected "
                f"F32 with {n_dim}"
            )
    return faults


def _faults(facts: _Facts, arrays: Mapping[str, Float32]) -> list[str]:
    names, layers = facts.names, list(facts.layers)
    n_read, n_emotion = len(layers), len(names)
    n_layer, n_embd = arrays["response"].shape[0], arrays["directions"].shape[2]
    shapes = {
        "directions": (n_read, n_emotion, n_embd),
        "mean": (n_read, n_emotion),
        "spread": (n_read, n_emotion),
        "joint": (n_emotion,),
        "response": (n_layer, n_emotion, n_read, n_emotion),
        "auroc": (n_read, n_emotion),
        **{name: (n_layer, n_emotion) for name in _ALONG_VECTORS if name in arrays},
    }
    faults = [
        f"{name!r} has shape {arrays[name].shape}, expected {shape}"
        for name, shape in shapes.items()
        if arrays[name].shape != shape
    ]
    if not names or len(set(names)) < n_emotion:
        faults.append("the names of the emotions are not different ones")
    if not layers or layers != sorted(set(layers)) or layers[0] < 0 or layers[-1] > n_layer - 2:
        faults.append(f"layers {layers[:5]} are not those of a model of {n_layer} layers")
    chosen = list(facts.chosen)
    if not chosen or chosen != sorted(set(chosen)) or not set(chosen) <= set(layers):
        faults.append(f"layers {chosen[:5]}, to be read, are not among those that were measured")
    finite = [name for name in shapes if name != "auroc"]
    faults += [
        f"{name!r} holds NaN or infinity" for name in finite if not np.isfinite(arrays[name]).all()
    ]
    if not ((arrays["spread"] > 0).all() and (arrays["joint"] > 0).all()):
        faults.append("a spread is not above 0")
    if "vector_spread" in arrays and not (arrays["vector_spread"] >= 0).all():
        faults.append("a spread along a vector is below 0")
    if not _is_object(facts.about):
        faults.append("'about' is not a JSON object")
    return faults


def _is_object(text: str) -> bool:
    try:
        return len(text) <= MAX_ABOUT and isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _frozen(array: Float32) -> Float32:
    array.flags.writeable = False
    return array
