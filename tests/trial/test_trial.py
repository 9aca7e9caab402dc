"""A llama.cpp that llamood was not written for is tried, and taken or refused."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

import llamood
from c_library import cxx, run, tool
from llamood import _core, _versions
from llamood.trial import behaviour, faults_of_behaviour, faults_of_interface
from llamood.trial.interface import kind
from llamood.trial.reckoned_model import ReckonedModel

ANOTHER = 'extern "C" const char* ggml_version() { return "9.9.9"; }\n'
REAL = """
#include <dlfcn.h>
#include <cstdint>
#include <cstdlib>
#include <cstring>

// Its libraries are loaded by dlopen, so they are nobody's next ones.
static void* real(const char* library, const char* name) {
    return dlsym(dlopen(library, RTLD_NOW | RTLD_NOLOAD), name);
}
"""
# Adds a control vector one layer before the one that it is for.
SHIFTED = """
extern "C" int32_t llama_set_adapter_cvec(
        void* ctx, const float* data, size_t len, int32_t n_embd, int32_t first, int32_t last) {
    using Set = int32_t (*)(void*, const float*, size_t, int32_t, int32_t, int32_t);
    const auto set = reinterpret_cast<Set>(real("libllama.so.0", "llama_set_adapter_cvec"));
    if (data == nullptr) return set(ctx, data, len, n_embd, first, last);
    return set(ctx, data + n_embd, len - n_embd, n_embd, first, last - 1);
}
"""
# Calls the nodes of its graphs by other names.
RENAMED = """
extern "C" const char* ggml_get_name(const void* tensor) {
    using Get = const char* (*)(const void*);
    const char* name = reinterpret_cast<Get>(real("libggml-base.so.0", "ggml_get_name"))(tensor);
    return std::strncmp(name, "ffn_inp-", 8) == 0 ? "middle" : name;
}
"""
ENDED = 'extern "C" int32_t llama_decode(void*, ...) { std::abort(); }\n'


def test_the_llama_cpp_at_hand_is_as_reckoned() -> None:
    assert faults_of_interface() == []
    assert faults_of_behaviour() == []


def test_whatever_is_added_otherwise_would_be_seen() -> None:
    """What a fault would make of the logits is further off than what is let pass."""
    model = ReckonedModel.of(seed=1)
    evs = behaviour.vectors(first=0, site="layer_out")
    ways = {
        name: model.logits(0, added=added)
        for name, added in [
            *zip(evs.names, evs.data, strict=True),
            ("none", 0 * evs.data[0]),
            ("twice", 2 * evs.data[1]),
            ("all", evs.data.sum(axis=0)),
        ]
    }
    ways["attention"] = model.logits(0, added=evs.data[1], site="attn_out")
    for one, logits in ways.items():
        for other, others in ways.items():
            if one != other:
                off = np.abs(logits - others).max() / np.abs(others).max()
                assert off > 20 * behaviour.TOLERANCE, (one, other)


def test_every_function_that_is_called_is_held_against_its_declaration() -> None:
    symbols = run(tool("nm"), "-D", "--undefined-only", _core.__file__).split()
    called = {name for name in symbols if name.startswith("llama_")}
    assert called == set(_core.interface_functions())
    declared = llama_cpp.llama_cpp
    assert all(hasattr(declared, name) for name in _core.interface_structs())
    unknown = {name for name in called if not hasattr(getattr(declared, name, None), "argtypes")}
    assert len(unknown) < len(called) / 10, unknown


def test_functions_and_structs_that_changed_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = llama_cpp.llama_cpp
    decode = declared.llama_decode
    monkeypatch.setattr(decode, "argtypes", [*decode.argtypes, ctypes.c_int32])
    assert faults_of_interface() == [
        "llama_decode takes (p, s56, i4) and returns i4, expected (p, s56) and returns i4"
    ]
    monkeypatch.undo()

    class Longer(declared.llama_token_data):  # type: ignore[misc, name-defined]
        _fields_ = (("more", ctypes.c_float),)

    monkeypatch.setattr(declared, "llama_token_data", Longer)
    assert faults_of_interface() == ["llama_token_data has 16 bytes, expected 12"]

    class Moved(ctypes.Structure):
        _fields_ = (("logit", ctypes.c_float), ("id", ctypes.c_int32), ("p", ctypes.c_float))

    monkeypatch.setattr(declared, "llama_token_data", Moved)
    assert faults_of_interface() == [
        "llama_token_data.id lies at 4, expected 0",
        "llama_token_data.logit lies at 0, expected 4",
    ]


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (None, "v"),
        (ctypes.c_void_p, "p"),
        (ctypes.c_char_p, "p"),
        (ctypes.POINTER(ctypes.c_float), "p"),
        (ctypes.CFUNCTYPE(None), "p"),
        (ctypes.c_bool, "i1"),
        (ctypes.c_uint32, "i4"),
        (ctypes.c_size_t, f"i{ctypes.sizeof(ctypes.c_size_t)}"),
        (ctypes.c_float, "f4"),
        (llama_cpp.llama_token_data, "s12"),
    ],
)
def test_kinds(declared: object, expected: str) -> None:
    assert kind(declared) == expected


def imported(folder: Path, *shims: str) -> subprocess.CompletedProcess[str]:
    """What importing llamood says beside a llama.cpp that is another by these functions."""
    if not sys.platform.startswith("linux"):
        pytest.skip("functions of a library are replaced as Linux does it")
    source = folder / "shim.cpp"
    source.write_text(REAL + "".join(shims))
    library = folder / "shim.so"
    run(cxx(), "-shared", "-fPIC", "-o", library, source, "-ldl")
    known = {name: value for name, value in os.environ.items() if name != _versions.FITS}
    program = f"import os, llamood; print(os.environ[{_versions.FITS!r}], llamood.__version__)"
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**known, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_another_llama_cpp_that_does_what_is_needed_is_taken(tmp_path: Path) -> None:
    done = imported(tmp_path, ANOTHER)
    assert done.returncode == 0, done.stderr
    assert f"ggml 9.9.9 ({_core.ggml_running[1]})" in done.stdout
    assert done.stdout.endswith(f" {llamood.__version__}\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shim", "fault"),
    [
        (SHIFTED, "a vector in layer 1 at layer_out gives logits that are"),
        (RENAMED, "has no place for site attn_out in 4 of 4 layers"),
        (ENDED, "a trial of it ended with -6"),
    ],
    ids=["shifted", "renamed", "ended"],
)
def test_another_that_does_not_is_refused(tmp_path: Path, shim: str, fault: str) -> None:
    done = imported(tmp_path, ANOTHER, shim)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: llamood was compiled against llama-cpp-python 0.3.")
    assert "with ggml 9.9.9" in last
    assert fault in last
    assert _versions.REBUILD in last
    assert last.endswith(_versions.TAKE_THAT)
