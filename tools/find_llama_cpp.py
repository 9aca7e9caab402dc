"""Print what CMake needs to know of the installed llama-cpp-python, as one CMake list.

Include folder; library folder; ggml version; ggml commit; llama-cpp-python version. The
package is located, not imported: importing it would run the whole of llama.cpp's start.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import sys
from pathlib import Path


def main() -> int:
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.origin is None:
        return 1
    package = Path(spec.origin).resolve().parent
    lib = package / "lib"
    suffix = {"darwin": ".dylib", "win32": ".dll"}.get(sys.platform, ".so")
    ggml = ctypes.CDLL(str(next(lib.glob(f"*ggml-base{suffix}"))))
    facts = [(package.parent / "include").as_posix(), lib.as_posix()]
    for name in ("ggml_version", "ggml_commit"):
        function = getattr(ggml, name)
        function.restype = ctypes.c_char_p
        facts.append(function().decode())
    facts.append(importlib.metadata.version("llama-cpp-python"))
    print(";".join(facts))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
