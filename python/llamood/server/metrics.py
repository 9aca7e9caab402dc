"""What the service counts, in Prometheus' form."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from llamood.server.jobs import Job
from llamood.voices.event import Event

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_VOICES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Of one service; a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        registry = self._registry
        self.requests = Counter(
            "llamood_requests", "Requests answered.", ["path", "status"], registry=registry
        )
        self.refused = Counter(
            "llamood_refused", "Requests refused as the queue was full.", registry=registry
        )
        self.abandoned = Counter(
            "llamood_abandoned", "Answers that nobody waited for any more.", registry=registry
        )
        self.waiting = Gauge("llamood_waiting", "Answers that wait for a voice.", registry=registry)
        self.speaking = Gauge(
            "llamood_speaking", "Answers that are being given.", registry=registry
        )
        self._prompt = Counter("llamood_prompt_tokens", "Tokens of prompts.", registry=registry)
        self._generated = Counter("llamood_tokens", "Tokens generated.", registry=registry)
        self._batch = Histogram(
            "llamood_batch_voices", "Voices in a step.", buckets=_VOICES, registry=registry
        )
        self._step = Histogram(
            "llamood_token_seconds",
            "Time of a step, which is that of a token of each voice in it.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._first = Histogram(
            "llamood_first_token_seconds",
            "Time from a request to the first token of its answer.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._moods = Counter(
            "llamood_mood_changes",
            "Tokens chosen under another mix than the token before.",
            registry=registry,
        )

    def read(self, n_token: int) -> None:
        """A prompt is going to be decoded."""
        self._prompt.inc(n_token)

    def stepped(self, n_voice: int, seconds: float) -> None:
        self._batch.observe(n_voice)
        self._step.observe(seconds)

    def heard(self, job: Job, event: Event) -> None:
        if event.token is None:
            return
        if not job.n_token:
            self._first.observe(time.monotonic() - job.since)
        if event.mood != job.mix:
            self._moods.inc()
            job.mix = event.mood
        job.n_token += 1
        self._generated.inc()

    def written(self) -> bytes:
        """All of it, as ``text/plain; version=0.0.4``."""
        return generate_latest(self._registry)
