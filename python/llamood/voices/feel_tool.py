"""The tool ``feel``, by which a character sets its own mood while it answers.

A model that calls tools calls it as any other, ``{"name": "feel", "arguments": {"joy": 0.8}}``.
What it asks for is felt from the token after the call on, within limits. The client runs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from llamood.errors import MoodError
from llamood.moods.mood import Mood
from llamood.moods.notation import close_to
from llamood.moods.parameters import found
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.voices.tool_calls import CLOSE, OPEN, Calls

NAME = "feel"
MOST_CALLS = 4  # in one answer; it may go on speaking after each of them

# What a character may set: emotions, each up to 1 or its ceiling; emotion -> its largest intensity;
# True for all emotions at hand.
Feelings: TypeAlias = Sequence[str] | Mapping[str, float] | Literal[True]

_ABOUT = (
    "Sets how you feel from now on, as an intensity for each emotion; what is left out is not "
    "felt. Call it when something changes how you feel, then go on speaking."
)
_STEPS = 10  # of an intensity, where a grammar draws it
_MOST_AT_ONCE = 3  # emotions, where a grammar draws them
_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"'})  # in a text of a grammar


@dataclass(frozen=True)
class FeelTool:
    """``limits``: the largest intensity of each emotion that it may set; the least is 0."""

    limits: Mapping[str, float]

    @classmethod
    def of(cls, asked: Feelings, emotions: EmotionVectors) -> FeelTool:
        """What is asked for, of the emotions at hand. Raises `MoodError` for what cannot be."""
        ceilings = dict(zip(emotions.names, emotions.ceiling, strict=True))
        if asked is True:
            asked = emotions.names
        if isinstance(asked, str | bool) or not isinstance(asked, Mapping | Sequence):
            raise MoodError(NAME, f"{_EXPECTED}, found {found(asked)}")
        if not asked:
            raise MoodError(NAME, f"{_EXPECTED}, found none")
        for name in asked:
            _require_known(name, ceilings)
        if isinstance(asked, Mapping):
            limits = {name: _limit(name, most) for name, most in asked.items()}
        else:
            limits = {name: min(1.0, ceilings[name] or 1.0) for name in asked}
        return cls(MappingProxyType(limits))

    @property
    def definition(self) -> dict[str, Any]:
        """As the OpenAI API has tools, and chat templates write them."""
        properties = {
            name: {"type": "number", "minimum": 0, "maximum": most}
            for name, most in self.limits.items()
        }
        parameters = {"type": "object", "properties": properties, "additionalProperties": False}
        function = {"name": NAME, "description": _ABOUT, "parameters": parameters}
        return {"type": "function", "function": function}

    @property
    def grammar(self) -> str:
        """GBNF of one call, where the character must make it."""
        ways = []
        for name, most in self.limits.items():
            key = json.dumps(name, ensure_ascii=False).translate(_ESCAPED)
            values = " | ".join(f'"{most * i / _STEPS:.4g}"' for i in range(1, _STEPS + 1))
            ways.append(f'"{key}: " ({values})')
        more = f'(", " one){{0,{_MOST_AT_ONCE - 1}}}'
        begin = f'{OPEN}\\n{{\\"name\\": \\"{NAME}\\", \\"arguments\\": {{'
        root = f'root ::= "{begin}" (one {more})? "}}}}\\n{CLOSE}"'
        return f"{root}\none ::= {' | '.join(ways)}\n"

    def answer(self, arguments: str) -> dict[str, Any]:
        """What a call with these arguments, JSON, is told: ``{"felt": {"joy": 0.8}}``, within the
        limits; or ``{"refused": why}``."""
        asked = json.loads(arguments)
        if not isinstance(asked, dict):
            return {"refused": f"expected an object as {self._example}"}
        felt = {}
        for name, value in asked.items():
            if name not in self.limits:
                return {"refused": f"no {name[:40]!r}; expected {', '.join(self.limits)}"}
            if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
                return {"refused": f"{name} is no number; expected as {self._example}"}
            felt[name] = float(min(max(value, 0.0), self.limits[name]))
        return {"felt": felt}

    @property
    def _example(self) -> str:
        return json.dumps({next(iter(self.limits)): 0.5}, ensure_ascii=False)


class Feeling:
    """What a character comes to feel by its own calls, in one answer.

    ``mood``: what it feels now. Its calls set the emotions that the tool has; settings and other
    emotions stay as they were asked. ``others``: tools whose calls are the client's, ``only_first``
    as of `Calls`. ``told``: of each call what it was answered (see `FeelTool.answer`).
    """

    def __init__(
        self, tool: FeelTool, mood: Mood, *, others: Sequence[str] = (), only_first: bool = False
    ) -> None:
        self.mood = mood
        self.told: list[dict[str, Any]] = []
        self._tool = tool
        self._names = [NAME, *others]
        self._only_first = only_first
        self._turns: list[dict[str, Any]] = []
        self._begin_turn()

    def _begin_turn(self) -> None:
        self._calls = Calls(self._names, only_first=self._only_first, apart=NAME)
        self._said = ""
        self._turn: list[tuple[dict[str, Any], dict[str, Any]]] = []  # calls, and their answers

    @property
    def found(self) -> list[dict[str, Any]]:
        """The client's calls."""
        return self._calls.found

    def hear(self, text: str, *, is_last: bool = False) -> tuple[str, list[dict[str, Any]]]:
        """What is text of it for sure, and those calls of it that are the client's."""
        said, calls = self._calls.hear(text, is_last=is_last)
        for call in calls:
            if call["function"]["name"] == NAME:
                self._take(call)
        if self.told and not self._said:
            said = said.lstrip()  # between a call and what is said first
        self._said += said
        return said, [call for call in calls if call["function"]["name"] != NAME]

    def _take(self, call: dict[str, Any]) -> None:
        if len(self.told) < MOST_CALLS:
            answer = self._tool.answer(call["function"]["arguments"])
        else:
            answer = {"refused": f"{NAME} was called {MOST_CALLS} times in this answer; speak now"}
        if "felt" in answer:
            self.mood = self.mood.having(answer["felt"], among=self._tool.limits)
        self.told.append(answer)
        self._turn.append((call, answer))

    @property
    def goes_on(self) -> bool:
        """Whether an answer that ended by itself is to go on, as its last word was a call."""
        ended = self._calls.ended_by == NAME and not self.found
        return ended and len(self.told) <= MOST_CALLS

    def next_turn(self) -> list[dict[str, Any]]:
        """The next turn begins. The messages of those that are over, for a chat template: what was
        said and called, and what the calls were answered."""
        calls, results = [], []
        for call, answer in self._turn:
            arguments = json.loads(call["function"]["arguments"])
            named = {"name": NAME, "arguments": arguments}
            calls.append({"id": call["id"], "type": "function", "function": named})
            told = json.dumps(answer, ensure_ascii=False)
            result = {"role": "tool", "tool_call_id": call["id"], "name": NAME, "content": told}
            results.append(result)
        said = {"role": "assistant", "content": self._said, "tool_calls": calls}
        self._turns += [said, *results]
        self._begin_turn()
        return list(self._turns)


_EXPECTED = 'expected emotions, or emotion -> its largest intensity, as in {"joy": 1}'


def _require_known(name: Any, known: Mapping[str, Any]) -> None:
    if not isinstance(name, str) or name not in known:
        close = close_to(name, known) if isinstance(name, str) else []
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise MoodError(
            NAME, f"{name!r:.60} is no emotion at hand, which are {', '.join(known)}{hint}"
        )


def _limit(name: str, most: Any) -> float:
    try:
        is_positive = not isinstance(most, bool) and most > 0
        Mood({name: most})
    except TypeError:
        is_positive = False
    except MoodError as error:
        raise error.within(NAME) from None
    if not is_positive:
        raise MoodError(NAME, f"{name} is up to {most!r:.40}, expected a number above 0")
    return float(most)
