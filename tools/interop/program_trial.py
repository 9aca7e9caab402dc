"""llama.cpp's own programs with our files, and we with the file of its generator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import llamood
from interop.comparison import Cosines, by_layer, stored_rows
from interop.meter import Cost
from interop.pairs import PROMPTS
from interop.voice import answer, tokens_of
from interop.workplace import Workplace
from llamood import demo
from llamood.vectors.conversion import convert
from llamood.vectors.emotion_vectors import EmotionVectors

METHODS = ("mean", "pca")  # of the generator
N_TOKEN = 32
EMOTIONS = ("joy", "sadness")
WHOLE = 1.0  # times our files are added
UNIT = 4.0  # times the generator's directions, of length one


@dataclass(frozen=True)
class Answers:
    """What llama-completion and llamood say greedily to the same prompts with the same file.
    ``same``: of how many, out of ``n_answer``, both say the same to the last byte; ``changed``: how
    many of ours are not what is said without a vector."""

    vectors: str
    model: str
    same: int
    changed: int
    n_answer: int


@dataclass(frozen=True)
class GeneratorTrial:
    """``cosines``: of its directions, read as measured (index base 1), with its rule for ``mean``
    in PyTorch; ``shifted``: read as llama.cpp adds them. ``upright``: in how many layers, out of
    ``n_layer``, a direction points as the mean difference does. ``zero``: layers without one."""

    method: str
    file: Path
    cost: Cost
    cosines: Cosines
    shifted: Cosines
    upright: int
    n_layer: int
    zero: tuple[int, ...]


def generated(place: Workplace, method: str) -> GeneratorTrial:
    """Lets the generator write its file of all pairs, and reads it."""
    file = place.folder / f"generator-{method}.gguf"
    cost = place.programs.generate(
        place.exact, place.pairs.positive, place.pairs.negative, method=method, to=file
    )
    padding = tokens_of(place.quantised, [" "])[0][-1]
    _, arrays = place.job("means", "means", pairs=place.pair_tokens, padding=padding)
    rule = stored_rows(arrays)
    rows = by_layer(convert(file, index_base=1).data[0])
    as_added = by_layer(llamood.load(file).data[0])
    return GeneratorTrial(
        method,
        file,
        cost,
        Cosines.of(rows, rule),
        Cosines.of(as_added, rule),
        sum(float(row @ rows[layer]) > 0 for layer, row in rule.items()),
        len(rule),
        tuple(layer for layer, row in rows.items() if not row.any()),
    )


def answered(place: Workplace, generators: list[GeneratorTrial]) -> list[Answers]:
    """With the demo's own vectors, and with those of the generator as llama.cpp adds them."""
    shipped = [
        (llamood.load(demo.VECTORS / f"{name}.gguf"), demo.VECTORS / f"{name}.gguf")
        for name in EMOTIONS
    ]
    theirs = [(llamood.load(each.file), each.file) for each in generators if each.method == "mean"]
    return [
        _completed(place, place.quantised, shipped, "the demo's", WHOLE),
        _completed(place, place.exact, shipped, "the demo's", WHOLE),
        _completed(place, place.quantised, theirs, "llama-cvector-generator's, mean", UNIT),
    ]


def _completed(
    place: Workplace,
    model: Path,
    vectors: list[tuple[EmotionVectors, Path]],
    title: str,
    added: float,
) -> Answers:
    """``added``: how many times a file's numbers are."""
    same = changed = n_answer = 0
    for prompt in PROMPTS:
        plain = answer(model, None, prompt, added=0.0, n_token=N_TOKEN, threads=place.threads)
        for one, file in vectors:
            ours = answer(model, one, prompt, added=added, n_token=N_TOKEN, threads=place.threads)
            theirs = place.programs.answer(model, prompt, vector=file, added=added, n_token=N_TOKEN)
            same += ours == theirs
            changed += ours != plain
            n_answer += 1
    kind = "Q4_1" if model == place.quantised else "float32"
    return Answers(title, kind, same, changed, n_answer)
