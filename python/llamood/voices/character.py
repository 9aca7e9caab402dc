"""One voice of a cast, as Python sees it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from os import PathLike
from pathlib import Path
from typing import Any

from llamood import _core
from llamood.errors import LlamoodError, ModelError, MoodWarning
from llamood.moods.mood import Mood
from llamood.moods.steering import Steering
from llamood.vectors.emotion_vectors import Float64
from llamood.voices import saved_voice
from llamood.voices.faces import Faces, faces_of
from llamood.voices.sampling import Sampling


class Character:
    """Made by ``Cast.join`` or ``Cast.load``; the cast alone calls what is neither a property here
    nor `save`.

    ``number``: its sequence in the shared context. ``sampling``: of its answers, unless another is
    asked for.
    """

    def __init__(
        self,
        core: _core.Character,
        steering: Steering,
        sampling: Sampling,
        *,
        lock: AbstractContextManager[object],
    ) -> None:
        self._lock = lock  # of the cast
        self.number = core.number
        self.sampling = sampling
        self.is_present = True
        self._core = core
        self._steering = steering  # of which the core only refers to what is Python's

    @property
    def mood(self) -> Mood:
        """What it feels now."""
        return self._steering.mood

    @property
    def reading(self) -> dict[str, float]:
        """What the last tokens of its answer expressed: emotion -> z-score, 0 as in neutral text.

        As ``llamood.Llama.reading``, of what was decoded when its last token was chosen; empty
        before there is one. Raises `ModelError` in a cast without readings.
        """
        reading = self._core.reading
        if reading is None:
            raise ModelError("this voice reads nothing; open it with Cast(..., readings=True)")
        return reading

    @property
    def felt(self) -> Mapping[str, float]:
        """The weights applied last, from which a mood with inertia moves on; those of 0 left out.
        Multiples of the vectors as stored."""
        return self._steering.named(self._core.felt)

    @property
    def messages(self) -> list[dict[str, str]]:
        """What it remembers of the conversation, as chat messages; a copy."""
        return self._core.messages

    @property
    def is_speaking(self) -> bool:
        """Whether it was told something that it has not answered to the end."""
        return self._core.is_speaking

    @property
    def is_waiting(self) -> bool:
        """Whether its prompt is not on the stage yet."""
        return self._core.is_waiting

    @property
    def is_prompting(self) -> bool:
        """Whether its prompt is being decoded."""
        return self._core.is_prompting

    @property
    def face(self) -> str | None:
        """What its face shows, out of the labels that it can: of the emotion that is read in its
        answer at 1 or more, the highest. It stays until that falls below 0.5 or another exceeds it
        by 0.5, for four tokens; also from answer to answer. None where the cast reads nothing."""
        return self._core.face

    @property
    def n_cached(self) -> int:
        """How many positions it has decoded."""
        return self._core.n_cached

    def n_common(self, tokens: Sequence[int], keys: Sequence[int]) -> int:
        """How many of these tokens it has decoded, in blends of these keys."""
        return self._core.n_common(tokens, keys)

    def save(self, path: str | PathLike[str], *, cache: bool = False) -> None:
        """Write all that it takes to go on from here to a file, which ``Cast.load`` reads: its
        conversation, the answer that it is giving, what it feels and has felt, how it draws.

        ``cache``: also the keys and values of what it has decoded, so that nothing is decoded
        again (at the size of the context; only the same model file has use for them). What lies
        untaken in a stream is not said again by who is loaded. The file is written whole or not at
        all. Raises `FileError`, and `MoodError` for a mood that is a Python
        function.
        """
        with self._lock:
            self._require_present()
            saved_voice.write(self._core, Path(path), cache=cache)

    def _require_present(self) -> None:
        if not self.is_present:
            raise LlamoodError(f"voice {self.number} is not there (any more); join makes one")

    def plan(self, text: str, sampling: Mapping[str, Any]) -> _core.Plan:
        """The answer to ``text``. Changes nothing.

        Raises `LlamoodError` while it speaks and for a grammar that llama.cpp does not take, and
        `ModelError` where there is no room.
        """
        if not isinstance(text, str):
            raise LlamoodError(f"a voice is told a text, found {text!r:.60}")
        return self._core.plan(text, Sampling.of(sampling, base=self.sampling).manner())

    def plan_prompt(
        self,
        tokens: Sequence[int],
        sampling: Mapping[str, Any],
        *,
        said: str | None = None,
        faces: Faces | None = None,
    ) -> _core.Plan:
        """The answer to a prompt of its own, beside the conversation. ``said``: the text in it that
        is answered; None for all of it. ``faces``: what it shows; None for the voice's own. Changes
        nothing; raises as `plan` does."""
        manner = Sampling.of(sampling, base=self.sampling).manner()
        shown = faces_of(faces, self._steering.names)
        return self._core.plan_prompt(tokens, manner, said, shown)

    def feel(self, steering: Steering, felt: Float64 | None = None) -> None:
        """From the next token on, also in the middle of an answer. ``felt``: what to have felt
        before the next one, unless it is to be remembered."""
        try:
            self._core.feel(steering, felt)
        finally:  # whatever a mood's function raised, and when
            felt_now = self._core.steering
            assert isinstance(felt_now, Steering)
            self._steering = felt_now
        self.warn()

    def become(self, core: _core.Character, steering: Steering) -> None:
        """The same voice in another cast of the core."""
        self._core, self._steering, self.number = core, steering, core.number

    def carried(self, *, cache: bool) -> _core.SavedVoice:
        """What it takes to become that; see `save`."""
        return self._core.carried(cache)

    def set_faces(self, faces: Faces | None) -> None:
        """What it can show from the next token on; None for the emotions that are read. Raises
        `LlamoodError` for faces that cannot be had."""
        self._core.set_faces(faces_of(faces, self._steering.names))

    def pause(self, paused: bool) -> None:
        """Add nothing from the next token of this answer on, or the mood again."""
        self._core.pause(paused)

    def warn(self) -> None:
        """Of what its moods ask for in vain, once for each thing."""
        for text in self._core.news():
            warnings.warn(text, MoodWarning, stacklevel=2)
