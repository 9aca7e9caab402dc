"""A compiled module that does not fit the llama.cpp at hand is refused when llamood is imported."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

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


def test_another_llama_cpp_is_refused_with_both_sides_and_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    core = SimpleNamespace(
        ggml_built=("0.8.0", "aaaaaaa"),
        ggml_running=("0.9.4", "0c1e570"),
        llama_cpp_python_built="0.3.1",
    )
    monkeypatch.setitem(sys.modules, "llamood._core", core)
    with pytest.raises(ImportError) as refused:
        _versions.check()
    message = str(refused.value)
    assert "ggml 0.8.0 (aaaaaaa) of llama-cpp-python 0.3.1" in message
    assert f"llama-cpp-python {llama_cpp.__version__} brings ggml 0.9.4 (0c1e570)" in message
    assert COMMAND in message


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
