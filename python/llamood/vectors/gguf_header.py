"""The structure of a GGUF file that nobody vouches for.

The reader of the ``gguf`` package believes the counts in a file: an array said to have
1e9 elements is 1e9 turns of a loop. Here every count is held against the bytes that are
left before anything is made of that size.

The file (little-endian): magic ``GGUF``, version, n_tensor, n_key; the keys with their
values; name, dimensions, type and offset of every tensor; padding; the data.
"""

from __future__ import annotations

import math
import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from llamood.errors import FileError
from llamood.vectors.emotion_vectors import Float32

HEADER_LIMIT = 32 * 1024 * 1024  # bytes; the largest vocabularies of models need half of it
DEFAULT_ALIGNMENT = 32
STRING, ARRAY, F32 = 8, 9, 0  # value type, value type, tensor type
SCALARS = {  # value type -> little-endian format
    0: "<u1", 1: "<i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4",
    6: "<f4", 7: "?", 10: "<u8", 11: "<i8", 12: "<f8",
}  # fmt: skip
INT32 = 5  # a value type
TENSOR_TYPES = {0: "F32", 1: "F16", 28: "F64", 30: "BF16"}
FLOATS = {0: "<f4", 1: "<f2", 28: "<f8", 30: "<u2"}  # tensor type -> what lies in the file


@dataclass(frozen=True)
class Tensor:
    """A tensor as the header describes it. ``offset``: bytes from the start of the file."""

    name: str
    shape: tuple[int, ...]
    type: int
    offset: int

    @property
    def type_name(self) -> str:
        return TENSOR_TYPES.get(self.type, f"type {self.type}")


@dataclass(frozen=True)
class Header:
    """``metadata``: key -> int, float, bool, str, numpy array or list of str; ``kinds``: key ->
    value type."""

    metadata: dict[str, Any]
    kinds: dict[str, int]
    tensors: tuple[Tensor, ...]
    start: int  # where the data begins, in bytes
    size: int  # bytes of the whole file


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A regular file, open for reading; `FileError` for anything else."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            with path.open("rb") as file:
                yield file
            return
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or error}") from error
    what = "a folder" if stat.S_ISDIR(mode) else "no regular file"
    raise FileError(path, f"is {what}, expected a file of emotion vectors")


def read_header(file: BinaryIO, path: Path) -> Header:
    """The keys and the list of tensors; nothing of the tensors' data is read.

    Raises `FileError` at the first fault in the structure, since nothing after it can be
    trusted.
    """
    size = os.fstat(file.fileno()).st_size
    take = _Take(file, path, min(size, HEADER_LIMIT), cut=size > HEADER_LIMIT)
    magic = take.bytes(4, "the magic")
    if magic != b"GGUF":
        raise FileError(
            path,
            f"wrong magic {magic!r}, expected b'GGUF': this is no GGUF file "
            "(llamood convert reads other formats)",
        )
    version = take.integer(4, "the version")
    if version not in (2, 3):
        swapped = int.from_bytes(version.to_bytes(4, "little"), "big")
        why = " (big-endian files are not read)" if swapped in (2, 3) else ""
        raise FileError(path, f"GGUF version {version}, expected 2 or 3{why}")
    n_tensor = take.count(24, "tensors")
    n_key = take.count(13, "keys")
    metadata: dict[str, Any] = {}
    kinds: dict[str, int] = {}
    for _ in range(n_key):
        key = take.text("a key")
        if key in metadata:
            raise FileError(path, f"duplicate key {key!r}")
        kinds[key] = take.integer(4, f"the type of {key!r}")
        metadata[key] = take.value(kinds[key], key)
    listed = [take.tensor() for _ in range(n_tensor)]
    start = _aligned(take.position, _alignment(metadata, path))
    tensors = tuple(Tensor(name, shape, kind, start + at) for name, shape, kind, at in listed)
    return Header(metadata, kinds, tensors, start, size)


def metadata_of(path: Path) -> dict[str, Any]:
    """What a model's file says of it; nothing where it cannot be read: llama.cpp has the last word
    on models, and says what is wrong."""
    try:
        with opened(path) as file:
            return read_header(file, path).metadata
    except FileError:
        return {}


def trained_context(path: Path) -> int | None:
    """The context length that a model was trained with, in tokens; None where its file does not
    say, or cannot be read."""
    metadata = metadata_of(path)
    length = metadata.get(f"{metadata.get('general.architecture')}.context_length")
    return length if isinstance(length, int) and length > 0 else None


def read_numbers(file: BinaryIO, path: Path, tensor: Tensor) -> Float32:
    """The data of a tensor of floats (`FLOATS`) whose extent was found to lie in the file; its
    fastest dimension is the last one of the array."""
    dtype = np.dtype(FLOATS[tensor.type])
    n = math.prod(tensor.shape)
    file.seek(tensor.offset)
    data = file.read(dtype.itemsize * n)
    if len(data) != dtype.itemsize * n:
        raise FileError(path, f"{tensor.name} is cut off: the file changed while it was read")
    numbers = np.frombuffer(data, dtype)
    if dtype.kind == "u":  # BF16, the upper half of a float32
        numbers = (numbers.astype(np.uint32) << 16).view(np.float32)
    with np.errstate(over="ignore"):  # what is too large is found to be infinite
        return numbers.astype(np.float32).reshape(tensor.shape[::-1])


