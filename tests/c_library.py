"""The C library, compiled once and kept between runs: loaded, linked to, and its own tests.

Where a tool is missing that compiles it, what needs it is skipped.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import c_char_p, c_double, c_int, c_size_t, c_void_p
from functools import cache
from pathlib import Path

import llama_cpp
import numpy as np
import numpy.typing as npt
import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "c-tests"
SUPPRESSIONS = ROOT / "tests" / "valgrind.supp"
ERROR_SIZE = 4096
MISSING = {  # as CMake says it
    "nlohmann_json 3.11 or newer, which was not found": "nlohmann-json3-dev",
    "how far zlib compresses them, which was not found": "zlib1g-dev",
}


class Refused(Exception):
    """What the library said to it."""


def tool(*names: str) -> str:
    """The path of the first of these programs that is there; skips where none is."""
    beside = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    for name in names:
        path = shutil.which(name, path=beside)
        if path is not None:
            return path
    return pytest.skip(f"needs {' or '.join(names)}, which is not here")


def cc() -> str:
    return tool(os.environ.get("CC", "cc"), "gcc", "clang")


def cxx() -> str:
    return tool(os.environ.get("CXX", "c++"), "g++", "clang++")


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """What a program writes; fails with all of that where the program does."""
    said = subprocess.run(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if said.returncode != 0:
        pytest.fail(f"{command} ended with {said.returncode}:\n{said.stdout}", pytrace=False)
    return said.stdout


def valgrind() -> str:
    """Its path; skips where it is not here, or does not know what llama.cpp is compiled for."""
    has = llama_cpp.llama_print_system_info()
    if b"AVX512 = 1" in has or b"AVX_VNNI = 1" in has:
        pytest.skip(
            "llama.cpp has AVX-512 or AVX-VNNI, which valgrind does not know; "
            "it has neither where it was built with CMAKE_ARGS=-DGGML_NATIVE=OFF"
        )
    return tool("valgrind")


def run_under_valgrind(*command: str | Path) -> str:
    """What a program writes; fails, too, where it misuses memory or leaves some behind."""
    checks = ["--leak-check=full", "--show-leak-kinds=definite,possible", "--quiet"]
    checks += [f"--suppressions={SUPPRESSIONS}", "--error-exitcode=9"]
    return run(valgrind(), *checks, *command)


def compile_library(folder: Path, *options: str) -> None:
    """Configured and compiled in the folder; skips where something for it is missing."""
    cmake = tool("cmake")
    cc(), cxx()
    what = ["-DLLAMOOD_PYTHON=OFF", "-DLLAMOOD_C=ON", *options]
    if shutil.which("ninja"):
        what += ["-G", "Ninja"]
    configured = subprocess.run(
        [cmake, "-S", ROOT, "-B", folder, *what],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    said = " ".join(configured.stdout.split())
    for missing, package in MISSING.items():
        if configured.returncode != 0 and missing in said:
            pytest.skip(f"needs what apt-get install {package} brings, which is not here")
    assert configured.returncode == 0, configured.stdout
    run(cmake, "--build", folder)


@cache
def compiled() -> Path:
    """The folder in which the library and its tests are compiled, against llama-cpp-python's
    llama.cpp; by one process of tests at a time."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        compile_library(FOLDER, f"-DPython_EXECUTABLE={sys.executable}")
    return FOLDER


@cache
def installed() -> Path:
    """The prefix to which it is installed, of this process of tests alone."""
    prefix = compiled() / f"prefix-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    shutil.rmtree(prefix, ignore_errors=True)
    run(tool("cmake"), "--install", compiled(), "--prefix", prefix)
    return prefix


def program(name: str) -> Path:
    """One of its own tests."""
    return compiled() / "csrc" / "tests" / name


class ModelParams(ctypes.Structure):
    """llamood_model_params."""

    _fields_ = (
        ("site", c_char_p),
        ("n_gpu_layers", c_int),
        ("use_mmap", ctypes.c_bool),
        ("readings", ctypes.c_bool),
    )


