"""Answers in a manner that is described, and plainly: what a model makes of a feeling's name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from llamood.calibration.trial_log import TrialLog, model_identity
from llamood.errors import ModelError
from llamood.extraction.answer_faults import answer_fault
from llamood.extraction.listener import Listener
from llamood.extraction.queries import everyday
from llamood.extraction.side_effects import side_effects
from llamood.extraction.states import Progress

# Everyday questions that are asked. Doses are chosen with the first ones.
QUESTIONS = slice(16, 48)
FEWEST = 16  # usable pairs of answers
LONGEST = 400  # characters of a description
TOKENS = 64  # of an answer
_PAIRS = 8  # answered side by side
_PROMPT_TOKENS = 320
_SHOWN = 80  # characters of an answer in an error


@dataclass(frozen=True)
class Manner:
    """``texts``: the answers in the manner. ``plain``: the plain answers to the same questions.

    They are read as texts afterwards, as if a person had written them. Hidden states of answers
    while they are given hold what was asked for as well, and what is found in them tells the
    feeling in other texts less surely.
    """

    texts: tuple[str, ...]
    plain: tuple[str, ...]


def asked_in_manner(question: str, manner: str) -> str:
    """The user's turn."""
    return f"{question}\n\nAnswer in this manner: {manner}."


def answers_in_manner(
    model: str | PathLike[str],
    manner: str,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    kept: Path | None = None,
    **llama: Any,
) -> Manner:
    """Everyday questions, each answered in the manner and plainly.

    ``manner``: words, at most `LONGEST` characters. ``progress(done, total)`` after each group.
    ``kept``: the file of a `TrialLog`, which is whose to remove who is done with the answers.
    ``llama``: arguments of ``llama_cpp.Llama``. Raises `ModelError` for a model that cannot be
    asked, and for fewer than `FEWEST` pairs in which both say something that can be used.
    """
    manner = manner.strip().rstrip(".")
    if not 0 < len(manner) <= LONGEST:
        raise ModelError(f"a manner in 1 to {LONGEST} characters is expected, found {len(manner)}")
    questions = everyday()[QUESTIONS]
    texts: list[str] = []
    plain_texts: list[str] = []
    faults: Counter[str] = Counter()
    shown = ""
    log = TrialLog(kept, of={"model": model_identity(Path(model)), "manner": manner, "seed": seed})
    with Listener(
        model, parallel=2 * _PAIRS, n_prompt=_PROMPT_TOKENS, n_answer=TOKENS, **llama
    ) as listener:
        for begin in range(0, len(questions), _PAIRS):
            group = questions[begin : begin + _PAIRS]
            asked = [prompt for q in group for prompt in (asked_in_manner(q, manner), q)]
            seeds = [(seed + 2 * begin + number) % 2**32 for number in range(len(asked))]

            def answered(asked: list[str] = asked, seeds: list[int] = seeds) -> list[Any]:
                heard = listener.answers([listener.prompt(each) for each in asked], seeds=seeds)
                return [[each.text, each.n_token] for each in heard]

            heard = log.recall([asked, seeds], answered)
            for (told, n_told), (plain, n_plain) in zip(heard[0::2], heard[1::2], strict=True):
                fault = _fault(told, n_told, plain) or _fault(plain, n_plain, None)
                if fault is not None:
                    faults[fault] += 1
                    shown = shown or told
                    continue
                texts.append(told)
                plain_texts.append(plain)
            if progress is not None:
                progress(min(begin + _PAIRS, len(questions)), len(questions))
    if len(texts) < FEWEST:
        raise ModelError(_too_few(manner, len(texts), len(questions), faults, shown))
    return Manner(tuple(texts), tuple(plain_texts))


def _fault(text: str, n_token: int, plain: str | None) -> str | None:
    """Why an answer is of no use, or None."""
    if side_effects(text).refusal:
        return "refuses"
    return answer_fault(text, n_token, plain=plain)


def _too_few(manner: str, n: int, total: int, faults: Counter[str], shown: str) -> str:
    found = ", ".join(f"{count} times: {fault}" for fault, count in faults.most_common())
    return (
        f"asked to answer in this manner: {manner}, the model gave {n} answers of {total} that can "
        f"be used, {FEWEST} are needed; {found} (as in {shown[:_SHOWN]!r}). Describe the manner in "
        "other words, or give texts (--texts)"
    )
