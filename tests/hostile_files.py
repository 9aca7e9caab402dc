"""GGUF files made by hand, byte by byte: a sound one, and one for each rule that is broken."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import Any

UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64, FLOAT64 = 4, 5, 6, 7, 8, 9, 10, 12
F32, F16, Q8_0, F64 = 0, 1, 8, 28  # types of tensors
BILLION = 10**9
FORMATS = {UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<?", UINT64: "<Q", FLOAT64: "<d"}


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def key(name: str, kind: int, value: Any) -> bytes:
    """One entry of the metadata; bytes stand for themselves."""
    if isinstance(value, bytes):
        packed = value
    elif kind == STRING:
        packed = text(value)
    else:
        packed = struct.pack(FORMATS[kind], value)
    return text(name) + struct.pack("<I", kind) + packed


def array(kind: int, values: list[Any], *, claimed: int | None = None) -> bytes:
    """The value of a key of type ARRAY."""
    n = len(values) if claimed is None else claimed
    packed = (text(v) if kind == STRING else struct.pack(FORMATS[kind], v) for v in values)
    return struct.pack("<IQ", kind, n) + b"".join(packed)


ARCHITECTURE = key("general.architecture", STRING, "controlvector")
HINT = key("controlvector.model_hint", STRING, "llama")


@dataclass
class Direction:
    """A tensor. ``at``: its offset in the data, if not the one that is right."""

    name: str
    values: tuple[float, ...] = (1.0, 2.0, 3.0)
    shape: tuple[int, ...] | None = None
    kind: int = F32
    at: int | None = None

    def data(self) -> bytes:
        packed = struct.pack(
            f"<{len(self.values)}{ {F16: 'e', F64: 'd'}.get(self.kind, 'f') }", *self.values
        )
        return packed + bytes(-len(packed) % 32)


SOUND = [Direction("direction.1"), Direction("direction.2", (4.0, 5.0, 6.0))]


@dataclass
class Gguf:
    """A control-vector file; what is not said is sound."""

    keys: list[bytes] = field(default_factory=lambda: [ARCHITECTURE, HINT])
    tensors: list[Direction] = field(default_factory=lambda: list(SOUND))
    magic: bytes = b"GGUF"
    version: bytes = struct.pack("<I", 3)
    n_key: int | None = None
    n_tensor: int | None = None

    def bytes(self) -> bytes:
        n_tensor = len(self.tensors) if self.n_tensor is None else self.n_tensor
        n_key = len(self.keys) if self.n_key is None else self.n_key
        head = self.magic + self.version + struct.pack("<QQ", n_tensor, n_key)
        head += b"".join(self.keys)
        data = b""
        for t in self.tensors:
            shape = (len(t.values),) if t.shape is None else t.shape
            head += text(t.name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
            head += struct.pack("<IQ", t.kind, len(data) if t.at is None else t.at)
            data += t.data()
        return head + bytes(-len(head) % 32) + data


def directions(*tensors: Direction) -> bytes:
    return Gguf(tensors=list(tensors)).bytes()


def with_key(*keys: bytes) -> bytes:
    return Gguf(keys=[ARCHITECTURE, HINT, *keys]).bytes()


WHOLE = Gguf().bytes()
ONE, TWO = SOUND

BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "truncated.*magic"),
    "text": (b"anger, fear, joy", "wrong magic"),
    "lower-case magic": (Gguf(magic=b"gguf").bytes(), "wrong magic"),
    "version 1": (Gguf(version=struct.pack("<I", 1)).bytes(), "version 1.*expected 2 or 3"),
    "big-endian": (Gguf(version=struct.pack(">I", 3)).bytes(), "version.*big-endian"),
    "cut in the counts": (WHOLE[:12], "truncated.*number of tensors"),
    "cut in a key": (WHOLE[:60], "truncated.*left"),
    "cut in the list": (WHOLE[:150], "truncated.*left"),
    "cut in the data": (WHOLE[:-25], "truncated.*direction.2"),
    "all data cut": (WHOLE[:-64], "truncated: direction.1 ends.*direction.2 ends"),
    "billion tensors": (Gguf(n_tensor=BILLION).bytes(), "claims 1000000000 tensors"),
    "billion keys": (Gguf(n_key=BILLION).bytes(), "claims 1000000000 keys"),
    "more than all keys": (Gguf(n_key=2**64 - 1).bytes(), "claims 18446744073709551615 keys"),
    "billion bytes in a name": (
        Gguf(keys=[struct.pack("<Q", BILLION) + b"general"]).bytes(),
        "claims 1000000000 bytes of a key",
    ),
    "billion bytes in a text": (
        with_key(key("llamood.emotion", STRING, struct.pack("<Q", BILLION))),
        "claims 1000000000 bytes.*llamood.emotion",
    ),
    "billion numbers in an array": (
        with_key(key("llamood.direction_0", ARRAY, array(FLOAT32, [1.0], claimed=BILLION))),
        "claims 1000000000 elements.*direction_0",
    ),
    "billion texts in an array": (
        with_key(key("llamood.method", ARRAY, array(STRING, ["a"], claimed=BILLION))),
        "claims 1000000000 elements.*method",
    ),
    "billion elements in a direction": (
        directions(ONE, Direction("direction.2", shape=(BILLION,))),
        "truncated: direction.2 ends at byte 4000000",
    ),
    "elements beyond 64 bits": (
        directions(Direction("direction.1", shape=(2**63,) * 4)),
        "4-D.*expected 1-D",
    ),
    "direction numbered 10^9": (directions(Direction(f"direction.{BILLION}")), "expected only"),
    "direction numbered 999999": (directions(Direction("direction.999999")), "missing.*1-999998"),
    "array of arrays": (
        with_key(key("a.b", ARRAY, struct.pack("<IQ", ARRAY, 1) + array(UINT32, [1]))),
        "a.b.*elements of unknown type 9",
    ),
    "value of unknown type": (with_key(key("a.b", 77, b"1234")), "a.b.*unknown type 77"),
    "key twice": (with_key(HINT), "duplicate key.*model_hint"),
    "text that is not UTF-8": (with_key(key("a.b", STRING, text(b"\xff\xfe"))), "a.b.*not UTF-8"),
    "alignment 0": (with_key(key("general.alignment", UINT32, 0)), "alignment is 0.*power"),
    "alignment 24": (with_key(key("general.alignment", UINT32, 24)), "alignment is 24.*power"),
    "no dimension": (directions(Direction("direction.1", shape=())), "0 dimensions.*1 to 4"),
    "nine dimensions": (directions(Direction("direction.1", shape=(1,) * 9)), "9 dimensions"),
    "a model": (
        Gguf(keys=[key("general.architecture", STRING, "llama")]).bytes(),
        "'llama'.*no control vector",
    ),
    "architecture of numbers": (
        Gguf(keys=[key("general.architecture", ARRAY, array(UINT32, [1, 2]))]).bytes(),
        "architecture is.*expected 'controlvector'",
    ),
    "no architecture": (Gguf(keys=[HINT]).bytes(), "None.*expected 'controlvector'"),
    "no directions": (directions(), "no direction.*direction.1"),
    "another tensor": (directions(ONE, Direction("scale")), "tensor 'scale'.*expected only"),
    "number with a zero": (directions(ONE, Direction("direction.02")), "'direction.02'.*expected"),
    "zero-numbered": (directions(Direction("direction.0"), ONE), "direction.0.*zero-numbered"),
    "duplicate": (directions(ONE, ONE), "duplicate tensor direction.1"),
    "missing layers": (
        directions(ONE, Direction("direction.5"), Direction("direction.6")),
        "missing layers.*2-4 of 1-6",
    ),
    "missing first layer": (directions(TWO), "missing layers.*1 of 1-2"),
    "missing last layers": (
        with_key(key("controlvector.layer_count", UINT32, 8)),
        "missing layers.*3-7 of 1-7",
    ),
    "missing last layer of ours, who count directions": (
        with_key(
            key("llamood.version", UINT32, 1), key("controlvector.layer_count", UINT32, 3)
        ),
        "missing layers.*3 of 1-3",
    ),
    "more directions than layers": (
        with_key(key("controlvector.layer_count", UINT32, 1)),
        "layer_count is 1.*2 directions",
    ),
    "layer count in words": (
        with_key(key("controlvector.layer_count", STRING, "two")),
        "layer_count is 'two'.*number",
    ),
    "F64": (directions(Direction("direction.1", kind=F64)), "direction.1 is F64.*expected F32"),
    "F16": (directions(Direction("direction.1", kind=F16)), "direction.1 is F16.*expected F32"),
    "quantised": (directions(Direction("direction.1", kind=Q8_0)), "is type 8.*expected F32"),
    "2-D": (directions(Direction("direction.1", shape=(3, 1))), r"direction.1 is 2-D \(3x1\)"),
    "unequal": (directions(ONE, Direction("direction.2", (1.0, 2.0))), "unequal width: 3.*2"),
    "width 0": (directions(Direction("direction.1", ())), "direction.1 is empty"),
    "overlapping": (directions(ONE, Direction("direction.2", at=0)), "direction.2 starts at"),
    "unaligned": (directions(ONE, Direction("direction.2", at=12)), "direction.2 starts.*expected"),
    "far away": (directions(ONE, Direction("direction.2", at=2**63)), "truncated: direction.2"),
    "NaN": (directions(Direction("direction.1", (1.0, math.nan, 3.0))), "direction.1 has NaN"),
    "Inf": (directions(ONE, Direction("direction.2", (math.inf,) * 3)), "direction.2 has NaN"),
    "NaN in layer 0": (
        with_key(key("llamood.direction_0", ARRAY, array(FLOAT32, [1.0, 2.0, math.nan]))),
        "direction.0 has NaN",
    ),
    "layer 0 of another width": (
        with_key(key("llamood.direction_0", ARRAY, array(FLOAT32, [1.0, 2.0]))),
        "direction_0 has width 2, the directions 3",
    ),
    "newer version": (with_key(key("llamood.version", UINT32, 99)), "newer llamood.*upgrade"),
    "version in words": (with_key(key("llamood.version", STRING, "1")), "version is a text.*whole"),
    "scale in words": (with_key(key("llamood.scale", STRING, "1")), "scale is a text.*number"),
    "scale of Inf": (with_key(key("llamood.scale", FLOAT64, math.inf)), "scale.*finite number"),
    "pairs true": (with_key(key("llamood.pairs", BOOL, True)), "pairs is true or false.*whole"),
    "affect of two": (
        with_key(key("llamood.affect", ARRAY, array(FLOAT64, [0.1, 0.2]))),
        "affect.*valence, arousal",
    ),
    "site of its own": (with_key(key("llamood.site", STRING, "mlp")), "site is 'mlp'.*layer_out"),
    "empty emotion": (with_key(key("llamood.emotion", STRING, "")), "no name of an emotion"),
    "residual RMS of one layer": (
        with_key(key("llamood.residual_rms", ARRAY, array(FLOAT64, [1.0]))),
        "residual_rms has 1.*3 layers",
    ),
    "many faults": (
        directions(
            Direction("direction.0"), Direction("direction.1", kind=F16),
            Direction("direction.4", (1.0,)), Direction("joy"),
        ),
        "'joy'.*zero-numbered.*F16.*unequal.*missing layers|zero-numbered.*F16.*'joy'.*unequal"
        ".*missing layers",
    ),
}  # fmt: skip

# What is refused here and by llama.cpp's own loader alike.
REFUSED_BY_LLAMA_CPP = (
    "empty", "text", "cut in a key", "cut in the data", "billion tensors", "billion keys",
    "another tensor", "zero-numbered", "duplicate", "F64", "F16", "unequal",
    "overlapping", "no directions",
)  # fmt: skip
