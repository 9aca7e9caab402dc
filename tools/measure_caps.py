"""What caps do to answers that a prompt provokes: the table of docs/caps.md.

    python tools/measure_caps.py MODEL VECTORS [--max-tokens 48] [--seeds 3] [--times 12]

Text full of an emotion, four of the messages below in a row, is continued plainly and within caps
of it. Prints, as a Markdown table, what the answers show: the mean z-score at which the model,
asked nothing and steered by nothing, reads them, the mean probability by the judge of words and by
the one that reads, perplexity under the unsteered model over the plain answers', and the share that
loops. Then the time of an answer within caps over that of one without, as the median of paired runs
and their quartiles.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

import llamood
from llamood.extraction.side_effects import collapse
from llamood.judges.filters import Filter
from llamood.judges.jury import jury
from llamood.judges.measures import emotion_probability
from llamood.readings.probe import Probe
from llamood.vectors.files import load
from llamood.voices.answering import Answering, Request

MESSAGES = {
    "anger": (
        "You broke my phone and did not even say sorry! I am furious with you!",
        "How dare you read my letters? I hate liars, and you are the worst of them!",
        "Three hours I waited, and you laughed at me! I have had enough of your excuses!",
        "This is the worst service ever. You stole my money, you crooks, and I want it back now!",
        "Stop shouting at my children! Touch them again and I will make you pay for it!",
        "You always lie, you always blame me, and I am sick of it! Shut up and get out!",
        "My idiot neighbour cut down my tree! I could scream with rage!",
    ),
    "sadness": (
        "My dog died this morning. The house is so empty, and I cannot stop crying.",
        "She left without a word. I sit by the window every night and nobody comes.",
        "Grandfather does not know my name any more. I lost him long before the funeral.",
        "I have no friends left. Nobody would even notice if I were gone from this town.",
        "We buried my brother in the rain today. I feel nothing but grief.",
        "They closed the school where I taught for thirty years. I wept in the empty classroom.",
        "I failed again, and I am so tired and so lonely. Nothing will ever be good again.",
    ),
    "fear": (
        "Somebody is in the house. I hear steps on the stairs, and my hands are shaking!",
        "The brakes are gone and the road goes down to the cliff! I am terrified!",
        "The doctor will not look at me. I am so scared of what she is going to say.",
        "The lights went out, and something is breathing right behind me. Please help me!",
        "The water is rising and the door is stuck! We are going to drown down here!",
        "He said he would come back tonight with a knife. I am afraid to close my eyes.",
        "The ground shakes again, the walls crack, and I panic. I cannot get out!",
    ),
}
IN_A_ROW = 4
N_CTX = 384


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("vectors", type=Path)
    parser.add_argument("--max-tokens", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--times", type=int, default=12, help="paired runs")
    asked = parser.parse_args(arguments)
    print_answers(asked)
    print_times(asked)


def opened(asked: argparse.Namespace) -> llamood.Llama:
    """A voice alone, that reads."""
    return llamood.Llama(
        asked.model,
        emotions=asked.vectors,
        readings=True,
        guard=False,
        n_ctx=N_CTX,
        verbose=False,
    )


def moods(emotion: str) -> dict[str, dict[str, Any]]:
    """By what they are called."""
    caps = {f"cap {at:g}": {emotion: {"cap": at}} for at in (2.0, 1.0, 0.0)}
    every = {"cap 1, prompt too": {emotion: {"cap": 1.0}, "$positions": "all"}}
    return {"plain": {}, **caps, **every}


def print_answers(asked: argparse.Namespace) -> None:
    """The table."""
    probe = Probe.load(asked.vectors)
    emotions = load(asked.vectors)
    with (
        closing(opened(asked)) as reader,
        Answering(asked.model, emotions=emotions, n_ctx=N_CTX, readings=probe) as answering,
        jury(asked.model, Filter.of_probe(probe)) as judges,
    ):
        print(f"| emotion | mood | reading | {' | '.join(judges)} | perplexity | loops |")
        print("|---" * (5 + len(judges)) + "|")
        for emotion, messages in MESSAGES.items():
            plain = math.nan
            for name, mood in moods(emotion).items():
                texts, nll = answers(answering, messages, mood, asked)
                plain = nll if name == "plain" else plain
                shown = [
                    emotion_probability(judge.probabilities(texts), emotion, labels=judge.labels)
                    for judge in judges.values()
                ]
                cells = [
                    f"{z_score(reader, texts, emotion):.2f}",
                    *(f"{np.mean(each):.2f}" for each in shown),
                    f"{math.exp(nll - plain):.2f}",
                    f"{100 * np.mean([collapse(text).collapsed for text in texts]):.0f} %",
                ]
                print(f"| {emotion} | {name} | {' | '.join(cells)} |", flush=True)


def provoking(messages: Sequence[str]) -> list[str]:
    """Texts to continue, one that begins with each message."""
    ring = [*messages, *messages]
    return [" ".join(ring[at : at + IN_A_ROW]) for at in range(len(messages))]


def answers(
    answering: Answering, messages: Sequence[str], mood: Mapping[str, Any], asked: Any
) -> tuple[list[str], float]:
    """Continuations of each text, several, and their mean negative log likelihood in nats."""
    prompts = [
        answering.llama.tokenize(text.encode())
        for text in provoking(messages)
        for _ in range(asked.seeds)
    ]
    requests = [
        Request(prompt, asked.max_tokens, mood, seed=seed) for seed, prompt in enumerate(prompts)
    ]
    replies = answering.answers(requests)
    nll = answering.nll(prompts, [reply.tokens for reply in replies])
    return [reply.text for reply in replies], float(np.nanmean(nll))


def z_score(reader: llamood.Llama, texts: Sequence[str], emotion: str) -> float:
    """The mean over texts, each read by itself, of the mean over its tokens."""
    found = []
    for text in texts:
        tokens = reader.tokenize(text.encode())
        if len(tokens) < 2:
            continue
        reader.reset()
        reader.eval(tokens)
        scores = reader.reader.scores(1, len(tokens))
        found.append(float(scores[:, reader.reader.names.index(emotion)].mean()))
    return statistics.fmean(found)


def print_times(asked: argparse.Namespace) -> None:
    """Of answers token by token, and of prompts."""
    bounded = {
        "one cap": {"anger": {"cap": 1.0}},
        "a cap of each emotion": {name: {"cap": 1.0} for name in load(asked.vectors).names},
    }
    with closing(opened(asked)) as voice:
        prompt = voice.tokenize(provoking(MESSAGES["anger"])[0].encode())

        def seconds(mood: Mapping[str, Any]) -> float:
            voice.reset()
            begin = time.perf_counter()
            with voice.feeling(mood):
                stream = voice.generate(prompt, temp=0.0)
                for _ in range(asked.max_tokens):
                    next(stream)
                stream.close()
            return time.perf_counter() - begin

        seconds({})
        for name, mood in bounded.items():
            ratios = [seconds(mood) / seconds({}) for _ in range(asked.times)]
            low, *_, high = statistics.quantiles(ratios, n=4)
            print(f"time with {name}: {statistics.median(ratios):.3f} ({low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main(sys.argv[1:])
