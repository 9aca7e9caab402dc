"""The same weights twice: a quantised GGUF file, and a copy of it in float32.

A kernel of llama.cpp for quantised weights rounds what it multiplies them with, which PyTorch does
not. Beside the copy nothing but the order of sums is left to differ.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np

WRITTEN_ANEW = {"general.architecture", "general.file_type", "general.quantization_version"}


def write_float32(source: Path, target: Path) -> Path:
    """All of ``source``, each tensor dequantised by gguf's own rule."""
    reader = gguf.GGUFReader(source)
    arch = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(target, arch)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    for key, field in reader.fields.items():
        if key not in WRITTEN_ANEW and not key.startswith("GGUF."):
            _copy(writer, key, field)
    arrays = {
        tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        for tensor in reader.tensors
    }
    for name, array in arrays.items():
        writer.add_tensor(name, np.ascontiguousarray(array, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def _copy(writer: gguf.GGUFWriter, key: str, field: Any) -> None:
    kind, *inner = field.types
    if kind == gguf.GGUFValueType.ARRAY:
        writer.add_key_value(key, field.contents(), kind, inner[-1])
    else:
        writer.add_key_value(key, field.contents(), kind)
