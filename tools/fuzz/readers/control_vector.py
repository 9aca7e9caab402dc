"""A control-vector file, by each numbering of layers that a caller may say."""

from __future__ import annotations

from fuzz.readers.hostile import is_read, put
from llamood.vectors import control_vector, files
from llamood.vectors.control_vector import Hints
from llamood.vectors.gguf_header import metadata_of, trained_context

HINTS = (Hints(index_base=1), Hints(index_base=0, n_layer=4), Hints(are_named=True))


def read(data: bytes) -> None:
    path = put("joy.gguf", data)
    metadata_of(path)
    trained_context(path)
    is_read(lambda: files.load(path))
    for hints in HINTS:
        is_read(lambda hints=hints: control_vector.read(path, hints))
