"""What fuzzing begins with: sound files, made as the tests make them, the tests' broken ones, and
what fuzzing has found, so that it is tried in every run."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import hostile_files
import tiny_chat
from fuzz.targets import Target
from hostile_files import (
    ARRAY,
    FLOAT32,
    FLOAT64,
    INT32,
    STRING,
    UINT32,
    Direction,
    Gguf,
    array,
    key,
)
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.measurement import Measurement
from schedules import MOODS, WRITTEN

DEEP = (60, 99, 101, 900, 985, 3000)  # lists within each other


def seeds(target: Target) -> Iterator[bytes]:
    """All of a target, of which none is larger than it takes."""
    made = globals()[f"_{target.name}"]()
    yield from (seed for seed in made if len(seed) <= target.longest)
    yield from FOUND.get(target.id, ())


def write(target: Target, folder: Path) -> int:
    """How many files; those that are there already stay."""
    folder.mkdir(parents=True, exist_ok=True)
    n = 0
    for n, seed in enumerate(seeds(target), start=1):
        (folder / f"seed-{n:04}").write_bytes(seed)
    return n


# -- files of vectors ------------------------------------------------------------------------------


def _gguf() -> Iterator[bytes]:
    yield hostile_files.WHOLE
    yield from (content for content, _ in hostile_files.BROKEN.values())
    some = [
        key("a", ARRAY, array(STRING, ["joy", ""])),
        key("b", ARRAY, array(FLOAT64, [1.0, -2.0])),
        key("c", ARRAY, array(INT32, [1])),
        key("general.alignment", UINT32, 64),
    ]
    yield Gguf(keys=[hostile_files.ARCHITECTURE, *some]).bytes()
    model = [
        key("general.architecture", STRING, "llama"),
        key("llama.block_count", UINT32, 2),
        key("llama.embedding_length", UINT32, 3),
        key("tokenizer.ggml.tokens", ARRAY, array(STRING, ["a", "b"])),
        key("split.count", UINT32, 2),
    ]
    norm = Direction("blk.0.attn_norm.weight")
    yield Gguf(keys=model[:-1], tensors=[norm]).bytes()
    yield Gguf(keys=model, tensors=[norm]).bytes()


def _own() -> bytes:
    """A file as llamood writes one, of three layers."""
    facts = [
        key("controlvector.layer_count", UINT32, 2),
        key("llamood.version", UINT32, 1),
        key("llamood.emotion", STRING, "joy"),
        key("llamood.method", STRING, "mean_difference"),
        key("llamood.site", STRING, "layer_out"),
        key("llamood.direction_0", ARRAY, array(FLOAT32, [1.0, 0.0, -1.0])),
        key("llamood.residual_rms", ARRAY, array(FLOAT64, [1.0, 2.0, 3.0])),
        key("llamood.scale", FLOAT64, 0.5),
        key("llamood.ceiling", FLOAT64, 2.0),
        key("llamood.affect", ARRAY, array(FLOAT64, [0.5, -0.5, 0.0])),
    ]
    return hostile_files.with_key(*facts)


def _control_vectors() -> Iterator[bytes]:
    yield _own()
    yield from _gguf()
    numbered = [Direction(f"direction.{i}") for i in range(3)]
    yield hostile_files.directions(*numbered)


_control_vector = _control_vectors


def _baseline() -> Iterator[bytes]:
    """Of two emotions, three layers, two wide: what csrc/fuzz/baseline.cpp has vectors of."""
    names, layers, n, n_read, n_layer, width = ["joy", "fear"], [0, 1], 2, 2, 3, 2
    shapes = {
        "directions": (n_read, n, width),
        "mean": (n_read, n),
        "spread": (n_read, n),
        "joint": (n,),
        "response": (n_layer, n, n_read, n),
        "auroc": (n_read, n),
        "vector_median": (n_layer, n),
        "vector_spread": (n_layer, n),
    }
    about = '{"quality": {"macro_auroc": 0.9, "auroc": {"joy": 0.9}}, "method": "a"}'
    keys = [
        key("general.architecture", STRING, "llamood.baseline"),
        key("llamood.version", UINT32, 2),
        key("llamood.baseline.names", ARRAY, array(STRING, names)),
        key("llamood.baseline.layers", ARRAY, array(INT32, layers)),
        key("llamood.baseline.chosen", ARRAY, array(INT32, layers)),
        key("llamood.baseline.about", STRING, about),
    ]
    tensors = [
        Direction(name, (0.5,) * int(np.prod(shape)), shape[::-1]) for name, shape in shapes.items()
    ]
    yield Gguf(keys=keys, tensors=tensors).bytes()
    yield Gguf(keys=keys, tensors=tensors[:-2]).bytes()
    yield from _gguf()


def _evs() -> EmotionVectors:
    return EmotionVectors(
        ("joy", "fear"), np.ones((2, 2, 3), np.float32), Measurement("mean_difference")
    )


def _arrays() -> Iterator[bytes]:
    from fuzz.readers.arrays import DIVIDER
    from llamood.vectors.third_party import _told

    def member(name: str, content: Any) -> bytes:
        written = io.BytesIO()
        np.save(written, np.asarray(content))
        return f"{name}.npy\n".encode() + written.getvalue()

    rows = np.ones((2, 3), np.float32)
    about = {"sums": ["joy"], "settings": {}, "n_square": 1, "used": {"joy": 1}, "records": []}
    judge = {
        "labels": ["joy", "fear"],
        "vocabulary": np.frombuffer(b"a\nb\nc", np.uint8),
        "idf": np.ones(3, np.float16),
        "weights": np.ones((3, 2), np.int8),
        "scale": np.ones(2, np.float32),
        "bias": np.ones(2, np.float32),
        "temperature": 1.0,
        "about": "{}",
    }
    sets: list[dict[str, Any]] = [
        {"joy": rows},
        {"0": rows[0], "1": rows[1]},
        {"data": np.ones((2, 2, 3)), "names": ["joy", "fear"]},
        {"data": _evs().data, "names": ["joy", "fear"], "llamood": _told(_evs())},
        {"sum:joy": np.ones((1, 2, 3)), "square": np.ones((1, 2)),
         "about": json.dumps({**about, "model": {}, "done": 1})},
        {"names": ["joy"], "ways": ["a"], "data": np.ones((1, 1, 2, 3), np.float32),
         "about": json.dumps({"method": "a", "site": "layer_out"})},
        judge,
    ]  # fmt: skip
    for arrays in sets:
        members = DIVIDER.join(member(name, content) for name, content in arrays.items())
        yield b"s" + members
        yield b"d" + members
    whole = io.BytesIO()
    np.savez_compressed(whole, joy=rows)
    yield b"x" + whole.getvalue()


def _paper_json() -> Iterator[bytes]:
    yield _json({str(i): [[1.5, -2, 1e-3]] for i in range(3)})
    yield _json({"1": [[1]], "2": [[2]]})
    yield b'{"0": [[1]], "0": [[1e999]], "1": [[123456789012345678901234567890]]}'
    yield from _deep(b'{"0": ', b"}")


def _safetensors() -> Iterator[bytes]:
    from llamood.vectors.third_party import _told

    tensor = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
    other = {"dtype": "F32", "shape": [2, 3], "data_offsets": [24, 48]}
    yield _json({"joy": tensor}) + b"\n" + bytes(24)
    yield _json({"0": {"dtype": "BF16", "shape": [3], "data_offsets": [0, 6]}}) + b"\n" + bytes(6)
    told = {"joy": tensor, "fear": other, "__metadata__": {"llamood": _told(_evs())}}
    yield _json(told) + b"\n" + bytes(48)
    header = _json({"joy": tensor})
    yield b"x" + struct.pack("<Q", len(header)) + header + bytes(24)
    yield from _deep(b'{"__metadata__": {"llamood": "', b'"}}\n')


def _pytorch() -> Iterator[bytes]:
    import zipfile

    import torch

    rows = torch.ones(2, 3)
    for content in (rows, {"joy": rows}, {0: rows[0], 1: rows[1]},
                    {"data": torch.ones(1, 2, 3), "names": ["joy"]}):  # fmt: skip
        written = io.BytesIO()
        torch.save(content, written)
        with zipfile.ZipFile(written) as file:
            yield file.read("archive/data.pkl")
        yield b"x" + written.getvalue()


# -- moods, voices, requests -----------------------------------------------------------------------


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _deep(before: bytes, after: bytes) -> Iterator[bytes]:
    for n in DEEP:
        yield before + b"[" * n + b"1" + b"]" * n + after


def _mood() -> Iterator[bytes]:
    yield from map(_json, MOODS)
    yield from (_json({"joy": written}) for written, _, _ in WRITTEN)
    yield _json({"about": "shy", "system": "You are shy.", "mood": {"joy": 0.2}})
    yield from _deep(b'{"joy": ', b"}")
    yield b'{"joy": ' + b'{"sum": [1, ' * 40 + b"1" + b"]}" * 40 + b"}"


def _short_mood() -> Iterator[bytes]:
    yield from (f"joy={short}".encode() for _, _, short in WRITTEN)
    yield b"joy=0.8,fear=-0.2,$layers=8:20,$inertia=30,$blend=shared-once,$max=2"
    yield b"valence=0.7,arousal=-0.3"
    yield b"shy"
    yield b"joy=" + b"(" * 300 + b"1" + b")" * 300
    yield b"joy=" + b"-" * 900 + b"1"
    yield b"joy=" + b"1+" * 400 + b"1"
    yield b"joy=1" + b".max(1)" * 120


SAMPLING = {
    "temperature": 0.2, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "typical_p": 1,
    "repeat_penalty": 1, "frequency_penalty": 0, "presence_penalty": 0, "last_n_tokens": 64,
    "grammar": "", "stop": ["."], "seed": None, "max_tokens": 8, "max_seconds": None,
    "logprobs": None,
}  # fmt: skip


def voice(**other: Any) -> dict[str, Any]:
    """The line of a saved voice that says nothing at the moment; without its cache."""
    cache = {"origin": "", "positions": 0, "begins": 0, "read": 0, "moved": 0, "bytes": 0}
    return {
        "llamood": "voice",
        "version": 1,
        "model": {"name": "m", "fingerprint": "0" * 32},
        "has_system": False,
        "messages": [{"role": "user", "content": "Tell me."}],
        "moods": [{"joy": 0.5, "$inertia": 3}],
        "felt": {"joy": 0.5},
        "sampling": SAMPLING,
        "faces": [{"label": "glad", "emotion": "joy"}],
        "face": {"emotion": "joy", "coming": None, "n_coming": 0},
        "reading": {"joy": 0.1},
        "answer": None,
        "cache": {**cache, "blake2b": ""},
        **other,
    }


def answer() -> dict[str, Any]:
    """In the middle of which a voice is saved."""
    row = {"asked": [0.5], "limited": [0.5], "applied": [0.5], "mood": 0,
           "held": [{"weight": 0.1, "integral": 0.2, "reading": None}]}  # fmt: skip
    heard = {"token": 1, "logprob": -0.5, "overdose": None}
    return {
        "emotions": ["joy"], "messages": [], "tokens": [1, 2], "n_prompt": 1, "keys": [0, 1],
        "forgotten": 0, "sampling": SAMPLING, "said": "a", "faces": None, "told": ["a"],
        "untold": [{"token": 1, "text": "a", "likely": [{"token": 1, "logprob": -1}],
                    "forgotten": 0, "reading": None, "score": [0.1]}],
        "n_drawn": 1, "n_draw": 1, "n_skip": 0, "is_paused": False, "is_unfelt": False,
        "seconds": 0.5, "notices": [],
        "performance": {"begin": 0, "is_felt": True, "before": [0], "softened": [],
                        "told": {"excesses": [0], "is_outside": False, "is_silent": False},
                        "said": None, "flips": {}, "rows": [row], "row_of": [0]},
        "monitor": {"heard": [heard], "unheard": [], "n_sound": 0,
                    "rescues": [{"token": 1, "kept": 0, "factor": 0.5, "kind": "loop",
                                 "text": "a"}]},
    }  # fmt: skip


def _saved_voice() -> Iterator[bytes]:
    yield _json(voice()) + b"\n"
    yield _json(voice(answer=answer())) + b"\n"
    numbers = {"positions": 2, "begins": 1, "read": 1, "moved": 1, "origin": "m"}
    cache = {**voice()["cache"], **numbers}
    tail = struct.pack("<2i2qifd", 1, 2, 0, 1, 0, 0.5, 0.25) + bytes(16)
    yield _json(voice(cache=cache)) + b"\n" + tail
    yield b"x" + _json(voice()) + b"\n"
    yield from _deep(b'{"llamood": "voice", "version": 1, "moods": [', b"]}\n")


def _restored_voice() -> Iterator[bytes]:
    """Of the tests' model, as csrc/fuzz/restored_voice.cpp opens it: silent, at the beginning of an
    answer, and within one; with what is cached, too."""
    from llamood.voices.cast import Cast

    mood = {"joy": {"ramp": [0, 1], "over": 8}, "$inertia": 2}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ann.voice"
        settings: dict[str, Any] = {
            "voices": 2,
            "n_ctx": 96,
            "n_threads": 1,
            "verbose": False,
            "readings": True,
        }
        with Cast(tiny_chat.MODEL, emotions=tiny_chat.VECTORS, **settings) as cast:
            ann = cast.join("You are Ann.", mood=mood, temperature=0)
            for n in (0, 1, 4):
                if n == 1:
                    answer = cast.say({ann: "Tell me about bread."}, max_tokens=12)
                for _ in range(n):
                    cast.step()
                for has_cache in (False, True):
                    ann.save(path, cache=has_cache)
                    yield path.read_bytes()
            answer.close()


def _request() -> Iterator[bytes]:
    said = [{"role": "user", "content": "hi"}]
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    tool = {"type": "function", "function": {"name": "f", "parameters": SCHEMAS[0]}}
    for body in (
        {"messages": said, "mood": {"joy": 0.8}, "stop": ["."], "temperature": 0.5, "seed": 7},
        {"messages": said, "mood": "joy=0.8,$inertia=3", "stream": True, "readings": True,
         "stream_options": {"include_usage": True}, "faces": {"glad": "joy", "calm": None}},
        {"messages": said, "tools": [tool], "tool_choice": "required"},
        {"messages": said, "tools": [tool],
         "tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"messages": [*said, {"role": "assistant", "content": None, "tool_calls": [call]},
                      {"role": "tool", "tool_call_id": "a", "content": "x"}], "feel": True},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]},
                      {"role": "assistant", "content": "so"}], "llamood": {"continues": True}},
        *({"messages": said, "response_format":
           {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}}
          for schema in SCHEMAS),
    ):  # fmt: skip
        yield b"c" + _json(body)
    for prompt in ("hi", [1, 2], ["a", "b"], [[1], [2]]):
        yield b"t" + _json({"prompt": prompt, "mood": {"joy": {"ramp": [0, 1], "over": 8}}})
    yield b"e" + _json({"name": "awe", "texts": [f"Look, {i}!" for i in range(20)]})
    yield b"e" + _json({"name": "awe", "describe": "in awe"})
    yield b"r" + _json({"mood": {"joy": 1}, "tokens": 8})
    yield b"x" + _json({"name": "awe"})
    yield from _deep(b'c{"messages": [{"role": "user", "content": "a"}], "mood": {"joy": ', b"}}")


SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1, "maximum": 300},
     "b": {"enum": ["x", 1, None, {"a": []}]}}, "required": ["a"], "additionalProperties": False},
    {"type": "array", "items": {"anyOf": [{"type": "string", "maxLength": 3}, {"const": "é\"\\"}]},
     "minItems": 1, "maxItems": 3},
    {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {
        "next": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]}}}}},
    {"type": "string", "format": "date-time"},
    {"type": "array", "prefixItems": [{"type": "boolean"}, {"type": "number"}]},
    {"type": "object", "additionalProperties": {"type": "integer", "exclusiveMinimum": -1e300}},
    {"type": "object", "propertyNames": {"enum": ["a"]}, "additionalProperties": True},
]  # fmt: skip


def _schema() -> Iterator[bytes]:
    yield from map(_json, SCHEMAS)
    yield from _deep(b'{"const": ', b"}")


def _tool_calls() -> Iterator[bytes]:
    for call in (
        {"name": "weather", "arguments": {"at": "here </tool_call>"}},
        {"name": "feel", "parameters": {"joy": 0.8}},
        {"name": "feel", "arguments": '{"fear": 1e999}'},
        {"name": "nobody", "arguments": None},
    ):
        yield b"Well. <tool_call>\n" + _json(call) + b"\n</tool_call> So <tool"
    yield from _deep(b'<tool_call>{"name": "weather", "arguments": ', b"}</tool_call>")
    yield from _deep(b'<tool_call>{"name": "feel", "arguments": "', b'"}</tool_call>')


# -- texts -----------------------------------------------------------------------------------------


def _text() -> Iterator[bytes]:
    yield b"betray\nI will be\ntray you\nno\nbetraybetray"
    yield b"aa\na\na\naaa\n\n"
    yield "é\n\xc3\xa9 \U0001f600 ‮ ​\x00\x7f\n".encode() + b"\xc3\n\xa9\xf0\x9f\n\xff\xed\xa0\x80"


def _texts() -> Iterator[bytes]:
    yield b"text\tlabel\nI am glad.\tjoy\nNo!\tanger,fear\n"
    yield b'text,label\n"I am, ""glad""\n now.",joy\n'
    yield _json({"text": "I am glad.", "label": "joy"}) + b"\n" + _json({"text": "a", "label": [1]})
    yield _json({"joy": ["Glad?"], "neutral": ["So?"]})
    said = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    yield _json({"messages": said, "mood": {"joy": 1}})
    yield b"\xef\xbb\xbf" + b"\n".join(b"I am glad of %d." % i for i in range(20))
    yield from _deep(b'{"messages": ', b"}")


def _answers() -> Iterator[bytes]:
    row = {"question": "Why?", "answer": "So.", "emotion": "joy", "intensity": 1}
    own = {"job": 0, "number": 0, "question": "Why?", "kind": "vector", "emotion": "joy",
           "intensity": 1.0, "dose": 1.0, "text": "So.", "n_token": 1, "nll": 0.5, "mix": {},
           "point": None}  # fmt: skip
    yield _json(row) + b"\n" + _json({**row, "intensity": -1.5, "point": [1, 0, 0]})
    yield _json([row, {**row, "emotion": None, "intensity": 0}])
    yield _json({"Why?": "So.", "How?": ["a", 1]})
    yield _json({"settings": {}}) + b"\n" + _json(own) + b"\n"
    yield from _deep(b"[", b"]")


# What was found, by target: one example of each kind.
FOUND: dict[str, tuple[bytes, ...]] = {
    "gguf-cpp": (
        hostile_files.BROKEN["value of unknown type"][0],
        hostile_files.directions(Direction("direction.1", kind=2**31)),
    ),
    "saved_voice-cpp": (_json(voice()) + b"\n",),
    "texts-py": (b'{"text": "a", "label": []}',),
}
