"""What several test files share: the data at hand, and small real model files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from browsers import chromium
from llamood import demo
from llamood.errors import ModelError
from random_chats import write_random_chat

# Tests assert behaviour and never time: a busy machine draws examples slowly.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")
# Where tests run in several processes each is told how wide the terminal is; commands are to find
# none.
os.environ.pop("COLUMNS", None)


def _take_share(worker: str, n_worker: int) -> None:
    """Of the processors, for one of several processes of tests (``gw0`` is the first), and for all
    that it starts: threads of llama.cpp wait for each other at barriers, and where another process
    takes turns with them on the same processors, every wait is a turn long."""
    usable = sorted(os.sched_getaffinity(0))
    own = usable[int(worker.removeprefix("gw")) :: n_worker]
    os.sched_setaffinity(0, own or usable)


if "PYTEST_XDIST_WORKER" in os.environ and hasattr(os, "sched_setaffinity"):
    _take_share(os.environ["PYTEST_XDIST_WORKER"], int(os.environ["PYTEST_XDIST_WORKER_COUNT"]))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real vectors, texts and models that lies beside the project, where it does."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data, which is not here")
    return folder


@pytest.fixture(scope="session")
def demo_model() -> Path:
    """SmolLM2-135M-Instruct, where its package is."""
    try:
        return demo.MODEL
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def demo_vectors() -> Path:
    """What llamood brings for it."""
    if not demo.VECTORS.is_dir():
        pytest.skip("needs the demo's vectors, which are not measured yet")
    return demo.VECTORS


@pytest.fixture(scope="session")
def stories(shared_data: Path) -> Path:
    """A real tiny llama (5 layers, width 64, F32) that nobody here made."""
    return shared_data / "stories260K" / "stories260K-f32.gguf"


@pytest.fixture(scope="session")
def random_chat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random llama that answers chats: 4 layers, width 64, bytes for tokens, F32."""
    path = tmp_path_factory.mktemp("models") / "random-chat.gguf"
    return write_random_chat(path, name="random chat")


@pytest.fixture(params=["random_chat", "stories"])
def model(request: pytest.FixtureRequest) -> Path:
    """Both small models: the random one always, the real one where it is."""
    path: Path = request.getfixturevalue(request.param)
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium: that of LLAMOOD_CHROMIUM, of the system, or of Playwright. Of one module only,
    as Playwright's loop, while it runs, lets no other run in its thread."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason='needs a browser: pip install ".[browser]"'
    )
    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(chromium())
        except playwright.Error as error:
            pytest.skip(f"needs a Chromium (apt-get install chromium): {error.message[:200]}")
        yield started


@pytest.fixture
def studio(browser: Any, server: Any) -> Iterator[Any]:
    """The page of the module's own ``server``, in a fresh profile."""
    from studios import visiting

    with visiting(browser, server) as studio:
        yield studio
