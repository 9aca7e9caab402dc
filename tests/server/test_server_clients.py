"""The current releases of those who call such services, against a real one.

Each holds a conversation in which a tool is called, and sends back what its own helpers made of the
answers. Those of npm and of the extra ``clients`` run as programs of their own (``tests/clients``).
"""

from __future__ import annotations

import json
import shutil
import string
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import openai
import pytest
from llama_cpp.server import types as llama_cpp_server
from pydantic import BaseModel

from servers import Server, serving
from tool_models import write_tool_model

pytestmark = pytest.mark.slow

CLIENTS = Path(__file__).resolve().parents[1] / "clients"
PATIENCE = 300  # seconds; of what takes a few


class Bread(BaseModel):
    kind: Literal["rye", "wheat"]
    slices: Literal[1, 2]


ASK: Any = {"role": "user", "content": "Bake."}
AGAIN: Any = {"role": "user", "content": "Again."}
TOOLS: list[Any] = [openai.pydantic_function_tool(Bread, name="bake")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path = write_tool_model(tmp_path_factory.mktemp("clients"), n_ctx=8192)
    with serving(path, "--ctx", "4096", "--voices", "4") as server:
        yield server


def run(server: Server, *command: str | Path) -> Any:
    """What the program printed last, as JSON."""
    done = subprocess.run(
        [*command, server.url], capture_output=True, text=True, timeout=PATIENCE, cwd=CLIENTS
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def run_python(server: Server, script: str, package: str) -> Any:
    if find_spec(package) is None:
        pytest.skip(f"needs {package}: pip install '.[clients]'")
    return run(server, sys.executable, CLIENTS / script)


def run_node(server: Server, script: str) -> Any:
    if shutil.which("node") is None or not (CLIENTS / "node_modules").is_dir():
        pytest.skip("needs Node.js, and: npm install --prefix tests/clients")
    return run(server, "node", CLIENTS / script)


def is_bread(bread: Any) -> bool:
    return bread["kind"] in ("rye", "wheat") and 1 <= bread["slices"] <= 9


# What the library says to itself where it writes down a message that it has parsed.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_openai_of_python(server: Server) -> None:
    with server.client() as client:
        chats = client.chat.completions

        def go_on(*said: Any) -> None:
            more = chats.create(model="any", messages=[ASK, *said, AGAIN], max_tokens=4)
            assert more.choices[0].finish_reason

        how: dict[str, Any] = {"model": "any", "messages": [ASK], "seed": 1}
        with chats.stream(**how, stop=list(string.ascii_letters)) as stream:
            go_on(stream.get_final_completion().choices[0].message)
        with chats.stream(**how, response_format=Bread) as stream:
            go_on(stream.get_final_completion().choices[0].message)
        parsed = chats.parse(**how, response_format=Bread).choices[0].message
        assert isinstance(parsed.parsed, Bread)
        go_on(parsed)
        go_on(parsed.model_dump(mode="json"))
        forced = {**how, "tools": TOOLS, "tool_choice": "required"}
        called = chats.parse(**forced).choices[0].message
        with chats.stream(**forced) as stream:
            streamed = stream.get_final_completion().choices[0].message
        for message in (called, streamed):
            (call,) = message.tool_calls or []
            assert isinstance(call.function.parsed_arguments, Bread)
            go_on(message, {"role": "tool", "tool_call_id": call.id, "content": "done"})


def test_openai_of_npm(server: Server) -> None:
    saw = run_node(server, "openai_npm.mjs")
    assert is_bread(saw["bread"])
    assert is_bread(saw["arguments"])
    assert saw["baked"]
    assert all(map(is_bread, saw["baked"]))
    assert saw["roles"][:2] == ["assistant", "tool"]


def test_the_ai_sdk(server: Server) -> None:
    for saw in run_node(server, "ai_sdk.mjs"):
        assert is_bread(saw["output"])
        assert is_bread(saw["baked"][0])
        assert saw["reason"] == "tool-calls"
        assert saw["n"] > 0


def test_litellm(server: Server) -> None:
    saw = run_python(server, "with_litellm.py", "litellm")
    assert saw["reasons"] == ["tool_calls", "tool_calls"]
    assert saw["made"]["kind"] in ("rye", "wheat")


def test_langchain(server: Server) -> None:
    saw = run_python(server, "with_langchain.py", "langchain_openai")
    assert all(map(is_bread, saw["bread"]))
    assert len(saw["results"]) == 2
    assert set(saw["results"]) <= {"rye bread", "wheat bread"}


def test_haystack(server: Server) -> None:
    saw = run_python(server, "with_haystack.py", "haystack")
    assert len(saw["results"]) == 2
    assert all(result.endswith(" loaves") for result in saw["results"])


def test_requests_of_llama_cpp_python(server: Server) -> None:
    """With every field of its own server's requests, as its types fill them in."""
    chat = llama_cpp_server.CreateChatCompletionRequest
    text = llama_cpp_server.CreateCompletionRequest
    for path, kind in (("/v1/chat/completions", chat), ("/v1/completions", text)):
        for example in kind.model_config["json_schema_extra"]["examples"]:
            asked = kind.model_validate({**example, "max_tokens": 0}).model_dump()
            assert {"mirostat_mode", "logit_bias_type", "grammar", "min_tokens"} <= set(asked)
            status, answer = server.post(path, asked)
            assert status == 200, answer
            assert answer["choices"][0]["finish_reason"] in ("stop", "length")
