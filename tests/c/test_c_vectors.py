"""Files of strangers, as the C library reads them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from c_library import Refused, library
from hostile_files import (
    ARCHITECTURE,
    ARRAY,
    BROKEN,
    FLOAT64,
    STRING,
    UINT32,
    Direction,
    Gguf,
    array,
    key,
)
from llamood import save
from open_voices import random_vectors

N_LAYER, WIDTH = 4, 64  # of the model


def refusal(model: Path, path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(Refused) as refused:
        library().ceilings(model, path)
    return str(refused.value)


@pytest.mark.parametrize("rule", BROKEN)
def test_broken_files_are_refused(random_chat: Path, tmp_path: Path, rule: str) -> None:
    """No count in them is believed."""
    assert "joy.gguf: " in refusal(random_chat, tmp_path / "joy.gguf", BROKEN[rule][0])


def directions(*layers: int, count: int | None = None, name: str | None = None) -> bytes:
    """Of the model's width."""
    keys = [ARCHITECTURE]
    if count is not None:
        keys.append(key("controlvector.layer_count", UINT32, count))
    if name is not None:
        keys.append(key("llamood.emotion", STRING, name))
    tensors = [Direction(f"direction.{n}", (0.5,) * WIDTH) for n in layers]
    return Gguf(keys=keys, tensors=tensors).bytes()


@pytest.mark.parametrize("name", ["valence", "arousal", "dominance", "$layers", "", "joy\x1b[2J"])
def test_names_that_mean_something_else_are_refused(
    random_chat: Path, tmp_path: Path, name: str
) -> None:
    said = refusal(random_chat, tmp_path / "joy.gguf", directions(1, 2, 3, name=name))
    assert "emotion" in said
    assert said.isprintable()


def test_layers_are_numbered_from_zero_where_the_file_shows_it(
    random_chat: Path, tmp_path: Path
) -> None:
    path = tmp_path / "joy.gguf"
    path.write_bytes(directions(0, 1, 2, 3, count=N_LAYER))
    assert len(library().ceilings(random_chat, path)) == 1
    assert "direction.0" in refusal(random_chat, path, directions(0, 1, 2, 3))
    assert "--index-base 1" in refusal(random_chat, path, directions(1, 2, 3, 4, count=N_LAYER))


@pytest.mark.parametrize("numbers", [[0.1, 0.2], [0.1, 0.2, 1.1], [0.1, math.nan, 0.2], []])
def test_a_place_in_affect_is_three_numbers(
    random_chat: Path, tmp_path: Path, numbers: list[float]
) -> None:
    path = tmp_path / "joy.gguf"

    def file(affect: list[float]) -> bytes:
        keys = [ARCHITECTURE, key("llamood.affect", ARRAY, array(FLOAT64, affect))]
        tensors = [Direction(f"direction.{n}", (0.5,) * WIDTH) for n in (1, 2, 3)]
        return Gguf(keys=keys, tensors=tensors).bytes()

    assert "llamood.affect is not" in refusal(random_chat, path, file(numbers))
    path.write_bytes(file([0.1, -1.0, 0.2]))
    assert len(library().ceilings(random_chat, path)) == 1


def test_own_files_are_read(random_chat: Path, tmp_path: Path) -> None:
    save(random_vectors(random_chat), tmp_path)
    assert library().ceilings(random_chat, tmp_path) == [50.0, 50.0]
