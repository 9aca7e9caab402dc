"""What moods other than one emotion at its top do to what a model says.

    python tools/measure_moods.py MODEL VECTORS [--questions 16] [--max-tokens 32]

Each of the demo's questions, with which nothing was chosen, is answered in each emotion at 1, at
0.5 and at -1, in three emotions at 1 each and at a third each, and unsteered. Prints, as a Markdown
table: perplexity under the unsteered model over the unsteered answers', the share of answers that
loop, and the mean probability of the emotions asked for by the judge of words and, where the
baseline can judge, by readings, each over that of the unsteered answers.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from llamood.demo import questions
from llamood.errors import ModelError
from llamood.extraction.side_effects import collapse
from llamood.judges.filters import Filter
from llamood.judges.judging import Judging
from llamood.judges.jury import jury
from llamood.judges.measures import emotion_probability
from llamood.readings.probe import Probe
from llamood.vectors.files import load
from llamood.voices.answering import Answering, Request
from llamood.voices.chat_template import chat_tokens

Mood = Mapping[str, float]
N_CTX = 384


@dataclass(frozen=True)
class Said:
    """What was answered in one mood. ``nll``: the mean of the answers, in nats."""

    texts: tuple[str, ...]
    nll: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("vectors", type=Path)
    parser.add_argument("--questions", type=int, default=16)
    parser.add_argument("--max-tokens", type=int, default=32)
    asked = parser.parse_args(arguments)
    emotions = load(asked.vectors)
    with (
        Answering(asked.model, emotions=emotions, n_ctx=N_CTX) as answering,
        jury(asked.model, filter_of(asked.vectors)) as judges,
    ):
        prompts = [
            chat_tokens(answering.llama, [{"role": "user", "content": question}])
            for question in questions()[: asked.questions]
        ]

        def said(mood: Mood) -> Said:
            requests = [
                Request(prompt, asked.max_tokens, mood, seed=seed)
                for seed, prompt in enumerate(prompts)
            ]
            replies = answering.answers(requests)
            nll = answering.nll(prompts, [reply.tokens for reply in replies])
            return Said(tuple(reply.text for reply in replies), float(np.nanmean(nll)))

        plain = said({})
        seen = list(judges)
        print(f"| {len(prompts)} answers each | perplexity | loops | {' | '.join(seen)} |")
        print("|---" * (3 + len(seen)) + "|")
        for name, moods in kinds(emotions.names).items():
            rows = [(mood, said(mood)) for mood in moods]
            print(row(name, rows, plain, [judges[each] for each in seen]), flush=True)


def filter_of(vectors: Path) -> Filter | None:
    """What their baseline reads by; None where that tells no odds."""
    try:
        return Filter.of_probe(Probe.load(vectors))
    except ModelError:
        return None


def kinds(names: Sequence[str]) -> dict[str, list[Mood]]:
    """By what they are called: of the mixes, each emotion with the next two."""
    ring = list(itertools.islice(itertools.cycle(names), len(names) + 2))
    threes = [ring[i : i + 3] for i in range(len(names))]
    single = {f"one emotion at {at:g}": [{name: at} for name in names] for at in (1.0, 0.5, -1.0)}
    return {
        **single,
        "three at 1": [dict.fromkeys(three, 1.0) for three in threes],
        "three at a third": [dict.fromkeys(three, 1 / 3) for three in threes],
    }


def row(
    name: str, rows: Sequence[tuple[Mood, Said]], plain: Said, judges: Sequence[Judging]
) -> str:
    """Of all moods of a kind: the mean, and the worst perplexity of one of them."""
    ratios = [math.exp(said.nll - plain.nll) for _, said in rows]
    loops = float(np.mean([collapse(text).collapsed for _, said in rows for text in said.texts]))
    cells = [f"{np.mean(ratios):.2f} ({max(ratios):.2f})", f"{100 * loops:.0f} %"]
    for judge in judges:
        shown, unsteered = (
            np.mean([_shown(judge, mood, texts(said)) for mood, said in rows])
            for texts in (lambda said: said.texts, lambda _: plain.texts)
        )
        cells.append(f"{shown:.2f} / {unsteered:.2f}")
    return f"| {name} | {' | '.join(cells)} |"


def _shown(judge: Judging, mood: Mood, texts: Sequence[str]) -> float:
    """The mean probability of the emotions of this mood."""
    told = judge.probabilities(texts)
    labels = judge.labels
    return float(np.mean([emotion_probability(told, name, labels=labels) for name in mood]))


if __name__ == "__main__":
    main(sys.argv[1:])
