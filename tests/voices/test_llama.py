"""One voice is a `llama_cpp.Llama` in every other way, and takes a mood wherever it speaks."""

from __future__ import annotations

import contextlib
import inspect
import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest
from llama_cpp.llama_speculative import LlamaPromptLookupDecoding

import llamood
from llamood import _core
from llamood.errors import LlamoodError, MoodError, VectorError
from llamood.vectors.measurement import Measurement
from open_voices import JOY, PROMPT, SETTINGS, answer, plain, random_vectors, shape_of, voice

MESSAGES = [
    {"role": "system", "content": "You are a guard."},
    {"role": "user", "content": "Let me pass."},
]
GREEDY: dict[str, Any] = {"max_tokens": 24, "temperature": 0.0}
FEAR: Mapping[str, Any] = {"joy": -1.0, "anger": 0.5}


def text_of(completion: Any) -> str:
    """Of a completion, a chat completion, or a stream of either."""
    if not isinstance(completion, Mapping):
        return "".join(map(text_of, completion))
    choice = completion["choices"][0]
    if "text" in choice:
        text: str = choice["text"]
        return text
    return str(choice.get("message", choice.get("delta"))["content"] or "")


def complete(llm: llama_cpp.Llama, **asked: Any) -> str:
    return text_of(llm.create_completion(PROMPT, **GREEDY, **asked))


def call(llm: llama_cpp.Llama, **asked: Any) -> str:
    return text_of(llm(PROMPT, **GREEDY, **asked))


def chat(llm: llama_cpp.Llama, **asked: Any) -> str:
    said = llm.create_chat_completion(MESSAGES, **GREEDY, **asked)
    if isinstance(said, Mapping):
        return text_of(said)
    # The first chunk of a chat's stream names the role, the last one the reason for its end.
    return "".join(str(c["choices"][0]["delta"].get("content", "")) for c in said)


Speaking = Callable[..., str]
SPEAKING: list[Speaking] = [complete, call, chat]


# -- as llama_cpp has it --------------------------------------------------------------------


@pytest.mark.parametrize("speak", SPEAKING)
@pytest.mark.parametrize("stream", [False, True])
def test_without_a_mood_says_what_llama_cpp_says(
    model: Path, speak: Speaking, stream: bool
) -> None:
    expected = speak(plain(model), stream=stream)
    assert expected
    assert speak(voice(model), stream=stream) == expected
    assert speak(voice(model, emotions=None), stream=stream) == expected


@pytest.mark.parametrize("speak", SPEAKING)
@pytest.mark.parametrize("stream", [False, True])
def test_mood_of_a_call_is_the_mood_felt(model: Path, speak: Speaking, stream: bool) -> None:
    llm = voice(model)
    neutral = speak(llm, stream=stream)
    llm.feel(JOY)
    joyful = speak(llm, stream=stream)
    llm.feel()
    assert joyful != neutral
    assert speak(llm, stream=stream, mood=JOY) == joyful
    assert speak(llm, stream=stream) == neutral
    assert speak(llm, stream=stream, mood="joy=1") == joyful
    llm.feel(JOY)
    assert speak(llm, stream=stream, mood={}) == neutral  # neutral, for this call
    assert speak(llm, stream=stream) == joyful


def test_takes_every_argument_of_llama_cpp(random_chat: Path) -> None:
    parameters = inspect.signature(llama_cpp.Llama.__init__).parameters.values()
    defaults = {
        p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "verbose"
    }
    assert {"n_gpu_layers", "chat_format", "type_v", "draft_model"} <= set(defaults)
    evs = random_vectors(random_chat)
    llm = llamood.Llama(str(random_chat), emotions=evs, verbose=False, **defaults)
    theirs = llama_cpp.Llama(str(random_chat), verbose=False, **defaults)
    assert complete(llm) == complete(theirs)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("n_gpu_layer", "; did you mean 'n_gpu_layers'?"),
        ("emotion", ""),
        ("qqq", ""),
        ("kwargs", ""),
    ],
)
def test_an_unknown_argument_is_refused_by_name(random_chat: Path, name: str, hint: str) -> None:
    with pytest.raises(TypeError) as refused:
        llamood.Llama(random_chat, **{name: 1})
    assert str(refused.value).startswith(f"llamood.Llama got an unknown argument {name!r}")
    assert str(refused.value).endswith(hint)


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        llamood.Llama(tmp_path / "none.gguf", verbose=False)


