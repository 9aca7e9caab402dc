"""A stage of the C library, as a program in C has it: structures, calls, and events as a cast of
Python tells them."""

from __future__ import annotations

import ctypes
import json
import math
from collections.abc import Iterator, Mapping
from ctypes import POINTER, c_bool, c_char_p, c_double, c_float, c_int, c_int32, c_size_t, c_uint32
from pathlib import Path
from typing import Any

from c_library import ERROR_SIZE, Refused, library
from llamood.moods.mood import Mood

ENDS = (None, "stop", "length", "time", "interrupted", "failed", "refused")


class StageParams(ctypes.Structure):
    """llamood_stage_params."""

    _fields_ = (
        ("n_voice", c_int),
        ("n_ctx", c_int),
        ("n_batch", c_int),
        ("n_threads", c_int),
        ("n_threads_batch", c_int),
        ("overflow", c_int),
        ("chat_template", c_char_p),
        ("guard", c_int),
    )


class Sampling(ctypes.Structure):
    """llamood_sampling."""

    _fields_ = (
        ("temperature", c_float),
        ("top_k", c_int),
        ("top_p", c_float),
        ("min_p", c_float),
        ("typical_p", c_float),
        ("repeat_penalty", c_float),
        ("frequency_penalty", c_float),
        ("presence_penalty", c_float),
        ("last_n_tokens", c_int),
        ("seed", c_uint32),
        ("grammar", c_char_p),
        ("stops", POINTER(c_char_p)),
        ("n_stop", c_size_t),
        ("max_tokens", c_int),
        ("max_seconds", c_double),
        ("n_likely", c_int),
    )


class Rescue(ctypes.Structure):
    """llamood_rescue."""

    _fields_ = (("token", c_int), ("kept", c_int), ("kind", c_char_p), ("text", c_char_p))


class Likely(ctypes.Structure):
    """llamood_likely."""

    _fields_ = (("token", c_int32), ("logprob", c_float))


class Event(ctypes.Structure):
    """llamood_event."""

    _fields_ = (
        ("voice", c_int),
        ("token", c_int32),
        ("text", c_char_p),
        ("n_emotion", c_int),
        ("mood", POINTER(c_float)),
        ("reading", POINTER(c_float)),
        ("end", c_int),
        ("forgotten", c_int),
        ("notice", c_char_p),
        ("asked", POINTER(c_float)),
        ("score", POINTER(c_float)),
        ("likely", POINTER(Likely)),
        ("n_likely", c_size_t),
        ("guard", c_char_p),
        ("guard_factor", c_float),
        ("guard_stopped", c_bool),
        ("rescues", POINTER(Rescue)),
        ("n_rescue", c_size_t),
        ("face", c_char_p),
        ("face_reading", c_float),
        ("valence", c_float),
        ("arousal", c_float),
    )


