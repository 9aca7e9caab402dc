"""Evaluation: the same answers stopped or not, honest controls, and figures that follow."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import llamood
import tiny_chat
from cli_runs import run
from llamood.cli.prompts import chat_tokens
from llamood.errors import FileError, LlamoodError, ModelError
from llamood.evaluation.answer_log import Answer
from llamood.evaluation.conditions import (
    AFFECT,
    BOTH,
    GRADED,
    POINTS,
    PROMPT,
    RANDOM,
    UNSTEERED,
    VECTOR,
    Condition,
    controlled,
    paper_axes,
    random_beside,
)
from llamood.evaluation.evaluation import PARTIAL, Evaluation, with_nll
from llamood.evaluation.results import results
from llamood.evaluation.results_table import to_markdown, to_paper_table
from llamood.extraction.extraction import asked_with
from llamood.extraction.side_effects import collapse, side_effects
from llamood.judges import measures
from llamood.judges.linear_judge import bundled
from open_voices import random_vectors

N_QUESTION = 4
LAYERS = (2, 4)
N_DRAW = 200
EMOTIONS = ("joy", "fear")


def evaluation(**changed: Any) -> Evaluation:
    settings: dict[str, Any] = {
        "emotions": llamood.load(tiny_chat.VECTORS).select(EMOTIONS),
        "prompt": lambda llm, q: chat_tokens(llm, [{"role": "user", "content": q}]),
        "questions": tiny_chat.questions()[:N_QUESTION],
        "layers": LAYERS,
        "max_tokens": 24,
        "n_threads": 1,
        "n_threads_batch": 1,
        **changed,
    }
    grid = settings.pop("intensities", (0.0, 0.5, 1.0))
    made = {"conditions": controlled(settings["emotions"], intensities=grid)}
    return Evaluation(settings.pop("model", tiny_chat.MODEL), **{**made, **settings})


def exact(model: Path, **changed: Any) -> Evaluation:
    """Of a model of random weights, in which nothing is rounded to fewer bits than float32 has."""
    settings = {"emotions": random_vectors(model, names=EMOTIONS), "layers": (1, 3)}
    cache = {"type_k": 0, "type_v": 0, "flash_attn": False}
    return evaluation(model=model, **{**settings, **cache, **changed})


@pytest.fixture(scope="module")
def answers() -> tuple[Answer, ...]:
    """Of an evaluation that nobody stopped."""
    whole = evaluation()
    whole.run()
    return whole.answers


@pytest.fixture(scope="module")
def found(answers: tuple[Answer, ...]) -> dict[str, Any]:
    return results(answers, judge=bundled(), n_draw=N_DRAW)


def of(answers: Sequence[Answer], kind: str, emotion: str | None, at: float) -> list[Answer]:
    return [a for a in answers if (a.kind, a.emotion, a.intensity) == (kind, emotion, at)]


def row_of(found: dict[str, Any], emotion: str | None, kind: str, at: float) -> dict[str, Any]:
    (row,) = (
        row
        for row in found["rows"]
        if (row["emotion"], row["condition"], row["intensity"]) == (emotion, kind, at)
    )
    return row  # type: ignore[no-any-return]


# -- conditions -----------------------------------------------------------------------------


def test_one_condition_is_shared_and_the_rest_is_of_each_emotion() -> None:
    evs = replace(llamood.load(tiny_chat.VECTORS).select(EMOTIONS), ceiling=(None, 2.0))
    made = controlled(evs, intensities=(1.0, 0.0, 0.5))
    assert [(c.kind, c.emotion, c.intensity, c.dose) for c in made] == [
        (UNSTEERED, None, 0.0, 0.0),
        (VECTOR, "joy", 0.5, 0.5),
        (VECTOR, "joy", 1.0, 1.0),
        (PROMPT, "joy", 0.0, 0.0),
        (BOTH, "joy", 1.0, 1.0),
        (GRADED, "joy", 0.5, 0.0),
        (GRADED, "joy", 1.0, 0.0),
        (RANDOM, "joy", 0.5, 0.5),
        (RANDOM, "joy", 1.0, 1.0),
        (VECTOR, "fear", 0.5, 1.0),
        (VECTOR, "fear", 1.0, 2.0),
        (PROMPT, "fear", 0.0, 0.0),
        (BOTH, "fear", 1.0, 2.0),
        (GRADED, "fear", 0.5, 0.0),
        (GRADED, "fear", 1.0, 0.0),
        (RANDOM, "fear", 0.5, 1.0),
        (RANDOM, "fear", 1.0, 2.0),
    ]


def test_what_a_condition_says_and_feels() -> None:
    both = Condition(BOTH, "joy", 1.0, 1.5)
    assert both.turn("Why?") == asked_with("Why?", "joy")
    assert Condition(VECTOR, "joy", 1.0, 1.5).turn("Why?") == "Why?"
    assert both.mood(LAYERS).layers == LAYERS
    assert both.mood(None).row(["joy"]) == pytest.approx([1.5])
    assert Condition(RANDOM, "joy", 1.0, 1.5).mood(None).row(["random joy"]) == pytest.approx([1.5])
    assert Condition(PROMPT, "joy", 0.0, 0.0).mood(LAYERS).is_neutral
    half = Condition(GRADED, "joy", 0.5, 0.0)
    assert half.turn("Why?") == asked_with("Why?", "moderate joy (50 out of 100)")
    assert half.mood(LAYERS).is_neutral
    point = Condition(AFFECT, None, 0.0, 0.0, (0.5, -0.5))
    assert point.turn("Why?") == "Why?"
    assert point.mood(LAYERS).to_dict() == {"valence": 0.5, "arousal": -0.5, "$layers": [2, 4]}


@pytest.mark.parametrize(
    ("share", "says"),
    [(0.1, "slight"), (0.25, "slight"), (0.3, "moderate"), (0.75, "strong"), (1.0, "extreme")],
)
def test_how_much_is_said_in_words_too(share: float, says: str) -> None:
    assert f"Answer with {says} joy (" in Condition(GRADED, "joy", share, 0.0).turn("Why?")


def test_points_of_affect_are_asked_of_enough_emotions() -> None:
    evs = llamood.load(tiny_chat.VECTORS)
    points = [c.point for c in controlled(evs) if c.kind == AFFECT]
    assert points == list(POINTS)
    assert not [c for c in controlled(evs.select(EMOTIONS)) if c.kind == AFFECT]


def test_the_paper_s_axes() -> None:
    evs = replace(llamood.load(tiny_chat.VECTORS).select(EMOTIONS), ceiling=(None, 2.0))
    assert [(c.emotion, c.dose) for c in paper_axes(evs)] == [
        (None, 0.0),
        *(("base", at) for at in (-1.0, 1.0, 2.0, 4.0)),
        *((name, at) for name in EMOTIONS for at in (1.0, 2.0, 4.0)),
    ]


def test_random_vectors_are_as_long_in_each_layer() -> None:
    evs = llamood.load(tiny_chat.VECTORS)
    drawn = random_beside(evs, seed=3)
    assert drawn.names[0] == f"random {evs.names[0]}"
    np.testing.assert_allclose(drawn.norms(), evs.norms(), rtol=1e-6)
    assert np.abs(evs.cosines(drawn)).max() < 0.2
    assert np.abs(drawn.cosines() - np.eye(evs.n_emotion)).max() < 0.2
    assert np.array_equal(random_beside(evs, seed=3).data, drawn.data)
    assert not np.array_equal(random_beside(evs, seed=4).data, drawn.data)
    assert np.array_equal(
        random_beside(evs.select("joy"), seed=3)["random joy"], drawn["random joy"]
    )


# -- answers --------------------------------------------------------------------------------


def test_the_unsteered_answer_is_given_once_a_question(answers: tuple[Answer, ...]) -> None:
    assert [a.number for a in answers if a.kind == UNSTEERED] == list(range(N_QUESTION))
    assert len(answers) == N_QUESTION * (1 + 8 * len(EMOTIONS))


def test_the_vectors_applied_are_those_of_the_condition(answers: tuple[Answer, ...]) -> None:
    for answer in answers:
        expected = {
            UNSTEERED: {},
            PROMPT: {},
            GRADED: {},
            VECTOR: {answer.emotion: answer.dose},
            BOTH: {answer.emotion: answer.dose},
            RANDOM: {f"random {answer.emotion}": answer.dose},
        }
        assert answer.mix == pytest.approx(expected[answer.kind])


def test_conditions_answer_differently(answers: tuple[Answer, ...]) -> None:
    for other in (VECTOR, PROMPT, BOTH, RANDOM):
        at = 0.0 if other == PROMPT else 1.0
        plain, joy = of(answers, UNSTEERED, None, 0.0), of(answers, other, "joy", at)
        assert [a.text for a in plain] != [a.text for a in joy]


def test_surprise_is_that_of_the_unsteered_model_after_the_same_prompt(
    answers: tuple[Answer, ...],
) -> None:
    llm = llamood.Llama(tiny_chat.MODEL, n_ctx=512, n_threads=1, n_threads_batch=1, verbose=False)
    for kind, at in ((VECTOR, 1.0), (PROMPT, 0.0)):
        answer = of(answers, kind, "joy", at)[0]
        turn = asked_with(answer.question, "joy") if kind == PROMPT else answer.question
        prompt = chat_tokens(llm, [{"role": "user", "content": turn}])
        assert answer.nll in [  # with or without the blank before the text
            pytest.approx(llm.nll(prompt, tokens).mean(), rel=0.02)  # it rounds otherwise
            for text in (answer.text, f" {answer.text}")
            if (tokens := llm.tokenize(text.encode(), add_bos=False, special=False))
        ]


def test_stopped_and_gone_on_with_it_is_the_same(random_chat: Path, tmp_path: Path) -> None:
    def stop_at(limit: int) -> Any:
        def progress(done: int, total: int) -> None:
            if done >= limit:
                raise KeyboardInterrupt

        return progress

    whole = exact(random_chat, parallel=1)
    whole.run()
    n_before = 0
    for limit, parallel in ((9, 3), (20, 7)):
        stopped = exact(random_chat, output=tmp_path, parallel=parallel)
        assert stopped.done == n_before
        with pytest.raises(KeyboardInterrupt):
            stopped.run(stop_at(limit))
        n_before = stopped.done
        assert limit <= n_before < whole.total
    path = tmp_path / PARTIAL
    with path.open("ab") as file:
        file.write(b'{"job": 30, "number": 1, "que')  # as kill -9 may leave it
    with pytest.raises(FileError, match=r"other settings \(seed was 0 and is 1\)"):
        exact(random_chat, output=tmp_path, seed=1)
    assert exact(random_chat, output=tmp_path, seed=1, restart=True).done == 0
    resumed = exact(random_chat, output=tmp_path)
    assert resumed.done == n_before
    resumed.run()
    assert len(resumed.answers) == whole.total
    for ours, theirs in zip(resumed.answers, whole.answers, strict=True):
        assert replace(ours, nll=None) == replace(theirs, nll=None)
        assert ours.nll == pytest.approx(theirs.nll, abs=1e-4)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[1:-1]]
    written = {line.pop("job"): Answer(**line) for line in lines}
    assert [written[job] for job in range(whole.total)] == list(resumed.answers)
    resumed.forget()
    assert not path.exists()
    path.write_text("no JSON\n", encoding="utf-8")
    with pytest.raises(FileError, match="is no unfinished evaluation"):
        exact(random_chat, output=tmp_path)


def test_answers_are_kept_while_others_are_given(random_chat: Path, tmp_path: Path) -> None:
    kept = []

    def progress(done: int, total: int) -> None:
        if done:
            kept.append((tmp_path / PARTIAL).read_bytes().count(b"\n") - 1 - done)

    exact(random_chat, output=tmp_path, parallel=5).run(progress)
    assert len(kept) > 4
    assert not any(kept)


def test_another_seed_answers_otherwise(answers: tuple[Answer, ...]) -> None:
    other = evaluation(seed=100, questions=tiny_chat.questions()[:2], intensities=(1.0,))
    other.run()
    assert of(other.answers, UNSTEERED, None, 0.0)[0].text != answers[0].text


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"questions": ("One?",)}, "at least 2 questions"),
        ({"layers": (3, 8)}, "there are 1 to 7"),
        ({"intensities": (0.0,)}, "no intensity above 0"),
        ({"intensities": (-1.0, 1.0)}, "expected none below 0"),
        ({"intensities": (1e4,)}, "1000 is the largest"),
    ],
)
def test_what_cannot_be_evaluated(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        evaluation(**changed)


# -- figures --------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "at"), [(VECTOR, 0.5), (VECTOR, 1.0), (PROMPT, 0.0), (RANDOM, 1)])
def test_figures_are_the_measures_of_the_answers(
    answers: tuple[Answer, ...], found: dict[str, Any], kind: str, at: float
) -> None:
    judge, labels = bundled(), bundled().labels
    given, plain = of(answers, kind, "joy", at), of(answers, UNSTEERED, None, 0.0)
    texts = [a.text for a in given]
    rows = judge.probabilities(texts)
    row = row_of(found, "joy", kind, at)
    estimates = {key: row[key]["estimate"] for key in ("eps", "eas", "specificity")}
    assert estimates == pytest.approx(
        {
            "eps": measures.emotion_probability(rows, "joy", labels=labels),
            "eas": measures.emotion_strength(rows, labels=labels),
            "specificity": measures.specificity(rows, "joy", labels=labels),
        }
    )
    more = np.mean([a.nll for a in given]) - np.mean([a.nll for a in plain])
    assert row["perplexity"]["estimate"] == pytest.approx(np.exp(more))
    words = [np.mean([len(a.text.split()) for a in each]) for each in (given, plain)]
    assert row["length"]["estimate"] == pytest.approx(words[0] / words[1])
    assert row["collapse"] == np.mean([collapse(text).collapsed for text in texts])
    assert row["disclaimer"] == np.mean([side_effects(text).disclaimer for text in texts])
    for key in ("eps", "eas", "specificity", "perplexity", "length"):
        assert row[key]["low"] <= row[key]["estimate"] <= row[key]["high"]


def test_unsteered_is_what_the_ratios_are_to(found: dict[str, Any]) -> None:
    for emotion in (*EMOTIONS, None):
        row = row_of(found, emotion, UNSTEERED, 0.0)
        for key in ("perplexity", "length"):
            assert [row[key][end] for end in ("estimate", "low", "high")] == [1.0, 1.0, 1.0]


def test_asked_versus_got_and_confusion(answers: tuple[Answer, ...], found: dict[str, Any]) -> None:
    judge, labels = bundled(), bundled().labels
    places = [(UNSTEERED, None, 0.0), (VECTOR, "joy", 0.5), (VECTOR, "joy", 1.0)]
    got = [judge.probabilities([a.text for a in of(answers, *p)]) for p in places]
    column = np.stack(got, axis=1)[:, :, labels.index("joy")]
    rho = measures.asked_versus_got([0.0, 0.5, 1.0], column)
    of_joy = found["asked_versus_got"][VECTOR]["joy"]
    assert of_joy["answers"]["estimate"] == pytest.approx(rho)
    means = column.mean(axis=0)[np.newaxis]
    assert of_joy["means"]["estimate"] == pytest.approx(
        measures.asked_versus_got([0.0, 0.5, 1.0], means)
    )
    assert set(found["asked_versus_got"]) == {VECTOR, GRADED, RANDOM}

    texts = [a.text for name in EMOTIONS for a in of(answers, VECTOR, name, 1.0)]
    expected = measures.confusion(
        judge.probabilities(texts), np.repeat(EMOTIONS, N_QUESTION), labels=labels
    )
    confusion = found["confusion"][VECTOR]
    assert confusion["asked"] == list(expected.asked)
    np.testing.assert_allclose(confusion["shares"], expected.shares)


def test_over_all_emotions_is_the_mean_of_each(found: dict[str, Any]) -> None:
    for key in ("eps", "eas", "specificity"):
        each = [row_of(found, name, BOTH, 1.0)[key]["estimate"] for name in EMOTIONS]
        assert row_of(found, None, BOTH, 1.0)[key]["estimate"] == pytest.approx(np.mean(each))


def test_answers_without_words_have_no_perplexity(answers: tuple[Answer, ...]) -> None:
    silent = [replace(a, text="", n_token=0, nll=None) if a.kind == RANDOM else a for a in answers]
    found = results(silent, judge=bundled(), n_draw=N_DRAW)
    row = row_of(found, "joy", RANDOM, 1.0)
    assert row["perplexity"] is None
    assert row["length"]["estimate"] == 0
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_what_gives_no_figures(answers: tuple[Answer, ...]) -> None:
    with pytest.raises(LlamoodError, match="expected one for each"):
        results(answers[:-1], judge=bundled(), n_draw=N_DRAW)
    with pytest.raises(LlamoodError, match="two answers to one question"):
        results([*answers, answers[0]], judge=bundled(), n_draw=N_DRAW)
    with pytest.raises(LlamoodError, match="no answer was asked to express an emotion"):
        results(of(answers, UNSTEERED, None, 0.0), judge=bundled(), n_draw=N_DRAW)
    with pytest.raises(LlamoodError, match="no label glee"):
        results(
            [replace(a, emotion="glee") if a.emotion == "joy" else a for a in answers],
            judge=bundled(),
        )


def test_the_table_has_a_row_for_each_emotion_and_condition(found: dict[str, Any]) -> None:
    table = to_markdown(found, caption="Asked.")
    whole, rho = table.split("## Asked against got")
    rows = [line for line in whole.split("\n") if line.startswith("| ")]
    assert len(rows) == 1 + len(found["rows"]) == 1 + 9 * (len(EMOTIONS) + 1)
    assert len([line for line in rho.split("\n") if line.startswith("| ")]) == 1 + len(EMOTIONS)
    eps = row_of(found, "joy", VECTOR, 1.0)["eps"]["estimate"]
    (joy,) = (row for row in rows if row.startswith(f"| joy | {VECTOR} | 1 |"))
    assert f"{eps:.2f} [" in joy
    assert "somewhat too narrow" in table


@pytest.mark.slow
def test_topics_are_ratios_of_mean_cosines(answers: tuple[Answer, ...]) -> None:
    topics = np.linspace(0.2, 0.9, len(answers))
    found = results(answers, judge=bundled(), topics=topics, n_draw=N_DRAW)
    of_joy = [a.kind == VECTOR and a.emotion == "joy" and a.intensity == 1 for a in answers]
    plain = [a.kind == UNSTEERED for a in answers]
    ratio = topics[of_joy].mean() / topics[plain].mean()
    assert row_of(found, "joy", VECTOR, 1.0)["topic"]["estimate"] == pytest.approx(ratio)
    assert row_of(results(answers, judge=bundled()), "joy", VECTOR, 1.0)["topic"] is None


def test_what_is_missing_is_left_out(answers: tuple[Answer, ...]) -> None:
    """Other systems have no controls, and perhaps no answers without steering."""
    vectors = [replace(a, nll=None) for a in answers if a.kind in (VECTOR, UNSTEERED)]
    found = results(vectors, judge=bundled(), n_draw=N_DRAW)
    assert {row["condition"] for row in found["rows"]} == {VECTOR, UNSTEERED}
    assert row_of(found, "joy", VECTOR, 1.0)["perplexity"] is None
    assert row_of(found, "joy", VECTOR, 1.0)["length"] is not None
    alone = results([a for a in vectors if a.kind == VECTOR], judge=bundled(), n_draw=N_DRAW)
    assert alone["unsteered"] == {"perplexity": None, "words": None}
    row = row_of(alone, "joy", VECTOR, 1.0)
    assert (row["length"], row["perplexity"]) == (None, None)
    assert row["eps"] == row_of(found, "joy", VECTOR, 1.0)["eps"]
    assert alone["asked_versus_got"] == {}
    for each in (found, alone):
        assert to_markdown(each, caption="Asked.")


def test_each_emotion_may_have_questions_of_its_own(answers: tuple[Answer, ...]) -> None:
    """As the paper's have: then unsteered answers belong to an emotion."""
    own = [
        replace(a, number=a.number + (10 if name == "fear" else 0), emotion=name)
        for name in EMOTIONS
        for a in answers
        if a.kind == UNSTEERED or (a.kind == VECTOR and a.emotion == name)
    ]
    one, other = (results(each, judge=bundled(), n_draw=N_DRAW) for each in (answers, own))
    assert other["n_question"] == 2 * N_QUESTION
    for name in EMOTIONS:
        assert row_of(one, name, VECTOR, 1.0) == row_of(other, name, VECTOR, 1.0)
    for key in ("eps", "length"):
        estimates = [row_of(each, None, VECTOR, 1.0)[key]["estimate"] for each in (one, other)]
        assert estimates[0] == pytest.approx(estimates[1])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::llamood.errors.MoodWarning")  # some points are out of reach
