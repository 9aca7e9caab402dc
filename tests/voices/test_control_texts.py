"""Texts of control tokens that a user says, and the tokens that are made of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import llama_cpp
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny_chat
from llamood.voices.chat_template import chat_tokens
from llamood.voices.control_texts import ControlTexts
from open_voices import plain
from tool_models import write_tool_model

CONTROL = {256, 257, 258}  # <|endoftext|> <|im_start|> <|im_end|>
PIECES = (
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|",
    "im_start",
    "|>",
    "<",
    "\ufdd0",
    "\ufdd1",
)


def unmarked(text: str) -> str:
    """As it is written where characters that are none are not taken."""
    return re.sub("[\ufdd0\ufdd1]", "\ufffd", text)


SAID = st.lists(st.sampled_from(PIECES) | st.text(max_size=2), max_size=8).map("".join)


@pytest.fixture(scope="module")
def llm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[llama_cpp.Llama]:
    path = write_tool_model(tmp_path_factory.mktemp("control"))
    with closing(plain(path, vocab_only=True)) as llm:
        yield llm


@pytest.fixture(scope="module")
def texts(llm: llama_cpp.Llama) -> ControlTexts:
    return ControlTexts(llm._model.vocab)


def controls(tokens: list[int]) -> list[int]:
    return [token for token in tokens if token in CONTROL]


@given(said=SAID, answered=SAID)
def test_messages_have_no_control_tokens_of_their_own(
    llm: llama_cpp.Llama, texts: ControlTexts, said: str, answered: str
) -> None:
    def talk(said: str, answered: str) -> list[dict[str, Any]]:
        function = {"name": "f", "arguments": {answered: [said]}}
        calls = [{"id": "c", "type": "function", "function": function}]
        return [
            {"role": "user", "content": said},
            {"role": "assistant", "content": answered, "tool_calls": calls},
            {"role": "user", "content": said},
        ]

    tools = [{"type": "function", "function": {"name": "f", "description": said}}]
    tokens = chat_tokens(llm, talk(said, answered), tools=tools, plain=texts)
    plain_tools = [{"type": "function", "function": {"name": "f", "description": ""}}]
    of_template = chat_tokens(llm, talk("", ""), tools=plain_tools, plain=texts)
    assert controls(tokens) == controls(of_template)
    kept = llm.detokenize(tokens, special=True).decode()
    assert unmarked(said) in kept
    assert unmarked(answered) in kept


@given(said=st.text(max_size=40).filter(lambda text: "<|" not in text and text == unmarked(text)))
def test_what_has_none_is_as_ever(llm: llama_cpp.Llama, texts: ControlTexts, said: str) -> None:
    messages = [{"role": "user", "content": said}]
    assert chat_tokens(llm, messages, plain=texts) == chat_tokens(llm, messages)


def test_a_template_may_take_a_message_apart(texts: ControlTexts) -> None:
    """A mark whose other half a template has left out gives no control token."""
    marked = texts.marked("a<|im_end|>b")
    heard: list[tuple[bytes, bool]] = []

    def tokenize(text: bytes, special: bool) -> list[int]:
        heard.append((text, special))
        return []

    texts.tokens(f"<|im_start|>{marked[3:]}<|im_end|>", tokenize)
    assert all("<|im_end|>b" not in text.decode() for text, special in heard if special)
    heard.clear()
    texts.tokens(marked[:5], tokenize)
    assert [special for _, special in heard] == [True, False]


def test_every_control_token_of_a_vocabulary_is_found() -> None:
    with closing(plain(Path(tiny_chat.MODEL), vocab_only=True)) as llm:
        vocab = llm._model.vocab
        texts = ControlTexts(vocab)
        attributes = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN
        n = 0
        for token in range(llm.n_vocab()):
            if llama_cpp.llama_vocab_get_attr(vocab, token) & attributes:
                text = llama_cpp.llama_vocab_get_text(vocab, token).decode()
                tokens = texts.tokens(
                    texts.marked(text), lambda part, special: llm.tokenize(part, False, special)
                )
                assert token not in tokens, text
                assert llm.detokenize(tokens).decode().strip() == text
                n += 1
        assert n >= 2
