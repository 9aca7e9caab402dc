"""How well a model's hidden states tell the labels of texts, by layer and way of reading.

    python tools/measure_reading.py MODEL.gguf LABELLED.tsv [--fit OTHER.tsv] [--per-label 300]

Directions are fitted to the set that ships with llamood (or to --fit), and tried on LABELLED, of
which nothing is chosen. Prints, as a Markdown table, the mean over emotions of the area under the
ROC curve (one against all others), and how often the highest of the emotions is the right one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np

from llamood.directions import directions
from llamood.discriminant import SHRINKAGES, Discriminant
from llamood.layer_fits import layers_to_read
from llamood.measures import macro_auroc
from llamood.states import States
from llamood.texts import BUNDLED, NEUTRAL, load_texts
from llamood.vectors import Float32


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("labelled")
    parser.add_argument("--fit", default=str(BUNDLED))
    parser.add_argument("--per-label", type=int, default=300)
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
    for layer in layers_to_read(fitted.n_layer):
        discriminant = Discriminant(fitted.data[:, layer], fitted.labels, names=names)
        filters = [discriminant.directions(each) for each in SHRINKAGES]
        found = [told(tried, fitted, layer, each, names) for each in (patterns[:, layer], *filters)]
        best = max(found[1:])[1]
        print(
            f"| {layer} | {' | '.join(f'{area:.3f}' for area, _ in found)} | {100 * best:.0f} % |"
        )


def states_of(model: str, path: str, per_label: int) -> States:
    """Of the first texts of each label."""
    return States.measured(model, load_texts(path).first(per_label))


def told(
    tried: States, fitted: States, layer: int, way: Float32, names: Sequence[str]
) -> tuple[float, float]:
    """The area under the ROC curve, and the share of emotional texts whose highest is right."""
    neutral = fitted.of(NEUTRAL)[:, layer].astype(np.float64) @ way.T
    scores = (tried.data[:, layer].astype(np.float64) @ way.T - neutral.mean(0)) / neutral.std(0)
    areas = macro_auroc(scores, tried.labels, labels=names)
    felt = np.array([label in names for label in tried.labels])
    highest = np.array(names)[scores[felt].argmax(axis=1)]
    right = float((highest == np.array(tried.labels)[felt]).mean())
    assert areas.macro is not None
    return areas.macro, right


if __name__ == "__main__":
    main()
