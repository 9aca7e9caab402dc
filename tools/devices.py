"""What ggml computes on beside the processor, and how much of a model is put there."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import llama_cpp
import psutil

import rpc
from llamood.voices import devices
from llamood.voices.ggml import function

_ALL = 999  # layers


class NoDevice(LookupError):
    """What was asked for is not there."""


@dataclass(frozen=True)
class Device(devices.Device):
    """``pid``: of the server process, where its memory is that of one."""

    pid: int | None = None

    @property
    def description(self) -> str:
        """Of a server process, that it is one."""
        if self.pid is not None:
            return "a server process of the same machine, which computes on its processor"
        return super().description

    @property
    def is_host(self) -> bool:
        """Whether the processor can write its memory, so that rows are added to in place."""
        buffer_type = function("ggml-base", "ggml_backend_dev_buffer_type", ctypes.c_void_p)
        is_host = function(
            "ggml-base", "ggml_backend_buft_is_host", ctypes.c_void_p, result=ctypes.c_bool
        )
        return bool(is_host(buffer_type(self.address)))

    def used(self) -> int:
        """Bytes in use: of the server process, or of the whole device."""
        if self.pid is not None:
            return int(psutil.Process(self.pid).memory_info().rss)
        free, total = self.memory()
        return total - free


@dataclass(frozen=True)
class Place:
    """Where a model's layers lie: the last ``n_layer`` of them, and the output, on ``device``, and
    the others on the processor. None: all of them there."""

    device: Device | None = None
    n_layer: int = 0
    name: str = "processor"
    _devices: Any = field(init=False, repr=False, compare=False)  # must outlive the parameters

    def __post_init__(self) -> None:
        address = None if self.device is None else self.device.address
        object.__setattr__(self, "_devices", (ctypes.c_void_p * 2)(address, None))

    def put(self, params: llama_cpp.llama_model_params) -> None:
        """Let what is opened with these parameters lie here."""
        params.devices = ctypes.cast(self._devices, ctypes.c_void_p)
        params.n_gpu_layers = 0 if self.device is None else self.n_layer + 1

    @classmethod
    def whole(cls, device: Device) -> Place:
        return cls(device, _ALL, "all layers")

    @classmethod
    def half(cls, device: Device, n_layer: int) -> Place:
        """Of a model of that many layers."""
        return cls(device, n_layer // 2, "half of the layers")


PROCESSOR = Place()


def accelerators() -> tuple[Device, ...]:
    """The devices that this llama-cpp-python was built for and that are there."""
    return tuple(Device(one.address) for one in devices.devices_at_hand() if one.is_gpu)


def load_backend(path: Path) -> None:
    """Let llama.cpp know one more backend of ggml's, a library that was built for this ggml with
    GGML_BACKEND_DL. Raises NoDevice where it cannot be loaded."""
    load = function("ggml", "ggml_backend_load", ctypes.c_char_p)
    if not load(str(path).encode()):
        raise NoDevice(f"{path} is no backend that this ggml loads, or has no driver here")
    if not accelerators():
        raise NoDevice(f"{path} found no device; a Vulkan of software: GGML_VK_VISIBLE_DEVICES=0")


@contextmanager
def chosen(name: str | None) -> Iterator[Device]:
    """The device of that name; without one the first that is there, or else, and for ``RPC``, a
    server process over loopback. Raises NoDevice where there is none."""
    there = accelerators()
    by_name = {device.name: device for device in there}
    if name in by_name or (name is None and there):
        yield by_name[name] if name is not None else there[0]
    elif name in (None, "RPC") and rpc.IS_THERE:
        with rpc.server() as server:
            yield Device(server.device, server.pid)
    else:
        raise NoDevice(
            f"llama.cpp knows no device {name or 'but the processor'}; there are "
            f"{', '.join(by_name) or 'none'}. Reinstall llama-cpp-python with the CMAKE_ARGS of "
            "the backend, or with -DGGML_RPC=ON"
        )
