"""llama.cpp's own programs, built from the sources in llama-cpp-python's source distribution."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from interop.meter import Cost, resident

TARGETS = ("llama-completion", "llama-cvector-generator")
# No more than these two need. Not for this very processor, as the library is not either.
OPTIONS = (
    "CMAKE_BUILD_TYPE=Release",
    "GGML_NATIVE=OFF",
    "LLAMA_BUILD_TESTS=OFF",
    "LLAMA_BUILD_EXAMPLES=OFF",
    "LLAMA_BUILD_SERVER=OFF",
    "LLAMA_BUILD_APP=OFF",
    "LLAMA_OPENSSL=OFF",
)


@dataclass(frozen=True)
class Programs:
    """``folder``: where the programs are. ``threads``: of each run."""

    folder: Path
    threads: int

    @classmethod
    def built(cls, folder: Path, *, threads: int) -> Programs:
        """Builds them where they are not there: some minutes. Of the llama.cpp that the installed
        llama-cpp-python was built from. Raises `CalledProcessError` where pip or the build does."""
        build = folder / "llama.cpp"
        if not all((build / "bin" / target).is_file() for target in TARGETS):
            options = [f"-D{option}" for option in OPTIONS]
            subprocess.run(
                ["cmake", "-S", _sources(folder), "-B", build, *options],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            subprocess.run(
                ["cmake", "--build", build, "--parallel", str(threads), "--target", *TARGETS],
                check=True,
                stdout=subprocess.DEVNULL,
            )
        return cls(build / "bin", threads)

    def answer(
        self, model: Path, prompt: str, *, vector: Path | None, added: float, n_token: int
    ) -> str:
        """What llama-completion says greedily, at most ``n_token``, with a control vector added
        ``added`` times in every layer that it has one for."""
        steered = ["--control-vector-scaled", f"{vector}:{added:.9g}"] if vector is not None else []
        command = [
            *(self.folder / "llama-completion", "--model", model, "--prompt", prompt),
            *("--n-predict", n_token, "--temp", 0, "--ctx-size", 256, "--seed", 1),
            *("--threads", self.threads, "--flash-attn", "off", "--no-warmup"),
            *("--no-conversation", "--no-display-prompt", "--simple-io", *steered),
        ]
        done = _run(command)
        return (
            done.stdout.decode(errors="replace")
            .removesuffix("\n\n")
            .removesuffix(" [end of text]\n")
        )

    def generate(
        self,
        model: Path,
        positive: Sequence[str],
        negative: Sequence[str],
        *,
        method: str,
        to: Path,
    ) -> Cost:
        """Lets llama-cvector-generator write a file, and tells what the whole program took."""
        files = [to.with_suffix(f".{name}.txt") for name in ("positive", "negative")]
        for file, texts in zip(files, (positive, negative), strict=True):
            file.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
        command = [
            *(self.folder / "llama-cvector-generator", "--model", model, "--method", method),
            *("--positive-file", files[0], "--negative-file", files[1], "--output", to),
            *("--threads", self.threads, "--ctx-size", 256, "--flash-attn", "off"),
        ]
        return _cost(command, log=to.with_suffix(".log"))


def _sources(folder: Path) -> Path:
    """Downloads and unpacks them. Raises `FileNotFoundError` where they lack a program."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"llama_cpp_python-{version('llama-cpp-python')}"
    archive = folder / f"{name}.tar.gz"
    if not archive.is_file():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        wanted = f"llama-cpp-python=={version('llama-cpp-python')}"
        subprocess.run([*pip, "--no-binary", ":all:", "--dest", folder, wanted], check=True)
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    sources = folder / name / "vendor" / "llama.cpp"
    for target in TARGETS:
        tool = sources / "tools" / target.removeprefix("llama-")
        if not tool.is_dir():
            raise FileNotFoundError(f"{archive.name} has no sources of {target}: {tool.name}/")
    return sources


def _run(command: Sequence[object]) -> subprocess.CompletedProcess[bytes]:
    """Raises `RuntimeError` with what it said where it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace")[-2000:]
        raise RuntimeError(f"{command[0]} failed ({done.returncode}): {said}")
    return done


def _cost(command: Sequence[object], *, log: Path) -> Cost:
    """Of a whole run. Memory is looked at twenty times a second, and what grows in the last of them
    is not seen."""
    begun, before, peak = time.perf_counter(), _children(), 0.0
    with log.open("wb") as said:
        process = subprocess.Popen([str(part) for part in command], stdout=said, stderr=said)
        while process.poll() is None:
            with suppress(ProcessLookupError, FileNotFoundError):  # it has just ended
                peak = max(peak, resident("VmHWM", process.pid))
            time.sleep(0.05)
    if process.returncode:
        raise RuntimeError(f"{command[0]} failed ({process.returncode}): see {log}")
    return Cost(time.perf_counter() - begun, _children() - before, 0.0, peak)


def _children() -> float:
    """Processor seconds of processes that have been waited for."""
    times = os.times()
    return times.children_user + times.children_system
