"""What clients ask: each function is one thing, and checks what comes of it."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from soaking.answer import Cut, Refused, Wrong
from soaking.client import Client
from soaking.rude import cancelled, gone, odd, slow, strange

_CLOSE = 1e-6
_MOST_TALKS = 3  # that a client has at once


async def known(client: Client) -> None:
    """A greedy question in a mood: in company the same as alone."""
    place = client.place
    each = client.choose.choice(place.known)
    body = dict(each.body)
    if client.choose.random() < 0.3:
        body["n"] = 2
    if client.choose.random() < 0.5:
        body |= {"logprobs": 2} if "prompt" in body else {"logprobs": True, "top_logprobs": 2}
    each.check(await client.ask(body), place.record)


async def stopped(client: Client) -> None:
    """The same up to a text that stands in it."""
    each = client.choose.choice(client.place.known)
    words = each.text.split()
    if len(words) < 2:
        return
    stop = client.choose.choice(words[1:])
    answer = await client.ask({**each.body, "stop": [stop, "never said"]})
    (choice,) = answer.choices
    expected = each.text[: each.text.index(stop)]
    if (choice.text, choice.reason) != (expected, "stop"):
        raise Wrong(
            "crossed",
            f"{each.body!r:.300} up to {stop!r}: expected {expected!r}, found {choice.text!r}",
        )


async def echoed(client: Client) -> None:
    """A schema by which nothing but this request's own label can be said."""
    label = client.label
    choose = client.choose
    schema: Any = {"const": label}
    if choose.random() < 0.5:
        schema = {
            "type": "object",
            "properties": {"label": {"const": label}},
            "required": ["label"],
            "additionalProperties": False,
        }
    named = {"type": "json_schema", "json_schema": {"name": "label", "schema": schema}}
    body = {
        "messages": [{"role": "user", "content": "Say who you are."}],
        "response_format": named,
        "mood": {"joy": round(choose.random(), 3)},
        "temperature": 1.5,
        "n": choose.choice((1, 1, 2)),
    }
    for choice in (await client.ask(body)).choices:
        if choice.reason != "stop" or _read(choice.text) not in (label, {"label": label}):
            raise Wrong("crossed", f"expected {label!r}, found {choice.text!r} ({choice.reason})")


def _read(text: str) -> Any:
    """None for what is no JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None


async def called(client: Client) -> None:
    """The same as the argument of a tool."""
    label = client.label
    argument = {"type": "object", "properties": {"label": {"const": label}}, "required": ["label"]}
    tool = {"type": "function", "function": {"name": "tell", "parameters": argument}}
    body = {
        "model": "soak",
        "messages": [{"role": "user", "content": "Say who you are."}],
        "tools": [tool],
        "tool_choice": {"type": "function", "function": {"name": "tell"}},
    }
    status, told = await client.line.send("POST", "/v1/chat/completions", json=body)
    if status != 200:
        raise Refused(status, told)
    (choice,) = told["choices"]
    calls = choice["message"].get("tool_calls") or ()
    if [json.loads(call["function"]["arguments"])["label"] for call in calls] != [label]:
        raise Wrong("crossed", f"expected a call with {label!r}, found {choice!r:.300}")


async def foreseen(client: Client) -> None:
    """A mood of his own, which at each token is what the service foresaw."""
    choose = client.choose
    mood = {
        "joy": {"ramp": [round(choose.random(), 4), round(choose.random(), 4)], "over": 8},
        "fear": {"wave": [0, round(choose.random(), 4)], "period": 2 + choose.randrange(9)},
    }
    n = 12
    status, told = await client.line.send("POST", "/v1/mood/rows", json={"mood": mood, "tokens": n})
    if status != 200:
        raise Refused(status, told)
    body = {
        "messages": [{"role": "user", "content": "Tell me about bread."}],
        "mood": mood,
        "readings": True,
        "max_tokens": n,
        "seed": choose.randrange(2**31),
    }
    answer = await client.line.ask(body, stream=True, official=choose.random() < 0.5)
    expected = [dict(zip(told["emotions"], row, strict=True)) for row in told["asked"]]
    for number, found in enumerate(answer.choices[0].asked[:n]):
        row = expected[number]
        wrong = [name for name in found if abs(found[name] - row.get(name, 0.0)) > _CLOSE]
        if wrong:
            raise Wrong("crossed", f"token {number}, {wrong}: {found} instead of {row}")


async def talked(client: Client) -> None:
    """A turn in a session, whose mood is nobody else's; now and then in a new mood."""
    place, choose, began = client.place, client.choose, time.monotonic()
    client.talks = [talk for talk in client.talks if talk.name in place.talks.all]
    begins = not client.talks or (len(client.talks) < _MOST_TALKS and choose.random() < 0.3)
    talk = None if begins else choose.choice(client.talks)
    new = None if talk is not None and choose.random() < 0.6 else round(choose.random(), 9)
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": "And then?"}],
        "llamood": {"session": True if talk is None else talk.name},
        "readings": True,
        "max_tokens": 1 + choose.randrange(12),
    }
    may_miss = place.disk is not None and place.disk.is_full
    if new is not None:
        body["mood"] = {place.talks.emotion: new}
        if talk is not None:
            talk.feel(new, may_miss=may_miss)
    expected = talk.mood if talk is not None else new
    try:
        answer = await client.line.ask(body, stream=choose.random() < 0.7, official=False)
    except Refused as told:
        if talk is not None and new is not None:
            talk.take_back(new)
        if talk is not None and told.code == "session_not_found":
            place.talks.forget(talk)
            raise Wrong("lost", f"session {talk.name} is not known any more") from None
        raise
    except Cut:
        place.talks.n_cut += talk is None
        raise
    _require_mood(answer.choices[0].asked, place.talks.emotion, expected)
    if talk is None and answer.session is None:
        raise Wrong("lost", "a session was begun, and its name not told")
    if talk is None and new is not None and answer.session and not place.service.was_down(began):
        client.talks.append(place.talks.begin(answer.session, new, may_miss=may_miss))
    elif talk is None:
        place.talks.n_cut += 1
    elif new is not None:
        talk.since = time.monotonic()


