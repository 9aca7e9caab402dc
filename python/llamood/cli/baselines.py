"""The baseline of readings, measured with a bar, and how good it is in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llamood import judges
from llamood.calibration.baseline import measure
from llamood.calibration.baseline_extension import moved_by
from llamood.calibration.measuring import PER_LABEL
from llamood.calibration.utterances import origins
from llamood.cli.consoles import progress, remark
from llamood.errors import FileError, ModelError
from llamood.extraction.texts import BUNDLED, SENTENCES, LabelledTexts, load_texts
from llamood.judges.filters import Filter
from llamood.readings.probe import FILE_NAME, Probe
from llamood.vectors.emotion_vectors import EmotionVectors


def measured(path: Path, evs: EmotionVectors, *, folder: Path, llama: Mapping[str, Any]) -> Probe:
    """The probe of these vectors, with a bar, compared with the bundled judge; from what ships with
    llamood, the first texts and short sentences, and what the feelings that were added to
    ``folder`` were measured from. Raises `ModelError`."""
    shipped = load_texts(BUNDLED).first(PER_LABEL).joined(load_texts(SENTENCES))
    texts = {**shipped.texts, **{name: each.texts for name, each in origins(folder).items()}}
    chosen = LabelledTexts(tuple(texts), texts)
    with progress(f"Reading with {path.name}", keep=True) as advance:
        return measure(path, evs, chosen, judge=judges.bundled(), progress=advance, **llama)


def filter_of(vectors: Path) -> Filter | None:
    """What the baseline beside vectors judges with; None where there is none, and, with a remark,
    where it cannot judge. Raises `FileError` for a file with faults."""
    folder = vectors if vectors.is_dir() else vectors.parent
    if not (folder / FILE_NAME).is_file():
        return None
    probe = Probe.load(folder)
    fault = probe.doubt
    try:
        found = Filter.of_probe(probe)
    except ModelError as error:
        fault = str(error)
    if fault is not None:
        remark(f"Note: nobody judges by readings: {fault}.")
        return None
    return found


def renewed(
    path: Path, evs: EmotionVectors, *, known: Path, folder: Path, llama: Mapping[str, Any]
) -> Probe:
    """The probe of these vectors. Where the folder ``known`` has one that reads these emotions of
    this model, only what the vectors move is measured; else as `measured`. Raises `ModelError`."""
    try:
        probe = Probe.load(known)
    except FileError:
        probe = None
    same = (
        evs.measurement.model_fingerprint is not None
        and probe is not None
        and (
            probe.about.get("fingerprint") == evs.measurement.model_fingerprint
            and set(probe.names) == set(evs.names)
            and "odds" in probe.about
        )
    )
    if probe is None or not same:
        return measured(path, evs, folder=folder, llama=llama)
    neutral = load_texts(BUNDLED).first(PER_LABEL).neutral
    return moved_by(probe, path, evs, neutral, **llama)


def quality_of(probe: Probe) -> str:
    """In a sentence, how well the probe reads."""
    quality = probe.about.get("quality")
    if not quality or quality.get("macro_auroc") is None:
        return f"Reading in {named(probe.chosen)}; how well could not be told."
    doubt = "" if probe.doubt is None else f" Nothing is coloured or held by it: {probe.doubt}."
    text = (
        f"Reading in {named(probe.chosen)}: area under the ROC curve "
        f"{quality['macro_auroc']:.2f} on {quality['n']} texts that had no say in it (0.5 is "
        "chance)"
    )
    if "accuracy" in quality:
        text += f"; the right emotion is the highest in {100 * quality['accuracy']:.0f} %"
    if "judge_accuracy" in quality:
        text += f", by the judge in {100 * quality['judge_accuracy']:.0f} %"
    return f"{text}.{doubt}"


def named(layers: Sequence[int]) -> str:
    """In words: ``layer 3``, ``layers 3, 5 and 7``."""
    *others, last = map(str, layers)
    return f"layers {', '.join(others)} and {last}" if others else f"layer {last}"
