from __future__ import annotations

import json
import os
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamood.errors import FileError
from llamood.evaluation import answer_entries
from llamood.evaluation import third_party_answers as foreign_answers
from llamood.evaluation.answer_log import Answer
from llamood.evaluation.conditions import KINDS
from llamood.evaluation.third_party_answers import read_answers
from llamood.extraction.texts import MAX_TEXT_LENGTH

QUESTIONS = ("Where is the train?", "What is for dinner?", "Who is there?")


def put(path: Path, content: Any) -> Path:
    """`content` is text, or becomes JSON; a list becomes lines where the file is .jsonl."""
    if not isinstance(content, str):
        lines = path.suffix == ".jsonl"
        content = "\n".join(map(json.dumps, content)) if lines else json.dumps(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def as_the_authors(root: Path, *, intensities: tuple[int, ...] = (0, 1, 2, 4)) -> Path:
    """Lists of texts, the same questions in each file; each text says where it was."""
    for at, emotion in product(intensities, ("anger", "joy")):
        put(root / f"{at}/{emotion}.json", [f"{emotion} {at} to {n}" for n in range(3)])
    return root


def entry(**keys: Any) -> dict[str, Any]:
    return {"question": "Why?", "answer": "So.", "emotion": "joy", "intensity": 1, **keys}


def conditions(answers: tuple[Answer, ...]) -> list[tuple[str, str | None, float, float]]:
    return [(a.kind, a.emotion, a.intensity, a.dose) for a in answers]


def faults(path: Path) -> tuple[str, ...]:
    with pytest.raises(FileError) as caught:
        read_answers(path)
    return caught.value.faults


# -- llamood's own -------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
numbers = st.floats(allow_nan=False, allow_infinity=False)
own = st.builds(
    Answer,
    number=st.integers(0, 10**9),
    question=texts,
    kind=st.sampled_from(KINDS),
    emotion=st.none() | texts,
    intensity=numbers,
    dose=numbers,
    text=texts,
    n_token=st.none() | st.integers(0, 10**6),
    nll=st.none() | numbers,
    mix=st.dictionaries(texts, numbers, max_size=3),
    point=st.none() | st.tuples(numbers, numbers),
)


def condition_and_question(answer: Answer) -> tuple[Any, ...]:
    return (answer.kind, answer.emotion, answer.intensity, answer.point, answer.number)


@given(st.lists(own, min_size=1, max_size=5, unique_by=condition_and_question))
def test_our_own_lines_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, answers: list[Answer]
) -> None:
    folder = tmp_path_factory.mktemp("report")
    put(folder / "answers.jsonl", "".join(answer.to_line() for answer in answers))
    assert read_answers(folder / "answers.jsonl") == tuple(answers)
    assert read_answers(str(folder)) == tuple(answers)


def own_line(**keys: Any) -> dict[str, Any]:
    answer = Answer(3, "Why?", "vector", "joy", 1.0, 0.7, "So.", 4, 2.5, {"joy": 0.7})
    return {**json.loads(answer.to_line()), **keys}


def test_lines_of_before_there_were_points_are_read(tmp_path: Path) -> None:
    line = own_line()
    del line["point"]
    (answer,) = read_answers(put(tmp_path / "a.jsonl", [line]))
    assert answer == Answer(**own_line())


def test_points_of_affect_are_different_conditions(tmp_path: Path) -> None:
    lines = [own_line(kind="affect", emotion=None, point=point) for point in ([0, 1], [1, 0])]
    answers = read_answers(put(tmp_path / "a.jsonl", lines))
    assert [answer.point for answer in answers] == [(0.0, 1.0), (1.0, 0.0)]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"number": -1}, "the number is -1, expected a whole number from 0"),
        ({"number": True}, "the number is True"),
        ({"question": None}, "the question is null, expected a text"),
        ({"kind": "magic"}, "the kind is 'magic', expected one of unsteered, vector"),
        ({"kind": ["vector"]}, "the kind is a list of 1"),
        ({"emotion": 3}, "the emotion is 3, expected a text"),
        ({"dose": "1"}, "the dose is '1', expected a number"),
        ({"intensity": 10**400}, "the intensity is not finite"),
        ({"n_token": 1.5}, "the n_token is 1.5"),
        ({"nll": False}, "the nll is False"),
        ({"mix": [1]}, "the mix is a list of 1, expected an object"),
        ({"mix": {"joy": None}}, "the mix is null, expected a number"),
        ({"point": [1]}, "the point is a list of 1, expected [valence, arousal]"),
    ],
)
def test_damaged_lines_of_ours_are_refused(
    tmp_path: Path, keys: dict[str, Any], message: str
) -> None:
    (fault,) = faults(put(tmp_path / "a.jsonl", [own_line(number=0), own_line(**keys)]))
    assert fault.startswith(f"line 2: {message}")


