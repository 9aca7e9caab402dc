"""Whatever happens around it, a voice says what it would say alone."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from cast_machine import CastMachine, replay
from footprint import Footprint
from llama_gguf import LlamaShape, byte_tokenizer, random_weights, write_llama
from open_casts import Call, OpenCasts

# Few tokens, so that conversations of several turns fit a small context.
SHORT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'][0] + message['content'] + '<|im_end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>a' }}{% endif %}"
)


@pytest.fixture(scope="session")
def brief_chat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random llama that is quick: 3 layers, width 32, bytes for tokens, F32."""
    shape = LlamaShape(
        n_layer=3, n_embd=32, n_ff=64, n_head=2, n_head_kv=1, n_vocab=288, n_ctx=1024
    )
    path = tmp_path_factory.mktemp("models") / "brief-chat.gguf"
    write_llama(
        path,
        shape,
        random_weights(shape, seed=1, scale=0.25),
        tokenizer=byte_tokenizer(shape.n_vocab),
        chat_template=SHORT_TEMPLATE,
        quant="f32",
        name="brief chat",
    )
    return path


# What becomes of answers; each happens in a twentieth of the games or more.
ENDS = (
    *("stop", "length", "time", "interrupted", "failed", "lost"),
    *("changed", "forgotten", "unsaid", "rescued"),
)
MOST_TIPPED = 1 / 1000  # of all answers
MOST_GROWTH = 2**20  # bytes


def play(casts: OpenCasts, *, n: int) -> list[list[Call]]:
    """``n`` random games or more of ten calls to fifty, the same ones each time."""
    games: list[list[Call]] = []
    run_state_machine_as_test(
        lambda: CastMachine(casts, games),
        settings=settings(
            max_examples=2 * n + 100,  # some are shorter
            stateful_step_count=80,  # of which some are left out
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return [calls for calls in games if len(calls) >= 10]


def played_again(model: Path, games: list[list[Call]], n: int) -> tuple[Footprint, Footprint]:
    """What the process has when each game was played once, and when ``n`` more were."""
    casts = OpenCasts(model)
    try:
        for calls in games:
            replay(calls, casts)
        before = Footprint.now()
        for _ in range(n // len(games)):
            for calls in games:
                replay(calls, casts)
        return before, Footprint.now()
    finally:
        casts.close()


@pytest.mark.slow
@pytest.mark.parametrize(("n", "n_again"), [(40, 40), (300, 120)])
def test_a_cast_that_is_called_at_random(
    brief_chat: Path, monkeypatch: pytest.MonkeyPatch, n: int, n_again: int
) -> None:
    """What must be true after every call stands in `CastMachine`. Some of the games, played again
    in a process of their own, whose memory malloc alone gives out, leave nothing behind."""
    casts = OpenCasts(brief_chat)
    try:
        games = play(casts, n=n)
        assert len(games) >= n
        assert {end: casts.counts[end] for end in ENDS if casts.counts[end] < n / 20} == {}
        assert casts.counts["tipped"] <= 1 + MOST_TIPPED * casts.counts["answers"]
    finally:
        casts.close()
    some = games[:: len(games) // 20][:20]
    monkeypatch.setenv("PYTHONMALLOC", "malloc")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as own:
        before, after = own.submit(played_again, brief_chat, some, n_again).result()
    assert after.objects == before.objects
    assert after.in_use - before.in_use < MOST_GROWTH
