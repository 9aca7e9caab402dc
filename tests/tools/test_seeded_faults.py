"""The faults that are seeded on purpose: each has its place and its tests, and they are found."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import seed_faults
from seeded_faults.fault import Fault
from seeded_faults.scratch import Scratch

ROOT = Path(__file__).resolve().parents[2]
NAMES = list(seed_faults.FAULTS)
QUICK = seed_faults.FAULTS["a-sum-in-a-product-loses-its-brackets"]


@pytest.mark.parametrize("name", NAMES)
def test_each_has_one_place_and_its_tests(name: str) -> None:
    fault = seed_faults.FAULTS[name]
    assert fault.file(ROOT).is_file()
    assert fault.right != fault.wrong
    assert fault.says
    assert fault.test_files(ROOT)


def test_names_tell_them_apart() -> None:
    assert len(NAMES) == len(seed_faults.PYTHON_FAULTS) + len(seed_faults.CPP_FAULTS) == 40
    assert {fault.file(ROOT).suffix for fault in seed_faults.PYTHON_FAULTS} == {".py"}
    assert ".py" not in {fault.file(ROOT).suffix for fault in seed_faults.CPP_FAULTS}


def fault(right: str, *tests: str) -> Fault:
    return Fault(name="some", says="nothing", right=right, wrong="", tests=tests)


def test_what_has_no_one_place_is_refused(tmp_path: Path) -> None:
    for path, text in (("csrc/a.cpp", "one(); two();"), ("python/b/c.py", "one()\nthree()")):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    assert fault("three").file(tmp_path) == tmp_path / "python" / "b" / "c.py"
    with pytest.raises(
        LookupError, match=r"some: expected exactly once .*, found nowhere; .*\nfour"
    ):
        fault("four").file(tmp_path)
    with pytest.raises(LookupError, match=r"1 times in python/b/c.py, 1 times in csrc/a.cpp"):
        fault("one").file(tmp_path)


def test_tests_are_found_by_name_wherever_they_are(tmp_path: Path) -> None:
    path = tmp_path / "tests" / "inside" / "test_it.py"
    path.parent.mkdir(parents=True)
    path.touch()
    assert fault("", "test_it.py").test_files(tmp_path) == [path]
    with pytest.raises(LookupError, match=r"some: 0 files under tests are called test_gone.py"):
        fault("", "test_it.py", "test_gone.py").test_files(tmp_path)


def test_they_can_be_listed_and_none_is_seeded() -> None:
    said = CliRunner().invoke(seed_faults.main, ["--list"])
    assert said.exit_code == 0
    assert len(said.output.splitlines()) == len(NAMES)
    where = "csrc/steering/phrase_matcher.cpp"
    assert f"a-text-is-heard-twice ({where}): a trigger starts again at" in said.output


def test_a_fault_that_is_not_there_is_refused() -> None:
    said = CliRunner().invoke(seed_faults.main, ["no-fault"])
    assert said.exit_code == 2
    assert "'no-fault' is not one of" in said.output


@pytest.mark.slow
def test_a_fault_is_seeded_into_a_copy_and_found() -> None:
    before = QUICK.file(ROOT).read_bytes()
    said = CliRunner().invoke(seed_faults.main, [QUICK.name])
    assert said.exit_code == 0, said.output
    assert f"| {QUICK.name} | found | tests/moods/test_notation.py::" in said.output
    assert said.output.endswith("1 of 1 were found\n")
    assert QUICK.file(ROOT).read_bytes() == before


@pytest.mark.slow
def test_a_fault_that_no_test_finds_is_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    harmless = Fault(
        name="harmless",
        says="nothing",
        right=QUICK.right,
        wrong=f"{QUICK.right} is True",
        tests=QUICK.tests,
    )
    assert seed_faults.seeded(Scratch(ROOT, tmp_path, seconds=300), [harmless]) == 1
    said = capsys.readouterr().out
    assert "| harmless | **missed** | none of test_notation.py |" in said
    assert said.endswith("0 of 1 were found\n")
