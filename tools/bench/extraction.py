"""Answer tokens a second while extracting, over plain generation of the same answers one at a
time: as many tokens, from the same prompts, with the same sampling settings and threads."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Sequence
from contextlib import closing
from tempfile import TemporaryDirectory

import llama_cpp
from paired import Measure, ratios

from llamood.extraction.extraction import Extraction, asked_with
from llamood.extraction.listener import CANDIDATES, TEMPERATURE, TOP_P
from llamood.extraction.queries import Queries
from models import MODELS, BenchModel

N_GROUP = 3  # groups of answers, of which the first loads the model and is not counted
PARALLEL: int = inspect.signature(Extraction).parameters["parallel"].default
MAX_TOKENS = 32
EMOTION = "joy"
QUESTIONS = tuple(f"Is {n} a good age?" for n in range(1, 1 + N_GROUP * PARALLEL // 2))


class Pairing:
    """The extraction's progress callback: after each group of answers it gives the same group
    to ``plain`` and times that too. ``ours`` and ``theirs``: seconds per counted group."""

    def __init__(self, plain: llama_cpp.Llama) -> None:
        self._plain = plain
        self._since = 0.0
        self.ours: list[float] = []
        self.theirs: list[float] = []

    def __call__(self, done: int, _total: int) -> None:
        took = time.perf_counter() - self._since
        if done >= PARALLEL:
            theirs = self._one_at_a_time(QUESTIONS[(done - PARALLEL) // 2 : done // 2])
            if done > PARALLEL:
                self.ours.append(took)
                self.theirs.append(theirs)
        self._since = time.perf_counter()

    def _one_at_a_time(self, questions: Sequence[str]) -> float:
        begin = time.perf_counter()
        for question in questions:
            for text in (asked_with(question, EMOTION), question):
                answer = self._plain.create_chat_completion(
                    [{"role": "user", "content": text}],
                    max_tokens=MAX_TOKENS,
                    temperature=TEMPERATURE,
                    top_p=TOP_P,
                    top_k=CANDIDATES,
                    seed=1,
                )
                if answer["usage"]["completion_tokens"] != MAX_TOKENS:
                    raise RuntimeError(f"the answer ended early: {answer['usage']}")
        return time.perf_counter() - begin


def measure() -> list[Measure]:
    return [_measure(model) for model in MODELS]


def _measure(model: BenchModel) -> Measure:
    path = str(model.path())
    with (
        closing(llama_cpp.Llama(**model.arguments(n_ctx=512))) as plain,
        TemporaryDirectory() as folder,
    ):
        pairing = Pairing(plain)
        extraction = Extraction(
            path,
            output=folder,
            queries=Queries({EMOTION: QUESTIONS}),
            max_tokens=MAX_TOKENS,
        )
        extraction.run(pairing)
        _require_full_length(extraction.answers())
    return Measure(
        name="extraction / one answer at a time, tokens per second",
        model=model.name,
        values=ratios(pairing.theirs, pairing.ours),
        bound=2.0,
        at_least=True,
    )


def _require_full_length(answers: str) -> None:
    """Equal numbers of tokens make the ratio of times that of speeds. The last token of an
    answer is sampled and not decoded, so it is not among those that were read."""
    for line in answers.splitlines():
        read = json.loads(line)["n_token"]
        if read != [MAX_TOKENS - 1, MAX_TOKENS - 1]:
            raise RuntimeError(f"an answer ended early: {read} tokens were read")
