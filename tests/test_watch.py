"""A mood is taken back where it makes an answer collapse, and that is told."""

from __future__ import annotations

import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_cpp.llama_speculative import LlamaPromptLookupDecoding

import llamood
import tiny_chat
from cli_runs import run
from llamood.cli.prompts import chat_tokens
from llamood.watch import GRID, Watch
from voices import PROMPT, answer, voice

LONG: dict[str, Any] = {"max_tokens": 150, "temperature": 0.0}
# What the tiny models say greedily under these ends in loops.
MOODS: list[dict[str, Any]] = [
    {"joy": 1.0},
    {"joy": {"ramp": [0.5, 1.2], "over": 40}, "anger": 0.3},
    {"joy": 1.0, "$inertia": 5},
    {"anger": {"on": "e", "constant": 1.0}, "joy": 0.8},
]
LOOP = [b" so", b" very", b" glad"] * 80


def heard(pieces: list[bytes]) -> Watch:
    watch = Watch()
    for token, piece in enumerate(pieces, 1):
        watch.hear(token, token_id=token, piece=piece)
    return watch


# -- the watch ------------------------------------------------------------------------------


def test_it_looks_now_and_then_until_something_is_wrong() -> None:
    watch = heard([bytes([65 + n % 26, 97 + n * 7 % 26]) for n in range(GRID + 3)])
    assert watch.told(GRID + 3) is None
    assert [watch.ahead(token) for token in (1, 2, GRID - 1, GRID, GRID + 1)] == [
        GRID - 1, GRID - 2, 1, 0, GRID - 1,
    ]  # fmt: skip
    looping = heard(LOOP)
    first = looping.told(240)
    assert first is not None
    assert first["token"] % GRID == 0
    assert first["kind"] in ("loop", "words")
    assert [looping.ahead(token) for token in (240, 241, 250)] == [0, 0, 0]
    assert looping.factor(241) < 0.01


def test_the_mood_falls_smoothly() -> None:
    watch = heard(LOOP)
    factors = np.array([watch.factor(token) for token in range(len(LOOP) + 1)])
    assert factors[0] == 1
    assert (np.diff(factors) <= 0).all()
    assert np.diff(factors).min() > -0.14


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 200), st.lists(st.sampled_from([b" so", b" glad", b"!"]), max_size=40))
def test_what_is_heard_anew_counts(kept: int, instead: list[bytes]) -> None:
    watch = heard(LOOP)
    for token, piece in enumerate(instead, kept + 1):
        watch.hear(token, token_id=token, piece=piece)
    afresh = heard([*LOOP[:kept], *instead] if instead else LOOP)
    n = afresh.n_heard
    assert watch.n_heard == n
    assert [watch.factor(t) for t in range(n + 1)] == [afresh.factor(t) for t in range(n + 1)]
    assert watch.told(n) == afresh.told(n)


# -- a voice --------------------------------------------------------------------------------


@pytest.mark.parametrize("mood", MOODS)
def test_a_loop_takes_the_mood_back(model: Path, mood: dict[str, Any]) -> None:
    llm, unguarded = voice(model, guard=True), voice(model)
    said = llm(PROMPT, mood=mood, trace=True, **LONG)
    plain = unguarded(PROMPT, mood=mood, trace=True, **LONG)
    assert "guard" not in plain["llamood"]
    if "guard" not in said["llamood"]:  # it did not loop
        assert said["choices"] == plain["choices"]
        return
    told = said["llamood"]["guard"]
    tokens, before = (each["llamood"]["trace"]["tokens"] for each in (said, plain))
    at = told["token"]
    assert tokens[:at] == before[:at]  # nothing changes before
    applied, asked = (np.array([t[side] for t in tokens]) for side in ("applied", "asked"))
    share = np.abs(applied[at:]).sum(axis=1) / np.maximum(np.abs(asked[at:]).sum(axis=1), 1e-9)
    if "$inertia" not in mood:
        assert share[0] == pytest.approx(0.5 ** (1 / 5), abs=1e-3)
    assert told["factor"] < 1
    assert told["alarms"] >= 1