@pytest.mark.parametrize("mood", [{}, JOY, FEAR])
def test_grammar(random_chat: Path, mood: Mapping[str, Any]) -> None:
    grammar = llama_cpp.LlamaGrammar.from_string('root ::= ("yes" | "no") " " [a-c] [0-9]')
    llm = voice(random_chat)
    said = text_of(llm(PROMPT, grammar=grammar, mood=mood, **GREEDY))
    word, letter = said.split(" ")
    assert word in ("yes", "no")
    assert letter[0] in "abc"
    assert letter[1:].isdigit()
    if not mood:
        assert said == text_of(plain(random_chat)(PROMPT, grammar=grammar, **GREEDY))


TOOL = {
    "type": "function",
    "function": {
        "name": "open_gate",
        "parameters": {
            "type": "object",
            "properties": {"which": {"enum": ["north", "south"]}, "wide": {"type": "boolean"}},
            "required": ["which", "wide"],
        },
    },
}


@pytest.mark.parametrize("mood", [{}, JOY, FEAR])
@pytest.mark.parametrize("stream", [False, True])
def test_tools(random_chat: Path, mood: Mapping[str, Any], stream: bool) -> None:
    asked = {
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "open_gate"}},
        "stream": stream,
        "max_tokens": 80,
        "temperature": 0.0,
    }

    def arguments(llm: llama_cpp.Llama, **more: Any) -> str:
        said = llm.create_chat_completion(MESSAGES, **asked, **more)
        if not stream:
            (made,) = said["choices"][0]["message"]["tool_calls"]
            return str(made["function"]["arguments"])
        deltas = [chunk["choices"][0]["delta"] for chunk in said]
        calls = [call for delta in deltas for call in delta.get("tool_calls") or []]
        assert {made["function"]["name"] for made in calls} == {"open_gate"}
        return "".join(made["function"]["arguments"] for made in calls)

    settings = {"chat_format": "chatml-function-calling", "n_ctx": 1024}
    made = arguments(voice(random_chat, **settings), mood=mood)
    gate = json.loads(made)
    assert gate["which"] in ("north", "south")
    assert isinstance(gate["wide"], bool)
    if not mood:
        assert made == arguments(plain(random_chat, **settings))


LETTERS = "root ::= [a-z]{24}"
OBJECT = {
    "type": "json_object",
    "schema": {
        "type": "object",
        "properties": {"a": {"type": "string", "minLength": 9, "maxLength": 9}},
        "required": ["a"],
    },
}


def formed(llm: llama_cpp.Llama, kind: str, **more: Any) -> str:
    """What is drawn by a grammar, in one of the ways to ask for that."""
    how = {**GREEDY, "max_tokens": 60, **more}
    if kind == "json":
        return text_of(llm.create_chat_completion(MESSAGES, response_format=OBJECT, **how))
    grammar = llama_cpp.LlamaGrammar.from_string(LETTERS, verbose=False)
    if kind == "call":
        return text_of(llm(PROMPT, grammar=grammar, **how))
    return text_of(llm.create_completion(PROMPT, grammar=grammar, stream=kind == "stream", **how))


