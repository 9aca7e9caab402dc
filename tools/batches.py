"""One llama.cpp context of many sequences, decoded a batch at a time by hand."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

from devices import PROCESSOR, Place
from llamood import _core
from llamood.voices.ggml import function

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    """A token of a batch. ``output``: it asks for logits."""

    token: int
    position: int
    sequence: int = 0
    output: bool = True


def prompt(tokens: Sequence[int], *, sequence: int = 0, outputs: str = "last") -> list[Row]:
    """A sequence from its beginning on, of which ``all`` tokens ask for logits, or the last."""
    last = len(tokens) - 1
    return [
        Row(token, i, sequence, output=outputs == "all" or i == last)
        for i, token in enumerate(tokens)
    ]


class Context:
    """``node``: of the row injector, as `_core.node_of` has it. ``place``: where the model lies.
    ``cut``: layers after whose ``node`` the graph is cut, as by whoever stops there, and nothing
    else is done; llamood sees nothing of such a context."""

    def __init__(
        self,
        model: Path,
        *,
        node: str = "l_out",
        n_sequence: int = 4,
        place: Place = PROCESSOR,
        cut: Iterable[int] | None = None,
        **params: Any,
    ) -> None:
        llama_cpp.llama_backend_init()
        of_model = llama_cpp.llama_model_default_params()
        place.put(of_model)
        self._model = llama_cpp.llama_model_load_from_file(str(model).encode(), of_model)
        self.watch = _core.GraphWatch()
        of_context = llama_cpp.llama_context_default_params()
        settings = {
            "n_ctx": 256,
            "n_batch": 64,
            "n_ubatch": 64,
            "n_threads": 1,
            "n_threads_batch": 1,
            "n_seq_max": n_sequence,
            "kv_unified": True,
            **params,
        }
        for name, value in settings.items():
            setattr(of_context, name, value)
        stops = self.watch.callback if cut is None else partial(_stops, _nodes(node, cut))
        self._callback = llama_cpp.ggml_backend_sched_eval_callback(stops)
        of_context.cb_eval = self._callback
        of_context.cb_eval_user_data = self.watch.user_data
        self._ctx = llama_cpp.llama_init_from_model(self._model, of_context)
        assert self._ctx
        self.address = ctypes.cast(self._ctx, ctypes.c_void_p).value or 0
        self.injector = _core.RowInjector(self.watch, self.address, node=node)
        self.limiter = _core.RowLimiter(self.watch, self.address)
        vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._n_vocab = llama_cpp.llama_vocab_n_tokens(vocab)

    def __enter__(self) -> Context:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.limiter.close()
        self.injector.close()
        llama_cpp.llama_free(self._ctx)
        llama_cpp.llama_model_free(self._model)

    def expect(
        self,
        bank: _core.Bank,
        weights: npt.ArrayLike,
        rows: Sequence[Row],
        *,
        layers: tuple[int, int] | None = None,
        ranges: Sequence[tuple[int, int]] | None = None,
    ) -> None:
        """Decode ``rows`` under ``weights`` (n_row, n_emotion), in ``layers`` or in ``ranges``."""
        ranges = ranges or [layers or (0, bank.n_layer - 1)] * len(rows)
        wide = np.asarray(weights, np.float32).reshape(-1, bank.n_emotion)
        self.injector.expect(bank, wide, ranges, [row.output for row in rows])

    def set_control_vector(self, added: Float32) -> None:
        """llama.cpp's public setter; ``added`` (n_layer, n_embd), of which layer 0 is not used."""
        data = np.ascontiguousarray(added[1:], dtype=np.float32)
        numbers = data.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        n_layer, n_embd = added.shape
        assert not llama_cpp.llama_set_adapter_cvec(
            self._ctx, numbers, data.size, n_embd, 1, n_layer - 1
        )

    def forget(self) -> None:
        """All that was decoded."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._ctx), True)

    def decode(self, rows: Sequence[Row], *, check: bool = True) -> Float32:
        """Logits (n_output, n_vocab). ``check``: raise what went wrong."""
        batch = llama_cpp.llama_batch_init(len(rows), 0, 1)
        try:
            batch.n_tokens = len(rows)
            for i, row in enumerate(rows):
                batch.token[i] = row.token
                batch.pos[i] = row.position
                batch.n_seq_id[i] = 1
                batch.seq_id[i][0] = row.sequence
                batch.logits[i] = row.output
            assert llama_cpp.llama_decode(self._ctx, batch) == 0
        finally:
            llama_cpp.llama_batch_free(batch)
        if check:
            self.injector.check()
        return np.array([self._logits(i) for i, row in enumerate(rows) if row.output])

    def _logits(self, index: int) -> Float32:
        row = llama_cpp.llama_get_logits_ith(self._ctx, index)
        return np.ctypeslib.as_array(row, shape=(self._n_vocab,)).copy()


def _nodes(stem: str, layers: Iterable[int]) -> frozenset[bytes]:
    return frozenset(f"{stem}-{layer}".encode() for layer in layers)


def _stops(at: frozenset[bytes], tensor: int, ask: bool, _data: Any) -> bool:
    """A callback that stops at these nodes."""
    name = function("ggml-base", "ggml_get_name", ctypes.c_void_p, result=ctypes.c_char_p)
    return not ask or name(tensor) in at
