"""What is bounded before it costs: requests in preparation, answers by grammars, lines of a log."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from llamood.server.errors import ApiError
from llamood.server.preparing import Preparing
from llamood.server.repeated_lines import RepeatedLines


def test_so_many_are_prepared_and_so_many_wait() -> None:
    is_over = threading.Event()
    running = threading.Semaphore(0)

    def work() -> str:
        running.release()
        is_over.wait()
        return "done"

    async def told() -> list[str | BaseException]:
        preparing = Preparing(large=100, at_once=2, n_waiting=16)
        small = [asyncio.create_task(preparing.run(99, work)) for _ in range(2 + 16 + 3)]
        large = [asyncio.create_task(preparing.run(100, work)) for _ in range(1 + 2 + 3)]
        for _ in range(2 + 1):
            await asyncio.to_thread(running.acquire)
        assert not running.acquire(blocking=False)
        is_over.set()
        return await asyncio.gather(*small, *large, return_exceptions=True)

    found = asyncio.run(told())
    assert found[:18] == ["done"] * 18
    assert found[21:24] == ["done"] * 3
    for refused in (*found[18:21], *found[24:]):
        assert isinstance(refused, ApiError)
        assert refused.status_code == 429
        assert refused.code == "preparing_full"
        assert int((refused.headers or {})["Retry-After"]) >= 1


def test_who_gives_up_waiting_leaves_its_place() -> None:
    async def told() -> str:
        is_over = threading.Event()
        preparing = Preparing(large=100, at_once=1, n_waiting=1)
        first = asyncio.create_task(preparing.run(1, is_over.wait))
        await asyncio.sleep(0.01)
        for _ in range(3):
            waiting = asyncio.create_task(preparing.run(1, lambda: "never"))
            await asyncio.sleep(0.01)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        is_over.set()
        await first
        return await preparing.run(1, lambda: "done")

    assert asyncio.run(told()) == "done"


def test_what_is_said_again_and_again_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    log = logging.getLogger("llamood.test")
    caplog.handler.addFilter(RepeatedLines(seconds=60, now=lambda: now[0]))
    for second in range(121):
        now[0] = float(second)
        for number in range(10):
            log.warning("failed: %s", f"{second}.{number}")
        if second == 7:
            log.warning("another")
    assert caplog.messages == [
        "failed: 0.0",
        "another",
        "failed: 60.0 (and 599 times more before)",
        "failed: 120.0 (and 599 times more before)",
    ]