@pytest.mark.parametrize("kind", ["completion", "stream", "call", "json"])
def test_what_a_grammar_draws_is_said_without_the_mood(random_chat: Path, kind: str) -> None:
    plainly = formed(plain(random_chat), kind)
    for mood in (JOY, FEAR):
        llm = voice(random_chat)
        assert formed(llm, kind, mood=mood) == plainly
        llm.feel(mood)
        assert formed(llm, kind) == plainly
        assert llm.mix == {}
        assert complete(llm) == complete(voice(random_chat), mood=mood)  # its next words are in it
    steered = {formed(voice(random_chat), kind, mood=mood, steer="all") for mood in (JOY, FEAR)}
    assert steered != {plainly}


def test_a_mood_of_now_reaches_no_answer_of_a_grammar(random_chat: Path) -> None:
    grammar = llama_cpp.LlamaGrammar.from_string(LETTERS, verbose=False)
    plainly = formed(plain(random_chat), "completion")
    llm = voice(random_chat)
    said = ""
    for chunk in llm(PROMPT, grammar=grammar, stream=True, **{**GREEDY, "max_tokens": 60}):
        said += text_of(chunk)
        llm.feel(JOY)
    assert said == plainly
    traced = llm(PROMPT, grammar=grammar, trace=True, **GREEDY)["llamood"]["trace"]
    assert traced["tokens"]
    assert not any(any(token["applied"]) for token in traced["tokens"])


def test_where_to_steer_is_one_of_two(random_chat: Path) -> None:
    with pytest.raises(MoodError, match="steer is 'json', expected 'prose' or 'all'"):
        voice(random_chat)(PROMPT, steer="json")


def test_embeddings_are_those_of_the_text(model: Path) -> None:
    llm, theirs = voice(model, embedding=True), plain(model, embedding=True)
    texts = [PROMPT, "Tom"]
    expected = theirs.create_embedding(texts)["data"]
    assert llm.create_embedding(texts)["data"] == expected
    llm.feel({**JOY, "$positions": "all"})
    assert complete(llm) != complete(theirs)
    assert llm.create_embedding(texts)["data"] == expected


@pytest.mark.parametrize("mood", [{}, JOY, {**JOY, "$positions": "all"}])
def test_a_draft_model_changes_nothing_but_speed(model: Path, mood: Mapping[str, Any]) -> None:
    long: dict[str, Any] = {"max_tokens": 60, "temperature": 0.0}
    drafted: list[int] = []

    class Draft(LlamaPromptLookupDecoding):  # type: ignore[misc]
        def __call__(self, input_ids: Any, /, **kwargs: Any) -> Any:
            found = super().__call__(input_ids, **kwargs)
            drafted.append(len(found))
            return found

    llm = voice(model, draft_model=Draft(num_pred_tokens=4), logits_all=True)
    for _ in range(2):
        said = text_of(llm(PROMPT, mood=mood, **long))
        assert said == text_of(voice(model)(PROMPT, mood=mood, **long))
    assert max(drafted) > 0


def test_logprobs(random_chat: Path) -> None:
    llm, theirs = voice(random_chat, logits_all=True), plain(random_chat, logits_all=True)
    asked = {"logprobs": 3, **GREEDY}
    expected = theirs(PROMPT, **asked)["choices"][0]
    assert llm(PROMPT, **asked)["choices"][0] == expected
    joyful = llm(PROMPT, mood=JOY, **asked)["choices"][0]["logprobs"]
    # Greedy: each token is the likeliest under the mood, as the steered logits have it.
    for chosen, top in zip(joyful["token_logprobs"], joyful["top_logprobs"], strict=True):
        assert chosen == max(top.values())
    assert joyful != expected["logprobs"]


def test_pickled_and_back(random_chat: Path) -> None:
    llm = voice(random_chat)
    again = pickle.loads(pickle.dumps(llm))
    assert again.emotions is not None
    assert np.array_equal(again.emotions.data, random_vectors(random_chat).data)
    assert again.n_ctx() == SETTINGS["n_ctx"]
    assert complete(again, mood=JOY) == complete(llm, mood=JOY)
    assert complete(again) == complete(llm)


# -- a mood that is felt --------------------------------------------------------------------


