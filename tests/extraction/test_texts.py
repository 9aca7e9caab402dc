from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamood.errors import FileError
from llamood.extraction import texts as room
from llamood.extraction.texts import LabelledTexts, load_texts

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, content: str) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode("utf-8"))
        return path

    return write


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", 'oh "yes"\tjoy\nwell\tneutral\nboo\tfear\n'),
        ("a.tsv", 'text\tlabel\r\noh "yes"\tjoy\r\nwell\tneutral\r\n\r\nboo\tfear'),
        ("a.tsv", 'oh "yes"\tjoy\tid1\nwell\tneutral\tid2\nboo\tfear\tid3\n'),
        ("a.csv", '"oh ""yes""",joy\nwell,neutral\nboo,fear\n'),
        ("a.csv", '\ufeffid,Label,Text\n1,joy,"oh ""yes"""\n2,neutral,well\n3,fear,boo\n'),
        (
            "a.JSONL",
            '{"text": "oh \\"yes\\"", "label": "joy", "n": 1}\n\n'
            '{"text": "well", "label": ["neutral"]}\n{"text": "boo", "label": "fear"}',
        ),
    ],
)
def test_the_same_texts_from_every_shape(write: Write, name: str, content: str) -> None:
    texts = load_texts(write(name, content))
    assert dict(texts.texts) == {"joy": ('oh "yes"',), "neutral": ("well",), "fear": ("boo",)}
    assert texts.names == ("joy", "neutral", "fear")
    assert texts.emotions == ("joy", "fear")
    assert texts.neutral == ("well",)
    assert texts.dropped == 0


NUMBERED = "yes\t1\tx\nwell\t2\ty\nboth\t0,1\tz\nhm\t2,1,0\tz\n"


def test_numbers_are_lines_of_the_labels_file(write: Write) -> None:
    write("labels.txt", "fear\njoy\nneutral")
    texts = load_texts(write("a.tsv", NUMBERED))
    assert dict(texts.texts) == {"joy": ("yes",), "neutral": ("well",)}
    assert texts.dropped == 2


def test_a_labels_file_can_be_given(write: Write) -> None:
    write("labels.txt", "wrong\nnames\nhere\n")
    given_labels = write("mine.txt", "fear\nneutral\njoy\n")
    texts = load_texts(write("a.tsv", NUMBERED), labels=given_labels)
    assert dict(texts.texts) == {"neutral": ("yes",), "joy": ("well",)}


def test_numbers_in_json(write: Write) -> None:
    write("labels.txt", "joy neutral")
    lines = '{"text": "a", "label": 0}\n{"text": "b", "label": [1]}\n{"text": "c", "label": [0, 1]}'
    texts = load_texts(write("a.jsonl", lines))
    assert dict(texts.texts) == {"joy": ("a",), "neutral": ("b",)}
    assert texts.dropped == 1


def test_several_names_are_several_labels(write: Write) -> None:
    texts = load_texts(write("a.csv", 'a,"joy, fear"\nb,joy\nc,neutral\n'))
    assert texts.names == ("joy", "neutral")
    assert texts.dropped == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "a\tjoy\n", "ends in '.txt'"),
        ("a.tsv", "", "no text is labelled 'neutral'"),
        ("a.tsv", "a\tjoy\n", "labels found: joy"),
        ("a.tsv", "a\tneutral\n", "at least one emotion"),
        ("a.tsv", "a\tneutral\nb joy\n", "line 2: 1 columns, expected at least 2"),
        ("a.tsv", "a\tneutral\n \tjoy\n", "line 2: the text is empty"),
        ("a.tsv", "a\tneutral\nb\t\n", "line 2: '' cannot name an emotion"),
        ("a.tsv", "a\tneutral\nb\t../x\n", "line 2: '../x' cannot name an emotion"),
        ("a.tsv", "a\tneutral\nb\t1\n", "no labels.txt beside it"),
        ("a.tsv", "a\tneutral\n" + "b" * 100_001 + "\tjoy\n", "line 2: the text has 100001"),
        ("a.csv", 'text,label\n"a\nb",neutral\n"c\n,joy\n', "line 4: not readable as csv"),
        ("a.csv", '"a\nb",neutral\nc\n', "line 3: 1 columns"),
        ("a.jsonl", "{\n", "line 1: not JSON"),
        ("a.jsonl", "[" * 100_000, "line 1: not JSON"),
        ("a.jsonl", '["a", "joy"]\n', "line 1: expected {"),
        ("a.jsonl", '{"text": 1, "label": "joy"}\n', "line 1: expected {"),
        ("a.jsonl", '{"text": "a", "label": true}\n', "line 1: expected {"),
        ("a.jsonl", '{"text": "a", "label": []}\n', "line 1: no label in its list"),
        ("a.jsonl", '{"text": "a"}\n', "line 1: expected {"),
    ],
)
def test_bad_files_are_refused(write: Write, name: str, content: str, message: str) -> None:
    path = write(name, content)
    with pytest.raises(FileError, match=message.replace("{", r"\{")) as caught:
        load_texts(path)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("joy\nneutral", "line 2: no name for label 2; 0 to 1 exist"),
        ("", "holds no names"),
        ("joy\nneutral\njoy", "stands twice"),
        ("joy\na=b\nneutral", "cannot name an emotion"),
    ],
)
def test_bad_labels_files_are_refused(write: Write, labels: str, message: str) -> None:
    write("labels.txt", labels)
    with pytest.raises(FileError, match=message):
        load_texts(write("a.tsv", "a\t1\nb\t2\n"))


