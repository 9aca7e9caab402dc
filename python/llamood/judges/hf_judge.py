"""A Hugging Face text classifier on disk as a judge.

Nothing is fetched from the network, no code of the folder is run, and weights are read from
``.safetensors`` only. torch and transformers (extra ``hf``) are loaded when a judge is made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from llamood.errors import FileError, LlamoodError, ModelError
from llamood.extraction.texts import read_text
from llamood.extras import to_install
from llamood.judges.measures import NEUTRAL

Float64 = npt.NDArray[np.float64]

MAX_CONFIG_BYTES = 4_000_000
BATCH = 16  # texts
N_TOKEN = 512  # of the longest text, where neither tokenizer nor model says
MULTI_LABEL = "multi_label_classification"

# What other classifiers call an emotion -> what its vector is usually called.
SYNONYMS = {
    "angry": "anger",
    "disgusted": "disgust",
    "fearful": "fear",
    "scared": "fear",
    "happiness": "joy",
    "happy": "joy",
    "no emotion": NEUTRAL,
    "sad": "sadness",
    "surprised": "surprise",
}
_GENERIC = re.compile(r"label_\d+")  # what transformers calls labels without a name


class HfJudge:
    """A text classifier in the layout of transformers: ``config.json``, tokenizer, weights.

    ``folder``: where it lies. Its labels are those of ``id2label`` in lower case, by their usual
    name where `SYNONYMS` has one that is not a label too; ``neutral`` must be among them, for it
    says how emotional a text is. Runs on the CPU in float32.

    Raises `FileError` for a folder that holds no such classifier, `LlamoodError` where torch or
    transformers is not installed.
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        self._folder = Path(folder)
        config = _config(self._folder)
        self._labels = _labels(config, self._folder)
        self._is_multi_label = config.get("problem_type") == MULTI_LABEL
        self._torch, self._tokenizer, self._model = _loaded(self._folder)
        self._n_token = _longest(self._tokenizer, self._model)
        has_padding = (
            self._tokenizer.pad_token is not None
            and getattr(self._model.config, "pad_token_id", None) is not None
        )
        self._n_batch = BATCH if has_padding else 1

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the classifier's outputs."""
        return self._labels

    def probabilities(self, texts: Iterable[str]) -> Float64:
        """``float64 (n_text, n_label)``, each row summing to 1, columns as in `labels`.

        The softmax of the logits. Where several labels may hold at once (``problem_type`` is
        `MULTI_LABEL`), the sigmoid of each, divided by their sum. Texts are cut at the longest that
        the classifier takes; one without any token gets the same for every label.

        Raises TypeError for a single ``str``, which would be read letter by letter, and
        `ModelError` where the classifier fails, or gives no finite numbers.
        """
        if isinstance(texts, str):
            raise TypeError("probabilities() takes several texts; for one, give a list: [text]")
        readable = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        rows = [
            self._logits(readable[begin : begin + self._n_batch])
            for begin in range(0, len(readable), self._n_batch)
        ]
        logits = np.concatenate([np.empty((0, len(self._labels))), *rows])
        if self._is_multi_label:
            logits = -np.logaddexp(0.0, -logits)  # the logarithm of the sigmoid
        scaled = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
        return np.asarray(scaled / scaled.sum(axis=1, keepdims=True), dtype=np.float64)

    def _logits(self, texts: Sequence[str]) -> Float64:
        """(n_text, n_label)"""
        wanted = (len(texts), len(self._labels))
        try:
            tokens = self._tokenizer(
                list(texts),
                padding=len(texts) > 1,
                truncation=True,
                max_length=self._n_token,
                return_tensors="pt",
            )
            if not tokens["input_ids"].numel():
                return np.zeros(wanted)
            with self._torch.inference_mode():
                logits = self._model(**tokens).logits.double().numpy()
        except Exception as error:  # whatever torch and transformers make of a hostile folder
            raise ModelError(
                f"{self._folder}: the classifier fails on a text ({_in_brief(error)}); take another"
            ) from error
        if logits.shape != wanted or not np.isfinite(logits).all():
            raise ModelError(
                f"{self._folder}: logits of shape {logits.shape} with "
                f"{int((~np.isfinite(logits)).sum())} NaN or infinite, expected {wanted} finite "
                "numbers; the classifier is damaged"
            )
        return np.asarray(logits, dtype=np.float64)


