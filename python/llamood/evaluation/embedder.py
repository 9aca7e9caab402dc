"""What a text is about, as numbers: to see whether an answer still is about its question."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

from llamood.closing import Closing
from llamood.errors import ModelError
from llamood.judges.zero_shot import cut_to_fit
from llamood.voices.llama import refuse_unknown
from llamood.voices.opened_llama import OpenedLlama

Float64 = npt.NDArray[np.float64]

N_CTX = 512  # tokens of the longest text


class Embedder(Closing):
    """One embedding for each text, by an embedding model or by a language model's own states.

    ``model``: a GGUF file. Its own pooling is used; where the file names none, the mean of the last
    hidden states of all tokens, those that the tokenizer adds among them. ``own``: that mean in any
    case. ``llama``: arguments of ``llama_cpp.Llama``; ``n_ctx`` is `N_CTX` unless given.

    The embeddings are as long as the model makes them, so compare them by their cosines
    (`measures.topic_adherence`). Those of a language model point all in much the same direction;
    differences of cosines mean something, a cosine by itself does not.

    Raises `ModelError` for a model that cannot be loaded, or that does not embed texts.
    """

    def __init__(self, model: str | PathLike[str], *, own: bool = False, **llama: Any) -> None:
        refuse_unknown(llama, who="llamood.Llama")
        n_ctx = llama.get("n_ctx", N_CTX)
        # llama.cpp pools what it decodes at once, so a text must be one batch.
        settings = {"n_ctx": n_ctx, "n_batch": n_ctx, "n_ubatch": n_ctx, "verbose": False, **llama}
        mean = llama_cpp.LLAMA_POOLING_TYPE_MEAN
        of_file = llama_cpp.LLAMA_POOLING_TYPE_UNSPECIFIED
        self._model = _opened(model, pooling=mean if own else of_file, **settings)
        if self._model.pooling_type() == llama_cpp.LLAMA_POOLING_TYPE_NONE:
            self._model.close()
            self._model = _opened(model, pooling=mean, **settings)
        self.n_embd: int = self._model.n_embd()
        # llama.cpp rounds a context up; llama_cpp's buffers keep the size that was asked for.
        self._room = min(
            len(self._model.input_ids),
            self._model.n_batch,
            llama_cpp.llama_model_n_ctx_train(self._model.model),
        )
        fault = self._fault()
        if fault:
            self.close()
            raise ModelError(f"{model}: {fault}")

    def close(self) -> None:
        """Free the model."""
        self._model.close()

    def embed(self, texts: Iterable[str]) -> Float64:
        """``float64 (n_text, n_embd)``, of any length; that of a text without a word is all zero.

        A text that does not fit the context is cut after the last word that does. A text is
        embedded alike alone and among others.

        Raises TypeError for a single ``str``, which would be read letter by letter, and
        `ModelError` where the model gives no finite numbers.
        """
        if isinstance(texts, str):
            raise TypeError("embed() takes several texts; for one, give a list: [text]")
        rows = [self._embedding(text) for text in texts]
        return np.array(rows, dtype=np.float64).reshape(-1, self.n_embd)

    def _embedding(self, text: str) -> Float64:
        """(n_embd,)"""
        fitted = cut_to_fit(text, n_token=self._room, count=self._n_token)
        # llama_cpp writes beside its buffers when it is given no token at all.
        if not fitted.strip() or not self._n_token(fitted):
            return np.zeros(self.n_embd)
        try:
            embedding = np.array(self._model.embed(fitted), dtype=np.float64)
        except (ValueError, RuntimeError) as error:  # llama_cpp has no type of its own for this
            raise ModelError(
                f"{self._model.model_path}: this model could not embed a text ({error}); take an "
                "embedding model"
            ) from error
        if embedding.shape != (self.n_embd,) or not np.isfinite(embedding).all():
            raise ModelError(
                f"{self._model.model_path}: an embedding of shape {embedding.shape} with "
                f"{int((~np.isfinite(embedding)).sum())} NaN or infinite, expected "
                f"{self.n_embd} finite numbers; the file is damaged, or no embedding model"
            )
        return embedding

    def _n_token(self, text: str) -> int:
        """As `llama_cpp.Llama.embed` counts them."""
        return len(self._model.tokenize(text.encode()))

    def _fault(self) -> str | None:
        """Why this model does not embed texts, if it does not."""
        model = self._model.model
        arch = self._model.metadata.get("general.architecture")
        if llama_cpp.llama_model_has_encoder(model) and llama_cpp.llama_model_has_decoder(model):
            return f"this {arch!r} model answers with another text; take an embedding model"
        if self._model.pooling_type() == llama_cpp.LLAMA_POOLING_TYPE_RANK:
            return f"this {arch!r} model ranks pairs of texts; take an embedding model"
        n_out = llama_cpp.llama_model_n_embd_out(model)
        if n_out != self.n_embd:
            return (
                f"this {arch!r} model makes embeddings of width {n_out} of hidden states of width "
                f"{self.n_embd}; llama_cpp reads only such as are equal, so take another"
            )
        if self._room < 1:
            return "there is no room for a text; take a larger context (n_ctx, n_batch)"
        return None


def _opened(model: str | PathLike[str], *, pooling: int, **settings: Any) -> OpenedLlama:
    """Quiet about a pooling that is not the file's."""
    how = {"embedding": True, "pooling_type": pooling, **settings}
    try:
        return OpenedLlama(str(model), **how)
    except (ValueError, RuntimeError) as error:  # llama_cpp has no type of its own for this
        raise ModelError(f"{model}: llama.cpp cannot load this model ({error})") from error
