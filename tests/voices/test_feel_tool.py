"""Characters that set their own moods in Python, by the tool ``feel``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import llama_cpp
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llamood
import tiny_chat
from llamood.errors import ModelError, MoodError
from llamood.moods.mood import Mood
from llamood.voices.feel_tool import MOST_CALLS, Feeling, FeelTool
from open_voices import SETTINGS, random_vectors
from tool_models import CALL, with_tools, write_reciting_model, write_tool_model

ASK = [{"role": "user", "content": "How are you?"}]
FEEL = {"type": "function", "function": {"name": "feel"}}
SETS: dict[str, Any] = {"messages": ASK, "feel": ["joy", "anger"], "tool_choice": FEEL}
HOW: dict[str, Any] = {**SETTINGS, "n_ctx": 4096, "guard": False}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tool_model(tmp_path_factory.mktemp("tools"))


@pytest.fixture(scope="module")
def emotions(model: Path) -> llamood.EmotionVectors:
    return random_vectors(model)


@pytest.fixture
def llm(model: Path, emotions: llamood.EmotionVectors) -> Iterator[llamood.Llama]:
    llm = llamood.Llama(model, emotions=emotions, **HOW)
    yield llm
    llm.close()


# -- a voice -----------------------------------------------------------------------------------


def test_a_voice_sets_its_mood_and_speaks_on_in_it(llm: llamood.Llama) -> None:
    made = llm.create_chat_completion(**SETS, max_tokens=120, seed=3, trace=True)
    (choice,) = made["choices"]
    (felt,) = (told["felt"] for told in made["llamood"]["feels"])
    assert felt
    assert llm.mood == Mood(felt)
    assert "<tool_call>" not in choice["message"]["content"]
    assert choice["message"]["content"]
    assert made["usage"]["completion_tokens"] <= 120
    emotions = made["llamood"]["trace"]["emotions"]
    asked = [token["asked"] for token in made["llamood"]["trace"]["tokens"]]
    assert not any(asked[0])  # the call itself is said without a mood
    assert asked[-1] == pytest.approx([felt.get(name, 0.0) for name in emotions])


def test_a_stream_says_the_same_as_the_whole(model: Path, emotions: llamood.EmotionVectors) -> None:
    said = []
    for stream in (False, True):
        llm = llamood.Llama(model, emotions=emotions, **HOW)
        made = llm.create_chat_completion(**SETS, max_tokens=120, seed=3, stream=stream)
        if not stream:
            (choice,) = made["choices"]
            said.append((choice["message"]["content"], choice["finish_reason"], llm.mood))
            continue
        chunks = list(made)
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
        text = "".join(delta.get("content") or "" for delta in deltas)
        said.append((text, chunks[-1]["choices"][0]["finish_reason"], llm.mood))
        assert [delta for delta in deltas if "role" in delta] == deltas[:1]
        assert len({chunk["id"] for chunk in chunks}) == 1
        assert chunks[-1]["llamood"]["feels"]
        llm.close()
    assert said[0] == said[1]


def test_with_a_mood_of_its_own_the_call_alone_is_changed(llm: llamood.Llama) -> None:
    llm.feel(anger=0.25)
    made = llm.create_chat_completion(
        **SETS, mood={"joy": 0.125, "$inertia": 4}, max_tokens=120, seed=3, trace=True
    )
    assert made["llamood"]["feels"][0]["felt"]
    assert llm.mood == Mood(anger=0.25)
    asked = made["llamood"]["trace"]["tokens"][-1]["asked"]
    felt = made["llamood"]["feels"][0]["felt"]
    assert asked == pytest.approx([felt.get("anger", 0.0), felt.get("joy", 0.0)])


@pytest.mark.parametrize("stream", [False, True])
def test_a_voice_that_speaks_on_after_a_call(tmp_path: Path, stream: bool) -> None:
    path = write_reciting_model(tmp_path, says=("Oh. ", *CALL, "So glad.", " Yes."))
    llm = llamood.Llama(path, emotions=tmp_path / "model.evs", **HOW)
    llm.feel(anger=0.25)
    how: dict[str, Any] = {"temperature": 0, "max_tokens": 40, "trace": True, "stream": stream}
    made = llm.create_chat_completion(ASK, feel={"joy": 1}, **how)
    if stream:
        chunks = list(made)
        texts = [chunk["choices"][0]["delta"].get("content") for chunk in chunks]
        assert [text for text in texts if text] == ["Oh. ", "So glad.", " Yes."]
        made = chunks[-1]
    else:
        assert made["choices"][0]["message"]["content"] == "Oh. So glad. Yes."
    asked = [token["asked"] for token in made["llamood"]["trace"]["tokens"]]
    assert asked == [[0.25, 0.0]] * (1 + len(CALL)) + [[0.25, 0.5]] * 3
    assert llm.mood == Mood(anger=0.25, joy=0.5)
    llm.close()


@pytest.mark.parametrize("stream", [False, True])
def test_a_voice_that_only_calls_may_call_so_often(tmp_path: Path, stream: bool) -> None:
    path = write_reciting_model(tmp_path)
    llm = llamood.Llama(path, emotions=tmp_path / "model.evs", **HOW)
    how: dict[str, Any] = {"temperature": 0, "stream": stream}
    made = llm.create_chat_completion(ASK, feel=True, **how)
    last = list(made)[-1] if stream else made
    assert len(last["llamood"]["feels"]) == MOST_CALLS + 1
    assert last["choices"][0]["finish_reason"] == "stop"
    made = llm.create_chat_completion(ASK, feel=True, max_tokens=6, **how)
    last = list(made)[-1] if stream else made
    assert last["choices"][0]["finish_reason"] == "length"
    llm.close()


def test_other_tools_are_as_llama_cpp_has_them(model: Path, llm: llamood.Llama) -> None:
    parameters = {"type": "object", "properties": {"n": {"enum": [1, 2]}}, "required": ["n"]}
    tools = [{"type": "function", "function": {"name": "bake", "parameters": parameters}}]
    choice = {"type": "function", "function": {"name": "bake"}}
    made = llm.create_chat_completion(ASK, feel=["joy"], tools=tools, tool_choice=choice, seed=1)
    (call,) = made["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"])["n"] in (1, 2)
    assert "llamood" not in made
    how: dict[str, Any] = {"tools": tools, "tool_choice": choice, "seed": 1, "stream": True}
    chunks = list(llm.create_chat_completion(ASK, feel=["joy"], **how))
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    calls = [call for each in deltas for call in each.get("tool_calls") or ()]
    assert json.loads("".join(call["function"]["arguments"] for call in calls))["n"] in (1, 2)
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"
    with pytest.raises(ModelError, match="called feel already"):
        llm.create_chat_completion(ASK, feel=["joy"], tools=[FEEL])


def test_what_is_felt_meanwhile_stays(llm: llamood.Llama) -> None:
    """Who calls `feel` in the middle of a stream is not overruled by what was before."""
    chunks = llm.create_chat_completion(ASK, feel=["joy"], stream=True, max_tokens=30, seed=1)
    next(chunks)
    llm.feel(anger=0.5)
    for _ in chunks:
        pass
    assert llm.mood == Mood(anger=0.5)


def test_voices_that_cannot(model: Path, llm: llamood.Llama) -> None:
    bare = llamood.Llama(model, **SETTINGS)
    with pytest.raises(MoodError, match="needs emotions"):
        bare.create_chat_completion(ASK, feel=["joy"])
    bare.close()
    other = llamood.Llama(tiny_chat.MODEL, emotions=tiny_chat.VECTORS, **SETTINGS)
    with pytest.raises(ModelError, match="no tool calls"):
        other.create_chat_completion(ASK, feel=["joy"])
    other.close()


@pytest.mark.slow
def test_what_a_real_model_set_is_what_its_answer_expresses(
    tmp_path: Path, demo_model: Path, demo_vectors: Path
) -> None:
    path = with_tools(demo_model, tmp_path)
    llm = llamood.Llama(path, emotions=demo_vectors, readings=True, n_ctx=1024, n_threads=2)
    read: dict[str, list[float]] = {"joy": [], "anger": []}
    for i, question in enumerate(("How was your day?", "What is on your mind?", "Who are you?")):
        for name, readings in read.items():
            llm.feel()
            made = llm.create_chat_completion(
                [{"role": "user", "content": question}],
                feel=[name],
                tool_choice=FEEL,
                max_tokens=90,
                temperature=0.7,
                seed=i,
            )
            assert made["llamood"]["feels"]
            readings.append(made["llamood"]["reading"]["joy"] - made["llamood"]["reading"]["anger"])
    llm.close()
    assert fmean(read["joy"]) > fmean(read["anger"]) + 0.5


# -- a cast ------------------------------------------------------------------------------------


def test_a_program_lets_a_voice_of_a_cast_feel(tmp_path: Path) -> None:
    """By the parts that `Llama` is made of."""
    path = write_reciting_model(tmp_path, says=("Oh. ", *CALL, "So glad."))
    cast = llamood.Cast(path, emotions=tmp_path / "model.evs", voices=1, n_ctx=1024)
    voice = cast.join(temperature=0.0)
    tool = FeelTool.of({"joy": 0.25}, cast.emotions)
    feeling = Feeling(tool, Mood())
    prompt = cast.prompt(ASK, tools=[tool.definition])
    said, moods = "", []
    for event in cast.answer(prompt, among=[voice], temperature=0.0, max_tokens=20):
        text, _ = feeling.hear(event.text, is_last=event.finish_reason is not None)
        if feeling.mood != voice.mood:
            cast.feel(voice, feeling.mood)
        said += text
        moods.append(dict(event.mood))
    assert said == "Oh. So glad."
    assert moods[-1] == {"joy": 0.25}
    assert not any(moods[:5])
    cast.close()


# -- the tool ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "limits"),
    [
        (["joy"], {"joy": 1.0}),
        (("anger", "joy"), {"anger": 1.0, "joy": 1.0}),
        ({"joy": 2}, {"joy": 2.0}),
        (True, {"anger": 1.0, "joy": 1.0}),
    ],
)
def test_what_may_be_set(emotions: llamood.EmotionVectors, asked: Any, limits: Any) -> None:
    tool = FeelTool.of(asked, emotions)
    assert tool.limits == limits
    parameters = tool.definition["function"]["parameters"]
    assert {k: v["maximum"] for k, v in parameters["properties"].items()} == limits


def test_an_emotion_is_set_up_to_its_ceiling_where_that_is_known(
    model: Path, emotions: llamood.EmotionVectors
) -> None:
    low = llamood.EmotionVectors(emotions.names, emotions.data, ceiling=(0.5, None))
    assert FeelTool.of(True, low).limits == {"anger": 0.5, "joy": 1.0}


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        (["hope"], "no emotion at hand"),
        (["jo"], "did you mean 'joy'"),
        ([1], "no emotion at hand"),
        ("joy", "expected emotions"),
        (False, "expected emotions"),
        (None, "expected emotions"),
        ([], "found none"),
        ({}, "found none"),
        ({"joy": 0}, "above 0"),
        ({"joy": True}, "a bool"),
        ({"joy": "much"}, "above 0"),
        ({"joy": float("nan")}, "joy"),
        ({"joy": 1e9}, "joy"),
    ],
)
def test_what_may_not_be_set(emotions: llamood.EmotionVectors, asked: Any, match: str) -> None:
    with pytest.raises(MoodError, match=match):
        FeelTool.of(asked, emotions)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('{"joy": 0.5}', {"felt": {"joy": 0.5}}),
        ('{"joy": 7, "anger": -1}', {"felt": {"joy": 1.0, "anger": 0.0}}),
        ('{"joy": 1e999}', {"felt": {"joy": 1.0}}),
        ('{"joy": ' + "9" * 400 + "}", {"felt": {"joy": 1.0}}),
        ("{}", {"felt": {}}),
        ('{"hope": 1}', "no 'hope'"),
        ('{"joy": NaN}', "no number"),
        ('{"joy": true}', "no number"),
        ('{"joy": "0.5"}', "no number"),
        ('"joy"', "expected an object"),
        ("[1]", "expected an object"),
    ],
)
def test_what_a_call_is_answered(
    emotions: llamood.EmotionVectors, arguments: str, told: Any
) -> None:
    answer = FeelTool.of(True, emotions).answer(arguments)
    if isinstance(told, str):
        assert told in answer["refused"]
    else:
        assert answer == told


def test_a_call_by_its_grammar_is_one_that_is_understood(
    llm: llamood.Llama, emotions: llamood.EmotionVectors
) -> None:
    tool = FeelTool.of({"joy": 0.5, "anger": 2}, emotions)
    grammar = llama_cpp.LlamaGrammar.from_string(tool.grammar, verbose=False)
    felt = []
    for seed in range(12):
        how: dict[str, Any] = {"temperature": 50.0, "top_p": 1.0, "min_p": 0.0, "seed": seed}
        made = llm.create_completion("a", grammar=grammar, max_tokens=200, **how)
        feeling = Feeling(tool, Mood())
        assert feeling.hear(made["choices"][0]["text"], is_last=True) == ("", [])
        felt.append(feeling.told[0]["felt"])
        assert feeling.goes_on
    assert {name for mood in felt for name in mood} == {"joy", "anger"}
    assert all(mood.get("joy", 0) <= 0.5 and mood.get("anger", 0) <= 2 for mood in felt)


def test_what_a_call_leaves_out_is_not_felt_and_what_is_not_the_tools_stays() -> None:
    tool = FeelTool({"joy": 1.0, "fear": 1.0})
    mood = Mood({"joy": 0.5, "anger": {"ramp": [0, 1], "over": 8}, "$inertia": 20})
    feeling = Feeling(tool, mood)
    feeling.hear('<tool_call>{"name": "feel", "arguments": {"fear": 0.25}}</tool_call>')
    assert feeling.mood == Mood(
        {"fear": 0.25, "anger": {"ramp": [0, 1], "over": 8}, "$inertia": 20}
    )


FELT = '<tool_call>{"name": "feel", "arguments": {"joy": 0.5}}</tool_call>'
BAKE = '<tool_call>{"name": "bake"}</tool_call>'


@given(st.lists(st.integers(0, 300), max_size=12))
def test_calls_are_heard_however_they_come(cuts: list[int]) -> None:
    text = f"Oh. {FELT} Well. {BAKE}{FELT}\n"
    feeling = Feeling(FeelTool({"joy": 1.0}), Mood(), others=["bake"])
    ends = sorted({min(cut, len(text)) for cut in cuts} | {len(text)})
    said, at = "", 0
    calls: list[dict[str, Any]] = []
    for end in ends:
        more, new = feeling.hear(text[at:end], is_last=end == len(text))
        said, calls, at = said + more, calls + new, end
    assert said == "Oh.  Well. \n"
    assert [call["function"]["name"] for call in calls] == ["bake"]
    assert calls == feeling.found
    assert feeling.told == [{"felt": {"joy": 0.5}}] * 2
    assert not feeling.goes_on  # the client has something to run


@pytest.mark.parametrize(
    ("text", "goes_on"),
    [
        (FELT, True),
        (f"Oh. {FELT}\n", True),
        (f"{FELT} So glad.", False),
        (FELT.removesuffix("</tool_call>"), True),
        ("So glad.", False),
        ("", False),
        (f"{FELT}{BAKE}", False),
        ('<tool_call>{"name": ["feel"]}</tool_call>', False),
    ],
)
def test_an_answer_goes_on_where_its_last_word_is_a_call(text: str, goes_on: bool) -> None:
    feeling = Feeling(FeelTool({"joy": 1.0}), Mood())
    feeling.hear(text, is_last=True)
    assert feeling.goes_on is goes_on


def test_the_next_turn_is_told_what_came_of_the_last() -> None:
    feeling = Feeling(FeelTool({"joy": 1.0}), Mood())
    feeling.hear(f"Oh. {FELT}", is_last=True)
    said, result = feeling.next_turn()
    assert said["content"] == "Oh. "
    assert said["tool_calls"][0]["function"] == {"name": "feel", "arguments": {"joy": 0.5}}
    assert result["tool_call_id"] == said["tool_calls"][0]["id"]
    assert json.loads(result["content"]) == {"felt": {"joy": 0.5}}
    feeling.hear(FELT, is_last=True)
    assert len(feeling.next_turn()) == 4
