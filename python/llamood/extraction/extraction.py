"""From a model to its emotion vectors, measured on the quantised model itself.

The paper's method (arXiv 2502.04075, section 3): each question is answered plainly and with the
emotion asked for; the hidden states of the answer's tokens are averaged per layer, and the
vector of an emotion is the mean over questions of (emotional answer - plain answer), neither
normalised nor rotated. For models too small to follow an instruction the same difference is
taken between labelled texts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from llamood import _core
from llamood.errors import ModelError
from llamood.extraction.answer_faults import answer_fault
from llamood.extraction.listener import SITES, Heard, Listener
from llamood.extraction.queries import Queries, load_queries
from llamood.extraction.running_means import RunningMeans
from llamood.extraction.states import LAYER_OUT, LONGEST_TEXT, Progress, StateLog, States, in_turn
from llamood.extraction.texts import NEUTRAL, LabelledTexts
from llamood.vectors.emotion_vectors import EmotionVectors, Float32
from llamood.vectors.measurement import Measurement, Site

LONGEST_PROMPT = 256  # tokens; questions are sentences, not documents


def asked_with(question: str, emotion: str) -> str:
    """The user's turn that asks for an emotional answer; the plain one is the question alone."""
    return f"{question}\n\nAnswer with {emotion}."


@dataclass(frozen=True)
class _Job:
    """One answer or text to measure: ``label`` is how it is asked, or what it is."""

    emotion: str  # whose sum it enters; neutral texts have a sum of their own
    label: str
    text: str


