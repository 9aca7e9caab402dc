"""Named arrays in a ``.npz`` file, which is treated as hostile."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llamood.errors import FileError

Expected = Mapping[str, tuple[str, int]]  # name -> kind and size as in "f4", "U"; dimensions


def read_arrays(
    path: Path, expected: Expected, *, what: str, max_bytes: int, max_array_bytes: int
) -> dict[str, NDArray[Any]]:
    """The arrays that are expected, each of its type and number of dimensions; others are not
    read, and nothing is unpickled.

    ``what``: what such a file is called. ``max_bytes``: of the file; ``max_array_bytes``: what
    one array may claim to unpack to. Raises `FileError` with every fault.
    """
    arrays = _read(path, expected, what, max_bytes, max_array_bytes)
    missing = [f"the array {name!r} is missing" for name in expected if name not in arrays]
    if missing:
        raise FileError(path, *missing)
    faults = [
        f"{name!r} is {arrays[name].dtype.str[1:]} with {arrays[name].ndim} dimensions; "
        f"expected {kind} with {ndim}"
        for name, (kind, ndim) in expected.items()
        if not arrays[name].dtype.str[1:].startswith(kind) or arrays[name].ndim != ndim
    ]
    if faults:
        raise FileError(path, *faults)
    return arrays


def _read(
    path: Path, expected: Expected, what: str, max_bytes: int, max_array_bytes: int
) -> dict[str, NDArray[Any]]:
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise FileError(path, f"a {what} has at most {max_bytes} bytes, this has {size}")
        with zipfile.ZipFile(path) as archive:
            too_large = [e.filename for e in archive.infolist() if e.file_size > max_array_bytes]
        if too_large:
            raise FileError(path, f"arrays that unpack to too much: {', '.join(too_large)}")
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in expected if name in file}
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(path, f"not a {what}'s .npz: {error}; make it again") from error
