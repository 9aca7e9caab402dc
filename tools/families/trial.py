"""What llamood can do with a model, tried on its file: each deed against llama.cpp's own."""

from __future__ import annotations

import ctypes
import tempfile
import warnings
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import gguf
import llama_cpp
import numpy as np
import numpy.typing as npt

import llamood
from llamood import _core
from llamood.errors import LlamoodError
from llamood.extraction.extraction import Extraction
from llamood.extraction.texts import LabelledTexts
from llamood.voices.cast import Cast

SETTINGS: dict[str, Any] = {"n_ctx": 256, "n_threads": 1, "n_threads_batch": 1, "verbose": False}
PROMPT = "Once upon a time"
N_TOKEN = 6
JOY: dict[str, Any] = {"joy": 1.0}
TEXTS = LabelledTexts(
    names=("joy", "fear", "neutral"),
    texts={
        "joy": ("what a lovely day", "I love this song so much", "great"),
        "fear": ("I am scared of the dark", "do not go down there", "run"),
        "neutral": ("the shop opens at nine", "it is on the table", "the bus is blue"),
    },
)
Logits = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Finding:
    """Whether it works, and if not, what llamood says."""

    works: bool
    said: str = ""


def vectors_for(model: Path, *, seed: int = 3) -> llamood.EmotionVectors:
    """Random ones, which move what the model says."""
    fields = gguf.GGUFReader(model).fields
    arch = fields["general.architecture"].contents()
    shape = [fields[f"{arch}.{key}"].contents() for key in ("block_count", "embedding_length")]
    data = 4.0 * np.random.default_rng(seed).standard_normal((2, *shape))
    return llamood.EmotionVectors(("anger", "joy"), data, ceiling=(50.0, 50.0))


def opened(model: Path, **settings: Any) -> llamood.Llama:
    """A voice with `vectors_for`."""
    how = {"emotions": vectors_for(model), "guard": False, **SETTINGS, **settings}
    return llamood.Llama(model, **how)


def logits(llm: llama_cpp.Llama) -> Logits:
    last = llama_cpp.llama_get_logits_ith(llm.ctx, -1)
    return np.ctypeslib.as_array(last, shape=(llm.n_vocab(),)).copy()


def spoken(llm: llama_cpp.Llama, *, n_token: int = N_TOKEN) -> tuple[list[int], Logits]:
    """Tokens, drawn greedily, and the logits (n_token, n_vocab) of each."""
    said, rows = [], []
    for token in islice(llm.generate(llm.tokenize(PROMPT.encode()), temp=0.0), n_token):
        said.append(token)
        rows.append(logits(llm))
    return said, np.array(rows)


def set_vector(llm: llama_cpp.Llama, added: npt.NDArray[np.float32]) -> None:
    """llama.cpp's public setter; ``added`` (n_layer, n_embd)."""
    data = np.ascontiguousarray(added[1:], dtype=np.float32)
    pointer = data.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    n_layer, n_embd = added.shape
    code = llama_cpp.llama_set_adapter_cvec(llm.ctx, pointer, data.size, n_embd, 1, n_layer - 1)
    assert code == 0


def by_setter(
    model: Path, mood_of: Callable[[int], npt.NDArray[np.float32]], *, whole: bool = False
) -> Logits:
    """The logits (N_TOKEN, n_vocab) of llama.cpp alone: the i-th token of an answer under
    ``mood_of(i)``, the prompt before its last token under nothing, or ``whole`` under the first.
    What is decoded under one vector is decoded at once."""
    llm = llama_cpp.Llama(str(model), **SETTINGS)
    prompt = llm.tokenize(PROMPT.encode())
    rows = []
    with closing(llm):
        if whole or not mood_of(0).any():
            set_vector(llm, mood_of(0))
            llm.eval(prompt)
        else:
            llm.eval(prompt[:-1])
            set_vector(llm, mood_of(0))
            llm.eval(prompt[-1:])
        for i in range(1, N_TOKEN + 1):
            rows.append(logits(llm))
            if i < N_TOKEN:
                set_vector(llm, mood_of(i))
                llm.eval([int(rows[-1].argmax())])
    return np.array(rows)


# -- what is tried ---------------------------------------------------------------------------


def steers(model: Path) -> bool:
    """A constant mood and a ramp, in the answer and everywhere, give llama.cpp's own logits to the
    bit, and others than no mood."""
    joy = vectors_for(model).data[1].astype(np.float32)
    still = np.zeros_like(joy)
    with closing(opened(model)) as llm:
        neutral = spoken(llm)[1]
    cases: list[tuple[Mapping[str, Any], Logits]] = [
        (JOY, by_setter(model, lambda _: joy)),
        ({**JOY, "$positions": "all"}, by_setter(model, lambda _: joy, whole=True)),
        (
            {"joy": {"ramp": [0, 1], "over": 4}},
            by_setter(model, lambda i: np.float32(min(i / 4, 1)) * joy if i else still),
        ),
    ]
    for mood, expected in cases:
        with closing(opened(model)) as llm:
            llm.feel(mood)
            found = spoken(llm)[1]
        if not np.array_equal(found, expected) or np.array_equal(found, neutral):
            return False
    return True


def steers_at_attention(model: Path) -> bool:
    """A mood at attn_out changes every token, and another layer's change is another."""
    with closing(opened(model, site="attn_out")) as llm:
        neutral = spoken(llm)[1]
    seen = []
    for layer in (0, 2):
        with closing(opened(model, site="attn_out")) as llm:
            llm.feel({**JOY, "$layers": [layer, layer]})
            seen.append(spoken(llm)[1])
    return all(bool((each != neutral).any(axis=1).all()) for each in seen) and not np.array_equal(
        *seen
    )


