"""Hugging Face classifiers as judges: transformers' own pipeline, and folders that are none."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from llamood.errors import FileError, LlamoodError, ModelError
from llamood.judges.hf_judge import MULTI_LABEL, HfJudge
from llamood.judges.measures import emotion_strength

transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

WORDS = (
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "what", "a", "lovely", "day", "it", "is", "so",
    "sad", "##ly", "!", ".", ",", "?",
)  # fmt: skip
NAMES = ("neutral", "anger", "Happiness", "sad", "love")  # as the classifiers here call them
LABELS = ("neutral", "anger", "joy", "sadness", "love")
TEXTS = (
    "What a lovely day!", "It is so sad, sadly.", "", "lovely " * 100, "zebra", "day " * 25,
    *(f"{word} {other} is so" for word in WORDS[5:13] for other in ("what", "day")),
)  # fmt: skip
N_TOKEN = 32  # of the longest text, [CLS] and [SEP] among them

Change = Callable[[Path], Any]


def save_bert(folder: Path, *, names: tuple[str, ...] = NAMES, **config: Any) -> Path:
    """A random classifier with its tokenizer."""
    torch.manual_seed(4)
    shape = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=40,
        initializer_range=0.3,
        id2label=dict(enumerate(names)),
        label2id={name: i for i, name in enumerate(names)},
        **config,
    )
    transformers.BertForSequenceClassification(shape).save_pretrained(folder)
    vocab = {word: i for i, word in enumerate(WORDS)}
    transformers.BertTokenizer(vocab=vocab, model_max_length=N_TOKEN).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bert(tmp_path_factory.mktemp("hf") / "bert")


@pytest.fixture
def copied(bert: Path, tmp_path: Path) -> Path:
    """One to be spoilt."""
    return Path(shutil.copytree(bert, tmp_path / "copied"))


def set_config(**changes: Any) -> Change:
    """Keys of config.json changed, or taken out by None."""

    def change(folder: Path) -> None:
        path = folder / "config.json"
        config = {**json.loads(path.read_text()), **changes}
        path.write_text(json.dumps({key: v for key, v in config.items() if v is not None}))

    return change


def labelled(*names: Any) -> Change:
    return set_config(id2label={str(i): name for i, name in enumerate(names)})


def by_pipeline(folder: Path) -> npt.NDArray[np.float64]:
    """What transformers' own pipeline says of `TEXTS`, one at a time."""
    pipe = transformers.pipeline("text-classification", model=str(folder), top_k=None)
    rows = []
    for text in TEXTS:
        (found,) = pipe([text], truncation=True)
        scores = {each["label"]: each["score"] for each in found}
        rows.append([scores[name] for name in NAMES])
    return np.array(rows)


def test_probabilities_are_those_of_the_pipeline(bert: Path) -> None:
    judge = HfJudge(bert)
    rows = judge.probabilities(TEXTS)
    assert judge.labels == LABELS
    assert rows.dtype == np.float64
    np.testing.assert_allclose(rows, by_pipeline(bert), atol=1e-6)
    np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-12)
    assert rows.std(axis=0).min() > 0.01  # texts are told apart at all


def test_several_labels_at_once_are_scaled_to_sum_to_1(tmp_path: Path) -> None:
    folder = save_bert(tmp_path, problem_type=MULTI_LABEL)
    sigmoids = by_pipeline(folder)
    assert np.abs(sigmoids.sum(axis=1) - 1).min() > 0.1
    rows = HfJudge(folder).probabilities(TEXTS)
    np.testing.assert_allclose(rows, sigmoids / sigmoids.sum(axis=1, keepdims=True), atol=1e-6)


def test_a_classifier_without_padding_takes_one_text_at_a_time(tmp_path: Path) -> None:
    torch.manual_seed(5)
    shape = transformers.GPT2Config(
        vocab_size=len(WORDS),
        n_embd=32,
        n_layer=2,
        n_head=2,
        n_positions=20,
        bos_token_id=2,
        eos_token_id=3,
        initializer_range=0.3,
        id2label=dict(enumerate(NAMES)),
        label2id={name: i for i, name in enumerate(NAMES)},
    )
    model = transformers.GPT2ForSequenceClassification(shape).eval()
    model.save_pretrained(tmp_path)
    tokenizers = importlib.import_module("tokenizers")
    vocab = {word: i for i, word in enumerate(WORDS)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocab, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]"
    ).save_pretrained(tmp_path)

    rows = HfJudge(tmp_path).probabilities(["", "what a day", "day " * 50])
    np.testing.assert_allclose(rows[0], 1 / len(NAMES))  # of no token
    for row, words in zip(rows[1:], ("what a day", "day " * 20), strict=True):
        with torch.inference_mode():
            logits = model(torch.tensor([[vocab[word] for word in words.split()]])).logits
        np.testing.assert_allclose(row, logits[0].softmax(dim=0).numpy(), atol=1e-6)


