"""Models whose layers lie on other machines: two servers of llama.cpp at two addresses."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import llamood
import rpc
from cli_runs import run
from llamood import _core
from llamood.errors import ModelError
from llamood.readings.probe import Probe
from llamood.voices import rpc_servers
from open_voices import random_vectors

pytestmark = pytest.mark.skipif(
    not rpc.IS_THERE, reason="llama-cpp-python was built without -DGGML_RPC=ON"
)

HOSTS = ("127.0.0.1", "127.0.0.2")
SOON = 20.0  # seconds; of what is told within a few


@pytest.fixture(scope="module")
def servers() -> Iterator[str]:
    with rpc.started(HOSTS[0]) as first, rpc.started(HOSTS[1]) as second:
        yield f"{first.endpoint},{second.endpoint}"


def split(servers: str) -> dict[str, Any]:
    """Half of the layers on each."""
    return {"rpc_servers": servers, "tensor_split": [1.0, 1.0], "n_gpu_layers": -1}


MOODS: list[dict[str, Any]] = [
    {},
    {"joy": 0.8},
    {"anger": {"ramp": [0.0, 1.0], "over": 8}, "joy": -0.3},
    {"joy": 0.5, "$positions": "all"},
]


@pytest.mark.parametrize("mood", MOODS)
def test_one_voice_is_the_same_there(random_chat: Path, servers: str, mood: dict[str, Any]) -> None:
    evs = random_vectors(random_chat)
    said = []
    for how in ({}, split(servers)):
        with closing(
            llamood.Llama(str(random_chat), emotions=evs, n_ctx=256, logits_all=True, **how)
        ) as llm:
            made = llm.create_completion("Once upon", max_tokens=16, temperature=0, mood=mood)
            said.append((made["choices"][0]["text"], np.array(llm.scores[: llm.n_tokens])))
    (here, logits), (there, logits_there) = said
    assert here == there
    assert np.abs(logits - logits_there).max() < 1e-4


def test_a_cast_is_the_same_there(random_chat: Path, servers: str) -> None:
    evs = random_vectors(random_chat)
    said = []
    for how in ({}, split(servers)):
        with llamood.Cast(str(random_chat), emotions=evs, voices=4, n_ctx=256, **how) as cast:
            voices = [cast.join(mood=mood, max_tokens=16, temperature=0) for mood in MOODS]
            for _ in cast.say(dict.fromkeys(voices, "Once upon a time")):
                pass
            said.append([voice.messages[-1]["content"] for voice in voices])
    assert said[0] == said[1]
    assert len(set(said[0])) > 1


@pytest.mark.slow
def test_vectors_and_readings_are_measured_there(random_chat: Path, servers: str) -> None:
    texts = {
        "joy": [f"I am glad of day {n} and of its bread." for n in range(20)],
        "anger": [f"How dare they close door {n} on us!" for n in range(20)],
        "neutral": [f"Room {n} is on the second floor." for n in range(20)],
    }
    path = random_chat.with_name("texts.jsonl")
    path.write_text(
        "".join(
            json.dumps({"label": label, "text": text}) + "\n"
            for label, lines in texts.items()
            for text in lines
        )
    )
    measured = []
    for number, how in enumerate(([], ["--rpc", servers])):
        folder = random_chat.with_name(f"measured-{number}.evs")
        done = run(
            *("extract", str(random_chat), "-o", str(folder), "--from", "texts"),
            *("--texts", str(path), "--no-calibrate", "--json", *how),
        )
        assert done.exit_code == 0, done.stderr
        measured.append((llamood.load(folder), Probe.load(folder)))
    (here, read_here), (there, read_there) = measured
    assert here.names == there.names
    np.testing.assert_allclose(here.data, there.data, atol=2e-4)
    np.testing.assert_allclose(read_here.directions, read_there.directions, atol=2e-2)


# -- what is no server ---------------------------------------------------------------------------


@contextmanager
def listening(answer: bytes | None) -> Iterator[str]:
    """A program that is no server: it says this to whoever greets it, and hangs up; None: it never
    says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held = []

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                held.append(client)
                if answer is not None:
                    client.recv(64)
                    client.sendall(answer)
                    client.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.close()
        for client in held:
            client.close()


