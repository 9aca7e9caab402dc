"""Tool calls, and where a mood pauses in an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import llamood
from llama_gguf import LlamaShape, byte_tokenizer, random_weights, write_llama
from llamood.server.spans import Spans
from llamood.server.tools import Calls
from open_voices import random_vectors
from servers import Server, serving

# ChatML as Hermes and Qwen write tools.
TEMPLATE = (
    "{% if tools %}<|im_start|>system\nCall <tool_call>{...}</tool_call>:"
    "{% for tool in tools %}{{ tool | tojson }}{% endfor %}<|im_end|>\n{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}"
    "{% for call in message.tool_calls or [] %}<tool_call>{{ call.function.name }}"
    "{{ call.function.arguments | tojson }}</tool_call>{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "bake",
            "description": "Bakes.",
            "parameters": {
                "type": "object",
                "properties": {"kind": {"$ref": "#/$defs/kind"}, "n": {"enum": [1, 2]}},
                "required": ["kind", "n"],
                "$defs": {"kind": {"enum": ["rye", 'a "white" one']}},
            },
        },
    },
    {"type": "function", "function": {"name": "rest"}},
]
NAME = "bakery/bread"
ASK: list[Any] = [{"role": "user", "content": "Bake."}]


class Bake(BaseModel):
    kind: Literal["rye", "wheat"]
    n: Literal[1, 2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("tools")
    path = folder / "model.gguf"
    shape = LlamaShape(
        n_layer=2, n_embd=64, n_ff=64, n_head=2, n_head_kv=2, n_vocab=300, n_ctx=4096
    )
    write_llama(
        path,
        shape,
        random_weights(shape, seed=1, scale=0.2),
        tokenizer=byte_tokenizer(shape.n_vocab),
        chat_template=TEMPLATE,
        quant="f32",
        name="tools",
    )
    llamood.save(random_vectors(path), folder / "model.evs")
    with serving(path, "--ctx", "2048", "--voices", "4", "--name", NAME) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[openai.OpenAI]:
    with server.client() as client:
        yield client


def chat(client: openai.OpenAI, **more: Any) -> Any:
    how = {"messages": ASK, "seed": 3, "max_tokens": 300, "tools": TOOLS, **more}
    return client.chat.completions.create(model=NAME, **how)


def test_a_tool_that_must_be_called(client: openai.OpenAI) -> None:
    choice = {"type": "function", "function": {"name": "bake"}}
    answer = chat(client, tool_choice=choice, extra_body={"mood": {"joy": 1}, "readings": True})
    (call,) = answer.choices[0].message.tool_calls
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.content is None
    assert call.function.name == "bake"
    assert set(json.loads(call.function.arguments)) == {"kind", "n"}
    assert answer.choices[0].llamood["mood"] == {}
    names = set()
    for seed in range(8):
        (call,) = chat(client, tool_choice="required", seed=seed).choices[0].message.tool_calls
        names.add(call.function.name)
    assert names == {"bake", "rest"}


def test_a_tool_call_in_a_stream(client: openai.OpenAI) -> None:
    how = {"tool_choice": "required", "seed": 1}
    (whole,) = chat(client, **how).choices[0].message.tool_calls
    chunks = list(chat(client, stream=True, **how))
    (told,) = [c.choices[0].delta.tool_calls for c in chunks if c.choices[0].delta.tool_calls]
    assert told[0].index == 0
    assert told[0].function.name == whole.function.name
    assert told[0].function.arguments == whole.function.arguments
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    assert not any(chunk.choices[0].delta.content for chunk in chunks[1:])


def test_a_conversation_with_tools_goes_on(client: openai.OpenAI) -> None:
    (call,) = chat(client, tool_choice="required").choices[0].message.tool_calls
    more = [
        *ASK,
        {"role": "assistant", "content": None, "tool_calls": [call.model_dump(exclude={"index"})]},
        {"role": "tool", "tool_call_id": call.id, "content": "done"},
    ]
    shorter = chat(client, messages=more, tool_choice="none", max_tokens=4)
    longer = chat(client, messages=more, max_tokens=4)
    assert shorter.usage.prompt_tokens < longer.usage.prompt_tokens
    with pytest.raises(openai.BadRequestError, match="names none of the tools"):
        chat(client, tool_choice={"type": "function", "function": {"name": "sleep"}})


def test_a_tool_call_of_a_class(client: openai.OpenAI) -> None:
    tool = openai.pydantic_function_tool(Bake, name="bake")
    how: dict[str, Any] = {"tools": [tool], "tool_choice": "required", "messages": ASK, "seed": 1}
    message = client.chat.completions.parse(model=NAME, **how).choices[0].message
    (call,) = message.tool_calls or []
    assert isinstance(call.function.parsed_arguments, Bake)


def test_a_name_that_looks_like_a_path(client: openai.OpenAI) -> None:
    assert client.models.retrieve(NAME).id == NAME
    assert [model.id for model in client.models.list()] == [NAME]


def heard(text: str, cuts: list[int]) -> tuple[str, list[Any]]:
    """What is made of a text that comes in pieces."""
    calls = Calls(["bake"])
    ends = sorted({min(cut, len(text)) for cut in cuts} | {len(text)})
    said, found, at = "", [], 0
    for end in ends:
        more, new = calls.hear(text[at:end], is_last=end == len(text))
        said, found, at = said + more, found + new, end
    assert found == calls.found
    return said, [(call["function"]["name"], call["function"]["arguments"]) for call in found]


CALL = '<tool_call>\n{"name": "bake", "arguments": {"n": 1}}\n</tool_call>'
OTHER = '<tool_call>{"name": "sleep"}</tool_call>'


@given(st.lists(st.integers(0, 200), max_size=20))
def test_calls_are_heard_however_they_come(cuts: list[int]) -> None:
    one = ("bake", '{"n": 1}')
    assert heard(f"Well. {CALL}{CALL} So.", cuts) == ("Well.  So.", [one, one])
    assert heard(f"a < b {OTHER}", cuts) == (f"a < b {OTHER}", [])
    assert heard(f"{CALL}<tool_call>[", cuts) == ("<tool_call>[", [one])
    assert heard("<tool_call>{]</tool_call> <tool", cuts) == ("<tool_call>{]</tool_call> <tool", [])


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("No braces at all.", ""),
        ('Here: {"a": "}\\"]"} done', '"a": "}\\"]"'),
        ('{"a": [1, {"b": 2}]} x', '"a": [1, {"b": 2}]'),
        ("A set {1, 2} and a list [1]", ""),
        ("```json\n[1, 2]\n```\nthen", "n\n[1, 2]\n``"),
        ("<tool_call>{}</tool_call> x", ">{}</tool_call"),
        ('[\n {"a": 1}] x', '{"a": 1}'),
        ('x{"a": 1}', ""),
    ],
)
def test_where_a_mood_pauses(text: str, inside: str) -> None:
    spans = Spans()
    paused = [char for char in text if spans.hear(char)]
    # From the last character of what opens a span to the last but one of what closes it.
    assert "".join(paused) == inside
    whole = Spans()
    assert whole.hear(text) is spans.is_inside is False
