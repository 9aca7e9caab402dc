"""What `import llamood` loads, and what only its first use does."""

from __future__ import annotations

import subprocess
import sys

import pytest

import llamood

PROGRAM = """
import sys
import llamood
late = ["cast", "measuring", "judges", "demo"]
assert not [name for name in late if f"llamood.{name}" in sys.modules]
from llamood import judges
from llamood.measuring import extract
assert llamood.extract is extract
assert llamood.judges is judges
assert llamood.Cast.__module__ == "llamood.cast"
assert set(llamood.__all__) <= set(dir(llamood))
"""


def test_measuring_and_casts_are_loaded_by_who_uses_them() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)


def test_every_public_name_is_there() -> None:
    assert all(getattr(llamood, name) is not None for name in llamood.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nobody'"):
        llamood.nobody  # noqa: B018
