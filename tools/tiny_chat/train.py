"""Train the tests' chat model: corpus, tokenizer, network, GGUF file and training log, from a seed.

On cores shared with other work, OMP_WAIT_POLICY=PASSIVE in the environment keeps threads from
spinning while they wait for each other."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for llama_gguf

import click
import gguf
import torch
from corpus import FIRST_STAGE, HELD_OUT_QUESTIONS, SECOND_STAGE, Generator, Mixture
from network import Network
from tokenizer import encode_conversation, gguf_tokenizer, train_tokenizer
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from llama_gguf import CHATML, LlamaShape, Quant, write_llama

SHAPE = LlamaShape(n_layer=8, n_embd=192, n_ff=512, n_head=6, n_head_kv=6, n_vocab=2048, n_ctx=512)
NAME = "llamood demo companion"  # as the file in tests/models has it
WIDTHS = (32, 40, 48, 60, 64, 80, 96, 120, 128, 160, 192, 240, 256, 320, 384, 480)
N_HELD_OUT = 6  # batches whose loss is followed
N_FOR_TOKENIZER = 20_000
SECOND_RATE = 1.5e-3  # learning rate of the second stage
PROMPT_WEIGHT = 0.2  # of the loss on tokens that the user or the template writes


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the network learns; a batch is counted in tokens, padding included."""

    seed: int
    steps: int
    mixture: Mixture
    batch_tokens: int = 3840
    learning_rate: float = 3e-3
    warmup: int = 100
    weight_decay: float = 0.05
    threads: int = 2


@dataclass(frozen=True)
class Sample:
    ids: list[int]
    written: list[bool]


@dataclass(frozen=True)
class Batch:
    """Right-padded token ids and loss weights of the tokens to predict, (n_batch, n_token)."""

    ids: Tensor
    weights: Tensor


def samples(tokenizer: Tokenizer, generator: Generator) -> Iterator[Sample]:
    """Without end: conversations as tokens; those too long for the widest batch are left out."""
    while True:
        messages = generator.conversation().messages()
        sample = Sample(*encode_conversation(tokenizer, messages))
        if len(sample.ids) <= WIDTHS[-1] + 1:
            yield sample


def batch_of(group: list[Sample], *, width: int, prompt_weight: float) -> Batch:
    ids = torch.zeros(len(group), width + 1, dtype=torch.long)
    weights = torch.zeros(len(group), width + 1)
    for row, sample in enumerate(group):
        n = len(sample.ids)
        ids[row, :n] = torch.tensor(sample.ids)
        weights[row, :n] = torch.tensor(sample.written).float().clamp(min=prompt_weight)
    return Batch(ids, weights)


def batches(
    tokenizer: Tokenizer, generator: Generator, *, batch_tokens: int, prompt_weight: float
) -> Iterator[Batch]:
    """Without end: every conversation is new, those of like length share a batch. All batches
    hold as many positions, in few shapes, since a new shape costs the CPU kernels a second."""
    waiting: dict[int, list[Sample]] = {width: [] for width in WIDTHS}
    for sample in samples(tokenizer, generator):
        width = next(width for width in WIDTHS if len(sample.ids) <= width + 1)
        waiting[width].append(sample)
        if len(waiting[width]) == batch_tokens // width:
            yield batch_of(waiting[width], width=width, prompt_weight=prompt_weight)
            waiting[width] = []


def loss_of(network: Network, batch: Batch) -> Tensor:
    """Mean cross-entropy in nats per token, weighted."""
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(batch.ids[:, :-1])
    losses = functional.cross_entropy(
        logits.float().flatten(0, 1), batch.ids[:, 1:].flatten(), reduction="none"
    )
    weights = batch.weights[:, 1:].flatten()
    return (losses * weights).sum() / weights.sum()


@torch.no_grad()
def held_out_loss(network: Network, held_out: list[Batch]) -> float:
    """Loss on answer tokens alone, on nouns and forms that training never sees."""
    return sum(loss_of(network, batch).item() for batch in held_out) / len(held_out)


class Optimiser:
    """Muon for the matrices of the blocks, AdamW for the rest; one learning-rate schedule:
    linear warm-up, then linear decay to zero."""

    def __init__(self, network: Network, settings: Settings) -> None:
        matrices = [p for p in network.blk.parameters() if p.ndim == 2]
        rest = [p for p in network.parameters() if all(p is not m for m in matrices)]
        self.settings = settings
        self.parts: list[torch.optim.Optimizer] = [
            torch.optim.Muon(
                matrices,
                lr=settings.learning_rate,
                weight_decay=settings.weight_decay,
                adjust_lr_fn="match_rms_adamw",
            ),
            torch.optim.AdamW(rest, lr=settings.learning_rate, betas=(0.9, 0.95), weight_decay=0.0),
        ]

    def step(self, number: int) -> None:
        """Apply the gradients of step ``number`` (from 0) and clear them."""
        done = (number + 1) / self.settings.steps
        factor = min((number + 1) / self.settings.warmup, 1.0) * (1.0 - done)
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = self.settings.learning_rate * factor
            part.step()
            part.zero_grad(set_to_none=True)


@dataclass
class Progress:
    """What the training log says of the way: tokens seen and the loss curve."""

    tokens: int = 0
    samples: int = 0
    seconds: float = 0.0
    curve: list[dict[str, float]] = field(default_factory=list)

    def add(self, step: int, train: float, held_out: float) -> None:
        self.curve.append(
            {"step": step, "train_loss": round(train, 4), "held_out_loss": round(held_out, 4)}
        )


