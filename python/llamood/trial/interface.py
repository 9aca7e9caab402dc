"""Whether ``_core`` was compiled for the functions and structs of the llama.cpp at hand.

A library does not say what its functions take. llama_cpp does, for the library that it brings: by
ctypes, which is held here against what the compiler saw (``csrc/python/register_interface.cpp``).
"""

from __future__ import annotations

import ctypes
from typing import Any

import llama_cpp

from llamood import _core

_POINTERS = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_wchar_p, ctypes.py_object)
_FLOATS = (ctypes.c_float, ctypes.c_double, ctypes.c_longdouble)


def faults_of_interface() -> list[str]:
    """What ``_core`` would call otherwise than it is to be called, a sentence each. What llama_cpp
    does not declare is left out."""
    declared = llama_cpp.llama_cpp
    faults = []
    for name, compiled in sorted(_core.interface_functions().items()):
        function = getattr(declared, name, None)
        if function is None or getattr(function, "argtypes", None) is None:
            continue
        at_hand = [kind(function.restype), *map(kind, function.argtypes)]
        if at_hand != compiled:
            faults.append(f"{name} takes {_said(at_hand)}, expected {_said(compiled)}")
    for name, layout in sorted(_core.interface_structs().items()):
        struct = getattr(declared, name, None)
        if struct is not None:
            faults += _faults_of_struct(name, struct, layout)
    return faults


def kind(declared: Any) -> str:
    """Of a ctypes type, as ``csrc/python/register_interface.cpp`` has it."""
    if declared is None:
        return "v"
    if issubclass(declared, ctypes.Structure):
        return f"s{ctypes.sizeof(declared)}"
    if issubclass(declared, _FLOATS):
        return f"f{ctypes.sizeof(declared)}"
    if issubclass(declared, ctypes._SimpleCData) and not issubclass(declared, _POINTERS):
        return f"i{ctypes.sizeof(declared)}"
    return "p"


def _faults_of_struct(name: str, struct: Any, layout: dict[str, int]) -> list[str]:
    size = ctypes.sizeof(struct)
    if size != layout[""]:
        return [f"{name} has {size} bytes, expected {layout['']}"]
    return [
        f"{name}.{member} lies at {at}, expected {offset}"
        for member, offset in sorted(layout.items())
        if member and (at := getattr(getattr(struct, member, None), "offset", None)) != offset
    ]


def _said(kinds: list[str]) -> str:
    result, *taken = kinds
    return f"({', '.join(taken)}) and returns {result}"
