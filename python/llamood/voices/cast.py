"""Many voices of one model, in one context and one batch."""

from __future__ import annotations

import threading
import warnings
import weakref
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, get_args

from llamood import _core
from llamood.closing import Closing, hold_at_exit
from llamood.errors import FileError, LlamoodError, MoodWarning
from llamood.moods.mood import Mood, MoodLike
from llamood.readings.probe import Probe, chosen_probe
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.files import load
from llamood.vectors.measurement import Site
from llamood.voices import saved_voice
from llamood.voices.answer_stream import AnswerStream
from llamood.voices.cast_model import CastModel
from llamood.voices.character import Character
from llamood.voices.collapse_monitor import Care, care_of
from llamood.voices.event import Event
from llamood.voices.faces import Faces, faces_of
from llamood.voices.llama import refuse_unknown
from llamood.voices.sampling import Sampling
from llamood.voices.shared_context import Overflow, SharedContext


class Cast(CastModel, Closing):
    """Characters that speak from one model, each with its own history, mood and sampling.

    ``emotions``: the emotion vectors to feel with, as a path (see ``llamood.load``) or a value;
    ``site``, ``readings`` and ``guard`` as of ``llamood.Llama``. ``voices``: how many can be there
    at once, 1 to 256. ``n_ctx``: how many tokens each of them can remember. ``overflow``: where
    that is too little for what is said to a voice, ``refuse`` with a `ModelError`, or ``drop`` its
    oldest turns, of which ``Event.forgotten`` tells; the system prompt stays. All other arguments
    are those of ``llama_cpp.Llama``, ``n_threads`` as `llamood.Llama` has it. ``faces``: what its
    voices show, unless another is said at `join`; see `Faces`.

    What all voices say is decoded in one batch a step. A beginning that conversations have in
    common, a description of their world say, is decoded once. May be used by several threads.
    Raises `ModelError` for a model with a recurrent memory.
    """

    def __init__(
        self,
        model_path: str | PathLike[str],
        *,
        emotions: str | PathLike[str] | EmotionVectors,
        voices: int = 8,
        n_ctx: int = 2048,
        overflow: Overflow = "refuse",
        site: Site | None = None,
        guard: bool | Care = True,
        readings: bool | Probe = False,
        faces: Faces | None = None,
        **llama: Any,
    ) -> None:
        refuse_unknown(llama, who="llamood.Cast")
        if overflow not in get_args(Overflow):
            raise LlamoodError(f"overflow is {overflow!r:.60}, expected 'refuse' or 'drop'")
        evs = emotions if isinstance(emotions, EmotionVectors) else load(Path(emotions))
        care = care_of(guard)
        self._lock = threading.RLock()
        hold_at_exit(self._lock)
        self._voices: dict[int, Character] = {}
        self._streams: weakref.WeakValueDictionary[int, AnswerStream] = (
            weakref.WeakValueDictionary()
        )
        self._loaded: dict[int, AnswerStream] = {}  # that nobody listens to yet
        self._shared = SharedContext(
            str(model_path),
            emotions=evs,
            site=site,
            probe=chosen_probe(readings, emotions, evs),
            voices=voices,
            n_ctx=n_ctx,
            **llama,
        )
        self._overflow, self._care = overflow, care
        self._core = self._shared.cast(overflow=overflow, care=care)
        self._faces = faces
        try:
            faces_of(faces, evs.names)
        except LlamoodError:
            self.close()
            raise

    @property
    def voices(self) -> tuple[Character, ...]:
        """Who is there."""
        return tuple(self._voices.values())

    def join(
        self,
        system: str | None = None,
        *,
        mood: MoodLike = None,
        faces: Faces | None = None,
        **sampling: Any,
    ) -> Character:
        """A new character, told ``system`` at the beginning of its conversation.

        ``faces``: see `Faces`. ``sampling``: see `Sampling`. Raises `LlamoodError` where there is
        no room for another and for faces that cannot be had, and MoodError for a mood that cannot.
        """
        chosen = Sampling.of(sampling)
        with self._lock:
            self._shared.stage  # noqa: B018  (raises once closed)
            steering = self._shared.understand(Mood.of(mood))
            core = self._core.join(system, steering, chosen.manner())
            voice = Character(core, steering, chosen, lock=self._lock)
            try:
                voice.set_faces(self._faces if faces is None else faces)
            except LlamoodError:
                self._core.leave(core.number)
                raise
            self._voices[core.number] = voice
            voice.warn()
            return voice

    def load(self, path: str | PathLike[str]) -> Character:
        """A new character, which is the one that ``Character.save`` wrote to this file, here or in
        another program; it goes on token by token as that one would.

        One that was saved while it spoke speaks: see `listen`. What is not in the file, or is of no
        use to this model file, is decoded anew. Raises `FileError` for what is no saved voice, and
        `LlamoodError` for one of another model, of emotions that are not at hand, or where there is
        no room for another.
        """
        path = Path(path)
        saved = saved_voice.read(path)
        with self._lock:
            self._shared.stage  # noqa: B018  (raises once closed)
            steerings = [self._shared.understand(mood) for mood in saved.moods]
            try:
                core = self._core.load(saved.core, steerings)
            except ValueError as error:
                raise FileError(path, str(error)) from None
            voice = Character(core, steerings[-1], saved.sampling, lock=self._lock)
            self._voices[core.number] = voice
            if voice.is_speaking:
                self._loaded[core.number] = AnswerStream(self, {voice})
                self._streams[core.number] = self._loaded[core.number]
            voice.warn()
            return voice

    def listen(self, voice: Character) -> AnswerStream:
        """What is still to come of the answer that a voice was giving when it was saved. Raises
        `LlamoodError` where there is none, or it was asked for already."""
        with self._lock:
            self._require_mine(voice)
            stream = self._loaded.pop(voice.number, None)
            if stream is None:
                raise LlamoodError(
                    f"voice {voice.number} was not saved in the middle of an answer, or somebody "
                    "listens to it already"
                )
            return stream

    def say(self, to: Mapping[Character, str], **sampling: Any) -> AnswerStream:
        """Say something to one voice or several, which answer at once: see `AnswerStream` and
        `Event`.

        ``sampling``: for these answers, in place of what was said at `join`. They begin to be given
        at the first step of any stream. Raises `LlamoodError`, and then nobody was told anything,
        where a voice speaks already or has no room for it.
        """
        with self._lock:
            for voice in to:
                self._require_mine(voice)
            return self._begin({voice: voice.plan(text, sampling) for voice, text in to.items()})

    def answer(
        self,
        prompt: Sequence[int],
        *,
        among: Iterable[Character],
        mood: MoodLike = None,
        felt: Mapping[str, float] | None = None,
        said: str | None = None,
        faces: Faces | None = None,
        **sampling: Any,
    ) -> AnswerStream:
        """Let one of these voices, which must not speak, continue a prompt of tokens in a mood:
        the one that has most of it decoded.

        It is no part of the voice's own conversation. ``felt``: what was felt before it, for a
        mood with inertia (see ``Character.felt``). ``said``: the text in the prompt that is
        answered, for a mood that goes by what is read of it; all of the prompt, unless it is given.
        ``faces``: see `Faces`; the face is neutral before it. Raises as `say` does, and MoodError.
        """
        asked = Mood.of(mood)
        voices = list(among)
        with self._lock:
            if not voices:
                raise LlamoodError("expected at least one voice that could answer")
            for voice in voices:
                self._require_mine(voice)
            steering = self._shared.understand(asked)
            before = steering.weights(felt or {})
            how: dict[str, Any] = {"said": said, "faces": self._faces if faces is None else faces}
            plan = voices[0].plan_prompt(prompt, sampling, **how)
            # Of those that have as much, the one that forgets least by it.
            numbers = [voice.number for voice in voices]
            voice = self._voices[self._core.nearest(plan, numbers, steering, before)]
            plan = voice.plan_prompt(prompt, sampling, **how)
            voice.feel(steering, before)
            return self._begin({voice: plan})

    @property
    def n_generating(self) -> int:
        """How many voices have drawn a token that the next step decodes."""
        return self._shared.stage.n_generating

    @property
    def n_token(self) -> int:
        """How many tokens were decoded so far, of prompts and of answers."""
        return self._shared.stage.n_token

    def step(self, n: int | None = None, *, n_prompt: int | None = None) -> bool:
        """One step of all who speak, whose events lie in their streams then; False where nobody
        does. For whoever drives many streams, with ``AnswerStream.take``. ``n``: tokens that it
        decodes at most, of answers before those of prompts; ``n_prompt``: of prompts at most."""
        with self._lock:
            speaks = any(voice.is_speaking for voice in self.voices)
            if speaks:
                self._step(n, n_prompt)
            return speaks

    def pause(self, voice: Character, *, paused: bool) -> None:
        """Let a voice that speaks say what comes without its mood, as a quotation say, or with it
        again. The next answer begins in its mood."""
        with self._lock:
            self._require_mine(voice)
            voice.pause(paused)

    def _begin(self, plans: Mapping[Character, _core.Plan]) -> AnswerStream:
        stream = AnswerStream(self, set(plans))
        self._core.begin([(voice.number, plan) for voice, plan in plans.items()])
        for voice in plans:
            self._streams[voice.number] = stream
        return stream

    def feel(self, voice: Character, mood: MoodLike = None, /, **emotions: Any) -> None:
        """Let a voice feel this from its next token on, also while it speaks."""
        asked = Mood.of(mood, **emotions)
        with self._lock:
            self._require_mine(voice)
            voice.feel(self._shared.understand(asked))

    def interrupt(self, voice: Character) -> None:
        """Let a voice say no more: the last event of its answer says ``interrupted``. What it said
        stays in its memory; an answer of which nothing was said is taken back with its question.
        """
        with self._lock:
            self._require_mine(voice)
            self._interrupt(voice)

    def leave(self, voice: Character) -> None:
        """Interrupt a voice and forget it; another may join in its place."""
        with self._lock:
            self._require_mine(voice)
            self._core.leave(voice.number)
            self._tell()
            self._loaded.pop(voice.number, None)
            voice.is_present = False
            del self._voices[voice.number]

    def take_up(
        self, emotions: str | PathLike[str] | EmotionVectors, *, probe: Probe | None = None
    ) -> None:
        """Feel with these vectors from now on, which are those of before and more; the model stays
        open.

        ``probe``: what reads them; None for the one beside the files, where the cast reads. Voices
        are who they were, and who speaks goes on. What they have decoded is decoded anew when it is
        needed, except of answers that are not read. Raises `LlamoodError`, and then nothing has
        changed, where an emotion is missing, the vectors do not fit the model, or somebody feels a
        Python function.
        """
        evs = emotions if isinstance(emotions, EmotionVectors) else load(Path(emotions))
        evs.select(self.emotions.names)  # raises for one that is missing
        with self._lock:
            shared = self._shared
            shared.stage  # noqa: B018  (raises once closed)
            read_by = chosen_probe(shared.reads and (probe or True), emotions, evs)
            vectors = shared.fitting(evs, site=shared.vectors.site, probe=read_by)
            voices = sorted(self._voices.values(), key=lambda voice: voice.number)
            carried = [
                (voice, voice.carried(cache=voice.is_speaking and not shared.reads))
                for voice in voices
            ]
            moods = [[Mood(mood) for mood in saved.moods] for _, saved in carried]
            try:
                shared.refurnish(vectors, read_by)
                self._core = shared.cast(overflow=self._overflow, care=self._care)
                self._carry(carried, moods)
            except BaseException:
                self._voices.clear()  # of which some are in a cast that is no more
                for voice in voices:
                    voice.is_present = False
                self.close()
                raise

    def _carry(
        self,
        carried: Sequence[tuple[Character, _core.SavedVoice]],
        moods: Sequence[Sequence[Mood]],
    ) -> None:
        """Into the cast of the core that there is now."""
        streams, loaded = dict(self._streams), dict(self._loaded)
        for mine in (self._voices, self._streams, self._loaded):
            mine.clear()
        for (voice, saved), felt in zip(carried, moods, strict=True):
            before = voice.number
            steerings = [self._shared.understand(mood) for mood in felt]
            voice.become(self._core.load(saved, steerings), steerings[-1])
            self._voices[voice.number] = voice
            if before in streams:
                self._streams[voice.number] = streams[before]
            if before in loaded:
                self._loaded[voice.number] = loaded[before]

    def close(self) -> None:
        """Interrupt everybody, and free the model."""
        with self._lock:
            for voice in self.voices:
                self._interrupt(voice)
                voice.is_present = False
            self._voices.clear()
            self._loaded.clear()
            self._shared.close()

    # -- what streams ask for ---------------------------------------------------------------

    def advance(self, stream: AnswerStream) -> bool:
        """Step until the stream has something to tell; False where nothing more will be said."""
        while True:
            with self._lock:
                stream.raise_fault()
                if stream.waits:
                    self._step()
                    continue
                return not stream.is_over

    def end(self, stream: AnswerStream) -> None:
        """Interrupt those that speak in it, and tell nothing more of it. When a program ends, the
        model may have been freed before its streams."""
        with self._lock:
            if not self._shared.is_closed:
                for voice in stream.speakers:
                    self._interrupt(voice)
            stream.silence()

    def _step(self, n: int | None = None, n_prompt: int | None = None) -> None:
        for voice in self.voices:
            if voice.is_speaking and voice.number not in self._streams:  # nobody listens any more
                self._core.interrupt(voice.number)
        try:
            self._core.step(n, n_prompt=n_prompt)
        finally:
            self._tell()

    def _tell(self) -> None:
        """Let streams have what their voices said."""
        while (said := self._core.poll()) is not None:
            voice = self._voices[said.voice]
            if said.has_failed:
                self._fail(voice, _fault_of(said))
                continue
            self._tell_stream(Event(voice, **self._core.fields(said)))
            for text in said.news:
                warnings.warn(text, MoodWarning, stacklevel=2)

    def _tell_stream(self, event: Event) -> None:
        """Apart from `_tell`: what has a name there stays as long as the traceback of a fault, and
        streams must not."""
        stream = self._streams.get(event.voice.number)
        if stream is not None:
            stream.tell(event)

    def _fail(self, voice: Character, fault: Exception) -> None:
        stream = self._streams.pop(voice.number, None)
        if stream is not None:
            stream.fail(voice, fault)

    def _interrupt(self, voice: Character) -> None:
        self._core.interrupt(voice.number)
        self._tell()

    def _require_mine(self, voice: Character) -> None:
        if not isinstance(voice, Character) or self._voices.get(voice.number) is not voice:
            raise LlamoodError(
                f"{voice!r:.60} is no voice of this cast (any more); join() makes one"
            )


def _fault_of(said: _core.Event) -> Exception:
    try:
        said.raise_fault()
    except Exception as fault:
        return fault
    raise AssertionError
