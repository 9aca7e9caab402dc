"""A voice that was saved goes on, in another cast, token by token as it would have."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from test_cast import THREADS, open_cast

import llamood
from llamood import demo
from llamood.errors import FileError, LlamoodError, MoodError
from llamood.moods.mood import Mood
from llamood.voices.answer_stream import AnswerStream
from llamood.voices.cast import Cast
from llamood.voices.character import Character
from llamood.voices.event import Event

BREAD, RAIN = "Tell me about bread.", "Tell me about the rain."
DRAWN: dict[str, Any] = {"temperature": 0.8, "seed": 11, "max_tokens": 40}
SLOW = {"joy": 1.0, "$inertia": 8}
RAMP = {"joy": {"ramp": [0, 0.7], "over": 30}, "anger": {"on": "the", "pulse": 0.5, "release": 9}}
GATED = {"joy": {"when": "joy > 0.2", "then": {"ramp": [0.2, 1], "over": 6}, "else": -0.3}}
USER = {"joy": {"when": "joy > -9", "of": "user", "then": {"ramp": [0.2, 1], "over": 9}}}
HELD = {"joy": {"hold": 1.0}}
WHOLE = {"fear": 0.7, "$positions": "all"}
TOO_MUCH = {"joy": {"constant": 4, "max": 9}, "$max": 9}


def told(stream: AnswerStream, *, most: int | None = None) -> list[Event]:
    events = []
    for event in stream:
        events.append(event)
        if len(events) == most:
            break
    return events


def same(event: Event) -> dict[str, Any]:
    """What two events of one token have in common, whoever says it."""
    return {
        name: getattr(event, name)
        for name in ("token", "text", "mood", "asked", "finish_reason", "likely", "forgotten")
    }


def spoken(events: list[Event]) -> list[Any]:
    return [(event.token, event.text, event.finish_reason) for event in events]


def at_rest(cast: Cast, mood: Any, **how: Any) -> Character:
    voice = cast.join("You are a baker.", mood=mood, **{**DRAWN, **how})
    told(cast.say({voice: BREAD}))
    return voice


@pytest.mark.parametrize("cache", [False, True])
@pytest.mark.parametrize("mood", [None, SLOW, RAMP, WHOLE])
def test_at_rest(tmp_path: Path, mood: Any, cache: bool) -> None:
    path = tmp_path / "mia.voice"
    with open_cast() as cast, open_cast() as other:
        voice = at_rest(cast, mood)
        voice.save(path, cache=cache)
        loaded = other.load(path)
        assert (loaded.mood, loaded.messages, loaded.sampling, dict(loaded.felt)) == (
            voice.mood,
            voice.messages,
            voice.sampling,
            dict(voice.felt),
        )
        assert loaded.n_cached == (voice.n_cached if cache else 0)
        before = cast.n_token, other.n_token
        expected, found = told(cast.say({voice: RAIN})), told(other.say({loaded: RAIN}))
        assert [same(event) for event in found] == [same(event) for event in expected]
        n = cast.n_token - before[0], other.n_token - before[1]
        assert n[0] == n[1] if cache else n[0] <= n[1]


CAPPED = {"joy": {"constant": 0.6, "cap": 1.0}, "anger": {"floor": 0.0}}
CASES: Mapping[str, Any] = {
    "capped": CAPPED,
    "neutral": None,
    "ramp": RAMP,
    "inertia": SLOW,
    "gated": GATED,
    "of the user": USER,
    "held": HELD,
    "everywhere": WHOLE,
}


@pytest.mark.parametrize("cache", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_in_the_middle_of_an_answer(tmp_path: Path, case: str, cache: bool) -> None:
    path = tmp_path / "mia.voice"
    with open_cast(readings=True) as cast, open_cast(readings=True) as other:
        voice = at_rest(cast, CASES[case], logprobs=2)
        stream = cast.say({voice: RAIN})
        events = stream.__iter__()
        for _ in range(12):
            next(events)
        voice.save(path, cache=cache)
        rest = list(events)
        loaded = other.load(path)
        assert loaded.is_speaking
        assert loaded.messages == voice.messages[:-1]
        found = told(other.listen(loaded))
        assert spoken(found) == spoken(rest)
        assert [same(event) for event in found] == [same(event) for event in rest]
        assert [event.reading for event in found] == [event.reading for event in rest]
        assert [event.face for event in found] == [event.face for event in rest]
        assert (loaded.messages, dict(loaded.felt)) == (voice.messages, dict(voice.felt))


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_before_the_first_token_is_drawn(tmp_path: Path, steps: int) -> None:
    """While prompts are decoded, and while one voice waits for the beginning that another has."""
    long = "You live in a village by the sea, and the village has a baker and a smith. " * 3
    with open_cast(n_ctx=256, n_batch=32) as cast, open_cast(n_ctx=256, n_batch=32) as other:
        first, second = (cast.join(long, mood=RAMP, **DRAWN) for _ in range(2))
        stream = cast.say({first: BREAD, second: RAIN})
        for _ in range(steps):
            cast.step()
        for voice in (first, second):
            voice.save(tmp_path / f"{voice.number}", cache=True)
        expected: dict[int, list[Any]] = {0: [], 1: []}
        for event in stream:
            expected[event.voice.number] += spoken([event])
        streams = [other.listen(other.load(tmp_path / f"{number}")) for number in range(2)]
        while other.step():
            pass
        for number, each in enumerate(streams):
            assert spoken(each.take()) == expected[number]


def test_what_chance_it_goes_by_where_any_will_do(tmp_path: Path) -> None:
    # A guard that goes back draws by another chance.
    with open_cast(guard=False) as cast, open_cast(guard=False) as other:
        voice = cast.join(mood=RAMP, **{**DRAWN, "seed": None, "temperature": 1.5})
        events = iter(cast.say({voice: BREAD}))
        for _ in range(9):
            next(events)
        voice.save(tmp_path / "mia", cache=True)
        loaded = other.load(tmp_path / "mia")
        assert spoken(told(other.listen(loaded))) == spoken(list(events))
        assert loaded.sampling.seed is None


def test_a_mood_of_before_and_a_pause_are_kept(tmp_path: Path) -> None:
    with open_cast() as cast, open_cast() as other:
        voice = cast.join(mood=SLOW, **DRAWN)
        events = iter(cast.say({voice: BREAD}))
        for _ in range(5):
            next(events)
        cast.feel(voice, anger={"ramp": [0, 1], "over": 9})
        for _ in range(5):
            next(events)
        cast.pause(voice, paused=True)
        next(events)
        voice.save(tmp_path / "paused", cache=True)
        cast.pause(voice, paused=False)
        loaded = other.load(tmp_path / "paused")
        other.pause(loaded, paused=False)
        rest = list(events)
        assert [same(event) for event in told(other.listen(loaded))] == [same(e) for e in rest]
        assert loaded.mood == Mood(anger={"ramp": [0, 1], "over": 9})


Change = Callable[[Cast, Character], object]
CHANGES: Mapping[str, Change] = {
    "feel": lambda cast, voice: cast.feel(voice, anger=0.8),
    "feel everywhere": lambda cast, voice: cast.feel(voice, {"anger": 0.8, "$positions": "all"}),
    "feel relative": lambda cast, voice: cast.feel(voice, {"anger": 0.05, "$dose": "relative"}),
    "feel layers": lambda cast, voice: cast.feel(voice, {"anger": 0.8, "$layers": [1, 2]}),
    "pause": lambda cast, voice: cast.pause(voice, paused=True),
    "pause and not": lambda cast, voice: (
        cast.pause(voice, paused=True),
        cast.pause(voice, paused=False),
    ),
    "nothing": lambda cast, voice: None,
}


@pytest.mark.parametrize("cache", [False, True])
@pytest.mark.parametrize("first", [None, SLOW, WHOLE])
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_felt_before_it_is_saved_and_right_after_it_is_loaded(
    tmp_path: Path, first: Any, change: str, cache: bool
) -> None:
    """What was decoded in one mood stays as it was in another: none of it is decoded as it would be
    now."""
    for before in (True, False):
        with open_cast() as cast, open_cast() as other:
            voice = cast.join(mood=first, logprobs=1, **DRAWN)
            events = iter(cast.say({voice: BREAD}))
            for _ in range(8):
                next(events)
            if before:
                CHANGES[change](cast, voice)
                for _ in range(4):
                    next(events)
            voice.save(tmp_path / "mia", cache=cache)
            loaded = other.load(tmp_path / "mia")
            is_mixed = change in ("feel relative", "feel layers")  # docs/saving.md
            if cache or not is_mixed:
                CHANGES[change](cast, voice)
                CHANGES[change](other, loaded)
            rest, found = list(events), told(other.listen(loaded))
            assert [same(event) for event in found] == [same(event) for event in rest]
            assert dict(loaded.felt) == dict(voice.felt)


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_loaded_and_saved_again(tmp_path: Path, steps: int) -> None:
    """Before it goes on, while what it had decoded is decoded anew, and after."""
    with open_cast(n_batch=32) as cast, open_cast(n_batch=32) as other:
        voice = at_rest(cast, None)
        events = iter(cast.say({voice: RAIN}))
        for _ in range(6):
            next(events)
        voice.save(tmp_path / "mia")
        rest = list(events)
        loaded = other.load(tmp_path / "mia")
        stream = other.listen(loaded)
        for _ in range(steps):
            other.step()
        heard = stream.take()
        loaded.save(tmp_path / "again")
        again = other.load(tmp_path / "again")
        other.leave(loaded)
        found = heard + told(other.listen(again))
        assert [same(event) for event in found] == [same(event) for event in rest]


def test_saved_by_a_function_in_the_middle_of_a_step(tmp_path: Path) -> None:
    path = tmp_path / "mia"
    with open_cast() as cast, open_cast() as other:

        def function(token: int) -> float:
            if token == 5:
                mia.save(path, cache=True)
            return 0.5

        saver = cast.join(mood={"joy": function}, **DRAWN)
        mia = cast.join(mood=SLOW, **DRAWN)
        events = [event for event in cast.say({saver: RAIN, mia: BREAD}) if event.voice is mia]
        loaded = other.load(path)
        found = told(other.listen(loaded))
        assert spoken(found) == spoken(events)[-len(found) :]
        assert 0 < len(found) < len(events)


def test_saved_without_a_guard_it_is_guarded_from_there_on(tmp_path: Path) -> None:
    with open_cast(guard=False) as cast, open_cast() as other:
        voice = cast.join(mood=SLOW, **DRAWN)
        events = iter(cast.say({voice: BREAD}))
        for _ in range(10):
            next(events)
        voice.save(tmp_path / "mia", cache=True)
        stream = other.listen(other.load(tmp_path / "mia"))
        other.step()
        assert len(stream.take()) == 1
        assert len(told(stream)) == len(list(events)) - 1


def test_what_a_grammar_has_taken_is_kept(tmp_path: Path) -> None:
    grammar = 'root ::= ("ab" | "ba"){6} " end"'
    with open_cast() as cast, open_cast() as other:
        voice = cast.join(**{**DRAWN, "grammar": grammar})
        events = iter(cast.say({voice: BREAD}))
        said = [next(events) for _ in range(4)]
        voice.save(tmp_path / "mia")
        rest = list(events)
        found = told(other.listen(other.load(tmp_path / "mia")))
        assert spoken(found) == spoken(rest)
        assert "".join(event.text for event in said + rest).endswith(" end")


@pytest.mark.filterwarnings("ignore::llamood.errors.MoodWarning")
def test_an_answer_that_collapses_collapses_as_it_would_have(tmp_path: Path) -> None:
    """Saved at each token that is told, and while some are held back."""
    collapsed = 0
    with open_cast() as cast, open_cast() as other:
        voice = cast.join(mood=TOO_MUCH, **{**DRAWN, "max_tokens": 60})
        expected: list[Event] = []
        saved: list[tuple[Path, int]] = []
        stream = cast.say({voice: BREAD})
        for step in range(200):
            path = tmp_path / str(step)
            voice.save(path, cache=step % 2 == 0)
            saved.append((path, len(expected)))
            going_on = cast.step()
            expected += stream.take()
            if not going_on:
                break
        collapsed = sum(event.guard is not None for event in expected)
        for path, n in saved[1::7]:
            loaded = other.load(path)
            found = told(other.listen(loaded))
            assert spoken(found) == spoken(expected[n:])
            assert [event.guard for event in found] == [event.guard for event in expected[n:]]
            other.leave(loaded)
    assert collapsed > 0


def test_of_other_sizes_it_goes_on_without_its_cache(tmp_path: Path) -> None:
    """Keys and values of another type are of no use, nor are any where positions are to be read."""
    with open_cast() as cast:
        voice = at_rest(cast, RAMP)
        voice.save(tmp_path / "mia", cache=True)
        n_cached = voice.n_cached
        expected = spoken(told(cast.say({voice: RAIN})))
    cases: list[tuple[dict[str, Any], int]] = [
        ({"type_k": 0}, 0),
        ({"readings": True}, 0),
        ({"n_ctx": 256}, n_cached),
    ]
    for how, n in cases:
        with open_cast(**how) as other:
            loaded = other.load(tmp_path / "mia")
            assert loaded.n_cached == n
            said = spoken(told(other.say({loaded: RAIN})))
            assert said == expected or "type_k" in how


def test_saved_again_before_it_has_spoken_it_is_the_same(tmp_path: Path) -> None:
    with open_cast() as cast, open_cast() as other:
        voice = at_rest(cast, None)
        voice.save(tmp_path / "mia")
        other.load(tmp_path / "mia").save(tmp_path / "again")
        assert (tmp_path / "again").read_bytes() == (tmp_path / "mia").read_bytes()


def test_faces_and_where_they_stand_are_kept(tmp_path: Path) -> None:
    with open_cast(readings=True) as cast, open_cast(readings=True) as other:
        faces = {"smile": "joy", "idle": None}
        voice = cast.join(mood={"joy": 1.0}, faces=faces, **DRAWN)
        told(cast.say({voice: BREAD}))
        assert voice.face == "smile"
        voice.save(tmp_path / "mia")
        loaded = other.load(tmp_path / "mia")
        assert (loaded.face, loaded.reading) == ("smile", voice.reading)


# -- what is refused -----------------------------------------------------------------------------


def saved_file(folder: Path, **how: Any) -> Path:
    with open_cast(readings=True) as cast:
        voice = cast.join("You are a baker.", mood=RAMP, faces={"smile": "joy"}, **DRAWN)
        events = iter(cast.say({voice: BREAD}))
        for _ in range(5):
            next(events)
        voice.save(folder / "mia", **how)
    return folder / "mia"


def rewritten(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    line, _, tail = path.read_bytes().partition(b"\n")
    head = json.loads(line)
    change(head)
    other = path.with_name("other")
    other.write_bytes(json.dumps(head).encode() + b"\n" + tail)
    return other


def test_another_model_is_refused(tmp_path: Path) -> None:
    path = saved_file(tmp_path)
    other = rewritten(path, lambda head: head["model"].update(fingerprint="0" * 32))
    with open_cast() as cast:
        with pytest.raises(FileError, match=r"other: it was saved of another model, .*tiny_chat"):
            cast.load(other)
        assert not cast.voices


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda head: head.update(version=2), "version 2 of saved voices, .* by a later llamood"),
        (lambda head: head.update(version=0), "version 0 of saved voices, known is version 1$"),
        (lambda head: head.update(version="1"), "version: a whole number was expected"),
        (lambda head: head.update(llamood="mood"), "a saved voice was expected, found a 'mood'"),
        (lambda head: head.pop("messages"), "messages is missing"),
        (lambda head: head["messages"][0].update(role=3), r"messages\[0\].role: a text was"),
        (lambda head: head["messages"].pop(0), "first should be the system prompt"),
        (lambda head: head.update(moods=[]), "moods: one at least was expected"),
        (lambda head: head["moods"][0].update(joy={"ramp": 1}), "ramp"),
        (lambda head: head["sampling"].update(top_k=2**40), "top_k: 1099511627776 is out of range"),
        (lambda head: head["answer"]["tokens"].append(5), "parts for other numbers of tokens"),
        (lambda head: head["answer"].update(n_prompt=0), "other numbers of tokens"),
        (lambda head: head["answer"]["tokens"].__setitem__(3, -5), "tokens of no model"),
        (
            lambda head: head["answer"].update(keys=[], tokens=[3, 2**30], n_prompt=2),
            "tokens of no model",
        ),
        (lambda head: head["answer"].update(n_draw=2**31 - 1), "n_draw is no such number"),
        (lambda head: head["answer"].update(forgotten=-1), "forgotten is no such number"),
        (lambda head: head["face"].update(n_coming=2**31 - 1), "n_coming is no such number"),
        (lambda head: head["answer"]["performance"].update(begin=-1), "not that of such a mood"),
        (lambda head: head["answer"]["performance"]["before"].__setitem__(0, None), "such a mood"),
        (
            lambda head: head["answer"]["performance"]["rows"][-1]["applied"].__setitem__(0, None),
            "not that of such a mood",
        ),
        (
            lambda head: head["answer"]["performance"].update(
                softened=[{"first": 0, "factor": None}]
            ),
            "not that of such a mood",
        ),
        (lambda head: head["answer"]["performance"]["row_of"].__setitem__(0, 99), "a row that is"),
        (lambda head: head["answer"]["performance"]["rows"][0].update(mood=7), "a mood that is"),
        (lambda head: head["answer"]["monitor"].update(n_sound=999), "than were heard"),
        (lambda head: head["answer"].update(emotions=["mirth"]), "the emotions mirth, and here"),
        (lambda head: head["answer"].update(emotions=["joy"]), "weights of other emotions"),
        (lambda head: head["cache"].update(positions=2**50), "more positions than there are bytes"),
        (lambda head: head["cache"].update(bytes=7), "cut off: 7 bytes of cache were expected"),
        (lambda head: head["answer"].update(n_skip=2**31 - 1), "other numbers of tokens"),
        (lambda head: head["answer"].update(seconds=-1e300), "it began at no time"),
        (lambda head: head["answer"].update(messages=[]), "its answer is to nothing"),
        (lambda head: head["answer"]["tokens"].__setitem__(-1, 2), "it goes on after its end"),
        (lambda head: head["answer"]["monitor"]["heard"].append({"token": 5}), "another answer"),
        (
            lambda head: head["answer"]["monitor"]["heard"][0].update(token=2**30),
            "tokens of no model",
        ),
        (lambda head: head["moods"].insert(0, {}), "not that of such a mood"),
        (lambda head: head["felt"].update(joy=None), "felt: a number is not finite"),
        (lambda head: head["sampling"].update(temperature=None), "a number is not finite"),
        (lambda head: head["sampling"].update(logprobs=2**33), "logprobs: .* out of range"),
        (lambda head: head["answer"]["sampling"].update(grammar="(" * 200_000), "the grammar"),
    ],
)
def test_what_is_no_saved_voice_is_refused(tmp_path: Path, change: Any, fault: str) -> None:
    other = rewritten(saved_file(tmp_path, cache=True), change)
    with open_cast(readings=True) as cast:
        with pytest.raises(FileError, match=fault):
            cast.load(other)
        assert not cast.voices
        told(cast.say({cast.join(**DRAWN): BREAD}))


def test_a_file_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    path = saved_file(tmp_path, cache=True)
    content = path.read_bytes()
    damaged = tmp_path / "damaged"
    with open_cast(readings=True) as cast:
        for n in (0, 1, 50, content.index(b"\n"), content.index(b"\n") + 1, len(content) - 1):
            damaged.write_bytes(content[:n])
            with pytest.raises(FileError, match="damaged"):
                cast.load(damaged)
        damaged.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        with pytest.raises(FileError, match="not as it was written"):
            cast.load(damaged)
        damaged.write_bytes(b"[" * 100_000 + b"\n")
        with pytest.raises(FileError, match="no JSON"):
            cast.load(damaged)
        with pytest.raises(FileError, match="cannot be read"):
            cast.load(tmp_path / "missing")
        assert not cast.voices


def with_tail(path: Path, change: Callable[[bytearray, dict[str, Any]], None]) -> Path:
    """The file with other bytes of cache, of which it says that they are right."""
    line, _, tail = path.read_bytes().partition(b"\n")
    head, changed = json.loads(line), bytearray(tail)
    change(changed, head["cache"])
    digest = hashlib.blake2b(changed, digest_size=16).hexdigest()
    head["cache"].update(blake2b=digest, bytes=len(changed))
    other = path.with_name("other")
    other.write_bytes(json.dumps(head).encode() + b"\n" + changed)
    return other


def test_a_cache_of_positions_that_are_none_is_not_used(tmp_path: Path) -> None:
    path = saved_file(tmp_path, cache=True)
    found = []
    for position in (b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\0\1\0\0"):

        def change(tail: bytearray, cache: dict[str, Any], position: bytes = position) -> None:
            at = cache["positions"] * 12 + cache["begins"] * 4
            at += cache["read"] * 4 + cache["moved"] * 8 + 16
            tail[at : at + 4] = position

        with open_cast(readings=True) as cast:
            loaded = cast.load(with_tail(path, change))
            assert loaded.n_cached == 0
            found.append(spoken(told(cast.listen(loaded))))
    assert found[0] == found[1] == found[2]


def test_batches_that_are_none_are_refused(tmp_path: Path) -> None:
    def change(tail: bytearray, cache: dict[str, Any]) -> None:
        at = cache["positions"] * 12
        tail[at : at + 4] = b"\xff\xff\xff\xff"

    other = with_tail(saved_file(tmp_path), change)
    with open_cast(readings=True) as cast, pytest.raises(FileError, match="its batches are none"):
        cast.load(other)


def test_where_it_has_no_room_for_its_answer(tmp_path: Path) -> None:
    path = saved_file(tmp_path)
    with open_cast(readings=True, n_ctx=32) as cast:
        with pytest.raises(FileError, match="a voice here can remember 32; raise n_ctx"):
            cast.load(path)
        assert not cast.voices


def leaves(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of everything in a tree."""
    if not isinstance(value, dict | list):
        return [place]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return [place, *(each for key, part in inner for each in leaves(part, (*place, key)))]


