"""What is added to each row of a batch: its own blend, to the bit, or an error."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest

import llamood
from batches import Context, Float32, Row, prompt
from families.table import BY_NAME
from llama_gguf import LlamaShape, byte_tokenizer, random_weights, write_llama
from llamood import _core
from open_voices import random_vectors

TOKENS = [79, 110, 99, 101, 32, 117, 112]
FLOAT32_CACHE = {"type_k": llama_cpp.GGML_TYPE_F32, "type_v": llama_cpp.GGML_TYPE_F32}
STRENGTHS = [1.0, -0.5, 0.0, 2.0]


@pytest.fixture(params=["llama", "qwen2"], scope="module")
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    shape = LlamaShape(
        n_layer=4,
        n_embd=64,
        n_ff=128,
        n_head=4,
        n_head_kv=2,
        n_vocab=300,
        n_ctx=512,
        arch=request.param,
    )
    return write_llama(
        tmp_path_factory.mktemp("rows") / f"{request.param}.gguf",
        shape,
        random_weights(shape, seed=2, scale=0.2),
        tokenizer=byte_tokenizer(shape.n_vocab),
        name="rows",
    )


@pytest.fixture
def evs(model: Path) -> llamood.EmotionVectors:
    return random_vectors(model)


@pytest.fixture
def bank(evs: llamood.EmotionVectors) -> _core.Bank:
    return _core.Bank(evs.data)


def said(model: Path, bank: _core.Bank, weights: Any, **settings: Any) -> Float32:
    """Logits after each token of `TOKENS`, in a context of their own."""
    layers = settings.pop("layers", None)
    with Context(model, n_sequence=1, **settings) as ctx:
        rows = prompt(TOKENS, outputs="all")
        ctx.expect(bank, np.tile(weights, (len(rows), 1)), rows, layers=layers)
        return ctx.decode(rows)


def said_by_control_vector(model: Path, bank: _core.Bank, weights: Any, first: int) -> Float32:
    with Context(model, n_sequence=1) as ctx:
        injector = _core.Injector(ctx.watch, ctx.address)
        injector.apply(bank, weights, first, bank.n_layer - 1)
        return ctx.decode(prompt(TOKENS, outputs="all"))


# -- bit by bit -----------------------------------------------------------------------------


def test_one_sequence_at_layer_out_equals_the_control_vector(model: Path, bank: _core.Bank) -> None:
    for weights in ([0.0, 1.0], [-0.5, 2.0]):
        rows = said(model, bank, weights, layers=(1, 3))
        assert np.array_equal(rows, said_by_control_vector(model, bank, weights, 1))
    assert not np.array_equal(rows, said(model, bank, [0.0, 0.0]))


@pytest.mark.parametrize("node", ["l_out", "ffn_inp"])
def test_layer_zero_is_added_to(model: Path, bank: _core.Bank, node: str) -> None:
    neutral = said(model, bank, [0.0, 0.0], node=node)
    assert not np.array_equal(said(model, bank, [0.0, 1.0], node=node, layers=(0, 0)), neutral)


@pytest.mark.parametrize("node", ["l_out", "ffn_inp"])
def test_rows_of_zeros_are_bit_equal_to_unsteered_and_stop_nothing(
    model: Path, bank: _core.Bank, node: str
) -> None:
    rows = prompt(TOKENS, outputs="all")
    with Context(model, node=node) as ctx:
        untouched = ctx.decode(rows)
    with Context(model, node=node) as ctx:
        ctx.expect(bank, np.zeros((len(rows), 2)), rows)
        assert np.array_equal(ctx.decode(rows), untouched)
        assert (ctx.injector.n_stop, ctx.injector.n_blend) == (0, 0)


def test_blends_that_are_zero_do_not_count(model: Path) -> None:
    """As they do not show where the graph has the node."""
    rows = prompt(TOKENS, outputs="all")
    with Context(model, node="l_out") as ctx:
        untouched = ctx.decode(rows)
        shape = ctx.injector.n_layer, ctx.injector.n_embd
    nothing = _core.Bank(np.zeros((2, *shape), dtype=np.float32))
    with Context(model, node="l_out") as ctx:
        ctx.expect(nothing, np.ones((len(rows), 2)), rows)
        assert np.array_equal(ctx.decode(rows), untouched)
        assert (ctx.injector.n_stop, ctx.injector.n_blend) == (0, 0)


@pytest.mark.parametrize("node", ["l_out", "ffn_inp"])
def test_four_strengths_in_one_batch_equal_four_contexts(
    model: Path, bank: _core.Bank, node: str
) -> None:
    """In batches of one shape: llama.cpp's kernels round differently for other row counts."""

    def speak(strengths: list[float]) -> list[Float32]:
        """Logits (n_sequence, n_vocab) after a prompt and after each of eight tokens."""
        with Context(model, node=node) as ctx:
            rows = [row for s in range(4) for row in prompt(TOKENS, sequence=s)]
            weights = [[0.0, strengths[row.sequence]] for row in rows]
            ctx.expect(bank, weights, rows)
            heard = [ctx.decode(rows)]
            for step in range(8):
                rows = [Row(40 + 9 * step, len(TOKENS) + step, s) for s in range(4)]
                ctx.expect(bank, [[0.0, strength] for strength in strengths], rows)
                heard.append(ctx.decode(rows))
            return heard

    mixed = speak(STRENGTHS)
    for sequence, strength in enumerate(STRENGTHS):
        alone = speak([strength] * 4)
        for theirs, ours in zip(alone, mixed, strict=True):
            assert np.array_equal(ours[sequence], theirs[sequence])
    assert not np.array_equal(mixed[-1][0], mixed[-1][1])


