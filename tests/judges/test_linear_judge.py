from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llamood import judges
from llamood.errors import FileError
from llamood.extraction.texts import load_texts
from llamood.judges import linear_judge

OBVIOUS = {
    "anger": [
        "I am so angry at you!",
        "How dare you do this to me, you idiot?",
        "This is infuriating. I hate it when people lie to me.",
    ],
    "disgust": [
        "That is disgusting, it makes me sick.",
        "Yuck, what a nasty smell. Gross!",
        "The kitchen was filthy and revolting, ugh.",
    ],
    "fear": [
        "I am terrified of what might happen.",
        "I\N{RIGHT SINGLE QUOTATION MARK}m scared and nervous about tomorrow.",
        "What a nightmare, I panic when I hear those steps.",
    ],
    "joy": [
        "I love this so much, thank you!",
        "What a wonderful, happy day!",
        "Haha, that is hilarious and amazing.",
    ],
    "neutral": [
        "The train leaves from platform four at noon.",
        "The meeting is on Tuesday.",
        "You need two eggs and a cup of flour.",
    ],
    "sadness": [
        "I am so sad, I miss her every day.",
        "Sadly she died last night and I can't stop crying.",
        "It hurts so much; I feel lonely and depressed.",
    ],
    "surprise": [
        "Wow, I did not expect that at all!",
        "I am so surprised, I can't believe it.",
        "Oh my, what a shock!",
    ],
}


def saved(path: Path, **changes: Any) -> Path:
    """A small judge of two labels and three features; arrays changed, or left out by None."""
    arrays: dict[str, Any] = {
        "labels": np.array(["calm", "cross"]),
        "vocabulary": np.frombuffer(b"good\nbad\nbad $", dtype=np.uint8),
        "idf": np.ones(3, np.float16),
        "weights": np.array([[10, 0], [0, 10], [0, 10]], np.int8),
        "scale": np.array([0.1, 0.2], np.float32),
        "bias": np.zeros(2, np.float32),
        "temperature": np.float64(1.0),
        "about": np.array("{}"),
    }
    arrays = {name: a for name, a in (arrays | changes).items() if a is not None}
    with path.open("wb") as file:
        np.savez(file, **arrays)
    return path


def test_labels_are_ekmans_six_and_neutral() -> None:
    assert judges.bundled().labels == tuple(OBVIOUS)


def test_bundled_is_loaded_once() -> None:
    assert judges.bundled() is judges.bundled()


def test_the_file_is_small_enough() -> None:
    assert linear_judge.BUNDLED.stat().st_size <= 1_000_000


@pytest.mark.parametrize("emotion", list(OBVIOUS))
def test_obvious_sentences_get_their_emotion(emotion: str) -> None:
    judge = judges.bundled()
    rows = judge.probabilities(OBVIOUS[emotion])
    assert [judge.labels[k] for k in rows.argmax(axis=1)] == [emotion] * len(OBVIOUS[emotion])


def test_rows_are_probabilities_whatever_the_text() -> None:
    texts = [
        "",
        " \n\t",
        "日本語 é ñ",
        "🤢🤢🤢",
        "\x00\ud800",
        "zzzqqq",
        "wow, " * 200_000,
        "a" * 10**6,
    ]
    rows = judges.bundled().probabilities(texts)
    assert rows.shape == (len(texts), 7)
    assert rows.dtype == np.float64
    np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-12)
    assert (rows > 0).all()


def test_no_texts_give_no_rows_and_a_lone_text_is_refused() -> None:
    assert judges.bundled().probabilities([]).shape == (0, 7)
    with pytest.raises(TypeError, match="give a list"):
        judges.bundled().probabilities("joy")


def test_a_text_is_judged_alike_alone_and_among_others() -> None:
    texts = [sentence for of in OBVIOUS.values() for sentence in of]
    together = judges.bundled().probabilities(texts)
    alone = np.vstack([judges.bundled().probabilities([text]) for text in texts])
    np.testing.assert_array_equal(together, alone)