class Stage:
    """With readings and a guard; conversations that have no room drop their oldest turns. What the
    library refuses raises `Refused`."""

    def __init__(
        self, model: Path, vectors: Path, *, voices: int, n_ctx: int, n_batch: int
    ) -> None:
        self._c = library().functions
        with library().model(model, vectors, readings=True) as loaded:
            self._c.llamood_stage_default_params.restype = StageParams
            params = self._c.llamood_stage_default_params()
            params.n_voice, params.n_ctx, params.n_batch = voices, n_ctx, n_batch
            params.n_threads, params.overflow = 1, 1
            self._c.llamood_stage_open.restype = ctypes.c_void_p
            self._stage = self._said("llamood_stage_open", ctypes.c_void_p(loaded), params)
            self.names = library().emotions(loaded)

    def close(self) -> None:
        self._c.llamood_stage_free(ctypes.c_void_p(self._stage))

    def _said(self, name: str, *arguments: Any) -> Any:
        error = ctypes.create_string_buffer(ERROR_SIZE)
        passed = (ctypes.byref(a) if isinstance(a, ctypes.Structure) else a for a in arguments)
        said = getattr(self._c, name)(*passed, error, c_size_t(ERROR_SIZE))
        if error.value:
            raise Refused(error.value.decode())
        return said

    def _asked(self, name: str, *arguments: Any) -> int:
        return int(self._said(name, ctypes.c_void_p(self._stage), *arguments))

    def _sampling(self, how: dict[str, Any]) -> Sampling:
        """Of values in Python's names."""
        self._c.llamood_default_sampling.restype = Sampling
        sampling: Sampling = self._c.llamood_default_sampling()
        for name, value in how.items():
            if name == "stop":
                stops = (c_char_p * len(value))(*(stop.encode() for stop in value))
                sampling.stops, sampling.n_stop = stops, len(value)
            elif name == "logprobs":
                sampling.n_likely = value
            else:
                setattr(sampling, name, value.encode() if isinstance(value, str) else value)
        return sampling

    def join(self, system: str | None, mood: Mood, **how: Any) -> int:
        told = None if system is None else c_char_p(system.encode())
        with library().mood(json.dumps(mood.to_dict()).encode()) as parsed:
            return self._asked("llamood_join", told, ctypes.c_void_p(parsed), self._sampling(how))

    def feel(self, voice: int, mood: Mood) -> None:
        with library().mood(json.dumps(mood.to_dict()).encode()) as parsed:
            self._asked("llamood_feel", voice, ctypes.c_void_p(parsed))

    def say(self, voice: int, text: str, **how: Any) -> None:
        self._asked("llamood_say_so", voice, c_char_p(text.encode()), self._sampling(how))

    def pause(self, voice: int, *, paused: bool) -> None:
        self._asked("llamood_pause", voice, c_bool(paused))

    def set_faces(self, voice: int, faces: Mapping[str, str | None]) -> None:
        texts = [c_char_p * len(faces)] * 2
        labels = texts[0](*(label.encode() for label in faces))
        emotions = texts[1](*(None if e is None else e.encode() for e in faces.values()))
        self._asked("llamood_set_faces", voice, labels, emotions, c_size_t(len(faces)))

    def interrupt(self, voice: int) -> None:
        self._asked("llamood_interrupt", voice)

    def leave(self, voice: int) -> None:
        self._asked("llamood_leave", voice)

    def save(self, voice: int, path: Path, *, with_cache: bool) -> None:
        self._asked("llamood_voice_save", voice, c_char_p(bytes(path)), c_bool(with_cache))

    def load(self, path: Path) -> int:
        return self._asked("llamood_voice_load", c_char_p(bytes(path)))

    def step(self) -> bool:
        return self._asked("llamood_step", 0) == 1

    def events(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """What was not polled: of which voice, and the fields of an event of Python."""
        event = Event()
        while self._asked("llamood_poll", event):
            yield event.voice, self._fields(event)

    def _fields(self, event: Event) -> dict[str, Any]:
        guard = None
        if event.guard is not None:
            guard = {
                "words": event.guard.decode(),
                "factor": event.guard_factor,
                "stopped": event.guard_stopped,
                "rescues": [
                    {
                        "token": each.token,
                        "kept": each.kept,
                        "kind": each.kind.decode(),
                        "text": each.text.decode(),
                    }
                    for each in event.rescues[: event.n_rescue]
                ],
            }
        return {
            "text": event.text.decode(),
            "token": None if event.token < 0 else event.token,
            "mood": self._named(event.mood, felt=True),
            "reading": self._named(event.reading),
            "finish_reason": ENDS[event.end],
            "forgotten": event.forgotten,
            "likely": tuple((e.token, e.logprob) for e in event.likely[: event.n_likely]),
            "asked": self._named(event.asked, felt=True),
            "score": self._named(event.score),
            "guard": guard,
            "face": event.face.decode(),
            "face_reading": None if math.isnan(event.face_reading) else event.face_reading,
            "valence": event.valence,
            "arousal": event.arousal,
        }

    def _named(self, values: Any, *, felt: bool = False) -> dict[str, float]:
        """Of a null pointer nothing; ``felt``: without those of 0."""
        if not values:
            return {}
        pairs = zip(self.names, values[: len(self.names)], strict=True)
        return {name: value for name, value in pairs if value or not felt}
