"""Moods that change while a voice speaks: every token is decoded under its own row, bit by bit as
if that had been set by hand before it."""

from __future__ import annotations

import json
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

import llama_cpp
import numpy as np
import pytest
from llama_cpp.llama_speculative import LlamaPromptLookupDecoding

import llamood
import llamood.voices.decoder
from llamood.errors import MoodError
from llamood.moods.shapes import Constant
from llamood.vectors.measurement import Measurement
from open_voices import PROMPT, Answer, answer, logits, random_vectors, shape_of, voice

Mood = dict[str, Any]

N = 40
RISE: Mood = {"joy": {"ramp": [0, 1.2], "over": 16}}
MOODS: dict[str, Mood] = {
    "rise": RISE,
    "fall": {"joy": {"decay": 1.5, "half_life": 4}, "anger": 0.3},
    "pulse": {"joy": {"pulse": 1.5, "attack": 4, "hold": 8, "release": 9}},
    "late": {"joy": {"delay": {"ramp": [0.5, 1.5], "over": 6}, "by": 12}},
    "waves": {
        "joy": {"wave": [-0.5, 1.0], "period": 7},
        "anger": {"drift": 0.6, "spread": 0.2, "return": 9, "seed": 3},
        "$positions": "all",
    },
    "steps": {"joy": {"keys": [[0, 1], [9, 0], [20, -1]], "ease": "step"}, "$layers": [2, 3]},
    "shared": {"joy": {"ramp": [0, 1], "over": 8}, "anger": 0.5, "$blend": "shared-once"},
    "affect": {"valence": {"wave": [-0.5, 0.5], "period": 9}},
    "inert": {"joy": 1.0, "$inertia": 6},
    "inert wave": {"joy": {"wave": [0, 1.0], "period": 5}, "$inertia": 3, "$positions": "all"},
    "capped": {"joy": {"ramp": [0, 4], "over": 9}, "anger": 1, "$max": 1.2},
}


def by_hand(model: Path, row_at: Callable[[int], Mood], *, n_token: int = N) -> Answer:
    """What a fresh voice says whose constant mood is set anew before each token is decoded.
    ``row_at``: of the token, counted from the last of the prompt."""
    llm = voice(model)
    prompt = llm.tokenize(PROMPT.encode())
    llm.feel(row_at(0))
    llm.eval(prompt)
    said, rows = [], []
    for token in range(1, n_token + 1):
        rows.append(logits(llm))
        said.append(int(rows[-1].argmax()))
        llm.feel(row_at(token))
        llm.eval(said[-1:])
    return Answer(said, np.array(rows))


def constants(mood: Mood, model: Path) -> Callable[[int], Mood]:
    """The mood as a constant one for each token, by what `Performance` is not needed for."""
    asked = llamood.Mood(mood)
    names = random_vectors(model).names
    kept = {key: mood[key] for key in ("$positions", "$layers") if key in mood}
    rows = asked.rows(N + 1, names)

    def at(token: int) -> Mood:
        return {**dict(zip(names, rows[token].tolist(), strict=True)), **kept}

    return at


def traced(llm: llamood.Llama, mood: Mood, *, n_token: int = N, **more: Any) -> dict[str, Any]:
    said = llm(PROMPT, max_tokens=n_token, temperature=0.0, mood=mood, trace=True, **more)
    trace: dict[str, Any] = said["llamood"]["trace"]
    return {**trace, "text": said["choices"][0]["text"]}


QUIET = pytest.mark.filterwarnings("ignore:the whole mix is held")


# -- every token under its own row ----------------------------------------------------------

CLOSED = ["rise", "fall", "pulse", "late", "waves", "steps", "shared"]


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("block", [256, 5])
def test_a_schedule_is_bit_equal_to_constants_set_before_each_token(
    model: Path, name: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llamood.voices.decoder, "BLOCK", block)
    expected = by_hand(model, constants(MOODS[name], model))
    llm = voice(model)
    llm.feel(MOODS[name])
    assert answer(llm, n_token=N).equals(expected)
    assert answer(llm, n_token=N).tokens == expected.tokens  # again, from what is cached