@pytest.mark.parametrize("node", ["l_out", "ffn_inp"])
def test_four_sequences_are_near_one_alone(model: Path, bank: _core.Bank, node: str) -> None:
    """Not to the bit: a batch of one sequence has another shape."""
    rows = [row for s in range(4) for row in prompt(TOKENS, sequence=s, outputs="all")]
    with Context(model, node=node, **FLOAT32_CACHE) as ctx:
        ctx.expect(bank, [[0.0, STRENGTHS[row.sequence]] for row in rows], rows)
        together = ctx.decode(rows).reshape(4, len(TOKENS), -1)
    for ours, strength in zip(together, STRENGTHS, strict=True):
        alone = said(model, bank, [0.0, strength], node=node, **FLOAT32_CACHE)
        assert np.abs(ours - alone).max() < 1e-3


def test_sequences_in_layers_of_their_own_are_near_one_alone(model: Path, bank: _core.Bank) -> None:
    layers = [(0, 3), (1, 2), (3, 3), (2, 1)]
    rows = [row for s in range(4) for row in prompt(TOKENS, sequence=s, outputs="all")]
    with Context(model, node="ffn_inp", **FLOAT32_CACHE) as ctx:
        ranges = [layers[row.sequence] for row in rows]
        ctx.expect(bank, np.tile([0.5, 1.0], (len(rows), 1)), rows, ranges=ranges)
        together = ctx.decode(rows).reshape(4, len(TOKENS), -1)
    alone = [
        said(model, bank, [0.5, 1.0], node="ffn_inp", layers=each, **FLOAT32_CACHE)
        for each in layers
    ]
    assert np.abs(together - alone).max() < 1e-3
    assert all(np.abs(one - other).max() > 0.1 for one, other in itertools.combinations(alone, 2))


def test_a_prompt_beside_tokens_of_others(model: Path, bank: _core.Bank) -> None:
    """The last block keeps the rows that ask for logits: those are steered as their tokens."""
    rows = [*prompt(TOKENS, sequence=0), *prompt(TOKENS[:3], sequence=1, outputs="all")]
    weights = np.zeros((len(rows), 2))
    weights[-2:] = [0.0, 1.0]
    last = (bank.n_layer - 1, bank.n_layer - 1)
    with Context(model) as ctx:
        untouched = ctx.decode(rows)
    with Context(model) as ctx:
        ctx.expect(bank, weights, rows, layers=last)
        steered = ctx.decode(rows)
        assert ctx.injector.n_stop == 1
    assert np.array_equal(steered[:2], untouched[:2])
    assert all((steered[i] != untouched[i]).any() for i in (2, 3))


# -- what it costs --------------------------------------------------------------------------


