"""Whatever a voice said before, and in whatever mood: it answers as one that is asked first.

llama_cpp keeps hidden states by tokens alone, and answers a repeated prompt from old logits.
"""

from __future__ import annotations

import pickle
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import llamood
from open_voices import JOY, PROMPT, Answer, answer, logits, plain, random_vectors, voice

Mood = dict[str, Any]
Voice = llamood.Llama

NEUTRAL: Mood = {}
ANGER: Mood = {"anger": 1.0}
MOODS: dict[str, Mood] = {
    "neutral": NEUTRAL,
    "joy": JOY,
    "less": {"joy": 0.5},
    "anger": ANGER,
    "all": {"joy": 1.0, "$positions": "all"},
    "layers": {"joy": 1.0, "$layers": [2, 3]},
    "ramp": {"joy": {"ramp": [0.2, 1.5], "over": 6}},
    "wave": {"anger": {"wave": [-1.0, 0.5], "period": 5}, "$positions": "all"},
    "word": {"anger": {"on": "e", "pulse": 1.0, "release": 3}, "joy": 0.75},
}
# Where a prefix is used again the rest is decoded in other batches, which rounds otherwise;
# keys and values in float32 keep that small. Moods differ by more than 0.1.
ROUNDING = 1e-3
FLOAT32_CACHE = {"type_k": llama_cpp.GGML_TYPE_F32, "type_v": llama_cpp.GGML_TYPE_F32}


def open_voice(model: Path, **settings: Any) -> Voice:
    return voice(model, **{**FLOAT32_CACHE, **settings})


@cache
def fresh(model: Path, mood: str, prompt: str | tuple[int, ...] = PROMPT) -> Answer:
    """What a voice says that has said nothing before."""
    llm = open_voice(model)
    llm.feel(MOODS[mood])
    return answer(llm, prompt, n_token=12)


def says_as_fresh(llm: Voice, mood: str, prompt: str | tuple[int, ...] = PROMPT) -> bool:
    llm.feel(MOODS[mood])
    said = answer(llm, prompt, n_token=12)
    expected = fresh(Path(llm.model_path), mood, prompt)
    near = np.abs(said.logits - expected.logits).max() < ROUNDING
    return said.tokens == expected.tokens and bool(near)


def test_the_moods_compared_here_differ(model: Path) -> None:
    """Or nothing below could fail."""
    names = list(MOODS)
    for one in names:
        for other in names[: names.index(one)]:
            apart = np.abs(fresh(model, one).logits[0] - fresh(model, other).logits[0]).max()
            assert apart > 100 * ROUNDING, (one, other)


# -- the cache of the context ---------------------------------------------------------------


@pytest.mark.parametrize("first", list(MOODS))
@pytest.mark.parametrize("second", list(MOODS))
def test_the_same_prompt_in_another_mood(random_chat: Path, first: str, second: str) -> None:
    llm = open_voice(random_chat)
    llm.feel(MOODS[first])
    answer(llm, n_token=1)  # the context now ends with the prompt: an exact hit
    assert says_as_fresh(llm, second)
    assert says_as_fresh(llm, first)


def test_the_same_prompt_in_another_mood_on_a_real_model(stories: Path) -> None:
    llm = open_voice(stories)
    for mood in [*MOODS, *MOODS]:
        assert says_as_fresh(llm, mood)


@pytest.mark.parametrize("first", ["joy", "all", "neutral"])
@pytest.mark.parametrize("second", ["anger", "all", "neutral"])
def test_a_shorter_and_a_longer_prompt(model: Path, first: str, second: str) -> None:
    llm = open_voice(model)
    for prompt in (PROMPT[:20], PROMPT + " who", PROMPT):
        llm.feel(MOODS[first])
        answer(llm, n_token=8)
        assert says_as_fresh(llm, second, prompt)


@pytest.mark.parametrize("mood", ["joy", "all", "neutral"])
def test_a_history_whose_answer_was_steered(model: Path, mood: str) -> None:
    """What was said in a mood is part of the next prompt, where it stands as plain text does."""
    llm = open_voice(model)
    prompt = tuple(llm.tokenize(PROMPT.encode()))
    llm.feel(MOODS[mood])
    said = answer(llm, prompt, n_token=8)
    history = (*prompt, *said.tokens, *llm.tokenize(b" Then", add_bos=False))
    assert says_as_fresh(llm, mood, history)
    assert says_as_fresh(llm, "anger", history)


