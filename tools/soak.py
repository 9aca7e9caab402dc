"""``make soak``: a service for half an hour among clients of all kinds, killed, and out of disk.

    python tools/soak.py [--model demo] [--minutes 30] [--seed 1] [--write docs/reliability.md]

Twelve clients ask whatever the service answers, and know what they must be told; meanwhile it is
killed and started again, and its disk is full. Exits with 1 where an answer was lost, crossed or
hung, something was half written, or memory, files or threads were not given back. Linux, and root
for the disk that is filled; without it that part is left out, and said.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import tiny_chat  # noqa: E402
from llamood import demo  # noqa: E402
from soaking.plan import Plan, Subject, all_troubles  # noqa: E402
from soaking.report import Told, commit  # noqa: E402
from soaking.soak import soak  # noqa: E402

SMALL = (tiny_chat.MODEL, tiny_chat.VECTORS)
_LIFE = 0.5  # of all the time, until which one process lives on; the rest is for its troubles


def subject(name: str) -> Subject:
    if name == "tiny":
        return Subject(
            name="the tests' model of 3.9 million parameters",
            model=tiny_chat.MODEL,
            vectors=tiny_chat.VECTORS,
            questions=tiny_chat.questions(),
            small=SMALL,
            near=0.05,
        )
    return Subject(
        name="SmolLM2-135M-Instruct, the demo's",
        model=demo.MODEL,
        vectors=demo.VECTORS,
        questions=demo.questions(),
        small=SMALL,
        near=0.4,
    )


@click.command()
@click.option("--model", type=click.Choice(["demo", "tiny"]), default="demo", show_default=True)
@click.option("--minutes", type=float, default=30.0, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--write", type=click.Path(dir_okay=False, path_type=Path), help="The page.")
def main(model: str, minutes: float, seed: int, write: Path | None) -> None:
    """Run it, and say what was found."""
    served = subject(model)
    seconds = minutes * 60 * _LIFE
    plan = Plan(seconds=seconds, seed=seed, **all_troubles(served))
    day, sources = time.strftime("%Y-%m-%d %H:%M"), commit()
    found = soak(served, plan, tell=lambda text: click.echo(text, err=True))
    told = Told(found=found, subject=served, plan=plan, day=day, sources=sources)
    click.echo(told.shown())
    if write is not None:
        write.write_text(told.page(), encoding="utf-8")
    sys.exit(0 if found.is_well else 1)


if __name__ == "__main__":
    main()
