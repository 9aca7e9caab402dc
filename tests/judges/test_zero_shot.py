"""The model as a judge: likelihoods as plain llama_cpp gives them, and what spoils none of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gguf
import llama_cpp
import numpy as np
import numpy.typing as npt
import pytest

import tiny_chat
from llama_gguf import CHATML, _add_tokenizer, byte_tokenizer
from llamood.cli.prompts import chat_tokens
from llamood.errors import LlamoodError, ModelError
from llamood.judges.zero_shot import CONTENT_FREE, ZeroShotJudge, cut_to_fit, question

LABELS = ("joy", "anger", "sadness", "neutral")
TEXTS = ("I love this so much!", "The meeting is on Tuesday.", "", "How sad. I miss it.")
THREADS: dict[str, Any] = {"n_threads": 1, "n_threads_batch": 1}


def user_turn(llm: llama_cpp.Llama, turn: str) -> list[int]:
    return chat_tokens(llm, [{"role": "user", "content": turn}])


def judge_of(model: Path, labels: Sequence[str] = LABELS, **changed: Any) -> ZeroShotJudge:
    return ZeroShotJudge(model, labels=labels, **{"prompt": user_turn, **THREADS, **changed})


def write_mamba(path: Path, *, n_embd: int = 32, n_inner: int = 64, n_vocab: int = 300) -> Path:
    """A random model with a recurrent state, which cannot go back by a token."""
    n_state, n_conv, n_rank = 8, 4, 4
    rng = np.random.default_rng(2)

    def normal(*shape: int) -> npt.NDArray[np.float32]:
        return (0.3 * rng.standard_normal(shape)).astype(np.float32)

    writer = gguf.GGUFWriter(path, "mamba")
    writer.add_context_length(1024)
    writer.add_embedding_length(n_embd)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(2)
    writer.add_ssm_conv_kernel(n_conv)
    writer.add_ssm_inner_size(n_inner)
    writer.add_ssm_state_size(n_state)
    writer.add_ssm_time_step_rank(n_rank)
    writer.add_layer_norm_rms_eps(1e-5)
    _add_tokenizer(writer, byte_tokenizer(n_vocab), CHATML)
    writer.add_tensor("token_embd.weight", normal(n_vocab, n_embd))
    writer.add_tensor("output_norm.weight", 1 + normal(n_embd))
    for layer in range(2):
        block = {
            "attn_norm.weight": 1 + normal(n_embd),
            "ssm_in.weight": normal(2 * n_inner, n_embd),
            "ssm_conv1d.weight": normal(n_inner, n_conv),
            "ssm_conv1d.bias": normal(n_inner),
            "ssm_x.weight": normal(n_rank + 2 * n_state, n_inner),
            "ssm_dt.weight": normal(n_inner, n_rank),
            "ssm_dt.bias": normal(n_inner),
            "ssm_a": -np.exp(normal(n_inner, n_state)),
            "ssm_d": normal(n_inner),
            "ssm_out.weight": normal(n_embd, n_inner),
        }
        for name, tensor in block.items():
            writer.add_tensor(f"blk.{layer}.{name}", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, random_chat: Path) -> dict[str, Path]:
    mamba = write_mamba(tmp_path_factory.mktemp("mamba") / "mamba.gguf")
    return {"tiny_chat": tiny_chat.MODEL, "random_chat": random_chat, "mamba": mamba}


@pytest.fixture(scope="module")
def judge() -> Iterator[ZeroShotJudge]:
    with judge_of(tiny_chat.MODEL) as of_tiny_chat:
        yield of_tiny_chat


def by_hand(model: Path, texts: Sequence[str], labels: Sequence[str]) -> npt.NDArray[np.float64]:
    """The formula of arXiv 2102.09690 over plain llama_cpp's logits, each label on its own."""
    llm = llama_cpp.Llama(str(model), n_ctx=512, logits_all=True, verbose=False, **THREADS)

    def likelihood(text: str, label: str) -> float:
        asked = user_turn(llm, question(text, labels))
        answer = llm.tokenize(label.encode(), add_bos=False)
        llm.reset()
        llm.eval([*asked, *answer])
        total = 1.0
        for place, token in enumerate(answer, start=len(asked) - 1):
            odds = np.exp(llm.scores[place].astype(np.longdouble))
            total *= odds[token] / odds.sum()
        return float(total)

    def row(text: str) -> npt.NDArray[np.float64]:
        return np.array([likelihood(text, label) for label in labels])

    plain = np.array([row(text) for text in CONTENT_FREE])
    prior = (plain / plain.sum(axis=1, keepdims=True)).mean(axis=0)
    calibrated = np.array([row(text) for text in texts]) / prior
    llm.close()
    return np.asarray(calibrated / calibrated.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("name", ["tiny_chat", "random_chat", "mamba"])
def test_probabilities_are_those_of_plain_logits(name: str, models: dict[str, Path]) -> None:
    with judge_of(models[name]) as judge:
        rows = judge.probabilities(TEXTS)
    expected = by_hand(models[name], TEXTS, LABELS)
    np.testing.assert_allclose(rows, expected, atol=5e-4)
    assert np.abs(expected - expected[0]).max() > 0.02  # texts are told apart at all


def test_it_hears_what_the_model_knows() -> None:
    """The tests' model was never taught to classify, but it knows how its sentences go on."""
    expressed = {
        " glad": "What a wonderful day! Thank you, this makes me happy!",
        " afraid": "It is such a nightmare. I have such anxiety, I am scared.",
        " sad": "It is so disappointing. It makes me lonely, I miss it.",
        " angry": "It is so frustrating that I could scream! How dare they!",
        " disgusted": "Yuck, how nasty and revolting.",
    }

    def going_on(llm: llama_cpp.Llama, turn: str) -> list[int]:
        text = turn.partition("Text: ")[2]
        return list(llm.tokenize(f"{text} I am so".encode()))

    with judge_of(tiny_chat.MODEL, tuple(expressed), prompt=going_on) as judge:
        rows = judge.probabilities(expressed.values())
    assert rows.argmax(axis=1).tolist() == list(range(len(expressed)))


def test_rows_are_probabilities_whatever_the_text(judge: ZeroShotJudge) -> None:
    texts = ["", " \n\t", "日本語 é ñ", "🤢🤢🤢", "\x00\ud800", "word " * 100_000, "a" * 10**6]
    rows = judge.probabilities(texts)
    assert rows.shape == (len(texts), len(LABELS))
    assert rows.dtype == np.float64
    np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-12)
    assert (rows >= 0).all()


