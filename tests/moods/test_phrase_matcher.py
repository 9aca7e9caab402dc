"""What is heard of an answer: texts, wherever the tokens are cut, and taken back again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llamood.moods.mood import Mood
from llamood.moods.performance import Performance
from llamood.moods.steering import Steering
from llamood.moods.steering_vectors import SteeringVectors
from llamood.vectors.emotion_vectors import EmotionVectors

pieces = st.lists(st.text("abé", max_size=4).map(str.encode), max_size=12)
texts = st.text("abé", min_size=1, max_size=5)
laws = settings(deadline=None)
VECTORS = SteeringVectors.of(EmotionVectors(("joy",), np.ones((1, 2, 4))))


def waiting_for(text: str) -> Performance:
    """Of a mood that is felt at the tokens that end this text, and at no other."""
    mood = Mood({"joy": {"on": text, "pulse": 1.0, "hold": 1}})
    return Performance(
        Steering(mood, VECTORS), position=0, before=np.zeros(1), notice=lambda notice: None
    )


def hear(performance: Performance, said: Sequence[bytes]) -> None:
    for token, piece in enumerate(said, performance.n_heard + 1):
        performance.hear(token, piece=piece)


def felt(performance: Performance) -> set[int]:
    """At which tokens."""
    heard = range(performance.n_heard + 1)
    return {token for token in heard if performance.row(token)[1].any()}


def heard(said: Sequence[bytes], text: str) -> set[int]:
    performance = waiting_for(text)
    hear(performance, said)
    assert performance.n_heard == len(said)
    return felt(performance)


@laws
@given(pieces, texts)
def test_a_text_is_heard_at_the_token_that_ends_it(said: list[bytes], text: str) -> None:
    ends = [len(b"".join(said[: n + 1])) for n in range(len(said))]
    whole, bits = b"".join(said), text.encode()
    places = [at + len(bits) for at in range(len(whole)) if whole.startswith(bits, at)]
    assert heard(said, text) == {
        next(n for n, end in enumerate(ends, 1) if end >= place) for place in places
    }


@laws
@given(pieces, pieces, pieces, texts)
def test_what_is_taken_back_was_never_heard(
    kept: list[bytes], taken: list[bytes], instead: list[bytes], text: str
) -> None:
    assume(instead)
    performance = waiting_for(text)
    hear(performance, [*kept, *taken])
    felt(performance)
    for token, piece in enumerate(instead, len(kept) + 1):
        performance.hear(token, piece=piece)
    assert felt(performance) == heard([*kept, *instead], text)


def test_bytes_of_a_character_may_come_one_by_one() -> None:
    said = [bytes([byte]) for byte in "x … ja".encode()]
    assert heard(said, "… j") == {7}
    assert heard(said, "a") == {8}
