"""Embeddings: those of the file's own pooling, against llama_cpp's tokens and against PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import llama_cpp
import numpy as np
import numpy.typing as npt
import pytest

import tiny_chat
from llamood.errors import ModelError
from llamood.evaluation.embedder import Embedder
from llamood.judges.measures import topic_adherence

Float32 = npt.NDArray[np.float32]

TEXTS = ("What a lovely day it is!", "It is so sad, sadly.", "day")
WORDS = (
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "what", "a", "lovely", "day", "it", "is", "so",
    "sad", "##ly", "!", ".", ",", "?",
)  # fmt: skip
N_LAYER, N_EMBD, N_HEAD, N_FF, N_CTX = 2, 32, 4, 64, 48
NONE, MEAN, CLS, LAST, RANK = (
    llama_cpp.LLAMA_POOLING_TYPE_NONE,
    llama_cpp.LLAMA_POOLING_TYPE_MEAN,
    llama_cpp.LLAMA_POOLING_TYPE_CLS,
    llama_cpp.LLAMA_POOLING_TYPE_LAST,
    llama_cpp.LLAMA_POOLING_TYPE_RANK,
)
THREADS: dict[str, Any] = {"n_threads": 1, "n_threads_batch": 1}

# A part of a block as GGUF calls it -> as transformers does, and its shape.
PARTS = {
    "attn_q": ("attention.self.query", (N_EMBD, N_EMBD)),
    "attn_k": ("attention.self.key", (N_EMBD, N_EMBD)),
    "attn_v": ("attention.self.value", (N_EMBD, N_EMBD)),
    "attn_output": ("attention.output.dense", (N_EMBD, N_EMBD)),
    "attn_output_norm": ("attention.output.LayerNorm", (N_EMBD,)),
    "ffn_up": ("intermediate.dense", (N_FF, N_EMBD)),
    "ffn_down": ("output.dense", (N_EMBD, N_FF)),
    "layer_output_norm": ("output.LayerNorm", (N_EMBD,)),
}


def bert_weights() -> dict[str, Float32]:
    """Random, by their names in GGUF."""
    rng = np.random.default_rng(6)

    def normal(*shape: int) -> Float32:
        return (0.3 * rng.standard_normal(shape)).astype(np.float32)

    weights = {
        "token_embd.weight": normal(len(WORDS), N_EMBD),
        "position_embd.weight": normal(N_CTX, N_EMBD),
        "token_types.weight": normal(2, N_EMBD),
        "token_embd_norm.weight": 1 + normal(N_EMBD),
        "token_embd_norm.bias": normal(N_EMBD),
    }
    for layer in range(N_LAYER):
        for part, (_, shape) in PARTS.items():
            weights[f"blk.{layer}.{part}.weight"] = normal(*shape) + (len(shape) == 1)
            weights[f"blk.{layer}.{part}.bias"] = normal(shape[0])
    return weights


def token_of(word: str) -> str:
    """As GGUF writes it: what begins a word has a mark, not what continues one."""
    if word.startswith("["):
        return word
    return word[2:] if word.startswith("##") else f"\N{LOWER ONE EIGHTH BLOCK}{word}"


def write_bert(path: Path, pooling: int | None) -> Path:
    """An embedding model; ``pooling`` None: the file says nothing of it."""
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_context_length(N_CTX)
    writer.add_embedding_length(N_EMBD)
    writer.add_block_count(N_LAYER)
    writer.add_feed_forward_length(N_FF)
    writer.add_head_count(N_HEAD)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    if pooling is not None:
        writer.add_pooling_type(gguf.PoolingType(pooling))
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([token_of(word) for word in WORDS])
    kinds = {True: gguf.TokenType.CONTROL, False: gguf.TokenType.NORMAL}
    writer.add_token_types([int(kinds[word.startswith("[")]) for word in WORDS])
    writer.add_token_type_count(2)
    for add, word in (
        (writer.add_pad_token_id, "[PAD]"),
        (writer.add_unk_token_id, "[UNK]"),
        (writer.add_bos_token_id, "[CLS]"),
        (writer.add_sep_token_id, "[SEP]"),
        (writer.add_eos_token_id, "[SEP]"),
        (writer.add_mask_token_id, "[MASK]"),
    ):
        add(WORDS.index(word))
    for name, tensor in bert_weights().items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def berts(tmp_path_factory: pytest.TempPathFactory) -> dict[int | None, Path]:
    """By their pooling."""
    folder = tmp_path_factory.mktemp("berts")
    kinds = (None, NONE, MEAN, CLS, LAST, RANK)
    return {kind: write_bert(folder / f"bert-{kind}.gguf", kind) for kind in kinds}


@pytest.fixture(scope="module")
def own() -> Iterator[Embedder]:
    with Embedder(tiny_chat.MODEL, own=True, **THREADS) as embedder:
        yield embedder


def token_embeddings(model: Path, text: str) -> npt.NDArray[np.float64]:
    """(n_token, n_embd), without any pooling."""
    llm = llama_cpp.Llama(
        str(model), embedding=True, pooling_type=NONE, n_ctx=512, verbose=False, **THREADS
    )
    found = np.array(llm.embed(text))
    llm.close()
    return found


def test_a_language_models_own_is_the_mean_over_tokens(own: Embedder) -> None:
    for text, row in zip(
        tiny_chat.questions()[:5], own.embed(tiny_chat.questions()[:5]), strict=True
    ):
        tokens = token_embeddings(tiny_chat.MODEL, text)
        assert len(tokens) > 1
        np.testing.assert_allclose(row, tokens.mean(axis=0), atol=1e-5)


def test_the_mean_is_of_the_states_that_logits_come_from(random_chat: Path) -> None:
    """The output matrix of this model is that of its token embeddings."""
    text = "The parcel came late."
    reader = gguf.GGUFReader(random_chat)
    (table,) = (t.data for t in reader.tensors if t.name == "token_embd.weight")
    llm = llama_cpp.Llama(str(random_chat), n_ctx=512, logits_all=True, verbose=False, **THREADS)
    tokens = llm.tokenize(text.encode())
    llm.eval(tokens)
    with Embedder(random_chat, own=True, **THREADS) as embedder:
        logits = embedder.embed([text])[0] @ np.asarray(table, dtype=np.float64).T
    mean = llm.scores[: len(tokens)].mean(axis=0)
    np.testing.assert_allclose(logits, mean, atol=2e-3 * np.abs(mean).max())


@pytest.mark.parametrize(
    ("pooling", "pooled"),
    [
        (None, lambda tokens: tokens.mean(axis=0)),
        (NONE, lambda tokens: tokens.mean(axis=0)),
        (MEAN, lambda tokens: tokens.mean(axis=0)),
        (CLS, lambda tokens: tokens[0]),
        (LAST, lambda tokens: tokens[-1]),
    ],
)
def test_an_embedding_model_pools_as_its_file_says(
    pooling: int | None, pooled: Any, berts: dict[int | None, Path]
) -> None:
    with Embedder(berts[pooling], **THREADS) as embedder:
        rows = embedder.embed(TEXTS)
    with Embedder(berts[pooling], own=True, **THREADS) as embedder:
        means = embedder.embed(TEXTS)
    for text, row, mean in zip(TEXTS, rows, means, strict=True):
        tokens = token_embeddings(berts[pooling], text)
        np.testing.assert_allclose(row, pooled(tokens), atol=1e-5)
        np.testing.assert_allclose(mean, tokens.mean(axis=0), atol=1e-5)


@pytest.mark.slow
def test_an_embedding_model_embeds_as_in_torch(berts: dict[int | None, Path]) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=N_EMBD,
        num_hidden_layers=N_LAYER,
        num_attention_heads=N_HEAD,
        intermediate_size=N_FF,
        max_position_embeddings=N_CTX,
        hidden_act="gelu_pytorch_tanh",  # llama.cpp's
    )
    twin = transformers.BertModel(config, add_pooling_layer=False).eval()
    names = {
        "token_embd": "embeddings.word_embeddings",
        "position_embd": "embeddings.position_embeddings",
        "token_types": "embeddings.token_type_embeddings",
        "token_embd_norm": "embeddings.LayerNorm",
        **{
            f"blk.{layer}.{ours}": f"encoder.layer.{layer}.{theirs}"
            for layer in range(N_LAYER)
            for ours, (theirs, _) in PARTS.items()
        },
    }
    state = {}
    for name, tensor in bert_weights().items():
        part, _, kind = name.rpartition(".")
        state[f"{names[part]}.{kind}"] = torch.from_numpy(tensor)
    twin.load_state_dict(state)
    written = [
        "[CLS] what a lovely day it is ! [SEP]",
        "[CLS] it is so sad , sad ##ly . [SEP]",
        "[CLS] day [SEP]",
    ]
    with Embedder(berts[MEAN], **THREADS) as embedder:
        rows = embedder.embed(TEXTS)
    for row, words in zip(rows, written, strict=True):
        tokens = torch.tensor([[WORDS.index(word) for word in words.split()]])
        with torch.inference_mode():
            states = twin(tokens).last_hidden_state[0].double().numpy()
        np.testing.assert_allclose(row, states.mean(axis=0), atol=2e-3)


def test_texts_without_a_word_are_zero(own: Embedder, berts: dict[int | None, Path]) -> None:
    rows = own.embed(["", " \n", "A lovely day."])
    assert rows.dtype == np.float64
    assert rows.shape == (3, own.n_embd)
    assert not rows[:2].any()
    assert rows[2].any()
    assert topic_adherence(rows, rows) == pytest.approx([0, 0, 1])
    with Embedder(berts[CLS], **THREADS) as embedder:
        assert not embedder.embed([""]).any()


def test_any_text_is_embedded(own: Embedder) -> None:
    texts = ["日本語 é ñ", "🤢🤢🤢", "\x00\ud800", "word " * 100_000, "a" * 10**6]
    rows = own.embed(texts)
    assert np.isfinite(rows).all()
    assert (np.linalg.norm(rows, axis=1) > 0).all()


def test_no_texts_give_no_rows_and_a_lone_text_is_refused(own: Embedder) -> None:
    assert own.embed([]).shape == (0, own.n_embd)
    with pytest.raises(TypeError, match="give a list"):
        own.embed("joy")


def test_a_text_is_embedded_alike_alone_among_others_and_again(own: Embedder) -> None:
    texts = tiny_chat.questions()[:6]
    together = own.embed(texts)
    alone = np.vstack([own.embed([text]) for text in reversed(texts)])
    np.testing.assert_array_equal(together, alone[::-1])


def test_long_texts_are_cut_and_keep_what_ends_a_text(berts: dict[int | None, Path]) -> None:
    """The last token of a text is [SEP], also of one that was cut."""
    with Embedder(berts[LAST], **THREADS) as embedder:
        fitting = " ".join(["lovely"] * (N_CTX - 2))
        rows = embedder.embed([f"{fitting} sad day" + " sad" * 500, fitting, fitting[:-7]])
    np.testing.assert_array_equal(rows[0], rows[1])
    assert np.abs(rows[1] - rows[2]).max() > 1e-4
    with Embedder(tiny_chat.MODEL, own=True, n_ctx=32, **THREADS) as narrow:
        longer, long = narrow.embed(["day " * 400, "day " * 300])
    np.testing.assert_array_equal(longer, long)


def test_answers_are_nearer_to_their_own_question(own: Embedder) -> None:
    """Of `tiny_chat`, that repeats the noun of a question if it answers it at all."""
    nouns = ("kiosk", "garden", "soup", "train")
    questions = own.embed([f"What can you tell me about the {noun}?" for noun in nouns])
    answers = own.embed([f"The {noun} is in the next room. I like the {noun}." for noun in nouns])
    mine = topic_adherence(questions, answers)
    for shift in range(1, len(nouns)):
        assert mine.mean() > topic_adherence(np.roll(questions, shift, axis=0), answers).mean()


def test_models_that_do_not_embed(berts: dict[int | None, Path], tmp_path: Path) -> None:
    (tmp_path / "text.gguf").write_text("hello")
    for name in ("text.gguf", "none.gguf", "."):
        with pytest.raises(ModelError, match="cannot load this model"):
            Embedder(tmp_path / name)
    with pytest.raises(ModelError, match="ranks pairs of texts"):
        Embedder(berts[RANK])
    with pytest.raises(TypeError, match="did you mean 'n_gpu_layers'"):
        Embedder(tiny_chat.MODEL, n_gpu_layer=1)


def test_a_model_of_numbers_that_are_none(tmp_path: Path, berts: dict[int | None, Path]) -> None:
    data = bytearray(berts[MEAN].read_bytes())
    norm = bert_weights()["blk.1.layer_output_norm.bias"].tobytes()
    place = data.index(norm)
    data[place : place + 4] = np.float32(np.nan).tobytes()
    (tmp_path / "nan.gguf").write_bytes(data)
    with (
        Embedder(tmp_path / "nan.gguf", **THREADS) as embedder,
        pytest.raises(ModelError, match="1 NaN or infinite"),
    ):
        embedder.embed(["day"])


def test_what_is_not_the_files_own_pooling_is_not_remarked_on(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with Embedder(tiny_chat.MODEL, **THREADS) as embedder:
        embedder.embed(["day"])
    out = capfd.readouterr()
    assert out.out + out.err == ""
