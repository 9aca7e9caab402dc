"""Whether steering works on a model: every question answered in every condition.

After arXiv 2502.04075, with the controls that it lacks (`llamood.conditions`). What the answers
show follows from them alone, by `results.results`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import llama_cpp

from llamood.errors import LlamoodError, ModelError
from llamood.evaluation.answer_log import Answer, AnswerLog
from llamood.evaluation.conditions import Condition, Kind, Range, beside, controlled
from llamood.extraction.extraction import LONGEST_PROMPT, fingerprint_of
from llamood.extraction.queries import load_queries
from llamood.extraction.states import Progress
from llamood.vectors.emotion_vectors import BASE, EmotionVectors
from llamood.vectors.gguf_header import trained_context
from llamood.voices.answering import PARALLEL, Answering, Reply, Request
from llamood.voices.chat_template import Prompt
from llamood.voices.llama import Llama
from llamood.voices.sampling import TEMPERATURE, TOP_P

PARTIAL = "answers.partial.jsonl"
TOKENS = 32  # of an answer, at most
LONGEST_ANSWER = 512  # tokens, the paper's
CONTEXT_STEP = 256  # llama.cpp rounds a context up to this; llama_cpp's buffers do not follow

# From a model and a user's turn to tokens, up to where the answer begins.


class Evaluation:
    """Answers to compare, that can be stopped at any point, also by kill -9, and gone on with.

    ``model``: a GGUF file. ``emotions``: its vectors; all of them are asked for. ``prompt``: how a
    user's turn is written for the model. ``questions``: the plain ones of the shipped set unless
    given; at least 2. ``output``: the folder in which answers are kept as they are given (see
    `PARTIAL`); without it nothing is written. ``layers``: first and last layer to add in, both
    included. ``conditions``: in which each question is answered, `controlled` unless given.
    ``controls``: the vectors of kinds that have some of their own (see `conditions.beside`).
    ``max_tokens``: longest answer. ``parallel``: answers at a time. ``restart``: forget an
    unfinished evaluation of other settings. ``llama``: arguments of ``llama_cpp.Llama``.

    A question has the same seed in every condition. An answer depends on nothing that is asked
    beside it, so a run that was stopped in between gives the very answers of one that was not,
    where nothing is rounded on the way; see `Answering`.

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
        conditions: Sequence[Condition] | None = None,
        controls: Mapping[Kind, EmotionVectors] | None = None,
        max_tokens: int = TOKENS,
        seed: int = 0,
        parallel: int = PARALLEL,
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
        self._parallel = parallel
        self._llama = llama
        self._controls = dict(controls or {})
        made = controlled(emotions, kinds=self._controls) if conditions is None else conditions
        self._conditions = tuple(made)
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
            "controls": {
                kind: hashlib.blake2b(evs.data.tobytes(), digest_size=8).hexdigest()
                for kind, evs in self._controls.items()
            },
            "layers": None if self._layers is None else list(self._layers),
            "temperature": TEMPERATURE,
            "top_p": TOP_P,
            "max_tokens": self._max_tokens,
            "seed": self._seed,
        }

    def run(self, progress: Progress | None = None) -> None:
        """Ask what is left; ``progress(done, total)`` as answers come.

        Raises `ModelError` for a model that cannot be loaded or asked, `VectorError` where the
        vectors belong to another one.
        """
        if progress is not None:
            progress(self.done, self.total)
        jobs = [job for job in range(self.total) if job not in self._log]
        if not jobs:
            return
        with self._answering() as answering:
            asked = [self._request(answering, *self._jobs[job]) for job in jobs]
            for some in answering.each(asked):
                prompts = [asked[number].prompt for number, _ in some]
                nlls = _nlls(answering, prompts, [reply for _, reply in some])
                for (number, reply), nll in zip(some, nlls, strict=True):
                    job = jobs[number]
                    answer = self._answer(reply, nll, *self._jobs[job])
                    self._log.append(answer, job=job)
                if progress is not None:
                    progress(self.done, self.total)

    def forget(self) -> None:
        """Remove what was kept of an unfinished evaluation: its results are written."""
        self._log.forget()

    def _answering(self) -> Answering:
        """With what controls need beside the vectors: a second one would hold the model twice."""
        vectors = beside(self._emotions, self._controls, seed=self._seed)
        if any(each.emotion == BASE for each in self._conditions) and BASE not in vectors.names:
            base = replace(self._emotions.base(), measurement=vectors.measurement)
            vectors = vectors.merge(base)
        return Answering(
            self._model,
            emotions=vectors,
            parallel=min(self._parallel, self.total),
            **{"n_ctx": _room(self._model, self._max_tokens), **self._llama},
        )

    def _request(self, answering: Answering, number: int, condition: Condition) -> Request:
        return Request(
            _tokens(answering.llama, self._prompt, condition.turn(self._questions[number])),
            max_tokens=self._max_tokens,
            mood=condition.mood(self._layers),
            seed=(self._seed + number) % 2**32,
        )

    def _answer(self, reply: Reply, nll: float | None, number: int, condition: Condition) -> Answer:
        return Answer(
            number=number,
            question=self._questions[number],
            kind=condition.kind,
            emotion=condition.emotion,
            intensity=condition.intensity,
            dose=condition.dose,
            point=condition.point,
            text=reply.text.strip(),
            n_token=len(reply.tokens),
            nll=nll,
            mix=dict(reply.mix),
        )


