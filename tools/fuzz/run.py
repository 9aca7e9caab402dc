"""``make fuzz``: every reader and parser is given whatever bytes, by coverage-guided fuzzers.

    .venv/bin/python tools/fuzz/run.py [NAME ...] [--runs N] [--seconds N] [--write PAGE]

A name is that of a target (``mood-cpp``, ``mood-py``). Stops at a finding, with exit status 1, and
tells where the input lies. What was run before of the same sources counts, and is told on the page:
stopped, it goes on where it was.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))  # for what seeds are made of
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import click

from fuzz.campaign import Campaign, FindingError, MissingError, require_atheris
from fuzz.page import page
from fuzz.targets import TARGETS

IDS = [target.id for target in TARGETS]


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(IDS), metavar="[NAME]...")
@click.option("--runs", default=1_000_000, show_default=True, help="Inputs of each target.")
@click.option("--seconds", default=0, help="For each target at most; 0 for as long as it takes.")
@click.option("--write", type=click.Path(dir_okay=False, path_type=Path), help="The page.")
@click.option("--list", "is_list", is_flag=True, help="Tell the targets, and run none.")
def main(names: Sequence[str], runs: int, seconds: int, write: Path | None, is_list: bool) -> None:
    """Fuzz the named targets, or all of them."""
    chosen = [target for target in TARGETS if not names or target.id in names]
    if is_list:
        for target in chosen:
            click.echo(f"{target.id}: {target.reads}")
        return
    campaign = Campaign()
    try:
        require_atheris()
        campaign.compile(chosen)
        for target in chosen:
            if not target.is_here:
                click.echo(f"{target.id}: left out, needs {target.needs}")
                continue
            left = campaign.left(target, runs)
            if left == 0:
                continue
            made = campaign.run(target, left, seconds=seconds)
            click.echo(
                f"{made.target}: {made.inputs} inputs in {made.seconds:.0f} s, {made.edges} edges"
            )
    except MissingError as missing:
        raise click.ClickException(str(missing)) from None
    except FindingError as finding:
        raise click.ClickException(f"a finding: {finding}") from None
    finally:
        if write is not None:
            write.write_text(page(campaign.runs()), encoding="utf-8")


if __name__ == "__main__":
    main()