def faults_of_layout(header: Header) -> list[str]:
    """Tensors that are named twice, that overlap or leave gaps, or that the file is too short for.

    Tensors must follow each other in the order of the list, each padded to the alignment:
    llama.cpp's rule. Only tensors of floats have a size here; after another type the
    place of the next is taken as it is.
    """
    times = Counter(tensor.name for tensor in header.tensors)
    faults = [f"duplicate tensor {name}" for name, n in times.items() if n > 1]
    alignment = int(header.metadata.get("general.alignment", DEFAULT_ALIGNMENT))
    expected: int | None = header.start
    for tensor in header.tensors:
        if expected is not None and tensor.offset != expected:
            faults.append(f"{tensor.name} starts at byte {tensor.offset}, expected {expected}")
        expected = None
        if tensor.type in FLOATS:
            end = tensor.offset + np.dtype(FLOATS[tensor.type]).itemsize * math.prod(tensor.shape)
            if end > header.size:
                faults.append(
                    f"truncated: {tensor.name} ends at byte {end}, the file at {header.size}"
                )
            expected = _aligned(end, alignment)
    return faults


class _Take:
    """Takes values from the front of the file, never more than ``limit`` bytes in all."""

    def __init__(self, file: BinaryIO, path: Path, limit: int, *, cut: bool) -> None:
        self.position = 0
        self._file, self._path, self._limit, self._cut = file, path, limit, cut

    def bytes(self, n: int, what: str) -> bytes:
        if n > self._limit - self.position:
            raise FileError(self._path, self._too_long(what, n))
        data = self._file.read(n)
        if len(data) != n:
            raise FileError(self._path, f"truncated at byte {self.position + len(data)}")
        self.position += n
        return data

    def integer(self, n: int, what: str) -> int:
        return int.from_bytes(self.bytes(n, what), "little")

    def count(self, smallest: int, what: str) -> int:
        """A count of things that take at least ``smallest`` bytes each."""
        n = self.integer(8, f"the number of {what}")
        if n * smallest > self._limit - self.position:
            raise FileError(self._path, self._too_long(f"{n} {what}", n * smallest))
        return n

    def text(self, what: str) -> str:
        data = self.bytes(self.count(1, f"bytes of {what}"), what)
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise FileError(self._path, f"{what} at byte {self.position} is not UTF-8") from None

    def value(self, kind: int, key: str) -> Any:
        if kind == STRING:
            return self.text(f"the value of {key!r}")
        if kind == ARRAY:
            return self._array(key)
        if kind not in SCALARS:
            raise FileError(self._path, f"key {key!r} has a value of unknown type {kind}")
        return self._numbers(kind, 1, key)[0].item()

    def tensor(self) -> tuple[str, tuple[int, ...], int, int]:
        """Name, shape (fastest dimension first), type, and offset within the data."""
        name = self.text("the name of a tensor")
        n_dim = self.integer(4, f"the number of dimensions of {name}")
        if not 1 <= n_dim <= 4:
            raise FileError(self._path, f"{name} has {n_dim} dimensions, expected 1 to 4")
        shape = tuple(self.integer(8, f"the dimensions of {name}") for _ in range(n_dim))
        kind = self.integer(4, f"the type of {name}")
        return name, shape, kind, self.integer(8, f"the offset of {name}")

    def _array(self, key: str) -> Any:
        kind = self.integer(4, f"the element type of {key!r}")
        if kind == STRING:
            n = self.count(8, f"elements of {key!r}")
            return [self.text(f"an element of {key!r}") for _ in range(n)]
        if kind not in SCALARS:
            raise FileError(self._path, f"key {key!r} has elements of unknown type {kind}")
        n = self.count(np.dtype(SCALARS[kind]).itemsize, f"elements of {key!r}")
        return self._numbers(kind, n, key)

    def _numbers(self, kind: int, n: int, key: str) -> np.ndarray[Any, Any]:
        dtype = np.dtype(SCALARS[kind])
        return np.frombuffer(self.bytes(n * dtype.itemsize, f"the value of {key!r}"), dtype)

    def _too_long(self, what: str, n: int) -> str:
        if self._cut:
            return f"the header claims {what} ({n} bytes), more than any control vector needs"
        left = self._limit - self.position
        return f"truncated or damaged: the header claims {what} ({n} bytes), {left} bytes are left"


def _alignment(metadata: dict[str, Any], path: Path) -> int:
    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or not 1 <= alignment <= 2**20 or alignment.bit_count() != 1:
        raise FileError(path, f"general.alignment is {alignment!r}, expected a power of two")
    return alignment


def _aligned(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment
