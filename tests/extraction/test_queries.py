from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from llamood.errors import FileError
from llamood.extraction.queries import load_queries

EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise")


def words(question: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", question.lower())


def runs(question: str, *, length: int = 5) -> set[tuple[str, ...]]:
    """All runs of `length` words."""
    found = words(question)
    return {tuple(found[i : i + length]) for i in range(len(found) - length + 1)}


def shipped() -> list[str]:
    return [question for of in load_queries().questions.values() for question in of]


def test_the_shipped_set_has_enough_of_each() -> None:
    queries = load_queries()
    assert queries.emotions == EMOTIONS
    assert all(len(of) >= 60 for of in queries.questions.values())
    assert len(queries.neutral) >= 60
    assert queries.repeated == 0


def test_shipped_questions_are_unique_questions() -> None:
    questions = shipped()
    assert len({tuple(words(question)) for question in questions}) == len(questions)
    assert all(question.endswith("?") and question.strip() == question for question in questions)


def test_shipped_questions_vary_in_form() -> None:
    questions = shipped()
    openings = Counter(tuple(words(question)[:3]) for question in questions)
    assert max(openings.values()) <= len(questions) * 0.05
    lengths = [len(words(question)) for question in questions]
    assert min(lengths) <= 6
    assert max(lengths) >= 20
    eights = Counter(run for question in questions for run in runs(question, length=8))
    assert max(eights.values()) == 1


def test_questions_without_feeling_name_no_feeling() -> None:
    felt = re.compile(
        r"\b(feel|felt|love|hate|fear|afraid|sad|happy|angry|disgust\w*|surpris\w*)\b"
    )
    assert not [question for question in load_queries().neutral if felt.search(question.lower())]


def test_shipped_questions_are_not_the_papers(shared_data: Path) -> None:
    theirs = load_queries(shared_data / "emotion-query" / "EmotionQuery.json")
    taken = {run for of in theirs.questions.values() for question in of for run in runs(question)}
    assert not [question for question in shipped() if runs(question) & taken]


def test_the_papers_own_file_is_read(shared_data: Path) -> None:
    queries = load_queries(shared_data / "emotion-query" / "EmotionQuery.json")
    assert queries.emotions == EMOTIONS[:5]
    assert queries.neutral == ()
    assert sum(map(len, queries.questions.values())) + queries.repeated == 500


def test_order_is_kept_and_repetition_counted(tmp_path: Path) -> None:
    path = tmp_path / "q.json"
    path.write_text('{"zest": ["b?", "a?", "b?"], "neutral": ["c?"], "awe": ["a?"]}')
    queries = load_queries(path)
    assert dict(queries.questions) == {"zest": ("b?", "a?"), "neutral": ("c?",), "awe": ("a?",)}
    assert queries.emotions == ("zest", "awe")
    assert queries.repeated == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "found a list"),
        ('"joy"', "found a str"),
        ("{}", "no emotion"),
        ('{"neutral": ["a?"]}', "no emotion"),
        ('{"joy": []}', "'joy' needs a list"),
        ('{"joy": "a?"}', "'joy' needs a list"),
        ('{"joy": {"0": "a?"}}', "'joy' needs a list"),
        ('{"joy": ["a?", 3]}', "joy, question 2: expected a text, found '3'"),
        ('{"joy": ["a?", " "]}', "joy, question 2"),
        ('{"joy": ["a?"], "joy": ["b?"]}', "'joy' stands twice"),
        ('{"../joy": ["a?"]}', "cannot name an emotion"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "q.json"
    path.write_text(content)
    with pytest.raises(FileError, match=message) as caught:
        load_queries(path)
    assert caught.value.path == path


def test_all_faults_come_at_once_up_to_ten(tmp_path: Path) -> None:
    path = tmp_path / "q.json"
    path.write_text(json.dumps({"joy": list(range(15)), "fear": []}))
    with pytest.raises(FileError) as caught:
        load_queries(path)
    assert len(caught.value.faults) == 11
    assert caught.value.faults[-1] == "and 6 more"


def test_missing_and_other_encodings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "q.json").write_bytes('{"joy": ["ä?"]}'.encode("latin-1"))
    for name, message in (("q.json", "line 1: not UTF-8"), ("none.json", "cannot be read")):
        with pytest.raises(FileError, match=message):
            load_queries(tmp_path / name)