def test_other_lines_among_ours_are_refused(tmp_path: Path) -> None:
    lacking = own_line(number=1)
    del lacking["mix"], lacking["dose"]
    path = put(tmp_path / "a.jsonl", [own_line(), lacking, "text", own_line()])
    assert faults(path) == (
        "line 2: no answer as llamood writes them: it lacks dose, mix",
        "line 3: no answer as llamood writes them: found 'text'",
    )
    assert faults(put(path, [own_line(), own_line()])) == (
        "line 2: the question of line 1 again, in the same condition (vector joy at 1)",
    )


# -- a list of objects ---------------------------------------------------------------------


def test_questions_pair_answers_across_conditions(tmp_path: Path) -> None:
    rows = [
        entry(question="A?", intensity=0, answer=" plain\n"),
        entry(question="B?", intensity=0),
        entry(question=" B? ", intensity=0.5),
        entry(question="A?", intensity=-1),
    ]
    answers = read_answers(put(tmp_path / "a.json", rows))
    assert [(a.number, a.question) for a in answers] == [(0, "A?"), (1, "B?"), (1, "B?"), (0, "A?")]
    assert conditions(answers) == [
        ("unsteered", None, 0.0, 0.0),
        ("unsteered", None, 0.0, 0.0),
        ("vector", "joy", 0.5, 0.5),
        ("vector", "joy", -1.0, -1.0),
    ]
    assert answers[0].text == "plain"
    assert {(a.n_token, a.nll, a.point, *a.mix) for a in answers} == {(None, None, None)}
    assert read_answers(put(tmp_path / "a.jsonl", rows)) == answers


@pytest.mark.parametrize(
    ("keys", "condition"),
    [
        ({}, ("vector", "joy", 1.0, 1.0)),
        ({"condition": None}, ("vector", "joy", 1.0, 1.0)),
        ({"intensity": 0}, ("unsteered", None, 0.0, 0.0)),
        ({"intensity": -0.0}, ("unsteered", None, 0.0, 0.0)),
        ({"emotion": None}, ("unsteered", None, 0.0, 0.0)),
        ({"emotion": "Neutral", "intensity": None}, ("unsteered", None, 0.0, 0.0)),
        ({"condition": "vector", "intensity": 0}, ("unsteered", None, 0.0, 0.0)),
        ({"condition": "unsteered"}, ("unsteered", None, 0.0, 0.0)),
        ({"condition": "random vector"}, ("random vector", "joy", 1.0, 1.0)),
        ({"condition": "random vector", "intensity": 0}, ("unsteered", None, 0.0, 0.0)),
        ({"condition": "prompt + vector"}, ("prompt + vector", "joy", 1.0, 1.0)),
        ({"kind": "prompt + vector", "intensity": 0}, ("prompt + vector", "joy", 0.0, 0.0)),
        ({"kind": "prompt only", "intensity": None}, ("prompt only", "joy", 0.0, 0.0)),
        ({"kind": "graded prompt", "intensity": 0.5}, ("graded prompt", "joy", 0.5, 0.0)),
        ({"kind": "affect", "point": [0.5, -1]}, ("affect", None, 0.0, 0.0)),
        ({"emotion": "base", "intensity": 2}, ("vector", "base", 2.0, 2.0)),
    ],
)
def test_conditions_of_entries(
    tmp_path: Path, keys: dict[str, Any], condition: tuple[Any, ...]
) -> None:
    answers = read_answers(put(tmp_path / "a.json", [entry(**keys)]))
    assert conditions(answers) == [condition]
    assert answers[0].point == ((0.5, -1.0) if condition[0] == "affect" else None)


