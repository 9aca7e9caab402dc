"""Hidden states as they are read: against PyTorch, and against what was added to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt
import pytest

import llamood
from llama_gguf import CHATML, byte_tokenizer, hf_llama_weights, write_llama
from llamood import _core
from open_voices import PROMPT, random_vectors, shape_of, voice

Float64 = npt.NDArray[np.float64]
LAYER_OUT, ATTN_OUT = 0, 1
FLOAT32_CACHE = {"type_k": llama_cpp.GGML_TYPE_F32, "type_v": llama_cpp.GGML_TYPE_F32}


def open_tapped(model: Path, *, n_slot: int, **settings: Any) -> tuple[llamood.Llama, _core.Tap]:
    llm = voice(model, logits_all=True, **{**FLOAT32_CACHE, **settings})
    assert llm._watch is not None
    n_layer, n_embd = shape_of(Path(llm.model_path))
    return llm, _core.Tap(llm._watch, n_layer=n_layer, n_embd=n_embd, n_slot=n_slot)


def read(llm: llamood.Llama, tap: _core.Tap, tokens: list[int], slots: list[int]) -> None:
    """Decode the tokens as one batch, each into its slot."""
    tap.expect(slots, [True] * len(tokens))
    llm.eval(tokens)


def test_slots_keep_the_sums_of_their_own_tokens(model: Path) -> None:
    llm, tap = open_tapped(model, n_slot=3)
    tokens = llm.tokenize(PROMPT.encode())
    n = len(tokens)
    slots = [(-1, 0, 1)[i % 3] for i in range(n)]
    read(llm, tap, tokens, slots)

    # The same tokens one slot each.
    llm.reset()
    each = _core.Tap(llm._watch, n_layer=tap_layers(tap), n_embd=tap.sum(0).shape[2], n_slot=n)
    tap.expect([], [])  # the first tap looks away
    read(llm, each, tokens, list(range(n)))
    for slot in (0, 1):
        mine = [i for i in range(n) if slots[i] == slot]
        assert np.allclose(tap.sum(slot), sum(each.sum(i) for i in mine), rtol=1e-12, atol=1e-9)
        assert np.allclose(tap.square(slot), sum(each.square(i) for i in mine), rtol=1e-12)
        assert (tap.count(slot) == len(mine)).all()
    for i in range(n):  # one token: its mean square is that of its sum
        assert np.allclose(each.square(i), (each.sum(i) ** 2).mean(axis=2), rtol=1e-12)
    assert not tap.sum(2).any()
    assert not tap.count(2).any()

    before = tap.sum(1)
    tap.clear(0)
    assert not tap.sum(0).any()
    assert not tap.square(0).any()
    assert not tap.count(0).any()
    assert np.array_equal(tap.sum(1), before)


def test_what_only_reads_leaves_out_the_logits_and_nothing_else(model: Path) -> None:
    llm, tap = open_tapped(model, n_slot=2)
    tokens = llm.tokenize(PROMPT.encode())
    n = len(tokens)
    llm.eval(tokens)
    plain = np.array(llm.scores[:n])
    llm.reset()
    read(llm, tap, tokens, [0] * n)
    llm.reset()
    llm.scores[:n] = 0
    tap.expect([1] * n, [True] * n, until=tap_layers(tap) - 1)
    llm.eval(tokens)
    assert np.array_equal(tap.sum(0), tap.sum(1))
    assert np.array_equal(tap.count(0), tap.count(1))
    assert not np.array_equal(llm.scores[:n], plain)  # they were not computed

    tap.expect([-1], [True])
    before = np.array(llm.scores[n - 1])
    llm.eval([tokens[0]])  # what was read is cached all the same
    after_reading = np.array(llm.scores[n])
    llm.reset()
    llm.eval([*tokens, tokens[0]])
    assert np.allclose(llm.scores[n], after_reading, atol=1e-4)
    assert not np.array_equal(before, after_reading)


def test_what_only_reads_waits_for_who_reads_more(model: Path) -> None:
    """Where another wants the logits they are there."""
    llm, tap = open_tapped(model, n_slot=1)
    other = _core.Tap(llm._watch, n_layer=tap_layers(tap), n_embd=tap.sum(0).shape[2], n_slot=1)
    tokens = llm.tokenize(PROMPT.encode())
    n = len(tokens)
    llm.eval(tokens)
    plain = np.array(llm.scores[:n])
    llm.reset()
    tap.expect([0] * n, [True] * n, until=tap_layers(tap) - 1)
    other.expect([0] * n, [True] * n)
    llm.eval(tokens)
    assert np.array_equal(llm.scores[:n], plain)
    assert np.array_equal(tap.sum(0), other.sum(0))


def tap_layers(tap: _core.Tap) -> int:
    return int(tap.count(0).shape[1])


def test_reads_what_was_added_and_where(model: Path) -> None:
    """Steering one layer moves what is read there by the vector, and nothing before it."""
    layer, evs = 2, random_vectors(model)
    llm, tap = open_tapped(model, n_slot=2)
    tokens = llm.tokenize(PROMPT.encode())
    read(llm, tap, tokens, [0] * len(tokens))
    llm.reset()
    llm.feel({"joy": 1.0, "$layers": [layer, layer], "$positions": "all"})
    read(llm, tap, tokens, [1] * len(tokens))

    moved = (tap.sum(1) - tap.sum(0)) / len(tokens)
    assert (moved[:, :layer] == 0).all()
    assert (moved[ATTN_OUT, layer] == 0).all()  # the vector comes after it
    assert np.abs(moved[LAYER_OUT, layer] - evs["joy"][layer]).max() < 1e-5
    assert np.abs(moved[:, layer + 1]).max() > 0.1


def test_reads_nothing_that_it_was_not_told_to_read(random_chat: Path) -> None:
    llm, tap = open_tapped(random_chat, n_slot=1)
    tokens = llm.tokenize(b"Hello")
    llm.eval(tokens)
    assert not tap.count(0).any()
    read(llm, tap, tokens, [-1] * len(tokens))
    assert not tap.count(0).any()
    read(llm, tap, tokens, [0, 0, -1, -1, -1])
    assert (tap.count(0) == 2).all()


def test_a_split_batch_shows_in_the_counts(random_chat: Path) -> None:
    """Nothing is summed into the wrong slot: what cannot be told apart is left out."""
    llm, tap = open_tapped(random_chat, n_slot=1, n_batch=8, n_ubatch=3)
    tokens = llm.tokenize(b"Hello123")
    assert len(tokens) == 8
    read(llm, tap, tokens, [0] * 8)
    assert not tap.count(0).any()


def test_reading_changes_nothing(random_chat: Path) -> None:
    llm, tap = open_tapped(random_chat, n_slot=1)
    tokens = llm.tokenize(PROMPT.encode())
    llm.eval(tokens)
    unread = llm.scores[: len(tokens)].copy()
    llm.reset()
    read(llm, tap, tokens, [0] * len(tokens))
    assert np.array_equal(llm.scores[: len(tokens)], unread)


def test_wrong_use_is_refused(random_chat: Path) -> None:
    llm, tap = open_tapped(random_chat, n_slot=2)
    for slots, outputs, says in (
        ([0, 1], [True], "one slot and one output mark for each token"),
        ([2], [True], "no such slot"),
        ([0], [False], "must ask for logits"),
    ):
        with pytest.raises(ValueError, match=says):
            tap.expect(slots, outputs)
    for use in (tap.sum, tap.square, tap.count):
        for slot in (-1, 2):
            with pytest.raises(IndexError, match="no such slot"):
                use(slot)
    with pytest.raises(ValueError, match="no such slot"):
        tap.clear(2)
    with pytest.raises(ValueError, match="at least one layer"):
        _core.Tap(llm._watch, n_layer=1, n_embd=1, n_slot=0)


# -- against PyTorch ------------------------------------------------------------------------


def hidden_states(model: Any, tokens: list[int]) -> Float64:
    """(n_site, n_layer, n_token, n_embd) of a `transformers` Llama."""
    import torch

    found: dict[tuple[int, int], Float64] = {}
    handles = []
    for index, layer in enumerate(model.model.layers):

        def out(_module: Any, _args: Any, output: Any, index: int = index) -> None:
            found[LAYER_OUT, index] = output[0].numpy().astype(np.float64)

        # The norm before the MLP is given the residual stream after attention.
        def between(_module: Any, args: Any, index: int = index) -> None:
            found[ATTN_OUT, index] = args[0][0].numpy().astype(np.float64)

        handles.append(layer.register_forward_hook(out))
        handles.append(layer.post_attention_layernorm.register_forward_pre_hook(between))
    with torch.no_grad():
        model(torch.tensor([tokens]))
    for handle in handles:
        handle.remove()
    n_layer = len(model.model.layers)
    return np.array([[found[site, i] for i in range(n_layer)] for site in (LAYER_OUT, ATTN_OUT)])


@pytest.mark.slow
def test_both_sites_equal_those_of_pytorch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(7)
    config = transformers.LlamaConfig(
        vocab_size=300,
        hidden_size=64,
        intermediate_size=160,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.2,
        tie_word_embeddings=False,
    )
    theirs = transformers.LlamaForCausalLM(config).eval()
    shape, weights = hf_llama_weights(theirs)
    path = write_llama(
        tmp_path / "twin.gguf",
        shape,
        weights,
        tokenizer=byte_tokenizer(shape.n_vocab),
        chat_template=CHATML,
        name="twin",
        quant="f32",
    )
    llm, tap = open_tapped(path, n_slot=2)
    tokens = llm.tokenize(PROMPT.encode())
    slots = [i % 2 for i in range(len(tokens))]
    read(llm, tap, tokens, slots)

    states = hidden_states(theirs, tokens)
    for slot in (0, 1):
        mine = states[:, :, slot::2]
        n = mine.shape[2]
        assert (tap.count(slot) == n).all()
        assert np.abs(tap.sum(slot) / n - mine.mean(axis=2)).max() < 1e-3
        assert np.allclose(tap.square(slot) / n, (mine**2).mean(axis=(2, 3)), rtol=1e-3)
    assert np.abs(states).max() > 10  # so 1e-3 is small beside what is read
