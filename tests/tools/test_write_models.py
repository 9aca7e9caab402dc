"""docs/models.md says what llamood does with models now."""

from __future__ import annotations

import pytest

import write_models


@pytest.mark.slow
def test_the_page_is_as_it_would_be_written_now() -> None:
    written = write_models.PAGE.read_text(encoding="utf-8")
    assert written == write_models.page(), "run: python tools/write_models.py"
