"""Rows on a device whose memory the host cannot write, which is llama.cpp's RPC backend here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_stage import Play

import rpc
from batches import Context, Float32, Row, prompt
from devices import PROCESSOR, Device, Place
from llamood import _core
from llamood.readings.probe import directions_of
from open_voices import random_vectors, shape_of

pytestmark = pytest.mark.skipif(
    not rpc.IS_THERE, reason="llama-cpp-python was built without -DGGML_RPC=ON"
)

TOKENS = [79, 110, 99, 101, 32, 117, 112]
STRENGTHS = [1.0, -0.5, 0.0, 2.0]
LAYERS = [(0, 3), (1, 2), (0, 3), (3, 3)]
N_STEP = 6


@pytest.fixture(scope="module")
def there() -> Iterator[Place]:
    with rpc.server() as server:
        yield Place.whole(Device(server.device, server.pid))


def speak(
    model: Path, *, weights: list[list[float]], node: str, place: Place = PROCESSOR
) -> list[Float32]:
    """Logits (n_output, n_vocab) after four prompts of which the last also tells what comes before,
    and after each of some tokens."""
    bank = _core.Bank(random_vectors(model).data)
    with Context(model, node=node, place=place) as ctx:
        rows = [
            row
            for s in range(4)
            for row in prompt(TOKENS, sequence=s, outputs="all" if s == 3 else "last")
        ]
        layers = [LAYERS[row.sequence] for row in rows]
        ctx.expect(bank, [weights[row.sequence] for row in rows], rows, ranges=layers)
        heard = [ctx.decode(rows)]
        for step in range(N_STEP):
            rows = [Row(40 + 9 * step, len(TOKENS) + step, s) for s in range(4)]
            ctx.expect(bank, weights, rows, ranges=LAYERS)
            heard.append(ctx.decode(rows))
        n_stop = bank.n_layer * (1 + N_STEP)
        assert ctx.injector.n_stop == n_stop
        assert ctx.injector.n_on_device == (0 if place is PROCESSOR else n_stop)
        return heard


@pytest.mark.parametrize("node", ["l_out", "ffn_inp"])
def test_one_emotion_is_bit_equal_to_the_host(random_chat: Path, there: Place, node: str) -> None:
    weights = [[0.0, strength] for strength in STRENGTHS]
    here = speak(random_chat, weights=weights, node=node)
    remote = speak(random_chat, weights=weights, node=node, place=there)
    for ours, theirs in zip(remote, here, strict=True):
        assert np.array_equal(ours, theirs)
    assert not np.array_equal(here[-1][0], here[-1][2])


def test_caps_are_as_on_the_host(random_chat: Path, there: Place) -> None:
    """What they do not move stays where it lies, to the bit."""
    _, n_embd = shape_of(random_chat)
    row = (np.ones(n_embd) / np.sqrt(n_embd)).tolist()
    tight, far = (
        _core.Caps([(layer, -high, high, row) for layer in (0, 1, 2)]) for high in (0.1, 1e6)
    )
    heard = []
    for place in (PROCESSOR, there):
        with Context(random_chat, place=place) as ctx:
            for caps in (None, far, tight):
                ctx.forget()
                rows = [row for s in range(2) for row in prompt(TOKENS, sequence=s)]
                own = [None if at in (0, 7) else caps for at in range(14)]
                ctx.limiter.expect([*own[:7], *[None] * 7] if caps is tight else own)
                heard.append(ctx.decode(rows))
                ctx.limiter.check()
    assert np.array_equal(heard[:3], heard[3:])
    free, far_away, kept = heard[:3]
    assert np.array_equal(free, far_away)
    assert np.array_equal(kept[1], free[1])
    assert not np.array_equal(kept[0], free[0])


@pytest.mark.parametrize("node", ["l_out", "ffn_inp"])
def test_a_mix_is_as_on_the_host(random_chat: Path, there: Place, node: str) -> None:
    """But for the order in which the device sums."""
    weights = [[0.3, 1.1], [-0.7, 0.2], [0.0, 0.0], [1.3, 0.9]]
    here = speak(random_chat, weights=weights, node=node)
    remote = speak(random_chat, weights=weights, node=node, place=there)
    for ours, theirs in zip(remote, here, strict=True):
        assert np.abs(ours - theirs).max() < 2e-2  # keys and values are rounded to float16


def read(
    model: Path, *, weights: list[list[float]], node: str, place: Place = PROCESSOR
) -> list[Float32]:
    """Projections (n_position, 2, 2) of each of four sequences, decoded as by `speak`."""
    evs = random_vectors(model)
    with Context(model, node=node, place=place) as ctx:
        probe = _core.Probe(
            ctx.watch,
            ctx.address,
            layers=(1, 2),
            directions=directions_of(evs, (1, 2)),
            n_sequence=4,
        )
        play = Play(ctx, _core.Bank(evs.data), probe=probe)
        stage = play.stage
        for voice, row in enumerate(weights):
            play.begin(voice, TOKENS[voice:], weights=row)
            play.play(voice, *[row] * N_STEP)
        for _ in range(N_STEP):
            stage.step()
        counts = [stage.n_cached(voice) for voice in range(4)]
        assert counts == [len(TOKENS) - voice + N_STEP - 1 for voice in range(4)]
        found = [probe.read(0, n, sequence=voice) for voice, n in enumerate(counts)]
        stage.close()
        probe.close()
        return found


@pytest.mark.parametrize("node", ["l_out", "ffn_inp"])
def test_a_stage_reads_there_what_it_reads_here(random_chat: Path, there: Place, node: str) -> None:
    """What was added there, too."""
    one = [[0.0, strength] for strength in STRENGTHS]
    here = read(random_chat, weights=one, node=node)
    remote = read(random_chat, weights=one, node=node, place=there)
    for ours, theirs in zip(remote, here, strict=True):
        assert np.array_equal(ours, theirs)
    mixed = [[0.3, 1.1], [-0.7, 0.2], [0.0, 0.0], [1.3, 0.9]]
    here = read(random_chat, weights=mixed, node=node)
    remote = read(random_chat, weights=mixed, node=node, place=there)
    for ours, theirs in zip(remote, here, strict=True):
        assert np.abs(ours - theirs).max() < 2e-2


def test_all_rows_alike_and_none(random_chat: Path, there: Place) -> None:
    bank = _core.Bank(random_vectors(random_chat).data)
    heard = {}
    for place in (there, PROCESSOR):
        with Context(random_chat, node="ffn_inp", place=place, n_sequence=1, n_ubatch=3) as ctx:
            ctx.injector.apply(bank, [0.0, 0.5], 0, 3)
            steered = [ctx.decode(prompt(TOKENS, outputs="all"))]
            ctx.injector.rest()
            steered.append(ctx.decode([Row(50, len(TOKENS))]))
            ctx.injector.play(bank, np.array([[0, 1], [0, -1]], np.float32), 0, 3, len(TOKENS) + 1)
            steered += [ctx.decode([Row(51, len(TOKENS) + 1 + step)]) for step in range(2)]
            heard[place] = steered
    for ours, theirs in zip(heard[there], heard[PROCESSOR], strict=True):
        assert np.array_equal(ours, theirs)


def test_batches_of_many_lengths(random_chat: Path, there: Place) -> None:
    """More than there are graphs that are kept."""
    bank = _core.Bank(random_vectors(random_chat).data)
    heard: dict[Place, list[Float32]] = {}
    for place in (there, PROCESSOR):
        with Context(random_chat, place=place) as ctx:
            begin, heard[place] = 0, []
            for length in [*range(1, 19), 1, 2]:
                rows = [Row(40 + i, begin + i, output=i == length - 1) for i in range(length)]
                ctx.expect(bank, [[0.0, 1.0 / (1 + i)] for i in range(length)], rows)
                heard[place].append(ctx.decode(rows))
                begin += length
    for ours, theirs in zip(heard[there], heard[PROCESSOR], strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("n_voice", [1, 4, 12])
def test_one_of_many_emotions(random_chat: Path, there: Place, n_voice: int) -> None:
    """More than are laid side by side there, in moods of which some are the same, or none."""
    n_layer, n_embd = shape_of(random_chat)
    drawn = np.random.default_rng(3).standard_normal((11, n_layer, n_embd))
    bank = _core.Bank((0.2 * drawn).astype(np.float32))
    heard = []
    for place in (there, PROCESSOR):
        with Context(random_chat, place=place, n_sequence=n_voice) as ctx:
            rows = [row for s in range(n_voice) for row in prompt(TOKENS[:5], sequence=s)]
            weights = np.zeros((len(rows), 11), np.float32)
            for i, row in enumerate(rows):
                weights[i, row.sequence % 11] = 1.0 + row.sequence
            ctx.expect(bank, weights, rows)
            heard.append(ctx.decode(rows))
    assert np.array_equal(*heard)


# -- a model of which only a part lies there ------------------------------------------------

PARTS = (1, 2, 3)  # of four layers, the last ones: the graph crosses over at another place


def heard(ctx: Context) -> Float32:
    """Logits (n_token, n_vocab) of a prompt, and of tokens one by one."""
    first = ctx.decode(prompt(TOKENS, outputs="all"))
    more = [ctx.decode([Row(40 + i, len(TOKENS) + i)]) for i in range(3)]
    return np.concatenate([first, *more])


@pytest.mark.parametrize("n_layer", PARTS)
def test_a_mood_written_in_place_is_what_the_setter_gives(
    random_chat: Path, there: Place, n_layer: int
) -> None:
    """Also in the layer whose sum is computed on the other device, from a copy of the vector."""
    part, evs = replace(there, n_layer=n_layer), random_vectors(random_chat)
    bank = _core.Bank(evs.data)
    with Context(random_chat, place=part, n_sequence=1) as ctx:
        unsteered = heard(ctx)
    expected = []
    for weight in (1.0, -0.5):
        with Context(random_chat, place=part, n_sequence=1) as ctx:
            ctx.set_control_vector(np.float32(weight) * evs["joy"])
            expected.append(heard(ctx))
    with Context(random_chat, place=part, n_sequence=1) as ctx:
        injector = _core.Injector(ctx.watch, ctx.address)
        ours = []
        for weight in (1.0, -0.5, 1.0):
            injector.apply(bank, [0.0, weight], 1, 3)
            ours.append(heard(ctx))
            ctx.forget()
        assert (injector.setter_calls, injector.missing_layers()) == (1, [])
        injector.rest()
        assert np.array_equal(heard(ctx), unsteered)
        injector.close()
    assert np.array_equal(ours, [expected[0], expected[1], expected[0]])
    assert not np.array_equal(expected[0], unsteered)


@pytest.mark.parametrize("n_layer", PARTS)
def test_rows_told_ahead_are_what_the_setter_gives(
    random_chat: Path, there: Place, n_layer: int
) -> None:
    part, evs = replace(there, n_layer=n_layer), random_vectors(random_chat)
    bank, weights = _core.Bank(evs.data), np.float32([1.0, -0.5, 0.0, 2.0])
    with Context(random_chat, place=part, n_sequence=1) as ctx:
        expected = []
        for position, weight in enumerate(weights):
            ctx.set_control_vector(weight * evs["joy"])
            expected.append(ctx.decode([Row(40, position)]))
    with Context(random_chat, place=part, n_sequence=1) as ctx:
        injector = _core.Injector(ctx.watch, ctx.address)
        injector.apply(bank, [0.0, 1.0], 1, 3)
        ctx.decode([Row(40, 0)])
        ctx.forget()
        rows = np.stack([np.zeros_like(weights), weights], axis=1)
        injector.play(bank, rows, 1, 3, 0)
        ours = [ctx.decode([Row(40, position)]) for position in range(len(weights))]
        injector.close()
    assert np.array_equal(ours, expected)


@pytest.mark.parametrize("node", ["l_out", "ffn_inp"])
@pytest.mark.parametrize("n_layer", PARTS)
def test_rows_are_added_to_where_they_lie(
    random_chat: Path, there: Place, n_layer: int, node: str
) -> None:
    part, bank = replace(there, n_layer=n_layer), _core.Bank(random_vectors(random_chat).data)
    said = []
    for place in (part, PROCESSOR):
        with Context(random_chat, node=node, place=place, n_sequence=1) as ctx:
            ctx.injector.apply(bank, [0.0, 1.0], 0, 3)
            said.append(heard(ctx))
            on_device = ctx.injector.n_on_device / ctx.injector.n_stop
            assert (on_device > 0) == (place is part)
    assert np.array_equal(*said)
