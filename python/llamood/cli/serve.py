"""``llamood serve``: an OpenAI-compatible service in which every answer has a mood."""

from __future__ import annotations

import ipaddress
import logging
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llamood import demo
from llamood.cli import models, options
from llamood.cli.consoles import printable, remark
from llamood.errors import FileError, LlamoodError
from llamood.extras import to_install
from llamood.moods.personality import personalities
from llamood.vectors.gguf_header import trained_context
from llamood.voices.cast import Cast

if TYPE_CHECKING:
    import uvicorn

    from llamood.server.own_vectors import OwnVectors
    from llamood.server.settings import Settings

_BATCH = 512  # tokens, and more where there are as many voices
_SMALLEST_BODY = 256 * 1024  # bytes of the largest request; else as many for each token of n_ctx,
_BYTES_A_TOKEN = 64  # of which text has four or so
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_HOST_NAME = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_MOST_CHOICES = 8  # answers to one request
_SWITCH = 0.0005  # seconds that a thread keeps the interpreter while others want it


@click.command("serve")
@options.model_argument
@options.vectors_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to listen at; 0 takes any that is free.",
)
@click.option("--api-key", envvar="LLAMOOD_API_KEY", help="What callers must send as Bearer KEY.")
@click.option("--cors", "origins", multiple=True, help="Web origin that may call. Default: none.")
@click.option(
    "--host-name",
    "host_names",
    multiple=True,
    metavar="NAME",
    help="Name by which it may be called too while it listens on loopback alone, as by a proxy "
    "that keeps its own. Default: none.",
)
@click.option("--name", help="What the model is called. Default: its file's name.")
@click.option(
    "--suggest",
    "suggested",
    multiple=True,
    metavar="QUESTION",
    help="A question that the page suggests, once for each. Default: none; of demo, eight.",
)
@click.option(
    "--strict-model",
    is_flag=True,
    help="Refuse requests for a model of another name; else they are answered by this one.",
)
@click.option(
    "--control-tokens",
    is_flag=True,
    help="Take the texts of control tokens, <|im_start|> say, for those tokens in messages too, as "
    "llama.cpp's server does; else they are plain characters there.",
)
@click.option(
    "--voices",
    type=click.IntRange(1, 256),
    default=8,
    show_default=True,
    help="Answers that are given at once.",
)
@click.option(
    "--queue",
    type=click.IntRange(0),
    default=64,
    show_default=True,
    help="Answers that may wait for a voice; beyond it callers are sent away (429).",
)
@click.option(
    "--grace",
    type=click.FloatRange(0),
    default=30.0,
    show_default=True,
    help="Seconds that answers get to end in when the service is stopped.",
)
@click.option(
    "--readings/--no-readings",
    default=None,
    help="Whether answers can be read, which costs time. Default: where a baseline is there. "
    "One that tells emotions apart too badly is never used.",
)
@click.option(
    "--sessions",
    "kept_in",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Keep sessions there, so that they go on after a restart. Default: in memory alone.",
)
@click.option(
    "--allow-extract",
    is_flag=True,
    help="Let callers, and the page, add emotions to the vectors: measured beside the answers, and "
    "kept. Those of the demo stay as they are; a copy of them, which is used from then on with "
    "this option, lies in the folder of llamood's settings.",
)
@options.moods_option
@options.device_options
def command(
    *,
    model: str,
    emotions: str | None,
    host: str,
    port: int,
    api_key: str | None,
    origins: tuple[str, ...],
    host_names: tuple[str, ...],
    name: str | None,
    suggested: tuple[str, ...],
    strict_model: bool,
    control_tokens: bool,
    voices: int,
    queue: int,
    grace: float,
    readings: bool | None,
    kept_in: Path | None,
    allow_extract: bool,
    folder: str | None,
    device: options.Device,
) -> None:
    """Serve MODEL with its emotions over HTTP, as the OpenAI API, and a page to play with.

    Each request may have a mood of its own, {"mood": {"joy": 0.8}}, or the name of a personality,
    {"mood": "shy"}. --ctx is for each voice.

    \b
    Examples:
      llamood serve demo
      llamood serve model.gguf -e evs/ --voices 16 --api-key "$KEY" --host 0.0.0.0
    """
    if find_spec("fastapi") is None or find_spec("uvicorn") is None:
        raise LlamoodError(f"serving needs more packages: {to_install('server')}")
    if api_key is not None and not (api_key.isascii() and api_key.isprintable() and api_key):
        raise click.UsageError("--api-key is one or more printable ASCII characters")
    named = [_host_name(each) for each in host_names]
    from llamood.server.session_folder import SessionFolder
    from llamood.server.settings import Settings

    path = models.model_path(model)
    models.require_model(path)
    vectors = models.default_vectors(model) if emotions is None else Path(emotions)
    if not vectors.exists():
        raise FileError(vectors, f"no emotion vectors there; measure them: llamood extract {model}")
    own = _own_vectors(path, vectors, device) if allow_extract else None
    vectors = vectors if own is None else own.now
    trained = trained_context(path) or models.LARGEST_DEFAULT_CONTEXT
    n_ctx = device.ctx or min(trained, models.LARGEST_DEFAULT_CONTEXT)
    _require_free(host, port)
    is_local = _is_local(host)
    if not is_local and api_key is None:
        remark(f"Note: whoever reaches {host} can use this; --api-key keeps others out.")
    unread = None if readings is False else models.unread(vectors, is_asked=bool(readings))
    settings = Settings(
        model=name or (model if model == models.DEMO else path.stem),
        api_key=api_key,
        hosts=(*_LOOPBACK, host.lower(), *named) if is_local else (),
        origins=tuple(origin.rstrip("/") for origin in origins),
        strict_model=strict_model,
        control_tokens=control_tokens,
        questions=suggested or (demo.SUGGESTIONS if model == models.DEMO else ()),
        n_waiting=queue,
        n_choice=min(_MOST_CHOICES, voices + queue),
        n_body=max(_SMALLEST_BODY, _BYTES_A_TOKEN * n_ctx),
        grace=grace,
        unread=unread,
        personalities=personalities(folder),
        sessions=None if kept_in is None else SessionFolder(kept_in),
        own=own,
    )

    def open_cast() -> Cast:
        return Cast(
            path,
            emotions=vectors,
            readings=readings is not False and unread is None,
            voices=voices,
            n_ctx=n_ctx,
            n_batch=max(_BATCH, 2 * voices),
            verbose=False,
            **device.hardware(),
        )

    _serve(open_cast, settings, host=host, port=port)


