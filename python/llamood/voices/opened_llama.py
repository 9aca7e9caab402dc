"""A ``llama_cpp.Llama`` whose context is made in another way. What llamood relies on of llama_cpp's
private parts, so that a context can be shaped and found, is here."""

from __future__ import annotations

import ctypes
import logging
from typing import Any

import llama_cpp

from llamood import _core

_LOG = logging.getLogger("llama-cpp-python")


class OpenedLlama(llama_cpp.Llama):  # type: ignore[misc]
    """``keeps_quiet``: llama.cpp does not warn while the context is made. It takes one of many
    sequences for that of a single one, longer than the model was trained for."""

    def __init__(self, model_path: str, *, keeps_quiet: bool = False, **llama: Any) -> None:
        self._keeps_quiet = keeps_quiet
        try:
            super().__init__(model_path, **llama)
        finally:
            if keeps_quiet:
                _LOG.setLevel(logging.ERROR)  # what verbose=False sets

    def _shape(self, params: Any) -> None:
        """Change the ``llama_context_params``; the context is about to be made."""

    # llama_cpp.Llama makes this struct, then the context from it. The eval callback can be given
    # at no other time.
    @property
    def context_params(self) -> Any:
        return self._context_params

    @context_params.setter
    def context_params(self, params: Any) -> None:
        self._shape(params)
        if self._keeps_quiet:
            _LOG.setLevel(logging.CRITICAL)
        self._context_params = params

    def _context_address(self) -> int:
        return ctypes.cast(self._ctx.ctx, ctypes.c_void_p).value or 0

    def _model_address(self) -> int:
        return ctypes.cast(self._model.model, ctypes.c_void_p).value or 0


def be_watched(params: Any, watch: _core.GraphWatch) -> None:
    """Let the graphs of the context be looked at."""
    params.cb_eval = llama_cpp.ggml_backend_sched_eval_callback(watch.callback)
    params.cb_eval_user_data = watch.user_data


def hold_sequences(params: Any, n_sequence: int) -> None:
    """One cache for so many sequences: rows are then in batch order."""
    params.n_seq_max = n_sequence
    params.kv_unified = True