class Library:
    """llamood.h, as far as the tests call it."""

    def __init__(self) -> None:
        self._c = ctypes.CDLL(str(next(compiled().glob("libllamood.*[so,dylib]"))))
        error = (c_char_p, c_size_t)
        self._declare("llamood_version", c_char_p)
        self._declare("llamood_check_version", c_int, c_int, c_int, *error)
        self._declare("llamood_mood_parse", c_void_p, c_char_p, *error)
        self._declare(
            "llamood_mood_rows", c_int, c_void_p, c_void_p, c_size_t, c_size_t, c_void_p, *error
        )
        self._declare("llamood_mood_free", None, c_void_p)
        self._declare("llamood_mood_load", c_void_p, c_char_p, *error)
        self._declare("llamood_mood_system", c_char_p, c_void_p)
        self._declare("llamood_model_default_params", ModelParams)
        self._declare("llamood_model_load", c_void_p, c_char_p, c_char_p, c_void_p, *error)
        self._declare("llamood_model_n_emotion", c_int, c_void_p)
        self._declare("llamood_model_ceiling", c_double, c_void_p, c_int)
        self._declare("llamood_model_free", None, c_void_p)
        self._declare("llamood_model_emotion", c_char_p, c_void_p, c_int)

    @property
    def functions(self) -> ctypes.CDLL:
        """All of them; those that are not called here have no types."""
        return self._c

    def _declare(self, name: str, returns: type | None, *takes: type) -> None:
        function = getattr(self._c, name)
        function.restype, function.argtypes = returns, takes

    @property
    def version(self) -> str:
        version: bytes = self._c.llamood_version()
        return version.decode()

    def serves(self, major: int, minor: int) -> bool:
        return bool(self._c.llamood_check_version(major, minor, None, 0) == 0)

    def rows(
        self, json: bytes, n_token: int = 1, names: Sequence[str] = ("joy",)
    ) -> npt.NDArray[np.float32]:
        """(n_token, n_name): the weights of a mood. Raises Refused."""
        with self.mood(json) as mood:
            return self.rows_of(mood, n_token, names)

    def rows_of(self, mood: int, n_token: int, names: Sequence[str]) -> npt.NDArray[np.float32]:
        """The same of one that is parsed already."""
        rows = np.empty((n_token, len(names)), np.float32)
        texts = (c_char_p * len(names))(*(name.encode() for name in names))
        error = ctypes.create_string_buffer(ERROR_SIZE)
        said = self._c.llamood_mood_rows(
            mood, texts, len(names), n_token, rows.ctypes.data, error, ERROR_SIZE
        )
        if said != 0:
            raise Refused(error.value.decode())
        assert error.value == b""
        return rows

    def refusal(self, json: bytes) -> str | None:
        """What it says to a mood, None where it takes it."""
        try:
            with self.mood(json):
                return None
        except Refused as refused:
            return str(refused)

    def ceilings(self, model: Path, vectors: Path, *, readings: bool = False) -> list[float]:
        """At which each emotion of the files is held in the model, loaded with or without what
        reads it. Raises Refused."""
        with self.model(model, vectors, readings=readings) as loaded:
            n = self._c.llamood_model_n_emotion(loaded)
            return [self._c.llamood_model_ceiling(loaded, i) for i in range(n)]

    @contextmanager
    def model(self, model: Path, vectors: Path, *, readings: bool = False) -> Iterator[int]:
        """What is loaded. Raises Refused."""
        error = ctypes.create_string_buffer(ERROR_SIZE)
        paths = str(model).encode(), str(vectors).encode()
        params = self._c.llamood_model_default_params()
        params.readings = readings
        loaded = self._c.llamood_model_load(*paths, ctypes.byref(params), error, ERROR_SIZE)
        if not loaded:
            raise Refused(error.value.decode())
        try:
            yield loaded
        finally:
            self._c.llamood_model_free(loaded)

    def emotions(self, model: int) -> tuple[str, ...]:
        """Of a model that is loaded."""
        n = self._c.llamood_model_n_emotion(model)
        return tuple(self._c.llamood_model_emotion(model, i).decode() for i in range(n))

    @contextmanager
    def mood(self, json: bytes) -> Iterator[int]:
        error = ctypes.create_string_buffer(ERROR_SIZE)
        mood = self._c.llamood_mood_parse(json, error, ERROR_SIZE)
        if not mood:
            raise Refused(error.value.decode())
        try:
            yield mood
        finally:
            self._c.llamood_mood_free(mood)

    @contextmanager
    def personality(self, path: Path) -> Iterator[tuple[int, str | None]]:
        """Of a file, its mood, and what it tells the model to be."""
        error = ctypes.create_string_buffer(ERROR_SIZE)
        mood = self._c.llamood_mood_load(str(path).encode(), error, ERROR_SIZE)
        if not mood:
            raise Refused(error.value.decode())
        try:
            system = self._c.llamood_mood_system(mood)
            yield mood, None if system is None else system.decode()
        finally:
            self._c.llamood_mood_free(mood)


@cache
def library() -> Library:
    return Library()