def test_features() -> None:
    assert linear_judge.features("Soooo HAPPY!!!") == [
        *["soo", "happy", "!!"],
        *["^ soo", "soo happy", "happy !!", "!! $"],
    ]
    assert linear_judge.features("wonderful")[-4:] == ["wond*", "wonde*", "wonder*", "wonderf*"]
    assert linear_judge.features("don\N{RIGHT SINGLE QUOTATION MARK}t") == linear_judge.features(
        "Don't"
    )


def test_probabilities_follow_the_formula(tmp_path: Path) -> None:
    judge = judges.load_judge(saved(tmp_path / "j.npz", temperature=np.float64(0.5)))
    # "good good bad": good twice, bad once, "bad $" once; real weights 1 and 2
    counts = np.array([1 + np.log(2), 1, 1])
    x = counts / np.linalg.norm(counts)
    z = np.array([x[0] * 1.0, (x[1] + x[2]) * 2.0]) / 0.5
    expected = np.exp(z) / np.exp(z).sum()
    np.testing.assert_allclose(judge.probabilities(["good good bad"])[0], expected, rtol=1e-6)


def test_recorded_macro_f1_is_the_one_on_dev(shared_data: Path) -> None:
    dev = load_texts(shared_data / "goemotions-ekman" / "dev.tsv")
    judge = judges.bundled()
    truth = [judge.labels.index(name) for name in dev.names for _ in dev.texts[name]]
    rows = judge.probabilities([text for name in dev.names for text in dev.texts[name]])
    pairs = np.zeros((7, 7), int)  # truth, guess
    np.add.at(pairs, (truth, rows.argmax(axis=1)), 1)
    f1 = 2 * np.diag(pairs) / (pairs.sum(axis=0) + pairs.sum(axis=1))
    about = judge.about
    assert about["dev_macro_f1"] >= 0.55
    assert about["dev_macro_f1"] == pytest.approx(f1.mean(), abs=1e-4)
    assert list(about["dev_f1"].values()) == pytest.approx(list(f1), abs=1e-4)
    assert about["dev_lines_with_one_label"] == len(truth)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"idf": None}, "'idf' is missing"),
        ({"idf": np.ones(3)}, "'idf' is f8"),
        ({"weights": np.zeros((2, 2), np.int8)}, "do not fit 3 features, 2 labels"),
        ({"bias": np.zeros(3, np.float32)}, "2 numbers"),
        ({"scale": np.array([1, np.nan], np.float32)}, "not finite"),
        ({"temperature": np.float64(0)}, "above 0"),
        ({"vocabulary": np.frombuffer(b"a\nb", np.uint8)}, "2 different words for 3 features"),
        ({"vocabulary": np.frombuffer(b"a\nb\n\xff", np.uint8)}, "not readable"),
        ({"about": np.array("[]")}, "not a JSON object"),
        ({"labels": np.array([{}, {}], object)}, "not a judge's .npz"),
    ],
)
def test_bad_judges_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FileError, match=message):
        judges.load_judge(saved(tmp_path / "j.npz", **changes))


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "huge.npz").write_bytes(bytes(linear_judge.MAX_FILE_BYTES + 1))
    whole = saved(tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[:300])
    for name in ("text.npz", "huge.npz", "cut.npz", "none.npz", "."):
        with pytest.raises(FileError):
            judges.load_judge(tmp_path / name)


def test_an_array_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    np.savez_compressed(bomb, idf=np.zeros(linear_judge.MAX_ARRAY_BYTES, np.int8))
    (tmp_path / "bomb.npz").write_bytes(bomb.getvalue())
    with pytest.raises(FileError, match="unpack to too much: idf"):
        judges.load_judge(tmp_path / "bomb.npz")


def test_about_says_where_it_comes_from() -> None:
    about = judges.bundled().about
    assert "GoEmotions" in about["data"]
    assert json.loads(json.dumps(dict(about))) == dict(about)