class Extraction:
    """A measurement that can be stopped at any point, also by kill -9, and begun again.

    ``model``: a GGUF file. ``output``: the folder in which the unfinished measurement lies, as
    ``answers.partial`` or ``texts.partial`` with its ``.states`` (``name``: another name). Without
    it nothing is written.
    From ``queries`` (the shipped set if neither is given) or from ``texts``; ``as_answer_to``: put
    each text as the answer to this question into the chat template, and read the answer's tokens
    only.
    ``per_emotion`` and ``per_label`` bound how many questions and texts are used.
    ``parallel``: answers at a time. ``max_tokens``: longest answer. ``restart``: forget an
    unfinished measurement of other settings. ``llama``: arguments of ``llama_cpp.Llama``.

    The same seed, ``parallel`` and model give the same vectors, stopped in between or not: work
    goes in fixed groups of ``parallel`` answers, and a group is measured whole or not at all.
    """

    def __init__(
        self,
        model: str | PathLike[str],
        *,
        output: str | PathLike[str] | None = None,
        name: str | None = None,
        queries: Queries | None = None,
        texts: LabelledTexts | None = None,
        as_answer_to: str | None = None,
        per_label: int = 400,
        per_emotion: int | None = None,
        seed: int = 0,
        parallel: int = 16,
        max_tokens: int = 96,
        restart: bool = False,
        **llama: Any,
    ) -> None:
        if texts is not None and queries is not None:
            raise ModelError("measure from questions or from texts, not from both")
        self._model = Path(model)
        self._output = None if output is None else Path(output)
        self._name = name or ("answers" if texts is None else "texts")
        self._llama = llama
        self._queries = queries
        self._texts = texts
        self._per_label = per_label
        self._as_answer_to = as_answer_to
        self._parallel = max(2, parallel - parallel % 2)  # pairs are measured together
        self._max_tokens = max_tokens
        self._seed = seed
        if texts is None:
            queries = queries or load_queries()
            self._emotions = queries.emotions
            self._jobs = _questions(queries, per_emotion)
        else:
            self._texts = texts = texts.sample(per_label, seed=seed)
            self._emotions = texts.emotions
            self._jobs = [_Job(name, name, text) for name, text in in_turn(texts)]
        self._fingerprint = fingerprint_of(self._model)
        self._settings = self._identity()
        self._means = RunningMeans.load(
            self._beside(".partial"),
            settings=self._settings,
            restart=restart,
        )
        self._states = StateLog(self._beside(".states"))

    def _beside(self, suffix: str) -> Path | None:
        """Where the unfinished measurement lies."""
        return None if self._output is None else self._output / f"{self._name}{suffix}"

    @property
    def total(self) -> int:
        """Answers or texts in all."""
        return len(self._jobs)

    @property
    def done(self) -> int:
        """Answers or texts measured so far, also by an earlier, stopped run."""
        return self._means.done

    @property
    def kept(self) -> int:
        """Of those, how many a run begun anew would not repeat: what is safe in ``output``."""
        return self._means.kept()

    def run(self, progress: Progress | None = None) -> None:
        """Measure what is left; ``progress(done, total)`` after each group.

        Raises ModelError for a model that cannot be asked or read.
        """
        if progress is not None:
            progress(self.done, self.total)
        if self.done == self.total:
            self._states.begin(self.done, shape=self._means.shape)
            return
        with Listener(
            self._model,
            parallel=self._parallel,
            n_prompt=LONGEST_PROMPT,
            n_answer=LONGEST_TEXT if (self._texts is not None) else self._max_tokens,
            **self._llama,
        ) as listener:
            self._means.know_model(listener.metadata)
            self._states.begin(self.done, shape=(listener.n_layer, listener.n_embd))
            while self.done < self.total:
                begin = self.done
                jobs = self._jobs[begin : begin + self._parallel]
                if self._texts is not None:
                    rows = self._measure_texts(listener, jobs)
                else:
                    rows = self._measure_pairs(listener, jobs, begin)
                self._states.append(rows)
                self._means.keep(done=begin + len(jobs))
                if progress is not None:
                    progress(self.done, self.total)

    def _measure_pairs(self, listener: Listener, jobs: Sequence[_Job], begin: int) -> list[Float32]:
        """The states of each answer; NaN of those that are dropped."""
        prompts = [
            listener.prompt(job.text if job.label == NEUTRAL else asked_with(job.text, job.label))
            for job in jobs
        ]
        seeds = [_seed(self._seed, begin + i) for i in range(len(jobs))]
        heard = listener.answers(prompts, seeds=seeds)
        rows: list[Float32] = []
        for (job, emotional), plain in zip(
            zip(jobs[0::2], heard[0::2], strict=True), heard[1::2], strict=True
        ):
            fault = answer_fault(emotional.text, emotional.n_token, plain=None) or answer_fault(
                plain.text, plain.n_token, plain=emotional.text
            )
            if fault is None:
                self._means.add(job.emotion, emotional.mean - plain.mean)
                self._means.add_square(plain.square)
            self._means.record(job.emotion, job.text, (plain, emotional), fault)
            rows += [_row(emotional, fault), _row(plain, fault)]
        return rows

    def _measure_texts(self, listener: Listener, jobs: Sequence[_Job]) -> list[Float32]:
        """The states of each text; NaN of those that are dropped."""
        prefix = [] if self._as_answer_to is None else listener.prompt(self._as_answer_to)
        sequences = []
        for job in jobs:
            tokens = listener.tokens(job.text, first=not prefix)[:LONGEST_TEXT]
            sequences.append((prefix + tokens, len(prefix)))
        rows: list[Float32] = []
        for job, heard in zip(jobs, listener.texts(sequences), strict=True):
            fault = None if heard.n_token else "no token beyond the first"
            rows.append(_row(heard, fault))
            if fault is not None:
                self._means.record(job.emotion, job.text, (heard,), fault)
                continue
            self._means.add(job.emotion, heard.mean)
            if job.label == NEUTRAL:
                self._means.add_square(heard.square)
        return rows

    # -- results ---------------------------------------------------------------------------

    def states(self) -> States:
        """What was measured, text by text. Of a pair of answers the emotional one counts by how it
        differs from the plain one, so that what was asked makes no difference.

        Raises `ModelError` before the measurement is done.
        """
        self._require_done()
        rows = self._states.rows()
        labels = np.array([job.label for job in self._jobs])
        usable = _usable(rows)
        if self._texts is None and usable.any():
            plain = rows[1::2]
            rows[0::2] += np.nanmean(plain, axis=0, dtype=np.float64).astype(np.float32) - plain
        return States(tuple(labels[usable].tolist()), rows[usable])

    def texts(self) -> LabelledTexts:
        """The texts or answers that `states` are of, those of a label in the same order.

        Raises `ModelError` before the measurement is done.
        """
        self._require_done()
        of: dict[str, list[str]] = {}
        if self._texts is None:
            for record in self._means.records:
                if record["dropped"] is None:
                    plain, emotional = record["heard"]
                    of.setdefault(record["emotion"], []).append(emotional)
                    of.setdefault(NEUTRAL, []).append(plain)
        else:
            usable = _usable(self._states.rows())
            for job, is_used in zip(self._jobs, usable.tolist(), strict=True):
                if is_used:
                    of.setdefault(job.label, []).append(job.text)
        return LabelledTexts(tuple(of), {name: tuple(each) for name, each in of.items()})

    def _require_done(self) -> None:
        if self.done < self.total:
            raise ModelError(f"measured {self.done} of {self.total}: run() to the end first")

    def vectors(self, site: Site = "layer_out") -> EmotionVectors:
        """The vectors at a site, float32 (n_emotion, n_layer, n_embd).

        Raises ModelError before the measurement is done, where nothing usable was said, and
        for a site that the model's graph does not name.
        """
        self._require_done()
        at = SITES.index(site)
        used = self._means.used
        needed = (*self._emotions, NEUTRAL) if (self._texts is not None) else self._emotions
        unusable = [name for name in needed if not used.get(name)]
        if unusable:
            reasons = {name: self._means.dropped.get(name) for name in unusable}
            raise ModelError(
                f"{self._model}: nothing usable was measured for {', '.join(unusable)}; dropped: "
                f"{reasons} (a model too small to follow an instruction is measured from "
                "labelled texts: texts=, --texts)"
            )
        data = np.stack([self._means.mean(e)[at] for e in self._emotions])
        if self._texts is not None:
            data = data - self._means.mean(NEUTRAL)[at]
        if not np.isfinite(data).all():
            raise ModelError(
                f"{self._model}: this model's graph does not name the site {site!r}; measure at "
                "'layer_out'"
            )
        return EmotionVectors(
            names=self._emotions,
            data=data.astype(np.float32),
            measurement=self._measurement(site),
            pairs=tuple(used[e] for e in self._emotions),
        )

    def _measurement(self, site: Site) -> Measurement:
        rms = np.sqrt(self._means.square()[SITES.index(site)])
        return Measurement(
            method="labelled-texts" if self._texts is not None else "mean-difference",
            site=site,
            positions="generated",
            model_name=self._means.model.get("name") or self._model.stem,
            model_arch=self._means.model.get("arch"),
            model_fingerprint=self._fingerprint,
            residual_rms=tuple(rms.tolist()),
        )

    def sites(self) -> tuple[Site, ...]:
        """The sites at which this model could be measured."""
        mean = self._means.mean(self._emotions[0])
        return tuple(site for at, site in enumerate(SITES) if np.isfinite(mean[at]).all())

    def report(self) -> dict[str, Any]:
        """JSON-able: settings, pairs used and dropped and why, norms per layer, cosines."""
        by_site = {}
        for site in self.sites():
            evs = self.vectors(site)
            by_site[site] = {
                "norms": {n: row.tolist() for n, row in zip(evs.names, evs.norms(), strict=True)},
                "cosines": evs.cosines().tolist(),
                "cosines_with_base": evs.cosines(evs.base())[:, 0].tolist(),
                "residual_rms": list(evs.measurement.residual_rms or ()),
            }
        return {
            "model": {**self._means.model, "fingerprint": self._fingerprint},
            "settings": self._settings,
            "emotions": list(self._emotions),
            "used": {
                e: self._means.used.get(e, 0)
                for e in (*self._emotions, NEUTRAL)
                if e in self._means.used or e != NEUTRAL
            },
            "dropped": self._means.dropped,
            "sites": by_site,
        }

    def answers(self) -> str:
        """What was asked and answered, or which texts were dropped, as JSON lines."""
        return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in self._means.records)

    def forget(self) -> None:
        """Remove the unfinished measurement."""
        self._means.forget()  # first: sums whose states are gone could not be gone on from
        self._states.forget()

    def _identity(self) -> dict[str, Any]:
        """What must be equal for a stopped measurement to go on."""
        jobs = json.dumps([(job.emotion, job.label, job.text) for job in self._jobs])
        return {
            "from": "texts" if self._texts is not None else "queries",
            "as_answer_to": self._as_answer_to,
            "work": hashlib.blake2b(jobs.encode(), digest_size=8).hexdigest(),
            "n_work": len(self._jobs),
            "model": self._fingerprint,
            "model_bytes": self._model.stat().st_size,
            "seed": self._seed,
            "parallel": self._parallel,
            "max_tokens": self._max_tokens,
        }


