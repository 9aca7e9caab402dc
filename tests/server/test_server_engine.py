"""What the service says before it is ready, and after."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import llamood
import tiny_chat
from llamood.errors import VectorError
from llamood.moods.mood import Mood
from llamood.server.app import create_app
from llamood.server.engine import Engine
from llamood.server.errors import ApiError
from llamood.server.gate import Gate
from llamood.server.jobs import Job, Mailbox, events
from llamood.server.metrics import Metrics
from llamood.server.pace import Pace
from llamood.server.settings import Settings
from llamood.server.spans import Spans
from llamood.voices.cast import Cast
from llamood.voices.feel_tool import Feeling, FeelTool
from open_voices import random_vectors
from servers import PATIENCE

ASK: dict[str, Any] = {
    "model": "tiny_chat",
    "messages": [{"role": "user", "content": "Tell me about bread."}],
    "max_tokens": 3,
}


def open_cast(*, n_ctx: int = 64, voices: int = 2) -> Cast:
    return Cast(
        tiny_chat.MODEL,
        emotions=tiny_chat.VECTORS,
        voices=voices,
        n_ctx=n_ctx,
        n_threads=1,
        n_threads_batch=1,
        verbose=False,
    )


def test_vectors_that_cannot_be_taken_up_leave_all_as_it_is(tmp_path: Path) -> None:
    llamood.save(random_vectors(tiny_chat.MODEL, names=("anger", "calm")), tmp_path)
    engine = Engine(open_cast, metrics=Metrics(), n_waiting=1)
    is_ready = threading.Event()
    engine.on_ready = is_ready.set
    engine.start()
    assert is_ready.wait(PATIENCE)
    before = engine.cast.emotions
    with pytest.raises(VectorError, match="no emotion 'disgust' here"):
        engine.take_up(tmp_path)
    assert engine.cast.emotions is before
    engine.take_up(tiny_chat.VECTORS)
    assert engine.cast.emotions.names == before.names
    assert engine.state == "ready"
    engine.stop()
    with pytest.raises(ApiError, match="shutting down"):
        engine.take_up(tiny_chat.VECTORS)


def test_loading_is_told_from_ready_and_stopped() -> None:
    may_load, is_ready = threading.Event(), threading.Event()

    def slowly() -> Cast:
        assert may_load.wait(60)
        return open_cast()

    async def lives() -> list[tuple[int, Any]]:
        engine = Engine(slowly, metrics=Metrics(), n_waiting=4)
        engine.on_ready = is_ready.set
        app = create_app(engine, Settings(model="tiny_chat"), Metrics())
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:

            async def asked() -> list[tuple[int, Any]]:
                health = await client.get("/health")
                chat = await client.post("/v1/chat/completions", json=ASK)
                said = chat.json()
                told = said["error"]["code"] if "error" in said else said["usage"]["total_tokens"]
                return [(health.status_code, health.json()["status"]), (chat.status_code, told)]

            engine.start()
            states = await asked()
            may_load.set()
            assert await asyncio.to_thread(is_ready.wait, 60)
            states += await asked()
            await asyncio.to_thread(engine.stop)
            return states + await asked()

    assert asyncio.run(lives()) == [
        (503, "loading"),
        (503, "loading"),
        (200, "ready"),
        (200, 18),
        (503, "stopped"),
        (503, "stopped"),
    ]


def test_a_mood_pauses_where_a_program_reads() -> None:
    text = 'Well: {\\"a\\": [1, 2]} and so on'

    async def heard() -> list[tuple[str, bool]]:
        async with running(Metrics()) as engine:
            mailbox = Mailbox()
            sampling = {"grammar": f'root ::= "{text}"', "max_tokens": 50}
            prompt = engine.cast.prompt("It")
            job = Job(0, mailbox, prompt, Mood(joy=1), sampling, spans=Spans())
            engine.submit([job])
            told = [event async for _, event in events([job])]
            return [(event.text, bool(event.mood)) for event in told]

    told = asyncio.run(heard())
    assert "".join(piece for piece, _ in told) == text.replace("\\", "")
    at, inside = 0, []
    for piece, is_felt in told:
        inside += [] if is_felt else [(at, at + len(piece))]
        at += len(piece)
    # A token may have what opens or closes a span and more; whole ones are without the mood.
    begin, end = text.replace("\\", "").index('"'), text.replace("\\", "").index("}")
    assert inside
    assert begin < inside[0][0] <= begin + 4
    assert end <= inside[-1][1] <= end + 4
    assert all(told[i][1] for i in (0, -1))


def _asked(mailbox: Mailbox, engine: Engine, mood: Mood, *, n: int = 40) -> Job:
    return Job(0, mailbox, engine.cast.prompt("It"), mood, {"max_tokens": n, "seed": 1})


def test_an_answer_that_nobody_wants_takes_no_second_step() -> None:
    may_go = threading.Event()

    async def n_step() -> list[float]:
        metrics = Metrics()
        async with running(metrics) as engine:
            step = engine.cast.step

            def held(*most: Any, **how: Any) -> bool:
                if _value(metrics, "llamood_tokens_total"):  # however late that is told
                    assert may_go.wait(PATIENCE)
                return step(*most, **how)

            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(engine.cast, "step", held)
                mailbox = Mailbox()
                job = _asked(mailbox, engine, Mood(joy=1))
                engine.submit([job])
                await mailbox.get()
                cancelled = _value(metrics, "llamood_token_seconds_count")
                engine.cancel([job])
                may_go.set()
                while not _value(metrics, "llamood_abandoned_total"):
                    await asyncio.sleep(0.01)
            return [cancelled, _value(metrics, "llamood_token_seconds_count")]

    cancelled, end = asyncio.run(n_step())
    assert 1 <= cancelled <= end <= cancelled + 1


def test_who_asks_for_many_answers_leaves_voices_to_others() -> None:
    async def began() -> list[int]:
        async with running(Metrics()) as engine:
            many, other = Mailbox(), Mailbox()
            jobs = [_asked(many, engine, Mood(), n=8) for _ in range(5)]
            late = Job(0, other, engine.cast.prompt("Who"), Mood(), {"max_tokens": 8})
            answer, order = engine.cast.answer, []

            def noted(prompt: Any, **how: Any) -> Any:
                order.append(prompt)
                return answer(prompt, **how)

            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(engine.cast, "answer", noted)
                engine.submit([*jobs, late])
                for of in (jobs, [late]):
                    async for _ in events(of):
                        pass
            return [i for i, prompt in enumerate(order) if prompt is late.prompt]

    assert asyncio.run(began()) == [1]  # of six, who came last


@pytest.mark.parametrize("goes_on", [True, False])
def test_an_answer_that_goes_on_keeps_its_voice(goes_on: bool) -> None:
    async def began() -> list[str]:
        async with running(Metrics(), open_cast=partial(open_cast, voices=1, n_ctx=512)) as engine:
            tool, prompt = FeelTool({"joy": 1.0}), engine.cast.prompt("It")
            how = {"grammar": tool.grammar, "max_tokens": 100, "seed": 1}
            mailbox, other = Mailbox(), Mailbox()
            first = Job(0, mailbox, prompt, Mood(), how, feeling=Feeling(tool, Mood()))
            late = Job(0, other, engine.cast.prompt("Who"), Mood(), {"max_tokens": 2})
            answer, order = engine.cast.answer, []

            def noted(prompt: Any, **how: Any) -> Any:
                order.append(how["mood"])
                return answer(prompt, **how)

            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(engine.cast, "answer", noted)
                engine.submit([first, late])
                async for _ in events([first]):
                    pass
                assert first.feeling is not None
                assert first.feeling.goes_on
                await asyncio.sleep(0.2)  # in which nobody else begins
                mood, turns = Mood(joy=1), []
                if goes_on:
                    turns = [replace(first, mood=mood, sampling={"max_tokens": 2}, feeling=None)]
                engine.resume(first, *(turns or [None]))
                for of in filter(None, (turns, [late])):
                    async for _ in events(of):
                        pass
            return ["joy" if mood == Mood(joy=1) else "none" for mood in order]

    assert asyncio.run(began()) == (["none", "joy", "none"] if goes_on else ["none", "none"])


def test_who_goes_while_an_answer_goes_on_leaves_its_voice() -> None:
    async def said() -> str | None:
        async with running(Metrics(), open_cast=partial(open_cast, voices=1, n_ctx=512)) as engine:
            tool, prompt = FeelTool({"joy": 1.0}), engine.cast.prompt("It")
            how = {"grammar": tool.grammar, "max_tokens": 100, "seed": 1}
            first = Job(0, Mailbox(), prompt, Mood(), how, feeling=Feeling(tool, Mood()))
            engine.submit([first])
            async for _ in events([first]):
                pass
            engine.cancel([first])
            late = _asked(Mailbox(), engine, Mood(), n=2)
            engine.submit([late])
            *_, last = [event async for _, event in events([late])]
            return last.finish_reason

    assert asyncio.run(said()) in ("stop", "length")


@pytest.mark.parametrize("is_short_asked", [True, False])
def test_a_voice_is_kept_for_short_answers_where_such_are_asked_for(is_short_asked: bool) -> None:
    async def most_at_once() -> int:
        async with running(Metrics(), open_cast=partial(open_cast, voices=4, n_ctx=512)) as engine:
            mailbox = Mailbox()
            if is_short_asked:
                short = [_asked(mailbox, engine, Mood(), n=1)]
                engine.submit(short)
                async for _ in events(short):
                    pass
            answer, n_beside = engine.cast.answer, []

            def noted(*asked: Any, **how: Any) -> Any:
                n_beside.append(len(engine._answers))
                return answer(*asked, **how)

            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(engine.cast, "answer", noted)
                long = [_asked(mailbox, engine, Mood(), n=400) for _ in range(4)]
                engine.submit(long)
                async for _ in events(long):
                    pass
            return 1 + max(n_beside)

    assert asyncio.run(most_at_once()) == (3 if is_short_asked else 4)


@pytest.mark.parametrize("at", [0, 1])
def test_a_fault_of_one_answer_is_its_own(at: int) -> None:
    def fails(token: int) -> float:
        if token == at:
            raise RuntimeError("what is inside")
        return 1.0

    async def told() -> tuple[ApiError, str | None, int]:
        async with running(Metrics()) as engine:
            boxes = [Mailbox(), Mailbox()]
            wrong = _asked(boxes[0], engine, Mood(joy=fails))
            right = _asked(boxes[1], engine, Mood(joy=1))
            engine.submit([right, wrong])
            with pytest.raises(ApiError) as fault:
                async for _ in events([wrong]):
                    pass
            *_, last = [event async for _, event in events([right])]
            return fault.value, last.finish_reason, right.n_token

    fault, reason, n_token = asyncio.run(told())
    assert (fault.status_code, fault.detail) == (500, "this answer failed")
    assert reason == "stop" or n_token == 40


def test_answers_by_grammars_leave_voices_to_others() -> None:
    async def told() -> list[int]:
        async with running(Metrics(), open_cast=partial(open_cast, voices=4)) as engine:
            mailbox = Mailbox()
            prompt, grammar = engine.cast.prompt("It"), "root ::= [a-z ]{200}"
            how: list[dict[str, Any]] = [{"grammar": grammar, "max_tokens": 30}] * 2
            how.append({"max_tokens": 3})
            jobs = [Job(i, mailbox, prompt, Mood(), sampling) for i, sampling in enumerate(how)]
            for job in jobs:
                engine.submit([job])
            began = []
            async for job, _ in events(jobs):
                began += [] if job.index in began else [job.index]
            return began

    assert asyncio.run(told()) == [0, 2, 1]


def test_who_speaks_waits_for_no_more_of_a_prompt_than_its_pace_has_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Pace, "room", lambda pace, is_said: 16)

    async def told() -> list[int]:
        async with running(Metrics(), open_cast=partial(open_cast, n_ctx=512)) as engine:
            mailbox = Mailbox()
            grammar = "root ::= [a-z ]{100}"  # it says so many tokens
            says = Job(0, mailbox, engine.cast.prompt("It"), Mood(), {"grammar": grammar})
            reads = Job(1, mailbox, engine.cast.prompt("a " * 400), Mood(), {"max_tokens": 1})
            engine.submit([says])
            heard = [(await mailbox.get())[0].index]
            engine.submit([reads])
            while 1 not in heard:
                heard.append((await mailbox.get())[0].index)
            engine.cancel([says])
            return heard

    assert 15 <= len(asyncio.run(told())) <= 40


@asynccontextmanager
async def running(
    metrics: Metrics, *, open_cast: Callable[[], Cast] = open_cast
) -> AsyncIterator[Engine]:
    engine = Engine(open_cast, metrics=metrics, n_waiting=4)
    is_ready = asyncio.Event()
    loop = asyncio.get_running_loop()
    engine.on_ready = engine.on_failure = lambda: loop.call_soon_threadsafe(is_ready.set)
    engine.start()
    await is_ready.wait()
    assert engine.fault is None, engine.fault
    try:
        yield engine
    finally:
        await asyncio.to_thread(engine.stop)


def test_beside_short_answers_long_ones_get_on_more_slowly(random_chat: Path) -> None:
    cast = partial(
        Cast,
        random_chat,
        emotions=random_vectors(random_chat),
        voices=4,
        n_ctx=512,
        n_threads=1,
        verbose=False,
    )

    async def said_beside() -> dict[bool, int]:
        async with running(Metrics(), open_cast=cast) as engine:
            long, short = Mailbox(), Mailbox()
            asked = [_asked(long, engine, Mood(), n=400) for _ in range(3)]
            engine.submit(asked)
            await long.get()
            one = _asked(short, engine, Mood(), n=30)
            n_said = {False: 0, True: 0}  # while the short one is said: by long ones, by it
            heard = engine._hear

            def noted(job: Job, *how: Any) -> None:
                before = job.n_token
                heard(job, *how)
                if 0 < one.n_token < 30:
                    n_said[job is one] += job.n_token - before

            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(engine, "_hear", noted)
                engine.submit([one])
                async for _ in events([one]):
                    pass
            engine.cancel(asked)
            return n_said

    said = asyncio.run(said_beside())
    assert 0.3 < said[False] / 3 / said[True] < 0.7  # one of three steps, and a turn now and then


def _value(metrics: Metrics, name: str) -> float:
    families = text_string_to_metric_families(metrics.written().decode())
    (value,) = (s.value for family in families for s in family.samples if s.name == name)
    return float(value)


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def slowly() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(PATIENCE)

    async def refused() -> tuple[int, str]:
        settings = Settings(model="tiny_chat", request_seconds=0.05)
        app = Gate(Starlette(routes=[Route("/", _read, methods=["POST"])]), settings)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answer = await client.post("/", content=slowly())
            return answer.status_code, answer.text

    status, text = asyncio.run(refused())
    assert status == 408
    assert "the body did not come in time" in text


async def _read(request: Request) -> Response:
    return Response(await request.body())


def test_metrics_are_in_the_form_of_prometheus() -> None:
    written = Metrics().written().decode()
    names = {family.name for family in text_string_to_metric_families(written)}
    assert names >= {
        "llamood_tokens",
        "llamood_prompt_tokens",
        "llamood_waiting",
        "llamood_speaking",
        "llamood_batch_voices",
        "llamood_first_token_seconds",
        "llamood_token_seconds",
        "llamood_mood_changes",
    }
