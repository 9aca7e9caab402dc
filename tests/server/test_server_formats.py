"""What the grammars of the service let a model say: JSON, whoever reads it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import closing

import llama_cpp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jiter import from_json

import tiny_chat
from llamood.server.formats import ANY_JSON, grammar_of

Accepts = Callable[[str, str], bool]

STRING = grammar_of({"type": "string"}, param="schema")
SHORT = grammar_of({"type": "string", "maxLength": 40}, param="schema")
NAMED = grammar_of({"type": "object"}, param="schema")
FORMS = {STRING: "{}", SHORT: "{}", NAMED: '{{{}: "a"}}', ANY_JSON: '{{"a": {}}}'}


@pytest.fixture(scope="module")
def accepts() -> Iterator[Accepts]:
    """Whether a model that is drawn by a grammar could say a text up to its end."""
    with closing(llama_cpp.Llama(str(tiny_chat.MODEL), vocab_only=True, verbose=False)) as llm:
        vocab = llm._model.vocab

        def accepts(grammar: str, text: str) -> bool:
            drawer = llama_cpp.llama_sampler_init_grammar(vocab, grammar.encode(), b"root")
            assert drawer
            try:
                tokens = llm.tokenize(text.encode(), add_bos=False)
                return all(_draw(drawer, token) for token in [*tokens, llm.token_eos()])
            finally:
                llama_cpp.llama_sampler_free(drawer)

        yield accepts


def _draw(drawer: llama_cpp.llama_sampler_p, token: int) -> bool:
    likely = (llama_cpp.llama_token_data * 1)(llama_cpp.llama_token_data(token, 0.0, 0.0))
    among = llama_cpp.llama_token_data_array(likely, 1, -1, False)
    llama_cpp.llama_sampler_apply(drawer, among)
    if math.isinf(likely[0].logit):
        return False
    llama_cpp.llama_sampler_accept(drawer, token)
    return True


@pytest.mark.parametrize(("grammar", "form"), FORMS.items())
@pytest.mark.parametrize(
    "said",
    [
        '"a\nb"',
        '"\t"',
        '"\x00"',
        '"\x1f"',
        r'"\ud800"',
        r'"\uDFFF"',
        r'"\x41"',
        r'"\u12"',
        '"a',
        'a"',
        '"\\"',
    ],
)
def test_what_is_no_text_of_json_is_never_said(
    accepts: Accepts, grammar: str, form: str, said: str
) -> None:
    assert not accepts(grammar, form.format(said))


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20), is_ascii=st.booleans())
def test_every_text_can_be_said(accepts: Accepts, text: str, is_ascii: bool) -> None:
    plain = "".join(char for char in text if char != "\x7f" and (not is_ascii or char <= "\uffff"))
    said = json.dumps(plain, ensure_ascii=is_ascii)
    for grammar, form in FORMS.items():
        assert accepts(grammar, form.format(said)), (grammar, said)


_PIECES = [
    "a",
    '"',
    "\\",
    "\n",
    "\x7f",
    "u",
    "0",
    "d8",
    "\u00e9",
    "\U0001f600",
    "n",
    "/",
    " ",
    "\t",
]


@given(text=st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
def test_what_can_be_said_is_json(accepts: Accepts, text: str) -> None:
    for grammar, form in FORMS.items():
        said = form.format(f'"{text}"')
        if accepts(grammar, said):
            assert from_json(said.encode()) == json.loads(said)
