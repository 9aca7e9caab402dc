"""What a calibration found, as a table."""

from __future__ import annotations

from rich.table import Table

from llamood.calibration.doses import Doses
from llamood.cli.consoles import printable


def dose_table(doses: Doses) -> Table:
    """An emotion a line: what is added where, and the largest fluent dose."""
    table = Table("emotion", "added", title="1.0 is the largest dose that read fluently")
    for title in ("dose", "perplexity", "seen by the judge"):
        table.add_column(title, justify="right")
    for name, bounds in doses.bounds.items():
        best = bounds.best
        figures = ("none", "", "")
        if best is not None:
            shown = "" if best.shown is None else f"{100 * best.shown:.0f} %"
            figures = (f"{best.dose:.3g}", f"x {best.fluency.perplexity:.2f}", shown)
        table.add_row(printable(name), str(doses.places[name]), *figures)
    return table
