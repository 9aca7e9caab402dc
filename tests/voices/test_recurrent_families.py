"""What is said of recurrent and hybrid models, on one of each more kind that llama.cpp has."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from families.family import Family
from families.recurrent import RECURRENT
from families.trial import JOY, PROMPT, SETTINGS, logits, opened, tried
from llamood import _core
from llamood.voices.opened_llama import OpenedLlama

WITH_ATTN_OUT = ("falcon-h1", "granitehybrid")
BY_NAME = {family.arch: family for family in RECURRENT}


@pytest.fixture(scope="module", params=BY_NAME)
def family(request: pytest.FixtureRequest) -> Family:
    return BY_NAME[request.param]


@pytest.fixture(scope="module")
def model(family: Family, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return family.write(tmp_path_factory.mktemp(family.arch) / f"{family.arch}.gguf")


def test_vectors_take_hold_in_all_layers(family: Family, model: Path) -> None:
    with closing(OpenedLlama(str(model), **SETTINGS)) as llm:
        found = _core.reach_of(llm._model_address(), arch=family.arch)
        assert llm._is_recurrent or llm._is_hybrid
    n = family.n_layer
    assert found.vector == [False, *[True] * (n - 1)]
    assert found.layer_out == [True] * n
    assert found.attn_out == [family.arch in WITH_ATTN_OUT] * n


@pytest.mark.parametrize("deed", ["steer", "read", "caps"])
def test_one_voice_is_moved_as_any_other(model: Path, deed: str) -> None:
    assert tried(model, deed).works


def test_the_site_beside_attention(family: Family, model: Path) -> None:
    found = tried(model, "attn_out")
    assert found.works == (family.arch in WITH_ATTN_OUT)
    assert found.works or "no known place between attention and MLP" in found.said


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("cast", "memory is recurrent"),
        ("saved voices", "memory is recurrent"),
        ("extract", "rows cannot be told apart"),
    ],
)
def test_what_needs_many_sequences_is_refused(model: Path, deed: str, said: str) -> None:
    found = tried(model, deed)
    assert not found.works
    assert said in found.said


@pytest.mark.parametrize("site", ["layer_out", "attn_out"])
def test_a_generated_position_is_moved_without_the_prompt(
    family: Family, model: Path, site: str
) -> None:
    """The prompt and the answer's first token are decoded without a mood, the second with it:
    its own logits move, and so do those of a later one that is decoded without a mood again."""
    if site == "attn_out" and family.arch not in WITH_ATTN_OUT:
        pytest.skip("has no such site")
    seen = []
    for mood in ({}, JOY):
        with closing(opened(model, site=site)) as llm:
            llm.eval([*llm.tokenize(PROMPT.encode()), 65])
            llm.feel(mood)
            llm.eval([66])
            its_own = logits(llm)
            llm.feel({})
            llm.eval([67])
            seen.append((its_own, logits(llm)))
    for without, moved in zip(*seen, strict=True):
        assert not np.allclose(without, moved, atol=1e-3)
