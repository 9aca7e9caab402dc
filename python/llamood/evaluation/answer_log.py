"""The answers of an unfinished evaluation, one line each, on disk as soon as they are given.

The file is JSON lines: first the settings, ``{"settings": {...}}``, then an `Answer` a line with
``"job"``, the place of its question and condition among all. Many are answered at a time, so the
lines are in the order in which answers ended.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from llamood.atomic import write_files
from llamood.errors import FileError


@dataclass(frozen=True)
class Answer:
    """One answer, and how it came about.

    ``number``: of the question, from 0. ``kind``, ``emotion``, ``intensity``, ``dose``,
    ``point``: as in ``conditions.Condition``; an unsteered answer has an emotion where each
    emotion has questions of its own. ``n_token``: None where not known. ``nll``: mean
    negative log likelihood of its tokens, in nats, by the unsteered model after the same prompt;
    None for an answer of no token, and where not known. ``mix``: the weights of the vectors, as
    the voice applied them to the last token; empty where none was.
    """

    number: int
    question: str
    kind: str
    emotion: str | None
    intensity: float
    dose: float
    text: str
    n_token: int | None
    nll: float | None
    mix: Mapping[str, float]
    point: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.point is not None:  # JSON has lists only
            object.__setattr__(self, "point", tuple(self.point))

    def to_line(self, **more: Any) -> str:
        """As JSON, with the end of the line. ``more``: what else stands there, and first."""
        return json.dumps({**more, **asdict(self)}, ensure_ascii=False, allow_nan=False) + "\n"


class AnswerLog:
    """Answers by the number of their job, kept in a file unless ``path`` is None.

    A line that was torn by a kill is not counted, and is gone after the next answer.
    """

    def __init__(
        self,
        path: Path | None,
        settings: Mapping[str, Any],
        answers: Mapping[int, Answer] = MappingProxyType({}),
    ) -> None:
        self._path = path
        self._settings = dict(settings)
        self._answers = dict(answers)
        self._whole = False  # the file holds what is here and nothing else

    @classmethod
    def load(cls, path: Path | None, *, settings: Mapping[str, Any], restart: bool) -> AnswerLog:
        """Go on from ``path`` if it is there and has the same settings.

        Raises `FileError` where it has others, or cannot be read, unless ``restart``.
        """
        if path is None or restart or not path.exists():
            return cls(path, settings)
        try:
            lines = path.read_bytes().split(b"\n")[:-1]  # what follows the last one is torn
            if not lines:
                return cls(path, settings)
            before = dict(json.loads(lines[0])["settings"])
            answers = dict(map(_job, lines[1:]))
        except (
            OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError,
            RecursionError,
        ) as error:  # fmt: skip
            raise FileError(
                path, f"is no unfinished evaluation ({error}); remove it, or use --restart"
            ) from error
        now = json.loads(json.dumps(settings))
        differing = [
            f"{key} was {before.get(key)!r} and is {now.get(key)!r}"
            for key in {**before, **now}
            if before.get(key) != now.get(key)
        ]
        if differing:
            raise FileError(
                path,
                f"is an evaluation begun with other settings ({'; '.join(differing)}); go on with "
                "those, or use --restart (restart=True) to begin anew",
            )
        return cls(path, settings, answers)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """All so far, also those of an earlier, stopped run; in the order of their jobs."""
        return tuple(self._answers[job] for job in sorted(self._answers))

    def __len__(self) -> int:
        return len(self._answers)

    def __contains__(self, job: object) -> bool:
        """Whether it has an answer."""
        return job in self._answers

    def append(self, answer: Answer, *, job: int) -> None:
        """The answer outlives the process once this returns. Raises `FileError` where the disk
        refuses it."""
        if self._path is not None:
            if not self._whole:
                self._write(self._path)
                self._whole = True
            try:
                with self._path.open("ab") as file:
                    file.write(answer.to_line(job=job).encode("utf-8"))
            except OSError as error:
                raise FileError(
                    self._path, f"cannot be written: {error.strerror or error}"
                ) from error
        self._answers[job] = answer

    def forget(self) -> None:
        """Remove the file: the evaluation is finished."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _write(self, path: Path) -> None:
        head = json.dumps({"settings": self._settings}, ensure_ascii=False, allow_nan=False) + "\n"
        lines = [head, *(answer.to_line(job=job) for job, answer in self._answers.items())]
        content = "".join(lines).encode("utf-8")
        write_files({path: lambda beside: beside.write_bytes(content)})


def _job(line: bytes) -> tuple[int, Answer]:
    """Of one line: the job and its answer."""
    written = json.loads(line)
    return int(written.pop("job")), Answer(**written)
