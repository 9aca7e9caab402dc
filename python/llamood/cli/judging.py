"""Who judges the answers of ``llamood eval``, and how near these are to their questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from llamood import judges
from llamood.answer_log import Answer
from llamood.cli import models
from llamood.cli.consoles import printable, remark
from llamood.cli.prompts import user_turn
from llamood.embedder import Embedder
from llamood.errors import ModelError
from llamood.hf_judge import HfJudge
from llamood.measures import NEUTRAL, topic_adherence
from llamood.sheets import Float64, Judging
from llamood.zero_shot import ZeroShotJudge

BUNDLED, SELF, HF = "bundled", "self", "hf:"


class JudgeType(click.ParamType[str]):
    """``bundled``, ``self`` or ``hf:PATH``."""

    name = "judge"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        written = str(value)
        if written not in (BUNDLED, SELF) and not written.startswith(HF):
            self.fail(f"bundled, self or hf:PATH was expected, not {written}", param, ctx)
        return written


@dataclass(frozen=True)
class Jury:
    """What was asked for. ``judge``: as `JudgeType`. ``model``: the GGUF file that is measured,
    None where it is not known. ``embedder``: another for topics. ``hardware``: arguments of
    ``llama_cpp.Llama``."""

    judge: str
    model: Path | None
    embedder: Path | None
    hardware: dict[str, Any]

    def require(self) -> None:
        """Raise `ModelError` for what cannot judge, before anything is asked."""
        if self.judge == SELF and self.model is None:
            raise ModelError("to judge by the model itself (--judge self), give MODEL too")
        if self.judge.startswith(HF):
            assert self._hf.labels  # loaded here, and not after all the answers
        if self.embedder is not None:
            models.require_model(self.embedder)
            Embedder(self.embedder, **self.hardware).close()

    def known(self, names: Sequence[str]) -> list[str]:
        """Of these emotions those that the judge has a label for, and a remark on the others."""
        if self.judge == SELF:
            return list(names)
        labels = self._hf.labels if self.judge.startswith(HF) else judges.bundled().labels
        known = [name for name in names if name in labels]
        if not known:
            raise ModelError(
                f"the judge knows none of {', '.join(map(printable, names))}; it knows "
                f"{', '.join(map(printable, labels))}"
            )
        unknown = [printable(name) for name in names if name not in labels]
        if unknown:
            remark(f"Note: the judge does not know {', '.join(unknown)}; left out.")
        return known

    @contextmanager
    def sitting(self, emotions: Sequence[str]) -> Iterator[Judging]:
        """The judge, for as long as it is needed. ``emotions``: what answers were asked for."""
        if self.judge == BUNDLED:
            yield judges.bundled()
        elif self.judge == SELF:
            assert self.model is not None
            labels = [*(name for name in emotions if name != NEUTRAL), NEUTRAL]
            with ZeroShotJudge(
                self.model, labels=labels, prompt=user_turn, **self.hardware
            ) as judge:
                yield judge
        else:
            yield self._hf

    def topics(self, answers: Sequence[Answer]) -> Float64 | None:
        """(n_answer,): of each its cosine with the question; None where nothing can embed them."""
        model = self.model if self.embedder is None else self.embedder
        if model is None or not all(answer.question for answer in answers):
            return None
        questions = list(dict.fromkeys(answer.question for answer in answers))
        with Embedder(model, own=self.embedder is None, **self.hardware) as embedder:
            of_questions = embedder.embed(questions)
            of_answers = embedder.embed([answer.text for answer in answers])
        rows = [questions.index(answer.question) for answer in answers]
        return topic_adherence(of_questions[rows], of_answers)

    @cached_property
    def _hf(self) -> HfJudge:
        return HfJudge(self.judge.removeprefix(HF))
