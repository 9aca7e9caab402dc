"""llama.cpp says nothing unless asked, and what has no room says what has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import llamood
from llamood.errors import ModelError
from open_casts import random_vectors
from open_voices import SETTINGS
from other_models import write_other_model

PROGRAM = """
import sys, llamood
model, vectors, how = sys.argv[1:4]
more = {"verbose": True} if how == "verbose" else {}
for felt in ({}, {"emotions": vectors}):
    llm = llamood.Llama(model, n_ctx=128, n_threads=1, **felt, **more)
    llm.create_completion("Hello", max_tokens=4)
    llm.close()
with llamood.Cast(model, emotions=vectors, voices=2, n_ctx=128, n_threads=1, **more) as cast:
    list(cast.say({cast.join(): "Hello", cast.join(): "Hi"}, max_tokens=4))
"""


def heard(model: Path, folder: Path, how: str) -> str:
    """What a program says on both streams that opens both kinds of voices and lets them speak."""
    vectors = random_vectors(model)
    llamood.save(vectors, folder / "evs")
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(model), str(folder / "evs"), how],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return told.stdout + told.stderr


def test_nothing_is_said(random_chat: Path, tmp_path: Path) -> None:
    assert heard(random_chat, tmp_path, "quiet") == ""


def test_nothing_is_said_of_a_model_that_llama_cpp_warns_of(tmp_path: Path) -> None:
    model = write_other_model(tmp_path / "gemma3.gguf", "gemma3", window=32)
    assert "full-size SWA cache" not in heard(model, tmp_path, "quiet")


def test_who_asks_is_told(random_chat: Path, tmp_path: Path) -> None:
    assert heard(random_chat, tmp_path, "verbose").count("\n") > 100


def test_a_prompt_beyond_the_context_says_what_fits(random_chat: Path) -> None:
    llm = llamood.Llama(random_chat, **{**SETTINGS, "n_ctx": 64})
    words = r"the prompt has 9\d tokens.*64 fit.*larger n_ctx \(it was trained for 1024\)"
    for stream in (False, True):
        with pytest.raises(ModelError, match=words):
            list(llm.create_completion("a" * 90, stream=stream))
    evs = random_vectors(random_chat)
    with llamood.Cast(random_chat, emotions=evs, n_ctx=64, voices=1, n_threads=1) as cast:
        voice = cast.join()
        with pytest.raises(ModelError, match=r"together at most 64: shorten.*larger n_ctx"):
            cast.answer([65] * 90, among=[voice], max_tokens=4)
