"""``make interop``: other programs beside llamood on SmolLM2's own weights; some ten minutes, and
the first time as many for what is downloaded and built.

Prints docs/interop.md, or writes it with ``--write``; exits with 1 where a tolerance is exceeded.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for the packages beside this one

import click
import numpy as np

import llamood
from interop import attention_trial, peer_trial, program_trial
from interop.comparison import Logits
from interop.meter import Cost
from interop.page import Findings, Speed, page
from interop.workplace import Workplace
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.measurement import Measurement

KEPT = Path("build/interop")
_T = TypeVar("_T")


@click.command()
@click.option("--write", type=click.Path(dir_okay=False, path_type=Path), help="The page.")
@click.option(
    "--kept",
    type=click.Path(file_okay=False, path_type=Path),
    default=KEPT,
    show_default=True,
    help="Where the peers' environment and llama.cpp's programs are, or are to be made.",
)
@click.option("--pairs", "n_pair", type=int, default=24, show_default=True, help="Of texts.")
def main(write: Path | None, kept: Path, n_pair: int) -> None:
    """Run all of it."""
    with tempfile.TemporaryDirectory() as folder:
        findings = found(kept.resolve(), Path(folder), n_pair=n_pair)
    if write is None:
        click.echo(page(findings))
    else:
        write.write_text(page(findings), encoding="utf-8")
        click.echo(f"Wrote {write}.", err=True)
    missed = findings.missed()
    for each in missed:
        click.echo(f"Missed: {each}", err=True)
    sys.exit(1 if missed else 0)


def found(kept: Path, work: Path, *, n_pair: int) -> Findings:
    """All trials. ``kept`` and ``work`` as for `Workplace.made`."""
    place = told(
        "the model, the environment, the programs",
        partial(Workplace.made, kept, work, n_pair=n_pair),
    )
    speeds, arrays = [], {}
    for title, model in (("float32", place.exact), ("Q4_1", place.quantised)):
        result, path = told(f"llamood, {title}", partial(place.listen, model, f"own-{title}"))
        speeds.append(Speed(f"llamood, mean difference, {title}", Cost(**result["cost"])))
        with np.load(path) as stored:
            arrays[title] = {site: stored[site] for site in ("layer_out", "attn_out")}
    own = own_vectors(arrays["float32"])
    (own_file,) = llamood.save(own, work / "own")

    peers = [
        told(method.title, partial(peer_trial.tried, place, method, own=own, own_file=own_file))
        for method in peer_trial.METHODS
    ]
    speeds += [Speed(trial.method.title, trial.cost) for trial in peers]
    at_attention = next(trial for trial in peers if trial.vectors.measurement.site == "attn_out")
    attention = told("the paper's hook", lambda: attention_trial.tried(place, at_attention.vectors))
    generators = [
        told(f"llama-cvector-generator, {method}", partial(program_trial.generated, place, method))
        for method in program_trial.METHODS
    ]
    speeds += [
        Speed(f"llama-cvector-generator, {trial.method}, float32", trial.cost, is_whole=True)
        for trial in generators
    ]
    answers = told("llama-completion", lambda: program_trial.answered(place, generators))
    return Findings(
        place.reading,
        len(place.pairs.positive),
        place.threads,
        peers,
        attention,
        attention_trial.cosines(arrays["float32"], at_attention.rows),
        generators,
        answers,
        speeds,
    )


def own_vectors(arrays: dict[str, Logits]) -> EmotionVectors:
    """The mean difference that llamood measured at the end of each layer."""
    measurement = Measurement("mean difference", "layer_out", model_arch="llama")
    return EmotionVectors(("joy",), arrays["layer_out"][np.newaxis], measurement)


def told(what: str, work: Callable[[], _T]) -> _T:
    """Says what is being done, on stderr."""
    click.echo(f"{what} ...", err=True)
    return work()


if __name__ == "__main__":
    main()
