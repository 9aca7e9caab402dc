"""A chat completion of one voice that may set its own mood, by the tool ``feel``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import llama_cpp

from llamood.errors import ModelError
from llamood.moods.mood import Mood
from llamood.voices.call import Call
from llamood.voices.chat_template import TEMPLATE, chat_tokens
from llamood.voices.feel_tool import NAME, Feeling, FeelTool
from llamood.voices.tool_calls import require_offered

_CHAT = inspect.signature(llama_cpp.Llama.create_chat_completion)
_GIVEN = "chat_template."  # chat formats that are templates of the model's file


class FeltChat:
    """``chat``: ``llama_cpp.Llama.create_chat_completion``, with its arguments.

    Calls of ``feel`` are no text of the answer. Where a turn ends with one, as models end it that
    wait for what a tool says, the conversation goes on by a turn of its own, in the new mood, and
    both are one answer. ``tool_choice={"type": "function", "function": {"name": "feel"}}`` has the
    voice begin by a call. Calls of other tools are told as ``llama_cpp`` tells them. Raises
    `ModelError` where the model's chat template writes no tools.
    """

    def __init__(
        self,
        llm: llama_cpp.Llama,
        tool: FeelTool,
        chat: Callable[..., Any],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        self._llm = llm
        self._tool = tool
        self._chat = chat
        how = _CHAT.bind(llm, *args, **kwargs).arguments
        how.pop("self")
        how |= how.pop("kwargs", {})
        _require_template(llm)
        self._messages = list(how.pop("messages"))
        tools = list(how.pop("tools", None) or [])
        if any(each["function"]["name"] == NAME for each in tools):
            raise ModelError(f"a tool is called {NAME} already; rename it, or leave feel= out")
        self._tools = [*tools, tool.definition]
        choice = how.get("tool_choice")
        self._must_feel = isinstance(choice, dict) and choice["function"]["name"] == NAME
        self._is_other = isinstance(choice, dict) and not self._must_feel
        if self._must_feel:
            how.pop("tool_choice")
        self._most = how.pop("max_tokens", None)
        self._is_stream = bool(how.pop("stream", False))
        self._how = how
        self._turns: list[dict[str, Any]] = []  # of this answer, that are over

    def begin(self, call: Call, mood: Mood, *, felt: Callable[[Call, Mood], None]) -> None:
        """In this call, which begins in this mood. ``felt``: told what it comes to feel."""
        self._call = call
        self._felt = felt
        self._heard = call.feeling = Feeling(self._tool, mood)
        self._shown = Feeling(self._tool, mood)

    def answer(self) -> Any:
        """As ``llama_cpp`` gives it, whole or in chunks."""
        if self._is_other:  # all of it is a call of that tool
            return self._turn()
        return self._chunks() if self._is_stream else self._whole()

    def _turn(self) -> Any:
        how = dict(self._how)
        if self._must_feel and not self._heard.told:
            how["grammar"] = llama_cpp.LlamaGrammar.from_string(self._tool.grammar, verbose=False)
        how |= {"tools": self._tools, "max_tokens": self._left, "stream": self._is_stream}
        return self._chat(messages=[*self._messages, *self._turns], **how)

    @property
    def _left(self) -> int | None:
        """Tokens of the next turn, None for as many as there is room for."""
        return self._most and self._most - self._call.n_drawn if (self._most or 0) > 0 else None

    def _ended_by(self, reason: str | None) -> str | None:
        """Why the answer ended, when a turn has; None where another begins."""
        n_call = len(self._heard.told)
        self._heard.hear("", is_last=True)
        if len(self._heard.told) > n_call:
            self._felt(self._call, self._heard.mood)
        if reason != "stop" or not self._shown.goes_on:
            return reason
        self._turns = self._shown.next_turn()
        self._heard.next_turn()
        said = [*self._messages, *self._turns]
        n = len(chat_tokens(self._llm, said, tools=self._tools))
        has_room = n < self._llm.n_ctx() and self._left != 0
        return None if has_room else "length"

    def _whole(self) -> Any:
        whole: dict[str, Any] = {}
        while True:
            turn = self._turn()
            choice = turn["choices"][0]
            message = choice["message"]
            text, _ = self._shown.hear(message["content"] or "", is_last=True)
            reason = self._ended_by(choice["finish_reason"])
            if whole:
                turn = _joined(whole, turn, text)
            elif message["content"] is not None:
                message["content"] = text
            if reason is not None:
                turn["choices"][0]["finish_reason"] = reason
                return turn
            whole = turn

    def _chunks(self) -> Iterator[Any]:
        first: dict[str, Any] = {}
        reason: str | None = None
        while reason is None:
            with closing(self._turn()) as turn:
                for chunk in turn:
                    choice = chunk["choices"][0]
                    is_opening = "role" in choice["delta"]
                    if is_opening and first:
                        continue
                    first = first or {key: chunk[key] for key in ("id", "created")}
                    reason = self._show(choice)
                    if is_opening or reason is not None or choice["delta"].get("content"):
                        yield {**chunk, **first}

    def _show(self, choice: dict[str, Any]) -> str | None:
        """Leaves of a chunk's choice what is shown of it; why the answer ended, if it has."""
        ended, delta = choice["finish_reason"], choice["delta"]
        text, _ = self._shown.hear(delta.get("content") or "", is_last=ended is not None)
        if text or "content" in delta:
            delta["content"] = text
        if ended is None:
            return None
        reason = choice["finish_reason"] = self._ended_by(ended)
        return reason


def _require_template(llm: llama_cpp.Llama) -> None:
    """Raises `ModelError` unless prompts are written by a template of the model that has tools."""
    name = str(llm.chat_format)
    is_given = llm.chat_handler is None and name.startswith(_GIVEN)
    key = TEMPLATE if name == f"{_GIVEN}default" else f"{TEMPLATE}.{name.removeprefix(_GIVEN)}"
    require_offered(llm.metadata.get(key, "") if is_given else "")


def _joined(whole: dict[str, Any], turn: dict[str, Any], text: str) -> dict[str, Any]:
    """Of two turns, the first of which may be several, one answer."""
    before, after = whole["choices"][0], turn["choices"][0]
    counts = [whole["usage"], turn["usage"]]
    n_prompt = counts[0]["prompt_tokens"]
    n_said = sum(count["completion_tokens"] for count in counts)
    message = {**after["message"], "content": before["message"]["content"] + text}
    choice = {**after, "message": message}
    if before.get("logprobs") and after.get("logprobs"):
        tokens = before["logprobs"]["content"] + after["logprobs"]["content"]
        choice["logprobs"] = {**after["logprobs"], "content": tokens}
    usage = {
        "prompt_tokens": n_prompt,
        "completion_tokens": n_said,
        "total_tokens": n_prompt + n_said,
    }
    return {**whole, "choices": [choice], "usage": usage}
