"""A small random model whose chat template offers tools, as Hermes and Qwen write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import llamood
from llama_gguf import CHATML, LlamaShape, byte_tokenizer, random_weights, write_llama
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
