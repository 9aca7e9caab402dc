"""Runs of targets: compiled where they are C++, started from their seeds, and what came of them.

All lies in ``build/fuzz``: the targets in C++ (``cxx``), what was kept
as it reached something new (``corpus``), what was found (``findings``), and what was run
(``runs.jsonl``).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

from fuzz import seeds
from fuzz.targets import Target

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("csrc", "python", "tools/fuzz/readers")
SLOWEST = 25  # seconds that an input may take, on a machine that is busy
LARGEST = {"C++": 512, "Python": 1536}  # MiB of a process
CLANG = "clang++"
# On Linux what a process has held at most is counted on from who started it, and libFuzzer bounds
# that: a process of tests may have held more. A shell that is not replaced has held little.
_OWN_MEMORY = ("sh", "-c", '"$@"; exit $?', "sh")
FLAGS = "-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -gline-tables-only"
_DONE = re.compile(r"^#\d+\s+(?:DONE|RELOAD|INITED|NEW|REDUCE|pulse)\s+cov: (\d+)", re.MULTILINE)
_EXECUTED = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)


class MissingError(Exception):
    """Something is not installed; how to."""


class FindingError(Exception):
    """A target did what no reader may; with what the fuzzer says of it."""


@dataclass(frozen=True)
class Run:
    """``edges``: those of the code that were reached, as the fuzzer counts them. ``commit``: the
    last one that changed what was fuzzed."""

    target: str
    inputs: int
    seconds: float
    edges: int
    commit: str
    fuzzer: str


@dataclass(frozen=True)
class Campaign:
    """``root``: of the sources that are fuzzed."""

    root: Path = ROOT

    @property
    def folder(self) -> Path:
        return self.root / "build" / "fuzz"

    def compile(self, targets: Sequence[Target]) -> None:
        """Those in C++. Raises `MissingError` where what that takes is not here."""
        names = [f"fuzz_{target.name}" for target in targets if target.language == "C++"]
        if not names:
            return
        if shutil.which(CLANG) is None:
            raise MissingError(f"{CLANG} is not here: apt-get install clang")
        where = self.folder / "cxx"
        ninja = ["-G", "Ninja"] if shutil.which("ninja") else []
        cmake = _beside_python("cmake")
        _run(
            cmake, "-S", self.root, "-B", where, *ninja, "-DLLAMOOD_PYTHON=OFF", "-DLLAMOOD_C=ON",
            "-DLLAMOOD_FUZZ=ON", "-DCMAKE_BUILD_TYPE=None", "-DLLAMOOD_OPTIMIZE=-O1",
            f"-DCMAKE_CXX_COMPILER={CLANG}", "-DCMAKE_C_COMPILER=clang",
            f"-DCMAKE_CXX_FLAGS={FLAGS}", f"-DPython_EXECUTABLE={sys.executable}",
        )  # fmt: skip
        _run(cmake, "--build", where, "--target", *names)

    def run(self, target: Target, inputs: int, *, seconds: int = 0, seed: int = 0) -> Run:
        """So many inputs, from the seeds and all that was kept before; fewer where the seconds are
        over. ``seed``: 0 for another one each time. Raises `FindingError`."""
        corpus, found = (self.folder / name / target.id for name in ("corpus", "findings"))
        corpus.mkdir(parents=True, exist_ok=True)
        found.mkdir(parents=True, exist_ok=True)
        sown = self.folder / "seeds" / target.id
        seeds.write(target, sown)
        words = self.folder / "words" / target.id
        words.parent.mkdir(parents=True, exist_ok=True)
        words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words))
        at = commit(self.root)
        began = time.monotonic()
        with TemporaryDirectory(prefix="llamood-fuzz-", dir=_in_memory()) as temporary:
            said = subprocess.run(
                [
                    *_OWN_MEMORY, *self._command(target),
                    f"-runs={inputs}", f"-max_total_time={seconds}",
                    f"-seed={seed}", f"-max_len={target.longest}", f"-timeout={SLOWEST}",
                    f"-rss_limit_mb={LARGEST[target.language]}",
                    *([f"-dict={words}"] if target.words else []),
                    f"-artifact_prefix={found}/", "-print_final_stats=1", str(corpus), str(sown),
                ],
                cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                env={**os.environ, "TMPDIR": temporary, "ASAN_OPTIONS": "quarantine_size_mb=32"},
            )  # fmt: skip
        output = said.stdout.decode(errors="replace")
        if said.returncode != 0:
            raise FindingError(f"{target.id}: see {found}\n{output[-6000:]}")
        made = Run(
            target.id, int(_last(_EXECUTED, output)), round(time.monotonic() - began, 1),
            int(_last(_DONE, output)), at, fuzzer(target),
        )  # fmt: skip
        with (self.folder / "runs.jsonl").open("a") as log:
            log.write(json.dumps(asdict(made)) + "\n")
        return made

    def runs(self) -> list[Run]:
        """All that ended without a finding, the first one first."""
        path = self.folder / "runs.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [Run(**json.loads(line)) for line in lines]

    def left(self, target: Target, inputs: int) -> int:
        """How many of so many inputs have not been run yet of the sources as they are."""
        now = commit(self.root)
        run = (each for each in self.runs() if each.target == target.id and each.commit == now)
        is_known = not now.endswith(("+", "?"))
        return max(inputs - sum(each.inputs for each in run), 0) if is_known else inputs

    def _command(self, target: Target) -> list[str]:
        if target.language == "C++":
            return [str(self.folder / "cxx" / "csrc" / "fuzz" / f"fuzz_{target.name}")]
        return [sys.executable, str(self.root / "tools" / "fuzz" / "one.py"), target.name]


def require_atheris() -> None:
    """Raises `MissingError`."""
    try:
        version("atheris")
    except PackageNotFoundError:
        raise MissingError('atheris is not here: pip install ".[fuzz]"') from None


def fuzzer(target: Target) -> str:
    """What feeds a target, and its version."""
    if target.language == "Python":
        return f"atheris {version('atheris')}"
    said = _run(CLANG, "--version").partition("\n")[0]
    return f"libFuzzer of Clang {said.split()[-1]}"


def commit(root: Path) -> str:
    """The last one that changed what is fuzzed, with a + where it was changed since; ``?`` outside
    of a repository."""
    if not (root / ".git").exists():
        return "?"
    last = _run("git", "-C", root, "log", "-1", "--format=%h", "--", *SOURCES).strip()
    changed = _run("git", "-C", root, "status", "--porcelain", "--", *SOURCES).strip()
    return f"{last}+" if changed else last


def _in_memory() -> str | None:
    """A place for files that are in memory, where the system has one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _escaped(word: str) -> str:
    """As libFuzzer's dictionaries have it."""
    return "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}"
        for byte in word.encode("latin-1", "replace")
    )


def _last(pattern: re.Pattern[str], text: str) -> str:
    return pattern.findall(text)[-1]


def _beside_python(name: str) -> str:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    found = shutil.which(name, path=path)
    if found is None:
        raise MissingError(f"{name} is not here: pip install {name}")
    return found


def _run(*command: str | Path) -> str:
    said = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if said.returncode != 0:
        raise MissingError(f"{' '.join(map(str, command))} failed:\n{said.stdout[-4000:]}")
    return said.stdout
