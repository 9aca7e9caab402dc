"""Caps and floors on what hidden states are read at: kept where they are passed, and nowhere else
to be seen."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_cast import open_cast, told

import llamood
from llamood.errors import MoodError, MoodWarning
from llamood.moods.composition import Capped, Floored
from llamood.moods.mood import Mood
from llamood.moods.shapes import Constant
from llamood.readings.probe import directions_along
from measure_caps import MESSAGES, provoking, z_score
from open_voices import SETTINGS, answer, random_vectors, state_of, voice
from probes import doubtful, projecting, random_probe

LAYERS = (0, 1, 2)  # of four, in which there are vectors and something can be kept
FAR = 20.0  # no text is read as further from neutral
CLOSE = 1e-3  # z-scores
MOODS: list[dict[str, Any]] = [
    {},
    {"joy": 1.0},
    {"joy": {"ramp": [0, 1], "over": 20}},
    {"anger": 0.5, "$positions": "all", "$layers": [1, 2]},
]


@pytest.fixture(scope="module")
def settings(random_chat: Path) -> dict[str, Any]:
    evs = random_vectors(random_chat)
    return {"emotions": evs, "readings": random_probe(evs, random_chat)}


class Tapped(llamood.Llama):
    """Whose hidden states are projected on its vectors, after they were kept."""

    def __init__(self, model: Path, **settings: Any) -> None:
        super().__init__(model, guard=False, **SETTINGS, **settings)
        unit = directions_along(settings["emotions"])[:-1]
        self.along = projecting(self, range(len(unit)), unit)


@pytest.fixture
def llm(random_chat: Path, settings: dict[str, Any]) -> Iterator[Tapped]:
    with closing(Tapped(random_chat, **settings)) as llm:
        yield llm
        llm.along.close()


def scores(llm: Tapped, layer: int) -> np.ndarray:
    """(n, n_emotion): z-scores along the vectors in a layer, of all positions."""
    probe = llm.reader.probe
    assert probe.vector_median is not None
    assert probe.vector_spread is not None
    read = llm.along.read(0, llm.n_tokens)[:, layer]
    return (read - probe.vector_median[layer]) / probe.vector_spread[layer]


@pytest.mark.parametrize("mood", MOODS)
def test_a_cap_that_nothing_passes_changes_no_bit(llm: Tapped, mood: Mapping[str, Any]) -> None:
    with llm.feeling(mood):
        free = answer(llm)
        cached = state_of(llm)
    far = {"cap": FAR, "floor": -FAR}
    asked = dict(mood)
    for name in ("anger", "joy"):
        asked[name] = Mood(mood).emotions.get(name, Constant(0)).floor(-FAR).cap(FAR)
    assert Mood(asked).to_dict()["anger" if "joy" in mood else "joy"] == far
    llm.reset()
    with llm.feeling(asked):
        assert answer(llm).equals(free)
        assert state_of(llm) == cached


def test_what_is_generated_is_kept_and_the_prompt_is_not(llm: Tapped) -> None:
    free = answer(llm)
    first = len(llm.tokenize(b"Once upon a time, there was a little girl")) - 1
    before = scores(llm, LAYERS[0])
    cap = float(np.median(before[first:, 0]))
    with llm.feeling(anger={"cap": cap}):
        capped = answer(llm)
    assert not capped.equals(free)
    for layer in LAYERS:
        assert scores(llm, layer)[first:, 0].max() < cap + CLOSE
    assert np.array_equal(scores(llm, LAYERS[0])[:first], before[:first])
    assert scores(llm, LAYERS[0])[first:, 0].max() > cap - CLOSE
    with llm.feeling(anger={"floor": cap}):
        answer(llm)
    assert scores(llm, LAYERS[0])[first:, 0].min() == pytest.approx(cap, abs=CLOSE)


def test_all_positions_but_the_first(llm: Tapped) -> None:
    answer(llm)
    before = scores(llm, LAYERS[0])[:, 1]
    cap = float(np.median(before[1:]))
    with llm.feeling({"joy": {"cap": cap}, "$positions": "all"}):
        answer(llm)
    after = scores(llm, LAYERS[0])[:, 1]
    assert after[0] == before[0]
    assert after[1:].max() == pytest.approx(cap, abs=CLOSE)


def test_what_is_added_is_kept_too(llm: Tapped) -> None:
    first = len(llm.tokenize(b"Once upon a time, there was a little girl")) - 1
    schedule = {"ramp": [1, 5], "over": 20}
    with llm.feeling(joy=schedule):
        answer(llm)
    assert scores(llm, LAYERS[-1])[first:, 1].max() > 2
    with llm.feeling(joy={**schedule, "cap": 1.0}):
        answer(llm)
        assert llm.mix["joy"] > 1  # what is added is what was asked
    assert scores(llm, LAYERS[-1])[first:, 1].max() == pytest.approx(1.0, abs=CLOSE)


def test_layers_of_the_mood_alone(llm: Tapped) -> None:
    answer(llm)
    cap = float(np.median(scores(llm, LAYERS[-1])[-20:, 0]))
    with llm.feeling({"anger": {"cap": cap}, "$layers": [LAYERS[-1], LAYERS[-1]]}):
        answer(llm)
    assert scores(llm, LAYERS[-1])[-20:, 0].max() < cap + CLOSE
    assert scores(llm, LAYERS[0])[-20:, 0].max() > cap + CLOSE


def test_what_was_cached_within_other_caps_is_decoded_anew(llm: Tapped) -> None:
    moods = [{"anger": {"cap": at}, "$positions": "all"} for at in (0.5, -0.5)]
    alone = []
    for mood in moods:
        llm.reset()
        with llm.feeling(mood):
            alone.append(answer(llm))
    assert not alone[0].equals(alone[1])
    for mood, expected in zip(moods * 2, alone * 2, strict=True):
        with llm.feeling(mood):
            assert answer(llm).equals(expected)


def test_a_mood_that_is_changed_in_the_middle(llm: Tapped) -> None:
    tokens = llm.tokenize(b"Once upon a time")
    cap = -0.2
    for number, _ in enumerate(itertools.islice(llm.generate(tokens, temp=0.0), 24)):
        if number == 7:
            llm.feel(anger={"cap": cap})
        if number == 15:
            llm.feel()
    read = scores(llm, LAYERS[0])[len(tokens) :, 0]
    assert read[8:15].max() < cap + CLOSE
    assert max(read[:7].max(), read[17:].max()) > cap + CLOSE


def test_beside_one_that_is_capped_a_voice_says_what_it_says_alone(
    random_chat: Path, settings: dict[str, Any]
) -> None:
    how = {"temperature": 0.0, "max_tokens": 24}

    def said(mood: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
        with open_cast(model=random_chat, **settings) as cast:
            one, other = cast.join(mood={"joy": 0.5}, **how), cast.join(mood=mood, **how)
            events = told(cast.say({one: "What is a ferry like?", other: "What is it?"}))
            first, second = (
                [(event.token, event.reading) for event in events[each]] for each in (one, other)
            )
            return first, second

    free, capped = said({"anger": 0.1}), said({"anger": {"constant": 0.1, "cap": -1.0}})
    assert capped[0] == free[0]
    assert capped[1] != free[1]


# -- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mood", "fault"),
    [
        ({"valence": {"cap": 0.5}}, "mood at 'valence': no axis of affect is read"),
        ({"joy": {"hold": 0.5, "cap": 1}}, "mood at 'joy.cap': hold says what is to be read"),
        (
            {"joy": {"delay": {"cap": 1}, "by": 2}},
            "mood at 'joy.delay': cap bounds the emotion as a whole",
        ),
        ({"joy": {"cap": 21}}, "mood at 'joy.cap': a number between -20 and 20 was expected"),
        (
            {"joy": {"cap": 0, "floor": 0.5}},
            "mood at 'joy.cap': at least the floor, 0.5, was expected",
        ),
        ({"joy": {"cap": "high"}}, "mood at 'joy.cap': a number was expected"),
    ],
)
def test_what_is_no_bound(mood: dict[str, Any], fault: str) -> None:
    with pytest.raises(MoodError) as error:
        Mood(mood)
    assert fault in str(error.value)


def test_two_caps_are_the_tighter_one() -> None:
    assert Constant(1).cap(2).cap(0.5).cap(1) == Capped(Constant(1), 0.5)
    assert Constant(1).floor(-2).floor(0.5) == Floored(Constant(1), 0.5)
    assert Constant(1).cap(2).floor(0.5) == Constant(1).floor(0.5).cap(2)


def test_in_short_a_bound_may_stand_alone() -> None:
    mood = Mood.parse("anger=cap(1),joy=floor(-0.5).cap(0.5),fear=cap(bound=2)")
    assert mood.to_dict() == {
        "anger": {"cap": 1.0},
        "joy": {"floor": -0.5, "cap": 0.5},
        "fear": {"cap": 2.0},
    }
    with pytest.raises(MoodError, match=r"'joy': bound is missing; cap cannot do without it"):
        Mood.parse("joy=cap()")


def test_moods_with_bounds_are_not_neutral() -> None:
    mood = Mood(joy={"cap": 1})
    assert not mood.is_neutral
    assert mood.reads
    assert mood.is_constant
    assert not mood.listens


def test_without_a_baseline_they_are_refused(random_chat: Path, settings: dict[str, Any]) -> None:
    with (
        closing(voice(random_chat)) as llm,
        pytest.raises(MoodError, match=r"'joy': .*llamood read --measure"),
    ):
        llm.feel(joy={"cap": 1})
    with open_cast() as cast, pytest.raises(MoodError, match=r"'joy': .*llamood read --measure"):
        cast.join(mood={"joy": {"floor": 1}})
    unsure = {**settings, "readings": doubtful(settings["readings"], 0.6)}
    older = {
        **settings,
        "readings": replace(settings["readings"], vector_median=None, vector_spread=None),
    }
    with (
        closing(voice(random_chat, **older)) as llm,
        pytest.raises(MoodError, match=r"'joy': a cap .* this baseline does not say; measure it"),
    ):
        llm.feel(joy={"cap": 1})
    with (
        pytest.warns(MoodWarning, match="unsure"),
        closing(voice(random_chat, **unsure)) as llm,
        pytest.raises(MoodError, match="'joy': cannot be bounded: readings of this model are too"),
    ):
        llm.feel(joy={"cap": 1})


def test_where_no_layer_is_read_they_are_refused(llm: Tapped) -> None:
    with pytest.raises(MoodError, match=r"\$layers': joy has no vector in layers 3 to 3"):
        llm.feel({"joy": {"cap": 1}, "$layers": [3, 3]})
    with pytest.raises(MoodError, match="'base': is not read, so it cannot be bounded"):
        llm.feel(base={"cap": 1})


# -- a real model ---------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("emotion", MESSAGES)
def test_provoked_answers_show_less_within_a_cap(
    demo_model: Path, demo_vectors: Path, emotion: str
) -> None:
    """As the model reads them itself, asked nothing and within no cap."""
    settings = {"emotions": demo_vectors, "readings": True, "n_ctx": 384, "verbose": False}
    with closing(llamood.Llama(demo_model, **settings)) as llm:
        texts: dict[float, list[str]] = {FAR: [], 0.0: []}
        for text in provoking(MESSAGES[emotion]):
            for cap, said in texts.items():
                mood = {emotion: {"cap": cap}}
                result = llm.create_completion(text, mood=mood, max_tokens=32, seed=1)
                said.append(result["choices"][0]["text"])
        free, capped = (z_score(llm, said, emotion) for said in texts.values())
    assert free > 0.8
    assert capped < free - 0.2
