"""Whether vectors that are added to a model do what numpy says they must.

A model of four small layers, in the ways in which llamood adds to it and reads it: the control
vector (one voice), rows of the graph (the attention output, several voices), hidden states, and
what is said. About a second with the start of Python.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import llama_cpp
import numpy as np

from llamood.extraction.listener import Listener
from llamood.trial.reckoned_model import LETTERS, N_EMBD, N_LAYER, Float32, ReckonedModel
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.measurement import Site
from llamood.voices.cast import Cast
from llamood.voices.llama import Llama

# Of the largest number that is compared; llama.cpp sums in another order than numpy, some 1e-6.
# A vector in a neighbouring layer, or twice, makes a hundred times as much.
TOLERANCE = 1e-3
_ONE_THREAD: dict[str, Any] = {"n_threads": 1, "n_threads_batch": 1}
_N_CTX = 64
_LENGTH = 2.0  # of a vector, where a hidden state has about 2 to 5


def faults_of_behaviour() -> list[str]:
    """What is not as reckoned, a sentence each; of each way the first."""
    model = ReckonedModel.of(seed=1)
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what a model without a template cannot do
        path = model.write(Path(folder) / "reckoned.gguf")
        ways = (
            _control_vector(model, path),
            _attention_output(model, path),
            _company(model, path),
            _hidden_states(model, path),
        )
        return [fault for way in ways if (fault := next(way, None)) is not None]


def vectors(*, first: int, site: Site) -> EmotionVectors:
    """Of each layer from ``first`` on one emotion, named after it, which is added there alone."""
    rng = np.random.default_rng(2)
    layers = range(first, N_LAYER)
    data = np.zeros((len(layers), N_LAYER, N_EMBD), np.float32)
    for emotion, layer in enumerate(layers):
        direction = rng.standard_normal(N_EMBD)
        data[emotion, layer] = _LENGTH * direction / np.linalg.norm(direction)
    names = tuple(f"layer {layer}" for layer in layers)
    return EmotionVectors(names, data, ceiling=(2.0,) * len(names))


def _control_vector(model: ReckonedModel, path: Path) -> Iterator[str]:
    """No control vector is added in the first layer."""
    return _one_voice(model, path, first=1, site="layer_out")


def _attention_output(model: ReckonedModel, path: Path) -> Iterator[str]:
    return _one_voice(model, path, first=0, site="attn_out")


def _one_voice(model: ReckonedModel, path: Path, *, first: int, site: Site) -> Iterator[str]:
    evs = vectors(first=first, site=site)
    with closing(
        Llama(path, emotions=evs, site=site, guard=False, n_ctx=_N_CTX, **_ONE_THREAD)
    ) as llm:
        for name, added in [("no layer", 0 * evs.data[0]), *zip(evs.names, evs.data, strict=True)]:
            llm.feel({} if name == "no layer" else {name: 1.0})
            next(llm.generate([0], temp=0.0))
            found = llama_cpp.llama_get_logits_ith(llm.ctx, -1)
            logits = np.ctypeslib.as_array(found, shape=(llm.n_vocab(),))
            reckoned = model.logits(0, added=added, site=site)
            if (off := _off(logits, reckoned)) > TOLERANCE:
                yield f"a vector in {name} at {site} gives logits that are {off:.0%} off"


def _company(model: ReckonedModel, path: Path) -> Iterator[str]:
    """Two voices in one batch, each in a mood of its own."""
    evs = vectors(first=1, site="layer_out")
    n_token = 8
    with closing(
        Cast(path, emotions=evs, voices=2, guard=False, n_ctx=_N_CTX, **_ONE_THREAD)
    ) as cast:
        voices = [cast.join(), cast.join()]
        streams = [
            cast.answer(
                [i],
                among=[voice],
                mood={evs.names[i]: 1.0},
                temperature=0.0,
                max_tokens=n_token,
            )
            for i, voice in enumerate(voices)
        ]
        for i, stream in enumerate(streams):
            said = [event.token for event in stream]
            reckoned = model.answer(i, n_token=n_token, added=evs.data[i])
            if said != reckoned:
                yield f"voice {i} of two says {_text(said)}, expected {_text(reckoned)}"


def _hidden_states(model: ReckonedModel, path: Path) -> Iterator[str]:
    listener = Listener(path, parallel=2, n_prompt=2, n_answer=2, **_ONE_THREAD)
    with closing(listener):
        # Of a text all but its first token is read.
        heard = listener.texts([([0, i], 1) for i in (1, 2)])
    for i, one in zip((1, 2), heard, strict=True):
        reckoned = model.hidden(i, added=np.zeros((N_LAYER, N_EMBD), np.float32))
        for layer in range(N_LAYER):
            if (off := _off(one.mean[0, layer], reckoned[layer])) > TOLERANCE:
                yield f"the hidden state of layer {layer} is read {off:.0%} off"


def _off(found: Any, reckoned: Float32) -> float:
    """The largest difference, in shares of the largest number."""
    return float(np.abs(found - reckoned).max() / np.abs(reckoned).max())


def _text(tokens: list[Any]) -> str:
    return repr("".join(LETTERS[token : token + 1] for token in tokens if token is not None))
