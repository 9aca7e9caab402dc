"""A gate on speed that no busy machine can move: instructions, counted by callgrind, of what
llamood does at each token.

Counts are those of one compiler, and are kept in instructions.json; with another these are skipped.
``LLAMOOD_COUNT=1 pytest -m slow tests/core/test_instructions.py`` writes them anew.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import tiny_chat
from c_library import cxx, program, valgrind

pytestmark = pytest.mark.slow

KEPT = Path(__file__).with_name("instructions.json")
MOST = 1.05  # times what is kept
N_STEP = 20
GRAPH = "llamood::GraphWatch::callback*"
DRAWING = ["llamood::Drawer::begin*", "llamood::Drawer::go_on*"]
# What is run, and the functions of which instructions count with all that they call; a function
# inside of another one is left out of it.
COUNTED = {
    "blend": ("blend", ["llamood::Bank::blend*"]),
    "injector": ("injector", ["llamood::Injector::apply*", GRAPH]),
    "rows": ("stage", [GRAPH]),
    "stage": ("stage", ["llamood::Stage::step*", "llama_decode", *DRAWING]),
}


def compiler() -> str:
    said = subprocess.run([cxx(), "--version"], capture_output=True, text=True, check=True).stdout
    return said.split("\n", 1)[0]


def counted(what: str, folder: Path, *, n_step: int = N_STEP) -> int:
    """Instructions of so many steps."""
    run, functions = COUNTED[what]
    said = subprocess.run(
        [
            valgrind(),
            "--tool=callgrind",
            f"--callgrind-out-file={folder / 'counts'}",
            *(f"--toggle-collect={function}" for function in functions),
            program("count_steps"),
            run,
            tiny_chat.MODEL,
            str(n_step),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Collected : (\d+)", said.stderr)
    if said.returncode != 0 or found is None:
        pytest.fail(said.stderr, pytrace=False)
    return int(found[1])


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    if "LLAMOOD_COUNT" in os.environ:
        found = {"compiler": compiler(), "counts": {}}
    elif found["compiler"] != compiler():
        pytest.skip(f"counted with {found['compiler']}; here is {compiler()}")
    return found


@pytest.mark.parametrize("what", COUNTED)
def test_a_token_takes_no_more_instructions(
    what: str, tmp_path: Path, kept: dict[str, Any]
) -> None:
    n = counted(what, tmp_path)
    if "LLAMOOD_COUNT" in os.environ:
        kept["counts"][what] = n
        KEPT.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    assert n > 1000
    assert n <= MOST * kept["counts"][what]
    # Where it has become that much faster, this is to be kept too: count anew.
    assert n >= kept["counts"][what] / MOST


def test_a_loop_that_is_twice_as_long_is_noticed(tmp_path: Path, kept: dict[str, Any]) -> None:
    assert counted("blend", tmp_path, n_step=2 * N_STEP) > 1.9 * kept["counts"]["blend"]