def _cast(model: Path, **settings: Any) -> Cast:
    how = {"voices": 3, "guard": False, **SETTINGS, **settings}
    return Cast(model, emotions=vectors_for(model), **how)


def casts(model: Path) -> bool:
    """Three voices in one batch say what each says alone."""
    moods: list[Mapping[str, Any]] = [{}, JOY, {"anger": 1.0, "$positions": "all"}]
    drawn: dict[str, Any] = {"max_tokens": N_TOKEN, "temperature": 0.0}
    with _cast(model, type_k=0, type_v=0) as cast:
        voices = [cast.join(mood=mood, **drawn) for mood in moods]
        said: dict[Any, list[int]] = {voice: [] for voice in voices}
        asked = cast.prompt([{"role": "user", "content": PROMPT}])
        for event in cast.say(dict.fromkeys(voices, PROMPT)):
            if event.token is not None:
                said[event.voice].append(event.token)
    alone = []
    for mood in moods:
        with closing(opened(model, type_k=0, type_v=0)) as llm:
            llm.feel(mood)
            answer: list[int] = []
            for token in islice(llm.generate(asked, temp=0.0), N_TOKEN):
                answer.append(token)
                if token == llm.token_eos():
                    break
            alone.append(answer)
    return list(said.values()) == alone and len({tuple(each) for each in alone}) == len(moods)


def reads(model: Path) -> bool:
    """Hidden states that are read in each layer but the last one move by what is added there."""
    evs = vectors_for(model)
    unit = evs.data[:, 1:-1] / np.linalg.norm(evs.data[:, 1:-1], axis=2, keepdims=True)
    layers = range(1, evs.n_layer - 1)
    seen = []
    for mood in ({}, JOY):
        with closing(opened(model)) as llm:
            assert llm._watch is not None
            probe = _core.Probe(
                llm._watch,
                llm._context_address(),
                layers=layers,
                directions=np.ascontiguousarray(unit.swapaxes(0, 1), dtype=np.float32),
            )
            llm.feel({**mood, "$positions": "all", "$layers": [1, 1]} if mood else {})
            tokens = llm.tokenize(PROMPT.encode())
            llm.eval(tokens)
            seen.append(probe.read(0, len(tokens)))
            probe.close()
    moved = seen[1] - seen[0]
    if not np.isfinite(moved).all():
        return False
    expected = float(np.linalg.norm(evs.data[1, 1]))
    return bool(np.allclose(moved[:, 0, 1], expected, rtol=1e-3) and (moved[:, 1] != 0).all())


def caps(model: Path) -> bool:
    """Rows are kept within a cap in the layer that has it, and what follows changes."""
    evs = vectors_for(model)
    unit = (evs.data[1, 1] / np.linalg.norm(evs.data[1, 1])).astype(np.float32)
    seen: list[npt.NDArray[np.float32]] = []
    heads: list[Logits] = []
    for is_capped in (False, True):
        with closing(opened(model)) as llm:
            assert llm._watch is not None
            context = llm._context_address()
            limiter = _core.RowLimiter(llm._watch, context)
            probe = _core.Probe(llm._watch, context, layers=[1], directions=unit[None, None])
            tokens = llm.tokenize(PROMPT.encode())
            if is_capped:
                cap = float(np.median(seen[0]))
                limiter.apply(_core.Caps([(1, -1e9, cap, unit.tolist())]))
            llm._compute(tokens)
            limiter.check()
            seen.append(probe.read(0, len(tokens))[1:, 0, 0])
            heads.append(logits(llm))
            probe.close()
            limiter.close()
    beyond = seen[0] > cap
    return bool(
        beyond.any()
        and np.allclose(seen[1][beyond], cap, rtol=1e-3, atol=1e-3)
        and not np.array_equal(*heads)
    )


def saves(model: Path) -> bool:
    """A voice that is saved with its cache goes on in another cast as it would have."""
    drawn: dict[str, Any] = {"max_tokens": N_TOKEN, "temperature": 0.0}
    with tempfile.TemporaryDirectory() as folder, _cast(model) as cast, _cast(model) as other:
        voice = cast.join(mood=JOY, **drawn)
        list(cast.say({voice: PROMPT}))
        voice.save(Path(folder) / "a.voice", cache=True)
        loaded = other.load(Path(folder) / "a.voice")
        if loaded.n_cached != voice.n_cached:
            return False
        said = [[e.token for e in at.say({who: "And?"})] for at, who in
                ((cast, voice), (other, loaded))]  # fmt: skip
    return said[0] == said[1] and len(said[0]) > 0


def extracts(model: Path) -> bool:
    """Vectors of labelled texts, finite and not zero wherever they are measured."""
    extraction = Extraction(model, texts=TEXTS, parallel=2, n_threads=1, n_threads_batch=1)
    extraction.run()
    evs = extraction.vectors()
    return bool(np.isfinite(evs.data).all() and (np.linalg.norm(evs.data, axis=2) > 0).all())


DEEDS: Mapping[str, Callable[[Path], bool]] = {
    "steer": steers,
    "attn_out": steers_at_attention,
    "read": reads,
    "caps": caps,
    "cast": casts,
    "saved voices": saves,
    "extract": extracts,
}


def tried(model: Path, deed: str) -> Finding:
    """What comes of it. What llamood refuses is told in its words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return Finding(DEEDS[deed](model), "")
        except LlamoodError as refusal:
            return Finding(False, str(refusal).replace(str(model), model.name))