def fingerprint_of(model: Path) -> str:
    """Tells the model from others, whatever its quantisation. Raises ModelError for no model."""
    try:
        return _core.fingerprint(str(model))
    except ValueError as error:
        raise ModelError(str(error)) from error


def _row(heard: Heard, fault: str | None) -> Float32:
    """Float32 (n_layer, n_embd)."""
    row: Float32 = heard.mean[LAYER_OUT].astype(np.float32)
    return row if fault is None else np.full_like(row, np.nan)


def _usable(rows: Float32) -> npt.NDArray[np.bool_]:
    """(n,): which of (n, n_layer, n_embd) were not dropped."""
    return np.array([not np.isnan(row).all() for row in rows], dtype=np.bool_)


def _questions(queries: Queries, per_emotion: int | None) -> list[_Job]:
    """Emotional and plain in turn, the emotions taking turns too, so that all grow together."""
    jobs = []
    for emotion, question in _in_turn(queries, per_emotion):
        jobs.append(_Job(emotion, emotion, question))
        jobs.append(_Job(emotion, NEUTRAL, question))
    return jobs


def _in_turn(queries: Queries, per_emotion: int | None) -> Iterator[tuple[str, str]]:
    longest = max(len(queries.questions[e]) for e in queries.emotions)
    for i in range(min(longest, per_emotion or longest)):
        for emotion in queries.emotions:
            if i < len(queries.questions[emotion]):
                yield emotion, queries.questions[emotion][i]


def _seed(seed: int, job: int) -> int:
    digest = hashlib.blake2b(f"{seed}:{job}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little")
