"""What was said so far, under which moods, and how much of it the model still sees."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from llamood.atomic import write_files
from llamood.cli.prompts import chat_tokens, require_room
from llamood.voices.llama import Llama


@dataclass(frozen=True)
class Turn:
    """What the user said and what was answered."""

    user: str
    answer: str
    mood: dict[str, Any]  # Mood.to_dict() of the answer
    seed: int
    ended: str  # "stop", "length" or "interrupted"


@dataclass
class Conversation:
    """Grows by a turn at a time. The oldest turns are forgotten when the context is full, but
    stay part of what is saved."""

    system: str | None = None
    turns: list[Turn] = field(default_factory=list)
    forgotten: int = 0  # of the turns, from the first on

    def prompt(self, llm: Llama, user: str, *, room: int) -> list[int]:
        """The tokens up to the answer to ``user``, leaving ``room`` tokens where that can be done.

        Forgets the oldest turns until they fit. Raises `ModelError` where what the user says
        alone fills the context.
        """
        for forgotten in range(self.forgotten, len(self.turns) + 1):
            tokens = chat_tokens(llm, self._messages(user, forgotten))
            if len(tokens) + room <= llm.n_ctx():
                break
        require_room(llm, tokens)
        self.forgotten = forgotten
        return tokens

    def save(self, path: Path, **about: Any) -> None:
        """Write everything as JSON, with ``about`` before it. Raises `FileError`."""
        messages: list[dict[str, Any]] = self._opening()
        for turn in self.turns:
            messages += [
                {"role": "user", "content": turn.user},
                {
                    "role": "assistant",
                    "content": turn.answer,
                    "mood": turn.mood,
                    "seed": turn.seed,
                    "ended": turn.ended,
                },
            ]
        text = json.dumps({**about, "messages": messages}, indent=2, ensure_ascii=False) + "\n"
        write_files({path: partial(_write, text)})

    def _opening(self) -> list[dict[str, Any]]:
        return [] if self.system is None else [{"role": "system", "content": self.system}]

    def _messages(self, user: str, forgotten: int) -> list[dict[str, Any]]:
        messages = self._opening()
        for turn in self.turns[forgotten:]:
            messages += [
                {"role": "user", "content": turn.user},
                {"role": "assistant", "content": turn.answer},
            ]
        return [*messages, {"role": "user", "content": user}]


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
