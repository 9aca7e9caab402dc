"""Two services behind nginx, as docs/scale.md has it: sessions stay where they are."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest

import tiny_chat
from servers import PATIENCE, Server, serving

pytestmark = pytest.mark.slow

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "scale.md"
KEY = "sesame"
ROUND = """daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/errors;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{block}
}}
"""


@contextmanager
def balanced(folder: Path, *servers: Server) -> Iterator[str]:
    """nginx with the block of the document, before these; its URL."""
    nginx = shutil.which("nginx")
    if nginx is None:
        pytest.skip("nginx is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = re.search(r"```nginx\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    block = found[1].replace("listen 8000", f"listen 127.0.0.1:{port}")
    for number, server in enumerate(servers, 8001):
        block = block.replace(f"127.0.0.1:{number}", server.url.removeprefix("http://"))
    config = folder / "nginx.conf"
    config.write_text(ROUND.format(folder=folder, block=block))
    process = subprocess.Popen([nginx, "-c", str(config), "-e", str(folder / "errors")])
    try:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                assert process.poll() is None, (folder / "errors").read_text()
                assert time.monotonic() < end
                time.sleep(0.05)
            else:
                break
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def test_sessions_stay_where_they_are_and_the_work_is_shared(tmp_path: Path) -> None:
    options = ("--api-key", KEY, "--voices", "1")
    with (
        serving(tiny_chat.MODEL, *options, key=KEY) as first,
        serving(tiny_chat.MODEL, *options, key=KEY) as second,
        balanced(tmp_path, first, second) as url,
        openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as client,
    ):

        def ask(session: str, mood: dict[str, float] | None) -> dict[str, float]:
            """What its last token was said under."""
            stream = client.chat.completions.create(
                model="tiny_chat",
                messages=[{"role": "user", "content": "How was your day?"}],
                max_tokens=4,
                stream=True,
                extra_headers={"X-Session": session},
                extra_body={
                    "llamood": {"session": session},
                    "readings": True,
                    **({} if mood is None else {"mood": mood}),
                },
            )
            told = [(chunk.model_extra or {}).get("llamood", {}) for chunk in stream]
            return [dict(one["asked"]) for one in told if "asked" in one][-1]

        names = [f"guest {number}" for number in range(12)]
        for number, name in enumerate(names):
            ask(name, {"joy": (number + 1) / 20})
        for number, name in enumerate(names):
            assert ask(name, None)["joy"] == pytest.approx((number + 1) / 20)
        shares = [server.metric("llamood_requests_total") for server in (first, second)]
        assert min(shares) > 0
