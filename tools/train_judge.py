"""Train the bundled judge: `python tools/train_judge.py DATA`, about two minutes.

DATA is a folder with ``train.tsv``, ``dev.tsv`` and ``labels.txt`` in the shape of
GoEmotions: ``text TAB label ids TAB comment id``, ids separated by commas
(https://github.com/monologg/GoEmotions-pytorch, ``data/ekman``).

Multinomial logistic regression. A line with k labels counts as k examples of weight 1/k.
A class is weighted by (1 / its share) ** CLASS_POWER, which lifts the rare ones (fear, disgust)
without drowning the rest. Stems, L2 strength and class power were chosen on a held-out quarter
of train.tsv; the temperature is fitted here, to the log-likelihood of FOLDS-fold
cross-validated predictions. Nothing is fitted to dev.tsv here; it gives the figures recorded.

The headline is macro-F1 on dev.tsv: the mean over the seven labels of F1 = 2 TP / (2 TP + FP + FN)
of the most probable label, on the lines that have exactly one label, measured on the very
file written (int8 weights). Needs the extra ``train`` (scikit-learn).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from llamood.atomic import write_files
from llamood.judges.linear_judge import BUNDLED, MAX_FILE_BYTES, features, load_judge

MIN_COUNT = 3  # a feature is kept if it occurs in so many lines
INVERSE_L2 = 3.0
CLASS_POWER = 0.3
FOLDS = 3

Lines = Sequence[tuple[str, tuple[int, ...]]]  # text, label ids


def read_lines(path: Path) -> Lines:
    """``text TAB ids TAB comment id``, one a line."""
    fields = (line.split("\t") for line in path.read_text(encoding="utf-8").split("\n") if line)
    return [(text, tuple(int(i) for i in ids.split(","))) for text, ids, _ in fields]


def vocabulary(lines: Lines) -> tuple[dict[str, int], NDArray[np.float16]]:
    """Features with their rows, sorted, and their inverse document frequency (n_feature,)."""
    counts = Counter(feature for text, _ in lines for feature in set(features(text)))
    kept = sorted(feature for feature, n in counts.items() if n >= MIN_COUNT)
    frequency = np.array([counts[feature] for feature in kept])
    idf = np.log((1 + len(lines)) / (1 + frequency)) + 1
    return {feature: i for i, feature in enumerate(kept)}, idf.astype(np.float16)


def matrix(lines: Lines, ids: dict[str, int], idf: NDArray[np.float16]) -> csr_matrix:
    """``float32 (n_line, n_feature)``, rows of unit length: what `Judge` computes, at once."""
    data: list[float] = []
    columns: list[int] = []
    ends = [0]
    for text, _ in lines:
        counts = Counter(ids[f] for f in features(text) if f in ids)
        rows = list(counts)
        values = (1 + np.log(np.fromiter(counts.values(), float))) * idf[rows].astype(float)
        data += list(values / max(float(np.linalg.norm(values)), 1e-12))
        columns += rows
        ends.append(len(columns))
    return csr_matrix((data, columns, ends), shape=(len(lines), len(ids)), dtype=np.float32)


def fit(x: csr_matrix, lines: Lines, n_label: int, *, seed: int) -> LogisticRegression:
    """Logistic regression on lines that may have several labels."""
    rows = [row for row, (_, ids) in enumerate(lines) for _ in ids]
    y = np.array([i for _, ids in lines for i in ids])
    weight = np.array([1 / len(ids) for _, ids in lines for _ in ids])
    share = np.bincount(y, weights=weight, minlength=n_label) / weight.sum()
    model = LogisticRegression(C=INVERSE_L2, max_iter=500, tol=1e-4, random_state=seed)
    return model.fit(x[rows], y, sample_weight=weight * ((n_label * share) ** -CLASS_POWER)[y])


def fit_temperature(x: csr_matrix, lines: Lines, n_label: int, *, seed: int) -> float:
    """The temperature that makes held-out lines with one label most likely."""
    fold = np.random.default_rng(seed).permutation(len(lines)) % FOLDS
    logits = np.empty((len(lines), n_label))
    for k in range(FOLDS):
        learnt = np.flatnonzero(fold != k)
        model = fit(x[learnt], [lines[int(i)] for i in learnt], n_label, seed=seed)
        logits[fold == k] = model.decision_function(x[fold == k])
    single = [row for row, (_, ids) in enumerate(lines) if len(ids) == 1]
    truth = [lines[row][1][0] for row in single]

    def loss(log_temperature: float) -> float:
        z = logits[single] / np.exp(log_temperature)
        return float(np.mean(np.logaddexp.reduce(z, axis=1) - z[range(len(z)), truth]))

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))


def f1_scores(truth: Sequence[int], guess: Sequence[int], n_label: int) -> list[float]:
    """F1 of each label."""
    true, got = np.asarray(truth), np.asarray(guess)
    hits = [int(((true == k) & (got == k)).sum()) for k in range(n_label)]
    return [2 * hits[k] / max(int((true == k).sum() + (got == k).sum()), 1) for k in range(n_label)]


def measure(path: Path, lines: Lines) -> dict[str, Any]:
    """How good the judge in a file is on `lines`; the keys are those of ``about``."""
    judge = load_judge(path)
    rows = judge.probabilities([text for text, _ in lines])
    n_label = len(judge.labels)
    single = [row for row, (_, ids) in enumerate(lines) if len(ids) == 1]
    truth = [lines[row][1][0] for row in single]
    top = rows.argmax(axis=1)
    scores = f1_scores(truth, top[single].tolist(), n_label)
    chosen = rows[single, truth]
    confidence, right = rows[single].max(axis=1), top[single] == truth
    bins = np.minimum((confidence * 10).astype(int), 9)
    gaps = [abs(float((confidence - right)[bins == b].sum())) for b in range(10)]
    return {
        "dev_lines_with_one_label": len(single),
        "dev_macro_f1": round(float(np.mean(scores)), 4),
        "dev_f1": {name: round(s, 4) for name, s in zip(judge.labels, scores, strict=True)},
        "dev_accuracy": round(float(right.mean()), 4),
        "dev_negative_log_likelihood": round(float(-np.log(chosen).mean()), 4),
        "dev_expected_calibration_error": round(sum(gaps) / len(single), 4),
        "dev_lines": len(lines),
        "dev_top_label_is_among_the_labels": round(
            float(np.mean([top[row] in ids for row, (_, ids) in enumerate(lines)])), 4
        ),
    }


def write_judge(path: Path, model: dict[str, Any], about: dict[str, Any]) -> None:
    """Write the arrays of `model` with `about`."""

    def write(beside: Path) -> None:
        with beside.open("wb") as file:
            np.savez_compressed(file, **model, about=np.array(json.dumps(about)))

    write_files({path: write})


def train(data: Path, out: Path, *, seed: int) -> dict[str, Any]:
    """Train on `data`, write the judge to `out`, and give what is recorded in it."""
    labels = (data / "labels.txt").read_text(encoding="utf-8").split()
    lines = read_lines(data / "train.tsv")
    ids, idf = vocabulary(lines)
    x = matrix(lines, ids, idf)
    temperature = fit_temperature(x, lines, len(labels), seed=seed)
    fitted = fit(x, lines, len(labels), seed=seed)
    scale = np.abs(fitted.coef_).max(axis=1) / 127  # (n_label,)
    model = {
        "labels": np.array(labels),
        "vocabulary": np.frombuffer("\n".join(ids).encode("utf-8"), dtype=np.uint8),
        "idf": idf,
        "weights": np.rint(fitted.coef_ / scale[:, None]).T.astype(np.int8),
        "scale": scale.astype(np.float32),
        "bias": fitted.intercept_.astype(np.float32),
        "temperature": np.float64(temperature),
    }
    about: dict[str, Any] = {
        "kind": "multinomial logistic regression on words, pairs of words and stems",
        "data": "GoEmotions (Demszky et al. 2020, Apache-2.0), mapped to Ekman's six and neutral, "
        "from github.com/monologg/GoEmotions-pytorch",
        "train_lines": len(lines),
        "train_lines_with_several_labels": sum(len(ids) > 1 for _, ids in lines),
        "features": len(ids),
        "inverse_l2": INVERSE_L2,
        "class_power": CLASS_POWER,
        "temperature": round(temperature, 4),
        "seed": seed,
    }
    write_judge(out, model, about)
    about |= measure(out, read_lines(data / "dev.tsv"))
    write_judge(out, model, about)
    return about


def main() -> None:
    """Train, write, and print what was recorded."""
    parser = argparse.ArgumentParser(description="Train the bundled judge.")
    parser.add_argument("data", type=Path, help="folder with train.tsv, dev.tsv and labels.txt")
    parser.add_argument("-o", "--out", type=Path, default=BUNDLED)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    about = train(args.data, args.out, seed=args.seed)
    print(json.dumps(about, indent=2))
    size = args.out.stat().st_size
    print(f"{args.out}: {size} bytes (at most {MAX_FILE_BYTES})")


if __name__ == "__main__":
    main()
