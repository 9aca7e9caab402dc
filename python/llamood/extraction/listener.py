"""Hidden states of answers and texts, several at a time, as means over their tokens.

A `Listener` holds one llama.cpp context in which many sequences run side by side, and the tap
that reads them while they are computed. What is known of the graph is known by ``_core.Tap``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

from llamood import _core
from llamood.closing import Closing
from llamood.cores import threads
from llamood.errors import ModelError
from llamood.vectors.measurement import Site
from llamood.voices.opened_llama import OpenedLlama, be_watched, hold_sequences
from llamood.voices.sampling import CANDIDATES, TEMPERATURE, TOP_P

Float64 = npt.NDArray[np.float64]
Row = tuple[int, int, int, bool, int]  # token, position, sequence, wants logits, slot or -1
SITES: tuple[Site, ...] = ("layer_out", "attn_out")  # the tap's order

LARGEST_BATCH = 512  # llama.cpp sizes its buffers by this times the vocabulary


@dataclass(frozen=True)
class Heard:
    """What was read of one answer or text.

    ``mean``: float64 (n_site, n_layer, n_embd), the mean hidden state over its tokens; a row of
    NaN where the model's graph has no such site, or it was not read. ``square``: float64
    (n_site, n_layer), the mean over tokens and columns of the squared hidden state. ``n_token``:
    tokens read.
    """

    text: str
    n_token: int
    mean: Float64
    square: Float64


class Listener(Closing):
    """One model, ``parallel`` sequences at a time.

    ``n_prompt`` and ``n_answer``: the longest prompt and answer in tokens; a sequence never gets
    more. ``llama``: arguments of ``llama_cpp.Llama`` (``n_gpu_layers``, ...); threads are as many
    as there are cores unless given. Raises ModelError for a model that cannot be loaded or read.
    """

    def __init__(
        self,
        model: str | PathLike[str],
        *,
        parallel: int,
        n_prompt: int,
        n_answer: int,
        **llama: Any,
    ) -> None:
        self._exit = ExitStack()
        watch = _core.GraphWatch()
        n_ctx = parallel * (n_prompt + n_answer)
        self._n_batch = min(n_ctx, max(LARGEST_BATCH, parallel))
        try:
            self._llama = _ManySequences(
                str(model),
                watch=watch,
                n_seq_max=parallel,
                n_ctx=n_ctx,
                n_batch=self._n_batch,
                **{"flash_attn": True, **threads(), **llama},
            )
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{model}: {error}") from error
        self._exit.callback(self._llama.close)
        if self._llama._is_recurrent or self._llama._is_hybrid:
            self._exit.close()
            raise ModelError(
                f"{model}: a recurrent or hybrid model; its rows cannot be told apart in a batch, "
                "so its hidden states cannot be measured"
            )
        self.parallel = parallel
        self.n_prompt = n_prompt
        self.n_answer = n_answer
        self._ctx = self._llama.ctx
        self._vocab = llama_cpp.llama_model_get_vocab(self._llama.model)
        self.metadata: Mapping[str, str] = self._llama.metadata
        self.n_layer: int = llama_cpp.llama_model_n_layer(self._llama.model)
        self.n_embd: int = llama_cpp.llama_model_n_embd(self._llama.model)
        self._tap = _core.Tap(watch, n_layer=self.n_layer, n_embd=self.n_embd, n_slot=parallel)
        self._batch = llama_cpp.llama_batch_init(self._n_batch, 0, 1)
        self._exit.callback(llama_cpp.llama_batch_free, self._batch)

    def close(self) -> None:
        """Free the model."""
        self._exit.close()

    # -- prompts ---------------------------------------------------------------------------

    def prompt(self, question: str) -> list[int]:
        """Tokens of a user's turn in the model's chat template, up to where the answer begins.

        Raises ModelError where the model has no template or the prompt is too long.
        """
        text = self._format(messages=[{"role": "user", "content": question}])
        tokens = self._llama.tokenize(
            text.prompt.encode(), add_bos=not text.added_special, special=True
        )
        if len(tokens) > self.n_prompt:
            raise ModelError(
                f"the question {question[:60]!r} has {len(tokens)} tokens, at most {self.n_prompt} "
                "fit; shorten it"
            )
        return list(tokens)

    @cached_property
    def _format(self) -> Any:
        """The model's chat template, compiled once."""
        template = self.metadata.get("tokenizer.chat_template")
        if template is None:
            raise ModelError(
                f"{self._llama.model_path}: the model has no chat template, so it cannot be asked; "
                "measure from labelled texts instead (texts=, --texts)"
            )
        return llama_cpp.llama_chat_format.Jinja2ChatFormatter(
            template=template,
            eos_token=self._piece(self._llama.token_eos()),
            bos_token=self._piece(self._llama.token_bos()),
        )

    def tokens(self, text: str, *, first: bool) -> list[int]:
        """Tokens of a plain text; ``first``: it begins the sequence."""
        return list(self._llama.tokenize(text.encode(), add_bos=first, special=False))

    def _piece(self, token: int) -> str:
        return "" if token < 0 else self._llama._model.token_get_text(token)

    # -- hearing ---------------------------------------------------------------------------

    def answers(self, prompts: Sequence[Sequence[int]], *, seeds: Sequence[int]) -> list[Heard]:
        """Answer at most ``parallel`` prompts side by side, each from its own seed.

        The tokens read are those of the answer, while they are generated. Equal prompts and
        seeds in equal order give equal answers.
        """
        with ExitStack() as exit_stack:
            samplers = [exit_stack.enter_context(_Sampler(seed)) for seed in seeds]
            answers: list[list[int]] = [[] for _ in prompts]
            for place, s in self._decode_prompts(prompts):
                answers[s].append(samplers[s].sample(self._ctx, place))
            lengths = [len(prompt) for prompt in prompts]
            going = self._going(answers, range(len(prompts)))
            while going:
                self._decode(
                    [(answers[s][-1], lengths[s] + len(answers[s]) - 1, s, True, s) for s in going]
                )
                for place, s in enumerate(going):
                    answers[s].append(samplers[s].sample(self._ctx, place))
                going = self._going(answers, going)
        return [self._heard(s, self._text(answer)) for s, answer in enumerate(answers)]

    def texts(
        self, sequences: Sequence[tuple[Sequence[int], int]], *, until: int | None = None
    ) -> list[Heard]:
        """Read at most ``parallel`` given token sequences, each from its own first place on, in all
        layers or in those up to ``until``.

        The first position of a sequence is never read: its hidden state is an outlier.
        """
        last = self.n_layer - 1 if until is None else until
        rows = [
            (token, at, s, at >= max(first, 1), s if at >= max(first, 1) else -1)
            for s, (tokens, first) in enumerate(sequences)
            for at, token in enumerate(tokens)
        ]
        self._forget()
        for piece in self._pieces(rows):
            self._decode(piece, until=last)
        return [
            self._heard(s, self._text(tokens[first:]), n_layer=last + 1)
            for s, (tokens, first) in enumerate(sequences)
        ]

    def _decode_prompts(self, prompts: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
        """Decode all prompts; yields (row, sequence) where a prompt's last token was decoded.

        The row's logits hold until the next step of this iterator. What prompts begin with
        alike (the template, the question of a pair) is decoded once and its cache shared.
        """
        self._forget()
        memory = llama_cpp.llama_get_memory(self._ctx)
        for generation in _generations(prompts):
            rows: list[Row] = []
            for s, source, n_shared in generation:
                if n_shared:
                    llama_cpp.llama_memory_seq_cp(memory, source, s, 0, n_shared)
                last = len(prompts[s]) - 1
                rows += [
                    (prompts[s][at], at, s, at == last, -1) for at in range(n_shared, last + 1)
                ]
            for piece in self._pieces(rows):
                self._decode(piece)
                for place, (_, _, s, is_last, _) in enumerate(piece):
                    if is_last:
                        yield place, s

    def _pieces(self, rows: list[Row]) -> Iterator[list[Row]]:
        for begin in range(0, len(rows), self._n_batch):
            yield rows[begin : begin + self._n_batch]

    def _forget(self) -> None:
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._ctx), True)
        for slot in range(self.parallel):
            self._tap.clear(slot)

    def _decode(self, rows: Sequence[Row], *, until: int = -1) -> None:
        """One decode of at most n_batch rows; where it ends with a layer it leaves no logits."""
        batch = self._batch
        for i, (token, position, sequence, is_output, _) in enumerate(rows):
            batch.token[i] = token
            batch.pos[i] = position
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = sequence
            batch.logits[i] = is_output
        batch.n_tokens = len(rows)
        wants_logits = [row[3] for row in rows]
        self._tap.expect([row[4] for row in rows], wants_logits, until=until)
        result = llama_cpp.llama_decode(self._ctx, batch)
        if result != 0:
            raise ModelError(f"llama.cpp could not decode {len(rows)} tokens (result {result})")

    def _going(self, answers: Sequence[Sequence[int]], sequences: Sequence[int]) -> list[int]:
        return [
            s
            for s in sequences
            if len(answers[s]) < self.n_answer
            and not llama_cpp.llama_vocab_is_eog(self._vocab, answers[s][-1])
        ]

    def _text(self, tokens: Sequence[int]) -> str:
        return str(self._llama.detokenize(list(tokens)).decode(errors="replace"))

    def _heard(self, slot: int, text: str, *, n_layer: int | None = None) -> Heard:
        """``n_layer``: of how many layers, the first ones; else of all."""
        count = self._tap.count(slot)  # (n_site, n_layer)
        wanted = count[0][:n_layer]
        n_token = int(wanted.max())
        if (wanted != n_token).any():
            arch = self.metadata.get("general.architecture")
            raise ModelError(
                f"{self._llama.model_path}: only {int((wanted == n_token).sum())} of "
                f"{len(wanted)} layers of this {arch!r} model could be read; it cannot be measured"
            )
        counts = np.where(count == n_token, count, 0).astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):  # 0/0: a site that is not there
            mean = self._tap.sum(slot) / counts[:, :, None]
            square = self._tap.square(slot) / counts
        return Heard(text.strip(), n_token, mean, square)


