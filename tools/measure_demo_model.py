"""Measure how the bundled model feels: the figures of its model card.

Layers and intensities are chosen on the neutral questions of the shipped query set; what is
reported is measured on the held-out questions, with no emotional instruction anywhere. The control
is a random vector with the same norm in every layer, at the same intensity.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import llama_cpp
import numpy as np
from rich.progress import track

import llamood
import llamood.demo
from llamood import EmotionVectors
from llamood.queries import load_queries

GRID = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.35, 1.5)
LAYERS: tuple[tuple[int, int] | None, ...] = (None, (1, 3), (1, 4), (2, 4), (2, 5), (3, 5))
N_CHOICE = 24  # questions on which intensities are chosen
LARGEST_PERPLEXITY = 1.6  # when choosing; the bound to show is 2
SAMPLING = {"temperature": 0.6, "top_p": 0.9, "max_tokens": 96}
N_RANDOM = 3  # random vectors per emotion


@dataclass(frozen=True)
class Answers:
    """Answers to the same questions in one mood: judge's probabilities (n, n_label)."""

    texts: tuple[str, ...]
    probabilities: np.ndarray
    perplexities: np.ndarray


class Bench:
    """The model, its vectors and the judge."""

    def __init__(self, model: Path, vectors: EmotionVectors) -> None:
        self.vectors = vectors
        self.judge = llamood.judges.bundled()
        self.model = model
        self.llm = llamood.Llama(model, emotions=vectors, n_ctx=512, logits_all=True, verbose=False)

    def answers(self, questions: tuple[str, ...], mood: dict[str, Any]) -> Answers:
        texts, perplexities = [], []
        for seed, question in enumerate(questions):
            messages = [{"role": "user", "content": question}]
            said = self.llm.create_chat_completion(messages, mood=mood, seed=seed, **SAMPLING)
            texts.append(said["choices"][0]["message"]["content"].strip())
            perplexities.append(self.perplexity(messages, texts[-1]))
        probabilities = self.judge.probabilities(texts)
        return Answers(tuple(texts), probabilities, np.array(perplexities))

    def perplexity(self, messages: list[dict[str, str]], answer: str) -> float:
        """Of the answer, given the conversation, under the unsteered model."""
        if not answer:
            return math.inf
        template = self.llm.metadata["tokenizer.chat_template"]
        prompt = llama_cpp.llama_chat_format.Jinja2ChatFormatter(
            template=template, eos_token="", bos_token=""
        )(messages=messages).prompt
        head = self.llm.tokenize(prompt.encode(), add_bos=False, special=True)
        tail = self.llm.tokenize(answer.encode(), add_bos=False)
        with self.llm.feeling():
            self.llm.reset()
            self.llm.eval(head + tail)
        logits = self.llm.scores[len(head) - 1 : len(head) + len(tail) - 1].astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        chosen = logits[np.arange(len(tail)), tail] - np.log(np.exp(logits).sum(axis=1))
        return float(math.exp(-chosen.mean()))


@dataclass(frozen=True)
class Choice:
    """``layers``: None for all. ``intensity`` and ``probability``: per emotion."""

    layers: tuple[int, int] | None
    intensity: dict[str, float]
    probability: dict[str, float]

    @property
    def weakest(self) -> float:
        return min(self.probability.values())

    def mood(self, emotion: str) -> dict[str, Any]:
        mood: dict[str, Any] = {emotion: self.intensity[emotion]}
        return mood if self.layers is None else {**mood, "$layers": list(self.layers)}


def choose(bench: Bench, questions: tuple[str, ...]) -> Choice:
    """The layers whose weakest emotion is strongest, each emotion at its best fluent intensity."""
    plain = bench.answers(questions, {})
    choices = [
        chosen_at(bench, questions, layers, plain)
        for layers in track(LAYERS, description="Choosing layers and intensities")
    ]
    for choice in choices:
        click.echo(f"{choice.layers}: weakest {choice.weakest:.2f}, {choice.intensity}", err=True)
    return max(choices, key=lambda choice: choice.weakest)


