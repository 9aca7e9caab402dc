"""``python -m llamood`` is the command ``llamood``."""

from __future__ import annotations

from llamood.cli import main

main()
