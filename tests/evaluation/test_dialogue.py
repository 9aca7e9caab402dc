"""Conversations: ten turns in both ways, and what their last turn shows."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import llamood
import tiny_chat
from cli_runs import run
from llamood.errors import ModelError
from llamood.evaluation.dialogue import (
    ANEW,
    KEPT,
    PLAIN,
    Dialogue,
    Dialogues,
    Exchange,
    shipped_turns,
)
from llamood.evaluation.dialogue_results import results
from llamood.judges.linear_judge import bundled
from llamood.readings.probe import Probe

TOKENS = 8
QUICK = ("--turns", "2", "--max-tokens", "8", "--threads", "1")
SAID = ("I am so happy, what a wonderful day!", "The bus leaves at nine.", "I love this, hooray!")


def dialogues(model: Path = tiny_chat.MODEL, **changed: Any) -> Dialogues:
    settings: dict[str, Any] = {
        "emotions": llamood.load(tiny_chat.VECTORS).select("joy"),
        "turns": shipped_turns()[:1],
        "max_tokens": TOKENS,
        "n_threads": 1,
        "n_threads_batch": 1,
        **changed,
    }
    return Dialogues(model, **settings)


@pytest.fixture(scope="module")
def held() -> dict[str, Dialogue]:
    """One conversation in every way."""
    return {each.way: each for each in dialogues().run()}


def test_ten_turns_in_every_way(held: dict[str, Dialogue]) -> None:
    assert list(held) == [PLAIN, KEPT, ANEW]
    assert [each.emotion for each in held.values()] == [None, "joy", "joy"]
    for each in held.values():
        assert tuple(exchange.question for exchange in each.exchanges) == shipped_turns()[0]
        assert all(0 <= exchange.n_token <= TOKENS for exchange in each.exchanges)
        assert any(exchange.answer for exchange in each.exchanges)
        assert each.nll is not None
        assert each.nll > 0


def test_the_ways_part_after_the_first_turn(held: dict[str, Dialogue]) -> None:
    kept, anew = ([each.answer for each in held[way].exchanges] for way in (KEPT, ANEW))
    assert kept[0] == anew[0] != held[PLAIN].exchanges[0].answer
    assert kept != anew


def test_what_is_decoded_before_an_answer(held: dict[str, Dialogue]) -> None:
    """The turn of the user; decoded anew also the answer before it, and the token it followed on.
    Of an answer that was cut off the last token was not decoded before."""
    plain, kept, anew = (held[way].exchanges for way in (PLAIN, KEPT, ANEW))
    assert plain[0].n_decoded == kept[0].n_decoded == anew[0].n_decoded
    for turn in range(1, 10):
        question = anew[turn].n_decoded - anew[turn - 1].n_token - 1
        for way in (plain, kept):
            assert way[turn].n_decoded == question + (way[turn - 1].n_token == TOKENS)


def test_equal_seeds_say_the_same() -> None:
    few = {"turns": [shipped_turns()[2][:2]]}
    one, again, other = (
        [[exchange.answer for exchange in each.exchanges] for each in dialogues(**how).run()]
        for how in (few, few, {**few, "seed": 7})
    )
    assert one == again != other


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"turns": [("a", "b"), ("a", "b", "c")]}, "conversations have 2, 3 turns"),
        ({"turns": [("a",)]}, "conversations have 1 turns; .* 2 at least"),
        ({"turns": []}, "conversations have no turns"),
        ({"max_tokens": 64}, r"may have \d+ tokens, and this model has room for 512; take fewer"),
    ],
)
def test_what_cannot_be_held(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        dialogues(**changed).run()


def test_what_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "no.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelError, match="cannot load this model"):
        dialogues(tmp_path / "no.gguf").run()


# -- what it shows --------------------------------------------------------------------------


def conversation(way: Any, answers: tuple[str, ...], *, nll: float, ms: float) -> Dialogue:
    said = tuple(Exchange("?", answer, 8, int(ms), ms / 1e3) for answer in answers)
    return Dialogue(0, None if way == PLAIN else "joy", way, said, nll)


def test_findings_are_of_the_last_turn() -> None:
    loop = "again and " * 40
    told = results(
        [
            conversation(PLAIN, (SAID[0], SAID[1]), nll=1.0, ms=10),
            conversation(KEPT, (SAID[0], loop), nll=2.0, ms=11),
            conversation(ANEW, (SAID[1], SAID[2]), nll=1.5, ms=15),
        ],
        {"words": bundled()},
    )
    joy = {row["way"]: row for row in told["rows"] if row["emotion"] == "joy"}
    perplexities = [joy[way]["perplexity"] for way in (PLAIN, KEPT, ANEW)]
    assert perplexities == pytest.approx([1.0, math.exp(1.0), math.exp(0.5)])
    assert [joy[way]["collapse"] for way in (PLAIN, KEPT, ANEW)] == [0, 1, 0]
    assert [joy[way]["repeated"] for way in (PLAIN, KEPT, ANEW)] == [0, 0, 0]
    assert joy[ANEW]["shown"]["words"] > 0.5 > joy[PLAIN]["shown"]["words"]
    at = bundled().labels.index("joy")
    expected = bundled().probabilities([SAID[1], SAID[2]])[:, at].tolist()
    assert joy[ANEW]["shown_by_turn"]["words"] == pytest.approx(expected)
    assert [joy[way]["decoded"] for way in (PLAIN, KEPT, ANEW)] == [10, 11, 15]
    assert told["price_ms"] == pytest.approx(4.0)
    assert (told["n_turn"], told["n_conversation"]) == (2, 1)


def test_what_earlier_answers_said_is_repeated() -> None:
    said = ("I hear the bus leaves at nine.", "Yes.", "I think the bus leaves at nine.")
    told = results([conversation(way, said, nll=1.0, ms=1) for way in (PLAIN, KEPT, ANEW)], {})
    assert {row["repeated"] for row in told["rows"]} == {0.5}


def test_over_emotions_and_of_one_that_no_judge_knows() -> None:
    kept = conversation(KEPT, SAID, nll=2.0, ms=1)
    anew = conversation(ANEW, SAID, nll=3.0, ms=2)
    told = results(
        [
            conversation(PLAIN, SAID, nll=1.0, ms=1),
            *(kept, anew),
            *(replace(each, emotion="awe", nll=1.0) for each in (kept, anew)),
        ],
        {"words": bundled()},
    )
    rows = {(row["emotion"], row["way"]): row for row in told["rows"]}
    assert rows["awe", KEPT]["shown"] == {"words": None}
    assert rows[None, KEPT]["shown"] == rows["joy", KEPT]["shown"]
    assert rows[None, ANEW]["perplexity"] == pytest.approx(math.exp((2.0 + 0.0) / 2))
    json.dumps(told, allow_nan=False)


# -- the command ----------------------------------------------------------------------------


def test_the_command_gives_json_and_a_table() -> None:
    asked = ("dialogue", tiny_chat.MODEL, "--feeling", "fear", *QUICK)
    result = run(*asked, "--conversations", "4", "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert (report["n_turn"], report["n_conversation"]) == (2, 4)
    assert [row["way"] for row in report["rows"]] == [PLAIN, KEPT, ANEW] * 2
    assert {each["emotion"] for each in report["dialogues"]} == {None, "fear"}
    first, *_, fourth = [each for each in report["dialogues"] if each["way"] == PLAIN]
    assert [each["question"] for each in first["exchanges"]] == [
        each["question"] for each in fourth["exchanges"]
    ]
    assert first["exchanges"] != fourth["exchanges"]  # with another seed
    people = run(*asked, "--conversations", "1")
    assert people.exit_code == 0
    for words in ("at turn 2, of 1 conversations", "decoded anew", "kept", "ms a turn"):
        assert words in " ".join(people.stdout.split())


def test_the_command_judges_by_readings_where_a_baseline_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llamood.cli.baselines.PER_LABEL", 14)
    llamood.save(llamood.load(tiny_chat.VECTORS), tmp_path / "evs")
    vectors = ("-e", tmp_path / "evs")
    assert run("read", tiny_chat.MODEL, *vectors, "--measure", "What a day!").exit_code == 0
    asked = ("--feeling", "joy", *QUICK, "--conversations", "1", "--json")
    probe = Probe.load(tmp_path / "evs")
    assert probe.doubt is not None  # of so few texts
    result = run("dialogue", tiny_chat.MODEL, *vectors, *asked)
    assert json.loads(result.stdout)["judges"] == ["bundled"]
    assert "nobody judges by readings: its baseline tells emotions apart" in result.stderr
    good = {**probe.about["quality"], "macro_auroc": 0.9}
    replace(probe, about={**probe.about, "quality": good}).save(tmp_path / "evs")
    report = json.loads(run("dialogue", tiny_chat.MODEL, *vectors, *asked).stdout)
    assert report["judges"] == ["bundled", "reading"]
    assert all(0 < row["shown"]["reading"] < 1 for row in report["rows"])


def test_what_the_command_refuses() -> None:
    for arguments, says in (
        ((tiny_chat.MODEL, "--feeling", "awe"), "there is no awe here; there are anger"),
        ((tiny_chat.MODEL, "-e", "none"), "no emotion vectors there"),
        ((tiny_chat.MODEL, "--max-tokens", "64"), "has room for 512"),
    ):
        result = run("dialogue", *arguments)
        assert result.exit_code == 1
        assert says in result.stderr


@pytest.mark.slow
def test_a_real_model(demo_model: Path, demo_vectors: Path) -> None:
    joy = llamood.load(demo_vectors).select("joy")
    plain, kept, anew = dialogues(demo_model, emotions=joy, max_tokens=24).run()
    assert [len(each.exchanges) for each in (plain, kept, anew)] == [10, 10, 10]
    assert kept.exchanges[0].answer == anew.exchanges[0].answer
    assert kept.exchanges[1:] != anew.exchanges[1:]
    told = results([plain, kept, anew], {"words": bundled()})
    shown = {
        row["way"]: sum(row["shown_by_turn"]["words"])
        for row in told["rows"]
        if row["emotion"] == "joy"
    }
    assert min(shown[KEPT], shown[ANEW]) > shown[PLAIN]
