"""A saved voice. Whoever writes a hostile file can write the digest of its cache, too, so that is
made right here; but where the first byte is ``x``, it is as it is."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fuzz.readers.hostile import is_read, put
from llamood.voices import saved_voice


def read(data: bytes) -> None:
    content = data[1:] if data[:1] == b"x" else with_digest(data)
    path = put("ann.voice", content)
    is_read(lambda: saved_voice.read(path).sampling.manner())


def with_digest(data: bytes) -> bytes:
    line, _, tail = data.partition(b"\n")
    try:
        head: Any = json.loads(line)
        head["cache"]["bytes"] = len(tail)
        head["cache"]["blake2b"] = hashlib.blake2b(tail, digest_size=16).hexdigest()
        line = json.dumps(head).encode()
    except (ValueError, RecursionError, TypeError, LookupError):
        pass
    return line + b"\n" + tail
