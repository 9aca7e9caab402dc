"""The fuzzing targets: each begins with something that is read, and with what was found before;
each runs for a while; and a fault that is put into a reader is found."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from pathlib import Path

import pytest

from fuzz import seeds
from fuzz.campaign import ROOT, Campaign, FindingError, MissingError
from fuzz.page import page
from fuzz.readers import hostile
from fuzz.targets import TARGETS, Target

CPP = [target for target in TARGETS if target.language == "C++"]
PYTHON = [target for target in TARGETS if target.language == "Python"]
INPUTS = 2000
needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason='needs atheris (pip install ".[fuzz]")'
)


def named(target: Target) -> str:
    return target.id


def require_here(target: Target) -> None:
    if not target.is_here:
        pytest.skip(f"needs {target.needs}")


def test_every_target_is_run() -> None:
    cpp = {path.stem for path in (ROOT / "csrc" / "fuzz").glob("*.cpp")}
    python = {path.stem for path in Path(hostile.__file__).parent.glob("[!_]*.py")}
    assert cpp == {target.name for target in CPP}
    assert python - {"hostile"} == {target.name for target in PYTHON}
    assert len({target.id for target in TARGETS}) == len(TARGETS)
    assert set(seeds.FOUND) <= {target.id for target in TARGETS}


@pytest.mark.parametrize("target", PYTHON, ids=named)
@pytest.mark.filterwarnings("ignore")
def test_seeds_are_read_or_refused(target: Target) -> None:
    require_here(target)
    reader = importlib.import_module(f"fuzz.readers.{target.name}")
    hostile.outcomes.clear()
    for seed in seeds.seeds(target):
        reader.read(seed)
    if target.name != "tool_calls":  # which no answer is refused for
        assert hostile.outcomes[True]
        assert hostile.outcomes[False]


def test_the_page_tells_what_was_run() -> None:
    from fuzz.campaign import Run

    runs = [
        Run("mood-py", 10, 1.0, 7, "older", "atheris 3"),
        Run("mood-py", 600_000, 80.2, 8, "newer", "atheris 3"),
        Run("mood-py", 400_000, 70.2, 9, "newer", "atheris 3"),
    ]
    told = page(runs)
    assert "| `mood-py` | moods and personalities in JSON | 1,000,000 | 150 | 9 | newer |" in told
    assert "| `mood-cpp` | moods and personalities in JSON | not run |" in told


# -- with the fuzzers ------------------------------------------------------------------------------


def copied(to: Path, *changes: tuple[str, str, str]) -> Campaign:
    """The sources in another folder, each of the files with one text in place of another."""
    for name in ("csrc", "cmake", "python", "tools"):
        ignored = shutil.ignore_patterns("__pycache__", "data", "evs", "*.so")
        shutil.copytree(ROOT / name, to / name, ignore=ignored)
    for name in ("CMakeLists.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, to / name)
    for name, right, wrong in changes:
        text = (to / name).read_text(encoding="utf-8")
        assert text.count(right) == 1
        (to / name).write_text(text.replace(right, wrong), encoding="utf-8")
    return Campaign(to)


def compiled(campaign: Campaign, *targets: Target) -> Campaign:
    try:
        campaign.compile(targets)
    except MissingError as missing:
        if "is not here" in str(missing):
            pytest.skip(str(missing))
        raise
    return campaign


@pytest.mark.slow
def test_no_reader_in_cpp_does_what_none_may() -> None:
    # For a voice that goes on all of the library is compiled, some minutes: `make fuzz` has it.
    targets = [target for target in CPP if target.name != "restored_voice"]
    campaign = compiled(Campaign(), *targets)
    for target in targets:
        assert campaign.run(target, INPUTS, seed=1).inputs >= INPUTS


@pytest.mark.slow
@needs_atheris
@pytest.mark.parametrize("target", PYTHON, ids=named)
def test_no_reader_in_python_does_what_none_may(target: Target) -> None:
    require_here(target)
    assert Campaign().run(target, INPUTS, seed=1).inputs >= INPUTS


@pytest.mark.slow
def test_a_fault_in_cpp_is_found(tmp_path: Path) -> None:
    where = "csrc/steering/phrase_matcher.cpp"
    campaign = copied(tmp_path, (where, "i > 0 && before.size()", "before.size()"))
    target = next(target for target in CPP if target.name == "text")
    compiled(campaign, target)
    with pytest.raises(FindingError, match=r"SUMMARY: \w+Sanitizer"):
        campaign.run(target, INPUTS, seed=1)


@pytest.mark.slow
@needs_atheris
def test_a_fault_in_python_is_found(tmp_path: Path) -> None:
    where = "python/llamood/vectors/third_party.py"
    then = 'as error:\n        raise FileError(path, f"truncated or'
    caught = f"except (ValueError, RecursionError) {then}"
    wrong = caught.replace("(ValueError, RecursionError)", "RecursionError")
    campaign = copied(tmp_path, (where, caught, wrong))
    target = next(target for target in PYTHON if target.name == "paper_json")
    with pytest.raises(FindingError, match="JSONDecodeError"):
        campaign.run(target, INPUTS, seed=1)
    assert list((campaign.folder / "findings" / target.id).iterdir())
