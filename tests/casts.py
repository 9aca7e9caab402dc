"""What the voices of a cast say, and each of them alone, with the logits of every token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any

import llama_cpp
import numpy as np

import llamood
from llamood.voices.cast import Cast
from llamood.voices.character import Character
from open_voices import Answer, logits


def spoken(cast: Cast, to: Mapping[Character, str], **sampling: Any) -> dict[Character, Answer]:
    """What voices say at once, without a guard; their prompts must fit one batch, and their moods
    share one."""
    shared = cast._shared
    prompts = {voice: voice.plan(text, sampling).tokens for voice, text in to.items()}
    assert sum(map(len, prompts.values())) <= shared.stage.n_batch
    stream = cast.say(to, **sampling)
    tokens: dict[Character, list[int]] = {voice: [] for voice in to}
    rows: dict[Character, list[Any]] = {voice: [] for voice in to}
    while cast.step():
        at = -1  # which token of the batch asked for logits
        for event in stream.take():
            voice = event.voice
            assert isinstance(voice, Character)
            assert event.token is not None
            at += 1 if tokens[voice] else len(prompts[voice])
            last = llama_cpp.llama_get_logits_ith(shared.ctx, at)
            rows[voice].append(np.ctypeslib.as_array(last, shape=(shared.n_vocab(),)).copy())
            tokens[voice].append(event.token)
    return {voice: Answer(tokens[voice], np.array(rows[voice])) for voice in to}


def spoken_alone(
    llm: llamood.Llama,
    prompt: Sequence[int],
    *,
    mood: Mapping[str, Any],
    how: Mapping[str, Any],
    changes: Mapping[int, Mapping[str, Any]] = MappingProxyType({}),
) -> Answer:
    """What a fresh voice says to the same tokens, drawn in the same way. ``changes``: after how
    many tokens it feels what."""
    names = {"temperature": "temp"}
    passed = {names.get(name, name): value for name, value in how.items()}
    n_token, seed = passed.pop("max_tokens"), passed.pop("seed")
    llm.feel(mood)
    llm.set_seed(seed)
    said, rows, moods, readings = [], [], [], []
    for token in islice(llm.generate(prompt, **passed), n_token):
        said.append(token)
        rows.append(logits(llm))
        moods.append(llm.mix)
        readings.append({} if llm._reader is None else llm.reading)
        if len(said) in changes:
            llm.feel(changes[len(said)])
        if llama_cpp.llama_vocab_is_eog(llm._model.vocab, token):
            break
    return Answer(said, np.array(rows), moods, readings)
