"""The stage by itself: which tokens a batch has, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from batches import Context
from llamood import _core
from open_voices import random_vectors

GREEDY: dict[str, Any] = {
    "temperature": 0.0,
    "top_k": 40,
    "top_p": 0.95,
    "min_p": 0.05,
    "typical_p": 1.0,
    "repeat_penalty": 1.0,
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
    "last_n_tokens": 64,
    "seed": 1,
    "grammar": "",
    "n_likely": -1,
    "stops": [],
    "max_tokens": 1000,
    "max_seconds": math.inf,
}
TOKENS = [70, 71, 72, 73, 74, 75, 76, 77]


class Play:
    """A stage on a context of its own, and what it said."""

    def __init__(self, ctx: Context, bank: _core.Bank, *, probe: _core.Probe | None = None) -> None:
        self.stage = _core.Stage(ctx.injector, ctx.limiter, ctx.address, probe=probe)
        self.bank = bank
        self.layers = (0, bank.n_layer - 1)

    def begin(
        self, voice: int, tokens: Sequence[int], *, weights: Sequence[float] = (0, 1), **how: Any
    ) -> None:
        rows = np.tile(np.asarray(weights, np.float32), (len(tokens), 1))
        said = how.pop("said", ())
        manner = _core.Manner(**{**GREEDY, **how})
        self.stage.begin(voice, tokens, rows, self.bank, *self.layers, manner, said)

    def play(self, voice: int, *rows: Sequence[float]) -> None:
        wide = np.asarray(rows, np.float32).reshape(-1, self.bank.n_emotion)
        self.stage.play(voice, wide, self.bank, *self.layers)


def speaking(play: Play, *most: int) -> None:
    """Let as many voices speak, each of at most so many tokens, with rows for all of them."""
    for voice, n in enumerate(most):
        play.begin(voice, TOKENS[:1], max_tokens=n)
    play.stage.step()
    for voice, n in enumerate(most):
        play.play(voice, *[[0, 1]] * n)


@pytest.fixture
def context(random_chat: Path) -> Iterator[Context]:
    with Context(random_chat, n_batch=8, n_ubatch=8) as ctx:
        yield ctx


@pytest.fixture
def play(context: Context, random_chat: Path) -> Iterator[Play]:
    play = Play(context, _core.Bank(random_vectors(random_chat).data))
    yield play
    play.stage.close()


def test_prompts_fill_the_room_that_generated_tokens_leave(play: Play) -> None:
    stage = play.stage
    assert (stage.n_voice, stage.n_batch) == (4, 8)
    play.begin(0, TOKENS[:2])
    assert [voice for voice, *_ in stage.step()] == [0]
    play.play(0, *[[0, 1]] * 4)
    play.begin(1, TOKENS * 2)
    counts = []
    for _ in range(3):
        said = [voice for voice, *_ in stage.step()]
        counts.append((said, stage.n_cached(0), stage.n_cached(1)))
    assert counts == [([0], 3, 7), ([0], 4, 14), ([0, 1], 5, 16)]
    assert stage.n_token == 2 + 8 + 8 + 3


def test_short_prompts_come_first_and_long_ones_get_on(play: Play) -> None:
    stage = play.stage
    play.begin(0, TOKENS * 4)
    play.begin(1, TOKENS * 4)
    stage.step()
    assert [stage.n_cached(voice) for voice in (0, 1)] == [8, 0]
    play.begin(2, TOKENS[:5])
    counts = []
    for _ in range(2):
        said = [voice for voice, *_ in stage.step()]
        counts.append((said, *(stage.n_cached(voice) for voice in (0, 1))))
        stage.rest(2)
        stage.keep(2, 0)
        play.begin(2, TOKENS[:5])
    # A quarter for whose turn it is, all that the short one needs, and the rest.
    assert counts == [([2], 9, 2), ([2], 10, 4)]
    for _ in range(30):
        stage.step()
        if stage.n_cached(2) == 5:
            stage.rest(2)
            stage.keep(2, 0)
            play.begin(2, TOKENS[:5])
    assert [stage.n_cached(voice) for voice in (0, 1)] == [32, 32]


def test_a_step_takes_no_more_tokens_than_asked_and_nobody_waits_for_ever(play: Play) -> None:
    stage = play.stage
    for voice in range(3):
        play.begin(voice, TOKENS[:1])
    stage.step()
    for voice in range(3):
        play.play(voice, *[[0, 1]] * 40)
    play.begin(3, TOKENS)
    for n in (1, 2, 3):
        before = stage.n_token
        for _ in range(12):
            stage.step(n)
        assert stage.n_token - before == 12 * n
    said = [stage.n_cached(voice) for voice in range(3)]
    assert stage.n_cached(3) == len(TOKENS)
    assert min(said) > 15


def test_where_there_is_no_room_for_all_who_may_draw_the_fewest_come_first(play: Play) -> None:
    stage = play.stage
    speaking(play, 60, 50, 10)
    before = [stage.n_cached(voice) for voice in range(3)]
    for _ in range(8):
        stage.step(2)
    # The voice whose turn it is, and the one that is soonest done.
    assert [stage.n_cached(voice) - n for voice, n in enumerate(before)] == [4, 4, 8]


def test_prompts_are_left_alone_where_they_are_not_to_be_read(play: Play) -> None:
    stage = play.stage
    play.begin(1, TOKENS[:4])
    assert stage.step(n_prompt=0) == []
    assert stage.n_cached(1) == 0
    play.begin(0, TOKENS[:1])
    stage.step(1)
    play.play(0, *[[0, 1]] * 60)
    before = stage.n_cached(1)
    for _ in range(8):
        assert [voice for voice, *_ in stage.step(n_prompt=0)] == [0]
    assert stage.n_cached(1) == before
    stage.step(n_prompt=2)
    assert stage.n_cached(1) == before + 2
    assert [voice for voice, *_ in stage.step()] == [0, 1]


def test_those_who_find_no_room_take_turns_beside_a_prompt_that_is_not_read(play: Play) -> None:
    stage = play.stage
    speaking(play, 10, 50, 60)
    play.begin(3, TOKENS)
    before = [stage.n_cached(voice) for voice in range(3)]
    for _ in range(8):
        stage.step(2, n_prompt=0)
    assert [stage.n_cached(voice) - n for voice, n in enumerate(before)] == [8, 4, 4]


def test_rows_given_ahead_are_rows_given_one_by_one(play: Play, random_chat: Path) -> None:
    rows = [[0, 1], [1, 0], [1, 1], [-1, 1]]
    said: list[list[int]] = []
    for one_by_one in (False, True):
        play.begin(0, TOKENS)
        tokens = [play.stage.step()[0][1]]
        if not one_by_one:
            play.play(0, *rows)
        for row in rows:
            if one_by_one:
                assert play.stage.step() == []  # it waits
                play.play(0, row)
            tokens.append(play.stage.step()[0][1])
        said.append(tokens)
        assert play.stage.step() == []
        play.stage.rest(0)
        assert play.stage.keep(0, 0) == 0
    assert said[0] == said[1]


def test_voices_of_other_vectors_take_turns_and_nobody_waits_long(
    play: Play, random_chat: Path
) -> None:
    banks = (play.bank, _core.Bank(random_vectors(random_chat).data * 2))
    for voice in range(4):
        play.bank, play.layers = banks[voice % 2], (voice, 3)
        play.begin(voice, TOKENS[:2])
    assert sorted(v for _ in range(2) for v, *_ in play.stage.step()) == [0, 1, 2, 3]
    for voice in range(4):
        play.bank, play.layers = banks[voice % 2], (voice, 3)
        play.play(voice, *[[0, 1]] * 16)
    before = [play.stage.n_cached(voice) for voice in range(4)]
    said = [sorted(voice for voice, *_ in play.stage.step()) for _ in range(8)]
    assert sorted(said) == [[0, 2]] * 4 + [[1, 3]] * 4
    after = [play.stage.n_cached(voice) for voice in range(4)]
    assert [late - early for late, early in zip(after, before, strict=True)] == [4] * 4


def test_a_shared_prefix_is_the_same_prefix(play: Play) -> None:
    play.begin(0, TOKENS)
    first = play.stage.step()[0][1]
    play.stage.share(0, 1, 0, 7)
    assert play.stage.n_cached(1) == 7
    play.begin(1, TOKENS[7:])
    assert [said[:2] for said in play.stage.step()] == [(1, first)]
    play.stage.rest(0)
    play.stage.keep(0, 0)
    play.stage.rest(1)
    assert play.stage.n_cached(1) == 8  # what another forgets stays


def test_an_answer_ends_at_its_limits(play: Play) -> None:
    def said(**how: Any) -> tuple[list[str], str | None]:
        play.begin(0, TOKENS, **how)
        play.play(0, *[[0, 1]] * 12)
        texts, why = [], None
        while (drawn := play.stage.step()) and why is None:
            (_, _, _, text, why) = drawn[0]
            texts.append(text)
        held = play.stage.rest(0)
        play.stage.keep(0, 0)
        return [*texts, held], why

    texts, why = said()
    assert why is None
    assert len(texts) == 13 + 1
    assert said(max_tokens=5) == ([*texts[:5], ""], "length")
    assert said(max_seconds=0.0) == ([*texts[:1], ""], "time")
    text = "".join(texts)
    at = next(i for i in range(2, 12) if texts[i] and texts[i + 1])
    stop = texts[at] + texts[at + 1]  # no bytes beyond UTF-8 between them
    found, why = said(stops=[stop, "never said"])
    assert ("".join(found), why) == (text[: text.find(stop)], "stop")
    longer = text[-1] + "and what was never said"
    found, why = said(stops=[longer])
    assert ("".join(found), why) == (text, None)
    assert found[-1] == text[-1]  # held back until it was said to rest
    for wrong in ({"max_tokens": -1}, {"max_seconds": math.nan}, {"stops": [""]}):
        with pytest.raises(ValueError, match=r"stop text|at least one token to say"):
            play.begin(0, TOKENS, **wrong)


def test_a_context_without_room_is_an_error_and_leaves_nothing(random_chat: Path) -> None:
    bank = _core.Bank(random_vectors(random_chat).data)
    with Context(random_chat, n_ctx=256, n_batch=200, n_ubatch=200) as ctx:
        play = Play(ctx, bank)
        play.begin(0, TOKENS * 24)
        play.stage.step()
        play.begin(1, TOKENS * 24)
        with pytest.raises(RuntimeError, match="no room left"):
            play.stage.step()
        assert (play.stage.n_cached(0), play.stage.n_cached(1)) == (192, 0)
        assert play.stage.step() == []
        play.stage.close()


def test_what_is_refused(play: Play) -> None:
    stage = play.stage
    with pytest.raises(IndexError, match="there is no voice 4 among 4"):
        play.begin(4, TOKENS)
    with pytest.raises(ValueError, match="tokens of the model"):
        play.begin(0, [])
    with pytest.raises(ValueError, match="tokens of the model"):
        play.begin(0, [10**6])
    with pytest.raises(ValueError, match="weights must be finite"):
        play.begin(0, TOKENS, weights=[np.nan, 0])
    with pytest.raises(ValueError, match="one weight per emotion"):
        play.begin(0, TOKENS, weights=[0])
    play.begin(0, TOKENS)
    with pytest.raises(RuntimeError, match="speaks already"):
        play.begin(0, TOKENS)
    with pytest.raises(RuntimeError, match="the voice speaks"):
        stage.keep(0, 0)
    stage.step()
    for source, target, begin, end in ((0, 1, 1, 2), (0, 1, 0, 9), (0, 0, 0, 1)):
        with pytest.raises((ValueError, RuntimeError)):
            stage.share(source, target, begin, end)
    stage.close()
    with pytest.raises(RuntimeError, match="the stage is closed"):
        stage.step()


def test_contexts_that_would_mix_voices_up_are_refused(random_chat: Path) -> None:
    with (
        Context(random_chat, kv_unified=False) as ctx,
        pytest.raises(ValueError, match="kv_unified = true"),
    ):
        _core.Stage(ctx.injector, ctx.limiter, ctx.address)
    with (
        Context(random_chat, n_batch=4, n_ubatch=4) as ctx,
        pytest.raises(ValueError, match="no room for prompts beside 4 voices"),
    ):
        _core.Stage(ctx.injector, ctx.limiter, ctx.address)
