"""Hidden states of many sequences in one batch, each projected as its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import llama_cpp
import numpy as np
import pytest
from test_stage import TOKENS, Play

from batches import Context, Float32, Row, prompt
from llamood import _core
from llamood.readings.probe import directions_of
from open_voices import random_vectors
from probes import LAYERS

SAME = 2e-5  # of projections up to 20; kernels sum in an order that depends on the batch
LENGTHS = [7, 3, 1, 5]  # of prompts
WEIGHTS = [[0.0, 1.0], [-0.5, 0.3], [0.0, 0.0], [2.0, 0.0]]
EXACT = {  # nothing is rounded to 16 bits on its way
    "type_k": llama_cpp.GGML_TYPE_F32,
    "type_v": llama_cpp.GGML_TYPE_F32,
    "flash_attn_type": llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}


def probe_of(ctx: Context, model: Path, *, n_sequence: int = 4) -> _core.Probe:
    directions = directions_of(random_vectors(model), LAYERS)
    return _core.Probe(
        ctx.watch, ctx.address, layers=LAYERS, directions=directions, n_sequence=n_sequence
    )


def bank_of(model: Path) -> _core.Bank:
    return _core.Bank(random_vectors(model).data)


def batches(sequences: Sequence[int]) -> Iterator[list[Row]]:
    """Prompts of these sequences, and then three tokens of each."""
    yield [
        row
        for s in sequences
        for row in prompt([60 + s + i for i in range(LENGTHS[s])], sequence=s)
    ]
    for step in range(3):
        yield [Row(80 + 7 * step + s, LENGTHS[s] + step, s) for s in sequences]


def runs_of(rows: Sequence[Row]) -> list[tuple[int, int, int]]:
    """(sequence, begin, n) of rows of which those of a sequence lie side by side."""
    runs: dict[int, list[int]] = {}
    for row in rows:
        runs.setdefault(row.sequence, []).append(row.position)
    return [(sequence, at[0], len(at)) for sequence, at in runs.items()]


def read(model: Path, sequences: Sequence[int], *, node: str) -> list[Float32]:
    """Projections of all positions of each of these sequences, which are decoded together, each
    under weights of its own."""
    with Context(model, node=node, **EXACT) as ctx:
        probe = probe_of(ctx, model)
        bank = bank_of(model)
        for rows in batches(sequences):
            ctx.expect(bank, [WEIGHTS[row.sequence] for row in rows], rows)
            probe.expect(runs_of(rows))
            ctx.decode(rows)
        found = [probe.read(0, LENGTHS[s] + 3, sequence=s) for s in sequences]
        assert np.isnan(probe.read(LENGTHS[sequences[0]] + 3, 9, sequence=sequences[0])).all()
        probe.close()
        return found


@pytest.mark.parametrize("node", ["l_out", "ffn_inp"])
def test_each_sequence_is_read_as_alone(random_chat: Path, node: str) -> None:
    together = read(random_chat, [2, 0, 3, 1], node=node)
    for number, sequence in enumerate([2, 0, 3, 1]):
        (alone,) = read(random_chat, [sequence], node=node)
        assert not np.isnan(alone).any()
        np.testing.assert_allclose(together[number], alone, atol=SAME)
    assert np.abs(together[1][:7] - together[2][:1]).min() > SAME


@pytest.mark.parametrize("is_probe_first", [False, True])
def test_what_is_added_is_in_what_is_read(random_chat: Path, is_probe_first: bool) -> None:
    """At the node that is read itself, whoever watches it first."""
    bank, evs = bank_of(random_chat), random_vectors(random_chat)
    found = []
    for weight in (0.0, 1.5):
        with Context(random_chat) as ctx:
            probe = probe_of(ctx, random_chat)
            if is_probe_first:
                ctx.injector.close()
                ctx.injector = _core.RowInjector(ctx.watch, ctx.address, node="l_out")
            rows = [row for s in range(2) for row in prompt(TOKENS, sequence=s)]
            weights = [[0.0, weight * row.sequence] for row in rows]
            ctx.expect(bank, weights, rows, layers=(2, 2))
            probe.expect(runs_of(rows))
            ctx.decode(rows)
            found.append([probe.read(0, len(TOKENS), sequence=s)[:, 1] for s in range(2)])
            probe.close()
    assert np.array_equal(found[0][0], found[1][0])
    added = 1.5 * directions_of(evs, LAYERS)[1] @ evs.data[1, 2]
    assert np.abs(added).min() > 1
    np.testing.assert_allclose(found[1][1] - found[0][1], np.tile(added, (8, 1)), atol=SAME)


def test_nothing_is_read_of_rows_that_are_not_known(random_chat: Path) -> None:
    with Context(random_chat, n_batch=16, n_ubatch=4) as ctx:
        probe = probe_of(ctx, random_chat)
        rows = prompt(TOKENS)
        ctx.decode(rows)  # nothing was told
        assert np.isnan(probe.read(0, 8)).all()
        probe.expect([(0, 8, 2)])
        ctx.decode([Row(70, 8), Row(71, 9)])
        before = probe.read(0, 10)
        assert not np.isnan(before[8:]).any()
        probe.expect([(1, 0, 8)])
        ctx.decode(prompt(TOKENS, sequence=1))  # more than a ubatch
        assert np.isnan(probe.read(0, 8, sequence=1)).all()
        probe.expect([(0, 9, 3)])
        ctx.decode([Row(70, 10), Row(71, 11)])  # not what was told
        assert np.array_equal(probe.read(0, 9), before[:9], equal_nan=True)
        assert np.isnan(probe.read(9, 3)).all()
        probe.close()


def test_what_cannot_be_read_is_refused(random_chat: Path) -> None:
    with Context(random_chat) as ctx:
        for n_sequence in (0, 5):
            with pytest.raises(ValueError, match="1 to 4 sequences can be read"):
                probe_of(ctx, random_chat, n_sequence=n_sequence)
        probe = probe_of(ctx, random_chat, n_sequence=2)
        for run in ((2, 0, 1), (-1, 0, 1), (0, -1, 2), (0, 257, 1)):
            with pytest.raises(IndexError):
                probe.expect([(0, 0, 3), run])
        with pytest.raises(ValueError, match="at least one row"):
            probe.expect([(0, 0, 0)])
        with pytest.raises(IndexError, match="sequence 2 is not read"):
            probe.read(0, 1, sequence=2)
        with pytest.raises(IndexError, match="beyond the context"):
            probe.read(250, 9, sequence=1)
        with pytest.raises(ValueError, match="the probe reads 2 sequences, expected 4"):
            _core.Stage(ctx.injector, ctx.limiter, ctx.address, probe=probe)
        probe.close()


# -- on a stage -----------------------------------------------------------------------------


@pytest.fixture
def context(random_chat: Path) -> Iterator[Context]:
    with Context(random_chat, n_batch=8, n_ubatch=8, **EXACT) as ctx:
        yield ctx


@pytest.fixture
def probe(context: Context, random_chat: Path) -> Iterator[_core.Probe]:
    probe = probe_of(context, random_chat)
    yield probe
    probe.close()


@pytest.fixture
def play(context: Context, probe: _core.Probe, random_chat: Path) -> Iterator[Play]:
    play = Play(context, bank_of(random_chat), probe=probe)
    yield play
    play.stage.close()


def test_a_stage_tells_whose_rows_a_batch_has(
    play: Play, probe: _core.Probe, random_chat: Path
) -> None:
    """Prompts in pieces beside tokens that are generated."""
    stage = play.stage
    play.begin(1, TOKENS[:3], weights=WEIGHTS[1])
    said = [stage.step()[0][1]]
    play.play(1, *[WEIGHTS[1]] * 3)
    play.begin(3, TOKENS * 2, weights=WEIGHTS[3])
    while stage.n_cached(3) < 16:
        said += [token for voice, token, *_ in stage.step() if voice == 1]
    for voice, tokens in ((1, TOKENS[:3] + said[:3]), (3, TOKENS * 2)):
        n = stage.n_cached(voice)
        assert n == len(tokens)
        found = probe.read(0, n, sequence=voice)
        with Context(random_chat, **EXACT) as ctx:
            alone = probe_of(ctx, random_chat)
            rows = prompt(tokens, sequence=voice)
            ctx.expect(play.bank, [WEIGHTS[voice]] * n, rows)
            alone.expect([(voice, 0, n)])
            ctx.decode(rows)
            expected = alone.read(0, n, sequence=voice)
            alone.close()
        np.testing.assert_allclose(found, expected, atol=SAME)


def test_what_was_read_is_shared_and_forgotten_with_the_cache(
    play: Play, probe: _core.Probe
) -> None:
    stage = play.stage
    play.begin(0, TOKENS)
    stage.step()
    stage.rest(0)
    known = probe.read(0, 8)
    assert not np.isnan(known).any()
    stage.share(0, 2, 0, 5)
    assert np.array_equal(probe.read(0, 5, sequence=2), known[:5])
    assert np.isnan(probe.read(5, 3, sequence=2)).all()
    stage.keep(0, 3)
    assert np.array_equal(probe.read(0, 3), known[:3])
    assert np.isnan(probe.read(3, 5)).all()
    assert np.array_equal(probe.read(0, 5, sequence=2), known[:5])  # stays for another
    play.begin(2, TOKENS[5:])
    stage.step()
    np.testing.assert_allclose(probe.read(0, 8, sequence=2), known, atol=SAME)
    probe.forget(sequence=2, begin=6)
    assert not np.isnan(probe.read(0, 6, sequence=2)).any()
    assert np.isnan(probe.read(6, 2, sequence=2)).all()


def test_a_batch_that_failed_was_not_read(random_chat: Path) -> None:
    with Context(random_chat, n_ctx=256, n_batch=200, n_ubatch=200) as ctx:
        probe = probe_of(ctx, random_chat)
        play = Play(ctx, bank_of(random_chat), probe=probe)
        play.begin(0, TOKENS * 24)
        play.stage.step()
        play.begin(1, TOKENS * 24)
        with pytest.raises(RuntimeError, match="no room left"):
            play.stage.step()
        assert not np.isnan(probe.read(0, 192)).any()
        assert np.isnan(probe.read(0, 192, sequence=1)).all()
        play.stage.close()
        probe.close()


def test_what_was_computed_of_a_batch_that_failed_is_forgotten(random_chat: Path) -> None:
    """A node of another width cannot be added to, as is known once it is computed."""
    with Context(random_chat, node="ffn_up") as ctx:
        probe = probe_of(ctx, random_chat)
        play = Play(ctx, bank_of(random_chat), probe=probe)
        play.begin(0, TOKENS[:4], weights=[0, 0])
        play.stage.step()
        play.stage.rest(0)
        play.begin(0, TOKENS[4:], weights=[0, 1])
        with pytest.raises(RuntimeError, match="expected rows of 64"):
            play.stage.step()
        assert play.stage.n_cached(0) == 4
        assert not np.isnan(probe.read(0, 4)).any()
        assert np.isnan(probe.read(4, 4)).all()
        play.stage.close()
        probe.close()