def _nlls(
    answering: Answering, prompts: Sequence[Sequence[int]], replies: Sequence[Reply]
) -> list[float | None]:
    """Of each reply, None where it has no token."""
    found = [reply.nll for reply in replies]
    steered = [n for n, reply in enumerate(replies) if reply.tokens and reply.nll is None]
    means = answering.nll([prompts[n] for n in steered], [replies[n].tokens for n in steered])
    for n, mean in zip(steered, means.tolist(), strict=True):
        found[n] = mean
    return found


def with_nll(
    answers: Sequence[Answer],
    *,
    model: str | PathLike[str],
    prompt: Prompt,
    progress: Progress | None = None,
    **llama: Any,
) -> tuple[Answer, ...]:
    """Answers that were made elsewhere, with their `Answer.nll` where that is not known: by
    this model, unsteered, after the question alone. Where that is unknown too, it stays unknown.

    Of an answer its first `LONGEST_ANSWER` tokens count. ``progress(done, total)`` after each.
    ``llama``: arguments of ``llama_cpp.Llama``. Raises `ModelError` for a model that cannot be
    loaded, and for questions that are too long.
    """
    found = []
    with closing(_open(Path(model), LONGEST_ANSWER, **llama)) as llm:
        for number, answer in enumerate(answers):
            if answer.nll is None and answer.text and answer.question:
                before = _tokens(llm, prompt, answer.question)
                tokens = llm.tokenize(answer.text.encode(), add_bos=False, special=False)
                fits = min(LONGEST_ANSWER, llm.n_ctx() - len(before))
                nll = llm.nll(before, tokens[:fits])
                answer = replace(answer, n_token=len(tokens), nll=float(nll.mean()))
            found.append(answer)
            if progress is not None:
                progress(number + 1, len(answers))
    return tuple(found)


def _open(model: Path, longest_answer: int, **llama: Any) -> Llama:
    room = _room(model, longest_answer)
    room += -room % CONTEXT_STEP
    try:
        return Llama(model, **{"n_ctx": room, "n_batch": room, "verbose": False, **llama})
    except LlamoodError:
        raise
    except ValueError as error:  # llama_cpp has no type of its own for this
        raise ModelError(f"{model}: llama.cpp cannot load this model ({error})") from error


def _room(model: Path, longest_answer: int) -> int:
    """Tokens of a prompt and its answer."""
    room = LONGEST_PROMPT + longest_answer
    return min(room, trained_context(model) or room)


def _tokens(llm: llama_cpp.Llama, prompt: Prompt, turn: str) -> list[int]:
    tokens = list(prompt(llm, turn))
    if len(tokens) > LONGEST_PROMPT:
        raise ModelError(
            f"the question {turn[:60]!r} has {len(tokens)} tokens, at most {LONGEST_PROMPT} fit; "
            "shorten it"
        )
    return tokens


def _digest(value: Sequence[str] | Sequence[Mapping[str, Any]]) -> str:
    return hashlib.blake2b(json.dumps(value).encode(), digest_size=8).hexdigest()