def test_feeling_is_over_after_its_block(random_chat: Path) -> None:
    llm = voice(random_chat)
    llm.feel("joy=0.25")
    with llm.feeling(joy=1) as same:
        assert same is llm
        assert llm.mood == llamood.Mood(joy=1)
        with contextlib.suppress(OSError), llm.feeling({"anger": 1}):
            assert llm.mood == llamood.Mood(anger=1)
            raise OSError("inside")
        assert llm.mood == llamood.Mood(joy=1)
        steered = complete(llm)
        llm.feel(anger=2)
    assert llm.mood == llamood.Mood(joy=0.25)
    assert steered == complete(llm, mood=JOY)
    llm.feel()
    assert llm.mood.is_neutral


def test_a_mood_is_told_while_it_is_felt(random_chat: Path) -> None:
    llm = voice(random_chat)
    llm.feel(anger=0.5)
    seen = []

    def watch(_tokens: Any, logits: Any) -> Any:
        seen.append(llm.mood)
        return logits

    processors = llama_cpp.LogitsProcessorList([watch])
    complete(llm, mood=JOY, logits_processor=processors)
    assert set(seen) == {llamood.Mood(JOY)}
    assert llm.mood == llamood.Mood(anger=0.5)


def test_a_stream_left_half_way_takes_its_mood_with_it(random_chat: Path) -> None:
    llm = voice(random_chat)
    neutral, joyful = complete(llm), complete(llm, mood=JOY)
    stream = llm(PROMPT, stream=True, mood=JOY, **GREEDY)
    begun = text_of(next(stream)) + text_of(next(stream))
    assert joyful.startswith(begun)
    assert llm.mood.is_neutral
    assert complete(llm) == neutral  # while the stream still waits
    del stream
    assert complete(llm, mood=JOY) == joyful
    assert complete(llm) == neutral


def test_an_exception_inside_a_call_takes_its_mood_with_it(random_chat: Path) -> None:
    llm = voice(random_chat)
    neutral = complete(llm)

    def fail(_tokens: Any, _logits: Any) -> bool:
        raise OSError("the listener has gone")

    criteria = llama_cpp.StoppingCriteriaList([fail])
    for stream in (False, True):
        with pytest.raises(OSError, match="gone"):
            complete(llm, mood=JOY, stream=stream, stopping_criteria=criteria)
        assert llm.mood.is_neutral
        assert complete(llm) == neutral


def test_a_negative_intensity_pushes_the_other_way(model: Path) -> None:
    llm = voice(model)
    first = answer(llm, n_token=1).logits[0].astype(np.float64)
    steps = []
    for intensity in (0.02, -0.02):  # so little that the model is nearly linear
        llm.feel(joy=intensity)
        steps.append(answer(llm, n_token=1).logits[0] - first)
    up, down = steps
    assert up @ down < -0.9 * np.linalg.norm(up) * np.linalg.norm(down)


def test_both_blends_and_layers_count(random_chat: Path) -> None:
    llm = voice(random_chat)
    mix = {"joy": 1.0, "anger": 1.0}
    said = {
        complete(llm, mood={**mix, **settings})
        for settings in (
            {},
            {"$blend": "shared-once"},
            {"$layers": [1, 1]},
            {"$layers": [2, 3]},
            {"$positions": "all"},
        )
    }
    assert len(said) == 5
    # With both at 1, the shared part once is what half of it taken off both leaves.
    assert complete(llm, mood={**mix, "$blend": "shared-once"}) == complete(
        llm, mood={"joy": 0.5, "anger": 0.5}
    )
    assert complete(llm, mood={**mix, "$blend": "sum"}) == complete(llm, mood=mix)


# -- what is refused ------------------------------------------------------------------------


def test_a_mood_needs_emotions(random_chat: Path) -> None:
    llm = voice(random_chat, emotions=None)
    for attempt in (lambda: llm.feel(JOY), lambda: complete(llm, mood=JOY)):
        with pytest.raises(
            MoodError, match=r"no emotions were loaded; pass Llama\(.*emotions="
        ) as e:
            attempt()
        assert "joy" in str(e.value)
    llm.feel()
    assert complete(llm, mood={}) == complete(plain(random_chat))


