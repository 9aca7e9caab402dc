"""What llamood does with models of ten families, each deed against llama.cpp's own."""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

from families.family import Family
from families.table import BY_NAME, WITH_GAPS
from families.trial import (
    DEEDS,
    JOY,
    N_TOKEN,
    PROMPT,
    SETTINGS,
    logits,
    opened,
    set_vector,
    spoken,
    tried,
    vectors_for,
)
from llamood import _core
from llamood.errors import ModelError
from llamood.voices.opened_llama import OpenedLlama
from llamood.voices.reach import ranges

RECURRENT = "memory is recurrent"
NO_PLACE = "no known place between attention and MLP"
# What does not work, and what is said of it.
NO_ROWS = "rows cannot be told apart"
OF_STATES = {
    "attn_out": NO_PLACE,
    "cast": RECURRENT,
    "saved voices": RECURRENT,
    "extract": NO_ROWS,
}
REFUSED: dict[str, dict[str, str]] = {
    "phi3": {"attn_out": NO_PLACE},
    "mamba": OF_STATES,
    "lfm2": OF_STATES,
    "plamo2": {
        **OF_STATES,
        **dict.fromkeys(("steer", "read", "caps"), "'plamo2' graph ignores control vectors"),
    },
}


@pytest.fixture(scope="module", params=BY_NAME)
def family(request: pytest.FixtureRequest) -> Family:
    return BY_NAME[request.param]


@pytest.fixture(scope="module")
def model(family: Family, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return family.write(tmp_path_factory.mktemp(family.arch) / f"{family.arch}.gguf")


@pytest.mark.parametrize("deed", DEEDS)
def test_it_works_or_is_refused_by_name(family: Family, model: Path, deed: str) -> None:
    refusal = REFUSED.get(family.arch, {}).get(deed)
    found = tried(model, deed)
    assert found.works == (refusal is None), found
    if refusal is not None:
        assert refusal in found.said


def reach(model: Path, arch: str) -> _core.Reach:
    with closing(OpenedLlama(str(model), **SETTINGS)) as llm:
        return _core.reach_of(llm._model_address(), arch=arch)


def test_what_the_self_test_says_is_what_llama_cpp_does(family: Family, model: Path) -> None:
    """Layer by layer, by llama.cpp's own setter."""
    data = vectors_for(model).data[1].astype(np.float32)
    moves = [False]  # layer 0 is none of the setter's
    for layer in range(1, len(data)):
        one = np.zeros_like(data)
        one[layer] = data[layer]
        seen = []
        for added in (np.zeros_like(data), one):
            llm = llama_cpp.Llama(str(model), **SETTINGS)
            with closing(llm):
                set_vector(llm, added)
                seen.append(spoken(llm, n_token=1)[1])
        moves.append(not np.array_equal(*seen))
    assert reach(model, family.arch).vector == moves


def test_the_site_that_the_self_test_finds_is_there(family: Family, model: Path) -> None:
    found = reach(model, family.arch)
    n = family.n_layer
    assert found.attn_out == [("attn_out" not in REFUSED.get(family.arch, {}))] * n
    assert found.layer_out == [family.arch != "plamo2"] * n


@pytest.mark.parametrize("positions", ["generated", "all"])
@pytest.mark.parametrize("arch", ["mamba", "lfm2"])
def test_a_state_that_cannot_go_back_is_made_anew(
    tmp_path: Path, arch: str, positions: str
) -> None:
    """What a voice that said something else before says is what a fresh one says."""
    path = BY_NAME[arch].write(tmp_path / f"{arch}.gguf")
    mood = {**JOY, "$positions": positions}
    with closing(opened(path)) as fresh, closing(opened(path)) as used:
        prompt = fresh.tokenize(PROMPT.encode())
        other = [*prompt[:5], *prompt]
        for llm in (fresh, used):
            llm.feel(mood)
        list(islice(used.generate(other, temp=0.0), N_TOKEN))
        for _ in range(2):  # said again
            assert np.array_equal(spoken(used)[1], spoken(fresh)[1])
            fresh.reset()
        used._rewind([*prompt, 65, 66], used._performance)
        fresh.eval(prompt)
        fresh.eval([65])
        used.eval([66])
        fresh.eval([66])
        assert np.allclose(logits(used), logits(fresh), atol=1e-4)


@pytest.fixture(scope="module")
def with_gaps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return WITH_GAPS.write(tmp_path_factory.mktemp("deci") / "deci.gguf")


def test_a_model_with_gaps_is_steered_in_its_other_layers(with_gaps: Path) -> None:
    found = reach(with_gaps, "deci")
    assert found.vector == [False, False, True, True]
    assert found.layer_out == [True, False, True, True]
    assert found.attn_out == [True, False, False, True]
    assert tried(with_gaps, "steer").works
    assert tried(with_gaps, "cast").works
    with pytest.warns(UserWarning, match="in 1 of 3 layers.* nothing there: layers 1$"):
        llm = opened(with_gaps)
    with closing(llm):
        llm.feel({**JOY, "$layers": [1, 1]})
        with pytest.raises(ModelError, match="nothing in any of the layers of this mood"):
            spoken(llm)
    with pytest.warns(UserWarning, match="no place for site attn_out in 2 of 4.* layers 1 to 2$"):
        llm = opened(with_gaps, site="attn_out")
    with closing(llm):
        neutral = spoken(llm)[1]
        llm.feel(JOY)
        assert not np.array_equal(spoken(llm)[1], neutral)


def test_layers_in_words() -> None:
    assert ranges([]) == "none"
    assert ranges([1, 2, 3, 5, 7, 8]) == "1 to 3, 5, 7 to 8"
