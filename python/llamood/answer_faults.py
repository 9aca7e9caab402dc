"""What makes an answer useless for measuring."""

from __future__ import annotations

SHORTEST = 4  # tokens; a mean over fewer says more about the words than about the feeling


def answer_fault(text: str, n_token: int, *, plain: str | None) -> str | None:
    """Why an answer of ``n_token`` tokens is dropped, or None; ``plain``: one it must not equal."""
    if n_token < SHORTEST:
        return f"shorter than {SHORTEST} tokens"
    if repeats_itself(text):
        return "repeats itself"
    if plain is not None and text == plain:
        return "the emotional answer equals the plain one"
    return None


def repeats_itself(text: str) -> bool:
    """More than half of the 4-grams are repetitions, in a text of at least 40 words."""
    words = text.split()
    if len(words) < 40:
        return False
    grams = [tuple(words[i : i + 4]) for i in range(len(words) - 3)]
    return len(set(grams)) < len(grams) / 2