def test_what_need_not_be_said(tmp_path: Path) -> None:
    rows = [
        {"answer": "a", "intensity": 0},
        {"answer": "b", "condition": "unsteered"},
        {"answer": "c", "emotion": None},
    ]
    answers = read_answers(put(tmp_path / "a.json", rows))
    assert [(a.kind, a.number, a.question, a.text) for a in answers] == [
        ("unsteered", 0, "", "a"),
        ("unsteered", 1, "", "b"),
        ("unsteered", 2, "", "c"),
    ]


def test_all_names_of_the_keys(tmp_path: Path) -> None:
    values = {"question": "Why?", "answer": "So.", "emotion": "joy", "intensity": 2}
    for keys in product(*(answer_entries.KEYS[what] for what in values)):
        row = dict(zip(keys, values.values(), strict=True))
        (answer,) = read_answers(put(tmp_path / "a.json", [row]))
        read = (answer.question, answer.text, answer.emotion, answer.intensity)
        assert read == tuple(values.values()), keys


def test_the_docstring_lists_the_keys() -> None:
    told = foreign_answers.__doc__ or ""
    for what, keys in answer_entries.KEYS.items():
        line = next(line for line in told.splitlines() if line.split()[:1] == [what])
        assert tuple(line.split()[1 : 1 + len(keys)]) == keys


def test_the_first_of_several_names_counts(tmp_path: Path) -> None:
    row = {"text": "whole", "response": "So.", "instruction": "Why?", "input": "", "dose": 3}
    (answer,) = read_answers(put(tmp_path / "a.json", [{**row, "feeling": "joy", "alpha": 1}]))
    assert (answer.question, answer.text, answer.intensity) == ("Why?", "So.", 1.0)


def test_unsteered_answers_of_several_emotions_keep_theirs(tmp_path: Path) -> None:
    rows = [
        entry(emotion=emotion, intensity=at, question=f"{emotion}?", answer=f"{emotion} {at}")
        for emotion, at in product(("anger", "joy"), (0, 1))
    ]
    answers = read_answers(put(tmp_path / "a.json", rows))
    assert [(a.number, a.kind, a.emotion) for a in answers] == [
        (0, "unsteered", "anger"),
        (0, "vector", "anger"),
        (1, "unsteered", "joy"),
        (1, "vector", "joy"),
    ]


keys_of_entries = st.fixed_dictionaries(
    {
        "emotion": st.sampled_from(["joy", "anger", "base"]),
        "intensity": st.integers(-4, 4) | st.floats(-1e9, 1e9),
        "condition": st.sampled_from(["vector", "prompt + vector", "graded prompt"]),
        "question": st.sampled_from(QUESTIONS),
        "answer": st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    },
    optional={"other": st.none()},
)


def unsteered(row: dict[str, Any]) -> bool:
    return row["condition"] == "vector" and not row["intensity"]


@given(
    st.lists(
        keys_of_entries,
        min_size=1,
        max_size=12,
        unique_by=lambda row: (
            row["emotion"],
            "unsteered" if unsteered(row) else (row["condition"], row["intensity"]),
            row["question"],
        ),
    ),
    st.sampled_from([".json", ".jsonl"]),
)
def test_every_valid_list_is_read_completely_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], ending: str
) -> None:
    answers = read_answers(put(tmp_path_factory.mktemp("list") / f"a{ending}", rows))
    asked = list(dict.fromkeys(row["question"] for row in rows))
    plain = {row["emotion"] for row in rows if unsteered(row)}
    assert [(a.number, a.question, a.kind, a.emotion, a.intensity, a.text) for a in answers] == [
        (
            asked.index(row["question"]),
            row["question"],
            "unsteered" if unsteered(row) else row["condition"],
            None if unsteered(row) and len(plain) == 1 else row["emotion"],
            row["intensity"],
            row["answer"].strip(),
        )
        for row in rows
    ]


# -- folders -------------------------------------------------------------------------------


