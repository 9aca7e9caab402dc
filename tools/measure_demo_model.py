"""Measure how the bundled model feels: the figures of its model card.

Layers and intensities are chosen on questions like those of the training; what is reported is
measured on the held-out questions, with no emotional instruction anywhere. The control is a random
vector with the same norm in every layer, at the same intensity.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import click
import llama_cpp
import numpy as np
from rich.progress import track

import llamood
import llamood.demo
from demo_corpus import Generator
from llamood import EmotionVectors

GRID = tuple(round(0.4 * 1.07**step, 2) for step in range(18))  # 0.4 to 1.26
LAYERS = ((2, 4), (2, 6))
CHOICE_SEED, N_CHOICE = 4321, 32  # questions on which layers and intensities are chosen
LARGEST_PERPLEXITY = 1.8  # when choosing; the bound to show is 2
ENOUGH = 0.8  # share of answers; a dose above the first that tops so many is not needed
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
    """Layers, and per emotion its intensity and the share of answers that it then tops."""

    layers: tuple[int, int]
    intensity: dict[str, float]
    top1: dict[str, float]

    @property
    def weakest(self) -> float:
        return min(self.top1.values())

    def mood(self, emotion: str) -> dict[str, Any]:
        return mood_at(self.layers, emotion, self.intensity[emotion])


def mood_at(layers: tuple[int, int], emotion: str, intensity: float) -> dict[str, Any]:
    return {emotion: intensity, "$layers": list(layers)}


def choice_questions() -> tuple[str, ...]:
    """Plain questions such as the model was trained on; the held-out forms are not among them."""
    first = (
        c.turns[0]
        for c in Generator(seed=CHOICE_SEED).conversations(100 * N_CHOICE)
        if not c.system
    )
    plain = (turn.user for turn in first if turn.tone == "neutral" and "\n" not in turn.user)
    return tuple(islice(plain, N_CHOICE))


def choose(bench: Bench) -> Choice:
    """The layers whose weakest emotion is strongest, each emotion at its best fluent intensity."""
    questions = choice_questions()
    plain = bench.answers(questions, {})
    choices = [
        chosen_at(bench, questions, layers, plain)
        for layers in track(LAYERS, description="Choosing layers and intensities")
    ]
    for choice in choices:
        click.echo(f"{choice.layers}: {choice.intensity} {choice.top1}", err=True)
    return max(choices, key=lambda choice: choice.weakest)


def chosen_at(
    bench: Bench, questions: tuple[str, ...], layers: tuple[int, int], plain: Answers
) -> Choice:
    """Per emotion the smallest fluent intensity that tops `ENOUGH` answers, else the most."""
    best = Choice(layers, {}, {})
    for emotion in bench.vectors.names:
        label = bench.judge.labels.index(emotion)
        best.top1[emotion] = -1.0
        for intensity in GRID:
            got = bench.answers(questions, mood_at(layers, emotion, intensity))
            if perplexity_ratio(got, plain) > LARGEST_PERPLEXITY:
                break
            top1 = float((got.probabilities.argmax(axis=1) == label).mean())
            if top1 > best.top1[emotion]:
                best.top1[emotion], best.intensity[emotion] = top1, intensity
            if top1 >= ENOUGH:
                break
    return best


def perplexity_ratio(got: Answers, plain: Answers) -> float:
    return float(np.median(got.perplexities) / np.median(plain.perplexities))


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
            "perplexity_ratio": perplexity_ratio(got, plain),
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
    measured = measure(bench, llamood.demo.questions(), choose(bench))
    output.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    click.echo(table(measured))


if __name__ == "__main__":
    main()