def _generations(prompts: Sequence[Sequence[int]]) -> list[list[tuple[int, int, int]]]:
    """Each prompt as (sequence, an earlier one, how many tokens they begin with alike).

    A prompt stands one generation after the one it shares with, so that what it shares has been
    decoded; at least its last token is its own.
    """
    born = [0] * len(prompts)
    generations: list[list[tuple[int, int, int]]] = [[]]
    for s, prompt in enumerate(prompts):
        shared = [min(_n_alike(prompts[e], prompt), len(prompt) - 1) for e in range(s)]
        n_shared = max(shared, default=0)
        source = shared.index(n_shared) if n_shared else s
        born[s] = born[source] + 1 if n_shared else 0
        if born[s] == len(generations):
            generations.append([])
        generations[born[s]].append((s, source, n_shared))
    return generations


def _n_alike(one: Sequence[int], other: Sequence[int]) -> int:
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


class _ManySequences(OpenedLlama):
    """A llama_cpp.Llama whose context takes several sequences and shows its graph.

    One ubatch a batch and one cache for all sequences: rows are then in batch order.
    """

    def __init__(
        self, model: str, *, watch: _core.GraphWatch, n_seq_max: int, n_batch: int, **llama: Any
    ) -> None:
        self._watch = watch
        self._n_seq_max = n_seq_max
        how = {**llama, "n_batch": n_batch, "n_ubatch": n_batch, "verbose": False}
        super().__init__(model, **how)

    def _shape(self, params: Any) -> None:
        be_watched(params, self._watch)
        hold_sequences(params, self._n_seq_max)


class _Sampler:
    """llama.cpp's sampler chain with the paper's settings."""

    def __init__(self, seed: int) -> None:
        self._chain = llama_cpp.llama_sampler_chain_init(
            llama_cpp.llama_sampler_chain_default_params()
        )
        for part in (
            llama_cpp.llama_sampler_init_top_k(CANDIDATES),
            llama_cpp.llama_sampler_init_temp(TEMPERATURE),
            llama_cpp.llama_sampler_init_top_p(TOP_P, 1),
            llama_cpp.llama_sampler_init_dist(seed),
        ):
            llama_cpp.llama_sampler_chain_add(self._chain, part)

    def __enter__(self) -> _Sampler:
        return self

    def __exit__(self, *_: object) -> None:
        llama_cpp.llama_sampler_free(self._chain)

    def sample(self, ctx: Any, place: int) -> int:
        """The next token after the batch's row ``place``."""
        return int(llama_cpp.llama_sampler_sample(self._chain, ctx, place))
