"""What llama.cpp can compute on, on this machine."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from llamood.voices.ggml import function

_KINDS = ("cpu", "gpu", "integrated gpu", "accelerator", "meta")  # enum ggml_backend_dev_type


@dataclass(frozen=True)
class Device:
    """As llama.cpp names and describes it. ``address``: of its ``ggml_backend_dev_t``; ``total``
    and ``free``: bytes of its memory."""

    name: str
    description: str
    kind: str
    total: int
    free: int
    address: int

    @property
    def is_gpu(self) -> bool:
        return self.kind in ("gpu", "integrated gpu")


def devices_at_hand() -> tuple[Device, ...]:
    """All that llama.cpp was built for and finds. Those of servers on other machines are none, also
    where somebody has registered them: to ask one that is lost for its memory ends the process."""
    count = function("ggml", "ggml_backend_dev_count", result=ctypes.c_size_t)
    get = function("ggml", "ggml_backend_dev_get", ctypes.c_size_t)
    addresses = [get(number) for number in range(count())]
    return tuple(_described(address) for address in addresses if not _is_elsewhere(address))


def gpus() -> tuple[Device, ...]:
    """Those that llama.cpp lays layers on: integrated ones only where there are no others."""
    found = devices_at_hand()
    own = tuple(device for device in found if device.kind == "gpu")
    return own or tuple(device for device in found if device.is_gpu)


def _is_elsewhere(address: int) -> bool:
    registry = function("ggml-base", "ggml_backend_dev_backend_reg", ctypes.c_void_p)(address)
    name = function("ggml-base", "ggml_backend_reg_name", ctypes.c_void_p, result=ctypes.c_char_p)
    return bool(name(registry).startswith(b"RPC"))


def _described(address: int) -> Device:
    def text(what: str) -> str:
        told = function("ggml-base", what, ctypes.c_void_p, result=ctypes.c_char_p)(address)
        return str(told.decode(errors="replace"))

    size = ctypes.POINTER(ctypes.c_size_t)
    memory = function("ggml-base", "ggml_backend_dev_memory", ctypes.c_void_p, size, size)
    kind = function("ggml-base", "ggml_backend_dev_type", ctypes.c_void_p, result=ctypes.c_int)
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    memory(address, ctypes.byref(free), ctypes.byref(total))
    return Device(
        name=text("ggml_backend_dev_name"),
        description=text("ggml_backend_dev_description"),
        kind=_KINDS[kind(address)],
        total=total.value,
        free=free.value,
        address=address,
    )
