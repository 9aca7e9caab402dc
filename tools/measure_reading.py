"""How well a model's hidden states tell the labels of texts, by layer and way of reading.

    python tools/measure_reading.py MODEL.gguf LABELLED.tsv [--fit OTHER.tsv] [--per-label 200]

Directions are fitted to the set that ships with llamood (or to --fit), and tried on LABELLED, of
which nothing is chosen. Prints, as a Markdown table, the mean over emotions of the area under the
ROC curve (one against all others), and how often the highest of the emotions is the right one; in
the last row, of layers that are read together.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np

from llamood.calibration.measuring import PER_LABEL
from llamood.extraction.directions import directions
from llamood.extraction.discriminant import SHRINKAGES, Discriminant
from llamood.extraction.states import States
from llamood.extraction.texts import BUNDLED, NEUTRAL, load_texts
from llamood.judges.layer_fits import layers_to_read, together
from llamood.judges.measures import macro_auroc
from llamood.vectors.emotion_vectors import Float32, Float64


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("labelled")
    parser.add_argument("--fit", default=str(BUNDLED))
    parser.add_argument("--per-label", type=int, default=PER_LABEL)
    parser.add_argument("--tried-per-label", type=int, default=200)
    asked = parser.parse_args(arguments)
    fitted = states_of(asked.model, asked.fit, asked.per_label)
    tried = states_of(asked.model, asked.labelled, asked.tried_per_label)
    names = [name for name in dict.fromkeys(fitted.labels) if name != NEUTRAL]
    print(f"{len(fitted.labels)} texts fitted, {len(tried.labels)} tried", file=sys.stderr)
    ways = ["mean difference", *(f"whitened, {each:g}" for each in SHRINKAGES)]
    print(f"| layer | {' | '.join(ways)} | highest is right |")
    print("|---" * (len(ways) + 2) + "|")
    patterns = directions(fitted, "centred", names=names)
    layers = layers_to_read(fitted.n_layer)
    scores: dict[int, list[Float64]] = {}
    for layer in layers:
        discriminant = Discriminant(fitted.data[:, layer], fitted.labels, names=names)
        filters = [discriminant.directions(each) for each in SHRINKAGES]
        scores[layer] = [
            z_scores(tried, fitted, layer, each) for each in (patterns[:, layer], *filters)
        ]
        print(row(str(layer), scores[layer], tried.labels, names))
    apart = together(layers)
    means = [np.mean(each, axis=0) for each in zip(*(scores[at] for at in apart), strict=True)]
    print(row(", ".join(map(str, apart)), means, tried.labels, names))


def states_of(model: str, path: str, per_label: int) -> States:
    """Of the first texts of each label."""
    return States.measured(model, load_texts(path).first(per_label))


def z_scores(tried: States, fitted: States, layer: int, way: Float32) -> Float64:
    """Of each text, float64 (n_text, n_emotion), against the neutral ones that were fitted."""
    neutral = fitted.of(NEUTRAL)[:, layer].astype(np.float64) @ way.T
    found: Float64 = tried.data[:, layer].astype(np.float64) @ way.T - neutral.mean(axis=0)
    return found / neutral.std(axis=0)


def row(head: str, ways: Sequence[Float64], labels: Sequence[str], names: Sequence[str]) -> str:
    """The area under the ROC curve by each way, and the share of emotional texts whose highest is
    right, by the best of those that are whitened."""
    areas = [macro_auroc(scores, labels, labels=names).macro or 0.0 for scores in ways]
    best = ways[1 + int(np.argmax(areas[1:]))]
    felt = np.array([label in names for label in labels])
    right = np.array(names)[best[felt].argmax(axis=1)] == np.array(labels)[felt]
    shown = " | ".join(f"{area:.3f}" for area in areas)
    return f"| {head} | {shown} | {100 * right.mean():.0f} % |"


if __name__ == "__main__":
    main()
