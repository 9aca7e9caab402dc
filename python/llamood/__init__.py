"""llamood: emotion vectors for llama.cpp, from measuring them to speaking with them."""

from __future__ import annotations

import llama_cpp as _llama_cpp  # noqa: F401  (first: it loads the libraries that _core links to)

from llamood import _core

__all__: list[str] = []
