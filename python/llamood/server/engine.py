"""The thread that owns the cast: it lets answers begin, steps all of them, and tells what was said.

Everything that touches the cast's voices happens there. Requests reach it by `Engine.submit` and
`Engine.cancel`, and hear from it by their mailboxes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Literal

from llamood.errors import LlamoodError, ModelError
from llamood.server.errors import ApiError
from llamood.server.jobs import Job, Mailbox
from llamood.server.metrics import Metrics
from llamood.server.pace import Pace
from llamood.voices.answer_stream import AnswerStream
from llamood.voices.cast import Cast
from llamood.voices.character import Character
from llamood.voices.event import Event

State = Literal["loading", "ready", "failed", "stopped"]
Told = tuple[Mailbox, Job, Event | Exception]

# One voice of so many answers by a grammar at once; of fewer voices any. By one that looks at every
# token an answer takes many steps a token, so that others would wait long for a voice. As many are
# kept for short answers, until none has been asked for in so many seconds.
_SHARE = 4
_KEPT_FOR = 60.0

# Beside short answers that are being said, long ones and prompts get on in one of so many steps.
_TURNS = 3

_LOG = logging.getLogger("llamood.server")


class Engine:
    """``open_cast``: called in the engine's thread. ``on_ready`` and ``on_failure``: called there
    when that is done, and when it, or the engine, failed; `fault` says why."""

    def __init__(
        self,
        open_cast: Callable[[], Cast],
        *,
        metrics: Metrics,
        n_waiting: int,
    ) -> None:
        self.state: State = "loading"
        self.fault: BaseException | None = None
        self._open_cast = open_cast
        self._metrics = metrics
        self._n_waiting = n_waiting
        self.on_failure: Callable[[], None] = lambda: None
        self.on_ready: Callable[[], None] = lambda: None
        self._wake = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._cancelled: set[Job] = set()
        self._is_stopping = False
        self._cast: Cast | None = None
        self._voices: list[Character] = []
        self._answers: dict[Job, tuple[AnswerStream, Character]] = {}
        self._taking_up: deque[tuple[Path, Future[None]]] = deque()
        self._going_on: set[Job] = set()  # whose voices are kept for their next turns
        self._most_formed = 1
        self._short_until = 0.0
        self._n_for_short = 0  # steps since the last one that was for all
        self._pace = Pace()
        self._thread = threading.Thread(target=self._run, name="llamood-engine", daemon=True)

    @property
    def cast(self) -> Cast:
        """For what needs no voice. Raises `ApiError` until it is open."""
        if self._cast is None or self.state != "ready":
            loading = self.state == "loading"
            raise ApiError(
                503,
                "the model is being loaded" if loading else "the service is shutting down",
                code="loading" if loading else "stopped",
                headers={"Retry-After": "1"},
            )
        return self._cast

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Interrupt what is still said, and free the model."""
        with self._wake:
            self._is_stopping = True
            self._wake.notify()
        self._thread.join()

    # -- for requests, in any thread -------------------------------------------------------

    def submit(self, jobs: Sequence[Job]) -> None:
        """Let all of these be answered, or raise `ApiError` where there is no room in the queue."""
        with self._wake:
            if any(job.is_short for job in jobs):
                self._short_until = time.monotonic() + _KEPT_FOR
            n_free = max(self._n_free, 0)
            if not all(job.is_short for job in jobs):
                n_free = min(n_free, max(self._n_free_for_long, 0))
            # Those that are drawn by a grammar, of which some voices are never, leave half of the
            # queue to others.
            n_formed = sum(job.is_formed for job in self._waiting)
            is_full = len(self._waiting) + len(jobs) > self._n_waiting + n_free
            if is_full or (jobs[0].is_formed and n_formed > (self._n_waiting + n_free) // 2):
                self._metrics.refused.inc()
                raise ApiError(
                    429,
                    f"{len(self._waiting)} answers wait for one of {len(self._voices)} voices "
                    f"already, and {self._n_waiting} may; try again later",
                    code="queue_full",
                    headers={"Retry-After": str(1 + len(self._waiting) // 8)},
                )
            self._waiting.extend(jobs)
            self._metrics.waiting.set(len(self._waiting))
            self._wake.notify()

    def resume(self, job: Job, following: Job | None) -> None:
        """After this turn of an answer that goes on, let the next be given, by the voice that is
        kept for it; where there is none after all, others may have the voice. Raises `ApiError`
        where the engine has stopped."""
        with self._wake:
            if self._n_waiting < 0:
                raise _stopped()
            self._going_on.discard(job)
            if following is not None:
                self._waiting.appendleft(following)
                self._metrics.waiting.set(len(self._waiting))
            self._wake.notify()

    def cancel(self, jobs: Sequence[Job]) -> None:
        """Nobody wants these any more; also for those that are over."""
        with self._wake:
            self._cancelled.update(jobs)
            self._wake.notify()

    def take_up(self, vectors: Path) -> None:
        """Feel with these vectors from the next step on, those of before and more; whoever speaks
        goes on. Returns when that is so. Raises what `Cast.take_up` does, and `ApiError` where the
        engine has stopped."""
        done: Future[None] = Future()
        with self._wake:
            if self._n_waiting < 0:
                raise _stopped()
            self._taking_up.append((vectors, done))
            self._wake.notify()
        done.result()

    # -- in the thread ---------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._cast = self._open_cast()
            self._voices = [self._cast.join() for _ in range(self._cast.n_voice)]
            self._most_formed = len(self._voices) // _SHARE or len(self._voices)
            self.state = "ready"
            self.on_ready()
            while self._listen():
                self._turn()
        except BaseException as fault:
            _LOG.debug("the engine failed", exc_info=True)
            self.fault = fault
            self.state = "failed"
            self.on_failure()
        else:
            self.state = "stopped"
        finally:
            lost = _stopped()
            with self._wake:
                jobs = [*self._answers, *self._waiting]
                for _, done in self._taking_up:
                    done.set_exception(lost)
                self._taking_up.clear()
                self._answers.clear()
                self._waiting.clear()
                self._n_waiting = -len(self._voices) - 1  # nothing gets in any more
            _deliver([(job.mailbox, job, lost) for job in jobs])
            if self._cast is not None:
                self._cast.close()

    def _listen(self) -> bool:
        """Wait until there is something to do, and take back what is not wanted; False where the
        engine is to stop."""
        with self._wake:
            while not (
                self._can_begin
                or self._answers
                or self._cancelled
                or self._taking_up
                or self._is_stopping
            ):
                self._wake.wait()
            cancelled, self._cancelled = self._cancelled, set()
            self._going_on -= cancelled
            self._waiting = deque(job for job in self._waiting if job not in cancelled)
        for job in cancelled & self._answers.keys():
            stream, _ = self._answers.pop(job)
            stream.close()
            self._metrics.abandoned.inc()
        return not self._is_stopping

    def _turn(self) -> None:
        """Begin what there is a voice for, and one step."""
        assert self._cast is not None
        told: list[Told] = []
        while self._taking_up:
            self._feel_more(self._cast, *self._taking_up.popleft())
        self._begin(told)
        self._count()
        if self._answers:
            n_said, room, is_for_all = self._taken()
            n_token, began = self._cast.n_token, time.monotonic()
            self._cast.step(n_said + room, n_prompt=room)
            took = time.monotonic() - began
            n_read = max(self._cast.n_token - n_token - n_said, 0)
            self._pace.stepped(took, n_said=n_said, n_read=n_read, is_for_all=is_for_all)
            self._metrics.stepped(len(self._answers), took)
            for job, (stream, voice) in list(self._answers.items()):
                self._hear(job, stream, voice, told)
            self._count()
        _deliver(told)

    def _feel_more(self, cast: Cast, vectors: Path, done: Future[None]) -> None:
        """Every voice stays who it is, and its answer goes on."""
        try:
            cast.take_up(vectors)
        except LlamoodError as fault:
            done.set_exception(fault)
        except BaseException as fault:
            done.set_exception(fault)
            raise
        else:
            done.set_result(None)

    def _taken(self) -> tuple[int, int, bool]:
        """How many tokens of answers, and of prompts, the next step has; and whether it is for all
        who speak."""
        assert self._cast is not None
        n_said = self._cast.n_generating
        n_short = sum(job.is_short and job.n_token > 0 for job in self._answers)
        if 0 < n_short < n_said - 1 and self._n_for_short + 1 < _TURNS:
            self._n_for_short += 1
            return n_short + 1, 0, False  # and one of the others, whose turn it is
        self._n_for_short = 0
        return n_said, self._pace.room(is_said=n_said > 0), True

    def _count(self) -> None:
        self._metrics.waiting.set(len(self._waiting))
        self._metrics.speaking.set(len(self._answers))

    @property
    def _n_free(self) -> int:
        return len(self._voices) - len(self._answers) - len(self._going_on)

    @property
    def _can_begin(self) -> bool:
        """Whether some that wait could have a voice now, where nobody speaks."""
        has_room = self._n_free_for_long > 0
        return self._n_free > 0 and any(has_room or job.is_short for job in self._waiting)

    @property
    def _n_free_for_long(self) -> int:
        """Voices for answers that may be long."""
        n_kept = len(self._voices) // _SHARE if time.monotonic() < self._short_until else 0
        n_long = sum(not job.is_short for job in list(self._answers))
        return len(self._voices) - n_kept - n_long - len(self._going_on)

    def _next(self) -> Job | None:
        """Whose turn it is: of the request with the fewest voices, so that one that asks for many
        answers leaves voices to others. Whoever is drawn by a grammar lets others by while as many
        are as may be; and so does whoever may say much, as long as short answers are asked for."""
        has_room = self._n_free_for_long > 0
        is_drawable = sum(job.is_formed for job in self._answers) < self._most_formed
        n_voice = Counter(job.mailbox for job in self._answers)
        with self._wake:
            may = (
                job
                for job in self._waiting
                if (has_room or job.is_short) and (is_drawable or not job.is_formed)
            )
            job = min(may, key=lambda job: n_voice[job.mailbox], default=None)  # the first of these
            if job is not None:
                self._waiting.remove(job)
        return job

    def _begin(self, told: list[Told]) -> None:
        assert self._cast is not None
        while self._n_free > 0:
            job = self._next()
            if job is None:
                return
            silent = [voice for voice in self._voices if not voice.is_speaking]
            felt = job.session.felt if job.felt is None and job.session is not None else job.felt
            try:
                stream = self._cast.answer(
                    job.prompt,
                    among=silent,
                    mood=job.mood,
                    felt=felt,
                    said=job.said,
                    faces=job.faces,
                    **job.sampling,
                )
            except LlamoodError as fault:
                told.append((job.mailbox, job, ApiError(400, str(fault))))
            except Exception as fault:
                told.append(_failed(job, fault))
            else:
                (voice,) = stream.speakers
                self._answers[job] = (stream, voice)
                self._metrics.read(len(job.prompt))

    def _hear(self, job: Job, stream: AnswerStream, voice: Character, told: list[Told]) -> None:
        assert self._cast is not None
        try:
            for event in stream.take():
                self._feel(job, voice, event)
                self._metrics.heard(job, event)
                told.append((job.mailbox, job, event))
                if event.finish_reason is not None:
                    del self._answers[job]
                    if job.session is not None:
                        job.session.has_felt(voice.felt)
                elif job.spans is not None and event.text:
                    self._cast.pause(voice, paused=job.spans.hear(event.text))
        except Exception as fault:
            self._answers.pop(job, None)
            stream.close()
            told.append(_failed(job, fault))

    def _feel(self, job: Job, voice: Character, event: Event) -> None:
        """What the character itself says of its mood counts from its next token on."""
        assert self._cast is not None
        is_last = event.finish_reason is not None
        if job.feeling is None:
            return
        n_call = len(job.feeling.told)
        job.feeling.hear(event.text, is_last=is_last)
        if is_last:
            job.felt = voice.felt
            if event.finish_reason == "stop" and job.feeling.goes_on:
                with self._wake:
                    self._going_on.add(job)
        elif len(job.feeling.told) > n_call and not job.is_formed:
            self._cast.feel(voice, job.feeling.mood)


def _stopped() -> ApiError:
    return ApiError(503, "the service is shutting down", code="stopped")


def _failed(job: Job, fault: Exception) -> Told:
    """What the request is told; the rest of it is for whoever runs the service."""
    is_theirs = isinstance(fault, LlamoodError) and not isinstance(fault, ModelError)
    _LOG.log(logging.INFO if is_theirs else logging.ERROR, "an answer failed: %s", fault)
    return job.mailbox, job, ApiError(400 if is_theirs else 500, "this answer failed")


def _deliver(told: Sequence[Told]) -> None:
    """One call into each event loop, however many it concerns."""
    loops = {mailbox.loop for mailbox, _, _ in told}
    for loop in loops:
        mine = [one for one in told if one[0].loop is loop]
        if not loop.is_closed():
            loop.call_soon_threadsafe(_put, mine)


def _put(told: Sequence[Told]) -> None:
    for mailbox, job, what in told:
        mailbox.put(job, what)
