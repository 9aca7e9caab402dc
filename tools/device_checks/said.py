"""What a subject says, to the bit, in each way in which a mood can be added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from batches import Context, Float32, Row, prompt
from devices import Place
from llamood import _core

from .subject import Subject

N_NEXT = 4  # tokens after the prompt, one by one
STRENGTHS = (1.0, -0.5, 0.0, 2.0)  # of the voices that speak at once
MANY_STRENGTHS = (1.0, -0.5, 0.0, 2.0, 0.25, -1.0, 1.5, 0.75, -0.75, 1.25)  # more than one product


@dataclass(frozen=True, eq=False)
class Said:
    """Logits: of a ``prompt`` decoded at once (n_token, n_vocab), and of tokens decoded one by one
    (n_token, n_vocab)."""

    prompt: Float32
    single: Float32

    def all(self) -> Float32:
        return np.concatenate([self.prompt, self.single])


def unsteered(subject: Subject, place: Place) -> Said:
    with Context(subject.path, place=place, n_sequence=1) as ctx:
        return _listen(ctx, subject)


def set_publicly(subject: Subject, place: Place, *, is_cut: bool = False) -> Said:
    """In a fresh context, by llama.cpp's own setter and without llamood. ``is_cut``: the graph is
    cut where rows are added to."""
    cut = subject.steered_layers if is_cut else None
    with Context(subject.path, place=place, n_sequence=1, cut=cut) as ctx:
        ctx.set_control_vector(subject.emotions.data[-1])
        return _listen(ctx, subject)


def written_in_place(subject: Subject, place: Place, *, zeros: bool = False) -> Said:
    """After another mood, by writes into the tensors that the graph adds."""
    bank = _core.Bank(subject.emotions.data)
    with Context(subject.path, place=place, n_sequence=1) as ctx:
        injector = _core.Injector(ctx.watch, ctx.address)
        injector.apply(bank, subject.strength(-2.0), 1, bank.n_layer - 1)
        _listen(ctx, subject)
        ctx.forget()
        if zeros:
            injector.rest()
        else:
            injector.apply(bank, subject.weights, 1, bank.n_layer - 1)
        said = _listen(ctx, subject)
        is_written = (injector.setter_calls, injector.writes) == (1, 1)
        if not is_written or injector.missing_layers():
            raise RuntimeError(f"{subject.name}, {place.name}: nothing was written in place")
        return said


def by_rows(
    subject: Subject, place: Place, *, node: str = "l_out", first: int = 1
) -> tuple[Said, int]:
    """Row by row, from layer ``first`` on; and in how many of these layers a device added them with
    a graph of its own."""
    bank = _core.Bank(subject.emotions.data)
    with Context(subject.path, place=place, node=node, n_sequence=1) as ctx:
        said = _listen(ctx, subject, rows=bank, layers=(first, bank.n_layer - 1))
        if set(ctx.injector.missing_layers()) - set(range(first)):
            raise RuntimeError(f"{subject.name}: its graph has no {node} in some layers")
        return said, ctx.injector.n_on_device // (1 + N_NEXT)  # as many decodes


def _listen(
    ctx: Context,
    subject: Subject,
    *,
    rows: _core.Bank | None = None,
    layers: tuple[int, int] | None = None,
) -> Said:
    """``rows``: steer each of them in the subject's mood."""

    def decode(batch: Sequence[Row]) -> Float32:
        if rows is not None:
            ctx.expect(rows, [subject.weights] * len(batch), batch, layers=layers)
        return ctx.decode(batch)

    tokens = subject.tokens
    at_once = decode(prompt(tokens, outputs="all"))
    single = [decode([Row(tokens[i], len(tokens) + i)]) for i in range(N_NEXT)]
    return Said(at_once, np.concatenate(single))


def together(subject: Subject, place: Place, strengths: Sequence[float], *, node: str) -> Float32:
    """Logits (n_batch, n_voice, n_vocab) of as many voices that speak at once, each in a strength
    of its own: after their prompts, and after each of some tokens."""
    bank = _core.Bank(subject.emotions.data)
    voices, tokens = range(len(strengths)), subject.tokens
    n_batch = len(voices) * len(tokens)
    with Context(
        subject.path,
        place=place,
        node=node,
        n_sequence=len(voices),
        n_batch=n_batch,
        n_ubatch=n_batch,
    ) as ctx:

        def decode(batch: Sequence[Row]) -> Float32:
            weights = [subject.strength(strengths[row.sequence]) for row in batch]
            ctx.expect(bank, weights, batch)
            return ctx.decode(batch)

        heard = [decode([row for voice in voices for row in prompt(tokens, sequence=voice)])]
        for i in range(N_NEXT):
            heard.append(
                decode([Row(tokens[(i + v) % len(tokens)], len(tokens) + i, v) for v in voices])
            )
        return np.array(heard)
