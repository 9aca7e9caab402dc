"""The paper's published form of emotion vectors, in JSON."""

from __future__ import annotations

from fuzz.readers.hostile import is_read, put
from llamood.vectors.conversion import convert


def read(data: bytes) -> None:
    path = put("vectors_joy.json", data)
    is_read(lambda: convert(path))
    is_read(lambda: convert(path, index_base=1, names=["fear"], site="layer_out"))
    is_read(lambda: convert(path, n_layer=4))