def chosen_at(
    bench: Bench, questions: tuple[str, ...], layers: tuple[int, int] | None, plain: Answers
) -> Choice:
    """Per emotion the intensity with the highest mean probability among the fluent ones."""
    best = Choice(layers, {}, {})
    for emotion in bench.vectors.names:
        label = bench.judge.labels.index(emotion)
        best.probability[emotion] = -1.0
        for intensity in GRID:
            got = bench.answers(questions, Choice(layers, {emotion: intensity}, {}).mood(emotion))
            ratio = np.median(got.perplexities) / np.median(plain.perplexities)
            if ratio > LARGEST_PERPLEXITY:
                break
            probability = float(got.probabilities[:, label].mean())
            if probability > best.probability[emotion]:
                best.probability[emotion] = probability
                best.intensity[emotion] = intensity
    return best


def random_like(vectors: EmotionVectors, *, seed: int) -> EmotionVectors:
    """Random directions with the norms of the vectors in every layer."""
    noise = np.random.default_rng(seed).normal(size=vectors.data.shape)
    noise *= vectors.norms()[:, :, None] / np.linalg.norm(noise, axis=2, keepdims=True)
    return EmotionVectors(vectors.names, noise.astype(np.float32))


def measure(bench: Bench, questions: tuple[str, ...], choice: Choice) -> dict[str, Any]:
    plain = bench.answers(questions, {})
    noise = [Bench(bench.model, random_like(bench.vectors, seed=s)) for s in range(N_RANDOM)]
    rows = {}
    for emotion in track(list(choice.intensity), description="Measuring"):
        label = bench.judge.labels.index(emotion)
        got = bench.answers(questions, choice.mood(emotion))
        unsteered = float(plain.probabilities[:, label].mean())
        random = [
            float(n.answers(questions, choice.mood(emotion)).probabilities[:, label].mean())
            for n in noise
        ]
        rows[emotion] = {
            "intensity": choice.intensity[emotion],
            "unsteered": unsteered,
            "steered": float(got.probabilities[:, label].mean()),
            "ratio": float(got.probabilities[:, label].mean()) / unsteered,
            "top1": float((got.probabilities.argmax(axis=1) == label).mean()),
            "random_ratios": [value / unsteered for value in random],
            "perplexity_ratio": float(np.median(got.perplexities) / np.median(plain.perplexities)),
            "sample": got.texts[0],
        }
    return {
        "n_question": len(questions),
        "sampling": SAMPLING,
        "layers": choice.layers,
        "intensity": choice.intensity,
        "unsteered_perplexity": float(np.median(plain.perplexities)),
        "unsteered_sample": plain.texts[0],
        "question": questions[0],
        "emotions": rows,
    }


def table(measured: dict[str, Any]) -> str:
    lines = [
        "| emotion | intensity | unsteered | steered | ratio | top-1 | random | perplexity |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for emotion, row in measured["emotions"].items():
        random = ", ".join(f"{value:.2f}x" for value in row["random_ratios"])
        lines.append(
            f"| {emotion} | {row['intensity']:g} | {row['unsteered']:.3f} | {row['steered']:.3f} "
            f"| {row['ratio']:.1f}x | {row['top1']:.0%} | {random} "
            f"| {row['perplexity_ratio']:.2f}x |"
        )
    return "\n".join(lines)


@click.command()
@click.option("--model", type=Path, default=llamood.demo.MODEL, show_default=True)
@click.option("--vectors", type=Path, default=llamood.demo.VECTORS, show_default=True)
@click.option("-o", "--output", type=Path, required=True, help="JSON file of figures.")
def main(model: Path, vectors: Path, output: Path) -> None:
    """Choose layers and intensities, measure, write OUTPUT, print the model card's table."""
    bench = Bench(model, llamood.load(vectors))
    choice = choose(bench, load_queries().neutral[:N_CHOICE])
    measured = measure(bench, llamood.demo.questions(), choice)
    output.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    click.echo(table(measured))


if __name__ == "__main__":
    main()
