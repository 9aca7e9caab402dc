"""A request, by OpenAI's own client or by plain HTTP, whole or as a stream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import openai

from soaking.answer import Answer, Cut, Refused, events, streamed, whole

_SECONDS = 600.0  # until a client gives up by itself; whoever asks is less patient
_BROKEN = (httpx.TransportError, openai.APIConnectionError, ConnectionError)
_TEXT, _CHAT = "/v1/completions", "/v1/chat/completions"


@dataclass(frozen=True)
class Line:
    """Connections of one client to a service, in both ways."""

    plain: httpx.AsyncClient
    official: openai.AsyncOpenAI

    async def ask(self, body: Mapping[str, Any], *, stream: bool, official: bool) -> Answer:
        """``body``: of a chat, or of a text completion where it has a ``prompt``. Raises `Refused`,
        `Cut` and `Wrong`."""
        n = int(body.get("n") or 1)
        prompt = body.get("prompt")
        if isinstance(prompt, list) and not isinstance(prompt[0], int):
            n *= len(prompt)
        try:
            how = self._officially if official else self._plainly
            said = await how(body, stream)
        except openai.APIStatusError as error:
            wait = float(error.response.headers.get("retry-after", 0))
            raise Refused(error.status_code, _body_of(error.response), wait=wait) from None
        except openai.APIError as error:
            if isinstance(error, openai.APIConnectionError):
                raise Cut(repr(error)) from None
            raise Refused(0, {"error": error.body}) from None
        except _BROKEN as error:
            raise Cut(repr(error)) from None
        return streamed(said, n=n) if stream else whole(said[0], n=n)

    async def _officially(self, body: Mapping[str, Any], stream: bool) -> list[dict[str, Any]]:
        """What its types do not know goes beside them, as its documentation has it."""
        known = {"model": "soak", "stream": stream}
        rest = {k: v for k, v in body.items() if k not in ("messages", "prompt", "model")}
        create: Any = self.official.chat.completions.create
        if "prompt" in body:
            create, known["prompt"] = self.official.completions.create, body["prompt"]
        else:
            known["messages"] = body["messages"]
        told = await create(**known, extra_body=rest)
        if not stream:
            return [told.model_dump()]
        async with told:
            return [chunk.model_dump() async for chunk in told]

    async def _plainly(self, body: Mapping[str, Any], stream: bool) -> list[dict[str, Any]]:
        async with self.sent({**body, "stream": stream}) as response:
            if stream:
                return events([line async for line in response.aiter_lines()])
            await response.aread()
            return [response.json()]

    @contextlib.asynccontextmanager
    async def sent(self, body: Mapping[str, Any]) -> AsyncIterator[httpx.Response]:
        """The answer as it comes, for whoever reads it in a way of his own. Raises `Refused` and
        what httpx does."""
        path = _TEXT if "prompt" in body else _CHAT
        async with self.plain.stream("POST", path, json={"model": "soak", **body}) as response:
            if response.status_code != 200:
                await response.aread()
                wait = float(response.headers.get("retry-after", 0))
                raise Refused(response.status_code, _body_of(response), wait=wait)
            yield response

    async def send(self, method: str, path: str, **how: Any) -> tuple[int, Any]:
        """Status and body of any other request. Raises `Cut`."""
        try:
            response = await self.plain.request(method, path, **how)
        except _BROKEN as error:
            raise Cut(repr(error)) from None
        return response.status_code, _body_of(response)

    async def metrics(self) -> dict[str, float]:
        """What the service counts, by names with their labels."""
        _, text = await self.send("GET", "/metrics")
        lines = [each for each in str(text).splitlines() if not each.startswith("#")]
        return {name: float(value) for name, value in (each.rsplit(" ", 1) for each in lines)}


def _body_of(response: Any) -> Any:
    """As JSON, where it is that; else its text."""
    try:
        return response.json()
    except ValueError:
        return response.text


@contextlib.asynccontextmanager
async def line(url: str) -> AsyncIterator[Line]:
    """To a service at this address, until the block is left."""
    plain = httpx.AsyncClient(base_url=url, timeout=_SECONDS)
    official = openai.AsyncOpenAI(
        base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=_SECONDS
    )
    try:
        yield Line(plain, official)
    finally:
        await asyncio.gather(plain.aclose(), official.close())