def _config(folder: Path) -> dict[str, Any]:
    """What is in ``config.json``, of a folder that looks as it should."""
    if not folder.is_dir():
        found = "a file" if folder.exists() else "not there"
        raise FileError(
            folder,
            f"is {found}, expected the folder of a Hugging Face text classifier (config.json, "
            "tokenizer, .safetensors); a GGUF model cannot be such a judge",
        )
    path = folder / "config.json"
    if not path.is_file():
        raise FileError(folder, "has no config.json, so it is no Hugging Face classifier")
    try:
        config = json.loads(read_text(path, max_bytes=MAX_CONFIG_BYTES))
    except FileError:
        raise
    except (ValueError, RecursionError) as error:
        raise FileError(path, f"not JSON: {error}") from error
    if not isinstance(config, dict):
        raise FileError(path, f"expected a JSON object, found a {type(config).__name__}")
    if not any(folder.glob("*.safetensors")):
        raise FileError(
            folder, "has no .safetensors; other weights are not read, so convert them first"
        )
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise FileError(folder, f"has no tokenizer, expected one of {', '.join(_TOKENIZERS)}")
    return config


_TOKENIZERS = (
    "tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model",
    "tokenizer.model", "spm.model",
)  # fmt: skip


def _labels(config: dict[str, Any], folder: Path) -> tuple[str, ...]:
    given = config.get("id2label")
    if not isinstance(given, dict) or len(given) < 2:
        raise FileError(folder, "config.json names no labels (id2label), expected at least two")
    if config.get("problem_type") == "regression":
        raise FileError(folder, "gives numbers (regression), expected a classifier")
    try:
        named = [given[str(place)] for place in range(len(given))]
    except KeyError as error:
        raise FileError(
            folder, f"id2label has no {error}, expected 0 to {len(given) - 1}"
        ) from None
    if not all(isinstance(name, str) and name.strip() for name in named):
        raise FileError(folder, "some labels of id2label are no names; name them in config.json")
    lower = [name.strip().lower() for name in named]
    if any(_GENERIC.fullmatch(name) for name in lower):
        raise FileError(
            folder,
            f"its labels have no names ({', '.join(named[:3])}, ...); write them into id2label of "
            "config.json",
        )
    labels = tuple(
        usual if (usual := SYNONYMS.get(name)) and usual not in lower else name for name in lower
    )
    shown = ", ".join(labels[:40])
    if len(set(labels)) != len(labels):
        raise FileError(folder, f"two labels mean the same; they are {shown}")
    if NEUTRAL not in labels:
        raise FileError(
            folder,
            f"has no label {NEUTRAL}, without which nothing says how emotional a text is; it has "
            f"{shown}",
        )
    return labels


def _loaded(folder: Path) -> tuple[Any, Any, Any]:
    """torch, the tokenizer and the model."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise LlamoodError(
            "a Hugging Face judge needs torch and transformers, of which one is not installed "
            f"({error}): {to_install('hf')}"
        ) from None
    local = {"local_files_only": True, "trust_remote_code": False}
    where = str(folder.resolve())
    try:
        with _quiet(transformers.utils.logging):
            tokenizer = transformers.AutoTokenizer.from_pretrained(where, **local)
            model, found = transformers.AutoModelForSequenceClassification.from_pretrained(
                where, use_safetensors=True, output_loading_info=True, **local
            )
    except Exception as error:  # whatever torch and transformers make of a hostile folder
        raise FileError(
            folder,
            "transformers cannot load this classifier; config.json, tokenizer and weights must be "
            f"of one model: {_in_brief(error)}",
        ) from error
    missing = sorted(found["missing_keys"])
    if missing:
        raise FileError(
            folder,
            f"{len(missing)} weights are missing ({', '.join(missing[:3])}, ...), expected a "
            "trained classifier, not the model that one is made of",
        )
    return torch, tokenizer, model.float().eval()


def _longest(tokenizer: Any, model: Any) -> int:
    """Tokens of the longest text: what the tokenizer says, and there are positions for."""
    known = [tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", None)]
    for name, table in model.named_modules():
        # RoBERTa's relatives count positions from the one after that of padding.
        if name.endswith("position_embeddings") and hasattr(table, "num_embeddings"):
            first = 0 if table.padding_idx is None else table.padding_idx + 1
            known.append(table.num_embeddings - first)
    usable = [n for n in known if isinstance(n, int) and 0 < n < 1_000_000]
    return min(usable, default=N_TOKEN)


@contextmanager
def _quiet(log: Any) -> Iterator[None]:
    """transformers without its bars and remarks: what matters of them is an error here."""
    verbosity, has_bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(verbosity)
        if has_bars:
            log.enable_progress_bar()


def _in_brief(error: Exception) -> str:
    first, *_ = str(error).strip().splitlines() or [type(error).__name__]
    return first[:200]
