"""What makes an answer useless for measuring."""

from __future__ import annotations

from llamood.extraction.side_effects import collapse, side_effects

SHORTEST = 4  # tokens; a mean over fewer says more about the words than about the feeling


def answer_fault(text: str, n_token: int, *, plain: str | None) -> str | None:
    """Why an answer of ``n_token`` tokens is dropped, or None; ``plain``: one it must not equal."""
    if n_token < SHORTEST:
        return f"shorter than {SHORTEST} tokens"
    if collapse(text).collapsed:
        return "repeats itself"
    if side_effects(text).refusal:
        return "refuses"
    if plain is not None and text == plain:
        return "the emotional answer equals the plain one"
    return None