def test_what_fits_is_kept(random_chat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same mood, or a prompt that was never steered, is not decoded again."""
    decoded: list[int] = []
    decode = llama_cpp.Llama.eval

    def counted(self: llama_cpp.Llama, tokens: list[int]) -> None:
        decoded.extend([len(tokens)] if tokens else [])
        decode(self, tokens)

    monkeypatch.setattr(llama_cpp.Llama, "eval", counted)
    llm = open_voice(random_chat)
    llm.feel(JOY)
    n_prompt = len(llm.tokenize(PROMPT.encode()))
    answer(llm, n_token=1)
    assert decoded == [n_prompt - 1, 1]
    answer(llm, n_token=1)
    assert decoded == [n_prompt - 1, 1]  # an exact hit, in the same mood: nothing to do
    llm.feel(ANGER)
    answer(llm, n_token=1)
    assert decoded == [n_prompt - 1, 1, 1]  # only the last token of the prompt


def test_a_change_in_the_middle_of_a_stream(model: Path) -> None:
    llm = open_voice(model)
    prompt = llm.tokenize(PROMPT.encode())
    llm.feel(JOY)
    said = llm.generate(prompt, temp=0.0)
    first = list(islice(said, 5))
    llm.feel(ANGER)
    changed = list(islice(said, 5))
    assert first == fresh(model, "joy").tokens[:5]
    said.close()

    # The same by hand: five tokens were taken, of which four were decoded in joy.
    other = open_voice(model)
    other.feel(JOY)
    assert answer(other, prompt, n_token=5).tokens == first
    other.feel(ANGER)
    rest = []
    for _ in changed:
        other.eval([[*first, *rest][-1]])
        rest.append(int(logits(other).argmax()))
    assert rest == changed
    for mood in MOODS:
        assert says_as_fresh(llm, mood)


def test_decoding_by_hand_beside_a_stream_left_open(random_chat: Path) -> None:
    llm = open_voice(random_chat)
    llm.feel(JOY)
    left = llm.generate(llm.tokenize(b"Hi"), temp=0.0)
    next(left)
    llm.reset()
    llm.eval(llm.tokenize(PROMPT.encode()))
    assert np.abs(logits(llm) - fresh(random_chat, "joy").logits[0]).max() < ROUNDING
    left.close()
    assert says_as_fresh(llm, "anger")


def test_going_on_without_reset(model: Path) -> None:
    """``reset=False`` decodes after what is cached; the last token given is the first steered."""
    llm, expected = open_voice(model), open_voice(model)
    prompt = llm.tokenize(PROMPT.encode())
    llm.eval(prompt[:6])
    llm.feel(JOY)
    said = list(islice(llm.generate(prompt[6:], temp=0.0, reset=False), 12))
    expected.eval(prompt[:6])
    expected.eval(prompt[6:-1])
    expected.feel(JOY)
    expected.eval(prompt[-1:])
    assert said[0] == int(logits(expected).argmax())
    assert said == fresh(model, "joy").tokens


def test_embeddings_in_between(random_chat: Path) -> None:
    llm = open_voice(random_chat, embedding=True, n_batch=256)
    expected = plain(random_chat, embedding=True, n_batch=256, **FLOAT32_CACHE).embed(PROMPT)
    for mood in ("joy", "all", "neutral"):
        assert says_as_fresh(llm, mood)
        assert llm.embed(PROMPT) == expected  # of the text, in no mood
        assert says_as_fresh(llm, mood)


PROMPTS = (PROMPT, PROMPT[:12], PROMPT + " who", "Tom")


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(PROMPTS), st.sampled_from(list(MOODS)), st.integers(1, 10)),
        min_size=2,
        max_size=6,
    )
)
def test_any_history(random_chat: Path, steps: list[tuple[str, str, int]]) -> None:
    llm = any_voice(random_chat)
    for prompt, mood, n_token in steps:
        llm.feel(MOODS[mood])
        answer(llm, prompt, n_token=n_token)
    prompt, mood, _ = steps[0]
    assert says_as_fresh(llm, mood, prompt)


any_voice = cache(open_voice)  # one voice for all examples: its history only grows


# -- saved states ---------------------------------------------------------------------------


@pytest.mark.parametrize("second", list(MOODS))
@pytest.mark.parametrize("first", ["joy", "all", "neutral"])
@pytest.mark.parametrize("pickled", [False, True])
def test_a_state_saved_in_one_mood_and_loaded_in_another(
    random_chat: Path, first: str, second: str, pickled: bool
) -> None:
    llm = open_voice(random_chat)
    llm.feel(MOODS[first])
    answer(llm, n_token=6)
    state = llm.save_state()
    if pickled:
        state = pickle.loads(pickle.dumps(state))
    other = open_voice(random_chat)
    for into in (llm, other):
        into.feel(MOODS["less"])
        answer(into, n_token=3)
        into.load_state(state)
        assert says_as_fresh(into, second)


def test_a_loaded_state_is_used_where_it_fits(random_chat: Path) -> None:
    llm = open_voice(random_chat)
    llm.feel({**JOY, "$positions": "all"})
    answer(llm, n_token=6)
    state = llm.save_state()
    llm.reset()
    llm.load_state(state)
    prompt = llm.tokenize(PROMPT.encode())
    llm._drop_stale(prompt, llm._perform(position=len(prompt) - 1))
    assert llm.n_tokens == state.n_tokens


def test_a_state_saved_by_llama_cpp_is_unsteered(model: Path) -> None:
    theirs = plain(model, **FLOAT32_CACHE)
    answer(theirs, n_token=6)
    state = theirs.save_state()
    llm = open_voice(model)
    llm.feel({**JOY, "$positions": "all"})
    answer(llm)
    for mood in MOODS:
        llm.load_state(state)
        assert says_as_fresh(llm, mood)


def test_a_state_of_other_vectors_is_not_used(random_chat: Path) -> None:
    """Equal names and intensities are not equal states."""
    llm = open_voice(random_chat)
    llm.feel(MOODS["all"])
    answer(llm)
    other = open_voice(random_chat, emotions=random_vectors(random_chat, seed=4))
    other.feel(MOODS["all"])
    expected = answer(other)
    assert expected.tokens != fresh(random_chat, "all").tokens
    other.load_state(llm.save_state())
    assert answer(other).tokens == expected.tokens


def test_a_state_that_does_not_load_leaves_nothing_behind(random_chat: Path) -> None:
    llm = open_voice(random_chat)
    llm.feel(JOY)
    answer(llm)
    state = llm.save_state()
    state.llama_state = bytes(state.llama_state_size)
    with pytest.raises(RuntimeError, match="Failed to set llama state"):
        llm.load_state(state)
    assert llm.n_tokens == 0
    assert says_as_fresh(llm, "joy")


# -- llama_cpp's caches, keyed by tokens ----------------------------------------------------


@pytest.mark.slow
def test_ram_cache(model: Path) -> None:
    llm = open_voice(model)
    llm.set_cache(llama_cpp.LlamaRAMCache())
    check_cache(llm)


def test_disk_cache(random_chat: Path, tmp_path: Path) -> None:
    for _ in range(2):  # the second voice finds what the first left
        llm = open_voice(random_chat)
        disk = llama_cpp.LlamaDiskCache(str(tmp_path))
        llm.set_cache(disk)
        check_cache(llm)
        disk.cache.close()


@cache
def completion(model: Path, mood: str, prompt: str) -> str:
    said = open_voice(model)(prompt, max_tokens=12, temperature=0.0, mood=MOODS[mood])
    text: str = said["choices"][0]["text"]
    return text


def check_cache(llm: Voice) -> None:
    prompts = (PROMPT, PROMPT + " who liked", PROMPT[:20])
    for mood in [*MOODS, *reversed(MOODS)]:
        for prompt in prompts:
            said = llm(prompt, max_tokens=12, temperature=0.0, mood=MOODS[mood])
            expected = completion(Path(llm.model_path), mood, prompt)
            assert said["choices"][0]["text"] == expected, (mood, prompt)
    assert llm.cache.cache_size > 0