def _own_vectors(model: Path, vectors: Path, device: options.Device) -> OwnVectors:
    """Where emotions are added to. Raises an error where none can be."""
    from llamood.server.own_vectors import OwnVectors

    ships = vectors.resolve() == demo.VECTORS.resolve()
    # A server of llama.cpp has one program at a time, so what is added is measured on this machine.
    here = {name: value for name, value in device.hardware().items() if name != "rpc_servers"}
    own = OwnVectors(
        model=model,
        folder=Path(click.get_app_dir("llamood")) / "demo.evs" if ships else vectors,
        kept=vectors if ships else None,
        llama=here,
    )
    own.repertoire()
    own.require_writable()
    remark(f"Emotions that are added lie in {printable(str(own.folder))}")
    return own


def _host_name(name: str) -> str:
    if not _HOST_NAME.fullmatch(name):
        raise click.UsageError(
            f"--host-name {name!r:.80} is no name of a host; expected one as in llamood.example, "
            "with no scheme, port or path"
        )
    return name.lower()


def _require_free(host: str, port: int) -> None:
    """Raises `LlamoodError` where nobody could listen, before a model is loaded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise LlamoodError(
            f"cannot listen at {host}, port {port}: {error.strerror or error}; "
            "--host and --port choose another place (--port 0 any that is free)"
        ) from error


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _serve(open_cast: Callable[[], Cast], settings: Settings, *, host: str, port: int) -> None:
    """Until it is told to stop. Raises what kept the engine from going on."""
    import uvicorn

    from llamood.server.app import create_app
    from llamood.server.connections import AT_ONCE, Patience, affordable, let_wait, patient
    from llamood.server.engine import Engine
    from llamood.server.metrics import Metrics
    from llamood.server.repeated_lines import RepeatedLines

    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(RepeatedLines())
    # Work on the requests of some takes the interpreter from the thread that steps for all.
    sys.setswitchinterval(_SWITCH)
    metrics = Metrics()
    engine = Engine(open_cast, metrics=metrics, n_waiting=settings.n_waiting)
    config = uvicorn.Config(
        create_app(engine, settings, metrics),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        http=patient(Patience(head=settings.request_seconds, most=affordable())),
        backlog=AT_ONCE,
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=max(int(settings.grace), 1),
    )

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            for one in getattr(self, "servers", ()):  # none where it could not start
                let_wait(one.sockets)
            tell()

    server = Server(config)

    def fail() -> None:
        server.should_exit = True

    untold = threading.Lock()

    def tell() -> None:
        """Once, when the model is loaded and somebody listens, whichever comes last."""
        is_both = engine.state == "ready" and server.started
        if not is_both or not untold.acquire(blocking=False):
            return
        shown = f"[{host}]" if ":" in host else host
        remark(f"Serving {settings.model} at http://{shown}:{_port(server)} (Ctrl-C stops it)")

    engine.on_failure, engine.on_ready = fail, tell
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn raises them anew when it is done
        signal.signal(number, lambda *_: None)
    server.run()
    if engine.fault is not None:
        raise engine.fault


def _port(server: uvicorn.Server) -> int:
    """The one that it listens at, also where any was asked for."""
    for one in server.servers:
        for each in one.sockets:
            return int(each.getsockname()[1])
    return server.config.port