def _require_mood(asked: Sequence[Mapping[str, float]], emotion: str, mood: float | None) -> None:
    if mood is None or not asked:
        raise Wrong("lost", "an answer in a session does not tell its mood")
    for found in asked:
        if abs(found.get(emotion, 0.0) - mood) > _CLOSE:
            raise Wrong("crossed", f"{emotion} {mood} in a session, found {found.get(emotion)}")


async def free(client: Client) -> None:
    """Anything goes, but it has an end, and says what it was asked for."""
    choose = client.choose
    n = choose.choice((1, 1, 2, 4))
    most = choose.choice((1, 8, 24, 64))
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": f"Tell me about {client.label}."}],
        "n": n,
        "max_tokens": most,
        "temperature": choose.choice((0.3, 0.8, 1.4)),
        "top_p": choose.choice((0.5, 0.95, 1.0)),
        "top_k": choose.choice((0, 40)),
        "seed": choose.randrange(-(2**31), 2**31),
        "frequency_penalty": choose.choice((0, 0.5)),
        "repeat_penalty": choose.choice((1.0, 1.1)),
        "mood": choose.choice(
            ({}, "joy=0.7", {"fear": {"drift": 0.6, "spread": 0.2, "return": 30, "seed": 7}}, "shy")
        ),
        "logprobs": True,
        "top_logprobs": 2,
        "readings": choose.random() < 0.3,
    }
    answer = await client.ask(body)
    for choice in answer.choices:
        if choice.reason not in ("stop", "length") or len(choice.logprobs) > most:
            raise Wrong("crossed", f"{len(choice.logprobs)} tokens of {most}, {choice.reason}")


async def several(client: Client) -> None:
    """Texts in one request, each of which is answered under its own number."""
    texts = [each for each in client.place.known if isinstance(each.body.get("prompt"), str)]
    some = [each for each in texts if each.body.get("mood") == texts[0].body.get("mood")]
    if not some:
        return await known(client)
    some = some[:3]
    most = min(each.body["max_tokens"] for each in some)
    body = {**some[0].body, "prompt": [each.body["prompt"] for each in some], "max_tokens": most}
    answer = await client.ask(body)
    for each, choice in zip(some, answer.choices, strict=True):
        if not each.text.startswith(choice.text):
            raise Wrong("crossed", f"{each.text!r} was expected, found {choice.text!r}")
    return None


async def too_long(client: Client) -> None:
    """A prompt for which there is no room: refused in words."""
    said = "bread and butter " * client.place.n_ctx
    body = {"messages": [{"role": "user", "content": said}], "max_tokens": 4}
    try:
        await client.ask(body)
    except Refused as told:
        if told.status in (429, 503):
            raise
        if told.code != "context_length_exceeded":
            raise Wrong("failed", f"a prompt that is too long was told {told}") from None
        return
    raise Wrong("failed", "a prompt that is too long was answered")


async def filled(client: Client) -> None:
    """An answer that has all the room there is: it ends where the context does, or before."""
    n_ctx = client.place.n_ctx
    said = "bread and butter " * (n_ctx // 5)
    body = {
        "prompt": said,
        "max_tokens": -1,
        "temperature": 1,
        "mood": "joy=0.5",
        "stream_options": {"include_usage": True},
    }
    answer = await client.line.ask(body, stream=True, official=client.choose.random() < 0.5)
    (choice,) = answer.choices
    n = int((answer.usage or {}).get("total_tokens", 0))
    if n > n_ctx + 1 or (choice.reason == "length" and n < n_ctx):
        raise Wrong("lost", f"{n} tokens of {n_ctx}, and {choice.reason}")


async def looked(client: Client) -> None:
    """What is not answered by the model."""
    for path in ("/v1/models", "/v1/emotions", "/v1/studio", "/metrics", "/health", "/"):
        status, _ = await client.line.send("GET", path)
        if status != 200:
            raise Refused(status, path)


Asked = Callable[[Client], Awaitable[None]]
# With how often each is asked, against each other.
KINDS: Mapping[str, tuple[Asked, int]] = {
    "answers known beforehand": (known, 24),
    "answers known, up to a stop text": (stopped, 6),
    "labels by a grammar": (echoed, 14),
    "labels in a tool's call": (called, 4),
    "moods that were foreseen": (foreseen, 8),
    "turns of sessions": (talked, 20),
    "free answers": (free, 10),
    "several prompts at once": (several, 3),
    "prompts that are too long": (too_long, 3),
    "contexts that are filled": (filled, 1),
    "pages and lists": (looked, 2),
    "streams left in the middle": (gone, 6),
    "requests given up while they wait": (cancelled, 5),
    "streams read slowly": (slow, 2),
    "wrong bodies": (odd, 6),
    "no HTTP, or strange HTTP": (strange, 3),
}
