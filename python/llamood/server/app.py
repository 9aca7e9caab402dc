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
        """An answer to a conversation, whole or as a stream of server-sent events, as OpenAI's; in
        a mood where the request or its session has one."""
        return await service.chat(asked, request)

    @app.post("/v1/completions", responses=descriptions.TEXT)
    async def completions(asked: TextRequest, request: Request) -> Response:
        """What continues a text, or each of several, whole or as a stream, as OpenAI's; in a mood
        where there is one."""
        return await service.text(asked, request)

    @app.get("/v1/models", responses=descriptions.MODELS)
    async def models() -> dict[str, Any]:
        """The one model that is served."""
        return {"object": "list", "data": [descriptions.model(settings)]}

    @app.get("/v1/models/{model:path}", responses=descriptions.MODEL)
    async def one_model(model: str) -> dict[str, Any]:
        """The model of this name; 404 for another than the one that is served."""
        if model != settings.model:
            raise errors.no_model(model, settings)
        return descriptions.model(settings)

    @app.get("/v1/emotions", responses=descriptions.EMOTIONS)
    async def emotions() -> dict[str, Any]:
        """The emotions that a mood may have: the largest fluent intensity of each, where it lies in
        valence, arousal and dominance, and how surely it is read."""
        data = descriptions.emotions(service.engine.cast)
        return {"object": "list", "data": data}

    @app.post("/v1/mood/rows", responses=descriptions.ROWS)
    async def mood_rows(asked: RowsRequest, request: Request) -> Response:
        """What a mood will come to at each token of an answer, before limits and inertia, and
        after."""
        return await service.rows(asked, request)

    @app.get("/v1/studio", responses=descriptions.STUDIO)
    async def studio() -> dict[str, Any]:
        """What the studio needs to know of the model, of its readings and of the personalities."""
        return descriptions.studio(service.engine.cast, settings)

    @app.get("/health", responses=descriptions.HEALTH)
    async def health() -> Response:
        """Whether the model is loaded: 200 when it is, 503 before and where that failed."""
        state = service.engine.state
        return JSONResponse({"status": state}, 200 if state == "ready" else 503)

    @app.get("/metrics", response_class=Response, responses=descriptions.METRICS)
    async def prometheus() -> Response:
        """Counts and times, in Prometheus' form."""
        return Response(metrics.written(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_additions(app: FastAPI, service: Service) -> None:
    @app.post("/v1/emotions", status_code=202, responses=descriptions.ADDING)
    async def add_emotion(asked: EmotionRequest, request: Request) -> dict[str, Any]:
        """Measure a new emotion beside the answers, and take it up. 403 without --allow-extract,
        409 while another is measured."""
        return descriptions.addition(await service.add(asked, request))

    @app.get("/v1/emotions/addition", responses=descriptions.ADDITION)
    async def addition() -> dict[str, Any]:
        """How far the emotion is that was asked for last."""
        return descriptions.addition(service.additions.latest)

    @app.post("/v1/emotions/addition/cancel", responses=descriptions.ADDITION)
    async def cancel_addition(asked: CancelRequest) -> dict[str, Any]:
        """Measure this emotion no further."""
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