def test_affect_asked_and_got(tmp_path: Path) -> None:
    evs = llamood.load(tiny_chat.VECTORS)
    made = [c for c in controlled(evs, intensities=(1.0,)) if c.kind in (UNSTEERED, AFFECT, VECTOR)]
    asked = {"emotions": evs, "conditions": made, "layers": None, "output": tmp_path}
    asked |= {"questions": tiny_chat.questions()[:12], "max_tokens": 48}
    whole = evaluation(**asked)
    whole.run()
    again = evaluation(**asked)  # as written and read
    assert again.answers == whole.answers
    points = [a for a in whole.answers if a.kind == AFFECT and a.number == 0]
    assert [a.point for a in points] == list(POINTS)
    assert all(a.mix for a in points)
    found = results(whole.answers, judge=bundled(), n_draw=N_DRAW)["affect"]
    assert [tuple(p["asked"].values()) for p in found["points"]] == list(POINTS)
    assert found["correlation"]["valence"]["estimate"] > 0.5


@pytest.mark.slow
def test_the_paper_s_table() -> None:
    evs = llamood.load(tiny_chat.VECTORS).select(EMOTIONS)
    whole = evaluation(emotions=evs, conditions=paper_axes(evs))
    whole.run()
    mixes = {a.intensity: a.mix for a in whole.answers if a.emotion == "base" and a.number == 0}
    assert mixes == {at: {"base": at} for at in (-1.0, 1.0, 2.0, 4.0)}
    found = results(whole.answers, judge=bundled(), n_draw=N_DRAW)
    assert row_of(found, "base", VECTOR, -1.0)["eps"] is None
    table = to_paper_table(found, caption="Asked.")
    assert "| emotion | -1 | 0 | 1 | 2 | 4 |" in table
    eps, eas = table.split("## EAS")
    assert "| base |" not in eps
    assert "| base |" in eas


