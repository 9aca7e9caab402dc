"""What llama.cpp can compute on, on this machine."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import llama_cpp

from llamood.voices.ggml import function

_KINDS = ("cpu", "gpu", "integrated gpu", "accelerator", "meta")  # enum ggml_backend_dev_type


@dataclass(frozen=True)
class Device:
    """``address``: of a ``ggml_backend_dev_t``. What is told of it is what ggml says."""

    address: int

    @property
    def name(self) -> str:
        """``CUDA0`` say."""
        return self._text("ggml_backend_dev_name")

    @property
    def description(self) -> str:
        """The name of the hardware."""
        return self._text("ggml_backend_dev_description")

    @property
    def backend(self) -> str:
        """``CUDA``, ``Metal``, ``Vulkan``, ``CPU`` or ``RPC`` say."""
        registry = function("ggml-base", "ggml_backend_dev_backend_reg", ctypes.c_void_p)
        name = function(
            "ggml-base", "ggml_backend_reg_name", ctypes.c_void_p, result=ctypes.c_char_p
        )
        return str(name(registry(self.address)).decode())

    @property
    def kind(self) -> str:
        """``cpu``, ``gpu``, ``integrated gpu``, ``accelerator`` or ``meta``."""
        ask = function("ggml-base", "ggml_backend_dev_type", ctypes.c_void_p, result=ctypes.c_int)
        return _KINDS[ask(self.address)]

    @property
    def is_gpu(self) -> bool:
        return self.kind in ("gpu", "integrated gpu")

    def memory(self) -> tuple[int, int]:
        """Bytes that are free, and all of them."""
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        size = ctypes.POINTER(ctypes.c_size_t)
        ask = function(
            "ggml-base", "ggml_backend_dev_memory", ctypes.c_void_p, size, size, result=None
        )
        ask(self.address, ctypes.byref(free), ctypes.byref(total))
        return free.value, total.value

    def _text(self, name: str) -> str:
        ask = function("ggml-base", name, ctypes.c_void_p, result=ctypes.c_char_p)
        return str(ask(self.address).decode(errors="replace"))


def devices_at_hand() -> tuple[Device, ...]:
    """All that llama.cpp was built for and finds. Those of servers on other machines are none, also
    where somebody has registered them: to ask one that is lost for its memory ends the process."""
    llama_cpp.llama_backend_init()
    count = function("ggml", "ggml_backend_dev_count", result=ctypes.c_size_t)
    get = function("ggml", "ggml_backend_dev_get", ctypes.c_size_t)
    found = (Device(get(number)) for number in range(count()))
    return tuple(device for device in found if not device.backend.startswith("RPC"))


def gpus() -> tuple[Device, ...]:
    """Those that llama.cpp lays layers on: integrated ones only where there are no others."""
    found = devices_at_hand()
    own = tuple(device for device in found if device.kind == "gpu")
    return own or tuple(device for device in found if device.is_gpu)
