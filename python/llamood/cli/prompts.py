"""From what a person wrote to the tokens that the model continues."""

from __future__ import annotations

from collections.abc import Sequence

import llama_cpp

from llamood.errors import LlamoodError, ModelError
from llamood.voices.chat_template import chat_tokens, has_chat_template
from llamood.voices.llama import Llama

__all__ = [
    "chat_tokens",
    "first_questions",
    "has_chat_template",
    "plain_tokens",
    "require_room",
    "user_turn",
]


def first_questions(questions: Sequence[str], n: int | None) -> Sequence[str]:
    """The first ``n``, all where it is None. Raise `LlamoodError` where there are fewer."""
    if n is not None and n > len(questions):
        raise LlamoodError(
            f"{n} questions were asked for (--questions), expected at most {len(questions)}: no "
            "more are there"
        )
    return questions[:n]


def user_turn(llm: llama_cpp.Llama, turn: str) -> list[int]:
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
