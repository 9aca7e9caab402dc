"""Everything that is measured of a model, one after the other: vectors, doses, readings."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from llamood import judges
from llamood.atomic import Write, remove_leftovers, write_files
from llamood.calibration.baseline import measure, of_emotions, require_readable
from llamood.calibration.doses import Doses, chosen, control, find_doses
from llamood.calibration.places import quick_places
from llamood.calibration.remainder import outdated, require_nothing_added
from llamood.errors import ModelError
from llamood.extraction.candidates import FILE_NAME as CANDIDATES
from llamood.extraction.candidates import Candidates
from llamood.extraction.extraction import Extraction
from llamood.extraction.queries import Queries
from llamood.extraction.states import Progress, States
from llamood.extraction.texts import BUNDLED, NEUTRAL, SENTENCES, LabelledTexts, load_texts
from llamood.extraction.words import words
from llamood.judges.filters import Filter
from llamood.readings.probe import FILE_NAME as BASELINE
from llamood.readings.probe import Probe
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.files import contents
from llamood.vectors.gguf_header import metadata_of
from llamood.vectors.measurement import Site
from llamood.voices.chat_template import TEMPLATE

Source = Literal["texts", "answers"]
# Texts of each label: of the set that ships with llamood, of which more read no better, and of
# others (docs/method.md).
PER_LABEL, PER_LABEL_GIVEN = 200, 400
PLAIN = 40  # own answers without a feeling that count as neutral texts where readings are fitted
PER_EMOTION = 20  # questions that are answered plainly and with each emotion, beside texts
TOKENS = 64  # of an answer
PAPERS, CONTROLS, ATTN_OUT = "paper", "control", "attn_out"  # folders in that of the vectors
REPORT, ANSWERS = "report.json", "answers.jsonl"
TRIALS = "doses.partial"  # what is tried until the doses are found

# For the name of a part of the work what is told how much of it is done.
Parts = Callable[[str], Progress]


class Measuring:
    """Of one model; a measurement that was stopped goes on where it was.

    ``output``: where the vectors are to lie, and what is unfinished lies. ``sources``: labelled
    ``texts`` (of each label the first of the set that ships with llamood, unless they are given),
    the model's own ``answers`` to ``queries``, or both, from which calibration takes what steers
    better; by default those that were given, else both. A model without a chat template answers
    nothing. ``settings``: ``seed``, ``parallel`` and ``restart`` of `Extraction`, and arguments of
    ``llama_cpp.Llama``. Raises `FileError` for an ``output`` to which feelings were added.
    """

    def __init__(
        self,
        model: str | PathLike[str],
        *,
        output: str | PathLike[str] | None = None,
        sources: Sequence[Source] = (),
        texts: LabelledTexts | None = None,
        queries: Queries | None = None,
        as_answer_to: str | None = None,
        per_label: int | None = None,
        per_emotion: int | None = None,
        max_tokens: int = TOKENS,
        **settings: Any,
    ) -> None:
        self.model = Path(model)
        if output is not None:
            require_nothing_added(Path(output))
        per_label = per_label or (PER_LABEL if texts is None else PER_LABEL_GIVEN)
        self.texts = texts or load_texts(BUNDLED).first(per_label)
        self._sentences = None if texts is not None else load_texts(SENTENCES)
        self._output = None if output is None else Path(output)
        self._how = settings
        self._baseline: Extraction | None = None
        self._llama = {
            key: value
            for key, value in settings.items()
            if key not in ("seed", "parallel", "restart")
        }
        self._seed = settings.get("seed", 0)
        chosen = tuple(sources) or _given(texts, queries)
        if "answers" in chosen and len(chosen) > 1 and not _can_be_asked(self.model):
            chosen = ("texts",)
        self.extractions: dict[Source, Extraction] = {}
        if "texts" in chosen:
            self.extractions["texts"] = Extraction(
                model,
                output=output,
                texts=self.texts,
                as_answer_to=as_answer_to,
                per_label=per_label,
                **settings,
            )
        if "answers" in chosen:
            few = None if len(chosen) == 1 else PER_EMOTION
            self.extractions["answers"] = Extraction(
                model,
                output=output,
                queries=queries,
                per_emotion=per_emotion or few,
                max_tokens=max_tokens,
                **settings,
            )

    @property
    def total(self) -> int:
        """Texts and answers in all."""
        return sum(each.total for each in self.extractions.values())

    @property
    def done(self) -> int:
        """Of these, measured so far, also by an earlier, stopped run."""
        return sum(each.done for each in self.extractions.values())

    @property
    def kept(self) -> int:
        """Of these, safe in ``output``."""
        return sum(each.kept for each in self.extractions.values())

    @property
    def asked(self) -> Extraction:
        """That from answers, as in the paper; from texts where nothing was asked."""
        usable = self.usable
        return usable.get("answers") or usable["texts"]

    def run(self, parts: Parts) -> None:
        """Measure what is left. Raises ModelError for a model that cannot be asked or read."""
        if self._how.get("restart") and self._trials is not None:
            self._trials.unlink(missing_ok=True)
        for source, extraction in self.extractions.items():
            extraction.run(parts(source))

    @property
    def _trials(self) -> Path | None:
        """Where the trials of an unfinished calibration lie."""
        return None if self._output is None else self._output / TRIALS

    @property
    def usable(self) -> dict[Source, Extraction]:
        """Those of which something came. Raises `ModelError` where nothing came of any."""
        useless = self.useless
        found = {source: e for source, e in self.extractions.items() if source not in useless}
        if not found:
            raise ModelError("; ".join(useless.values()))
        return found

    @property
    def useless(self) -> dict[Source, str]:
        """By source why nothing came of it: a model that refuses to act, say, answers nothing that
        could be measured."""
        found: dict[Source, str] = {}
        for source, extraction in self.extractions.items():
            try:
                extraction.vectors()
            except ModelError as error:
                found[source] = str(error)
        return found

    def candidates(self) -> Candidates:
        """By every method, from each source of which something came. Raises `ModelError` where
        sources differ in their emotions, and as `usable`."""
        usable = self.usable
        first, *others = (each.vectors() for each in usable.values())
        for other in others:
            if set(other.names) != set(first.names):
                raise ModelError(
                    f"the texts are of {', '.join(first.names)}, the questions of "
                    f"{', '.join(other.names)}; measure from one of them, or take the same emotions"
                )
        states = {str(source): each.states() for source, each in usable.items()}
        found = Candidates.of(states, names=first.names, measurement=first.measurement)
        for source, each in usable.items():
            try:
                said = words(self.model, each.texts(), names=first.names)
            except ModelError:  # whose words cannot be weighed is steered by the other ways
                continue
            found = found.with_words(str(source), said.own, control=said.shuffled)
        return found

    def doses(self, candidates: Candidates, *, progress: Progress | None = None) -> Doses:
        """The quick calibration: what is likeliest to steer well, with few questions. Raises as
        `find_doses`."""
        return find_doses(
            self.model,
            candidates,
            quick_places(candidates),
            seed=self._seed,
            filter=self._filter(candidates.names),
            progress=progress,
            kept=self._trials,
            **self._llama,
        )

    def _filter(self, names: Sequence[str]) -> Filter | None:
        """What reads these emotions; None where too little was measured, or they read alike."""
        try:
            return Filter.of(self._states(next(iter(self.usable))), names)
        except ModelError:
            return None

    def probe(self, vectors: EmotionVectors, *, progress: Progress | None = None) -> Probe:
        """What reads these emotions: from the texts, with short sentences beside those that ship;
        where they are of others, from what the model answered. Raises `ModelError` for a model that
        cannot be read."""
        covered = set(vectors.names) <= set(self.texts.names)
        source: Source = "texts" if covered else "answers"
        extraction = self.usable.get(source)
        if extraction is None:
            texts, states = self._read(vectors, progress)
        else:
            texts, states = extraction.texts(), self._states(source)
            if covered and self._sentences is not None:
                said = of_emotions(self._sentences, vectors.names)
                texts = texts.joined(said)
                states = states.joined(States.measured(self.model, said, **self._llama))
        return measure(
            self.model, vectors, texts, states=states, judge=judges.bundled(), **self._llama
        )

    def _read(
        self, vectors: EmotionVectors, progress: Progress | None
    ) -> tuple[LabelledTexts, States]:
        """The texts of these emotions, of which none was measured yet; what is read of them is
        kept as that of a source is."""
        texts = of_emotions(self.texts, vectors.names)
        if self._sentences is not None:
            texts = texts.joined(self._sentences)
        require_readable(vectors, texts)
        most = max(map(len, texts.texts.values()))
        self._baseline = Extraction(
            self.model,
            output=self._output,
            name="baseline",
            texts=texts,
            per_label=most,
            **self._how,
        )
        self._baseline.run(progress)
        return self._baseline.texts(), self._baseline.states()

    def _states(self, source: Source) -> States:
        """Of a source, for readings: what the model says without a feeling is neutral, too."""
        states, answers = self.usable[source].states(), self.usable.get("answers")
        if source == "answers" or answers is None:
            return states
        plain = answers.states().of(NEUTRAL)[:PLAIN]
        return states.joined(States((NEUTRAL,) * len(plain), plain))

    def save(
        self,
        folder: str | PathLike[str],
        *,
        vectors: EmotionVectors,
        candidates: Candidates,
        doses: Doses | None,
        probe: Probe | None,
    ) -> list[Path]:
        """Write the vectors and all that was found beside them; returns the paths. Beside them are
        those that arXiv 2502.04075 would add (``paper/``), those of the attention output
        (``attn_out/``), and of shuffled labels (``control/``). All is written or nothing; what is
        unfinished is removed last. What an earlier measurement has left there goes. Raises
        `FileError`, also for a folder to which feelings were added.
        """
        folder = Path(folder)
        require_nothing_added(folder)
        asked = self.asked
        report = json.dumps(self.report(doses, probe), indent=1) + "\n"
        found: dict[Path, Write] = {
            **contents(vectors, folder),
            **contents(asked.vectors(), folder / PAPERS),
            **contents(control(candidates, vectors), folder / CONTROLS),
            folder / CANDIDATES: candidates.write,
            folder / REPORT: partial(_write_text, report),
        }
        if "attn_out" in asked.sites():
            found |= contents(asked.vectors("attn_out"), folder / ATTN_OUT)
        if probe is not None:
            found[folder / BASELINE] = probe.write
        if "answers" in self.extractions:
            answers = self.extractions["answers"].answers()
            found[folder / ANSWERS] = partial(_write_text, answers)
        beside, files = (PAPERS, CONTROLS, ATTN_OUT), (CANDIDATES, BASELINE, ANSWERS)
        write_files(found, gone=outdated(folder, REPORT, beside=beside, files=files))
        self._forget()
        for place in {path.parent for path in found}:
            remove_leftovers(place)
        return list(found)

    def _forget(self) -> None:
        """Remove what is unfinished."""
        if self._trials is not None:
            self._trials.unlink(missing_ok=True)
        for extraction in (*self.extractions.values(), self._baseline):
            if extraction is not None:
                extraction.forget()

    def report(self, doses: Doses | None, probe: Probe | None) -> dict[str, Any]:
        """JSON-able."""
        return {
            "sources": {source: each.report() for source, each in self.usable.items()},
            "useless": self.useless,
            "doses": None if doses is None else doses.report(),
            "reading": None if probe is None else {"layers": probe.chosen, **probe.about},
        }


def extract(
    model: str | PathLike[str],
    *,
    output: str | PathLike[str] | None = None,
    site: Site = "layer_out",
    calibrate: bool = True,
    progress: Progress | None = None,
    **settings: Any,
) -> EmotionVectors:
    """Measure a model's emotion vectors and their doses; ``settings`` are those of `Measuring`.

    With ``output`` they are written there, with what readings need where the model can be read.
    ``site``: ``attn_out`` returns those of the attention output instead, as they are measured.
    ``calibrate``: find by answers what is added where, and how much of it reads fluently.
    ``progress``: told of each part of the work. Raises ModelError for a model that cannot be loaded
    or asked.
    """
    measuring = Measuring(model, output=output, **settings)
    part = progress or (lambda done, total: None)
    measuring.run(lambda name: part)
    elsewhere = measuring.asked.vectors(site) if site == ATTN_OUT else None
    if elsewhere is not None and output is None:
        return elsewhere
    candidates = measuring.candidates()
    doses = measuring.doses(candidates, progress=part) if calibrate else None
    vectors = chosen(candidates, doses)
    if output is not None:
        try:
            probe = measuring.probe(vectors, progress=part)
        except ModelError:  # of too few texts, and of some models, nothing can be read
            probe = None
        measuring.save(output, vectors=vectors, candidates=candidates, doses=doses, probe=probe)
    return vectors if elsewhere is None else elsewhere


def _given(texts: LabelledTexts | None, queries: Queries | None) -> tuple[Source, ...]:
    """From what to measure where nobody says."""
    if texts is not None and queries is None:
        return ("texts",)
    if queries is not None and texts is None:
        return ("answers",)
    return ("texts", "answers")


def _can_be_asked(model: Path) -> bool:
    """Whether it has a chat template."""
    return TEMPLATE in metadata_of(model)


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
