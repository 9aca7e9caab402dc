"""Named arrays in a ``.npz`` file, which is treated as hostile.

What a file says of itself is held against its own size before anything is made of it: nothing is
unpickled, and nothing unpacked that is out of proportion to the file.
"""

from __future__ import annotations

import math
import zipfile
from collections import Counter
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from llamood.errors import FileError

Expected = Mapping[str, tuple[str, int]]  # name -> kind and size as in "f4", "U"; dimensions

RATIO = 32  # what is packed well becomes so many times as large; vectors seldom twice
SPARE = 1024**2  # bytes, that any file may unpack to
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # numpy's; others unpack without bounds
_NPY_HEADERS = {  # by version of the format; the third is for names of fields, which none has
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


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


def unpacked(
    path: Path,
    file: BinaryIO,
    *,
    limit: int,
    largest: int | None = None,
    names: Container[str] | None = None,
) -> dict[str, NDArray[Any]]:
    """The arrays in an open ``.npz``: of numbers or texts, and those of these names, where some are
    given.

    ``limit``: bytes that all may unpack to; ``largest``: one of them. Raises `FileError` with every
    fault, and OSError.
    """
    try:
        size = file.seek(0, 2)
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            members = [
                member
                for member in archive.infolist()
                if names is None or member.filename.removesuffix(".npy") in names
            ]
            too_large = [m.filename for m in members if largest and m.file_size > largest]
            if too_large:
                raise FileError(path, f"arrays that unpack to too much: {', '.join(too_large)}")
            require_proportion(path, archive, size=size)
            return _arrays(path, archive, members, limit)
    except (FileError, OSError):
        raise
    except Exception as error:  # an archive of strangers: there is no list of what it raises
        raise FileError(path, f"truncated, damaged or no .npz file: {error}") from error


def require_proportion(path: Path, archive: zipfile.ZipFile, *, size: int) -> None:
    """Raise `FileError` where an archive in a file of ``size`` bytes would unpack to much more, or
    is packed so that this cannot be told."""
    members = archive.infolist()
    if any(member.compress_type not in PACKINGS for member in members):
        raise FileError(path, "packed in another way than numpy and PyTorch do; pack it anew")
    total = sum(member.file_size for member in members)
    if total > RATIO * size + SPARE:
        raise FileError(
            path,
            f"unpacks to {total} bytes, {total // max(size, 1)} times its size, which no vectors "
            "do; if it is sound, store it unpacked (numpy.savez)",
        )


def _arrays(
    path: Path, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], limit: int
) -> dict[str, NDArray[Any]]:
    """Each header is held against the size of its member before the array is read."""
    times = Counter(member.filename for member in members)
    faults = [f"duplicate array {name}" for name, n in times.items() if n > 1]
    shapes: dict[str, tuple[tuple[int, ...], bool, np.dtype[Any], int]] = {}
    total = 0
    for member in members:
        with archive.open(member) as stream:
            version = np.lib.format.read_magic(stream)
            shape, is_fortran, dtype = _NPY_HEADERS[version](stream)
            claimed = math.prod(shape) * dtype.itemsize
            total += claimed
            if dtype.hasobject:
                faults.append(
                    f"{member.filename} is of type {dtype}, expected floats: Object arrays cannot "
                    "be loaded, as nothing is unpickled"
                )
            elif dtype.kind not in "fiuU":
                faults.append(f"{member.filename} is of type {dtype}, expected floats")
            elif stream.tell() + claimed != member.file_size or min(shape, default=0) < 0:
                faults.append(
                    f"truncated or damaged: {member.filename} claims {shape}, {claimed} bytes, "
                    f"in {member.file_size} bytes"
                )
            shapes[member.filename] = (shape, is_fortran, dtype, stream.tell())
    if total > limit:
        faults.append(f"unpacks to {total} bytes, more than any emotion vectors need ({limit})")
    if faults:
        raise FileError(path, *faults)
    arrays: dict[str, NDArray[Any]] = {}
    for member in members:
        shape, is_fortran, dtype, begin = shapes[member.filename]
        with archive.open(member) as stream:
            data = bytearray(stream.read())[begin:]
        array: NDArray[Any] = np.ndarray(shape, dtype, data, order="F" if is_fortran else "C")
        arrays[member.filename.removesuffix(".npy")] = array
    return arrays


def _read(
    path: Path, expected: Expected, what: str, max_bytes: int, max_array_bytes: int
) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size > max_bytes:
                raise FileError(path, f"a {what} has at most {max_bytes} bytes, this has {size}")
            try:
                return unpacked(
                    path,
                    file,
                    limit=max_array_bytes * len(expected),
                    largest=max_array_bytes,
                    names=expected,
                )
            except FileError as error:
                faults = "; ".join(error.faults)
                raise FileError(path, f"not a {what}'s .npz: {faults}; make it again") from error
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or error}") from error
