"""Names by which a mood means something else come in nowhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foreign_files import ROWS, written
from hostile_files import STRING, Gguf, key, with_key
from llamood.errors import FileError, VectorError
from llamood.extraction.queries import load_queries
from llamood.extraction.texts import load_texts
from llamood.vectors.conversion import convert, export
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.files import load

RESERVED = ("valence", "arousal", "dominance", "$layers", "$anything", "$")
MEANS = "means something else in a mood"


@pytest.mark.parametrize("name", RESERVED)
def test_vectors_are_never_called_so(name: str) -> None:
    with pytest.raises(VectorError, match=MEANS):
        EmotionVectors((name,), [ROWS])
    with pytest.raises(VectorError, match=MEANS):
        EmotionVectors(("joy",), [ROWS]).rename({"joy": name})


@pytest.mark.parametrize("name", RESERVED)
def test_files_that_say_so_are_refused_and_can_be_named_otherwise(
    tmp_path: Path, name: str
) -> None:
    said = written(tmp_path / "joy.gguf", with_key(key("llamood.emotion", STRING, name)))
    called = written(tmp_path / f"{name}.gguf", Gguf().bytes())
    arrays = tmp_path / "joy.npz"
    np.savez(arrays, **{name: ROWS})
    for path in (said, called):
        with pytest.raises(FileError, match=MEANS):
            load(path)
    for path in (said, called, arrays):
        with pytest.raises(FileError, match=rf"(?s){MEANS}.*--names"):
            convert(path)
        assert convert(path, names=["pleasure"]).names == ("pleasure",)
        with pytest.raises(VectorError, match=MEANS):
            convert(path, names=[name])


def test_names_close_to_them_are_as_good_as_any(tmp_path: Path) -> None:
    names = ("Valence", "valence2", "a$", "dollar")
    evs = EmotionVectors(names, np.ones((4, 3, 2)))
    assert convert(export(evs, tmp_path / "evs.npz")).names == names


@pytest.mark.parametrize("name", ["valence", "arousal", "dominance"])
def test_nothing_is_measured_under_them(tmp_path: Path, name: str) -> None:
    texts = written(tmp_path / "texts.tsv", f"It is fine.\tneutral\nOh!\t{name}\n")
    with pytest.raises(FileError, match=rf"line 2: '{name}' {MEANS}"):
        load_texts(texts)
    queries = written(tmp_path / "queries.json", {name: ["How are you?"], "neutral": ["Why?"]})
    with pytest.raises(FileError, match=MEANS):
        load_queries(queries)
