"""Moods with names: those that ship, those in a folder, and files that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llamood.errors import FileError, MoodError
from llamood.moods.mood import Mood
from llamood.moods.personality import Personality, named, personalities

EKMAN = {"anger", "disgust", "fear", "joy", "sadness", "surprise"}
SHY = {"about": "Looks away.", "system": "You are shy.", "mood": {"fear": 0.2, "$inertia": 9}}


def written(folder: Path, name: str, content: Any) -> Path:
    path = folder / f"{name}.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_eight_ship_of_what_extract_measures() -> None:
    shipped = personalities()
    assert len(shipped) == 8
    for name, each in shipped.items():
        mood = Mood(each.mood)
        assert set(mood.emotions) <= EKMAN
        assert not mood.is_neutral
        assert each.system
        assert each.about
        assert Mood.parse(name) == mood


def test_a_folder_adds_its_own_and_takes_the_place_of_those_that_ship(tmp_path: Path) -> None:
    written(tmp_path, "shy", SHY)
    written(tmp_path, "calm", {"joy": 0.1})
    known = personalities(tmp_path)
    assert set(known) == {*personalities(), "calm"}
    assert known["shy"] == Personality("shy", SHY["mood"], "You are shy.", "Looks away.")
    assert known["calm"] == Personality("calm", {"joy": 0.1})
    assert list(known) == sorted(known)


def test_a_file_is_a_mood_too(tmp_path: Path) -> None:
    path = written(tmp_path, "shy", SHY)
    assert Mood.parse(f"@{path}") == Mood(SHY["mood"])
    odd = written(tmp_path, "odd", {"mood": 0.5, "about": 1})  # an emotion may have any name
    assert set(Mood.parse(f"@{odd}").emotions) == {"mood", "about"}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ({**SHY, "sistem": "x"}, "'sistem'.*did you mean 'system'"),
        ({**SHY, "system": 3}, "'system': a text was expected, found 3"),
        ({**SHY, "about": None}, "'about': a text was expected, found null"),
        ('{"mood": {"joy": 1}, "system": "\\ud800"}', "'system': a text was expected"),
        ("[1]", "an object was expected"),
        ("{", "not JSON"),
        ('{"mood": {}, "mood": {}}', "given twice"),
        (" " * 70_000, "larger than 64 KiB"),
    ],
)
def test_files_that_are_none_are_refused(tmp_path: Path, content: Any, fault: str) -> None:
    path = written(tmp_path, "a", content)
    for read in (Personality.load, lambda path: personalities(tmp_path)):
        with pytest.raises(FileError, match=fault):
            read(path)


def test_a_name_that_would_be_a_mood_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "joy=0.5", SHY)
    with pytest.raises(FileError, match=r"'joy=0\.5' is no name of a personality"):
        personalities(tmp_path)
    assert Mood.parse(f"@{path}") == Mood(SHY["mood"])


def test_what_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(MoodError, match=r"as in joy=0.8, or a personality.*did you mean 'gloomy'"):
        Mood.parse("glomy")
    with pytest.raises(MoodError, match="of which there are none"):
        named("shy", {})
    with pytest.raises(FileError, match="a folder of JSON files was expected"):
        personalities(tmp_path / "nowhere")
