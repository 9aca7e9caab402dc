"""What several test files share: the data at hand, and small real model files."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real vectors, texts and models that lies beside the project, where it does."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data, which is not here")
    return folder


@pytest.fixture(scope="session")
def stories(shared_data: Path) -> Path:
    """A real tiny llama (5 layers, width 64, F32) that nobody here made."""
    return shared_data / "stories260K" / "stories260K-f32.gguf"
