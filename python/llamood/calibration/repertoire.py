"""The feelings that a model has in a folder of vectors: which, and one more or one less of them.

Whatever is added lies in the same files as what was measured at first: its vector beside the
others, its part in the baseline of readings, and how it came about in ``added/NAME.json``. Its
vector says the method of the others, as a set has one. The others stay as they are, bit for bit.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from llamood.atomic import Write, move, remove_leftovers, write_files
from llamood.calibration.baseline_extension import extended, without
from llamood.calibration.contrast import FOLDS, WAY, Contrast
from llamood.calibration.doses import Doses, chosen, find_doses
from llamood.calibration.manner import Manner, answers_in_manner
from llamood.calibration.measuring import Parts
from llamood.calibration.places import Place, quick_places
from llamood.calibration.trial_log import digest, model_identity
from llamood.calibration.utterances import (
    FEWEST,
    FOLDER,
    Origin,
    forget_unfinished,
    is_unfinished,
    new_name_fault,
    origin_path,
    origins,
    unfinished_path,
)
from llamood.errors import FileError, ModelError, VectorError
from llamood.extraction.candidates import Candidates
from llamood.extraction.extraction import fingerprint_of
from llamood.extraction.states import Progress, States, in_turn
from llamood.extraction.texts import BUNDLED, NEUTRAL, LabelledTexts, load_texts
from llamood.extraction.words import words
from llamood.readings.probe import FILE_NAME, Probe
from llamood.vectors import control_vector
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.files import SUFFIX, load, paths_of
from llamood.vectors.increments import is_increments

# Texts that a new feeling is told from: of each other feeling, and without any.
PER_LABEL, N_NEUTRAL = 40, 120
N_SPREAD = 150  # more neutral texts, of which as many are read as the spread takes
# How long the parts of an addition take, against each other.
_SHARES = {"answers": 1.0, "texts": 1.5, "doses": 5.0, "readings": 1.0}


@dataclass(frozen=True)
class Feeling:
    """One of a repertoire. ``origin``: of one that was added. ``layers``: the first and the last to
    which it adds anything; None where it adds nothing. ``dose``: what its vector as measured is
    multiplied by. ``ceiling``: the largest intensity that reads fluently, where that is known.
    ``auroc``: how surely its reading tells texts that had no say in it, 0 to 1, 0.5 by chance; None
    where it is not read, or that is not known. Of one that was described, the texts are the model's
    own answers: what people write is told less surely. ``is_read``: whether the baseline has it."""

    name: str
    origin: Origin | None
    layers: tuple[int, int] | None
    dose: float
    ceiling: float | None
    is_read: bool
    auroc: float | None


@dataclass(frozen=True, eq=False)
class Addition:
    """A feeling that was measured. ``vectors``: of it alone. ``doses``: what its calibration found.
    ``probe``: the baseline with it; None where there was none. ``paths``: the files written."""

    feeling: Feeling
    vectors: EmotionVectors
    doses: Doses
    probe: Probe | None
    paths: tuple[Path, ...]


class Repertoire:
    """Of one ``model`` in the ``folder`` of its vectors. ``llama``: arguments of
    ``llama_cpp.Llama``. Raises as `load`, and `VectorError` for vectors of another model."""

    def __init__(
        self, model: str | PathLike[str], folder: str | PathLike[str], **llama: Any
    ) -> None:
        self.model = Path(model)
        self.folder = Path(folder)
        if self.folder.is_file():
            raise FileError(self.folder, "is a file; the folder of a model's vectors is expected")
        self.vectors = load(self.folder)
        self._llama = llama
        fingerprint = fingerprint_of(self.model)
        self.vectors.require_fit(
            n_layer=self.vectors.n_layer,
            n_embd=self.vectors.n_embd,
            arch=None,
            fingerprint=fingerprint,
        )
        is_there = (self.folder / FILE_NAME).is_file()
        self.probe = Probe.load(self.folder) if is_there else None

    def feelings(self) -> tuple[Feeling, ...]:
        """In the order of the files. Raises `FileError`."""
        added = origins(self.folder)
        return tuple(
            _feeling(self.vectors, name, added.get(name), self.probe) for name in self.vectors.names
        )

    def _require_new(self, name: str) -> None:
        """Raise `VectorError` for what cannot be the name of another feeling."""
        fault = new_name_fault(name)
        if fault is None and name.casefold() in {each.casefold() for each in self.vectors.names}:
            fault = (
                f"{name} is there already; take it away first (llamood emotion remove MODEL {name})"
            )
        if fault is not None:
            raise VectorError(fault)

    def add(
        self,
        name: str,
        *,
        texts: Sequence[str] = (),
        manner: str | None = None,
        output: str | PathLike[str] | None = None,
        seed: int = 0,
        parts: Parts | None = None,
    ) -> Addition:
        """Measure a feeling that is not there, find its dose, and write it: all or nothing.

        ``texts``: what expresses it, `utterances.FEWEST` at least; or ``manner``: its description,
        by which the model answers. ``output``: a folder that is made, as a copy of this one with
        the new feeling; else it is written here. ``parts``: for the name of a part of the work
        (``answers``, ``texts``, ``doses``, ``readings``) what is told how much is done. What is
        unfinished lies in a folder beside it (`unfinished_path`), so that who was killed goes on
        there when the same is asked. Raises `VectorError` for a name that cannot be had, and
        `ModelError` for a model that cannot be asked or read; nothing is unfinished then.
        """
        target = self.folder if output is None else Path(output)
        self.require_room(name, output)
        if bool(texts) == (manner is not None):
            raise VectorError("a feeling is measured from texts or from a manner; give one of them")
        if manner is None and len(set(texts)) < FEWEST:
            raise VectorError(f"{len(set(texts))} texts were given, at least {FEWEST} are needed")
        told = parts or (lambda part: lambda done, total: None)
        kept = unfinished_path(self.folder, name, target)
        try:
            addition = self._added(name, texts, manner, target, seed, kept, told)
        except (ModelError, VectorError):
            forget_unfinished(kept)
            raise
        forget_unfinished(kept)
        return addition

    def _added(
        self,
        name: str,
        texts: Sequence[str],
        manner: str | None,
        target: Path,
        seed: int,
        kept: Path,
        told: Parts,
    ) -> Addition:
        answers = None
        if manner is not None:
            answers = answers_in_manner(
                self.model, manner, seed=seed, progress=told("answers"),
                kept=kept / "answers", **self._llama,
            )  # fmt: skip
            texts = answers.texts
        contrast, apart, spread = self._contrast(name, texts, answers, kept, told("texts"))
        candidates = contrast.candidates(self.vectors.measurement)
        with suppress(ModelError):  # whose words cannot be weighed is steered by what is felt
            said = words(self.model, apart, names=(name,))
            candidates = candidates.with_words("texts", said.own)
        doses = self._doses(contrast, candidates, seed, kept, told("doses"))
        vectors = replace(
            chosen(candidates, doses),
            measurement=self.vectors.measurement,
            pairs=(len(texts),),
        )
        probe = None
        if self.probe is not None:
            probe = extended(
                self.probe, self.model, self.vectors.merge(vectors), contrast, spread,
                progress=told("readings"), **self._llama,
            )  # fmt: skip
        origin = _origin(name, doses, texts, manner)
        paths = self._write(target, vectors, origin, probe, kept)
        return Addition(_feeling(vectors, name, origin, probe), vectors, doses, probe, paths)

    def remove(self, name: str) -> None:
        """Take a feeling away. Raises `VectorError` for one that is not there and for the last."""
        names = self.vectors.names
        if name not in names:
            raise VectorError(f"no emotion {name!r} here; there are {', '.join(names)}")
        if len(names) == 1:
            raise VectorError(f"{name} is the last one; remove the folder {self.folder} instead")
        path = self._path(name)
        left = load([each for each in paths_of(self.folder, suffixes=(SUFFIX,)) if each != path])
        found: dict[Path, Write] = {}
        if self.probe is not None and name in self.probe.names:
            rest = without(self.probe, name, method=left.measurement.method)
            found[self.folder / FILE_NAME] = rest.write
        # Without the origin, which is the first to go, it can be taken away once more.
        origin = origin_path(self.folder, name)
        write_files(found, gone=[*([origin] if origin.is_file() else []), path])

    def parts(self, *, is_described: bool) -> dict[str, float]:
        """Of an addition, in their order: name -> how long it takes, against the others."""
        left_out = set() if is_described else {"answers"}
        if self.probe is None:
            left_out.add("readings")
        return {part: share for part, share in _SHARES.items() if part not in left_out}

    def require_room(self, name: str, output: str | PathLike[str] | None = None) -> None:
        """Raise an error where the feeling cannot be added, or not be written to ``output``."""
        target = self.folder if output is None else Path(output)
        kept = unfinished_path(self.folder, name, target)
        if origin_path(target, name).is_file():
            # Killed when all was written, an addition has left what it does not need any more.
            forget_unfinished(kept)
        elif target == self.folder and kept.is_dir():
            self._disregard(name)
        self._require_new(name)
        self._require_whole()
        if target != self.folder and target.exists():
            raise FileError(target, "is there already; a folder that is to be made is expected")
        site = self.vectors.measurement.site
        if site != "layer_out":
            raise VectorError(
                f"these vectors are added at {site}; a feeling is added to those of the end of "
                "blocks (layer_out)"
            )
        if self.probe is not None:
            self.probe.require_fit(self.vectors)

    def _require_whole(self) -> None:
        """Raise `VectorError` where another addition was killed between its files."""
        for name in self.vectors.names:
            is_half = unfinished_path(self.folder, name, self.folder).is_dir()
            if is_half and not origin_path(self.folder, name).is_file():
                raise VectorError(
                    f"{name} is half added, as that was stopped: give the command that added it "
                    f"again, or take it away first (llamood emotion remove MODEL {name})"
                )

    def _disregard(self, name: str) -> None:
        """What an addition has written that was killed between its files is not there yet."""
        others = [each for each in self.vectors.names if each != name]
        self.vectors = self.vectors.select(others)
        if self.probe is not None and name in self.probe.names:
            self.probe = without(self.probe, name, method=self.vectors.measurement.method)

    # -- what is measured ------------------------------------------------------------------

    def _contrast(
        self,
        name: str,
        texts: Sequence[str],
        answers: Manner | None,
        kept: Path,
        progress: Progress,
    ) -> tuple[Contrast, LabelledTexts, Sequence[str]]:
        """What tells it from the others; its texts, and all others as neutral; and neutral texts
        that had no say in that."""
        shipped = load_texts(BUNDLED)
        of = {each: shipped.sample(PER_LABEL).texts[each] for each in shipped.emotions}
        of |= {each: found.texts[:PER_LABEL] for each, found in origins(self.folder).items()}
        of.pop(name, None)
        neutral = shipped.sample(N_NEUTRAL + N_SPREAD).neutral
        of[NEUTRAL] = neutral[:N_NEUTRAL] + (() if answers is None else answers.plain)
        of[name] = tuple(texts)
        read = LabelledTexts(tuple(of), of)
        mine = digest({"model": model_identity(self.model), "texts": in_turn(read)})
        states = States.measured(
            self.model, read, progress=progress, kept=kept / f"{mine}.states", **self._llama
        )
        shape = (self.vectors.n_layer, self.vectors.n_embd)
        if states.data.shape[1:] != shape:
            raise VectorError(
                f"these vectors belong to another model: {shape[0]} layers of width {shape[1]}, "
                f"the model has {states.data.shape[1]} of {states.data.shape[2]}"
            )
        own, others = states.of(name), states.data[np.array(states.labels) != name]
        if len(own) < FOLDS:
            raise ModelError(f"{len(own)} texts of {name} have a token beyond the first")
        rest = tuple(text for label, some in of.items() if label != name for text in some)
        apart = LabelledTexts((name, NEUTRAL), {name: of[name], NEUTRAL: rest})
        return Contrast(name, own, others), apart, neutral[N_NEUTRAL:]

    def _doses(
        self, contrast: Contrast, candidates: Candidates, seed: int, kept: Path, progress: Progress
    ) -> Doses:
        """Where it shows best to the model itself, and its largest fluent dose there."""
        places = quick_places(candidates)
        if is_increments(self.vectors):
            places = [Place(WAY, (1, self.vectors.n_layer - 1), increments=True)]
        return find_doses(
            self.model,
            candidates,
            places,
            seed=seed,
            filter=contrast.filter(),
            progress=progress,
            kept=kept / "doses",
            **self._llama,
        )

    # -- files -----------------------------------------------------------------------------

    def _path(self, name: str) -> Path:
        """The file of an emotion that is there."""
        for path in paths_of(self.folder, suffixes=(SUFFIX,)):
            if control_vector.read(path).names == (name,):
                return path
        raise VectorError(f"no file in {self.folder} has {name}")

    def _write(
        self,
        target: Path,
        vectors: EmotionVectors,
        origin: Origin,
        probe: Probe | None,
        kept: Path,
    ) -> tuple[Path, ...]:
        """The origin is the last file: where it is, all of the addition is. A copy is made in
        ``kept``, and the folder is moved as a whole."""
        (name,) = vectors.names
        is_copy = target != self.folder
        folder = kept / "copy" if is_copy else target
        found: dict[Path, Write] = {}
        if is_copy:
            shutil.rmtree(folder, ignore_errors=True)
            found = {
                folder / path.relative_to(self.folder): partial(shutil.copyfile, path)
                for path in sorted(self.folder.rglob("*"))
                if path.is_file() and not path.name.startswith(".") and not is_unfinished(path)
            }
        else:
            remove_leftovers(folder)
            remove_leftovers(folder / FOLDER)
        found[folder / f"{name}{SUFFIX}"] = partial(control_vector.write, evs=vectors, name=name)
        if probe is not None:
            found[folder / FILE_NAME] = probe.write
        found[origin_path(folder, name)] = origin.write
        write_files(found)
        if is_copy:
            move(folder, target)
        return tuple(target / path.relative_to(folder) for path in found)


def _origin(name: str, doses: Doses, texts: Sequence[str], manner: str | None) -> Origin:
    best = doses.bounds[name].best
    assert best is not None  # find_doses raises else
    return Origin(
        texts=tuple(texts),
        manner=manner,
        place=str(doses.places[name]),
        dose=best.dose,
        perplexity=best.fluency.perplexity,
    )


def _feeling(
    vectors: EmotionVectors, name: str, origin: Origin | None, probe: Probe | None
) -> Feeling:
    at = vectors.names.index(name)
    moved = np.flatnonzero(vectors.data[at].any(axis=1))
    is_read = probe is not None and name in probe.names
    return Feeling(
        name=name,
        origin=origin,
        layers=(int(moved[0]), int(moved[-1])) if len(moved) else None,
        dose=vectors.scale[at],
        ceiling=vectors.ceiling[at],
        is_read=is_read,
        auroc=probe.quality.get(name) if probe is not None and is_read else None,
    )
