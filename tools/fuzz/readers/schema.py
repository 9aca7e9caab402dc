"""A JSON schema, which becomes a grammar."""

from __future__ import annotations

import json

from fuzz.readers.hostile import is_read
from llamood.server.breadth import require_narrow
from llamood.server.errors import ApiError
from llamood.server.fields import is_too_deep
from llamood.server.formats import grammar_of


def read(data: bytes) -> None:
    try:
        schema = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(schema, dict) or is_too_deep(schema):  # which a request's body refuses
        return
    is_read(lambda: require_narrow(grammar_of(schema, param="schema"), param="schema"), (ApiError,))