def test_positions_after_that_of_padding_are_fewer_by_so_many(tmp_path: Path) -> None:
    """RoBERTa counts positions from 2 where padding is token 1; its file says 34 for 32."""
    torch.manual_seed(6)
    shape = transformers.RobertaConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=34,
        pad_token_id=1,
        id2label=dict(enumerate(NAMES)),
        label2id={name: i for i, name in enumerate(NAMES)},
    )
    save_bert(tmp_path)
    transformers.RobertaForSequenceClassification(shape).save_pretrained(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    unlimited = {"model_max_length": 10**30, "tokenizer_class": None}
    path.write_text(json.dumps({**json.loads(path.read_text()), **unlimited}))
    # One position more and PyTorch would look beyond its table.
    longest, longer = HfJudge(tmp_path).probabilities(["day " * 30, "day " * 300])
    np.testing.assert_allclose(longest, longer, atol=1e-6)


def test_long_texts_are_cut_at_the_longest(bert: Path) -> None:
    n_fit = N_TOKEN - 2
    judge = HfJudge(bert)
    longest, longer, shorter = judge.probabilities(
        ["day " * n_fit, "day " * n_fit + "sad " * 500, "day " * (n_fit - 1)]
    )
    np.testing.assert_allclose(longest, longer, atol=1e-6)
    assert np.abs(longest - shorter).max() > 1e-5


def test_any_text_is_judged(bert: Path) -> None:
    rows = HfJudge(bert).probabilities(["日本語 é ñ", "🤢", "\x00\ud800", "a" * 10**6])
    np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-12)


def test_no_texts_give_no_rows_and_a_lone_text_is_refused(bert: Path) -> None:
    judge = HfJudge(bert)
    assert judge.probabilities([]).shape == (0, len(LABELS))
    with pytest.raises(TypeError, match="give a list"):
        judge.probabilities("joy")


def test_measures_take_its_probabilities(bert: Path) -> None:
    judge = HfJudge(bert)
    rows = judge.probabilities(iter(TEXTS))
    expected = 100 * (1 - rows[:, 0].mean())
    assert emotion_strength(rows, labels=judge.labels) == pytest.approx(expected)


def test_a_synonym_keeps_its_name_where_the_usual_one_is_a_label_too(copied: Path) -> None:
    labelled("neutral", "joy", "Happiness", " SAD ", "no emotion")(copied)
    assert HfJudge(copied).labels == ("neutral", "joy", "happiness", "sadness", "no emotion")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (set_config(id2label=None), "names no labels"),
        (labelled("neutral"), "at least two"),
        (labelled(*(f"LABEL_{i}" for i in range(5))), r"no names \(LABEL_0, LABEL_1, LABEL_2"),
        (labelled("neutral", "joy", 3, "anger", "fear"), "are no names"),
        (labelled("neutral", "happy", "happiness", "anger", "fear"), "two labels mean the same"),
        (labelled("joy", "anger", "fear", "love", "sadness"), "has no label neutral"),
        (set_config(id2label={"1": "neutral", "2": "joy"}), "id2label has no '0'"),
        (set_config(problem_type="regression"), "expected a classifier"),
        (set_config(num_hidden_layers=3), "16 weights are missing"),
        (set_config(hidden_size="many"), "cannot load this classifier"),
        (set_config(vocab_size=10**12), "must be of one model"),
        (labelled("neutral", "joy", "anger"), "must be of one model"),
        (set_config(model_type="unheard-of"), "cannot load this classifier"),
        (lambda folder: (folder / "config.json").unlink(), "has no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "not JSON"),
        (lambda folder: (folder / "config.json").write_text("[]"), "found a list"),
        (lambda folder: (folder / "config.json").write_bytes(b"\xff{}"), "not UTF-8"),
        (lambda folder: (folder / "config.json").write_text(" " * 4_000_001), "more than"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "has no tokenizer"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "cannot load"),
        (lambda folder: (folder / "model.safetensors").unlink(), "has no .safetensors"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\xff" * 99), "cannot load"),
    ],
)
def test_folders_that_are_no_classifier(copied: Path, change: Change, says: str) -> None:
    change(copied)
    with pytest.raises(FileError, match=says):
        HfJudge(copied)


def test_what_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(FileError, match="a GGUF model cannot be such a judge"):
        HfJudge(tmp_path / "model.gguf")
    with pytest.raises(FileError, match="is not there"):
        HfJudge(tmp_path / "none")


def test_code_in_the_folder_is_not_run(copied: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (copied / "evil.py").write_text(f"open({str(ran)!r}, 'w').close()\nConfig = Model = None\n")
    set_config(
        model_type="evil",
        auto_map={"AutoConfig": "evil.Config", "AutoModelForSequenceClassification": "evil.Model"},
    )(copied)
    with pytest.raises(FileError, match="contains custom code"):
        HfJudge(copied)
    assert not ran.exists()


def test_the_model_that_a_classifier_is_made_of_is_refused(copied: Path) -> None:
    config = transformers.BertConfig.from_pretrained(copied)
    transformers.BertModel(config).save_pretrained(copied)
    with pytest.raises(FileError, match=r"classifier\.bias, classifier\.weight"):
        HfJudge(copied)


def test_logits_that_are_no_numbers_are_said(copied: Path) -> None:
    model = transformers.BertForSequenceClassification.from_pretrained(copied)
    with torch.no_grad():
        model.classifier.bias[1] = float("nan")
    model.save_pretrained(copied)
    with pytest.raises(ModelError, match="2 NaN or infinite"):
        HfJudge(copied).probabilities(["day", "what"])


@pytest.mark.parametrize("name", ["torch", "transformers"])
def test_without_its_extra_it_says_which(
    name: str, bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(LlamoodError, match=r'pip install "\.\[hf\]"'):
        HfJudge(bert)


def test_it_loads_without_a_word(bert: Path, capfd: pytest.CaptureFixture[str]) -> None:
    HfJudge(bert)
    out = capfd.readouterr()
    assert out.out + out.err == ""