def test_what_is_not_there_is_told_at_once(random_chat: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(ModelError, match=f"{nobody} cannot be reached: Connection refused"):
        llamood.Llama(str(random_chat), rpc_servers=nobody)


def test_what_hangs_up_or_says_nothing_is_told(
    random_chat: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc_servers, "PATIENCE", 0.5)
    with (
        listening(b"HTTP/1.1 400\r\n") as other,
        pytest.raises(ModelError, match=r"no server of llama\.cpp: it hung up"),
    ):
        llamood.Llama(str(random_chat), rpc_servers=other)
    with (
        listening(None) as silent,
        pytest.raises(ModelError, match=r"says nothing for 0\.5 seconds; it may serve another"),
    ):
        llamood.Llama(str(random_chat), rpc_servers=[silent])


@pytest.mark.parametrize(
    "given", ["", "host", "host:", ":1", "host:0", "host:65536", "h:1,h:1", []]
)
def test_what_is_no_address_is_told(random_chat: Path, given: Any) -> None:
    with pytest.raises(ModelError, match="expected"):
        llamood.Llama(str(random_chat), rpc_servers=given)


def test_a_llama_cpp_without_servers_says_how_to_get_one(
    random_chat: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc_servers.llama_cpp, "llama_supports_rpc", lambda: False)
    with pytest.raises(ModelError, match="CMAKE_ARGS=-DGGML_RPC=ON"):
        llamood.Llama(str(random_chat), rpc_servers="127.0.0.1:1")


# -- one that is lost ----------------------------------------------------------------------------

SPEAK = """
import sys, llamood
llm = llamood.Llama(sys.argv[1], rpc_servers=sys.argv[2], tensor_split=[1, 1], n_ctx=4096)
print("open", flush=True)
for _ in range(1000):
    llm.create_completion("Once upon a time", max_tokens=64, temperature=1.0)
print("over", flush=True)
"""


@pytest.mark.parametrize("which", [0, 1])
def test_one_that_is_lost_ends_the_process_with_a_line(random_chat: Path, which: int) -> None:
    """Each has layers of it."""
    with rpc.started(HOSTS[0]) as first, rpc.started(HOSTS[1]) as second:
        there = (first, second)[which]
        both = f"{first.endpoint},{second.endpoint}"
        command = [sys.executable, "-c", SPEAK, str(random_chat), both]
        client = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert client.stdout is not None
        assert client.stdout.readline() == "open\n"
        time.sleep(0.2)
        there.process.send_signal(signal.SIGKILL)
        out, told = client.communicate(timeout=SOON)
    assert client.returncode == 1
    assert "over" not in out
    assert "a server of the model is lost" in told
    assert there.endpoint in told


def test_connections_notice_a_machine_that_is_gone(random_chat: Path) -> None:
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("the system does not tell which connections there are")
    with (
        rpc.started() as there,
        closing(llamood.Llama(str(random_chat), rpc_servers=there.endpoint, n_ctx=64)),
    ):
        kept = [
            one.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            for one in rpc_servers._connections(there.endpoint)
        ]
        assert kept == [5000]
        n = len(list(Path("/proc/self/fd").iterdir()))
        rpc_servers.notice_lost(there.endpoint)
        assert len(list(Path("/proc/self/fd").iterdir())) == n


@pytest.mark.parametrize("descriptors", ["/proc/self/fd", "/nowhere"])
def test_two_models_share_a_server(
    random_chat: Path, monkeypatch: pytest.MonkeyPatch, descriptors: str
) -> None:
    """It has one client at a time, which is this process; also where no system tells that."""
    monkeypatch.setattr(rpc_servers, "_DESCRIPTORS", Path(descriptors))
    monkeypatch.setattr(rpc_servers, "PATIENCE", 2.0)
    with rpc.started() as there:
        how = {"rpc_servers": there.endpoint, "n_ctx": 64}
        with (
            closing(llamood.Llama(str(random_chat), **how)) as first,
            closing(llamood.Llama(str(random_chat), **how)) as second,
        ):
            said = [
                llm.create_completion("Once", max_tokens=8, temperature=0)["choices"][0]["text"]
                for llm in (first, second)
            ]
        assert said[0] == said[1]


def test_any_other_abort_stays_one() -> None:
    """With its message."""
    script = (
        "import ctypes; from llamood import _core; from llamood.voices.ggml import function;"
        "_core.end_where_servers_fail('h:1');"
        "function('ggml-base', 'ggml_abort', ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)"
        "(b'ggml.c', 7, b'something else')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == -signal.SIGABRT
    assert done.stderr.startswith("ggml.c:7: something else\n")
    assert "lost" not in done.stderr
    assert hasattr(_core, "end_where_servers_fail")
