"""What PyTorch saved: an archive whose pickle alone is hostile, as its checksums are made here; but
where the first byte is ``x``, the bytes are the file itself."""

from __future__ import annotations

import io
import zipfile

from fuzz.readers.hostile import is_read, put
from llamood.vectors.conversion import convert


def read(data: bytes) -> None:
    path = put("joy.pt", data[1:] if data[:1] == b"x" else archive(data))
    is_read(lambda: convert(path))


def archive(pickled: bytes) -> bytes:
    """As `torch.save` writes it, of two tensors at most."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("joy/data.pkl", pickled)
        file.writestr("joy/byteorder", "little")
        file.writestr("joy/data/0", bytes(48))
        file.writestr("joy/data/1", bytes(48))
        file.writestr("joy/version", "3\n")
    return content.getvalue()
