"""The application: endpoints, and what stands around them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llamood import __version__
from llamood.server import descriptions, errors
from llamood.server.engine import Engine
from llamood.server.gate import Gate
from llamood.server.metrics import Metrics
from llamood.server.page import Page
from llamood.server.requests import (
    CancelRequest,
    ChatRequest,
    EmotionRequest,
    RowsRequest,
    TextRequest,
)
from llamood.server.service import Service
from llamood.server.settings import Settings


def create_app(engine: Engine, settings: Settings, metrics: Metrics) -> ASGIApp:
    """What an ASGI server runs; it starts the engine, and stops it."""
    service = Service(engine, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        engine.start()
        yield
        service.close()
        engine.stop()
        if settings.sessions is not None:
            settings.sessions.close()

    app = _Described(
        settings, title="llamood", version=__version__, lifespan=lifespan, redirect_slashes=False
    )
    app.add_exception_handler(HTTPException, errors.told)
    app.add_exception_handler(RequestValidationError, errors.told_invalid)
    app.add_exception_handler(Exception, errors.told_nothing)
    _add_endpoints(app, service, settings, metrics)
    _add_additions(app, service)
    # Not mounted: a mount at / takes every path, so that nobody is told which methods one has.
    app.router.default = Page()
    around: ASGIApp = Gate(app, settings)
    if settings.origins:
        around = CORSMiddleware(
            around,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],  # every client library has some of its own
            allow_private_network=True,  # a page of the web asks for that of a machine at home
            expose_headers=["Retry-After"],
        )
    return _Counted(around, metrics)


def _add_endpoints(app: FastAPI, service: Service, settings: Settings, metrics: Metrics) -> None:
    @app.post("/v1/chat/completions", responses=descriptions.CHAT)
    async def chat_completions(asked: ChatRequest, request: Request) -> Response:
        return await service.chat(asked, request)

    @app.post("/v1/completions", responses=descriptions.TEXT)
    async def completions(asked: TextRequest, request: Request) -> Response:
        return await service.text(asked, request)

    @app.get("/v1/models", responses=descriptions.REFUSED)
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [descriptions.model(settings)]}

    @app.get("/v1/models/{model:path}", responses=descriptions.REFUSED)
    async def one_model(model: str) -> dict[str, Any]:
        if model != settings.model:
            raise errors.no_model(model, settings)
        return descriptions.model(settings)

    @app.get("/v1/emotions", responses=descriptions.EMOTIONS)
    async def emotions() -> dict[str, Any]:
        data = descriptions.emotions(service.engine.cast)
        return {"object": "list", "data": data}

    @app.post("/v1/mood/rows", responses=descriptions.ROWS)
    async def mood_rows(asked: RowsRequest, request: Request) -> Response:
        return await service.rows(asked, request)

    @app.get("/v1/studio", responses=descriptions.STUDIO)
    async def studio() -> dict[str, Any]:
        return descriptions.studio(service.engine.cast, settings)

    @app.get("/health", responses={503: {"description": "Not ready."}})
    async def health() -> Response:
        state = service.engine.state
        return JSONResponse({"status": state}, 200 if state == "ready" else 503)

    @app.get("/metrics", response_class=Response, responses=descriptions.METRICS)
    async def prometheus() -> Response:
        return Response(metrics.written(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_additions(app: FastAPI, service: Service) -> None:
    @app.post("/v1/emotions", status_code=202, responses=descriptions.ADDITION)
    async def add_emotion(asked: EmotionRequest, request: Request) -> dict[str, Any]:
        return descriptions.addition(await service.add(asked, request))

    @app.get("/v1/emotions/addition", responses=descriptions.ADDITION)
    async def addition() -> dict[str, Any]:
        return descriptions.addition(service.additions.latest)

    @app.post("/v1/emotions/addition/cancel", responses=descriptions.ADDITION)
    async def cancel_addition(asked: CancelRequest) -> dict[str, Any]:
        return descriptions.addition(service.additions.cancel(asked.name))


class _Described(FastAPI):
    """Its OpenAPI document says what a mood is; pages that load scripts from elsewhere are off."""

    def __init__(self, settings: Settings, **how: Any) -> None:
        super().__init__(docs_url=None, redoc_url=None, **how)
        self._settings = settings

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = descriptions.of_service(super().openapi(), self._settings)
        return self.openapi_schema


class _Counted:
    """Counts requests by where they went and how they ended."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = scope.get("route")
                path = getattr(route, "path", None) or "other"
                self._metrics.requests.labels(path, str(message["status"])).inc()
            await send(message)

        await self._app(scope, receive, noted if scope["type"] == "http" else send)
