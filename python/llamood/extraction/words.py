"""What makes an emotion's words likelier: a direction of a model's last hidden states.

Hidden states become logits by the output matrix, a row for each token. A text is taken for the mean
of its tokens' rows; what tells the texts of an emotion from others there (`Discriminant`) turns
predictions towards its words and away from words that all texts have. Small models show an emotion
in words sooner than in what they do.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import llama_cpp
import numpy as np

from llamood.errors import FileError, ModelError
from llamood.extraction.directions import SHRINKAGE, dealt_anew
from llamood.extraction.discriminant import Discriminant
from llamood.extraction.states import in_turn
from llamood.extraction.texts import LabelledTexts
from llamood.vectors.emotion_vectors import Float32
from llamood.vectors.gguf_header import opened, read_header

_LOG = logging.getLogger("llama-cpp-python")
MATRICES = ("output.weight", "token_embd.weight")  # the second where both are one
NORM = "output_norm.weight"


class Words(NamedTuple):
    """Float32 (n_emotion, n_embd) each, of unit length, to be added to what the model's last norm
    takes. ``shuffled``: of labels that were dealt out anew, as a control."""

    own: Float32
    shuffled: Float32


def words(model: str | PathLike[str], texts: LabelledTexts, *, names: Sequence[str]) -> Words:
    """What makes the words of each of ``names`` likelier than those of the others.

    ``model``: a GGUF file. Raises `ModelError` for one whose output matrix cannot be read, and for
    emotions that have the same words.
    """
    with _vocabulary(model) as vocab:
        told = [(label, sorted(set(_tokens(vocab, text)))) for label, text in in_turn(texts)]
    told = [(label, tokens) for label, tokens in told if tokens]
    used = sorted({token for _, tokens in told for token in tokens})
    rows, norm = output_rows(model, used)
    means = np.stack([rows[np.searchsorted(used, tokens)].mean(axis=0) for _, tokens in told])
    labels = np.array([label for label, _ in told])

    def directions_of(labels: np.ndarray) -> Float32:
        found = Discriminant(means, labels.tolist(), names=names).directions(SHRINKAGE) * norm
        unit: Float32 = found / np.linalg.norm(found, axis=1, keepdims=True)
        return unit

    return Words(directions_of(labels), directions_of(dealt_anew(labels, names)))


def output_rows(model: str | PathLike[str], tokens: list[int]) -> tuple[Float32, Float32]:
    """The rows of these tokens in the output matrix, (n_token, n_embd), and by what the norm before
    it multiplies each column, (n_embd,). Raises `ModelError` for a file without them, and for types
    of tensors that gguf does not read."""
    from gguf import GGUFReader  # slow to load, and needed here alone
    from gguf.quants import dequantize

    path = Path(model)
    try:
        with opened(path) as file:
            read_header(file, path)  # gguf's own reader believes the counts in a file
    except FileError as error:
        raise ModelError(str(error)) from error
    tensors = {tensor.name: tensor for tensor in GGUFReader(path).tensors}
    matrix = next((tensors[name] for name in MATRICES if name in tensors), None)
    norm = tensors.get(NORM)
    if matrix is None or norm is None:
        missing = " or ".join(MATRICES) if matrix is None else NORM
        raise ModelError(f"{model}: there is no tensor {missing}, so its words cannot be weighed")
    try:
        rows = dequantize(matrix.data[tokens], matrix.tensor_type)
        scale = dequantize(norm.data, norm.tensor_type)
    except NotImplementedError as error:
        raise ModelError(f"{model}: {error}") from error
    return rows.astype(np.float32), scale.astype(np.float32).reshape(-1)


@contextmanager
def _vocabulary(model: str | PathLike[str]) -> Iterator[Any]:
    """llama.cpp's vocabulary, without the rest of the model, which would take a context."""
    params = llama_cpp.llama_model_default_params()
    params.vocab_only = True
    told = _LOG.level
    _LOG.setLevel(logging.ERROR)  # what verbose=False sets in llama_cpp.Llama
    try:
        loaded = llama_cpp.llama_model_load_from_file(str(model).encode(), params)
    finally:
        _LOG.setLevel(told)
    if not loaded:
        raise ModelError(f"{model}: its vocabulary cannot be loaded")
    try:
        yield llama_cpp.llama_model_get_vocab(loaded)
    finally:
        llama_cpp.llama_model_free(loaded)


def _tokens(vocab: Any, text: str) -> list[int]:
    written = text.encode()
    most = len(written) + 8  # a token is a byte at least, but for what the vocabulary puts before
    room = (llama_cpp.llama_token * most)()
    n = llama_cpp.llama_tokenize(vocab, written, len(written), room, most, False, False)
    return list(room[:n])
