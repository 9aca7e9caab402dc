"""Check on a device what is promised of all of them, and write a report for docs/devices.

    .venv/bin/python tools/verify_device.py -o docs/devices

Needs what the tests need (`make .venv/.tests`, with the CMAKE_ARGS of the backend), no network and
some minutes. Takes the first accelerator that llama.cpp knows; without one, a server of llama.cpp's
RPC backend, which it starts. Prints a line for each check; exits with 1 where one fails.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent / "bench"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # for tiny_chat

import click
from llama_cpp._logger import set_verbose

from device_checks import casts, hidden_states, memory, paths, speed
from device_checks.check import Check
from device_checks.machine import facts
from device_checks.report import Report
from device_checks.subject import subjects
from devices import Device, NoDevice, Place, chosen, load_backend


@click.command()
@click.option("--device", "name", help="As llama.cpp names it, CUDA0 say; RPC starts a server.")
@click.option(
    "--backend",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A backend that was built by itself, which llama.cpp loads first.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder of the report.")
@click.option("--changes", default=10_000, show_default=True, help="Moods, of the memory check.")
@click.option("--rounds", default=3, show_default=True, help="Of each bench; 0 leaves them out.")
def main(
    name: str | None, backend: Path | None, output: Path | None, changes: int, rounds: int
) -> None:
    """Check one device."""
    set_verbose(False)
    begin = time.monotonic()
    try:
        if backend is not None:
            load_backend(backend)
        with chosen(name) as device:
            found = facts(device)
            for what, value in found.items():
                click.echo(f"{what}: {value}")
            checks, measures = [], []
            for check in looked_at(device, n_change=changes):
                click.echo(check.line())
                checks.append(check)
            if rounds:
                for measure in speed.measured(Place.whole(device), n_round=rounds):
                    click.echo(f"shown   {measure.model}: {measure.name}: {measure.median:.3f}")
                    measures.append(measure)
    except NoDevice as error:
        raise click.ClickException(str(error)) from None
    report = Report(
        day=date.today(),
        facts=found,
        checks=checks,
        measures=measures,
        seconds=time.monotonic() - begin,
    )
    if output is not None:
        for path in report.write(output):
            click.echo(f"written: {path}")
    n_failed = sum(not check.holds for check in checks)
    click.echo(f"{n_failed} of {len(checks)} checks failed" if n_failed else "all checks hold")
    sys.exit(1 if n_failed else 0)


def looked_at(device: Device, *, n_change: int) -> Iterator[Check]:
    """Every check, as soon as it is made."""
    with TemporaryDirectory() as folder:
        models = subjects(Path(folder))
        for subject in models:
            for place in (Place.whole(device), Place.half(device, subject.n_layer)):
                yield from paths.equal_to_the_bit(subject, place)
                yield from paths.voices_apart(subject, place)
                yield from paths.as_on_the_processor(subject, place)
                yield from hidden_states.read_and_kept(subject, place)
        for place in (Place.whole(device), Place.half(device, models[-1].n_layer)):
            yield from casts.spoken(models[-1], place)
        yield from memory.steady(models[0], Place.whole(device), n_change=n_change)


if __name__ == "__main__":
    main()
