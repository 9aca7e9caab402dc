"""Texts of many special tokens: the tokens of llama.cpp, and how many there are at least."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import llama_cpp
import pytest

import tiny_chat
from llamood.voices.tokenizing import Tokenizer


@pytest.fixture(params=["tiny_chat", "demo_model", "stories"])
def llm(request: pytest.FixtureRequest) -> Iterator[llama_cpp.Llama]:
    named = request.param == "tiny_chat"
    path: Path = tiny_chat.MODEL if named else request.getfixturevalue(request.param)
    with closing(llama_cpp.Llama(str(path), vocab_only=True, verbose=False)) as llm:
        yield llm


def _specials(llm: llama_cpp.Llama) -> list[str]:
    n = llama_cpp.llama_vocab_n_tokens(llm._model.vocab)
    controls = [i for i in range(n) if llama_cpp.llama_vocab_is_control(llm._model.vocab, i)]
    return [llama_cpp.llama_vocab_get_text(llm._model.vocab, i).decode() for i in controls]


@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("add_bos", [False, True])
@pytest.mark.parametrize("n", [3, 400, 2000])
def test_the_same_tokens(llm: llama_cpp.Llama, special: bool, add_bos: bool, n: int) -> None:
    choose = random.Random(n)
    specials = _specials(llm)
    pieces = [*specials, *specials, "bread ", " butter", "<|", "|>", "\n\n", "<s", ">", "\u00e9 1"]
    text = "".join(choose.choice(pieces) for _ in range(n)).encode()
    tokenizer = Tokenizer(llm._model.vocab, special=special)
    found = tokenizer.tokens(
        text, lambda part, is_first: llm.tokenize(part, add_bos and is_first, special)
    )
    assert found == llm.tokenize(text, add_bos, special)
    assert tokenizer.at_least(text) <= len(llm.tokenize(text, False, special))


def test_special_tokens_and_long_texts_are_counted(llm: llama_cpp.Llama) -> None:
    tokenizer = Tokenizer(llm._model.vocab, special=True)
    special = _specials(llm)[0].encode()
    assert tokenizer.at_least(b"") == 0
    assert tokenizer.at_least(special * 10_000) == 10_000
    assert tokenizer.at_least((b"x" + special) * 10_000) >= 10_000
    assert tokenizer.at_least(b"a" * 1_000_000) > 1000
