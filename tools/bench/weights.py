"""One loaded model for all that is timed side by side.

The same weights elsewhere in memory are read at another speed: of several models that were loaded
from one file, the first stays up to a tenth slower than the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any
from unittest import mock

from llama_cpp import _internals


def as_asked(_params: Any) -> None:
    """Where llama_cpp would put a model."""


@contextmanager
def shared(put: Callable[[Any], None] = as_asked) -> Iterator[None]:
    """What llama_cpp opens in the block has its own context and the weights of the first that was
    opened from the same file, which is opened in the same way. To be closed within the block.
    ``put``: told the ``llama_model_params`` of each file, and may change where it lies."""
    opened: dict[str, _internals.LlamaModel] = {}
    load = _internals.LlamaModel
    with ExitStack() as stack:

        class Borrowed(load):  # type: ignore[misc, valid-type]
            def __init__(self, *, path_model: str, params: Any, verbose: bool = True) -> None:
                if path_model not in opened:
                    put(params)
                    own = load(path_model=path_model, params=params, verbose=verbose)
                    opened[path_model] = stack.enter_context(closing(own))
                vars(self).update(vars(opened[path_model]), _exit_stack=ExitStack())
                self.custom_samplers: list[Any] = []

        stack.enter_context(mock.patch.object(_internals, "LlamaModel", Borrowed))
        yield