def test_the_authors_folder_of_emotions(tmp_path: Path) -> None:
    answers = read_answers(as_the_authors(tmp_path))
    assert [(a.intensity, a.emotion, a.number, a.text) for a in answers] == [
        (at, emotion, n, f"{emotion} {at} to {n}")
        for at, emotion, n in product((0, 1, 2, 4), ("anger", "joy"), range(3))
    ]
    assert {(a.kind, a.dose == a.intensity, a.question) for a in answers[:6]} == {
        ("unsteered", True, "")
    }
    assert {(a.kind, a.dose == a.intensity) for a in answers[6:]} == {("vector", True)}


def test_one_set_of_unsteered_answers_is_that_of_all(tmp_path: Path) -> None:
    as_the_authors(tmp_path, intensities=(1, 2))
    assert {a.kind for a in read_answers(tmp_path)} == {"vector"}
    put(tmp_path / "0/joy.json", ["a", "b", "c"])
    answers = read_answers(tmp_path)
    assert [(a.kind, a.emotion, a.text) for a in answers[:3]] == [
        ("unsteered", None, text) for text in "abc"
    ]
    assert len(answers) == 15


def test_the_authors_folder_of_the_base_vector(tmp_path: Path) -> None:
    for at in (10, -1, 0, 2):
        put(tmp_path / f"{at}.json", [f"{at}", " "])
    answers = read_answers(tmp_path)
    assert conditions(answers)[::2] == [
        ("vector", "base", -1.0, -1.0),
        ("unsteered", None, 0.0, 0.0),
        ("vector", "base", 2.0, 2.0),
        ("vector", "base", 10.0, 10.0),
    ]
    assert [a.text for a in answers] == ["-1", "", "0", "", "2", "", "10", ""]
    put(tmp_path / "1/joy.json", ["joyful", "!"])
    assert ("vector", "joy", 1.0, 1.0) in conditions(read_answers(tmp_path))


@pytest.mark.parametrize(
    ("ending", "shape"),
    [
        (".json", lambda pairs: [{"query": q, "response": a} for q, a in pairs]),
        (".jsonl", lambda pairs: [{"prompt": q, "text": a} for q, a in pairs]),
        (".JSON", dict),
    ],
)
def test_other_shapes_in_folders(tmp_path: Path, ending: str, shape: Any) -> None:
    for at, emotion in product((0, 0.5), ("joy", "fear")):
        pairs = [(q, f"{emotion} {at:g}: {q}") for q in QUESTIONS[emotion == "fear" :]]
        put(tmp_path / f"{at}/{emotion}{ending}", shape(pairs))
    answers = read_answers(tmp_path)
    assert [(a.emotion, a.intensity, a.question, a.text) for a in answers] == [
        (emotion, at, q, f"{emotion} {at:g}: {q}")
        for at in (0.0, 0.5)
        for emotion in ("fear", "joy")
        for q in QUESTIONS[emotion == "fear" :]
    ]
    assert all(
        answer.number == (QUESTIONS[1:] + QUESTIONS[:1]).index(answer.question)
        for answer in answers
    )


def test_other_files_are_ignored(tmp_path: Path) -> None:
    answers = read_answers(as_the_authors(tmp_path))
    for name in (
        "README.md",
        "1/README.json",
        "1/.joy.json",
        "1/notes.txt",
        "7",
        "logs/x.json",
        "x.json",
    ):
        put(tmp_path / name, "{")
    (tmp_path / "2" / "old.json").mkdir()
    (tmp_path / "8").mkdir()
    assert read_answers(tmp_path) == answers


def test_lines_of_ours_count_before_folders(tmp_path: Path) -> None:
    as_the_authors(tmp_path)
    put(tmp_path / "answers.jsonl", [own_line()])
    assert len(read_answers(tmp_path)) == 1


def test_an_entry_may_repeat_what_its_place_says(tmp_path: Path) -> None:
    put(tmp_path / "1/joy.json", [{"answer": "a", "emotion": "joy", "intensity": 1.0}])
    put(tmp_path / "0/joy.json", [{"answer": "a", "emotion": "neutral"}])
    assert len(read_answers(tmp_path)) == 2
    put(tmp_path / "1/joy.json", [{"answer": "a", "emotion": "fear"}, {"answer": "b", "alpha": 2}])
    assert faults(tmp_path) == (
        "1/joy.json, entry 1: says vector fear, and its place says vector joy at 1",
        "1/joy.json, entry 2: says vector at 2, and its place says vector joy at 1",
    )


