"""Whether steering works on a model: every question answered in every condition.

After arXiv 2502.04075, with the controls that it lacks (`llamood.conditions`). What the answers
show is computed from them alone, by `llamood.findings`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from os import PathLike
from pathlib import Path
from typing import Any

from llamood.answer_log import Answer, AnswerLog
from llamood.calibrate import TEMPERATURE, TOP_P
from llamood.conditions import INTENSITIES, Condition, Range, conditions, random_beside
from llamood.errors import LlamoodError, ModelError
from llamood.extract import LONGEST_PROMPT, Progress, fingerprint_of
from llamood.llama import Llama
from llamood.queries import load_queries
from llamood.vectors import EmotionVectors

PARTIAL = "answers.partial.jsonl"
CONTEXT_STEP = 256  # llama.cpp rounds a context up to this; llama_cpp's buffers do not follow

# From a voice and a user's turn to tokens, up to where the answer begins.
Prompt = Callable[[Llama, str], Sequence[int]]


class Evaluation:
    """Answers to compare, that can be stopped at any point, also by kill -9, and gone on with.

    ``model``: a GGUF file. ``emotions``: its vectors; all of them are asked for. ``prompt``: how a
    user's turn is written for the model. ``questions``: the plain ones of the shipped set unless
    given; at least 2. ``output``: the folder in which answers are kept as they are given (see
    `PARTIAL`); without it nothing is written. ``layers``: first and last layer to add in, both
    included. ``intensities``: multiples of each emotion's top dose, see `conditions`.
    ``max_tokens``: longest answer. ``restart``: forget an unfinished evaluation of other settings.
    ``llama``: arguments of ``llama_cpp.Llama``.

    A question has the same seed in every condition. Each answer begins with an empty cache, so
    that a run that was stopped in between gives the very answers of one that was not.

    Raises `ModelError` for what cannot be asked, `FileError` for an unfinished evaluation of
    other settings.
    """

    def __init__(
        self,
        model: str | PathLike[str],
        *,
        emotions: EmotionVectors,
        prompt: Prompt,
        questions: Sequence[str] | None = None,
        output: str | PathLike[str] | None = None,
        layers: Range | None = None,
        intensities: Sequence[float] = INTENSITIES,
        max_tokens: int = 96,
        seed: int = 0,
        restart: bool = False,
        **llama: Any,
    ) -> None:
        self._model = Path(model)
        self._emotions = emotions
        self._prompt = prompt
        self._questions = load_queries().neutral if questions is None else tuple(questions)
        if len(self._questions) < 2:
            raise ModelError(f"at least 2 questions are needed, found {len(self._questions)}")
        if layers is not None and not 1 <= layers[0] <= layers[1] < emotions.n_layer:
            raise ModelError(
                f"layers {layers[0]} to {layers[1]} were asked for; there are 1 to "
                f"{emotions.n_layer - 1}"
            )
        self._layers = layers
        self._max_tokens = max_tokens
        self._seed = seed
        self._llama = llama
        self._conditions = conditions(emotions, intensities)
        self._jobs = [
            (number, condition)
            for number in range(len(self._questions))
            for condition in self._conditions
        ]
        self._fingerprint = fingerprint_of(self._model)
        self._log = AnswerLog.load(
            None if output is None else Path(output) / PARTIAL,
            settings=self.settings,
            restart=restart,
        )

    @property
    def total(self) -> int:
        """Answers in all."""
        return len(self._jobs)

    @property
    def done(self) -> int:
        """Answers so far, also those of an earlier, stopped run."""
        return len(self._log)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answers so far: question by question, each in every condition."""
        return self._log.answers

    @property
    def settings(self) -> dict[str, Any]:
        """JSON-able: what must be equal for a stopped evaluation to go on."""
        return {
            "model": self._fingerprint,
            "model_bytes": self._model.stat().st_size,
            "emotions": list(self._emotions.names),
            "vectors": hashlib.blake2b(self._emotions.data.tobytes(), digest_size=8).hexdigest(),
            "n_question": len(self._questions),
            "questions": _digest(self._questions),
            "conditions": _digest([vars(condition) for condition in self._conditions]),
            "layers": None if self._layers is None else list(self._layers),
            "temperature": TEMPERATURE,
            "top_p": TOP_P,
            "max_tokens": self._max_tokens,
            "seed": self._seed,
        }

    def run(self, progress: Progress | None = None) -> None:
        """Ask what is left; ``progress(done, total)`` after each answer.

        Raises `ModelError` for a model that cannot be loaded or asked, `VectorError` where the
        vectors belong to another one.
        """
        if progress is not None:
            progress(self.done, self.total)
        if self.done == self.total:
            return
        with closing(self._voice()) as llm:
            while self.done < self.total:
                self._log.append(self._answer(llm, *self._jobs[self.done]))
                if progress is not None:
                    progress(self.done, self.total)

    def forget(self) -> None:
        """Remove what was kept of an unfinished evaluation: its results are written."""
        self._log.forget()

    def _voice(self) -> Llama:
        """With the random vectors beside the others: a second voice would hold the model twice."""
        both = self._emotions.merge(random_beside(self._emotions, seed=self._seed))
        room = LONGEST_PROMPT + self._max_tokens
        room += -room % CONTEXT_STEP
        # Unguarded: an answer that collapses is to be counted, not mended.
        settings = {
            "n_ctx": room,
            "n_batch": room,
            "guard": False,
            "verbose": False,
            **self._llama,
        }
        try:
            return Llama(self._model, emotions=both, **settings)
        except LlamoodError:
            raise
        except ValueError as error:  # llama_cpp has no type of its own for this
            raise ModelError(
                f"{self._model}: llama.cpp cannot load this model ({error})"
            ) from error

    def _answer(self, llm: Llama, number: int, condition: Condition) -> Answer:
        question = self._questions[number]
        prompt = list(self._prompt(llm, condition.turn(question)))
        if len(prompt) > LONGEST_PROMPT:
            raise ModelError(
                f"the question {question[:60]!r} has {len(prompt)} tokens, at most "
                f"{LONGEST_PROMPT} fit; shorten it"
            )
        llm.reset()
        text: str = llm.create_completion(
            prompt,
            mood=condition.mood(self._layers),
            max_tokens=self._max_tokens,
            temperature=TEMPERATURE,
            top_p=TOP_P,
            seed=(self._seed + number) % 2**32,
        )["choices"][0]["text"]
        mix = llm.mix
        # What was sampled may be written with more tokens than it was sampled with.
        tokens = llm.tokenize(text.encode(), add_bos=False, special=False)[: self._max_tokens]
        return Answer(
            number=number,
            question=question,
            kind=condition.kind,
            emotion=condition.emotion,
            intensity=condition.intensity,
            dose=condition.dose,
            text=text.strip(),
            n_token=len(tokens),
            surprise=float(llm.surprise(prompt, tokens).mean()) if tokens else None,
            mix=mix,
        )


def _digest(value: Sequence[str] | Sequence[Mapping[str, Any]]) -> str:
    return hashlib.blake2b(json.dumps(value).encode(), digest_size=8).hexdigest()
