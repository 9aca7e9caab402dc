"""From a request to its response, by the engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from functools import cached_property, partial
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from llamood.errors import LlamoodError, ModelError, MoodError
from llamood.moods.forecast import forecast
from llamood.moods.mood import Mood
from llamood.server import descriptions, prompts, tools
from llamood.server.additions import Addition, Additions
from llamood.server.answers import Choice, Heard, Writer
from llamood.server.breadth import require_narrow
from llamood.server.engine import Engine
from llamood.server.errors import ApiError, no_model
from llamood.server.formats import ANY_JSON, grammar_of
from llamood.server.jobs import Job, Mailbox
from llamood.server.preparing import Preparing, require_room, tokens_a_message
from llamood.server.requests import (
    AsObject,
    AsSchema,
    ChatRequest,
    EmotionRequest,
    RowsRequest,
    Shared,
    TextRequest,
)
from llamood.server.self_feeling import SelfFeeling, feel_tool, heard, must_feel
from llamood.server.session_folder import Kept
from llamood.server.sessions import Session, Sessions
from llamood.server.settings import Settings
from llamood.server.spans import Spans
from llamood.server.streams import Stream, chunks
from llamood.voices.cast import Cast
from llamood.voices.chat_template import template_of
from llamood.voices.event import Event
from llamood.voices.faces import faces_of
from llamood.voices.feel_tool import Feeling, FeelTool
from llamood.voices.tool_calls import Calls

_T = TypeVar("_T")
_LONGEST_TEXT = 16  # tokens of a text completion that says nothing of it, as OpenAI has it


class Service:
    """Answers requests, whole or in chunks."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self._settings = settings
        self._additions = None if settings.own is None else Additions(settings.own, engine.take_up)
        self._preparing = Preparing(
            large=settings.n_large, at_once=settings.n_preparing, n_waiting=settings.n_waiting
        )

    async def chat(self, asked: ChatRequest, request: Request) -> Response:
        cast = self._ready(asked)
        offered = [] if asked.tool_choice == "none" else asked.tools or []
        tool = feel_tool(asked, cast)
        if asked.tool_choice not in (None, "none", "auto") and not offered and tool is None:
            raise ApiError(400, "tool_choice without tools", param="tool_choice")
        if offered or tool:
            template = template_of(cast.metadata, has_tools=True)
            tools.require_offered(template, param="tools" if offered else "feel")
        if asked.top_logprobs is not None and not asked.logprobs:
            raise ApiError(400, "top_logprobs needs logprobs: true", param="top_logprobs")
        written = [each.model_dump(exclude_none=True) for each in offered]
        written += [] if tool is None else [tool.definition]

        def prompt(more: Sequence[dict[str, Any]]) -> list[int]:
            said = [*self._messages(asked, cast), *more]
            plain, begun = not self._settings.control_tokens, prompts.begun_in(asked, said)
            asks = said[:-1] if begun else said
            return _chat_prompt(cast, asks, written, plain=plain, begun=begun)

        def work() -> tuple[list[int], dict[str, Any], bool, Mood | None]:
            return prompt(()), *_narrow_form(asked, offered, tool), self._mood(asked, cast)

        async def next_prompt(more: list[dict[str, Any]]) -> list[int]:
            return await self._prepared(request, lambda: prompt(more), goes_on=True)

        read, drawn, is_json, mood = await self._prepared(request, work)
        if asked.logprobs:
            drawn["logprobs"] = asked.top_logprobs or 0
        named = [each.function.name for each in offered]
        feels = None if tool is None else SelfFeeling(asked, tool, named, next_prompt)
        session, jobs = self._jobs(
            asked, request, [read], drawn, mood, is_json=is_json, default=None, feels=feels
        )
        one = asked.parallel_tool_calls is False
        calls = [
            feels.begun(job.feeling.mood)
            if feels is not None and job.feeling is not None
            else Calls(named, only_first=one)
            if named
            else None
            for job in jobs
        ]
        kept = session, mood
        return await self._answer("chat.completion", asked, request, kept, jobs, calls, feels)

    async def text(self, asked: TextRequest, request: Request) -> Response:
        cast = self._ready(asked)
        texts = _several(asked.prompt)
        self._require_few((asked.n or 1) * len(texts))

        def work() -> tuple[list[list[int]], Mood | None]:
            for text in texts:
                require_room(cast, text, param="prompt")
            return [_text_prompt(cast, text) for text in texts], self._mood(asked, cast)

        read, mood = await self._prepared(request, work)
        drawn = {} if asked.logprobs is None else {"logprobs": asked.logprobs}
        session, jobs = self._jobs(
            asked, request, read, drawn, mood, is_json=False, default=_LONGEST_TEXT
        )
        calls = [None] * len(jobs)
        return await self._answer("text_completion", asked, request, (session, mood), jobs, calls)

    async def rows(self, asked: RowsRequest, request: Request) -> Response:
        """What a mood will come to, before anything is said in it."""
        cast = self.engine.cast

        def foreseen() -> Response:
            mood = self._mood(asked, cast)
            assert mood is not None
            try:
                rows = forecast(cast.understand(mood), n_token=asked.tokens)
            except MoodError as error:
                raise ApiError(400, str(error), param="mood") from None
            return JSONResponse(descriptions.rows(rows, cast.emotions.names))

        return await self._prepared(request, foreseen)

    @property
    def additions(self) -> Additions:
        """Raises `ApiError` where emotions may not be added."""
        if self._additions is None:
            raise ApiError(
                403,
                "emotions are not added to this service; --allow-extract lets them",
                code="additions_not_allowed",
            )
        return self._additions

    async def add(self, asked: EmotionRequest, request: Request) -> Addition:
        """Begin to add an emotion."""
        additions, _ = self.additions, self.engine.cast

        def begun() -> Addition:
            return additions.begin(asked.name, texts=asked.texts or (), manner=asked.describe)

        return await self._prepared(request, begun)

    def close(self) -> None:
        """Stop what is done beside answers."""
        if self._additions is not None:
            self._additions.close()

    async def _prepared(
        self, request: Request, work: Callable[[], _T], *, goes_on: bool = False
    ) -> _T:
        """All that is worked out for the request, in a thread, when its turn has come."""
        return await self._preparing.run(len(await request.body()), work, goes_on=goes_on)

    # -- what is asked of the engine -------------------------------------------------------

    def _ready(self, asked: Shared) -> Cast:
        if self._settings.strict_model and asked.model != self._settings.model:
            raise no_model(asked.model, self._settings)
        if asked.stream_options is not None and not asked.stream:
            raise ApiError(400, "stream_options needs stream: true", param="stream_options")
        return self.engine.cast

    def _jobs(
        self,
        asked: Shared,
        request: Request,
        read: list[list[int]],
        drawn: dict[str, Any],
        mood: Mood | None,
        *,
        is_json: bool,
        default: int | None,
        feels: SelfFeeling | None = None,
    ) -> tuple[Session | None, list[Job]]:
        n, cast = asked.n or 1, self.engine.cast
        self._require_few(n * len(read))
        try:
            faces_of(asked.faces, cast.emotions.names)
        except LlamoodError as error:
            raise ApiError(400, str(error), param="faces") from None
        said = prompts.said_last(asked.messages) if isinstance(asked, ChatRequest) else None
        rooms = [
            prompts.room_of(asked, n_prompt=len(prompt), n_ctx=cast.n_ctx, default=default)
            for prompt in read
        ]
        session = self._session(asked, request)
        steers_all = asked.llamood is not None and asked.llamood.steer == "all"
        felt = session.mood if session is not None and mood is None else mood or Mood()
        is_steady = feels is None and felt.is_neutral
        mailbox = Mailbox()
        jobs: list[Job] = []
        for prompt, room in zip(read, rooms, strict=True):
            for _ in range(n):
                how = prompts.sampling_of(asked, index=len(jobs)) | drawn
                jobs.append(
                    Job(
                        len(jobs),
                        mailbox,
                        prompt,
                        Mood() if is_json and not steers_all else felt,
                        {**how, "max_tokens": room},
                        None if is_json and not steers_all else session,
                        None if is_json or steers_all or is_steady else Spans(),
                        said,
                        asked.faces,
                        None if feels is None else feels.begun(felt),
                    )
                )
        return session, jobs

    def _mood(self, asked: Shared | RowsRequest, cast: Cast) -> Mood | None:
        known = self._settings.personalities
        return prompts.mood_of(asked.mood, cast, n_mood=self._settings.n_mood, known=known)

    def _messages(self, asked: ChatRequest, cast: Cast) -> list[dict[str, Any]]:
        """As chat templates read them. Raises `ApiError` for more than a voice can remember."""
        n = len(asked.messages) * self._tokens_a_message
        require_room(cast, (), param="messages", n_beside=n)  # before many are looked at
        said = prompts.messages_of(asked.messages)
        require_room(cast, said, param="messages", n_beside=n)
        return prompts.with_system(said, asked.mood, self._settings.personalities)

    @cached_property
    def _sessions(self) -> Sessions:
        """With those of before that can go on with what is at hand."""
        settings, cast = self._settings, self.engine.cast
        folder = settings.sessions
        sessions = Sessions(
            most=settings.n_session, seconds=settings.session_seconds, folder=folder
        )
        if folder is not None:
            sessions.restore(kept for kept in folder.open(cast.fingerprint) if _goes_on(kept, cast))
        return sessions

    @cached_property
    def _tokens_a_message(self) -> int:
        return tokens_a_message(self.engine.cast)

    def _require_few(self, n: int) -> None:
        most = self._settings.n_choice
        if n > most:
            raise ApiError(400, f"{n} answers in one request, of at most {most}", param="n")

    def _session(self, asked: Shared, request: Request) -> Session | None:
        """Those of a service with a key belong to it, and have any name. Else anybody could say a
        name: only what the service has made up itself counts, and each address has room of its
        own."""
        name = None if asked.llamood is None else asked.llamood.session
        if name is None:
            return None
        is_closed = self._settings.api_key is not None
        owner = "" if is_closed or request.client is None else request.client.host
        if name is True:
            return self._sessions.begin(owner=owner)
        find = self._sessions.get if is_closed else self._sessions.known
        return find(name, owner=owner)

    # -- what is answered ------------------------------------------------------------------

    async def _answer(
        self,
        kind: Any,
        asked: Shared,
        request: Request,
        kept: tuple[Session | None, Mood | None],
        jobs: list[Job],
        calls: Sequence[Calls | Feeling | None],
        feels: SelfFeeling | None = None,
    ) -> Response:
        """``kept``: the session, and the mood that it goes on in from now on, where one is
        asked."""
        n, cast, (session, mood) = asked.n or 1, self.engine.cast, kept
        choices = [
            Choice(job.index, 0 if job.index % n else len(job.prompt), cast.piece, heard)
            for job, heard in zip(jobs, calls, strict=True)
        ]
        is_counted = bool(asked.stream_options and asked.stream_options.include_usage)
        writer = Writer(
            kind,
            model=self._settings.model,
            fingerprint=cast.fingerprint[:16],
            reads=bool(asked.readings),
            logs="logprobs" in jobs[0].sampling,
            is_counted=is_counted,
            session=session.name if session is not None and _begins(asked) else None,
        )
        self._submit(asked, session, mood, jobs)
        told = self._heard(jobs, choices, session, feels)
        if asked.stream:
            said = chunks(
                writer, choices, told, is_counted=is_counted, tells_all=bool(asked.readings)
            )
            return Stream(said, lambda: self.engine.cancel(jobs))
        try:
            await _unless_gone(request, _gathered(told))
            return JSONResponse(writer.whole(choices))
        finally:
            self.engine.cancel(jobs)

    def _submit(
        self, asked: Shared, session: Session | None, mood: Mood | None, jobs: list[Job]
    ) -> None:
        """A request that is refused leaves its session as it was, and none that nobody knows."""
        try:
            self.engine.submit(jobs)
        except ApiError:
            if session is not None and _begins(asked):
                self._sessions.end(session)
            raise
        if session is not None and mood is not None:
            session.asked(mood)

    def _heard(
        self,
        jobs: list[Job],
        choices: Sequence[Choice],
        session: Session | None,
        feels: SelfFeeling | None,
    ) -> AsyncIterator[tuple[Choice, Event, Heard]]:
        """What the answers say, each with all its turns. A session goes on in what a character came
        to feel by itself."""
        if feels is None:
            return heard(jobs, choices)

        def felt(mood: Mood) -> None:
            if session is not None:
                session.asked(mood)

        following = partial(feels.following, session=session, n_ctx=self.engine.cast.n_ctx)
        return heard(jobs, choices, following, felt, self.engine.resume)