@pytest.mark.parametrize(
    ("mood", "says"),
    [
        ({"jo": 1}, "did you mean 'joy'"),
        ({"joy": float("nan")}, "number between"),
        ({"joy": "much"}, "a number or a schedule was expected"),
        ({"joy": 1, "$colour": "red"}, "unknown setting"),
        ({"joy": 1, "$layers": [0, 99]}, "layers 0 to 99"),
        (5, "emotions and weights were expected"),
    ],
)
def test_a_mood_that_means_nothing_changes_nothing(random_chat: Path, mood: Any, says: str) -> None:
    llm = voice(random_chat)
    llm.feel(joy=0.5)
    before = complete(llm)
    for attempt in (
        lambda: llm.feel(mood),
        lambda: llm.feeling(mood).__enter__(),
        lambda: complete(llm, mood=mood),
        lambda: llm.create_completion(PROMPT, stream=True, mood=mood),  # at once, not on next()
    ):
        with pytest.raises(MoodError, match=says):
            attempt()
    assert llm.mood == llamood.Mood(joy=0.5)
    assert complete(llm) == before


def test_vectors_of_another_model_are_refused_with_both_sides_named(random_chat: Path) -> None:
    n_layer, n_embd = shape_of(random_chat)
    fitting = random_vectors(random_chat)
    own = _core.fingerprint(str(random_chat))

    def known(**facts: Any) -> llamood.EmotionVectors:
        return replace(fitting, measurement=Measurement(**facts))

    wrong = {
        "width 65 in the vectors, 64 in the model": np.ones((1, n_layer, n_embd + 1)),
        "layers 3 in the vectors, 4 in the model": np.ones((1, n_layer - 1, n_embd)),
    }
    cases = {says: llamood.EmotionVectors(("joy",), data) for says, data in wrong.items()}
    cases["architecture qwen2 in the vectors, llama in the model"] = known(model_arch="qwen2")
    cases[f"fingerprint abc in the vectors, {own} in the model"] = known(model_fingerprint="abc")
    for says, evs in cases.items():
        with pytest.raises(VectorError) as refused:
            voice(random_chat, emotions=evs)
        assert says in str(refused.value)
        assert "Measure them on this model" in str(refused.value)
        assert isinstance(refused.value, LlamoodError)

    llm = voice(random_chat, emotions=known(model_arch="llama", model_fingerprint=own))
    assert complete(llm, mood=JOY) == complete(voice(random_chat), mood=JOY)


def test_emotions_from_files_are_those_that_were_saved(random_chat: Path, tmp_path: Path) -> None:
    evs = random_vectors(random_chat)
    llamood.save(evs, tmp_path / "evs")
    llm = voice(random_chat, emotions=tmp_path / "evs")
    assert llm.emotions is not None
    assert llm.emotions.names == evs.names
    assert complete(llm, mood=JOY) == complete(voice(random_chat), mood=JOY)
    one = voice(random_chat, emotions=str(tmp_path / "evs" / "joy.gguf"))
    assert complete(one, mood=JOY) == complete(llm, mood=JOY)


def test_vectors_of_the_attention_output_are_used_elsewhere_with_a_warning(
    random_chat: Path,
) -> None:
    evs = random_vectors(random_chat)
    theirs = replace(evs, measurement=Measurement(site="attn_out"))
    with pytest.warns(UserWarning, match="measured at the attention output"):
        llm = voice(random_chat, emotions=theirs, site="layer_out")
    assert complete(llm, mood=JOY) == complete(voice(random_chat), mood=JOY)


def test_closed_is_closed(random_chat: Path) -> None:
    llm = voice(random_chat)
    llm.close()
    with pytest.raises(RuntimeError, match="closed"):
        llm.eval([1])
