"""What conversations show at their last turn: how coherent, in how much of their mood, at what
price."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import fmean, median
from typing import Any

import numpy as np

from llamood.evaluation.dialogue import ANEW, KEPT, PLAIN, WAYS, Dialogue, Way
from llamood.extraction.side_effects import collapse
from llamood.judges.judging import Judging
from llamood.judges.measures import emotion_probability

Row = dict[str, Any]


def results(dialogues: Sequence[Dialogue], judges: Mapping[str, Judging]) -> dict[str, Any]:
    """JSON-able. ``judges``: by name.

    ``rows``, of each emotion in each way, and with ``emotion`` None of all of them: ``perplexity``,
    a ratio to the unsteered conversations, ``collapse``, the share that loops, and ``repeated``,
    the mean share of 4-grams of words that an answer before it has, of the last answers. What
    repeats is likely after itself, so a low perplexity says little beside many repetitions.
    ``shown`` by each judge, the mean probability of the emotion in them, 0 to 1, None
    where that judge does not know it; ``decoded`` tokens before an answer that follows on another,
    the mean, and the ``ms`` that took, the median. ``shown_by_turn``: of each judge, turn by turn.
    ``price_ms``: a turn, the median of what decoding answers again takes longer. ``dialogues``: all
    that was said.
    """
    names = list(dict.fromkeys(each.emotion for each in dialogues if each.emotion is not None))
    sheets = {name: _Sheet(judge, dialogues) for name, judge in judges.items()}
    rows = [_row(dialogues, name, way, sheets) for name in names for way in WAYS]
    rows += [_joined([row for row in rows if row["way"] == way], way) for way in WAYS]
    return {
        "judges": list(judges),
        "n_turn": len(dialogues[0].exchanges),
        "n_conversation": len({each.number for each in dialogues}),
        "rows": rows,
        "price_ms": _price(dialogues),
        "dialogues": [asdict(each) for each in dialogues],
    }


class _Sheet:
    """What a judge sees in every answer, each judged once, as one takes long over a few."""

    def __init__(self, judge: Judging, dialogues: Sequence[Dialogue]) -> None:
        answers = (exchange.answer for each in dialogues for exchange in each.exchanges)
        self._texts = {text: place for place, text in enumerate(dict.fromkeys(answers))}
        self._labels = judge.labels
        self._seen = np.asarray(judge.probabilities(list(self._texts)), dtype=np.float64)

    def shown(self, own: Sequence[Dialogue], emotion: str) -> list[float] | None:
        """At each turn; None where the judge does not know the emotion."""
        if emotion not in self._labels:
            return None
        turns = zip(*(each.exchanges for each in own), strict=True)
        rows = [[self._texts[exchange.answer] for exchange in turn] for turn in turns]
        return [
            emotion_probability(self._seen[each], emotion, labels=self._labels) for each in rows
        ]


def _row(
    dialogues: Sequence[Dialogue], emotion: str, way: Way, sheets: Mapping[str, _Sheet]
) -> Row:
    own = [
        each for each in dialogues if each.way == way and (way == PLAIN or each.emotion == emotion)
    ]
    plain = _nll([each for each in dialogues if each.way == PLAIN])
    nll = _nll(own)
    follow = [exchange for each in own for exchange in each.exchanges[1:]]
    by_turn = {name: sheet.shown(own, emotion) for name, sheet in sheets.items()}
    turned = None if plain is None or nll is None else nll - plain
    return {
        "emotion": emotion,
        "way": way,
        "perplexity": None if turned is None else math.exp(turned),
        "collapse": fmean(collapse(each.exchanges[-1].answer).collapsed for each in own),
        "repeated": fmean(_repeated(each) for each in own),
        "shown": {name: None if turns is None else turns[-1] for name, turns in by_turn.items()},
        "decoded": fmean(exchange.n_decoded for exchange in follow),
        "ms": 1e3 * median(exchange.seconds for exchange in follow),
        "shown_by_turn": by_turn,
    }


def _price(dialogues: Sequence[Dialogue]) -> float:
    """In milliseconds, over pairs of the same turn of the same conversation in the same mood."""
    seconds: dict[Way, list[float]] = {}
    for way in (KEPT, ANEW):
        own = [each for each in dialogues if each.way == way]
        seconds[way] = [exchange.seconds for each in own for exchange in each.exchanges[1:]]
    pairs = zip(seconds[ANEW], seconds[KEPT], strict=True)
    return 1e3 * median(anew - kept for anew, kept in pairs)


def _joined(rows: Sequence[Row], way: Way) -> Row:
    """Over emotions; of perplexities the geometric mean."""
    logs = [None if row["perplexity"] is None else math.log(row["perplexity"]) for row in rows]
    perplexity = _mean(logs)
    judges = rows[0]["shown"]
    by_turn = {
        judge: _turn_by_turn([row["shown_by_turn"][judge] for row in rows]) for judge in judges
    }
    return {
        "emotion": None,
        "way": way,
        "perplexity": None if perplexity is None else math.exp(perplexity),
        "collapse": fmean(row["collapse"] for row in rows),
        "repeated": fmean(row["repeated"] for row in rows),
        "shown": {judge: _mean([row["shown"][judge] for row in rows]) for judge in judges},
        "decoded": fmean(row["decoded"] for row in rows),
        "ms": median(row["ms"] for row in rows),
        "shown_by_turn": by_turn,
    }


def _repeated(dialogue: Dialogue) -> float:
    """0 to 1; of fewer than 4 words 0."""
    *before, last = (exchange.answer for exchange in dialogue.exchanges)
    known = {gram for answer in before for gram in _grams(answer)}
    grams = _grams(last)
    return fmean(gram in known for gram in grams) if grams else 0.0


def _grams(text: str) -> list[tuple[str, ...]]:
    words = text.split()
    return [tuple(words[at : at + 4]) for at in range(len(words) - 3)]


def _turn_by_turn(courses: Sequence[list[float] | None]) -> list[float] | None:
    known = [course for course in courses if course is not None]
    return [fmean(turn) for turn in zip(*known, strict=True)] or None


def _nll(dialogues: Sequence[Dialogue]) -> float | None:
    return _mean([each.nll for each in dialogues])


def _mean(values: Sequence[float | None]) -> float | None:
    """Of those that are known."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
