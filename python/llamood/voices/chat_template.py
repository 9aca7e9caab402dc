"""How a model writes a conversation down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import jinja2
import llama_cpp
from llama_cpp.llama_chat_format import CHATML_CHAT_TEMPLATE, Jinja2ChatFormatter

from llamood.errors import ModelError
from llamood.voices.control_texts import ControlTexts

# A turn of a user as tokens, up to where the answer begins.
Prompt = Callable[[llama_cpp.Llama, str], Sequence[int]]

TEMPLATE = "tokenizer.chat_template"  # the key of a GGUF file
_TOOLS_TEMPLATE = f"{TEMPLATE}.tool_use"  # of those that have one more for tools


def has_chat_template(llm: llama_cpp.Llama) -> bool:
    """Whether the model says how a conversation is written."""
    return TEMPLATE in llm.metadata


def template_of(metadata: Mapping[str, str], *, has_tools: bool) -> str:
    """What of a model's file says how a conversation is written, with tools or without; empty where
    nothing does."""
    plain = metadata.get(TEMPLATE, "")
    return metadata.get(_TOOLS_TEMPLATE, plain) if has_tools else plain


def said_last(messages: Any) -> str | None:
    """The text of the last message of a user; None where there is none, or no text in it."""
    for message in reversed(messages if isinstance(messages, list | tuple) else ()):
        if not isinstance(message, Mapping) or message.get("role") != "user":
            continue
        content = message.get("content")
        parts = content if isinstance(content, list | tuple) else [{"text": content}]
        texts = [part.get("text") for part in parts if isinstance(part, Mapping)]
        known = [text for text in texts if isinstance(text, str)]
        return "".join(known) if known else None
    return None


def chat_tokens(
    llm: llama_cpp.Llama,
    messages: Sequence[dict[str, Any]],
    *,
    tools: Sequence[Mapping[str, Any]] | None = None,
    plain: ControlTexts | None = None,
) -> list[int]:
    """The conversation in the model's chat template, up to where the answer begins.

    ``tools``: what the model may call, as the OpenAI API has them, for a template that offers
    tools. ``plain``: texts that are plain characters wherever the messages or tools have them; the
    template's own are control tokens. None: they are control tokens everywhere, as in llama.cpp.
    A model without a template gets ChatML. Raises `ModelError` where the template
    refuses the messages (some know no system prompt).
    """
    if plain is None:
        text = chat_text(llm, messages, tools=tools)
        return list(llm.tokenize(text.encode(), add_bos=False, special=True))
    text = chat_text(llm, plain.marked(messages), tools=plain.marked(tools))
    return plain.tokens(text, lambda part, special: llm.tokenize(part, False, special))


def chat_text(
    llm: llama_cpp.Llama,
    messages: Sequence[dict[str, Any]],
    *,
    tools: Sequence[Mapping[str, Any]] | None = None,
) -> str:
    """As `chat_tokens`, before it is made into tokens. Raises as it does."""
    template = template_of(llm.metadata, has_tools=bool(tools)) or CHATML_CHAT_TEMPLATE
    formatter = _formatter(template, _text(llm, llm.token_bos()), _text(llm, llm.token_eos()))
    try:
        return str(formatter(messages=list(messages), tools=tools and list(tools)).prompt)
    except (ValueError, TypeError, jinja2.TemplateError) as error:
        raise ModelError(f"the model's chat template refuses these messages: {error}") from error


@lru_cache(maxsize=8)
def _formatter(template: str, bos: str, eos: str) -> Any:
    """Compiled once for a model: an evaluation writes thousands of prompts."""
    return Jinja2ChatFormatter(template=template, bos_token=bos, eos_token=eos)


def _text(llm: llama_cpp.Llama, token: int) -> str:
    if token < 0:  # the model has none
        return ""
    return str(llm.detokenize([token], special=True).decode(errors="replace"))
