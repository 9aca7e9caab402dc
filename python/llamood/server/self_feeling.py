"""Requests whose characters may set their own moods, by the tool ``feel``: how answers go on."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llamood.errors import MoodError
from llamood.moods.mood import Mood
from llamood.server import prompts
from llamood.server.answers import Choice, Heard
from llamood.server.errors import ApiError
from llamood.server.jobs import Job, events
from llamood.server.requests import AsObject, AsSchema, ChatRequest
from llamood.server.sessions import Session
from llamood.server.spans import Spans
from llamood.server.tool_definitions import ToolChoice
from llamood.voices.cast import Cast
from llamood.voices.event import Event
from llamood.voices.feel_tool import NAME, Feeling, FeelTool


def feel_tool(asked: ChatRequest, cast: Cast) -> FeelTool | None:
    """What is asked for; None where nothing is. Raises `ApiError` for what cannot be."""
    if asked.feel is None:
        return None
    if isinstance(asked.response_format, AsObject | AsSchema):
        raise ApiError(400, "an answer that is JSON calls nothing; leave feel out", param="feel")
    if any(tool.function.name == NAME for tool in asked.tools or ()):
        raise ApiError(
            400, f"a tool is called {NAME} already; rename it, or leave feel out", param="tools"
        )
    try:
        return FeelTool.of(asked.feel, cast.emotions)
    except MoodError as error:
        raise ApiError(400, str(error), param="feel") from None


def must_feel(asked: ChatRequest) -> bool:
    """Whether the answer begins by a call of the tool."""
    choice = asked.tool_choice
    if asked.feel is None or choice is None:
        return False
    is_named = isinstance(choice, ToolChoice) and choice.function.name == NAME
    return is_named or (choice == "required" and not asked.tools)


@dataclass(frozen=True)
class SelfFeeling:
    """Of one request. ``names``: the client's own tools. ``prompt``: the prompt that these messages
    are after those of the request, worked out when its turn has come."""

    asked: ChatRequest
    tool: FeelTool
    names: Sequence[str]
    prompt: Callable[[list[dict[str, Any]]], Awaitable[list[int]]]

    def begun(self, mood: Mood) -> Feeling:
        """Of an answer that begins in this mood."""
        one = self.asked.parallel_tool_calls is False
        return Feeling(self.tool, mood, others=self.names, only_first=one)

    async def following(
        self, job: Job, choice: Choice, *, session: Session | None, n_ctx: int
    ) -> Job | None:
        """The next turn of an answer whose turn is over, and ended with a call of the tool; None
        where it ends there."""
        heard, feeling = choice.calls, job.feeling
        assert isinstance(heard, Feeling)
        assert feeling is not None
        if choice.reason != "stop" or not heard.goes_on:
            return None
        feeling.next_turn()
        prompt = await self.prompt(heard.next_turn())
        left = min(job.sampling["max_tokens"] - job.n_token, n_ctx - len(prompt))
        if left < 1:
            choice.reason = "length"
            return None
        choice.reason = None
        extra = self.asked.llamood
        n_turn = len(heard.told) * (self.asked.n or 1)  # each turn is drawn otherwise
        seed = prompts.sampling_of(self.asked, index=job.index + n_turn)["seed"]
        return replace(
            job,
            prompt=prompt,
            mood=heard.mood,
            sampling={**job.sampling, "grammar": "", "seed": seed, "max_tokens": left},
            session=session,
            spans=None if extra is not None and extra.steer == "all" else Spans(),
            felt=None if job.is_formed else job.felt,
            since=time.monotonic(),
            n_token=0,
            mix={},
        )


async def heard(
    jobs: list[Job],
    choices: Sequence[Choice],
    following: Callable[[Job, Choice], Awaitable[Job | None]] | None = None,
    felt: Callable[[Mood], None] = lambda mood: None,
    resume: Callable[[Job, Job | None], None] = lambda job, next_turn: None,
) -> AsyncIterator[tuple[Choice, Event, Heard]]:
    """What the answers of a request say. ``following``: asked for the next turn of one whose turn
    is over; that joins the ``jobs``, and ``resume`` is told of it. ``felt``: told what a character
    came to feel by itself."""
    async for job, event in events(jobs):
        choice = choices[job.index]
        n_felt = len(choice.feels)
        said = choice.hear(event)
        if isinstance(choice.calls, Feeling) and len(choice.feels) > n_felt:
            felt(choice.calls.mood)
        if following is not None and choice.reason is not None:
            next_turn = await following(job, choice)
            jobs += [] if next_turn is None else [next_turn]
            resume(job, next_turn)
        yield choice, event, said
