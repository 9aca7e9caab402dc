"""What stands before all endpoints: who may call, and how large a request may be."""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llamood.server.errors import ApiError
from llamood.server.settings import Settings

_PORT = re.compile(r":[0-9]*$")
GUARDED = ("/v1/", "/metrics")  # what needs the key


class Gate:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._require(scope)
        except ApiError as error:
            response = JSONResponse(error.body(), error.status_code, dict(error.headers or {}))
            await response(scope, receive, send)
            return
        await self._app(scope, self._limited(receive), send)

    def _require(self, scope: MutableMapping[str, Any]) -> None:
        headers = Headers(scope=scope)
        hosts = self._settings.hosts
        host = _PORT.sub("", headers.get("host", "")).lower()
        if hosts and host not in hosts:
            message = f"called by another name than {', '.join(hosts)}; --host-name allows one more"
            raise ApiError(403, message, code="host")
        if self._settings.api_key is not None and scope["path"].startswith(GUARDED):
            given = headers.get("authorization", "")
            expected = f"Bearer {self._settings.api_key}"
            if not hmac.compare_digest(given.encode(), expected.encode()):
                raise ApiError(
                    401,
                    "expected the service's key as Authorization: Bearer KEY",
                    code="invalid_api_key",
                    headers={"WWW-Authenticate": "Bearer"},
                )
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > self._settings.n_body:
            raise self._too_large()

    def _limited(self, receive: Receive) -> Receive:
        """The same, where the body is counted, and must come in time and without long pauses."""
        settings, now = self._settings, asyncio.get_running_loop().time
        size = 0
        is_whole = False
        end = now() + settings.request_seconds
        pace, paced = now() + settings.pace_seconds, 0  # until when, and how much had come before

        async def limited() -> Message:
            nonlocal size, is_whole, pace, paced
            if is_whole:  # what comes now is that the client has gone
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), max(min(end, pace) - now(), 0.0))
            except asyncio.TimeoutError:
                raise self._too_slow() from None
            size += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if size > settings.n_body:
                raise self._too_large()
            if not is_whole and now() >= pace:
                if size - paced < settings.n_pace:
                    raise self._too_slow()
                pace, paced = now() + settings.pace_seconds, size
            return message

        return limited

    def _too_slow(self) -> ApiError:
        settings = self._settings
        return ApiError(
            408,
            f"the body did not come in time; expected all of it in {settings.request_seconds:g} "
            f"seconds, and {settings.n_pace} bytes in each {settings.pace_seconds:g}",
        )

    def _too_large(self) -> ApiError:
        return ApiError(413, f"the body is larger than {self._settings.n_body} bytes")
