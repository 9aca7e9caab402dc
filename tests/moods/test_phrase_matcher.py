"""What is heard of an answer: texts, wherever the tokens are cut, and taken back again."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from llamood.moods.phrase_matcher import PhraseMatcher

pieces = st.lists(st.text("abé", max_size=4).map(str.encode), max_size=12)
texts = st.sets(st.text("abé", min_size=1, max_size=5), max_size=3)
laws = settings(deadline=None)


def heard(said: list[bytes], wanted: set[str]) -> dict[str, tuple[int, ...]]:
    matcher = PhraseMatcher()
    for piece in said:
        matcher.hear(piece, wanted)
    assert matcher.n_heard == len(said)
    return dict(matcher.heard().events)


@laws
@given(pieces, texts)
def test_a_text_is_heard_at_the_token_that_ends_it(said: list[bytes], wanted: set[str]) -> None:
    found = heard(said, wanted)
    ends = [len(b"".join(said[: n + 1])) for n in range(len(said))]
    whole = b"".join(said)
    for text in wanted:
        bits = text.encode()
        places = [at + len(bits) for at in range(len(whole)) if whole.startswith(bits, at)]
        expected = {next(n for n, end in enumerate(ends, 1) if end >= place) for place in places}
        assert found.get(text, ()) == tuple(sorted(expected))


@laws
@given(pieces, pieces, pieces, texts)
def test_what_is_taken_back_was_never_heard(
    kept: list[bytes], taken: list[bytes], instead: list[bytes], wanted: set[str]
) -> None:
    matcher = PhraseMatcher()
    for piece in (*kept, *taken):
        matcher.hear(piece, wanted)
    matcher.forget(len(kept))
    for piece in instead:
        matcher.hear(piece, wanted)
    found = {text: events for text, events in matcher.heard().events.items() if events}
    assert found == heard([*kept, *instead], wanted)


def test_bytes_of_a_character_may_come_one_by_one() -> None:
    said = [bytes([byte]) for byte in "x … ja".encode()]
    assert heard(said, {"… j", "a"}) == {"… j": (7,), "a": (8,)}
