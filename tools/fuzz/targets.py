"""The targets: what is given whatever bytes, and how large they may be."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Literal

Language = Literal["C++", "Python"]


@dataclass(frozen=True)
class Target:
    """``reads``: what, in words. ``longest``: bytes of an input. ``words``: tokens of its language,
    for libFuzzer's dictionary. ``needs``: a module without which it is left out. ``is_json``: its
    inputs are changed as JSON, too."""

    name: str
    language: Language
    reads: str
    longest: int = 4096
    words: tuple[str, ...] = ()
    needs: str | None = None
    is_json: bool = False

    @property
    def id(self) -> str:
        """Of C++ and Python some have the same name."""
        return f"{self.name}-{'cpp' if self.language == 'C++' else 'py'}"

    @property
    def is_here(self) -> bool:
        return self.needs is None or importlib.util.find_spec(self.needs) is not None


_GGUF = (
    "GGUF", "general.architecture", "general.alignment", "controlvector", "steeringvector",
    "controlvector.model_hint", "controlvector.layer_count", "direction.0", "direction.1",
    "direction.2", "llamood.version", "llamood.emotion", "llamood.method", "llamood.site",
    "llamood.direction_0", "llamood.residual_rms", "llamood.model.fingerprint", "llamood.scale",
    "llamood.ceiling", "llamood.affect", "layer_out", "attn_out", "joy",
)  # fmt: skip
_BASELINE = (
    "llamood.baseline", "llamood.baseline.names", "llamood.baseline.layers",
    "llamood.baseline.chosen", "llamood.baseline.about", "directions", "mean", "spread", "joint",
    "response", "auroc", "vector_median", "vector_spread", '{"quality": {"macro_auroc": 0.9}}',
)  # fmt: skip
_KINDS = (
    "constant", "ramp", "decay", "pulse", "wave", "keys", "drift", "sum", "product", "then",
    "clamp", "delay", "repeat", "max", "floor", "cap", "on", "when", "hold", "over", "ease",
    "smooth", "step", "half_life", "attack", "release", "period", "return", "seed", "after", "low",
    "high", "by", "times", "every", "start", "of", "lasts", "always", "hysteresis", "else", "user",
    "joy", "valence", "arousal", "$blend", "$positions", "$layers", "$dose", "$inertia", "$max",
    "shared-once", "relative", "about", "system", "mood", "1e308", "-1e-320", "> 1.5", " and ",
)  # fmt: skip
_JSON = ("true", "false", "null", "[[", "]]", '{"', '":', "1e999", "NaN", "Infinity", "\\ud800")
_SAVED = (
    "llamood", "voice", "version", "model", "name", "fingerprint", "has_system", "messages", "role",
    "content", "moods", "felt", "sampling", "temperature", "stop", "seed", "max_tokens", "faces",
    "face", "emotion", "coming", "reading", "answer", "cache", "origin", "positions", "begins",
    "read", "moved", "bytes", "blake2b", "tokens", "n_prompt", "keys", "performance", "row_of",
    "rows", "monitor", "heard", "unheard", "rescues",
)  # fmt: skip
_REQUEST = (
    "model", "messages", "role", "user", "assistant", "tool", "content", "tools", "tool_calls",
    "function", "parameters", "tool_choice", "required", "response_format", "json_schema", "schema",
    "name", "stop", "stream", "mood", "faces", "feel", "llamood", "session", "continues", "prompt",
    "logprobs", "top_logprobs", "temperature", "max_tokens", "texts", "describe", "arguments",
)  # fmt: skip
_SCHEMA = (
    "type", "object", "array", "string", "integer", "number", "boolean", "properties", "required",
    "additionalProperties", "propertyNames", "items", "prefixItems", "minItems", "maxItems",
    "minLength", "maxLength", "minimum", "exclusiveMaximum", "enum", "const", "anyOf", "$ref",
    "$defs", "#/$defs/", "format", "date-time", "uuid",
)  # fmt: skip
_VOICE = (*_JSON, *_SAVED)
_BODY = (*_JSON, *_REQUEST, *_SCHEMA)
_MOODS = "moods and personalities in JSON"

TARGETS = (
    Target("gguf", "C++", "GGUF files, and which model they hold", words=_GGUF),
    Target("control_vectors", "C++", "emotion vectors of a model", words=_GGUF),
    Target("baseline", "C++", "baselines of readings", words=(*_GGUF[:4], *_BASELINE)),
    Target("mood", "C++", _MOODS, words=(*_JSON, *_KINDS), is_json=True),
    Target("saved_voice", "C++", "saved voices", 16384, _VOICE, is_json=True),
    Target("restored_voice", "C++", "saved voices that go on", 2**18, _VOICE, is_json=True),
    Target("text", "C++", "texts: UTF-8, in messages, waited for in tokens"),
    Target("control_vector", "Python", "control vectors", words=_GGUF),
    Target("baseline", "Python", "baselines of readings", words=(*_GGUF[:4], *_BASELINE)),
    Target(
        "arrays",
        "Python",
        "archives of arrays: vectors, judges, candidates, unfinished measurements",
        words=("|npy|", "\x93NUMPY\x01", "descr", "fortran_order", "shape", "<f4", "|O", "<U3"),
    ),
    Target("paper_json", "Python", "the paper's JSON", words=_JSON, is_json=True),
    Target("safetensors", "Python", "safetensors", words=("dtype", "F32", "BF16", "data_offsets",
           "shape", "__metadata__", "llamood"), needs="safetensors"),
    Target("pytorch", "Python", "PyTorch's files", needs="torch"),
    Target("short_mood", "Python", "moods in short form", 1024, _KINDS),
    Target("mood", "Python", _MOODS, words=(*_JSON, *_KINDS), is_json=True),
    Target("saved_voice", "Python", "saved voices", 16384, _VOICE, is_json=True),
    Target("request", "Python", "bodies of requests", 8192, _BODY, is_json=True),
    Target("schema", "Python", "JSON schemas", 8192, (*_JSON, *_SCHEMA), is_json=True),
    Target(
        "tool_calls",
        "Python",
        "tool calls in what a model says",
        words=("<tool_call>", "</tool_call>", "arguments", "parameters", "feel", "weather"),
    ),
    Target("texts", "Python", "texts, queries, conversations", words=_JSON, is_json=True),
    Target("answers", "Python", "answers that others gave", words=_JSON, is_json=True),
)  # fmt: skip