def test_a_name_among_numbers_must_be_in_the_labels_file(write: Write) -> None:
    write("labels.txt", "joy\nneutral")
    with pytest.raises(FileError, match="line 3: label 'awe' is not in the labels file"):
        load_texts(write("a.tsv", "a\t0\nb\tneutral\nc\tawe\n"))


def test_the_first_ten_faults_come_at_once(write: Write) -> None:
    with pytest.raises(FileError) as caught:
        load_texts(write("a.tsv", "x\n" * 13))
    assert len(caught.value.faults) == 11
    assert caught.value.faults[0].startswith("line 1: ")
    assert caught.value.faults[-1] == "and 3 more"


def test_too_large_missing_or_not_utf8(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("a.tsv", "a\tjoy\nb\tneutral\n")
    load_texts(path)
    monkeypatch.setattr(room, "MAX_FILE_BYTES", 10)
    with pytest.raises(FileError, match="more than 10 bytes"):
        load_texts(path)
    monkeypatch.undo()
    path.write_bytes(b"a\tjoy\n\xff\tneutral\n")
    with pytest.raises(FileError, match="line 2: not UTF-8"):
        load_texts(path)
    for wrong in (path.parent / "none.tsv", path.parent):
        with pytest.raises(FileError):
            load_texts(wrong)


MANY = LabelledTexts(
    ("joy", "neutral"),
    {"joy": tuple(map(str, range(50))), "neutral": tuple(map(str, range(8)))},
    dropped=3,
)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32))
def test_samples(small: int, large: int, seed: int) -> None:
    a, b = MANY.sample(small, seed=seed), MANY.sample(large, seed=seed)
    for name, texts in MANY.texts.items():
        assert len(a.texts[name]) == min(small, len(texts))
        assert set(a.texts[name]) <= set(texts)
        assert len(set(a.texts[name])) == len(a.texts[name])
        common = min(len(a.texts[name]), len(b.texts[name]))
        assert a.texts[name][:common] == b.texts[name][:common]
    assert a.names == MANY.names
    assert a.dropped == 3


def test_a_seed_draws_the_same_everywhere() -> None:
    expected = {"joy": ("43", "24", "12"), "neutral": ("3", "7", "5")}
    assert MANY.sample(3, seed=7).texts == expected
    assert MANY.sample(3, seed=7).texts != MANY.sample(3, seed=8).texts
    with pytest.raises(ValueError, match="at least one"):
        MANY.sample(0)


def test_goemotions_is_read(shared_data: Path) -> None:
    texts = load_texts(shared_data / "goemotions-ekman" / "train.tsv")
    assert texts.emotions == ("anger", "disgust", "fear", "joy", "sadness", "surprise")
    assert sum(map(len, texts.texts.values())) + texts.dropped == 43_410
    sample = texts.sample(400, seed=1)
    assert {len(of) for of in sample.texts.values()} == {400}