@QUIET
@pytest.mark.parametrize("name", list(MOODS))
def test_what_is_said_to_be_applied_is_what_was_applied(model: Path, name: str) -> None:
    """Each of those rows, set by hand as a constant, gives the same bits."""
    llm = voice(model)
    llm.feel(MOODS[name])
    said = answer(llm, n_token=N)
    assert llm._performance is not None
    rows = [llm._performance.row(token)[1].tolist() for token in range(N + 1)]
    names = random_vectors(model).names
    kept = {key: MOODS[name][key] for key in ("$positions", "$layers") if key in MOODS[name]}
    expected = by_hand(model, lambda t: {**dict(zip(names, rows[t], strict=True)), **kept})
    assert said.equals(expected)
    assert len({tuple(row) for row in rows}) > 2

    # Ends where the model ends its answer, or where a character ends.
    trace = traced(voice(model), MOODS[name])["tokens"]
    assert trace
    for token, row in zip(trace, rows, strict=False):
        assert token["applied"] == pytest.approx(row)


def test_relative_is_the_vector_times_the_hidden_state(random_chat: Path) -> None:
    n_layer, _ = shape_of(random_chat)
    residual = np.arange(1.0, n_layer + 1)
    evs = random_vectors(random_chat)
    rms = np.sqrt(np.square(evs.data, dtype=np.float64).mean(axis=2))
    data = evs.data * (residual / rms)[:, :, np.newaxis]
    scaled = replace(evs, data=data)
    known = replace(evs, measurement=Measurement(residual_rms=tuple(residual)))
    mood: Mood = {"joy": {"ramp": [0, 0.2], "over": 9}, "anger": 0.05}
    relative, stored = voice(random_chat, emotions=known), voice(random_chat, emotions=scaled)
    relative.feel({**mood, "$dose": "relative"})
    stored.feel(mood)
    assert answer(relative).equals(answer(stored))
    stored.feel({})
    assert answer(stored).tokens != answer(relative).tokens


def test_to_the_end_of_the_context(random_chat: Path) -> None:
    settings: Mood = {"n_ctx": 256, "n_batch": 256}
    llm = voice(random_chat, **settings)
    llm.feel(MOODS["waves"])
    prompt = llm.tokenize(PROMPT.encode())
    n = 256 - len(prompt)
    assert len(list(islice(llm.generate(prompt, temp=0.0), n))) == n
    assert llm.n_tokens == 255


def test_a_new_mood_in_the_middle_begins_at_its_own_token_0(model: Path) -> None:
    llm = voice(model)
    fall = llamood.Mood(MOODS["fall"]).rows(N + 1, random_vectors(model).names)
    rise = llamood.Mood(RISE).rows(N + 1, random_vectors(model).names)
    rows = [*fall[:10], *rise]
    llm.feel(MOODS["fall"])
    stream = llm.generate(llm.tokenize(PROMPT.encode()), temp=0.0)
    said = list(islice(stream, 10))
    llm.feel(RISE)
    said += list(islice(stream, N - 10))
    names = random_vectors(model).names
    expected = by_hand(model, lambda t: dict(zip(names, rows[t].tolist(), strict=True)))
    assert said == expected.tokens


def test_decoding_by_hand_is_token_0_each_time(random_chat: Path) -> None:
    llm, expected = voice(random_chat), voice(random_chat)
    llm.feel(MOODS["fall"])
    expected.feel(constants(MOODS["fall"], random_chat)(0))
    for tokens in (llm.tokenize(b"Hello"), [65], [66, 67]):
        llm.eval(tokens)
        expected.eval(tokens)
        assert np.array_equal(logits(llm), logits(expected))


def test_an_answer_may_go_on_by_hand_and_then_go_on(random_chat: Path) -> None:
    """What was played before does not play on by itself."""
    llm = voice(random_chat)
    llm.feel(RISE)
    stream = llm.generate(llm.tokenize(PROMPT.encode()), temp=0.0)
    begun = list(islice(stream, 6))
    llm.n_tokens -= 3  # what was decoded under the rows of the last three tokens
    llm.eval(begun[2:3])
    expected = voice(random_chat)
    expected.feel(RISE)
    # Cached: the prompt and two tokens under their rows, then one under row 0, which is nothing.
    islice_of = expected.generate(expected.tokenize(PROMPT.encode()), temp=0.0)
    assert list(islice(islice_of, 3)) == begun[:3]
    expected.feel()
    expected.eval(begun[2:3])
    assert np.array_equal(logits(llm), logits(expected))


# -- without Python, token by token ---------------------------------------------------------