def test_the_tiny_models_do_loop(random_chat: Path, stories: Path) -> None:
    """Or the test above could not fail."""
    looped = [
        "guard" in voice(model, guard=True)(PROMPT, mood=mood, trace=True, **LONG)["llamood"]
        for model in (random_chat, stories)
        for mood in MOODS
    ]
    assert sum(looped) >= 4


def test_a_stream_carries_the_notice(stories: Path) -> None:
    llm = voice(stories, guard=True)
    chunks = list(llm(PROMPT, mood=MOODS[0], stream=True, **LONG))
    notices = [chunk.get("llamood", {}).get("guard") for chunk in chunks]
    first = next(place for place, notice in enumerate(notices) if notice)
    assert all(notices[first:])
    assert not any(notices[:first])
    assert notices[-1] == llm(PROMPT, mood=MOODS[0], **LONG)["llamood"]["guard"]
    llm.feel(MOODS[0])  # without mood= it is told too
    assert llm(PROMPT, **LONG)["llamood"]["guard"] == notices[-1]


@pytest.mark.parametrize("mood", MOODS)
def test_a_draft_model_changes_nothing_but_speed(model: Path, mood: dict[str, Any]) -> None:
    draft = LlamaPromptLookupDecoding(num_pred_tokens=5)
    drafting = voice(model, guard=True, draft_model=draft, logits_all=True)
    plain = voice(model, guard=True)
    for _ in range(2):
        said = [llm(PROMPT, mood=mood, trace=True, **LONG) for llm in (drafting, plain)]
        assert said[0]["choices"] == said[1]["choices"]
        assert said[0]["llamood"] == said[1]["llamood"]


def test_a_neutral_voice_is_not_watched(model: Path) -> None:
    llm = voice(model, guard=True)
    assert answer(llm, n_token=60).equals(answer(voice(model), n_token=60))
    assert llm._performance is not None
    assert llm._performance.watch is None


def test_fluent_answers_are_left_alone_and_cost_little() -> None:
    settings = {"n_ctx": 512, "n_threads": 1, "verbose": False}
    llm = llamood.Llama(tiny_chat.MODEL, emotions=tiny_chat.VECTORS, **settings)
    unguarded = llamood.Llama(tiny_chat.MODEL, emotions=tiny_chat.VECTORS, guard=False, **settings)
    mood = {"joy": 1.0}
    for question in tiny_chat.questions()[:6]:
        asked = {"temperature": 0.0, "max_tokens": 80, "mood": mood}
        messages = [{"role": "user", "content": question}]
        said = [each.create_chat_completion(messages, **asked) for each in (llm, unguarded)]
        assert said[0]["choices"] == said[1]["choices"]
        assert "llamood" not in said[0]

    calls: Counter[str] = Counter()
    package = str(Path(llamood.__file__).parent)

    def count(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(package):
            calls[frame.f_code.co_name] += 1

    llm.feel(mood)
    prompt = chat_tokens(llm, [{"role": "user", "content": tiny_chat.questions()[0]}])
    stream = llm.generate(prompt, temp=0.0)
    next(stream)
    sys.setprofile(count)
    try:
        n = len(list(islice(stream, 2 * GRID)))
    finally:
        sys.setprofile(None)
    assert calls["eval"] == n == 2 * GRID
    assert calls["_eval_answer"] <= n / GRID + 2  # the rest is told ahead


def test_the_command_line_says_so(tmp_path: Path) -> None:
    feel = "joy=constant(3).max(9),$max=9"
    asked = ("--seed", "1", "--max-tokens", "200", "--threads", "1", "--feel", feel)
    result = run("generate", tiny_chat.MODEL, *asked, "Tell me about bread.")
    assert result.exit_code == 0
    assert "Note: the answer began to loop" in result.stderr
    talked = run("chat", tiny_chat.MODEL, *asked, stdin="Tell me about bread.\n")
    assert "(The answer began to loop" in talked.stderr