def test_surprise_of_answers_from_elsewhere(answers: tuple[Answer, ...]) -> None:
    """Equal to that of our own, where their text is written with the tokens that were drawn."""
    given = [a for a in answers if a.kind in (VECTOR, UNSTEERED)][:8]
    unknown = [replace(a, nll=None, n_token=None, text=a.text) for a in given]
    unknown.append(replace(given[0], nll=None, n_token=None, text=""))
    found = with_nll(
        unknown,
        model=tiny_chat.MODEL,
        prompt=lambda llm, q: chat_tokens(llm, [{"role": "user", "content": q}]),
        n_threads=1,
    )
    alike = [pair for pair in zip(found, given, strict=False) if pair[0].n_token == pair[1].n_token]
    assert len(alike) > len(given) / 2
    for theirs, ours in alike:
        assert theirs.nll == pytest.approx(ours.nll, rel=0.05)
    assert found[-1].nll is None
    assert [a.text for a in found] == [a.text for a in unknown]


# -- the command ----------------------------------------------------------------------------


@pytest.fixture
def two(tmp_path: Path) -> Path:
    llamood.save(llamood.load(tiny_chat.VECTORS).select(EMOTIONS), tmp_path / "two")
    return tmp_path / "two"


@pytest.mark.slow
def test_the_command_writes_a_report(two: Path, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    result = run(
        "eval", tiny_chat.MODEL, "-e", two, "-o", folder, "--layers", "2:4", "--questions", "3",
        "--intensities", "0,1", "--max-tokens", "12", "--threads", "1", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert result.stdout == (folder / "results.json").read_text(encoding="utf-8")
    names = {path.name for path in folder.iterdir()}
    assert names == {"results.json", "table.md", "answers.jsonl", "report.html"}
    report = json.loads(result.stdout)
    lines = (folder / "answers.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    written = [Answer(**json.loads(line)) for line in lines]
    again = results(written, judge=bundled())
    for row in report["rows"]:
        assert row.pop("topic") is not None
    for row in again["rows"]:
        assert row.pop("topic") is None
    assert {key: report[key] for key in again} == again
    assert report["command"] in (folder / "table.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--layers", "all"), 2, "first:last was expected"),
        (("--layers", "5:9"), 1, "there are 1 to 7"),
        (("--intensities", "0,much"), 2, "numbers were expected"),
        (("--intensities", "0,nan"), 1, "none below 0"),
        (("-e", "none"), 1, "no emotion vectors there"),
        (("--questions", "1"), 2, "--questions"),
        (
            ("--questions", "1000"),
            1,
            "1000 questions were asked for (--questions), expected at most",
        ),
    ],
)
def test_what_the_command_refuses(
    arguments: tuple[str, ...], code: int, says: str, tmp_path: Path
) -> None:
    result = run("eval", tiny_chat.MODEL, "-o", tmp_path / "report", *arguments)
    assert result.exit_code == code
    assert says in result.stderr
    assert not (tmp_path / "report").exists()


def test_scipy_is_asked_for_before_anything_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    result = run("eval", tiny_chat.MODEL, "-o", tmp_path / "report")
    assert result.exit_code == 1
    assert 'pip install ".[eval]"' in result.stderr
    assert not (tmp_path / "report").exists()