def python_calls(llm: llamood.Llama, *, n_token: int) -> Counter[str]:
    """Calls of llamood's own functions while tokens 2 to ``n_token`` + 1 are generated."""
    stream = llm.generate(llm.tokenize(PROMPT.encode()), temp=0.0)
    list(islice(stream, 2))
    calls: Counter[str] = Counter()
    package = str(Path(llamood.__file__).parent)

    def count(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(package):
            calls[frame.f_code.co_name] += 1

    sys.setprofile(count)
    try:
        list(islice(stream, n_token))
    finally:
        sys.setprofile(None)
    return calls


@QUIET
@pytest.mark.parametrize("name", ["rise", "waves", "shared", "affect", "inert wave", "capped"])
def test_a_scheduled_answer_calls_no_python_that_a_neutral_one_does_not(
    random_chat: Path, name: str
) -> None:
    llm = voice(random_chat)
    neutral = python_calls(llm, n_token=100)
    # llama_cpp's `eval`, and the generator that goes through ours.
    assert neutral == {"eval": 100, "_generate": 100}
    llm.feel(MOODS[name])
    answer(llm, n_token=12)  # a voice that was never steered must first show that it can be
    assert python_calls(llm, n_token=100) == neutral


def test_nothing_is_written_where_the_row_does_not_change(random_chat: Path) -> None:
    llm = voice(random_chat)
    llm.feel(joy=0.5)
    answer(llm, n_token=1)
    assert llm._injection is not None
    injector = llm._injection.injector
    before = injector.writes
    # 1 at token 0, 0 from token 9, -1 from token 20: three rows
    llm.feel({"joy": {"keys": [[0, 1], [9, 0], [20, -1]], "ease": "step"}})
    answer(llm, n_token=N)
    assert injector.writes - before == 3
    assert injector.setter_calls == 1


def test_the_injector_refuses_rows_that_do_not_fit(random_chat: Path) -> None:
    llm = voice(random_chat)
    assert llm._injection is not None
    injector = llm._injection.injector
    bank = llamood._core.Bank(random_vectors(random_chat).data)
    rows = np.ones((4, 2), dtype=np.float32)
    with pytest.raises(RuntimeError, match="no decode has shown"):
        injector.play(bank, rows, 0, 3, 5)
    llm.feel(joy=1)
    llm.eval([65])
    with pytest.raises(ValueError, match="one weight per emotion"):
        injector.play(bank, rows[:, :1], 0, 3, 5)
    narrow = llamood._core.Bank(np.zeros((2, 4, 63), np.float32))
    with pytest.raises(ValueError, match="of width 63, the model has 4 of width 64"):
        injector.play(narrow, rows, 0, 3, 5)
    llm.close()
    with pytest.raises(RuntimeError, match="the context is closed"):
        injector.play(bank, rows, 0, 3, 5)


# -- guesses of a draft model ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["rise", "steps", "waves", "inert"])
def test_a_draft_model_changes_nothing_but_speed(model: Path, name: str) -> None:
    decoded: list[int] = []

    class Draft(LlamaPromptLookupDecoding):  # type: ignore[misc]
        def __call__(self, input_ids: Any, /, **kwargs: Any) -> Any:
            found = super().__call__(input_ids, **kwargs)
            decoded.append(len(found))
            return found

    llm, other = voice(model, draft_model=Draft(num_pred_tokens=4), logits_all=True), voice(model)
    for _ in range(2):
        assert traced(llm, MOODS[name]) == traced(other, MOODS[name])
        assert llm.mix == other.mix
    assert max(decoded) > 0


# -- what is known only when it is said -----------------------------------------------------


@pytest.mark.parametrize("drafting", [False, True])
def test_a_text_that_spans_tokens_starts_a_schedule(random_chat: Path, drafting: bool) -> None:
    settings: Mood = (
        {"draft_model": LlamaPromptLookupDecoding(num_pred_tokens=4), "logits_all": True}
        if drafting
        else {}
    )
    plain = traced(voice(random_chat), {})
    # The bytes of three tokens in the middle of what is said anyway.
    pieces = [token["text"] for token in plain["tokens"]]
    start = next(i for i in range(8, 30) if all(p.isascii() and p for p in pieces[i : i + 3]))
    text = "".join(pieces[start : start + 3])
    at = plain["text"].index(text) + len(text)  # heard when so many tokens are decoded
    mood: Mood = {"anger": {"on": text, "pulse": 1.5, "release": 8}}
    llm = voice(random_chat, **settings)
    for _ in range(2):
        trace = traced(llm, mood)
        rows = [token["applied"][0] for token in trace["tokens"]]
        assert trace["tokens"][:at] == plain["tokens"][:at]
        assert rows[at : at + 4] == pytest.approx([1.5, 1.5 * 7 / 8, 1.5 * 6 / 8, 1.5 * 5 / 8])
        assert trace["text"] != plain["text"]
    expected = by_hand(random_chat, lambda t: {"anger": rows[t] if t < len(rows) else 0.0})
    other = voice(random_chat)
    other.feel(mood)
    assert answer(other, n_token=N).equals(expected)


def test_a_mood_that_listens_may_come_in_the_middle(random_chat: Path) -> None:
    """What was said before it is known to it, and what was felt before stays as it was."""
    llm = voice(random_chat)
    llm.feel(MOODS["fall"])
    stream = llm.generate(llm.tokenize(PROMPT.encode()), temp=0.0)
    said = list(islice(stream, 10))
    assert llm._performance is not None
    before = [llm._performance.row(token)[1].tolist() for token in range(10)]
    text = b"".join(llm._piece_of(token) for token in said[-2:]).decode("latin-1")
    llm.feel({"anger": {"on": text, "constant": 1.0}, "joy": 0.25})
    said += list(islice(stream, 10))
    rows = [llm._performance.row(token)[1].tolist() for token in range(20)]
    assert rows[:10] == before
    names = random_vectors(random_chat).names
    expected = by_hand(random_chat, lambda t: dict(zip(names, rows[min(t, 19)], strict=True)))
    assert said == expected.tokens[:20]


def test_a_function_of_the_token_is_asked(model: Path) -> None:
    asked: list[int] = []

    def joy(token: int) -> float:
        asked.append(token)
        return min(token / 16, 1) * 1.2

    expected = traced(voice(model), RISE)
    assert traced(voice(model), {"joy": joy}) == expected
    assert sorted(set(asked)) == list(range(N))


def test_a_function_that_fails_is_told_and_leaves_the_voice_usable(random_chat: Path) -> None:
    def joy(token: int) -> float:
        return float("nan") if token == 5 else 0.5

    llm = voice(random_chat)
    expected = traced(voice(random_chat), {"joy": 0.5})
    with pytest.raises(MoodError) as caught:
        traced(llm, {"joy": joy})
    assert caught.value.where == "joy.joy(5)"
    assert traced(llm, {"joy": 0.5}) == expected


# -- from one answer to the next ------------------------------------------------------------


def test_inertia_goes_on_from_answer_to_answer_without_a_jump(random_chat: Path) -> None:
    llm = voice(random_chat)
    step = 1 - 0.5 ** (1 / 10)
    rows = []
    for mood in ({"joy": 1.0}, {"anger": 0.8}, {}, {"joy": {"wave": [0, 1], "period": 8}}):
        trace = traced(llm, {**mood, "$inertia": 10}, n_token=15)
        rows += [token["applied"] for token in trace["tokens"]]
        assert llm.mix == pytest.approx(
            {n: w for n, w in zip(trace["emotions"], rows[-1], strict=True) if w}, rel=1e-6
        )
    walk = np.array([[0.0, 0.0], *rows])
    assert np.abs(np.diff(walk, axis=0)).max() <= step * 1.0 + 1e-6
    assert walk[15, 1] == pytest.approx(1 - 0.5**1.5)
    assert walk[25, 0] == pytest.approx(0.4)  # half of the way to 0.8, ten tokens later


def test_inertia_starts_where_the_last_answer_was_cut(random_chat: Path) -> None:
    llm = voice(random_chat)
    llm.feel(RISE)
    stream = llm.generate(llm.tokenize(PROMPT.encode()), temp=0.0)
    list(islice(stream, 9))
    stream.close()
    mix = llm.mix
    assert mix == {"joy": pytest.approx(0.6)}
    trace = traced(llm, {"$inertia": 1}, n_token=2)
    assert trace["tokens"][0]["applied"][1] == pytest.approx(mix["joy"] / 2)


def test_a_saved_state_knows_what_was_felt(random_chat: Path) -> None:
    llm, other = voice(random_chat), voice(random_chat)
    traced(llm, {"joy": 1.0}, n_token=5)
    state = llm.save_state()
    other.load_state(state)
    assert other.mix == {"joy": 1.0}
    moving: Mood = {"anger": 0.5, "$inertia": 4}
    assert traced(other, moving) == traced(llm, moving)


# -- limits, said once ----------------------------------------------------------------------


def test_a_limit_is_said_once_and_not_silently(random_chat: Path) -> None:
    evs = random_vectors(random_chat)
    limited = llamood.EmotionVectors(evs.names, evs.data, ceiling=(0.5, 1.0))
    llm = voice(random_chat, emotions=limited)
    with pytest.warns(UserWarning, match="joy is held at 1, .* 3 was asked for"):
        llm.feel(joy=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        llm.feel(joy=4)
        held = answer(llm)
        llm.feel(joy=1)
        assert answer(llm).equals(held)
        llm.feel({"joy": Constant(3).max(5), "$max": 9})
        assert answer(llm).tokens != held.tokens
    with pytest.warns(UserWarning, match="anger is held at 0.5"):
        traced(llm, {"anger": {"ramp": [0, 1], "over": 20}})
    with pytest.warns(UserWarning, match="the whole mix is held"):
        traced(llm, {"anger": 0.5, "joy": 1})


def test_a_point_out_of_reach_is_said(random_chat: Path) -> None:
    llm = voice(random_chat)
    with pytest.warns(UserWarning, match="lies outside what a mix of these emotions reaches"):
        llm.feel(llamood.affect(valence=-0.9, arousal=-0.9))


# -- traces ---------------------------------------------------------------------------------


def test_a_trace_has_text_and_weights_of_every_token(random_chat: Path) -> None:
    llm = voice(random_chat)
    asked = {"max_tokens": 20, "temperature": 0.0, "mood": MOODS["rise"], "trace": True}
    said = llm.create_completion(PROMPT, **asked)
    trace = said["llamood"]["trace"]
    json.dumps(said, allow_nan=False)
    assert trace["emotions"] == ["anger", "joy"]
    n = said["usage"]["completion_tokens"]  # llama_cpp goes on to the end of a character
    assert len(trace["tokens"]) == n >= 20
    rows = llamood.Mood(RISE).rows(n, ["anger", "joy"])
    np.testing.assert_array_equal(np.float32([t["asked"] for t in trace["tokens"]]), rows)
    np.testing.assert_array_equal(np.float32([t["applied"] for t in trace["tokens"]]), rows)
    assert all(set(token) == {"text", "asked", "applied"} for token in trace["tokens"])

    chunks = list(llm.create_completion(PROMPT, stream=True, **asked))
    assert [chunk.get("llamood", {}).get("trace") for chunk in chunks[:-1]] == [None] * (
        len(chunks) - 1
    )
    assert chunks[-1]["llamood"]["trace"] == trace
    assert llm(PROMPT, **asked)["llamood"]["trace"] == trace

    messages = [{"role": "user", "content": "Who is there?"}]
    whole = llm.create_chat_completion(messages, **asked)
    *_, last = llm.create_chat_completion(messages, stream=True, **asked)
    assert last["llamood"]["trace"] == whole["llamood"]["trace"]
    assert len(whole["llamood"]["trace"]["tokens"]) == whole["usage"]["completion_tokens"]


def test_the_texts_of_a_trace_are_the_answer(stories: Path) -> None:
    trace = traced(voice(stories), MOODS["pulse"])
    assert "".join(token["text"] for token in trace["tokens"]) == trace["text"]


def test_no_trace_unless_asked_for(random_chat: Path) -> None:
    llm = voice(random_chat)
    assert "llamood" not in llm(PROMPT, max_tokens=2, mood=RISE)
    with pytest.raises(MoodError, match="a trace needs emotions"):
        voice(random_chat, emotions=None)(PROMPT, trace=True)


def test_mix_is_what_the_last_token_was_decoded_under(random_chat: Path) -> None:
    llm = voice(random_chat)
    assert llm.mix == {}
    llm.feel(joy=0.5)
    assert llm.mix == {}  # nothing was decoded yet
    answer(llm, n_token=1)
    assert llm.mix == {"joy": 0.5}
    llm.feel({"joy": {"ramp": [0, 1], "over": 4}, "anger": -0.25})
    stream = llm.generate(llm.tokenize(PROMPT.encode()), temp=0.0)
    seen = []
    for _ in islice(stream, 6):
        seen.append(llm.mix)
    assert [mix.get("joy", 0.0) for mix in seen] == [0, 0.25, 0.5, 0.75, 1, 1]
    assert seen[0] == {"anger": -0.25}
    llm.feel()
    llm.eval([65])
    assert llm.mix == {}
    assert voice(random_chat, emotions=None).mix == {}
    assert isinstance(llm, llama_cpp.Llama)
