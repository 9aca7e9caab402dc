"""From what a person wrote to the tokens that the model continues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jinja2
from llama_cpp.llama_chat_format import CHATML_CHAT_TEMPLATE, Jinja2ChatFormatter

from llamood.errors import ModelError
from llamood.llama import Llama

TEMPLATE = "tokenizer.chat_template"  # the key of a GGUF file


def has_chat_template(llm: Llama) -> bool:
    """Whether the model says how a conversation is written."""
    return TEMPLATE in llm.metadata


def chat_tokens(llm: Llama, messages: Sequence[dict[str, Any]]) -> list[int]:
    """The conversation in the model's chat template, up to where the answer begins.

    A model without a template gets ChatML. Raises `ModelError` where the template
    refuses the messages (some know no system prompt).
    """
    formatter = Jinja2ChatFormatter(
        template=llm.metadata.get(TEMPLATE, CHATML_CHAT_TEMPLATE),
        bos_token=_text(llm, llm.token_bos()),
        eos_token=_text(llm, llm.token_eos()),
    )
    try:
        prompt = formatter(messages=list(messages)).prompt
    except (ValueError, jinja2.TemplateError) as error:
        raise ModelError(f"the model's chat template refuses these messages: {error}") from error
    return list(llm.tokenize(prompt.encode(), add_bos=False, special=True))


def user_turn(llm: Llama, turn: str) -> list[int]:
    """A conversation of one turn; see `chat_tokens`."""
    return chat_tokens(llm, [{"role": "user", "content": turn}])


def plain_tokens(llm: Llama, prompt: str) -> list[int]:
    """The text as it is, begun as the model wants texts begun."""
    return list(llm.tokenize(prompt.encode(), add_bos=True, special=True))


def require_room(llm: Llama, tokens: Sequence[int]) -> None:
    """Raise `ModelError` for a prompt that is empty or leaves no room for an answer."""
    if not tokens:
        raise ModelError("the prompt is empty, and this model begins no text by itself")
    if len(tokens) >= llm.n_ctx():
        raise ModelError(
            f"the prompt has {len(tokens)} tokens and the context {llm.n_ctx()}; shorten the "
            "prompt, or take a larger context (--ctx)"
        )


def _text(llm: Llama, token: int) -> str:
    if token < 0:  # the model has none
        return ""
    return str(llm.detokenize([token], special=True).decode(errors="replace"))
