"""What figures depend on, and nothing that tells one machine of a kind from another."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import llamood
from devices import Device
from llamood import _core

GIB = 2**30


def facts(device: Device) -> dict[str, str]:
    """In the order in which they are shown."""
    ggml, commit = _core.ggml_running
    return {
        "device": device.name if device.pid is None else f"{device.name} over loopback",
        "described as": device.description,
        "backend": device.backend,
        "device memory": f"{device.memory()[1] / GIB:.1f} GiB",
        "host can write device memory": "yes" if device.is_host else "no",
        "processor": processor(),
        "cores": f"{os.cpu_count()}{_load()}",
        "system": f"{platform.system()}, {platform.machine()}",
        "Python": platform.python_version(),
        "llama-cpp-python": version("llama-cpp-python"),
        "ggml": f"{ggml} ({commit})",
        "llamood": llamood.__version__,
    }


def _load() -> str:
    """How busy they are with other things."""
    return f", load {os.getloadavg()[0]:.1f} before" if hasattr(os, "getloadavg") else ""


def processor() -> str:
    """Its model, as the system says."""
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
