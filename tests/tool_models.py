"""Small models whose chat template offers tools, as Hermes and Qwen write them: one of random
weights, and one that says what it was made to say."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

import llamood
from llama_gguf import (
    CHATML,
    LlamaShape,
    byte_alphabet,
    byte_tokenizer,
    random_weights,
    write_llama,
)
from open_voices import random_vectors

TEMPLATE = (
    "{% if tools %}<|im_start|>system\nCall <tool_call>{...}</tool_call>:"
    "{% for tool in tools %}{{ tool | tojson }}{% endfor %}<|im_end|>\n{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}"
    "{% for call in message.tool_calls or [] %}<tool_call>{{ call.function.name }}"
    "{{ call.function.arguments | tojson }}</tool_call>{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# One that knows no tools, and another for conversations with them.
TEMPLATES: Sequence[Mapping[str, str]] = (
    {"name": "default", "template": CHATML},
    {"name": "tool_use", "template": TEMPLATE},
)


def write_tool_model(
    folder: Path, *, template: str | Sequence[Mapping[str, str]] = TEMPLATE, n_ctx: int = 4096
) -> Path:
    """``model.gguf`` in ``folder``, whose tokens are bytes, and vectors beside it."""
    path = folder / "model.gguf"
    shape = LlamaShape(
        n_layer=2, n_embd=64, n_ff=64, n_head=2, n_head_kv=2, n_vocab=300, n_ctx=n_ctx
    )
    write_llama(
        path,
        shape,
        random_weights(shape, seed=1, scale=0.2),
        tokenizer=byte_tokenizer(shape.n_vocab),
        chat_template=template,
        quant="f32",
        name="tools",
    )
    llamood.save(random_vectors(path), folder / "model.evs")
    return path


def with_tools(model: Path, folder: Path) -> Path:
    """A copy of a model, whose chat template offers tools."""
    path = folder / model.name
    copying = [sys.executable, "-m", "gguf.scripts.gguf_new_metadata", "--chat-template", TEMPLATE]
    subprocess.run([*copying, model, path], check=True, capture_output=True)
    return path


CALL = ("<tool_call>", '{"name": "feel", "arguments": ', '{"joy": 0.5}}', "</tool_call>")


def write_reciting_model(folder: Path, *, says: Sequence[str] = CALL) -> Path:
    """As `write_tool_model`, of a model that says these pieces whatever it is asked, each of them a
    token: its likeliest token depends on the last one alone."""
    path = folder / "model.gguf"
    shape = LlamaShape(
        n_layer=2, n_embd=64, n_ff=64, n_head=2, n_head_kv=2, n_vocab=300, n_ctx=4096, tied=False
    )
    alphabet = byte_alphabet()
    tokenizer, first = byte_tokenizer(shape.n_vocab), 260
    written = ["".join(alphabet[byte] for byte in piece.encode()) for piece in says]
    tokens = (*tokenizer.tokens[:first], *written, *tokenizer.tokens[first + len(written) :])
    weights = random_weights(shape, seed=1, scale=0.2)
    for name in list(weights):
        if name.endswith(("attn_output.weight", "ffn_down.weight")):
            weights[name] = np.zeros_like(weights[name])
    weights["token_embd.weight"] *= 200  # no mood of a test changes what is likeliest
    weights["output.weight"][:] = 0
    order = [ord("\n"), *range(first, first + len(written)), tokenizer.eos]
    for last, following in itertools.pairwise(order):
        weights["output.weight"][following] = weights["token_embd.weight"][last]
    write_llama(
        path,
        shape,
        weights,
        tokenizer=replace(tokenizer, tokens=tokens),
        chat_template=TEMPLATE,
        quant="f32",
        name="reciting",
    )
    llamood.save(random_vectors(path), folder / "model.evs")
    return path
