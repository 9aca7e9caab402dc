"""A ``llama_cpp.Llama`` whose context is made in another way. What llamood relies on of llama_cpp's
private parts, so that a context can be shaped and found, is here."""

from __future__ import annotations

import ctypes
import logging
import re
from collections.abc import Iterator, Sequence
from typing import Any

import llama_cpp

from llamood import _core
from llamood.errors import ModelError
from llamood.voices.rpc_servers import devices, notice_lost

_LOG = logging.getLogger("llama-cpp-python")
_TOO_LONG = re.compile(r"Requested tokens \((\d+)\) exceed context window")


class OpenedLlama(llama_cpp.Llama):  # type: ignore[misc]
    """``verbose``: llama.cpp tells what it does, some thousand lines; without, it says nothing.
    ``rpc_servers``: servers of llama.cpp that hold layers before the GPUs of this machine do, as
    ``host:port`` with commas between them or in a sequence; all layers unless ``n_gpu_layers``
    says how many, and ``tensor_split`` how much each holds. Raises `ModelError` where one does not
    answer within seconds. Where one is lost later the process ends with exit code 1, as llama.cpp
    cannot go on.
    """

    def __init__(
        self,
        model_path: str,
        *,
        verbose: bool = False,
        rpc_servers: str | Sequence[str] | None = None,
        **llama: Any,
    ) -> None:
        self._devices = None if rpc_servers is None else devices(rpc_servers)
        everything = {} if rpc_servers is None else {"n_gpu_layers": -1}
        super().__init__(model_path, verbose=verbose, **{**everything, **llama})
        if rpc_servers is not None:
            notice_lost(rpc_servers)
        # llama.cpp rounds the context up, and llama_cpp takes that for what it has room for.
        self._n_ctx: int = min(self._n_ctx, len(self.input_ids))

    def _shape(self, params: Any) -> None:
        """Change the ``llama_context_params``; the context is about to be made."""

    # llama_cpp.Llama makes this struct, sets what it was given, and loads the model.
    @property
    def model_params(self) -> Any:
        """As `llama_cpp.Llama` has it: the struct with which the model was loaded."""
        return self._model_params

    @model_params.setter
    def model_params(self, params: Any) -> None:
        if self._devices is not None:
            self._device_list = (ctypes.c_void_p * (len(self._devices) + 1))(*self._devices, None)
            params.devices = ctypes.cast(self._device_list, ctypes.c_void_p)
        self._model_params = params

    # llama_cpp.Llama makes this struct, then the context from it. The eval callback can be given
    # at no other time.
    @property
    def context_params(self) -> Any:
        """As `llama_cpp.Llama` has it: the struct with which the context was made."""
        return self._context_params

    @context_params.setter
    def context_params(self, params: Any) -> None:
        self._shape(params)
        if not self.verbose:
            # llama_cpp set ERROR, which it takes llama.cpp's warnings for, as of a context for many
            # sequences, which is longer than the model was trained for.
            _LOG.setLevel(logging.CRITICAL)
        self._context_params = params

    @property
    def _is_closed(self) -> bool:
        return self._model.model is None

    def _reaches(self, n: int) -> bool:
        """Whether what the position after the first ``n`` attends to is still cached. A memory that
        slides, behind a window of attention, forgets it: see ``csrc/voices/stage.hpp``. One that is
        recurrent has the state after all that was decoded, and no earlier one."""
        if (self._is_recurrent or self._is_hybrid) and n > 0:
            latest: int = llama_cpp.llama_memory_seq_pos_max(self._ctx.memory, 0)
            return latest + 1 == n
        window: int = llama_cpp.llama_model_n_swa(self._model.model)
        if window <= 0 or self._ctx.memory is None:
            return True
        oldest: int = llama_cpp.llama_memory_seq_pos_min(self._ctx.memory, 0)
        return oldest <= max(n - window + 1, 0)

    def _create_completion(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """``llama_cpp.Llama``'s. Raises `ModelError` for a prompt that has no room."""
        try:
            yield from super()._create_completion(*args, **kwargs)
        except ValueError as error:
            asked = _TOO_LONG.search(str(error))
            if asked is None:
                raise
            trained = llama_cpp.llama_model_n_ctx_train(self._model.model)
            raise ModelError(
                f"the prompt has {asked[1]} tokens, and with an answer {self._n_ctx} fit; shorten "
                f"it, or open the model with a larger n_ctx (it was trained for {trained})"
            ) from None

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
