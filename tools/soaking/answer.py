"""What a request was answered, whichever way it was asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class Refused(Exception):
    """Told by its status, or by an error in the middle of a stream (``status`` 0)."""

    def __init__(self, status: int, body: Any, *, wait: float = 0.0) -> None:
        super().__init__(f"{status} {json.dumps(body)[:300]}")
        self.status = status
        self.body = body
        self.wait = wait

    @property
    def code(self) -> str | None:
        """The service's word for the fault; None where it has none."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return error.get("code") if isinstance(error, dict) else None


class Cut(Exception):
    """The connection broke before the answer was there."""


class Wrong(Exception):
    """An answer that is none of this request, or has no end. ``kind``: as in `record`."""

    def __init__(self, kind: Any, what: str) -> None:
        super().__init__(what)
        self.kind = kind


@dataclass
class Choice:
    """``asked``: the mood before limits, of each chunk that tells one."""

    text: str = ""
    reason: str | None = None
    logprobs: list[float] = field(default_factory=list)
    tops: list[list[float]] = field(default_factory=list)
    asked: list[Mapping[str, float]] = field(default_factory=list)
    n_call: int = 0


@dataclass(frozen=True)
class Answer:
    """``session``: the name of one that it began."""

    choices: Sequence[Choice]
    session: str | None
    usage: Mapping[str, Any] | None


def whole(body: Mapping[str, Any], *, n: int = 1) -> Answer:
    """Of one object. ``n``: of answers that were asked for. Raises `Wrong`."""
    return _ended([body], n, is_stream=False)


def streamed(chunks: Sequence[Mapping[str, Any]], *, n: int = 1) -> Answer:
    """Of the chunks of one. Raises `Wrong`."""
    return _ended(chunks, n, is_stream=True)


def _ended(parts: Sequence[Mapping[str, Any]], n: int, *, is_stream: bool) -> Answer:
    if len({part.get("id") for part in parts}) > 1:
        raise Wrong("crossed", f"chunks of several answers in one stream: {_shown(parts[-1])}")
    choices = [Choice() for _ in range(n)]
    session = usage = None
    for part in parts:
        for each in part.get("choices", ()):
            if each["index"] >= n:
                raise Wrong("crossed", f"an answer that was not asked for: {_shown(part)}")
            _hear(choices[each["index"]], each, part if is_stream else each)
        session = (part.get("llamood") or {}).get("session", session)
        usage = part.get("usage") or usage
    endless = [i for i, choice in enumerate(choices) if choice.reason is None]
    if endless:
        raise Wrong("lost", f"no finish_reason of answers {endless} of {n}")
    return Answer(choices, session, usage)


def _hear(choice: Choice, part: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    said = part.get("delta") or part.get("message") or part
    if choice.reason is not None:
        raise Wrong("crossed", f"an answer went on after its end: {_shown(part)}")
    choice.text += said.get("content") or said.get("text") or ""
    choice.n_call += len(said.get("tool_calls") or ())
    choice.reason = part.get("finish_reason")
    likely = part.get("logprobs") or {}
    for token in likely.get("content") or ():
        choice.logprobs.append(token["logprob"])
        choice.tops.append([top["logprob"] for top in token["top_logprobs"]])
    choice.logprobs += likely.get("token_logprobs") or ()
    choice.tops += [sorted(top.values(), reverse=True) for top in likely.get("top_logprobs") or ()]
    asked = (told.get("llamood") or {}).get("asked")
    if asked is not None:
        choice.asked.append(asked)


def _shown(part: Any) -> str:
    return json.dumps(part)[:200]


def events(text: Iterable[str]) -> list[dict[str, Any]]:
    """What the lines of a stream say. Raises `Wrong` where it does not end as one does, and
    `Refused` where it tells an error."""
    lines = [line.removeprefix("data: ") for line in text if line.startswith("data: ")]
    if lines and lines[-1] == "[DONE]":
        return [json.loads(line) for line in lines[:-1]]
    last = json.loads(lines[-1]) if lines else {}
    if "error" in last:
        raise Refused(0, last)
    raise Wrong("lost", f"a stream ended without its end, after {len(lines)} chunks")
