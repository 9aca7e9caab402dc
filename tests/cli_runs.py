"""What the tests of the command line share: running it, and vectors for a small model."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result

from llamood import EmotionVectors, save
from llamood.cli import main
from llamood.vectors.measurement import Measurement
from open_voices import UNHELD

LLAMOOD = [sys.executable, "-m", "llamood"]
EMOTIONS = ("joy", "fear", "anger")


def run(*arguments: str | Path, stdin: str | None = None) -> Result:
    """The command line in this process; ``exit_code``, ``stdout`` and ``stderr`` of it."""
    result = CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception  # a fault of ours, not an exit
    return result


def save_vectors(folder: Path, *, n_layer: int = 4, n_embd: int = 64) -> EmotionVectors:
    """Random vectors that fit the fixture `random_chat`, written to the folder."""
    data = np.random.default_rng(7).normal(size=(len(EMOTIONS), n_layer, n_embd))
    drawn = Measurement(method="drawn", model_arch="llama")
    evs = EmotionVectors(EMOTIONS, data, drawn, ceiling=(UNHELD,) * len(EMOTIONS))
    save(evs, folder)
    return evs


def with_vectors(model: Path, folder: Path) -> Path:
    """A link to the model in the folder, with vectors beside it where -e looks for them."""
    link = folder / "small.gguf"
    link.symlink_to(model)
    save_vectors(folder / "small.evs")
    return link
