"""The vectors to which a service may add emotions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llamood.atomic import write_files
from llamood.calibration.repertoire import Repertoire


@dataclass(frozen=True, kw_only=True)
class OwnVectors:
    """``folder``: where they lie, or will: of vectors that stay as they are, ``kept``, the first
    addition makes a copy there. ``model``: whose they are. ``llama``: how that is opened to measure
    them, as arguments of ``llama_cpp.Llama``."""

    model: Path
    folder: Path
    kept: Path | None
    llama: Mapping[str, Any]

    @property
    def now(self) -> Path:
        """What is felt with until an emotion is added."""
        return self.folder if self.kept is None or self.folder.exists() else self.kept

    def repertoire(self) -> Repertoire:
        """Raises as `Repertoire`."""
        return Repertoire(self.model, self.now, **self.llama)

    def require_writable(self) -> None:
        """Raises `FileError` where nothing could be added."""
        folder = self.folder if self.folder.exists() else self.folder.parent
        probe = folder / ".additions"
        write_files({probe: lambda path: path.write_bytes(b"")})
        probe.unlink()