def test_no_texts_give_no_rows_and_a_lone_text_is_refused(judge: ZeroShotJudge) -> None:
    assert judge.labels == LABELS
    assert judge.probabilities([]).shape == (0, len(LABELS))
    with pytest.raises(TypeError, match="give a list"):
        judge.probabilities("joy")


def test_a_text_is_judged_alike_alone_among_others_and_again(judge: ZeroShotJudge) -> None:
    together = judge.probabilities(TEXTS)
    alone = np.vstack([judge.probabilities([text]) for text in reversed(TEXTS)])
    np.testing.assert_array_equal(together, alone[::-1])
    with judge_of(tiny_chat.MODEL) as another:
        np.testing.assert_array_equal(together, another.probabilities(iter(TEXTS)))


def test_the_order_of_labels_is_that_of_columns_only(judge: ZeroShotJudge) -> None:
    order = [2, 0, 3, 1]
    with judge_of(tiny_chat.MODEL, [LABELS[i] for i in order]) as other:
        rows = other.probabilities(TEXTS)
    np.testing.assert_allclose(rows, judge.probabilities(TEXTS)[:, order], rtol=1e-9)


def test_what_is_asked_shows_the_text_and_every_label() -> None:
    asked = question("A lovely day.", LABELS)
    assert "anger, joy, neutral, sadness?" in asked
    assert asked.endswith("Text: A lovely day.")


def test_long_texts_are_judged_by_as_many_words_as_fit(judge: ZeroShotJudge) -> None:
    n_ctx = 256
    long = " ".join(["word"] * 600)
    with judge_of(tiny_chat.MODEL, n_ctx=n_ctx) as narrow:
        llm = narrow._llama
        longest = max(len(llm.tokenize(label.encode(), add_bos=False)) for label in LABELS)

        def n_token(n_word: int) -> int:
            return len(user_turn(llm, question(" ".join(["word"] * n_word), LABELS))) + longest

        n_fit = max(n for n in range(n_ctx) if n_token(n) <= n_ctx)
        fitting, shorter = (" ".join(["word"] * n) for n in (n_fit, n_fit - 1))
        of_long, of_fitting, of_shorter = narrow.probabilities([long, fitting, shorter])
    np.testing.assert_array_equal(of_long, of_fitting)
    assert np.abs(of_long - of_shorter).max() > 1e-3
    assert np.abs(of_long - judge.probabilities([long])[0]).max() > 1e-3  # more fits there


@pytest.mark.parametrize(
    ("text", "n", "kept"),
    [
        ("one two three", 20, "one two three"),
        ("one two three", 12, "one two"),
        ("one two three", 7, "one two"),
        ("one  two", 4, "one"),
        ("one two", 2, "on"),
        ("one two", 0, ""),
        ("日本語日本語", 4, "日本語日"),
        ("a\ud800b", 9, "a?b"),
    ],
)
def test_cut_to_fit(text: str, n: int, kept: str) -> None:
    assert cut_to_fit(text, n_token=n, count=len) == kept


def test_of_huge_texts_little_is_looked_at() -> None:
    seen = []
    cut_to_fit("ab " * 10**6, n_token=10, count=lambda text: seen.append(len(text)) or len(text))
    assert max(seen) <= 320


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ("joy", "expected different names"),
        (["joy"], "at least two"),
        (["joy", "joy"], "expected different names"),
        (["joy", " "], "none that is empty"),
    ],
)
def test_labels_that_cannot_be_asked_for(labels: Any, says: str) -> None:
    with pytest.raises(LlamoodError, match=says):
        judge_of(tiny_chat.MODEL, labels)


def test_models_that_cannot_be_asked(tmp_path: Path, random_chat: Path) -> None:
    (tmp_path / "text.gguf").write_text("hello")
    for name in ("text.gguf", "none.gguf", "."):
        with pytest.raises(ModelError, match="cannot load this model"):
            judge_of(tmp_path / name)
    with pytest.raises(ModelError, match="take a larger context"):
        judge_of(random_chat, n_ctx=64)  # a byte a token
    with pytest.raises(TypeError, match="did you mean 'n_gpu_layers'"):
        judge_of(tiny_chat.MODEL, n_gpu_layer=1)


def test_what_the_template_refuses_is_said() -> None:
    def refuse(llm: llama_cpp.Llama, turn: str) -> list[int]:
        raise ModelError("the model's chat template refuses these messages")

    with pytest.raises(ModelError, match="refuses these messages"):
        judge_of(tiny_chat.MODEL, prompt=refuse)
