"""The offline judge: a linear text classifier for Ekman's six emotions and neutral.

A judge gives each text one probability per label, from words alone: no model, no
network, numpy only. The bundled one is made by ``tools/train_judge.py``.

Features of a text (`features`): its words, pairs of neighbours, and the first 4 to 7
letters of long words. Their counts are damped, ``1 + ln(count)``, weighted by inverse
document frequency, and scaled to unit length, so a long text weighs as much as a short one.
The probabilities are ``softmax((x @ weights + bias) / temperature)``.

A judge's file is a ``.npz`` of at most 1 MB, arrays without pickle:

    labels       str   (n_label,)
    vocabulary   uint8 (n_byte,)            UTF-8, one feature a line
    idf          f16   (n_feature,)
    weights      int8  (n_feature, n_label)
    scale        f32   (n_label,)           weights * scale = the real weights
    bias         f32   (n_label,)
    temperature  f64   ()                   above 0
    about        str   ()                   JSON object: how it was trained, how good it is
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llamood.arrays import read_arrays
from llamood.errors import FileError

BUNDLED = Path(__file__).parents[1] / "data" / "judge.npz"
MAX_FILE_BYTES = 1_000_000
MAX_ARRAY_BYTES = 64_000_000  # what one array may claim to unpack to

_TOKEN = re.compile(r"\[[a-z]+\]|[a-z]+(?:'[a-z]+)*|[0-9]+|[!?]+|\.\.+|[^\sa-z0-9]")
_REPEATED = re.compile(r"(.)\1{2,}")
_START, _END = "^", "$"
_STEM_LENGTHS = (4, 5, 6, 7)  # letters kept
_STEMMED_FROM = 6  # letters a word must have to get stems


def features(text: str) -> list[str]:
    """The features of a text, in order, repeated as often as they occur.

    Words and signs as they are (``joy``, ``!!``), neighbours joined by a space (``^`` before the
    first and ``$`` after the last), stems ending in ``*``. Case does not count, and a
    letter repeated three times or more counts as two.
    """
    plain = (
        unicodedata.normalize("NFKC", text).lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    )
    words = _TOKEN.findall(_REPEATED.sub(r"\1\1", plain))
    found = list(words)
    found += [f"{a} {b}" for a, b in zip([_START, *words], [*words, _END], strict=True)]
    for word in words:
        if len(word) >= _STEMMED_FROM:
            found += [f"{word[:n]}*" for n in _STEM_LENGTHS if n < len(word)]
    return found


@dataclass(frozen=True, eq=False)
class Judge:
    """A linear classifier of texts. Made by `load_judge` or `bundled`."""

    labels: tuple[str, ...]
    about: Mapping[str, Any]  # training facts: data, counts, macro-F1, ...
    temperature: float
    _ids: Mapping[str, int]  # feature -> its row in _weights
    _idf: NDArray[np.float32]  # (n_feature,)
    _weights: NDArray[np.float32]  # (n_feature, n_label)
    _bias: NDArray[np.float32]  # (n_label,)

    def probabilities(self, texts: Iterable[str]) -> NDArray[np.float64]:
        """``float64 (n_text, n_label)``, each row summing to 1, columns as in `labels`.

        A text without a single known word gets the judge's prior.

        Raises TypeError for a single ``str``, which would be read letter by letter.
        """
        if isinstance(texts, str):
            raise TypeError("probabilities() takes several texts; for one, give a list: [text]")
        logits = [self._logits(text) for text in texts]
        rows = np.array(logits, dtype=np.float64).reshape(-1, len(self.labels)) / self.temperature
        rows = np.exp(rows - rows.max(axis=1, keepdims=True))
        return np.asarray(rows / rows.sum(axis=1, keepdims=True), dtype=np.float64)

    def _logits(self, text: str) -> NDArray[np.float64]:
        """``float64 (n_label,)``, before the temperature."""
        counts = Counter(i for f in features(text) if (i := self._ids.get(f)) is not None)
        if not counts:
            return self._bias.astype(np.float64)
        rows = np.fromiter(counts.keys(), dtype=np.intp, count=len(counts))
        damped = np.array([1.0 + math.log(n) for n in counts.values()])
        values = damped * self._idf[rows]
        values /= np.linalg.norm(values)
        return np.asarray(values @ self._weights[rows] + self._bias, dtype=np.float64)


@lru_cache(maxsize=1)
def bundled() -> Judge:
    """The judge that ships with llamood: anger, disgust, fear, joy, neutral, sadness, surprise.

    Loaded on the first call and kept.
    """
    return load_judge(BUNDLED)


def load_judge(path: str | Path) -> Judge:
    """Read a judge's file. Raises `FileError` if it is missing, too large or not a judge."""
    path = Path(path)
    arrays = read_arrays(
        path, _EXPECTED, what="judge", max_bytes=MAX_FILE_BYTES, max_array_bytes=MAX_ARRAY_BYTES
    )
    faults = _faults(arrays)
    if faults:
        raise FileError(path, *faults)
    weights = arrays["weights"].astype(np.float32) * arrays["scale"].astype(np.float32)
    words = arrays["vocabulary"].tobytes().decode("utf-8").split("\n")
    return Judge(
        labels=tuple(str(label) for label in arrays["labels"]),
        about=MappingProxyType(json.loads(str(arrays["about"]))),
        temperature=float(arrays["temperature"]),
        _ids={word: i for i, word in enumerate(words)},
        _idf=_frozen(arrays["idf"].astype(np.float32)),
        _weights=_frozen(weights),
        _bias=_frozen(arrays["bias"].astype(np.float32)),
    )


_EXPECTED = {
    "labels": ("U", 1),
    "vocabulary": ("u1", 1),
    "idf": ("f2", 1),
    "weights": ("i1", 2),
    "scale": ("f4", 1),
    "bias": ("f4", 1),
    "temperature": ("f8", 0),
    "about": ("U", 0),
}


def _faults(arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    """Every fault of a judge's arrays, one sentence each; an empty list if there is none."""
    faults = []
    n_label = len(arrays["labels"])
    n_feature = len(arrays["idf"])
    if arrays["weights"].shape != (n_feature, n_label) or n_label == 0:
        faults.append(
            f"weights {arrays['weights'].shape} do not fit {n_feature} features, {n_label} labels"
        )
    if len(arrays["scale"]) != n_label or len(arrays["bias"]) != n_label:
        faults.append(f"scale and bias do not have {n_label} numbers, one for each label")
    if not all(np.isfinite(arrays[name]).all() for name in ("idf", "scale", "bias")):
        faults.append("some numbers are not finite")
    if not (np.isfinite(arrays["temperature"]) and arrays["temperature"] > 0):
        faults.append(f"the temperature is {float(arrays['temperature'])}; it must be above 0")
    try:
        words = arrays["vocabulary"].tobytes().decode("utf-8").split("\n")
        if len(set(words)) != n_feature:
            faults.append(f"{len(set(words))} different words for {n_feature} features")
        if not isinstance(json.loads(str(arrays["about"])), dict):
            faults.append("'about' is not a JSON object")
    except (ValueError, RecursionError) as error:
        faults.append(f"the vocabulary or 'about' is not readable: {error}")
    return faults


def _frozen(array: NDArray[np.float32]) -> NDArray[np.float32]:
    array.setflags(write=False)
    return array
