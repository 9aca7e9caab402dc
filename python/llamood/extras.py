"""The extras of pyproject.toml: what only some of llamood needs, and how it is installed."""

from __future__ import annotations


def to_install(extra: str) -> str:
    """What to type, for messages, as README.md has it: llamood is installed from its sources."""
    return f'pip install ".[{extra}]" in the folder of llamood\'s sources'
