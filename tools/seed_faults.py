"""Whether the tests find faults that are seeded on purpose.

    .venv/bin/python tools/seed_faults.py [NAME ...] [--list]

Puts one fault after the other into a copy of the project, runs the tests that should find it
there, and prints a table of which did. At last those tests are run once more without any fault.
Exits with 1 where a fault is missed. Needs what the tests need (`make .venv/.tests`); all faults
take six to ten minutes on two cores.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from seeded_faults.cpp_faults import CPP_FAULTS
from seeded_faults.fault import Fault
from seeded_faults.python_faults import PYTHON_FAULTS
from seeded_faults.scratch import Broken, Scratch

ROOT = Path(__file__).resolve().parents[1]
FAULTS = {fault.name: fault for fault in (*PYTHON_FAULTS, *CPP_FAULTS)}


@dataclass(frozen=True)
class Outcome:
    """``by``: the test that found it; None where it was missed."""

    fault: Fault
    by: str | None
    seconds: float

    def row(self) -> str:
        verdict = "found" if self.by is not None else "**missed**"
        by = self.by or f"none of {', '.join(self.fault.tests)}"
        return f"| {self.fault.name} | {verdict} | {by} | {self.seconds:.0f} s |"


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(FAULTS)), metavar="[NAME]...")
@click.option("--list", "is_list", is_flag=True, help="Tell of each fault, and seed none.")
@click.option("--seconds", default=900.0, show_default=True, help="For the tests of one fault.")
def main(names: Sequence[str], is_list: bool, seconds: float) -> None:
    """Seed the named faults, or all."""
    faults = [FAULTS[name] for name in names] or list(FAULTS.values())
    try:
        places = {fault.name: fault.file(ROOT) for fault in faults}
        for fault in faults:
            fault.test_files(ROOT)
    except LookupError as error:
        raise click.ClickException(str(error)) from None
    if is_list:
        for fault in faults:
            click.echo(f"{fault.name} ({places[fault.name].relative_to(ROOT)}): {fault.says}")
        return
    # What is compiled changes last, so that until then all runs with what is installed.
    faults.sort(key=lambda fault: places[fault.name].suffix != ".py")
    with TemporaryDirectory() as folder:
        try:
            scratch = Scratch(ROOT, Path(folder), seconds=seconds)
            missed = seeded(scratch, faults)
        except Broken as error:
            raise click.ClickException(str(error)) from None
    sys.exit(1 if missed else 0)


def seeded(scratch: Scratch, faults: Sequence[Fault]) -> int:
    """How many of them are missed. Raises `Broken` where one breaks more than it should, or what
    finds it fails without it too."""
    click.echo("| fault | | by | |\n|---|---|---|---|")
    outcomes = []
    for fault in faults:
        outcomes.append(outcome(scratch, fault))
        click.echo(outcomes[-1].row())
    require_sound(scratch, outcomes)
    n_found = sum(each.by is not None for each in outcomes)
    click.echo(f"\n{n_found} of {len(outcomes)} were found")
    return len(outcomes) - n_found


def outcome(scratch: Scratch, fault: Fault) -> Outcome:
    begin = time.monotonic()
    tests = [str(path.relative_to(scratch.root)) for path in fault.test_files(scratch.root)]
    try:
        with scratch.holding(fault):
            ran = scratch.run(tests)
    except Broken as error:
        raise Broken(f"{fault.name}: {error}") from None
    by = ran.failed if ran.is_over else "none: the tests came to no end"
    return Outcome(fault, by, time.monotonic() - begin)


def require_sound(scratch: Scratch, outcomes: Sequence[Outcome]) -> None:
    """Raise `Broken` where a test that found a fault fails without it, too."""
    by = sorted({each.by.partition("[")[0] for each in outcomes if each.by and "::" in each.by})
    if not by:
        return
    if any(each.fault.file(scratch.root).suffix != ".py" for each in outcomes):
        scratch.compile([scratch.root / test.partition("::")[0] for test in by])
    ran = scratch.run(by)
    if ran.failed is not None or not ran.is_over:
        raise Broken(f"fails without a fault, too: {ran.failed or 'the tests came to no end'}")


if __name__ == "__main__":
    main()
