"""Archives of arrays. Whoever writes a hostile one gets its checksums right, so these are made
here, of members that are divided by `DIVIDER`; but where the first byte is ``x``, the bytes are the
archive itself."""

from __future__ import annotations

import io
import warnings
import zipfile

from fuzz.readers.hostile import folder, is_read, put
from llamood.extraction.candidates import Candidates
from llamood.extraction.running_means import RunningMeans
from llamood.judges.linear_judge import load_judge
from llamood.vectors.conversion import convert

DIVIDER = b"|npy|"
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read(data: bytes) -> None:
    content = data[1:] if data[:1] == b"x" else archive(data)
    path = put("joy.npz", content)
    put("steering.candidates", content)
    is_read(lambda: convert(path))
    is_read(lambda: load_judge(path))
    is_read(lambda: Candidates.load(folder()))
    is_read(lambda: RunningMeans.load(path, settings={}, restart=False))


def archive(data: bytes) -> bytes:
    """Of members, each a name up to a line end and its bytes."""
    content = io.BytesIO()
    packing = PACKINGS[data[:1] == b"d"]
    with warnings.catch_warnings(), zipfile.ZipFile(content, "w", packing) as file:
        warnings.simplefilter("ignore")  # about a name that is there twice
        for member in data[1:].split(DIVIDER)[:16]:
            name, _, array = member.partition(b"\n")
            file.writestr(
                zipfile.ZipInfo(name.decode(errors="replace")[:200] or "a"), array, packing
            )
    return content.getvalue()
