"""The peers' own environment: a virtual one, as they ask for older packages than llamood has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGES = (
    "torch==2.13.0",
    "repeng==0.4.0",
    "steering-vectors==0.12.2",
    "dialz==1.1.4",
    "ipython",  # which dialz imports and does not ask for
)
TOOLS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Environment:
    """``python``: of the environment. ``threads``: of each job."""

    python: Path
    threads: int

    @classmethod
    def made(cls, folder: Path, *, threads: int) -> Environment:
        """Makes it where it is not there, and installs what is named, with all that it asks for.
        Raises `CalledProcessError` where pip does."""
        python = folder / "bin" / "python"
        done = folder / "installed.txt"
        wanted = "\n".join(PACKAGES)
        if not done.is_file() or done.read_text(encoding="utf-8") != wanted:
            venv.create(folder, with_pip=True, clear=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
            done.write_text(wanted, encoding="utf-8")
        return cls(python, threads)

    def run(self, deed: str, job: Path, **told: Any) -> dict[str, Any]:
        """One job of `peers/job.py`. What it is told is written to ``job``, what it says to a log
        beside that."""
        return run_job(
            self.python,
            "interop.peers.job",
            job,
            {"deed": deed, "threads": self.threads, **told},
        )


def run_job(python: str | Path, module: str, job: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Lets a module do a job in a process of its own; its last line is the result.
    Raises `RuntimeError` with the end of what it said where it fails."""
    job.write_text(json.dumps(told, default=str), encoding="utf-8")
    done = subprocess.run(
        [python, "-m", module, job],
        env={
            **os.environ,
            "PYTHONPATH": str(TOOLS),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": str(told["threads"]),
            "TQDM_DISABLE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    job.with_suffix(".log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        raise RuntimeError(f"{module} failed at {job.stem}: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def own_python() -> str:
    """That of this very process, which has llamood."""
    return sys.executable
