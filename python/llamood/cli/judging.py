"""Who judges the answers of ``llamood eval``, and how near these are to their questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import click
import numpy as np

import llamood
from llamood import judges
from llamood.calibration.measuring import PER_LABEL as FITTED
from llamood.cli import models
from llamood.cli.consoles import Advance, printable, progress, remark
from llamood.cli.prompts import user_turn
from llamood.errors import ModelError
from llamood.evaluation.answer_log import Answer
from llamood.evaluation.embedder import Embedder
from llamood.evaluation.sheets import Float64
from llamood.evaluation.verdicts import Verdicts
from llamood.extraction.texts import LabelledTexts, load_texts
from llamood.judges.filters import Filter
from llamood.judges.hf_judge import HfJudge
from llamood.judges.judging import Judging
from llamood.judges.jury import BUNDLED, READING
from llamood.judges.measures import NEUTRAL, topic_adherence
from llamood.judges.reading_judge import ReadingJudge
from llamood.judges.zero_shot import ZeroShotJudge
from llamood.readings.probe import Probe

SELF, HF, GGUF = "self", "hf:", "gguf:"
KNOWN_TEXTS = Path(llamood.__file__).parent / "data" / "texts.tsv"
AT_ONCE = 32  # texts that are judged, or embedded, between two reports of progress
PER_LABEL = 30  # labelled lines that a judge is tried on


class JudgeType(click.ParamType[str]):
    """``bundled``, ``reading``, ``self``, ``gguf:PATH`` or ``hf:PATH``."""

    name = "judge"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        written = str(value)
        if written not in (BUNDLED, READING, SELF) and not written.startswith((HF, GGUF)):
            said = f"bundled, reading, self, gguf:PATH or hf:PATH was expected, not {written}"
            self.fail(said, param, ctx)
        return written


@dataclass(frozen=True)
class Jury:
    """What was asked for. ``judges``: as `JudgeType`, one at least. ``model``: the GGUF file that
    is measured, None where it is not known. ``embedder``: another for topics. ``texts``: labelled
    ones that judges are tried on; None where there are none. ``hardware``: arguments of
    ``llama_cpp.Llama``."""

    judges: tuple[str, ...]
    model: Path | None
    embedder: Path | None
    texts: Path | None
    hardware: dict[str, Any]
    vectors: Path | None = None  # whose baseline reads

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the judges, those in files by the names of these where that tells them apart."""
        short = [_short(judge) for judge in self.judges]
        pairs = zip(self.judges, short, strict=True)
        return tuple(name if short.count(name) == 1 else judge for judge, name in pairs)

    def require(self) -> None:
        """Raise `ModelError` for what cannot judge, before anything is asked."""
        if SELF in self.judges and self.model is None:
            raise ModelError("to judge by the model itself (--judge self), give MODEL too")
        if READING in self.judges:
            if self.model is None or self.vectors is None:
                raise ModelError("to judge by readings (--judge reading), give MODEL, and -e too")
            assert Filter.of_probe(Probe.load(self.vectors)).names  # now, not after all the answers
        for judge in self.judges:
            if judge.startswith(HF):
                assert self._hf[judge].labels  # loaded here, and not after all the answers
            if judge.startswith(GGUF):
                models.require_model(_file(judge))
        assert self.labelled is None or self.labelled.names  # read here
        if self.embedder is not None:
            models.require_model(self.embedder)
            Embedder(self.embedder, **self.hardware).close()

    def known(self, names: Sequence[str]) -> list[str]:
        """Of these emotions those that all judges have a label for, and a remark on the others."""
        known = list(names)
        for judge, name in zip(self.judges, self.names, strict=True):
            labels = self._labels(judge)
            if labels is None:
                continue
            both = [each for each in known if each in labels]
            if not both:
                raise ModelError(
                    f"the judge ({printable(name)}) knows none of "
                    f"{', '.join(map(printable, known))}; it knows "
                    f"{', '.join(map(printable, labels))}"
                )
            unknown = [printable(each) for each in known if each not in labels]
            if unknown:
                remark(
                    f"Note: the judge ({printable(name)}) does not know {', '.join(unknown)}; "
                    "left out."
                )
            known = both
        return known

    def _labels(self, judge: str) -> Sequence[str] | None:
        """Those that it has; None where it takes any."""
        if judge.startswith(HF):
            return self._hf[judge].labels
        if judge == READING:
            assert self.vectors is not None
            return Probe.load(self.vectors).names
        return judges.bundled().labels if judge == BUNDLED else None

    @cached_property
    def labelled(self) -> LabelledTexts | None:
        """What judges are tried on; of the set that ships nothing that readings were fitted to."""
        if self.texts is None:
            return None
        return load_texts(self.texts).after(FITTED).sample(PER_LABEL)

    def verdicts(self, answers: Sequence[Answer], emotions: Sequence[str]) -> list[Verdicts]:
        """Of each judge. ``emotions``: what answers were asked for."""
        found = []
        for judge, name in zip(self.judges, self.names, strict=True):
            with (
                self._sitting(judge, emotions) as sitting,
                progress(f"Judging ({printable(name)})", keep=judge != BUNDLED) as advance,
            ):
                watched = _Watched(sitting, advance)
                found.append(Verdicts.of(name, watched, answers, known=self.labelled))
        return found

    @contextmanager
    def _sitting(self, judge: str, emotions: Sequence[str]) -> Iterator[Judging]:
        """The judge, for as long as it is needed."""
        if judge == BUNDLED:
            yield judges.bundled()
        elif judge.startswith(HF):
            yield self._hf[judge]
        elif judge == READING:
            with self._reading() as reading:
                yield reading
        else:
            model = self.model if judge == SELF else _file(judge)
            assert model is not None
            labels = [*(name for name in emotions if name != NEUTRAL), NEUTRAL]
            with ZeroShotJudge(model, labels=labels, prompt=user_turn, **self.hardware) as asked:
                yield asked

    def _reading(self) -> ReadingJudge:
        assert self.model is not None
        assert self.vectors is not None
        return ReadingJudge(self.model, Filter.of_probe(Probe.load(self.vectors)), **self.hardware)

    def topics(self, answers: Sequence[Answer]) -> Float64 | None:
        """(n_answer,): of each its cosine with the question; None where nothing can embed them."""
        model = self.model if self.embedder is None else self.embedder
        if model is None or not all(answer.question for answer in answers):
            return None
        asked, said = ([getattr(each, of) for each in answers] for of in ("question", "text"))
        texts = list(dict.fromkeys([*asked, *said]))
        with (
            Embedder(model, own=self.embedder is None, **self.hardware) as embedder,
            progress("Comparing topics", keep=True) as advance,
        ):
            embedded = []
            for begin in range(0, len(texts), AT_ONCE):
                advance(begin, len(texts))
                embedded.append(embedder.embed(texts[begin : begin + AT_ONCE]))
            advance(len(texts), len(texts))
        rows = dict(zip(texts, np.concatenate(embedded), strict=True))
        questions, replies = (np.stack([rows[text] for text in of]) for of in (asked, said))
        return topic_adherence(questions, replies)

    @cached_property
    def _hf(self) -> dict[str, HfJudge]:
        return {each: HfJudge(each.removeprefix(HF)) for each in self.judges if each.startswith(HF)}


class _Watched:
    """A judge whose progress is told."""

    def __init__(self, judge: Judging, advance: Advance) -> None:
        self._judge = judge
        self._advance = advance
        self.labels = tuple(judge.labels)

    def probabilities(self, texts: Iterable[str]) -> Float64:
        asked = list(texts)
        rows = [np.empty((0, len(self.labels)))]
        for begin in range(0, len(asked), AT_ONCE):
            self._advance(begin, len(asked))
            rows.append(np.asarray(self._judge.probabilities(asked[begin : begin + AT_ONCE])))
        self._advance(len(asked), len(asked))
        return np.concatenate(rows)


def _file(judge: str) -> Path:
    """Of ``gguf:PATH``; ``demo`` is the bundled model."""
    return models.model_path(judge.removeprefix(GGUF))


def _short(judge: str) -> str:
    """With the name of a file in place of its path."""
    kind, colon, path = judge.partition(":")
    return f"{kind}{colon}{Path(path).name}" if colon else judge
