"""What is done for a request before it waits for a voice: never for too many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from llamood.errors import ModelError
from llamood.server.errors import ApiError
from llamood.voices.cast import Cast

_T = TypeVar("_T")


class Preparing:
    """Places in which prompts, grammars and moods are worked out, each in a thread. Large requests
    have one of their own, so that small ones never wait for them.

    ``large``: bytes of a body from which it is. ``at_once``: of small ones. ``n_waiting``: of small
    ones that may wait for a place, and an eighth as many large ones. Used in one event loop.
    """

    def __init__(self, *, large: int, at_once: int, n_waiting: int) -> None:
        self._large = large
        self._small_places = _Places(at_once, n_waiting)
        self._large_places = _Places(1, n_waiting // 8)

    async def run(self, n_byte: int, work: Callable[[], _T], *, goes_on: bool = False) -> _T:
        """``n_byte``: of the request's body. Raises `ApiError` where as many wait already, unless
        it is for an answer that ``goes_on``."""
        places = self._large_places if n_byte >= self._large else self._small_places
        if not goes_on and places.free.locked() and places.n_waiting >= places.most_waiting:
            raise ApiError(
                429,
                f"{places.n_waiting} requests wait to be prepared already; try again later",
                code="preparing_full",
                headers={"Retry-After": "1"},
            )
        places.n_waiting += 1
        try:
            await places.free.acquire()
        finally:
            places.n_waiting -= 1
        try:
            return await run_in_threadpool(work)
        finally:
            places.free.release()


class _Places:
    def __init__(self, n: int, most_waiting: int) -> None:
        self.free = asyncio.Semaphore(n)
        self.most_waiting = most_waiting
        self.n_waiting = 0


def require_room(cast: Cast, said: Any, *, param: str, n_beside: int = 0) -> None:
    """Raises `ApiError` for texts, anywhere in this JSON, that have more tokens than a voice can
    remember, as far as that is known without writing them as tokens. ``n_beside``: tokens that
    surely come to them."""
    n = n_beside + sum(map(cast.n_token_at_least, _texts(said)))
    if n >= cast.n_ctx:
        raise ApiError(
            400,
            f"this model's maximum context length is {cast.n_ctx} tokens, and the prompt has {n} "
            "at least; shorten it",
            param=param,
            code="context_length_exceeded",
        )


def tokens_a_message(cast: Cast) -> int:
    """How many tokens the chat template surely puts around each message: half of what it puts
    around those of two who take turns, and 0 where it takes no such conversation."""
    turns = [{"role": role, "content": "a"} for role in ("user", "assistant")]
    try:
        short, long = (len(cast.prompt(turns * n, plain=True)) for n in (1, 3))
    except ModelError:
        return 0
    return max(((long - short) // 4 - 1) // 2, 0)


def _texts(said: Any) -> Iterable[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, dict | list):
        for part in said.values() if isinstance(said, dict) else said:
            yield from _texts(part)
