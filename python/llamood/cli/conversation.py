"""What was said so far, under which moods, and how much of it the model still sees."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from llamood.atomic import write_files
from llamood.cli.prompts import chat_tokens, require_room
from llamood.errors import FileError
from llamood.extraction.texts import read_text
from llamood.voices.llama import Llama

MAX_FILE_BYTES = 64_000_000


@dataclass(frozen=True)
class Turn:
    """What the user said and what was answered. ``attempt``: how many answers to it were taken
    back before this one."""

    user: str
    answer: str
    mood: dict[str, Any]  # Mood.to_dict() of the answer
    seed: int
    ended: str  # "stop", "length" or "interrupted"
    attempt: int = 0


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

    def undo(self) -> Turn | None:
        """Take the last turn back; None where there is none."""
        if not self.turns:
            return None
        last = self.turns.pop()
        self.forgotten = min(self.forgotten, len(self.turns))
        return last

    # -- in a file -------------------------------------------------------------------------

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
                    "attempt": turn.attempt,
                },
            ]
        text = json.dumps({**about, "messages": messages}, indent=2, ensure_ascii=False) + "\n"
        write_files({path: partial(_write, text)})

    @classmethod
    def load(cls, path: Path) -> tuple[Conversation, dict[str, Any]]:
        """What `save` wrote: the conversation, and what it was told ``about``, of which ``mood`` is
        an object if it is there. Messages of other programs, as the OpenAI API has them, do too.
        Raises `FileError` for anything else."""
        text = read_text(path, max_bytes=MAX_FILE_BYTES)
        try:
            written = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise FileError(path, f"is not JSON: {error}") from error
        messages = written.pop("messages", None) if isinstance(written, dict) else None
        if not isinstance(messages, list):
            fault = 'is no conversation: {"messages": [...]}, as /save writes it, was expected'
            raise FileError(path, fault)
        if not isinstance(written.get("mood", {}), dict):
            raise FileError(path, f"mood is {written['mood']!r:.60}, expected an object")
        return _conversation(path, messages), written

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


def seed_of(seed: int, *, turn: int, attempt: int) -> int:
    """Under which an answer is drawn, 0 to 2**32 - 1: another for each ``turn`` of a conversation
    that has ``seed``, and for each ``attempt`` at it; both count from 0."""
    digest = hashlib.blake2b(f"{seed}:{turn}:{attempt}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little")


def _conversation(path: Path, messages: list[Any]) -> Conversation:
    """Of a list of messages: perhaps one of the system, then the user and the answer in turn."""
    for number, message in enumerate(messages, start=1):
        known = isinstance(message, dict) and isinstance(message.get("content"), str)
        if not known or message.get("role") not in ("system", "user", "assistant"):
            raise FileError(
                path,
                f'message {number} is not {{"role": "user", "content": "..."}}, with user, '
                "assistant or system for a role",
            )
    system = None
    if messages and messages[0]["role"] == "system":
        system, messages = messages[0]["content"], messages[1:]
    asked, answered = messages[0::2], messages[1::2]
    alternate = all(each["role"] == "user" for each in asked)
    alternate &= all(each["role"] == "assistant" for each in answered)
    if not alternate or len(asked) != len(answered):
        raise FileError(path, "user and assistant were expected in turn, an answer last")
    pairs = zip(asked, answered, strict=True)
    return Conversation(system, [_turn(path, user["content"], said) for user, said in pairs])


def _turn(path: Path, user: str, said: Mapping[str, Any]) -> Turn:
    """``said``: the message of the answer; what `Conversation.save` adds to it may be missing."""
    more = {"mood": {}, "seed": 0, "ended": "stop", "attempt": 0}
    found = {key: said.get(key, default) for key, default in more.items()}
    for key, value in found.items():
        if type(value) is not type(more[key]):
            raise FileError(path, f"{key} of an answer is {value!r:.60}, expected {_KINDS[key]}")
    return Turn(user, said["content"], **found)


_KINDS = {
    "mood": "an object",
    "seed": "a whole number",
    "ended": "a text",
    "attempt": "a whole number",
}


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