def test_equal_rows_share_a_blend_also_with_the_batch_before(model: Path, bank: _core.Bank) -> None:
    with Context(model) as ctx:
        rows = [row for s in range(4) for row in prompt(TOKENS, sequence=s)]
        ctx.expect(bank, np.tile([0.0, 1.0], (len(rows), 1)), rows)
        ctx.decode(rows)
        assert (ctx.injector.n_blend, ctx.injector.n_stop) == (1, 4)
        assert ctx.injector.missing_layers() == []
        rows = [Row(50, len(TOKENS), s) for s in range(4)]
        ctx.expect(bank, [[0, 1], [0, 1], [1, 0], [0, 0]], rows)
        ctx.decode(rows)
        assert (ctx.injector.n_blend, ctx.injector.n_stop) == (2, 8)


def test_only_layers_that_are_added_to_stop_the_graph(
    model: Path, evs: llamood.EmotionVectors
) -> None:
    data = evs.data.copy()
    data[:, 2] = 0
    rows = prompt(TOKENS)
    with Context(model) as ctx:
        ctx.expect(_core.Bank(data), np.ones((len(rows), 2)), rows, layers=(1, 3))
        ctx.decode(rows)
        assert ctx.injector.n_stop == 2
        assert ctx.injector.rest()
        assert not ctx.injector.rest()
        ctx.decode([Row(50, len(TOKENS))])
        assert ctx.injector.n_stop == 2


# -- one blend for all, and rows ahead ------------------------------------------------------


@pytest.mark.parametrize("node", ["l_out", "ffn_inp"])
def test_all_alike_in_a_batch_that_is_split(model: Path, bank: _core.Bank, node: str) -> None:
    with Context(model, node=node, n_sequence=1, n_ubatch=3, **FLOAT32_CACHE) as ctx:
        assert ctx.injector.apply(bank, [0.5, 1.0], 0, 3)
        assert not ctx.injector.apply(bank, [0.5, 1.0], 0, 3)
        split = ctx.decode(prompt(TOKENS, outputs="all"))
    whole = said(model, bank, [0.5, 1.0], node=node, **FLOAT32_CACHE)
    assert np.abs(split - whole).max() < 1e-3


def test_a_script_is_the_same_as_being_told_each_token(model: Path, bank: _core.Bank) -> None:
    script = np.array([[0, 0], [0, 1], [0, 1], [1, -1], [0, 0]], np.float32)
    told, played = [], []
    with Context(model, node="ffn_inp", n_sequence=1) as ctx:
        for position, token in enumerate(TOKENS):
            weights = script[min(max(position - 1, 0), len(script) - 1)]
            ctx.injector.apply(bank, weights.tolist(), 0, 3)
            told.append(ctx.decode([Row(token, position)]))
    with Context(model, node="ffn_inp", n_sequence=1) as ctx:
        ctx.injector.play(bank, script, 0, 3, 1)
        for position, token in enumerate(TOKENS):
            played.append(ctx.decode([Row(token, position)]))
        assert ctx.injector.n_blend == 2
    assert np.array_equal(told, played)


# -- what is refused ------------------------------------------------------------------------


def test_another_batch_than_the_one_expected_is_an_error(model: Path, bank: _core.Bank) -> None:
    rows = prompt(TOKENS)
    with Context(model) as ctx:
        ctx.expect(bank, np.ones((3, 2)), rows[:3])
        message = "l_out-0: the graph has 7 rows there, the batch 3 of which 0 ask for logits"
        with pytest.raises(RuntimeError, match=message):
            ctx.decode(rows)
        ctx.injector.check()  # told once


def test_an_error_that_was_not_asked_for_is_told_at_the_next_use(
    model: Path, bank: _core.Bank
) -> None:
    rows = prompt(TOKENS)
    with Context(model) as ctx:
        ctx.expect(bank, np.ones((3, 2)), rows[:3])
        ctx.decode(rows, check=False)
        with pytest.raises(RuntimeError, match="not known which row is whose"):
            ctx.injector.apply(bank, [1, 1], 0, 3)


