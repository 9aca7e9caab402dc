"""A llama.cpp at hand that is another than that of the build is tried when llamood is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import llama_cpp
import pytest

from llamood import _core, _versions

COMMAND = "pip install --force-reinstall --no-deps --no-build-isolation ."


def test_this_installation_fits() -> None:
    _versions.check()
    assert _core.ggml_running[0]


@pytest.mark.parametrize(
    ("built", "running", "differ"),
    [
        (("0.9.4", "0c1e570"), ("0.9.4", "0c1e570"), False),
        (("0.9.4", "0c1e570-dirty"), ("0.9.4", "0c1e570"), False),
        (("0.9.4-dirty", "0c1e570"), ("0.9.4", "0c1e570-dirty"), False),
        (("0.9.4", "0c1e570"), ("0.9.4", "unknown"), False),
        (("0.9.4", "unknown"), ("0.9.4", "0c1e570-dirty"), False),
        (("0.9.4", "0c1e570"), ("0.9.4", "0c1e571"), True),
        (("0.9.4", "0c1e570"), ("0.9.5", "0c1e570"), True),
        (("0.9.4", "unknown"), ("0.9.5", "unknown"), True),
    ],
)
def test_what_counts_as_another_version(
    built: _versions.Version, running: _versions.Version, differ: bool
) -> None:
    assert _versions.differ(built, running) is differ
    assert _versions.differ(running, built) is differ


def unlike_the_build(monkeypatch: pytest.MonkeyPatch, fault: str, **core: Any) -> list[str]:
    """As if ``_core`` said this of itself, and a trial ended with this fault. What was tried."""
    said = {
        "ggml_built": ("0.9.4", "0c1e570"),
        "ggml_running": ("0.9.4", "0c1e570"),
        "llama_cpp_python_built": llama_cpp.__version__,
    }
    monkeypatch.setitem(sys.modules, "llamood._core", SimpleNamespace(**{**said, **core}))
    monkeypatch.delenv(_versions.FITS, raising=False)
    tried: list[str] = []
    monkeypatch.setattr(_versions, "tried", lambda pair: tried.append(pair) or fault)
    return tried


def test_another_llama_cpp_that_does_not_fit_is_refused_with_both_sides_and_the_ways_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unlike_the_build(
        monkeypatch,
        "layer 2 is off",
        ggml_built=("0.8.0", "aaaaaaa"),
        llama_cpp_python_built="0.3.1",
    )
    with pytest.raises(ImportError) as refused:
        _versions.check()
    message = str(refused.value)
    assert "llama-cpp-python 0.3.1 with ggml 0.8.0 (aaaaaaa)" in message
    assert f"llama-cpp-python {llama_cpp.__version__} with ggml 0.9.4 (0c1e570)" in message
    assert "layer 2 is off" in message
    assert COMMAND in message
    assert f"pip install llama-cpp-python=={_versions.WRITTEN_FOR}" in message


def test_one_that_fits_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = unlike_the_build(monkeypatch, "", llama_cpp_python_built="0.3.1")
    _versions.check()
    _versions.check()
    assert len(tried) == 1
    assert os.environ.pop(_versions.FITS) == tried[0]


def test_a_build_against_one_that_it_was_not_written_for_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is gained by building it anew."""
    tried = unlike_the_build(monkeypatch, "layer 2 is off", llama_cpp_python_built="0.9.0")
    monkeypatch.setattr(llama_cpp, "__version__", "0.9.0")
    with pytest.raises(ImportError, match="layer 2 is off") as refused:
        _versions.check()
    assert len(tried) == 1
    assert COMMAND not in str(refused.value)


def test_where_python_is_no_program_nothing_can_be_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert "no Python by itself" in _versions.tried("one and another")


# The compiled module cannot load where a library that it links to is gone or another one.
BROKEN = """
import sys

class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "llamood._core":
            raise ImportError("libllama.so: cannot open shared object file")

sys.meta_path.insert(0, Broken())
import llamood
"""


def test_a_compiled_module_that_does_not_load_says_how_to_rebuild() -> None:
    ran = subprocess.run([sys.executable, "-c", BROKEN], capture_output=True, text=True)
    last = ran.stderr.strip().splitlines()[-1]
    assert ran.returncode == 1
    assert last.startswith("ImportError: llamood's compiled module does not load: libllama.so")
    assert COMMAND in last
