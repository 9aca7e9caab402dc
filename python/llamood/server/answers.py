"""What a request is answered: OpenAI's objects, whole or in chunks."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from llamood.voices.event import Event
from llamood.voices.feel_tool import Feeling
from llamood.voices.tool_calls import Calls

Kind = Literal["chat.completion", "text_completion"]
# A limit of time is one of length to a client; of an interrupted answer it is told an error.
_ENDS = {"stop": "stop", "length": "length", "time": "length"}
_LEAST = -9999.0  # OpenAI's logarithm of a probability of nothing


@dataclass(frozen=True)
class Heard:
    """What one event adds: text, tool calls that are whole now, and how likely its token was.
    ``offset``: how many characters the answer had before it."""

    text: str
    offset: int
    calls: Sequence[Mapping[str, Any]] = ()
    logprobs: Sequence[Mapping[str, Any]] = ()

    @property
    def is_worth_telling(self) -> bool:
        return bool(self.text or self.calls or self.logprobs)


@dataclass
class Choice:
    """One answer as it grows. ``piece``: the bytes of a token. ``calls``: what hears tool calls in
    it, None where there are none; a `Feeling` where the character may set its mood."""

    index: int
    n_prompt: int
    piece: Callable[[int], bytes]
    calls: Calls | Feeling | None = None
    heard: list[Heard] = field(default_factory=list)
    n_token: int = 0
    n_char: int = 0
    reason: str | None = None
    last: Event | None = None

    def hear(self, event: Event) -> Heard:
        self.n_token += event.token is not None
        self.last = event
        text: str = event.text
        calls: list[dict[str, Any]] = []
        if self.calls is not None:
            text, calls = self.calls.hear(event.text, is_last=event.finish_reason is not None)
        heard = Heard(text, self.n_char, calls, self._likely(event))
        self.n_char += len(text)
        self.heard.append(heard)
        if event.finish_reason is not None:
            self.reason = _ENDS[event.finish_reason]
            if self.calls is not None and self.calls.found and self.reason == "stop":
                self.reason = "tool_calls"
        return heard

    @property
    def feels(self) -> list[dict[str, Any]]:
        """What came of the calls by which the character set its mood."""
        return list(self.calls.told) if isinstance(self.calls, Feeling) else []

    def _likely(self, event: Event) -> list[dict[str, Any]]:
        """Not of a token that ends the answer."""
        if not event.likely or event.token is None or not self.piece(event.token):
            return []
        own, *top = (self._one(*likely) for likely in event.likely)
        return [{**own, "top_logprobs": top}]

    def _one(self, token: int, logprob: float) -> dict[str, Any]:
        piece = self.piece(token)
        text = piece.decode(errors="replace")
        return {"token": text, "logprob": max(logprob, _LEAST), "bytes": list(piece)}

    @property
    def text(self) -> str:
        return "".join(heard.text for heard in self.heard)


class Writer:
    """Makes the objects of one request. ``session``: the name of one that it began."""

    def __init__(
        self,
        kind: Kind,
        *,
        model: str,
        fingerprint: str,
        reads: bool,
        logs: bool,
        is_counted: bool,
        session: str | None = None,
    ) -> None:
        self._kind = kind
        self._begun = {} if session is None else {"session": session}
        self._reads = reads
        self._logs = logs
        self._is_counted = is_counted
        self._about = {
            "id": ("chatcmpl-" if kind == "chat.completion" else "cmpl-") + uuid.uuid4().hex,
            "created": int(time.time()),
            "model": model,
            "system_fingerprint": fingerprint,
        }

    def whole(self, choices: Iterable[Choice]) -> dict[str, Any]:
        made = list(choices)
        return {
            **self._about,
            "object": self._kind,
            "choices": [self._whole_choice(choice) for choice in made],
            "usage": usage(made),
            **({"llamood": self._begun} if self._begun else {}),
        }

    def _whole_choice(self, choice: Choice) -> dict[str, Any]:
        about: dict[str, Any] = {"index": choice.index, "finish_reason": choice.reason}
        told = {} if choice.last is None else self._felt(choice, choice.last)
        if told:
            about["llamood"] = told
        about["logprobs"] = self._logprobs(choice.heard)
        if self._kind == "text_completion":
            return {**about, "text": choice.text}
        message: dict[str, Any] = {"role": "assistant", "content": choice.text, "refusal": None}
        if choice.calls is not None and choice.calls.found:
            calls = [{k: v for k, v in c.items() if k != "index"} for c in choice.calls.found]
            message |= {"content": choice.text.strip() or None, "tool_calls": calls}
        return {**about, "message": message}

    def opening(self, choice: Choice) -> dict[str, Any] | None:
        """The chunk before the first of an answer."""
        if self._kind == "text_completion":
            return None
        return self._chunk(choice, delta={"role": "assistant", "content": "", "refusal": None})

    def chunk(self, choice: Choice, event: Event, heard: Heard) -> dict[str, Any]:
        """The chunk of one event."""
        more = self._felt(choice, event)
        if self._kind == "text_completion":
            return self._chunk(choice, text=heard.text, likely=[heard], more=more)
        delta: dict[str, Any] = {"content": heard.text} if heard.text else {}
        delta |= {"tool_calls": list(heard.calls)} if heard.calls else {}
        return self._chunk(choice, delta=delta, likely=[heard], more=more)

    def _felt(self, choice: Choice, event: Event) -> dict[str, Any]:
        """Where readings were asked for, what was felt and read; and, asked for or not, what the
        character set itself, what became of an answer that collapsed, and what limits took."""
        told = felt(event) if self._reads else {}
        if choice.feels:
            told["feels"] = choice.feels
        if event.guard is not None:
            told["guard"] = dict(event.guard)
        if event.notices:
            told["notices"] = list(event.notices)
        return told

    def closing(self, choices: Iterable[Choice]) -> dict[str, Any]:
        """The chunk with the counts, where they are asked for."""
        return {**self._about, "object": self._chunk_kind, "choices": [], "usage": usage(choices)}

    @property
    def _chunk_kind(self) -> str:
        return "chat.completion.chunk" if self._kind == "chat.completion" else self._kind

    def _chunk(
        self,
        choice: Choice,
        *,
        likely: Sequence[Heard] = (),
        more: Mapping[str, Any] = MappingProxyType({}),
        **said: Any,
    ) -> dict[str, Any]:
        about = {
            "index": choice.index,
            "finish_reason": choice.reason,
            "logprobs": self._logprobs(likely),
        }
        counted = {"usage": None} if self._is_counted else {}
        told = {**self._begun, **more}
        return {
            **self._about,
            "object": self._chunk_kind,
            "choices": [{**about, **said}],
            **counted,
            **({"llamood": told} if told else {}),
        }

    def _logprobs(self, likely: Sequence[Heard]) -> dict[str, Any] | None:
        if not self._logs:
            return None
        tokens = [token for heard in likely for token in heard.logprobs]
        if self._kind == "chat.completion":
            return {"content": list(tokens), "refusal": None}
        return {
            "tokens": [token["token"] for token in tokens],
            "text_offset": [heard.offset for heard in likely for _ in heard.logprobs],
            "token_logprobs": [token["logprob"] for token in tokens],
            "top_logprobs": [
                {top["token"]: top["logprob"] for top in token["top_logprobs"]} for token in tokens
            ],
        }


def felt(event: Event) -> dict[str, Any]:
    """What was asked for, under what mix it was said, and what was read: of the answer up to
    there, and of the token before it alone; and what a face would show of that."""
    return {
        "asked": dict(event.asked),
        "mood": dict(event.mood),
        "reading": None if event.reading is None else dict(event.reading),
        "score": None if event.score is None else dict(event.score),
        "face": event.face,
        "face_reading": event.face_reading,
        "valence": event.valence,
        "arousal": event.arousal,
    }


def usage(choices: Iterable[Choice]) -> dict[str, int]:
    """Answers of one prompt count it once."""
    made = list(choices)
    prompts = sum(choice.n_prompt for choice in made)
    said = sum(choice.n_token for choice in made)
    return {"prompt_tokens": prompts, "completion_tokens": said, "total_tokens": prompts + said}
