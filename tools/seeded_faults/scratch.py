"""A copy of the project with a Python environment of its own, to put faults into."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .fault import Fault

FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?::.+?)(?: - .*)?$", re.MULTILINE)
COMPILES_C = "c_library"  # what files of tests import that compile the C library
TAIL = 4000  # characters of what a program said that failed


class Broken(Exception):
    """The copy does not compile, or its tests cannot be run: nothing is known of the fault."""


@dataclass(frozen=True)
class Ran:
    """``failed``: the test that failed first; None where none did. ``is_over``: False where they
    were still running when their time was over."""

    failed: str | None
    is_over: bool = True


class Scratch:
    """``source``: the project, of which all is copied into ``folder`` that git would keep; it is
    never touched. ``seconds``: what the tests of one fault may take."""

    def __init__(self, source: Path, folder: Path, *, seconds: float) -> None:
        self.root = folder / "project"
        self._seconds = seconds
        self._build = folder / "build"
        self._python = folder / "venv" / "bin" / "python"
        self._is_configured = False
        for path in kept_files(source):
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / path, target)
        if (source.parent / "shared").exists():
            (folder / "shared").symlink_to(source.parent / "shared")
        self._equip(folder / "venv")

    def _equip(self, folder: Path) -> None:
        """An environment that has the packages of this one, but the copy's llamood."""
        venv.create(folder, symlinks=True, with_pip=False)
        lines = [str(self.root / "python"), *_site_packages()]
        (next(folder.rglob("site-packages")) / "project.pth").write_text("\n".join(lines) + "\n")
        core = importlib.util.find_spec("llamood._core")
        if core is None or core.origin is None:
            raise Broken("llamood is not compiled here; make .venv/.tests first")
        shutil.copy2(core.origin, self.root / "python" / "llamood")

    @contextmanager
    def holding(self, fault: Fault) -> Iterator[None]:
        """With the fault in it, compiled where it is of C++. Raises `LookupError` where it has no
        place, and `Broken` where it does not compile."""
        path = fault.file(self.root)
        right = path.read_text(encoding="utf-8")
        path.write_text(right.replace(fault.right, fault.wrong), encoding="utf-8")
        try:
            if path.suffix != ".py":
                self.compile(fault.test_files(self.root))
            yield
        finally:
            path.write_text(right, encoding="utf-8")

    def compile(self, tests: Sequence[Path]) -> None:
        """The module, and the C library where one of these tests needs it. Raises `Broken`."""
        if not self._is_configured:
            pybind = self._say([sys.executable, "-m", "pybind11", "--cmakedir"]).strip()
            options = [f"-DPython_EXECUTABLE={sys.executable}", f"-Dpybind11_DIR={pybind}"]
            options += ["-G", "Ninja"] if shutil.which("ninja", path=self._path) else []
            self._say(["cmake", "-S", str(self.root), "-B", str(self._build), *options])
            self._is_configured = True
        self._say(["cmake", "--build", str(self._build)])
        for built in self._build.glob("_core*"):
            if built.is_file():
                shutil.copy2(built, self.root / "python" / "llamood")
        if any(COMPILES_C in test.read_text(encoding="utf-8") for test in tests):
            code = "import sys; sys.path.insert(0, 'tests'); import c_library; c_library.compiled()"
            self._say([str(self._python), "-c", code])

    def run(self, tests: Sequence[str]) -> Ran:
        """These files or names of tests, but slow ones, until one fails. Raises `Broken` where
        none could be run."""
        command = [str(self._python), "-m", "pytest", "-x", "-q", "-rfE", "-p", "no:cacheprovider"]
        process = self._started([*command, "--hypothesis-seed=0", *tests])
        try:
            said, _ = process.communicate(timeout=self._seconds)
        except subprocess.TimeoutExpired:
            return Ran(None, is_over=False)
        finally:
            _end(process)
        failed = FAILED.search(said)
        if process.returncode == 0:
            return Ran(None)
        if process.returncode == 1 and failed is not None:
            return Ran(failed[1])
        if process.returncode < 0:
            return Ran(f"none: the tests ended by signal {-process.returncode}")
        raise Broken(said[-TAIL:])

    @property
    def _path(self) -> str:
        beside = (str(self._python.parent), str(Path(sys.executable).parent))
        return os.pathsep.join((*beside, os.environ.get("PATH", "")))

    @property
    def _environment(self) -> dict[str, str]:
        # A file that changes twice within a second would be taken for what was compiled of it.
        own = {"PATH": self._path, "PYTHONDONTWRITEBYTECODE": "1"}
        return {**{k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, **own}

    def _started(self, command: Sequence[str]) -> subprocess.Popen[str]:
        """In the copy, in a session of its own; what it says on stderr is said on stdout."""
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _say(self, command: Sequence[str]) -> str:
        process = self._started(command)
        said, _ = process.communicate()
        if process.returncode != 0:
            raise Broken(said[-TAIL:])
        return said


def kept_files(source: Path) -> list[Path]:
    """What git has, or would take, of the working tree."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    said = subprocess.run(listed, cwd=source, capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in said.split("\0") if name and (source / name).is_file()]


def _site_packages() -> list[str]:
    return sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})


def _end(process: subprocess.Popen[str]) -> None:
    """It, and the servers and browsers that its tests have started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()