# -- faults --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("So.", "found 'So.'; texts alone are read from folders"),
        (None, 'expected {"question": ..., "answer": ...}, found null'),
        (["Why?", "So."], "found a list of 2"),
        ({}, "no answer in it; expected one of the keys answer, response"),
        (entry(answer=None), "no answer in it"),
        (entry(answer=["So."]), "the answer is a list of 1, expected a text"),
        (entry(answer="x" * (MAX_TEXT_LENGTH + 1)), "the answer has 100001 characters"),
        (entry(answer="\ud800"), "the answer has half of a surrogate pair"),
        (entry(question=" "), "the question is empty"),
        (entry(question=7), "the question is 7, expected a text"),
        (entry(emotion={"joy": 1}), "the emotion is an object of 1, expected a text"),
        (entry(emotion="../joy"), "'../joy' cannot name an emotion"),
        (entry(intensity="1"), "the intensity is '1', expected a number"),
        (entry(intensity=True), "the intensity is True, expected a number"),
        (entry(intensity=float("nan")), "the intensity is not finite"),
        (entry(intensity=float("-inf")), "the intensity is not finite"),
        (entry(intensity=10**400), "the intensity is not finite"),
        (entry(intensity=None), "no intensity in it; expected one of the keys intensity"),
        ({"answer": "a", "intensity": 1}, "no emotion in it; expected one of the keys emotion"),
        ({"answer": "a"}, "no emotion in it"),
        (entry(condition="magic"), "the condition is 'magic', expected one of unsteered, vector"),
        (entry(condition=["vector"]), "the condition is a list of 1"),
        (
            entry(condition="random vector", emotion=None),
            "'random vector', and there is no",
        ),
        (entry(condition="prompt only", emotion=None), "'prompt only', and there is no"),
        (entry(condition="affect"), "the point is null, expected [valence, arousal]"),
        (entry(condition="affect", point=[0, "1"]), "the arousal is '1', expected a number"),
    ],
)
def test_bad_entries_are_refused(tmp_path: Path, row: Any, message: str) -> None:
    for ending, where in ((".json", "entry 2: "), (".jsonl", "line 2: ")):
        path = put(tmp_path / f"a{ending}", [entry(), row])
        (fault,) = faults(path)
        assert fault.startswith(where)
        assert message in fault


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not JSON"),
        ("[{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[" + "9" * 5000 + "]", "not JSON"),
        ("[]", "holds no answers"),
        ('"So."', "expected a list of answers, found 'So.'"),
        ('{"Why?": "So."}', "expected a list of answers, found an object of 1"),
        ('[{"answer": "a", "answer": "b", "intensity": 0}]', "entry 1: 'answer' stands twice"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, content: str, message: str) -> None:
    path = put(tmp_path / "a.json", content)
    (fault,) = faults(path)
    assert fault.startswith(message)
    (tmp_path / "a.json").rename(tmp_path / "1.json")
    if "Why?" not in content:  # which is fine in a folder
        (fault,) = faults(tmp_path)
        assert fault.startswith("1.json")
        assert message.removeprefix("entry 1: ") in fault


def test_bad_lines_are_named(tmp_path: Path) -> None:
    path = put(tmp_path / "a.jsonl", f"\n{json.dumps(entry())}\n{{\n\n3\n")
    assert [fault[:16] for fault in faults(path)] == ["line 3: not JSON", "line 5: expected"]
    assert faults(put(path, "\n \n")) == ("holds no answers",)


@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_a_question_is_answered_once_in_a_condition(tmp_path: Path, ending: str) -> None:
    rows = [entry(), entry(intensity=2), entry(answer="Thus.")]
    assert faults(put(tmp_path / f"a{ending}", rows)) == (
        f"{'entry' if ending == '.json' else 'line'} 3: the question of "
        f"{'entry' if ending == '.json' else 'line'} 1 again, in the same condition "
        "(vector joy at 1)",
    )


