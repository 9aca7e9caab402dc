"""Whether the llama.cpp at hand is one that llamood can be trusted with.

Structs and enums of llama.cpp change between commits without a sign, and so does what its graphs
do; a module compiled against another commit may read nonsense. So `check` runs when llamood is
imported: the llama.cpp that llamood was written and compiled against is taken as it is, and any
other is tried first (`llamood.trial`).
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import llama_cpp  # before _core: it loads the libraries that _core links to

REBUILD = (
    "Rebuild llamood for the llama-cpp-python that is installed, in the folder of its sources: "
    "pip install --force-reinstall --no-deps --no-build-isolation ."
)
WRITTEN_FOR = "0.3.36"  # of llama-cpp-python, as in pyproject.toml
TAKE_THAT = (
    "Install the llama-cpp-python that llamood was written for: "
    f"pip install llama-cpp-python=={WRITTEN_FOR}"
)
UNKNOWN = "unknown"  # the commit of a llama.cpp that was built outside of a git repository
# In the environment of processes that this one starts: which pair of versions was tried and fits.
FITS = "LLAMOOD_FITS"
PATIENCE = 60  # seconds; of a trial that takes one

Version = tuple[str, str]  # ggml's version and commit


def check() -> None:
    """Raise ImportError, saying how to mend it, unless ``_core`` loads and fits the llama.cpp at
    hand. Costs a second where that is another one than llamood was compiled for."""
    try:
        core = importlib.import_module("llamood._core")
    except ImportError as error:
        raise ImportError(
            f"llamood's compiled module does not load: {error}. {REBUILD} Or: {TAKE_THAT}"
        ) from error
    is_other = differ(core.ggml_built, core.ggml_running)
    if not is_other and core.llama_cpp_python_built == llama_cpp.__version__ == WRITTEN_FOR:
        return
    built = f"llama-cpp-python {core.llama_cpp_python_built} with {_named(core.ggml_built)}"
    at_hand = f"llama-cpp-python {llama_cpp.__version__} with {_named(core.ggml_running)}"
    pair = f"{built} and {at_hand}"
    if os.environ.get(FITS) == pair:
        return
    fault = tried(pair)
    if fault:
        mends = [*([REBUILD] if is_other else []), TAKE_THAT]
        raise ImportError(
            f"llamood was compiled against {built}, and {at_hand} does not do what it needs: "
            f"{fault}. {' Or: '.join(mends)}"
        )
    os.environ[FITS] = pair


def tried(pair: str) -> str:
    """What a trial of the llama.cpp at hand finds wrong; empty where it fits. In a process of its
    own, which a llama.cpp that does not fit may end."""
    if not sys.executable or getattr(sys, "frozen", False):
        return "it is not known, and there is no Python by itself here that could try it"
    command = [sys.executable, "-m", "llamood.trial"]
    known = {**os.environ, FITS: pair, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        ran = subprocess.run(
            command, env=known, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"a trial of it could not be made ({error})"
    if ran.returncode == 0:
        return ""
    told = (ran.stdout if ran.returncode == 1 and ran.stdout else ran.stderr).strip()
    return told.splitlines()[-1] if told else f"a trial of it ended with {ran.returncode}"


def running() -> str:
    """The llama.cpp at hand, by the version and commit of its ggml, and whether it was tried."""
    at_hand = _named(importlib.import_module("llamood._core").ggml_running)
    return f"{at_hand}, which was tried at import" if FITS in os.environ else at_hand


def differ(built: Version, running: Version) -> bool:
    """Whether these are two versions; a commit that is not known is not held against either."""
    (version, commit), (other_version, other_commit) = map(_plain, (built, running))
    if version != other_version:
        return True
    return UNKNOWN not in (commit, other_commit) and commit != other_commit


def _plain(version: Version) -> Version:
    """Without the mark of a working tree that had local changes."""
    number, commit = version
    return number.removesuffix("-dirty"), commit.removesuffix("-dirty")


def _named(version: Version) -> str:
    return "ggml {} ({})".format(*version)