async def _unless_gone(request: Request, awaited: Coroutine[Any, Any, None]) -> None:
    """Wait, unless the client disconnects before."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    waiting, leaving = asyncio.ensure_future(awaited), asyncio.ensure_future(gone())
    try:
        await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            raise ApiError(499, "the client has gone")
        waiting.result()
    finally:
        for task in (waiting, leaving):
            task.cancel()
        await asyncio.gather(waiting, leaving, return_exceptions=True)


async def _gathered(told: AsyncIterator[Any]) -> None:
    async for _ in told:
        pass


def _goes_on(kept: Kept, cast: Cast) -> bool:
    try:
        cast.understand(kept.mood)
    except MoodError:
        return False
    return set(kept.felt) <= set(cast.emotions.names)


def _begins(asked: Shared) -> bool:
    return asked.llamood is not None and asked.llamood.session is True


# -- prompts -----------------------------------------------------------------------------------


def _chat_prompt(
    cast: Cast,
    said: list[dict[str, Any]],
    tools: list[dict[str, Any]],
    *,
    plain: bool,
    begun: str,
) -> list[int]:
    try:
        return cast.prompt(said, tools=tools or None, plain=plain, begun=begun)
    except (ModelError, UnicodeEncodeError) as error:
        raise ApiError(400, str(error), param="messages") from None


def _text_prompt(cast: Cast, text: str | list[int]) -> list[int]:
    return text if isinstance(text, list) else cast.prompt(text)


def _several(prompt: Any) -> list[Any]:
    """The prompts of a text completion, each a text or tokens."""
    is_one = isinstance(prompt, str) or isinstance(prompt[0], int)
    return [prompt] if is_one else prompt


def _narrow_form(
    asked: ChatRequest, offered: list[Any], tool: FeelTool | None
) -> tuple[dict[str, Any], bool]:
    """As `_form`, unless drawing by the grammar would take the time of others."""
    if tool is not None and must_feel(asked):
        require_narrow(tool.grammar, param="feel")
        return {"grammar": tool.grammar}, True
    drawn, is_json = _form(asked, offered)
    if "grammar" in drawn:
        is_called = bool(tools.chosen(offered, asked.tool_choice))
        require_narrow(drawn["grammar"], param="tools" if is_called else "response_format")
    return drawn, is_json


def _form(asked: ChatRequest, offered: list[Any]) -> tuple[dict[str, Any], bool]:
    """The grammar that answers are drawn by, and whether it is one of JSON all through."""
    called = tools.chosen(offered, asked.tool_choice)
    form = asked.response_format
    is_json = isinstance(form, AsObject | AsSchema)
    if called and is_json:
        raise ApiError(400, "an answer is JSON or a tool call, not both", param="response_format")
    if called:
        return {"grammar": tools.grammar(called)}, True
    schema = form.json_schema.schema_ if isinstance(form, AsSchema) else None
    if isinstance(form, AsObject):
        schema = form.schema_
    if schema is not None:
        return {"grammar": grammar_of(schema, param="response_format")}, True
    return ({"grammar": ANY_JSON} if is_json else {}), is_json
