"""What makes words likelier, in the output matrix of a real, if random, model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader

import llamood
from llamood.errors import ModelError
from llamood.extraction.texts import LabelledTexts
from llamood.extraction.words import MATRICES, NORM, output_rows, words
from llamood.vectors.emotion_vectors import EmotionVectors
from open_voices import PROMPT

NAMES = ("fear", "joy")
LETTERS = {"fear": "z", "joy": "q", "neutral": "k"}  # of words: emotions are told from each other
TEXTS = LabelledTexts(
    (*NAMES, "neutral"),
    {name: tuple(f"{letter}{each}" for each in "abcdefgh") for name, letter in LETTERS.items()},
)
N_LAYER = 4


def test_the_words_of_each_emotion_become_likelier(random_chat: Path) -> None:
    found = words(random_chat, TEXTS, names=NAMES).own
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, rtol=1e-5)
    data = np.zeros((2, N_LAYER, found.shape[1]), np.float32)
    data[:, -1] = 20 * found
    llm = llamood.Llama(
        str(random_chat), emotions=EmotionVectors(NAMES, data), n_ctx=64, logits_all=True,
        guard=False, verbose=False,
    )  # fmt: skip
    try:
        tokens = {
            name: llm.tokenize(letter.encode(), add_bos=False)[0]
            for name, letter in LETTERS.items()
        }
        for name in NAMES:
            with llm.feeling({name: {"constant": 1, "max": 1}}):
                llm.reset()
                llm.eval(llm.tokenize(PROMPT.encode()))
                logits = {each: llm.scores[llm.n_tokens - 1][at] for each, at in tokens.items()}
            assert max(NAMES, key=logits.__getitem__) == name
    finally:
        llm.close()


def test_labels_that_were_dealt_out_anew_give_others(random_chat: Path) -> None:
    own, dealt = words(random_chat, TEXTS, names=NAMES)
    assert (np.einsum("ij,ij->i", own, dealt) < 0.8).all()


def test_what_has_no_output_matrix_is_refused(random_chat: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    name = NORM.encode()
    broken.write_bytes(random_chat.read_bytes().replace(name, name[::-1]))
    with pytest.raises(ModelError, match=NORM):
        words(broken, TEXTS, names=NAMES)


def test_a_matrix_of_a_type_that_cannot_be_read_is_refused(
    random_chat: Path, tmp_path: Path
) -> None:
    """llama.cpp has types that are not for files; some that it reads gguf cannot."""
    matrix = next(t for t in GGUFReader(random_chat).tensors if t.name in MATRICES)
    name = matrix.name.encode()
    data = bytearray(random_chat.read_bytes())
    begin = data.index(len(name).to_bytes(8, "little") + name) + 8 + len(name)
    at = begin + 4 + 8 * int.from_bytes(data[begin : begin + 4], "little")  # after the dimensions
    assert data[at : at + 4] == int(matrix.tensor_type).to_bytes(4, "little")
    data[at : at + 4] = int(GGMLQuantizationType.Q8_1).to_bytes(4, "little")
    path = tmp_path / "unread.gguf"
    path.write_bytes(data)
    with pytest.raises(ModelError, match="Q8_1"):
        output_rows(path, [1, 2])
