"""``make bench``: every bound on speed, measured on this machine.

Prints a table (or, with ``--json``, one JSON object) and exits with 1 where a bound is missed. With
``--write`` all that docs/performance.md tells is measured, and it is written anew.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for llama_gguf

import click
from page import page, surveyed
from paired import Measure
from rich import box
from rich.console import Console
from rich.table import Table
from weights import shared

WIDTH = 110  # of the table where there is no terminal to fit
# Imports come last: the models of the others have warmed the disk, but not these processes.
BENCHES = (
    "steering",
    "rows",
    "moods",
    "parts",
    "performing",
    "many_voices",
    "turns",
    "serving",
    "studio",
    "reading",
    "wrapper",
    "extraction",
    "evaluation",
    "blend",
    "busy",
    "imports",
)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(BENCHES))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
@click.option("--write", type=click.Path(dir_okay=False, path_type=Path), help="The page.")
def main(names: Sequence[str], as_json: bool, write: Path | None) -> None:
    """Run the named benches, or all of them."""
    if write is not None and names:
        raise click.UsageError("--write tells all benches, so none may be named")
    measures: list[Measure] = []
    for name in names or BENCHES:
        measure: Callable[[], list[Measure]] = import_module(name).measure
        with timed(name), shared():
            measures += measure()
    if write is not None:
        with timed("beside others"):
            survey = surveyed()
        write.write_text(page(measures, survey, machine()), encoding="utf-8")
    if as_json:
        click.echo(json.dumps({**machine(), "measures": [m.to_dict() for m in measures]}))
    else:
        console = Console(width=None if sys.stdout.isatty() else WIDTH)
        console.print(table(measures))
    sys.exit(0 if all(measure.holds for measure in measures) else 1)


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Says how long the block took, on stderr."""
    click.echo(f"{name} ... ", err=True, nl=False)
    begin = time.monotonic()
    yield
    click.echo(f"{time.monotonic() - begin:.0f} s", err=True)


def machine() -> dict[str, str | int | None]:
    """What the numbers depend on."""
    return {
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "llama_cpp_python": version("llama-cpp-python"),
        "llamood": version("llamood"),
    }


def _processor() -> str:
    """As Linux names it; elsewhere its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def table(measures: Sequence[Measure]) -> Table:
    """One row per measure; what missed its bound says so."""
    facts = machine()
    shown = Table(
        title="Medians of paired, interleaved runs",
        caption=f"{facts['cores']} cores, {facts['machine']}, Python {facts['python']}, "
        f"llama-cpp-python {facts['llama_cpp_python']}",
        box=box.SIMPLE,
    )
    shown.add_column("measure", overflow="fold")
    shown.add_column("model")
    for column in ("min", "median", "max", "bound"):
        shown.add_column(column, justify="right", no_wrap=True)
    shown.add_column("")
    for measure in measures:
        numbers = (min(measure.values), measure.median, max(measure.values))
        cells = [f"{number:.3f} {measure.unit}" for number in numbers]
        bound, verdict = "", ""
        if measure.bound is not None:
            bound = f"{'>=' if measure.at_least else '<='} {measure.bound:g} {measure.unit}"
            verdict = "[green]holds[/]" if measure.holds else "[red]missed[/]"
        shown.add_row(measure.name, measure.model, *cells, bound, verdict)
    return shown


if __name__ == "__main__":
    main()