def test_whatever_is_changed_in_it_is_refused_or_taken(tmp_path: Path) -> None:
    """Every value, one after the other, by what it should not be: an error or a voice that can
    speak, and nothing else."""
    path = saved_file(tmp_path)
    head = json.loads(path.read_bytes().partition(b"\n")[0])
    places = [place for place in leaves(head) if place]
    refused = 0
    with open_cast(readings=True) as cast:
        for i, place in enumerate(places[:: max(1, len(places) // 300)]):
            odd = [None, -1, 2**62, "é", [], {}, 1e300, True][i % 8]

            def change(head: Any, place: Any = place, odd: Any = odd) -> None:
                for key in place[:-1]:
                    head = head[key]
                head[place[-1]] = odd

            other = rewritten(path, change)
            try:
                voice = cast.load(other)
            except LlamoodError:
                refused += 1
            else:
                for _ in range(3):
                    cast.step()
                cast.leave(voice)
            assert not cast.voices
    assert refused > 100


def test_a_function_has_no_written_form(tmp_path: Path) -> None:
    with open_cast() as cast:
        voice = cast.join(mood={"joy": lambda token: 0.5})
        (tmp_path / "mia").write_text("old")
        with pytest.raises(MoodError, match=r"joy.*a Python function has no written form"):
            voice.save(tmp_path / "mia")
        assert (tmp_path / "mia").read_text() == "old"
        assert len(list(tmp_path.iterdir())) == 1


def test_who_has_left_cannot_be_saved(tmp_path: Path) -> None:
    with open_cast() as cast:
        voice = cast.join()
        cast.leave(voice)
        with pytest.raises(LlamoodError, match="is not there"):
            voice.save(tmp_path / "mia")
        with pytest.raises(LlamoodError, match="not saved in the middle of an answer"):
            cast.listen(cast.join())


def test_there_is_room_for_no_more_than_there_are(tmp_path: Path) -> None:
    with open_cast(voices=1) as cast:
        at_rest(cast, None).save(tmp_path / "mia")
        with pytest.raises(LlamoodError, match="all 1 voices are taken"):
            cast.load(tmp_path / "mia")


@pytest.mark.slow
@pytest.mark.parametrize("cache", [False, True])
def test_a_real_model(tmp_path: Path, cache: bool) -> None:
    mood = {"joy": {"ramp": [0, 1.0], "over": 24}, "$inertia": 6}
    how: dict[str, Any] = {"emotions": demo.VECTORS, "voices": 2, "readings": True, **THREADS}
    with llamood.Cast(demo.MODEL, **how) as cast, llamood.Cast(demo.MODEL, **how) as other:
        voice = cast.join("You are a baker.", mood=mood, **DRAWN)
        told(cast.say({voice: "How was your day?"}))
        events = iter(cast.say({voice: "And what comes tomorrow?"}))
        for _ in range(10):
            next(events)
        voice.save(tmp_path / "mia", cache=cache)
        rest = list(events)
        loaded = other.load(tmp_path / "mia")
        found = told(other.listen(loaded))
        assert [same(event) for event in found] == [same(event) for event in rest]