def test_a_question_stands_once_in_an_object(tmp_path: Path) -> None:
    put(tmp_path / "1/joy.json", '{"Why?": "So.", "Why?": "Thus."}')
    assert faults(tmp_path) == ("1/joy.json: 'Why?' stands twice",)
    put(tmp_path / "1/joy.json", {"Why?": "So.", "Why? ": "Thus."})
    assert faults(tmp_path) == (
        "1/joy.json, entry 2: the question of 1/joy.json, entry 1 again, in the same condition "
        "(vector joy at 1)",
    )


def test_places_pair_only_what_is_equally_long(tmp_path: Path) -> None:
    as_the_authors(tmp_path, intensities=(0, 1))
    put(tmp_path / "1/joy.json", ["a", "b"])
    (fault,) = faults(tmp_path)
    assert fault.startswith("vector joy at 1 has 2 answers, unsteered joy has 3: without questions")
    put(tmp_path / "0/joy.json", ["a", "b"])
    assert len(read_answers(tmp_path)) == 10  # an emotion may have fewer questions
    (tmp_path / "0/anger.json").unlink()
    (fault,) = faults(tmp_path)  # what is left is for all emotions
    assert fault.startswith("vector anger at 1 has 3 answers, unsteered has 2")


def test_all_entries_have_a_question_or_none(tmp_path: Path) -> None:
    rows = [entry(), {"answer": "a", "emotion": "joy", "intensity": 1}]
    assert faults(put(tmp_path / "a.json", rows)) == (
        "entry 1 has a question, and entry 2 has none; give one to all or to none",
    )


def test_a_condition_has_one_file(tmp_path: Path) -> None:
    as_the_authors(tmp_path, intensities=(1,))
    put(tmp_path / "1.0/joy.json", ["a", "b", "c"])
    put(tmp_path / "1/anger.jsonl", ["a", "b", "c"])
    assert faults(tmp_path) == (
        "1/anger.json and 1/anger.jsonl are both vector anger at 1; keep one",
        "1/joy.json and 1.0/joy.json are both vector joy at 1; keep one",
    )


def test_a_file_is_named_for_an_emotion(tmp_path: Path) -> None:
    put(tmp_path / "1/joy (copy).json", ["a"])
    (fault,) = faults(tmp_path)
    assert fault.startswith("1/joy (copy).json: 'joy (copy)' cannot name an emotion")


def test_all_faults_come_at_once_up_to_ten(tmp_path: Path) -> None:
    found = faults(put(tmp_path / "a.json", [{}] * 15))
    assert len(found) == 11
    assert found[-1] == "and 5 more"


def test_folders_without_answers_are_refused(tmp_path: Path) -> None:
    expected = "; expected answers.jsonl, or <intensity>/<emotion>.json, as in 1/joy.json, or "
    assert faults(tmp_path) == (f"holds no answers: found nothing{expected}<intensity>.json",)
    as_the_authors(tmp_path / "model-a")
    for name in ("README.md", "b.txt", "c.txt", "d.txt", "e.txt", ".hidden"):
        put(tmp_path / name, "")
    assert faults(tmp_path) == (
        "holds no answers: found README.md, b.txt, c.txt, d.txt, e.txt and 1 more"
        f"{expected}<intensity>.json; there are answers in model-a",
    )


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in faults(tmp_path / "none.json")[0]
    (tmp_path / "a.json").write_bytes('["ä"]'.encode("latin-1"))
    assert "not UTF-8" in faults(tmp_path / "a.json")[0]
    os.mkfifo(tmp_path / "1.json")
    assert faults(tmp_path / "1.json") == ("is no regular file, expected answers",)
    assert "holds no answers" in faults(tmp_path)[0]


def test_what_is_too_large_is_refused(tmp_path: Path) -> None:
    for name in ("1.json", "2.json"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(128_000_001)  # sparse
    assert faults(tmp_path) == ("its answers have 256000002 bytes, more than 256000000",)
    with (tmp_path / "1.json").open("ab") as file:
        file.truncate(256_000_001)
    assert "more than 256000000 bytes" in faults(tmp_path / "1.json")[0]
