"""The service as the official client, and others, see it."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import jsonschema
import openai
import pytest
from pydantic import BaseModel

import llamood
import tiny_chat
from llamood.moods.personality import personalities
from servers import Server, serving

ASK: list[Any] = [{"role": "user", "content": "Tell me about bread."}]
MOODS: list[dict[str, Any]] = [
    {},
    {"joy": 1.0},
    {"anger": 1.0},
    {"joy": {"ramp": [0, 1], "over": 8}},
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(tiny_chat.MODEL, "--ctx", "128", "--voices", "4") as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[openai.OpenAI]:
    with server.client() as client:
        yield client


def chat(client: openai.OpenAI, *, mood: Any = None, **more: Any) -> Any:
    extra = {**more.pop("extra", {}), **({} if mood is None else {"mood": mood})}
    how = {"model": "tiny_chat", "messages": ASK, "seed": 7, "max_tokens": 16, **more}
    return client.chat.completions.create(**how, extra_body=extra)


def text_of(answer: Any) -> str:
    return str(answer.choices[0].message.content)


def streamed(chunks: Any) -> str:
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def alone(mood: Any) -> str:
    """What the model says by itself."""
    llm = llamood.Llama(
        tiny_chat.MODEL,
        emotions=tiny_chat.VECTORS,
        n_ctx=512,
        n_threads=1,
        n_threads_batch=1,
        verbose=False,
    )
    how = {"temperature": 0.8, "top_p": 0.95, "top_k": 40, "min_p": 0.05}
    try:
        answer = llm.create_chat_completion(ASK, mood=mood, seed=7, max_tokens=16, **how)
    finally:
        llm.close()
    return str(answer["choices"][0]["message"]["content"])


@pytest.mark.parametrize("mood", MOODS)
def test_an_answer_is_what_the_model_says_by_itself(client: openai.OpenAI, mood: Any) -> None:
    answer = chat(client, mood=mood)
    assert text_of(answer) == alone(mood)
    assert answer.usage.prompt_tokens == 15
    assert answer.usage.completion_tokens <= 16
    assert answer.usage.total_tokens == 15 + answer.usage.completion_tokens
    assert streamed(chat(client, mood=mood, stream=True)) == text_of(answer)


def test_moods_differ_and_share_batches(server: Server) -> None:
    async def all_at_once() -> list[str]:
        async with server.client_async() as client:
            asked = [chat(client, mood=mood, max_tokens=40) for mood in MOODS]
            return [text_of(answer) for answer in await asyncio.gather(*asked)]

    before = server.metric("llamood_token_seconds_count"), server.metric("llamood_tokens_total")
    said = asyncio.run(all_at_once())
    assert len(set(said)) > 2
    n_step = server.metric("llamood_token_seconds_count") - before[0]
    n_token = server.metric("llamood_tokens_total") - before[1]
    assert n_step < n_token
    with server.client() as client:
        assert said == [text_of(chat(client, mood=mood, max_tokens=40)) for mood in MOODS]


def test_an_asynchronous_stream(server: Server, client: openai.OpenAI) -> None:
    async def said() -> str:
        async with server.client_async() as client:
            stream = await chat(client, mood={"joy": 1}, stream=True)
            return "".join([c.choices[0].delta.content or "" async for c in stream])

    assert asyncio.run(said()) == text_of(chat(client, mood={"joy": 1}))


def test_readings_and_the_mix_come_with_each_chunk(client: openai.OpenAI) -> None:
    mood = {"joy": {"ramp": [0, 1], "over": 8}}
    chunks = list(chat(client, mood=mood, stream=True, extra={"readings": True}))
    told = [chunk.llamood for chunk in chunks if hasattr(chunk, "llamood")]
    assert len(told) == 16 or chunks[-1].choices[0].finish_reason == "stop"
    joys = [one["mood"].get("joy", 0.0) for one in told]
    assert joys[0] == 0.0
    assert joys == sorted(joys)
    assert joys[7] == pytest.approx(7 / 8)
    assert set(told[-1]["reading"]) >= {"joy", "anger"}
    assert not hasattr(next(iter(chat(client, mood=mood, stream=True))), "llamood")


def test_counts_at_the_end_of_a_stream(client: openai.OpenAI) -> None:
    *chunks, last = chat(client, stream=True, stream_options={"include_usage": True})
    assert all(chunk.usage is None for chunk in chunks)
    assert last.choices == []
    assert last.usage == chat(client).usage
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason in ("stop", "length")


def test_seeds_and_choices(client: openai.OpenAI) -> None:
    answer = chat(client, n=3)
    texts = [choice.message.content for choice in answer.choices]
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert len(set(texts)) > 1
    assert texts == [text_of(chat(client, seed=seed)) for seed in (7, 8, 9)]
    assert answer.usage.prompt_tokens == 15
    assert text_of(chat(client, seed=-(2**63))) == text_of(chat(client, seed=-(2**63)))


def test_contents_in_parts_and_developers(client: openai.OpenAI) -> None:
    parts = [{"type": "text", "text": "Tell me "}, {"type": "text", "text": "about bread."}]
    system: Any = {"role": "system", "content": "You are a baker."}
    plain = chat(client, messages=[system, *ASK])
    other = chat(
        client,
        messages=[
            {**system, "role": "developer"},
            {"role": "user", "content": parts, "name": "me"},
        ],
    )
    assert text_of(plain) == text_of(other)
    assert plain.usage == other.usage
    assert plain.usage.prompt_tokens > chat(client).usage.prompt_tokens


def test_stop_texts_and_limits(client: openai.OpenAI) -> None:
    whole = chat(client, max_tokens=100)
    assert whole.choices[0].finish_reason == "stop"
    word = text_of(whole).split()[3]
    cut = chat(client, max_tokens=100, stop=[word, "never said"])
    assert text_of(cut) == text_of(whole).split(word)[0]
    assert cut.choices[0].finish_reason == "stop"
    short = chat(client, max_tokens=None, max_completion_tokens=2)
    assert short.choices[0].finish_reason == "length"
    assert short.usage.completion_tokens == 2


def test_whoever_asks_is_told_what_limits_take(client: openai.OpenAI) -> None:
    """The same of every answer, whole or in chunks."""
    for _ in range(2):
        loud = chat(client, max_tokens=3, mood={"joy": 50})
        (notice,) = loud.choices[0].llamood["notices"]
        assert "joy" in notice
    stream = chat(client, max_tokens=3, stream=True, mood={"joy": 50})
    told = [getattr(chunk, "llamood", {}).get("notices") for chunk in stream]
    assert [notice] in told
    fluent = chat(client, max_tokens=3, mood={"joy": 0.5})
    assert "notices" not in getattr(fluent.choices[0], "llamood", {})


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
@pytest.mark.parametrize(
    "mood", [{"joy": 50}, "joy=50", {"joy": {"ramp": [0, 50], "over": 2}}, {"joy": 3, "$max": 0.5}]
)
def test_all_answers_end_with_what_limits_took(server: Server, path: str, mood: Any) -> None:
    said = {"messages": ASK} if "chat" in path else {"prompt": "Bread is"}
    asked = {**said, "mood": mood, "n": 2, "max_tokens": 6, "seed": 1, "temperature": 0}
    _, whole = server.post(path, asked)
    notices = [choice["llamood"]["notices"] for choice in whole["choices"]]
    assert len(notices) == 2
    assert all(notices)
    body = json.dumps({**asked, "stream": True}).encode()
    _, text = server.send("POST", path, body, **{"Content-Type": "application/json"})
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data")]
    chunks = [json.loads(line) for line in lines if line != "[DONE]"]
    last = [c for c in chunks if c["choices"][0]["finish_reason"] is not None]
    assert sorted(chunk["choices"][0]["index"] for chunk in last) == [0, 1]
    assert [chunk["llamood"]["notices"] for chunk in last] == notices


def test_text_completions(client: openai.OpenAI) -> None:
    def ask(prompt: Any, **more: Any) -> Any:
        how = {"model": "tiny_chat", "prompt": prompt, "seed": 1, **more}
        return client.completions.create(**how)

    one = ask("Bread is", extra_body={"mood": {"joy": 1}})
    assert one.object == "text_completion"
    assert one.usage.completion_tokens <= 16
    several = ask(["Bread is", "Tea is"], n=2)
    assert [choice.index for choice in several.choices] == [0, 1, 2, 3]
    assert several.choices[0].text == ask("Bread is").choices[0].text
    chunks = ask("Bread is", stream=True)
    assert "".join(c.choices[0].text for c in chunks) == several.choices[0].text
    tokens = llamood_tokens("Bread is")
    assert ask(tokens).choices[0].text == several.choices[0].text
    assert ask([tokens]).choices[0].text == several.choices[0].text
    likely = ask("Bread is", logprobs=2, max_tokens=3).choices[0].logprobs
    assert "".join(likely.tokens) == ask("Bread is", max_tokens=3).choices[0].text
    assert all(len(top) == 2 for top in likely.top_logprobs)
    at = list(itertools.accumulate(map(len, likely.tokens), initial=0))
    assert likely.text_offset == at[:-1]
    chunks = ask("Bread is", logprobs=2, max_tokens=3, stream=True)
    told = [chunk.choices[0].logprobs for chunk in chunks]
    assert [one for logprobs in told for one in logprobs.text_offset] == likely.text_offset


def llamood_tokens(text: str) -> list[int]:
    import llama_cpp

    llm = llama_cpp.Llama(str(tiny_chat.MODEL), vocab_only=True, verbose=False)
    try:
        return list(llm.tokenize(text.encode(), add_bos=True, special=True))
    finally:
        llm.close()


def test_log_probabilities(client: openai.OpenAI) -> None:
    answer = chat(client, logprobs=True, top_logprobs=20, temperature=0, max_tokens=6)
    content = answer.choices[0].logprobs.content
    assert "".join(one.token for one in content) == text_of(answer)
    for one in content:
        tops = [top.logprob for top in one.top_logprobs]
        assert len(tops) == 20
        assert tops == sorted(tops, reverse=True)
        assert one.logprob == tops[0]  # at temperature 0 the likeliest is said
        assert 0 < sum(map(math.exp, tops)) <= 1 + 1e-6
        assert bytes(one.bytes).decode() == one.token
    chunks = chat(client, logprobs=True, top_logprobs=0, temperature=0, max_tokens=6, stream=True)
    told = [c.choices[0].logprobs for c in chunks]
    pieces = [one for logprobs in told if logprobs for one in logprobs.content or []]
    assert [one.logprob for one in pieces] == [one.logprob for one in content]
    assert chat(client).choices[0].logprobs is None


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "warm": {"type": "boolean"},
        "kind": {"enum": ["rye", "wheat"]},
        "slices": {"type": "array", "items": {"enum": [1, 2]}, "minItems": 1, "maxItems": 3},
        "day": {"anyOf": [{"$ref": "#/$defs/day"}, {"type": "null"}]},
    },
    "required": ["warm", "kind", "slices", "day"],
    "additionalProperties": False,
    "$defs": {"day": {"type": "string", "format": "date"}},
}


def as_schema(schema: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "bread", "schema": schema}}


@pytest.mark.parametrize("seed", range(4))
def test_an_answer_obeys_a_schema_and_no_mood(client: openai.OpenAI, seed: int) -> None:
    how = {"response_format": as_schema(SCHEMA), "max_tokens": 100, "seed": seed}
    answer = chat(client, mood={"joy": 1}, extra={"readings": True}, **how)
    assert answer.choices[0].finish_reason == "stop"
    jsonschema.validate(json.loads(text_of(answer)), SCHEMA)
    assert answer.choices[0].llamood["mood"] == {}
    how["temperature"] = 0.0  # what is nearly as likely may be drawn by how sums were rounded
    assert text_of(chat(client, mood={"joy": 1}, **how)) == text_of(chat(client, **how))
    steered = chat(
        client, mood={"joy": 1}, extra={"readings": True, "llamood": {"steer": "all"}}, **how
    )
    assert steered.choices[0].llamood["mood"] == {"joy": 1.0}


class Day(BaseModel):
    day: Literal["Monday", "Sunday"]


class Bread(BaseModel):
    kind: Literal["rye", "wheat"]
    is_warm: bool
    baked: Day | None


def test_an_answer_as_an_object_of_a_class(client: openai.OpenAI) -> None:
    how: dict[str, Any] = {
        "model": "tiny_chat",
        "messages": ASK,
        "response_format": Bread,
        "seed": 1,
    }
    parsed = client.chat.completions.parse(**how).choices[0].message.parsed
    assert isinstance(parsed, Bread)
    with client.chat.completions.stream(**how, logprobs=True) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert kinds >= {"chunk", "content.delta", "content.done", "logprobs.content.done"}
    assert final.choices[0].message.parsed == parsed
    assert final.choices[0].finish_reason == "stop"


TWO = {"enum": ['"', "\\", 'a\\" | "b', "\n", "\u00e9", "\U0001f600", None, -1.5e-7]}
HARD: list[Any] = [
    {"type": "object", "properties": {'a"\\': TWO}, "required": ['a"\\']},
    {
        "type": "array",
        "prefixItems": [{"$ref": "#/$defs/a/$defs/x"}, {"$ref": "#/$defs/b/$defs/x"}],
        "$defs": {
            "a": {"$defs": {"x": {"const": "of a"}}},
            "b": {"$defs": {"x": {"const": "of b"}}},
        },
    },
    {"anyOf": [{"type": "string", "format": "uuid"}, {"type": "integer"}, {"type": ["null"]}]},
    {
        "$ref": "#/$defs/tree",
        "$defs": {
            "tree": {
                "type": "array",
                "items": {"anyOf": [{"enum": ["leaf"]}, {"$ref": "#/$defs/tree"}]},
                "maxItems": 2,
            }
        },
    },
    {"type": "object", "properties": {"root": TWO, "string": TWO, "object": TWO}},
    {"type": "object", "additionalProperties": {"enum": [0]}},
    {"type": "string", "minLength": 2, "maxLength": 3},
    {"type": "number"},
]


@pytest.mark.parametrize("schema", HARD)
def test_schemas_that_are_hard_to_write(client: openai.OpenAI, schema: Any) -> None:
    answer = chat(client, response_format=as_schema(schema), max_tokens=100, n=4, temperature=1)
    ended = [one for one in answer.choices if one.finish_reason == "stop"]
    assert ended
    for one in ended:
        jsonschema.validate(json.loads(one.message.content), schema)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string", "pattern": "^(a+)+$"}, "'pattern' is not supported"),
        ({"$ref": "https://example.org/schema.json"}, "points into the schema itself"),
        ({"$ref": "#/$defs/none"}, "and no schema lies there"),
        ({"type": "array", "items": {}, "maxItems": 10**9}, "maxItems is 0 to 500"),
        ({"type": "object", "properties": []}, "properties is of another type"),
        ({"type": "object", "properties": {"a": {"oneOf": []}}}, "properties.a: 'oneOf'"),
        ({"type": "int"}, "type is one of"),
        ({"enum": []}, "enum has at least one"),
        (
            {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
            r"\$ref leads in a circle",
        ),
    ],
)
def test_schemas_that_are_refused(client: openai.OpenAI, schema: Any, said: str) -> None:
    with pytest.raises(openai.BadRequestError, match=said):
        chat(client, response_format=as_schema(schema))
    assert text_of(chat(client)) == text_of(chat(client))


def test_a_reading_is_held(client: openai.OpenAI) -> None:
    answer = chat(client, mood={"joy": {"hold": 2.0}}, stream=True, extra={"readings": True})
    weights = [getattr(chunk, "llamood", {"mood": {}})["mood"].get("joy", 0.0) for chunk in answer]
    assert len(set(weights)) >= 3
    assert max(weights) > 0.3


def test_a_mood_waits_for_what_the_user_says(client: openai.OpenAI) -> None:
    opened = {}
    for limit in ("> -19", "> 19"):
        mood = {"joy": {"when": {"joy": limit}, "of": "user", "then": 0.5}}
        answer = chat(client, mood=mood, stream=True, extra={"readings": True})
        told = [chunk.llamood for chunk in answer if hasattr(chunk, "llamood")]
        opened[limit] = [each["mood"].get("joy", 0.0) for each in told if "mood" in each]
    assert opened["> -19"][0] == 0.0
    assert set(opened["> -19"][1:]) == {0.5}
    assert set(opened["> 19"]) == {0.0}
    with pytest.raises(openai.BadRequestError, match=r"joy\.when\.love.: is not read, so it"):
        chat(client, mood={"joy": {"when": {"love": "> 1"}, "then": 1}})


def test_a_personality_has_a_mood_and_is_told_who_it_is(client: openai.OpenAI) -> None:
    shy = personalities()["shy"]
    told = {"role": "system", "content": shy.system}
    how = {"max_tokens": 12, "temperature": 0}
    whole = chat(client, mood="shy", **how)
    apart = chat(client, mood=dict(shy.mood), messages=[told, *ASK], **how)
    assert text_of(whole) == text_of(apart)
    assert whole.usage.prompt_tokens == apart.usage.prompt_tokens
    other = [{"role": "system", "content": "You are a cat."}, *ASK]
    count = chat(client, mood="shy", messages=other, **how).usage.prompt_tokens
    assert count == chat(client, messages=other, **how).usage.prompt_tokens
    with pytest.raises(openai.BadRequestError, match="or a personality, of which there are cheer"):
        chat(client, mood="shi")


def test_a_face_is_one_of_those_that_there_are(client: openai.OpenAI) -> None:
    faces = {"frown": "anger", "idle": None}
    extra = {"readings": True, "faces": faces}
    ask = [{"role": "user", "content": "What is bread?"}]
    how = {"messages": ask, "max_tokens": 80, "temperature": 0}
    chunks = chat(client, mood={"anger": 1}, stream=True, extra=extra, **how)
    told = [chunk.llamood for chunk in chunks if hasattr(chunk, "llamood")]
    assert told[0]["face"] == "idle"
    assert {each["face"] for each in told} == set(faces)
    for each in told:
        assert (each["face_reading"] is None) == (each["face"] == "idle")
        assert -1 <= each["valence"] <= 1
        assert -1 <= each["arousal"] <= 1
    again = chat(client, mood={"joy": 1}, max_tokens=2, extra={"readings": True})
    assert again.choices[0].llamood["face"] == "neutral"
    for wrong, said in (
        ({"a": "hunger"}, "the face a is of 'hunger', which is not read"),
        (3, "label -> emotion"),
    ):
        with pytest.raises(openai.BadRequestError, match=said) as refused:
            chat(client, extra={"faces": wrong})
        assert refused.value.param == "faces"


def joys(client: openai.OpenAI, session: Any = None, **more: Any) -> tuple[list[float], set[str]]:
    """The joy that each token was said under, and the session that the chunks name."""
    extra = {"readings": True, **({} if session is None else {"llamood": {"session": session}})}
    chunks = chat(client, stream=True, extra=extra, **more)
    told = [c.llamood for c in chunks if hasattr(c, "llamood")]
    felt = [each["mood"].get("joy", 0.0) for each in told if "mood" in each]
    return felt, {each["session"] for each in told if "session" in each}


def test_a_session_keeps_its_mood(client: openai.OpenAI) -> None:
    mood = {"joy": 1.0, "$inertia": 8}
    first, (name,) = joys(client, True, mood=mood)
    assert first[0] < 0.2
    second, told = joys(client, name)
    assert not told
    assert second[0] > first[-1]
    assert set(joys(client, True)[0]) == {0.0}
    assert joys(client, mood=mood)[0] == first
    fading, _ = joys(client, name, mood={"$inertia": 8})
    assert fading == sorted(fading, reverse=True)
    assert fading[0] > 0.5


def test_a_session_has_a_name_that_nobody_guesses(client: openai.OpenAI) -> None:
    whole = chat(client, mood={"joy": 1.0}, extra={"llamood": {"session": True}})
    text = client.completions.create(
        model="any", prompt="Bread", max_tokens=1, extra_body={"llamood": {"session": True}}
    )
    names = {answer.llamood["session"] for answer in (whole, text)}
    assert len(names) == 2
    assert min(map(len, names)) >= 32
    goes_on, _ = joys(client, whole.llamood["session"])
    assert set(goes_on) == {1.0}
    # Of one who did not hear it, and of one who made it up.
    for name in ("one", "studio-1", whole.llamood["session"][:-1]):
        with pytest.raises(openai.NotFoundError, match="session: true") as told:
            joys(client, name)
        assert told.value.code == "session_not_found"
        assert told.value.param == "llamood.session"


def test_who_has_the_key_names_sessions() -> None:
    options = ("--ctx", "128", "--voices", "1", "--api-key", "a-key")
    with serving(tiny_chat.MODEL, *options, key="a-key") as server, server.client() as client:
        joyful, told = joys(client, "any name", mood={"joy": 1.0})
        assert not told
        assert set(joyful) == {1.0}
        assert set(joys(client, "any name")[0]) == {1.0}
        assert set(joys(client, "another")[0]) == {0.0}
        _, (name,) = joys(client, True, mood={"joy": 0.5})
        assert set(joys(client, name)[0]) == {0.5}


@pytest.mark.parametrize(
    ("fields", "param", "said"),
    [
        ({"mood": "@/etc/passwd"}, "mood", "name=intensity"),
        ({"mood": {"joyy": 1}}, "mood", "did you mean 'joy'? To add it: llamood emotion add MODEL"),
        ({"mood": {"joy": {"ramp": [0]}}}, "mood", "ramp"),
        ({"mood": {"joy": 1, "$layers": [90, 99]}}, "mood", "layers"),
        ({"mood": {"joy": {"keys": [[i, 0.5] for i in range(4000)]}}}, "mood", "at most 8192"),
        ({"mood": {"joy": 10**400}}, "mood", ""),
        ({"mood": {"joy": math.nan}}, "mood.joy", "finite"),
        ({"mood": {"joy": [[[math.inf]]]}}, "mood.joy.0.0.0", "finite"),
        ({"mood": [1]}, "mood", ""),
        ({"mood": {f"e{i}": 1 for i in range(10_000)}}, "mood", "at most 8192"),
        ({"mood": ",".join(f"e{i}=1" for i in range(500))}, "mood", "no such emotion"),
        ({"moods": {}}, "moods", "unknown field"),
        ({"logit_bias": {"1": 2}}, "logit_bias", "logit_bias is not supported"),
        ({"audio": {}}, "audio", "audio is not supported"),
        ({"temperature": 3}, "temperature", "less than or equal to 2"),
        ({"temperature": "1"}, "temperature", "valid number"),
        ({"n": 9}, "n", "at most 8"),
        ({"stop": ["a"] * 65}, "stop", "at most 64"),
        ({"stop": ""}, "stop", ""),
        ({"top_logprobs": 3}, "top_logprobs", "needs logprobs"),
        ({"stream_options": {"include_usage": True}}, "stream_options", "needs stream"),
        ({"messages": []}, "messages", ""),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages", ""),
        ({"messages": [{"role": "user"}]}, "messages.0.content", "required"),
        ({"messages": [{"role": "user", "content": "a " * 400}]}, "messages", "maximum context"),
        ({"messages": [{"role": "user", "content": "a"}] * 400}, "messages", "at least; shorten"),
        ({"messages": [{"role": "user", "content": "\ud800"}]}, "messages", "half of a character"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools", "offers no tool"),
        ({"tool_choice": "required"}, "tool_choice", "without tools"),
        ({"llamood": {"session": ""}}, "llamood", ""),
        ({"llamood": {"session": False}}, "llamood.session", "or true for a new one"),
        ({"llamood": {"session": 1}}, "llamood.session", "or true for a new one"),
        ({"llamood": {"session": ["a"]}}, "llamood.session", "or true for a new one"),
    ],
)
def test_what_is_refused(server: Server, fields: Any, param: str | None, said: str) -> None:
    asked = {"model": "tiny_chat", "messages": ASK, "max_tokens": 4, **fields}
    status, body = server.post("/v1/chat/completions", asked)
    assert status == 400
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert body["error"]["type"] == "invalid_request_error"
    assert said in body["error"]["message"]
    if param is not None:
        assert body["error"]["param"].startswith(param)
        assert "[" not in body["error"]["param"]  # none of our own types


def test_what_asks_for_nothing_is_taken(client: openai.OpenAI) -> None:
    more = {"user": "me", "store": False, "service_tier": "auto", "logit_bias": {}, "n": 1}
    assert text_of(chat(client, **more)) == text_of(chat(client))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"model": NaN}', b"1" * 5000]
)
def test_bodies_that_are_no_request(server: Server, body: bytes) -> None:
    status, answer = server.post("/v1/chat/completions", body)
    assert status == 400
    assert answer["error"]["message"]


def test_a_body_says_that_it_is_json(server: Server) -> None:
    # What a page may send to anybody unasked is none.
    body = json.dumps({"model": "tiny_chat", "messages": ASK, "max_tokens": 1}).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        status, text = server.send(
            "POST", "/v1/chat/completions", body, **{"Content-Type": kind, "Origin": "http://a.b"}
        )
        assert status == 400
        assert "application/json" in json.loads(text)["error"]["message"]


def test_models_and_emotions(server: Server, client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["tiny_chat"]
    assert client.models.retrieve("tiny_chat").owned_by == "llamood"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt")
    assert text_of(chat(client, model="gpt")) == text_of(chat(client))
    status, text = server.get("/v1/emotions")
    data = json.loads(text)["data"]
    assert status == 200
    assert [one["id"] for one in data] == list(llamood.load(tiny_chat.VECTORS).names)
    assert server.get("/health") == (200, '{"status":"ready"}')
    assert server.get("/nowhere")[0] == 404
    assert server.send("DELETE", "/v1/models", None)[0] == 405


def test_importing_llamood_brings_no_server(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = "import llamood, sys; print({'fastapi', 'uvicorn', 'pydantic'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


# -- going on ----------------------------------------------------------------------------------


def test_an_answer_goes_on_from_where_it_was_cut(client: openai.OpenAI) -> None:
    how = {"temperature": 0, "max_tokens": 40}
    whole = text_of(chat(client, **how))
    cut = chat(client, **{**how, "max_tokens": 8})
    assert cut.choices[0].finish_reason == "length"
    begun = [*ASK, {"role": "assistant", "content": text_of(cut)}]
    extra = {"llamood": {"continues": True}}
    on = chat(client, messages=begun, extra=extra, **{**how, "max_tokens": 32})
    assert text_of(cut) + text_of(on) == whole
    assert on.usage.prompt_tokens == cut.usage.total_tokens
    assert text_of(chat(client, messages=begun, **how)) != text_of(on)  # which is another answer


@pytest.mark.parametrize(
    ("said", "more", "told"),
    [
        ([], {}, "found a message of role user"),
        ([{"role": "assistant", "content": ""}], {}, "found no text"),
        (
            [{"role": "assistant", "content": "{"}],
            {"response_format": {"type": "json_object"}},
            "goes without response_format",
        ),
    ],
)
def test_what_cannot_go_on_is_refused(
    client: openai.OpenAI, said: list[Any], more: Any, told: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=told):
        chat(client, messages=[*ASK, *said], extra={"llamood": {"continues": True}}, **more)