def test_what_llama_cpp_would_not_keep_in_order_is_refused(model: Path, bank: _core.Bank) -> None:
    rows = prompt(TOKENS)
    with (
        Context(model, n_ubatch=4) as ctx,
        pytest.raises(RuntimeError, match="7 tokens do not fit n_ubatch, which is 4"),
    ):
        ctx.expect(bank, np.ones((7, 2)), rows)
    with (
        Context(model, kv_unified=False) as ctx,
        pytest.raises(RuntimeError, match="kv_unified = true"),
    ):
        ctx.expect(bank, np.ones((7, 2)), rows)
    with Context(model, kv_unified=False, n_sequence=1) as ctx:
        ctx.expect(bank, np.ones((7, 2)), rows)
        ctx.decode(rows)


def test_a_recurrent_memory_is_refused(tmp_path: Path) -> None:
    model = BY_NAME["plamo2"].write(tmp_path / "plamo2.gguf")
    bank = _core.Bank(random_vectors(model).data)
    with (
        Context(model) as ctx,
        pytest.raises(RuntimeError, match="a recurrent memory sorts it by sequences"),
    ):
        ctx.expect(bank, np.ones((7, 2)), prompt(TOKENS))


def test_layers_without_the_node_are_told(model: Path, bank: _core.Bank) -> None:
    with Context(model, node="sa_out") as ctx:
        rows = prompt(TOKENS)
        ctx.expect(bank, np.ones((7, 2)), rows, layers=(1, 3))
        ctx.decode(rows)
        assert ctx.injector.missing_layers() == [0, 1, 2, 3]


def all_steered(ctx: Context, bank: _core.Bank) -> Float32:
    ctx.injector.apply(bank, [1, 1], 0, 3)
    return ctx.decode(prompt(TOKENS))


def test_a_node_that_is_no_row_of_hidden_states_is_an_error(model: Path, bank: _core.Bank) -> None:
    for node in ("Qcur", "ffn_gate"):  # of three dimensions; of another width
        with (
            Context(model, node=node) as ctx,
            pytest.raises(RuntimeError, match=f"{node}-0: expected rows of 64 F32 numbers"),
        ):
            all_steered(ctx, bank)


def test_shapes_and_numbers_that_do_not_fit_are_refused(model: Path, bank: _core.Bank) -> None:
    narrow = _core.Bank(np.zeros((1, 4, 63), np.float32))
    with Context(model) as ctx:
        injector = ctx.injector
        with pytest.raises(ValueError, match="4 layers of width 63, the model has 4 of width 64"):
            injector.apply(narrow, [1.0], 0, 3)
        with pytest.raises(ValueError, match="expected 2 weights, found 1"):
            injector.apply(bank, [1.0], 0, 3)
        with pytest.raises(ValueError, match="expected rows of one weight per emotion"):
            injector.expect(bank, np.ones((2, 3), np.float32), [(0, 3)] * 2, [True, True])
        with pytest.raises(ValueError, match="3 rows of weights for a batch of 2"):
            injector.expect(bank, np.ones((3, 2), np.float32), [(0, 3)] * 2, [True, True])
        with pytest.raises(ValueError, match="1 ranges of layers for a batch of 2"):
            injector.expect(bank, np.ones((2, 2), np.float32), [(0, 3)], [True, True])
        for bad in (np.nan, np.inf):
            with pytest.raises(ValueError, match="weights must be finite"):
                injector.apply(bank, [1.0, bad], 0, 3)
    with pytest.raises(RuntimeError, match="the context is closed"):
        injector.apply(bank, [1, 1], 0, 3)


# -- where it is added ----------------------------------------------------------------------


def test_the_places_that_llama_cpp_names() -> None:
    expected = {
        "llama": "ffn_inp",
        "qwen2": "ffn_inp",
        "qwen3": "ffn_inp",
        "gpt-oss": "ffn_inp",
        "gemma2": "sa_out",
        "gemma3": "sa_out",
        "gemma4": "attn_out",
        "qwen35": "attn_residual",
        "falcon": "l_out",
        "phi2": "l_out",
        "command-r": "l_out",
        "phi3": None,
        "jamba": None,  # has the name, on another tensor
        "bert": None,
        "plamo2": None,
        "no such thing": None,
    }
    assert {arch: _core.node_of("attn_out", arch) for arch in expected} == expected
    assert _core.node_of("layer_out", "no such thing") == "l_out"
    with pytest.raises(ValueError, match="expected layer_out or attn_out"):
        _core.node_of("mlp", "llama")
