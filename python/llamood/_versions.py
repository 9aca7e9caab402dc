"""Whether the llama.cpp at hand is the one that ``_core`` was compiled against.

Structs and enums of llama.cpp change between commits without a sign; a module compiled against
another commit may read nonsense. So `check` runs when llamood is imported.
"""

from __future__ import annotations

import importlib

import llama_cpp  # before _core: it loads the libraries that _core links to

REBUILD = (
    "Rebuild llamood for the llama-cpp-python that is installed, in the folder of its sources: "
    "pip install --force-reinstall --no-deps --no-build-isolation ."
)
UNKNOWN = "unknown"  # the commit of a llama.cpp that was built outside of a git repository

Version = tuple[str, str]  # ggml's version and commit


def check() -> None:
    """Raise ImportError, saying how to rebuild, unless ``_core`` loads and fits."""
    try:
        core = importlib.import_module("llamood._core")
    except ImportError as error:
        raise ImportError(f"llamood's compiled module does not load: {error}. {REBUILD}") from error
    if differ(core.ggml_built, core.ggml_running):
        raise ImportError(
            f"llamood was compiled against {_named(core.ggml_built)} of llama-cpp-python "
            f"{core.llama_cpp_python_built}, but llama-cpp-python {llama_cpp.__version__} brings "
            f"{_named(core.ggml_running)}. {REBUILD}"
        )


def running() -> str:
    """The llama.cpp at hand, by the version and commit of its ggml."""
    return _named(importlib.import_module("llamood._core").ggml_running)


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