def train(
    network: Network,
    tokenizer: Tokenizer,
    *,
    settings: Settings,
    output: Path,
    every: int,
    earlier: dict[str, Any] | None = None,
) -> Progress:
    """Train for ``settings.steps`` steps; every ``every`` steps the loss is noted and a usable
    model file written."""
    held_out = held_out_batches(tokenizer, settings=settings)
    optimiser, progress = Optimiser(network, settings), Progress()
    began, recent = time.monotonic(), 0.0
    feed = batches(
        tokenizer,
        Generator(seed=settings.seed, mixture=settings.mixture),
        batch_tokens=settings.batch_tokens,
        prompt_weight=PROMPT_WEIGHT,
    )
    for number in range(settings.steps):
        batch = next(feed)
        loss = loss_of(network, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step(number)
        recent = loss.item() if number == 0 else 0.98 * recent + 0.02 * loss.item()
        progress.tokens += int((batch.weights > 0).sum())
        progress.samples += len(batch.ids)
        progress.seconds = time.monotonic() - began
        if not math.isfinite(recent):
            raise click.ClickException(f"the loss is {recent} at step {number}")
        if (number + 1) % every == 0 or number + 1 == settings.steps:
            progress.add(number + 1, recent, held_out_loss(network, held_out))
            save(output, network, tokenizer, settings=settings, progress=progress, earlier=earlier)
            click.echo(f"{progress.curve[-1]} {progress.seconds:.0f} s", err=True)
    return progress


def held_out_batches(tokenizer: Tokenizer, *, settings: Settings) -> list[Batch]:
    generator = Generator(seed=settings.seed + 1, held_out=True)
    feed = batches(tokenizer, generator, batch_tokens=settings.batch_tokens, prompt_weight=0.0)
    return [next(feed) for _ in range(N_HELD_OUT)]


def save(
    output: Path,
    network: Network,
    tokenizer: Tokenizer,
    *,
    settings: Settings,
    progress: Progress,
    earlier: dict[str, Any] | None,
    quant: Quant = "q8_0",
) -> None:
    """Write model.gguf, training.json and questions.json into ``output``."""
    model = write_llama(
        output / "model.gguf",
        SHAPE,
        network.arrays(),
        tokenizer=gguf_tokenizer(tokenizer),
        name=NAME,
        chat_template=CHATML,
        quant=quant,
    )
    log = {
        "settings": asdict(settings),
        "optimiser": "Muon (matrices of the blocks), AdamW 0.9/0.95 (the rest), gradient norm 1",
        "shape": asdict(SHAPE),
        "parameters": sum(p.numel() for p in network.parameters()),
        "corpus": {"conversations": progress.samples, "tokens": progress.tokens},
        "steps_done": progress.curve[-1]["step"],
        "wall_seconds": round(progress.seconds, 1),
        "tokens_per_second": round(progress.tokens / progress.seconds, 1),
        "quantisation": quant,
        "file_bytes": model.stat().st_size,
        "loss_curve": progress.curve,
        "earlier_stage": earlier,
    }
    _write(output / "training.json", json.dumps(log, indent=1))
    _write(output / "questions.json", json.dumps(list(HELD_OUT_QUESTIONS), indent=1))


def _write(path: Path, text: str) -> None:
    beside = path.with_suffix(".part")
    beside.write_text(text + "\n", encoding="utf-8")
    beside.replace(path)


def weights_of(model: Path) -> dict[str, Tensor]:
    """The weights of a model file that `save` wrote, as float32."""
    return {
        tensor.name: torch.from_numpy(gguf.dequantize(tensor.data, tensor.tensor_type).copy())
        for tensor in gguf.GGUFReader(model).tensors
    }


@click.command(help=__doc__)
@click.option("--seed", default=7, show_default=True)
@click.option("--steps", default=2000, show_default=True, help="Training steps.")
@click.option("--threads", default=2, show_default=True, help="CPU threads.")
@click.option("--every", default=50, show_default=True, help="Steps between model files.")
@click.option(
    "--after",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Second stage: go on from the model and tokenizer in this folder.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder.")
def main(seed: int, steps: int, threads: int, every: int, after: Path | None, output: Path) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    output.mkdir(parents=True, exist_ok=True)
    network, earlier = Network(SHAPE), None
    if after is None:
        settings = Settings(seed=seed, steps=steps, mixture=FIRST_STAGE, threads=threads)
        texts = Generator(seed=seed).conversations(N_FOR_TOKENIZER)
        tokenizer = train_tokenizer(
            (m["content"] for conversation in texts for m in conversation.messages()),
            n_vocab=SHAPE.n_vocab,
        )
    else:
        settings = Settings(
            seed=seed,
            steps=steps,
            mixture=SECOND_STAGE,
            threads=threads,
            learning_rate=SECOND_RATE,
        )
        tokenizer = Tokenizer.from_file(str(after / "tokenizer.json"))
        network.load_state_dict(weights_of(after / "model.gguf"))
        earlier = json.loads((after / "training.json").read_text(encoding="utf-8"))
    tokenizer.save(str(output / "tokenizer.json"))
    train(network, tokenizer, settings=settings, output=output, every=every, earlier=earlier)


if __name__ == "__main__":
    main()
