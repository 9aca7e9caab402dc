"""Tool calls, and where a mood pauses in an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from llamood.server.spans import Spans
from llamood.voices.tool_calls import Calls
from servers import Server, serving
from tool_models import TEMPLATES, write_tool_model

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
    path = write_tool_model(tmp_path_factory.mktemp("tools"))
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
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call.id, "content": "done"},
    ]
    named = [*more[:-1], {**more[-1], "name": call.function.name}]
    assert chat(client, messages=named, max_tokens=4).usage.prompt_tokens
    shorter = chat(client, messages=more, tool_choice="none", max_tokens=4)
    longer = chat(client, messages=more, max_tokens=4)
    assert shorter.usage.prompt_tokens < longer.usage.prompt_tokens
    with pytest.raises(openai.BadRequestError, match="names none of the tools"):
        chat(client, tool_choice={"type": "function", "function": {"name": "sleep"}})


@pytest.mark.parametrize(
    "choice", ["auto", "required", {"type": "function", "function": {"name": "bake"}}]
)
def test_one_call_at_a_time(client: openai.OpenAI, choice: Any) -> None:
    answer = chat(client, tool_choice=choice, parallel_tool_calls=False)
    calls = answer.choices[0].message.tool_calls or []
    assert len(calls) <= 1
    assert calls or choice == "auto"


def test_what_an_argument_says_ends_no_call(client: openai.OpenAI) -> None:
    parameters = {
        "type": "object",
        "properties": {"text": {"const": 'He said "</tool_call>".'}},
        "required": ["text"],
    }
    tools = [{"type": "function", "function": {"name": "note", "parameters": parameters}}]
    for stream in (False, True):
        made = chat(client, tools=tools, tool_choice="required", stream=stream)
        if stream:
            deltas = [chunk.choices[0].delta for chunk in made]
            (call,) = [one for delta in deltas for one in delta.tool_calls or []]
        else:
            (call,) = made.choices[0].message.tool_calls
        assert json.loads(call.function.arguments) == {"text": 'He said "</tool_call>".'}


def test_a_template_of_its_own_for_tools(tmp_path: Path) -> None:
    path = write_tool_model(tmp_path, template=TEMPLATES)
    options = ["--ctx", "2048", "--voices", "1", "--name", NAME]
    with serving(path, *options) as server, server.client() as client:
        assert chat(client, tool_choice="required").choices[0].message.tool_calls
        plain = chat(client, tools=None, max_tokens=1).usage.prompt_tokens
        assert chat(client, tool_choice="none", max_tokens=1).usage.prompt_tokens == plain
        assert chat(client, max_tokens=1).usage.prompt_tokens > plain


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


def called(arguments: str) -> str:
    return f'<tool_call>{{"name": "bake", {arguments}}}</tool_call>'


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('"parameters": {"n": 1}', '{"n": 1}'),
        ('"arguments": "{\\"n\\": 1}"', '{"n": 1}'),
        ('"arguments": {"n": "{}"}', '{"n": "{}"}'),
        ('"arguments": ""', "{}"),
        ('"arguments": null', "{}"),
        ('"a": 0', "{}"),
        ('"arguments": {"a": "</tool_call>"}', '{"a": "</tool_call>"}'),
        (
            '"arguments": {"a": "\\\\", "b": "\\"</tool_call>"}',
            '{"a": "\\\\", "b": "\\"</tool_call>"}',
        ),
        ('"arguments": {"</tool_call>": ["<tool_call>"]}', '{"</tool_call>": ["<tool_call>"]}'),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_arguments_however_they_are_written(arguments: str, told: str, size: int) -> None:
    cuts = list(range(0, 200, size))
    one = ("bake", told)
    assert heard(f"Oh {called(arguments)}, yes.", cuts) == ("Oh , yes.", [one])
    unclosed = called(arguments).removesuffix("</tool_call>")
    assert heard(called(arguments) + unclosed, cuts) == ("", [one, one])


def test_half_a_character_is_no_argument() -> None:
    torn = called('"arguments": {"a": "\\ud83d"}')
    assert heard(torn, []) == (torn, [])
    whole = called('"arguments": {"a": "\\ud83d\\ude00"}')
    assert heard(whole, []) == ("", [("bake", '{"a": "\U0001f600"}')])


def test_a_string_without_an_end_holds_no_later_call_back() -> None:
    torn = '<tool_call>{"name": "bake\n</tool_call>'
    calls = Calls(["bake"])
    assert calls.hear(f"{torn} So {CALL}.", is_last=False)[0] == f"{torn} So ."
    assert len(calls.found) == 1


def test_only_the_first_call_is_told_where_one_alone_is_asked_for() -> None:
    calls = Calls(["bake"], only_first=True)
    said, found = calls.hear(f"Well. {CALL} And {CALL}", is_last=False)
    assert (said, len(found)) == ("Well. ", 1)
    assert calls.hear(f" so{CALL}", is_last=True) == ("", [])
    assert Calls(["bake"], only_first=True).hear("None.", is_last=True) == ("None.", [])


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
        ('<tool_call>"</tool_call>"</tool_call> x', '>"</tool_call>"</tool_call'),
        ('```json\n"```"\n``` x', 'n\n"```"\n``'),
        ('```json\n"torn\n``` x', 'n\n"torn\n``'),
    ],
)
def test_where_a_mood_pauses(text: str, inside: str) -> None:
    spans = Spans()
    paused = [char for char in text if spans.hear(char)]
    # From the last character of what opens a span to the last but one of what closes it.
    assert "".join(paused) == inside
    whole = Spans()
    assert whole.hear(text) is spans.is_inside is False


def tool_of(name: str, **properties: Any) -> dict[str, Any]:
    shape = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "parameters": shape}}


MANY = {"enum": [f"k{i}" for i in range(140)]}
NARROW = tool_of("bake", n={"type": "integer"})
FORCED = {"type": "function", "function": {"name": "sort"}}


@pytest.mark.parametrize(
    ("tools", "choice"),
    [
        ([tool_of("sort", kind=MANY)], "required"),
        ([tool_of("sort", kind=MANY)], FORCED),
        ([NARROW, tool_of("sort", kind=MANY)], "required"),
    ],
    ids=["alone", "by name", "beside another"],
)
def test_tools_of_which_too_many_ways_lead_on_are_refused(
    client: openai.OpenAI, tools: list[Any], choice: Any
) -> None:
    with pytest.raises(openai.BadRequestError, match="fewer values") as told:
        chat(client, tools=tools, tool_choice=choice)
    assert told.value.param == "tools"
    assert told.value.code == "schema_too_wide"


@pytest.mark.parametrize(
    ("tools", "choice"),
    [
        ([NARROW, tool_of("sort", kind=MANY)], "auto"),  # no grammar draws it
        ([NARROW, tool_of("sort", kind=MANY)], "none"),
        ([tool_of("sort", kind=MANY), NARROW], {"type": "function", "function": {"name": "bake"}}),
    ],
    ids=["auto", "none", "another by name"],
)
def test_tools_that_lead_on_in_few_ways_are_taken(
    client: openai.OpenAI, tools: list[Any], choice: Any
) -> None:
    answer = chat(client, tools=tools, tool_choice=choice, max_tokens=4)
    assert answer.choices[0].finish_reason
