"""What expresses a feeling that is new to a model: utterances, as a person has written them."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llamood.errors import FileError
from llamood.extraction.texts import MAX_FILE_BYTES, NEUTRAL, by_label, name_fault, read_text
from llamood.vectors.emotion_vectors import BASE

FEWEST = 20  # utterances
MOST = 300  # that are used, the first ones
_UNFINISHED = ".partial"
FOLDER = "added"  # beside the vectors: how those that were added came about


def utterances(path: str | Path, name: str) -> tuple[str, ...]:
    """Of a ``.txt`` every line that is not blank; of labelled texts those labelled ``name``; each
    once, at most `MOST`.

    Raises `FileError` for fewer than `FEWEST`, and as `load_texts` for a file that is no such one.
    """
    path = Path(path)
    if path.suffix.lower() == ".txt":
        found: Sequence[str] = read_text(path, max_bytes=MAX_FILE_BYTES).splitlines()
        labels = ""
    else:
        texts, _ = by_label(path)
        found = texts.get(name, ())
        labels = f" (its labels are {', '.join(texts) or 'none'})"
    once = tuple(dict.fromkeys(line.strip() for line in found if line.strip()))
    if len(once) < FEWEST:
        raise FileError(
            path,
            f"holds {len(once)} different utterances of {name}{labels}, at least {FEWEST} are "
            "needed; write more, one a line, about different things",
        )
    return once[:MOST]


def new_name_fault(name: str) -> str | None:
    """Why a feeling that is added cannot have this name, or None."""
    if name in (NEUTRAL, BASE):
        return f"{name!r} means something else in moods and texts; choose another name"
    return name_fault(name)


@dataclass(frozen=True)
class Origin:
    """How a feeling that was added came about. ``texts``: what it was measured from. ``manner``:
    the description that the model answered by; None where a person wrote the texts. ``place``: what
    is added, and where. ``dose``: how much of it is 1.0. ``perplexity``: the ratio of that dose."""

    texts: tuple[str, ...]
    manner: str | None
    place: str
    dose: float
    perplexity: float

    def write(self, path: Path) -> None:
        """As JSON."""
        written = json.dumps(vars(self) | {"texts": list(self.texts)}, ensure_ascii=False, indent=1)
        path.write_text(written + "\n", encoding="utf-8")


def origin_path(folder: Path, name: str) -> Path:
    """Where the `Origin` of a feeling lies beside the vectors."""
    return folder / FOLDER / f"{name}.json"


def unfinished_path(folder: Path, name: str, target: Path) -> Path:
    """The folder of what is unfinished of a feeling that is added to those in ``folder``, and is to
    lie in ``target``: beside where its origin will be, or beside a folder that is to be made."""
    if target != folder:
        return target.with_name(f"{target.name}{_UNFINISHED}")
    return folder / FOLDER / f"{name}{_UNFINISHED}"


def forget_unfinished(folder: Path) -> None:
    """Remove it, and what was made for it."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.parent.name == FOLDER:
        with contextlib.suppress(OSError):  # something else is in it
            folder.parent.rmdir()


def is_unfinished(path: Path) -> bool:
    """Whether a file lies in such a folder."""
    return path.parent.suffix == _UNFINISHED


def origins(folder: Path) -> dict[str, Origin]:
    """Name -> origin, of the feelings that were added to a folder. Raises `FileError`."""
    paths = sorted((folder / FOLDER).glob("*.json"))
    return {path.stem: _read(path) for path in paths if not path.name.startswith(".")}


def _read(path: Path) -> Origin:
    try:
        said: dict[str, Any] = json.loads(read_text(path, max_bytes=MAX_FILE_BYTES))
        manner = said["manner"]
        return Origin(
            texts=tuple(str(text) for text in said["texts"]),
            manner=None if manner is None else str(manner),
            place=str(said["place"]),
            dose=float(said["dose"]),
            perplexity=float(said["perplexity"]),
        )
    except FileError:
        raise
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise FileError(path, f"does not say how this feeling was added: {error!r}") from error
