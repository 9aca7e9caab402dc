"""A service in a process of its own, as ``llamood serve`` starts it."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai

import tiny_chat

PATIENCE = 60  # seconds; of what takes a few
# Options of a service whose page has questions to try.
SUGGESTED = tuple(word for asked in tiny_chat.SUGGESTIONS for word in ("--suggest", asked))


@dataclass
class Server:
    """``said``: the lines that it wrote to standard error until it was ready."""

    process: subprocess.Popen[str]
    url: str
    said: list[str]
    key: str = "none"

    def client(self, **how: Any) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=self.key, max_retries=0, **how)

    def client_async(self, **how: Any) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"{self.url}/v1", api_key=self.key, max_retries=0, **how)

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        return self.send("GET", path, None, **headers)

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        """``body``: JSON-able, or bytes as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, text = self.send(
            "POST", path, data, **{"Content-Type": "application/json"} | headers
        )
        return status, json.loads(text)

    def send(self, method: str, path: str, data: bytes | None, **headers: str) -> tuple[int, str]:
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metric(self, name: str) -> float:
        """The value of the metric of this name, all its labels together."""
        _, text = self.get("/metrics", Authorization=f"Bearer {self.key}")
        lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
        found = [float(value) for key, value in lines if key.split("{")[0] == name]
        assert found, f"no metric {name}"
        return sum(found)

    def settles(self, name: str, value: float) -> None:
        """Waits until a metric has this value."""
        end = time.monotonic() + PATIENCE
        while self.metric(name) != value:
            assert time.monotonic() < end, f"{name} is {self.metric(name)}, never {value}"
            time.sleep(0.02)


_PLAIN = "from llamood.cli import main; main()"
# What is cached is not rounded, so that it hardly matters what else was in a batch.
_EXACT = f"""
from functools import partial
from llamood.cli import serve
serve.Cast = partial(serve.Cast, type_k=0, type_v=0)
{_PLAIN}
"""


@contextlib.contextmanager
def serving(
    model: Path | str = tiny_chat.MODEL,
    *options: str | Path,
    key: str = "none",
    exact: bool = False,
) -> Iterator[Server]:
    """Until the block is left. ``key``: what its client sends. ``exact``: what is cached is
    float32."""
    arguments = ["serve", str(model), "--port", "0", "--threads", "1", *map(str, options)]
    process = subprocess.Popen(
        [sys.executable, "-c", _EXACT if exact else _PLAIN, *arguments],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said: list[str] = []
    try:
        for line in process.stderr:
            said.append(line)
            if line.startswith("Serving"):
                url = next(word for word in line.split() if word.startswith("http"))
                yield Server(process, url, said, key)
                break
        else:
            raise AssertionError(f"it did not start: {''.join(said)}")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
        process.stderr.close()
