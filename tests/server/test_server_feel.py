"""Characters that set their own moods over HTTP, by the tool ``feel``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

import tiny_chat
from llamood.voices.feel_tool import MOST_CALLS
from servers import Server, serving
from tool_models import CALL, write_reciting_model, write_tool_model

NAME = "tools"
ASK: list[Any] = [{"role": "user", "content": "How are you?"}]
FEEL: Any = {"type": "function", "function": {"name": "feel"}}
BAKE: Any = {"type": "function", "function": {"name": "bake"}}
TOOLS: list[Any] = [{"type": "function", "function": {"name": "bake"}}]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path = write_tool_model(tmp_path_factory.mktemp("feel"))
    with serving(path, "--ctx", "4096", "--voices", "4", "--name", NAME, exact=True) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[openai.OpenAI]:
    with server.client() as client:
        yield client


def chat(client: openai.OpenAI, *, feel: Any, **more: Any) -> Any:
    extra = {"feel": feel, **more.pop("extra", {})}
    how = {"messages": ASK, "seed": 3, "max_tokens": 120, "tool_choice": FEEL, **more}
    return client.chat.completions.create(model=NAME, extra_body=extra, **how)


def felt(choice: Any) -> dict[str, float]:
    """What the character set in its first call."""
    return dict(choice.llamood["feels"][0]["felt"])


def test_a_character_sets_its_mood_and_speaks_on_in_it(client: openai.OpenAI) -> None:
    answer = chat(client, feel=["joy", "anger"], extra={"readings": True})
    (choice,) = answer.choices
    assert choice.finish_reason in ("stop", "length")
    assert choice.message.tool_calls is None
    assert "<tool_call>" not in choice.message.content
    assert choice.message.content
    mood = felt(choice)
    assert mood
    assert set(mood) <= {"joy", "anger"}
    assert all(0 < intensity <= 1 for intensity in mood.values())
    assert choice.llamood["asked"] == pytest.approx(mood)
    assert 0 < answer.usage.completion_tokens <= 120
    assert answer.usage.total_tokens == sum(
        (answer.usage.prompt_tokens, answer.usage.completion_tokens)
    )


def test_what_is_said_after_the_call_depends_on_the_mood(client: openai.OpenAI) -> None:
    """With the same seed and the same words before, another limit is another mood."""
    texts = {}
    for most in (0.001, 1.0):
        how = {"logprobs": True, "temperature": 0.0}
        (choice,) = chat(client, feel={"joy": most}, seed=1, **how).choices
        texts[most] = choice.message.content
        assert felt(choice)["joy"] <= most
    assert texts[0.001] != texts[1.0]


def test_a_stream_says_the_same(client: openai.OpenAI) -> None:
    (whole,) = chat(client, feel=True, extra={"readings": True}).choices
    chunks = list(chat(client, feel=True, stream=True, extra={"readings": True}))
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert said == whole.message.content
    assert len({chunk.id for chunk in chunks}) == 1
    reasons = [chunk.choices[0].finish_reason for chunk in chunks]
    assert reasons[-1] == whole.finish_reason
    assert set(reasons[:-1]) == {None}
    assert not any(chunk.choices[0].delta.tool_calls for chunk in chunks)
    told = [chunk.llamood.get("feels") for chunk in chunks if hasattr(chunk, "llamood")]
    first = next(i for i, feels in enumerate(told) if feels)
    assert told[first:] == [whole.llamood["feels"]] * len(told[first:])
    moods = [chunk.llamood["asked"] for chunk in chunks if hasattr(chunk, "llamood")]
    assert all(not mood for mood in moods[: first + 1])  # the call is said without a mood
    assert moods[-1] == pytest.approx(felt(whole))


def test_what_it_may_not_set_stays_as_it_was_asked(client: openai.OpenAI) -> None:
    mood = {"joy": 0.2, "anger": 0.25}
    (choice,) = chat(client, feel={"joy": 0.5}, extra={"mood": mood, "readings": True}).choices
    asked = choice.llamood["asked"]
    assert asked["anger"] == 0.25
    assert asked.get("joy", 0.0) == pytest.approx(felt(choice).get("joy", 0.0))


def test_a_session_goes_on_in_what_the_character_set(client: openai.OpenAI) -> None:
    first = chat(client, feel=["joy"], extra={"llamood": {"session": True}})
    session = {"llamood": {"session": first.llamood["session"]}, "readings": True}

    def asked(**more: Any) -> Any:
        extra = {**session, **more}
        how: dict[str, Any] = {"messages": ASK, "seed": 1, "max_tokens": 2, "extra_body": extra}
        return client.chat.completions.create(model=NAME, **how).choices[0].llamood["asked"]

    assert felt(first.choices[0])
    assert asked() == pytest.approx(felt(first.choices[0]))
    assert asked(mood={"anger": 0.5}) == {"anger": 0.5}
    assert asked() == {"anger": 0.5}


def test_calls_of_other_tools_are_the_clients(client: openai.OpenAI) -> None:
    answer = chat(client, feel=["joy"], tools=TOOLS, tool_choice=BAKE)
    (call,) = answer.choices[0].message.tool_calls
    assert call.function.name == "bake"
    assert answer.choices[0].finish_reason == "tool_calls"
    assert not hasattr(answer.choices[0], "llamood")
    for choice in ("none", "auto"):
        prompt = chat(client, feel=["joy"], tools=TOOLS, tool_choice=choice, max_tokens=1).usage
        bare = chat(client, feel=None, tools=TOOLS, tool_choice=choice, max_tokens=1).usage
        assert prompt.prompt_tokens > bare.prompt_tokens


def test_several_answers_each_feel_by_themselves(client: openai.OpenAI) -> None:
    answer = chat(client, feel=True, n=3, extra={"readings": True})
    for choice in answer.choices:
        assert choice.llamood["asked"] == pytest.approx(felt(choice))
    assert len({json.dumps(felt(choice)) for choice in answer.choices}) > 1
    again = chat(client, feel=True, n=3, extra={"readings": True})
    assert [c.message for c in again.choices] == [c.message for c in answer.choices]


def test_who_goes_in_a_later_turn_leaves_the_voice_to_others(
    server: Server, client: openai.OpenAI
) -> None:
    how = {"feel": ["joy"], "max_tokens": 3000, "temperature": 2.0, "stream": True}
    with chat(client, **how) as stream:
        next(chunk for chunk in stream if chunk.choices[0].delta.content)
    server.settles("llamood_speaking", 0)
    server.settles("llamood_waiting", 0)


def test_an_answer_has_no_more_tokens_than_asked_for_in_all_its_turns(
    client: openai.OpenAI,
) -> None:
    for n in (1, 30, 75):
        answer = chat(client, feel=["joy"], max_tokens=n)
        assert answer.usage.completion_tokens <= n
    answer = chat(client, feel=["joy"], max_tokens=1)
    assert answer.choices[0].finish_reason == "length"
    assert answer.choices[0].message.content is not None


@pytest.mark.parametrize(
    ("more", "param", "said"),
    [
        ({"feel": ["hope"]}, "feel", "no emotion at hand"),
        ({"feel": ["jo"]}, "feel", "did you mean 'joy'"),
        ({"feel": {"joy": 0}}, "feel", "above 0"),
        ({"feel": {"joy": -1}}, "feel", "above 0"),
        ({"feel": {"joy": 1e9}}, "feel", "joy"),
        ({"feel": []}, "feel", "at least 1"),
        ({"feel": "joy"}, "feel", "expected a list"),
        ({"feel": False}, "feel", "expected a list"),
        ({"feel": ["joy"], "tools": [FEEL]}, "tools", "called feel already"),
        (
            {"feel": ["joy"], "response_format": {"type": "json_object"}},
            "feel",
            "JSON calls nothing",
        ),
    ],
)
def test_what_cannot_be_set_is_refused(server: Server, more: Any, param: str, said: str) -> None:
    status, told = server.post("/v1/chat/completions", {"messages": ASK, **more})
    assert status == 400
    assert told["error"]["param"] == param
    assert said in told["error"]["message"]


def test_a_model_without_tools_sets_no_mood() -> None:
    with serving(tiny_chat.MODEL, "--voices", "1") as server:
        status, told = server.post("/v1/chat/completions", {"messages": ASK, "feel": ["joy"]})
    assert (status, told["error"]["param"]) == (400, "feel")
    assert "no tool calls" in told["error"]["message"]


# -- models that call by themselves ------------------------------------------------------------


@pytest.fixture(scope="module")
def calling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    """One that does nothing but call, whatever it is told."""
    path = write_reciting_model(tmp_path_factory.mktemp("calling"))
    with (
        serving(path, "--ctx", "2048", "--voices", "2", "--name", NAME) as server,
        server.client() as client,
    ):
        yield client


HOW: dict[str, Any] = {"tool_choice": "auto", "temperature": 0, "max_tokens": 400}


@pytest.mark.parametrize("stream", [False, True])
def test_it_may_call_only_so_often(calling: openai.OpenAI, stream: bool) -> None:
    answer = chat(calling, feel=["joy"], stream=stream, **HOW)
    (*_, last) = answer if stream else [answer]
    choice = last.choices[0]
    feels = (choice if not stream else last).llamood["feels"]
    assert choice.finish_reason == "stop"
    assert feels[:MOST_CALLS] == [{"felt": {"joy": 0.5}}] * MOST_CALLS
    assert len(feels) == MOST_CALLS + 1
    assert "times" in feels[-1]["refused"]


def test_a_call_beyond_a_limit_is_kept_within_it_and_one_of_another_emotion_refused(
    calling: openai.OpenAI,
) -> None:
    (choice,) = chat(calling, feel={"joy": 0.3}, **HOW).choices
    assert felt(choice) == {"joy": 0.3}
    (choice,) = chat(calling, feel=["anger"], extra={"readings": True}, **HOW).choices
    assert all("no 'joy'" in told["refused"] for told in choice.llamood["feels"][:MOST_CALLS])
    assert choice.llamood["asked"] == {}


def test_where_the_next_turn_has_no_room_the_answer_ends(calling: openai.OpenAI) -> None:
    long = [{"role": "user", "content": "a" * 1580}]
    (choice,) = chat(calling, feel=["joy"], messages=long, **HOW).choices
    assert choice.finish_reason == "length"
    assert choice.llamood["feels"] == [{"felt": {"joy": 0.5}}]


def test_a_call_is_text_where_no_mood_may_be_set(calling: openai.OpenAI) -> None:
    (choice,) = chat(calling, feel=None, **{**HOW, "tool_choice": "none"}).choices
    assert choice.message.content.startswith("<tool_call>")
    assert not hasattr(choice, "llamood")


@pytest.mark.parametrize("steer", ["prose", "all"])
def test_who_speaks_on_after_a_call_speaks_on_in_the_mood(tmp_path: Path, steer: str) -> None:
    path = write_reciting_model(tmp_path, says=("Oh. ", *CALL, "So glad.", " Yes."))
    with (
        serving(path, "--ctx", "2048", "--voices", "1", "--name", NAME) as server,
        server.client() as client,
    ):
        extra = {"readings": True, "mood": {"anger": 0.25}, "llamood": {"steer": steer}}
        chunks = list(chat(client, feel=["joy"], stream=True, extra=extra, **HOW))
        told = [(c.choices[0].delta.content or "", c.llamood["mood"]) for c in chunks[1:]]
    before, after = {"anger": 0.25}, {"anger": 0.25, "joy": 0.5}
    within = before if steer == "all" else {}
    texts = [text for text, _ in told if text]
    assert texts == ["Oh. ", "So glad.", " Yes."]
    assert [mood for text, mood in told if not text][1:4] == [within] * 3
    assert dict(told)["Oh. "] == before
    assert dict(told)["So glad."] == dict(told)[" Yes."] == after
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].llamood["feels"] == [{"felt": {"joy": 0.5}}]
