"""What a request is told when it cannot be answered, in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from llamood.server.settings import Settings

_LONGEST = 1000  # characters of a message, some of which quote the request


class ApiError(HTTPException):
    """``param``: the field of the request at fault; ``code``: OpenAI's word for the fault."""

    def __init__(
        self,
        status_code: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status_code, message, headers)
        self.param = param
        self.code = code

    def body(self) -> dict[str, Any]:
        return error_body(self.status_code, self.detail, param=self.param, code=self.code)


def no_model(name: str | None, settings: Settings) -> ApiError:
    """Of a request for another model than the one that is served."""
    message = f"there is no model {name[:60]!r} here" if name else "the request names no model"
    message += f", but {settings.model!r}" if name else f"; expected {settings.model!r}"
    return ApiError(404, message, param="model", code="model_not_found")


def error_body(
    status: int, message: str, *, param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    kinds = {401: "authentication_error", 429: "rate_limit_error"}
    kind = "server_error" if status >= 500 else kinds.get(status, "invalid_request_error")
    shown = message.encode("utf-8", "replace").decode()[:_LONGEST]
    return {"error": {"message": shown, "type": kind, "param": param, "code": code}}


async def told(_: Request, error: Exception) -> JSONResponse:
    """Of an `ApiError`, or what the framework refuses by itself."""
    assert isinstance(error, HTTPException)
    body = error.body() if isinstance(error, ApiError) else None
    return JSONResponse(
        body or error_body(error.status_code, str(error.detail)),
        error.status_code,
        dict(error.headers or {}),
    )


async def told_invalid(_: Request, error: Exception) -> JSONResponse:
    """Of a request that is not what the schema says."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return JSONResponse(error_body(400, "the body is not JSON"), 400)
    if first["loc"][0] == "body" and not isinstance(error.body, dict):
        message = "expected an object of JSON, sent as Content-Type: application/json"
        return JSONResponse(error_body(400, message), 400)
    param = ".".join(_fields(first, error.body))[:100] or None
    code = "unknown_parameter" if first["type"] == "extra_forbidden" else None
    return JSONResponse(error_body(400, _said(first, param), param=param, code=code), 400)


def _said(fault: Mapping[str, Any], param: str | None) -> str:
    """What is wrong, in the words of the request."""
    kind, message, about = str(fault["type"]), str(fault["msg"]), fault.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown field {param!r}; leave it out"
    if param is None:
        return message
    if kind == "refused":
        return f"{param} {message}"
    if kind in ("model_type", "model_attributes_type"):
        message = "expected an object"
    elif kind == "string_type":
        message = "expected a text"
    elif kind in ("too_short", "too_long"):
        unit = "characters" if about["field_type"] == "Value" else "items"
        least = about.get("min_length")
        bound = f"at most {about['max_length']}" if least is None else f"at least {least}"
        message = f"expected {bound} {unit}, found {about['actual_length']}"
    elif kind == "union_tag_invalid":
        message = f"expected one of {about['expected_tags']}, found {about['tag']!r:.60}"
    elif kind == "union_tag_not_found":
        message = "Field required"
    return f"{param}: {message}"


def _fields(fault: Mapping[str, Any], body: Any) -> Iterator[str]:
    """Where it is. pydantic names its own types among the fields, which nobody has sent."""
    place, *where = fault["loc"]
    if place != "body":
        yield from map(str, where)
        return
    for part in where:
        is_field = isinstance(body, dict) and part in body
        if is_field or (isinstance(body, list) and isinstance(part, int) and part < len(body)):
            body = body[part]
            yield str(part)
    about = fault.get("ctx", {})
    if fault["type"] == "missing":
        yield str(where[-1])
    elif "field" in about:
        yield str(about["field"])
    elif fault["type"] in ("union_tag_invalid", "union_tag_not_found"):
        yield str(about["discriminator"]).strip("'")


async def told_nothing(_: Request, __: Exception) -> JSONResponse:
    """Of a fault of ours: nothing of the inside."""
    return JSONResponse(error_body(500, "the server failed at this request"), 500)
