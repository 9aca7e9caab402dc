"""Every endpoint with what it takes and returns, from the OpenAPI document of the service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from starlette.testclient import TestClient

from llamood.server.app import create_app
from llamood.server.engine import Engine
from llamood.server.metrics import Metrics
from llamood.server.requests import Shared
from llamood.server.settings import Settings
from llamood.voices.cast import Cast
from reference.markdown import cell, inline, notes, page, prose, table

Schema = Mapping[str, Any]


def _said(path: str) -> httpx.Response:
    """By a service whose model is never opened."""

    def open_nothing() -> Cast:
        raise AssertionError("the engine is not started")

    metrics = Metrics()
    engine = Engine(open_nothing, metrics=metrics, n_waiting=1)
    client = TestClient(create_app(engine, Settings(model="demo"), metrics))
    return client.get(path).raise_for_status()


def document() -> dict[str, Any]:
    """What the service says of itself."""
    return dict(_said("/openapi.json").json())


def counted() -> list[tuple[str, str, str]]:
    """Of each metric its name, kind and what it is."""
    text = _said("/metrics").text
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    told = re.findall(r"^# HELP (\w+) (.+)$", text, re.MULTILINE)
    return [(name, kinds[name], said) for name, said in told if not name.endswith("_created")]


def refused() -> list[str]:
    """Fields of OpenAI and of llama.cpp's servers that are refused by name."""
    return sorted(Shared.refused)


def operations(api: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Method, path, and what OpenAPI says of it."""
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def written() -> str:
    api = document()
    found = list(operations(api))
    listed = table(
        ["endpoint", ""],
        ([f"[`{m} {p}`](#{_anchor(f'{m} {p}')})", cell(_brief(o))] for m, p, o in found),
    )
    schemas = api["components"]["schemas"]
    named = _reached([operation for _, _, operation in found], schemas)
    return page(
        "# The service over HTTP",
        notes(__file__),
        listed,
        *(part for m, p, o in found for part in _operation(f"{m} {p}", o)),
        "## What requests and answers are made of",
        "Of a request's fields, null is as if the field were left out.",
        *(part for name in named for part in _schema(name, schemas[name])),
    )


def _brief(operation: Schema) -> str:
    return str(operation["description"]).split("\n\n")[0]


def _anchor(heading: str) -> str:
    kept = (c for c in heading.lower() if c.isalnum() or c in " -_")
    return "".join(kept).strip().replace(" ", "-")


def _operation(name: str, operation: Schema) -> Iterator[str]:
    yield f"## {name}"
    yield prose(operation["description"])
    for parameter in operation.get("parameters", []):
        yield f"`{parameter['name']}` stands in the path."
    if "requestBody" in operation:
        (body,) = operation["requestBody"]["content"].values()
        yield f"Takes {_kind(body['schema'])}, as JSON."
    for status, response in operation["responses"].items():
        if status not in ("4XX", "5XX", "422"):
            yield from _response(status, response)
    if name == "GET /metrics":
        rows = ([f"`{metric}`", kind, cell(said)] for metric, kind, said in counted())
        yield table(["metric", "kind", ""], rows)


def _response(status: str, response: Schema) -> Iterator[str]:
    for kind, content in response.get("content", {}).items():
        schema = content.get("schema", {})
        yield f"{status}, `{kind}`: {inline(response['description'])}"
        if "properties" in schema:
            yield table(["field", "is", ""], _fields(schema))
    if "content" not in response:
        yield f"{status}: {inline(response['description'])}"


def _schema(name: str, schema: Schema) -> Iterator[str]:
    yield f"### {name}"
    if name == "Mood":
        yield (
            "Emotions and settings, as in [the reference of moods](moods.md); as JSON Schema: "
            "[mood.schema.json](../../python/llamood/data/mood.schema.json)."
        )
        return
    if "description" in schema:
        yield prose(schema["description"])
    yield table(["field", "is", ""], _fields(schema, asked=True))
    if name == "ChatRequest":
        listed = ", ".join(f"`{field}`" for field in refused())
        yield f"Refused by name, unless they ask for what is so anyway: {listed}."


def _fields(schema: Schema, *, within: str = "", asked: bool = False) -> Iterator[list[str]]:
    """A row for each field, and for those of the objects in it. ``asked``: of a request, where it
    counts which are required."""
    required = schema.get("required", [])
    for name, each in schema["properties"].items():
        said = [cell(about(each))] if about(each) else []
        said += ["Required."] if asked and name in required else []
        default = each.get("default")
        said += [f"Default: `{_json(default)}`."] if default is not None else []
        yield [f"`{within}{name}`", _kind(each).replace("|", "\\|"), " ".join(said)]
        items = each.get("items", {})
        if "properties" in each:
            yield from _fields(each, within=f"{within}{name}.")
        elif "properties" in items:
            yield from _fields(items, within=f"{within}{name}[].")


def about(schema: Schema) -> str:
    """What is said of it, or of the one thing that it may be beside null."""
    said = str(schema.get("description", ""))
    return said or next((d for d in map(about, schema.get("anyOf", ())) if d), "")


def _kind(schema: Schema) -> str:
    """In words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        if name == "JsonValue":
            return "anything"
        return f"[{name}](#{name.lower()})"
    for joined in ("anyOf", "oneOf"):
        if joined in schema:
            ways = [each for each in schema[joined] if each.get("type") != "null"]
            return " or ".join(dict.fromkeys(map(_kind, ways)))
    if "const" in schema:
        return f"`{_json(schema['const'])}`"
    if "enum" in schema:
        return " or ".join(f"`{_json(each)}`" for each in schema["enum"])
    if isinstance(schema.get("type"), list):
        return " or ".join(_kind({**schema, "type": each}) for each in schema["type"])
    return _plain(schema)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _plain(schema: Schema) -> str:
    kind = schema.get("type")
    if kind == "array":
        items = _kind(schema["items"]) if schema.get("items") else "anything"
        return f"list of {items}{_bounds(schema, 'minItems', 'maxItems', ' of them')}"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"object of {_kind(values)}" if isinstance(values, dict) and values else "object"
    if kind == "string":
        return f"text{_bounds(schema, 'minLength', 'maxLength', ' characters')}"
    if kind in ("integer", "number"):
        return f"{kind}{_bounds(schema, 'minimum', 'maximum', '')}{_open(schema)}"
    return {"boolean": "true or false", "null": "null"}.get(str(kind), "anything")


def _open(schema: Schema) -> str:
    return f" above {schema['exclusiveMinimum']:.10g}" if "exclusiveMinimum" in schema else ""


def _bounds(schema: Schema, low: str, high: str, unit: str) -> str:
    least, most = schema.get(low), schema.get(high)
    if most is not None and abs(most) > 2**31:
        return ""
    if least is not None and most is not None:
        return f" ({least:.10g} to {most:.10g}{unit})"
    if most is not None:
        return f" ({most:.10g}{unit} at most)"
    return f" ({least:.10g}{unit} at least)" if least else ""


def _reached(parts: Any, schemas: Schema) -> list[str]:
    """The schemas to which these parts refer, and those to which they do, in that order."""
    found: dict[str, None] = {}

    def visit(part: Any) -> None:
        if isinstance(part, list):
            for each in part:
                visit(each)
        elif isinstance(part, dict):
            name = str(part.get("$ref", "")).rsplit("/", 1)[-1]
            if name in schemas and "properties" in schemas[name] and name not in found:
                found[name] = None
                if name != "Mood":
                    visit(schemas[name])
            for key, each in part.items():
                if key != "422":
                    visit(each)

    visit(parts)
    return list(found)
