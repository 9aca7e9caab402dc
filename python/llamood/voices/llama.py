"""One voice: a ``llama_cpp.Llama`` that feels."""

from __future__ import annotations

import codecs
import difflib
import inspect
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

import llama_cpp

from llamood.errors import ModelError, MoodError, MoodWarning
from llamood.moods.mood import Mood, MoodLike
from llamood.moods.steering import Notice, Steering
from llamood.moods.steering_vectors import SteeringVectors
from llamood.moods.trace import Trace
from llamood.readings.probe import Probe, chosen_probe
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.files import load
from llamood.vectors.measurement import Site
from llamood.voices.call import Call
from llamood.voices.chat_template import said_last
from llamood.voices.collapse_monitor import Care, care_of
from llamood.voices.decoder import NOWHERE
from llamood.voices.feel_tool import Feelings, FeelTool
from llamood.voices.felt_chat import FeltChat
from llamood.voices.injection import chosen_site, understood
from llamood.voices.voice import Voice

_KNOWN_ARGUMENTS = frozenset(
    {*inspect.signature(llama_cpp.Llama.__init__).parameters, "rpc_servers"}
) - {"self", "kwargs"}

Steer = Literal["prose", "all"]


class Llama(Voice):
    """A ``llama_cpp.Llama`` in every other way, that speaks in a mood.

    ``emotions``: the emotion vectors to feel with, as a path (see ``llamood.load``) or a
    value. ``site``: where they are added, at the end of each block (``layer_out``) or between
    attention and MLP (``attn_out``, layer 0 too); where they were measured, unless it is given.
    ``readings``: also read what is expressed (see `reading`), with the baseline that
    lies in the folder of the vectors, or with a `Probe`; costs a stop of the graph at one layer.
    ``guard``: where an answer collapses under its mood, ``rescue`` (or True) goes back to before
    and draws anew under half the dose, a quarter, none; ``stop`` ends it there; False does nothing.
    The result then has what happened under ``["llamood"]["guard"]`` (see
    `CollapseMonitor.told`), and of a stream each chunk from there on. A stream tells no token
    before it is known to be sound.
    All other arguments are those of ``llama_cpp.Llama``; unknown names are refused with a
    TypeError. Without ``verbose=True`` llama.cpp says nothing.
    Without ``n_threads`` there is a thread for each core, and there are fewer while
    others want the cores, if that is faster (not with ``flash_attn``, whose last bits depend on
    their number); below 0 it is all cores but so many.

    The mood is set for good by :meth:`feel`, for a block by :meth:`feeling`, or for one call by
    ``mood=``. What a grammar draws (``grammar``, JSON by ``response_format``, a tool that must be
    called) is said without it, as a mood says no end to a text of JSON; ``steer="all"`` keeps it
    there. An answer depends on the prompt, the mood and the seed only (and, where the mood
    has inertia, on what was felt before): hidden states that were cached under another mood are
    computed again, not reused. A schedule counts from the last token of each prompt, or from
    the token at which it is asked for in the middle of an answer.
    """

    def __init__(
        self,
        model_path: str | PathLike[str],
        *,
        emotions: str | PathLike[str] | EmotionVectors | None = None,
        site: Site | None = None,
        readings: bool | Probe = False,
        guard: bool | Care = True,
        **llama: Any,
    ) -> None:
        refuse_unknown(llama, who="llamood.Llama")
        self._vectors: SteeringVectors | None = None
        self._readings = readings
        self._site = site
        self._feels: tuple[Mood, Steering | None] = (Mood(), None)
        self._neutral: tuple[Mood, Steering | None] = self._feels
        self._noticed: set[str] = set()
        super().__init__(
            str(model_path), watched=emotions is not None, care=care_of(guard), **llama
        )
        if emotions is not None:
            evs = emotions if isinstance(emotions, EmotionVectors) else load(Path(emotions))
            probe = chosen_probe(readings, emotions, evs)
            arch = self.metadata.get("general.architecture", "")
            added_at = chosen_site(evs, asked=site, arch=arch)
            if probe is not None:
                probe.require_site(added_at)
            self._vectors = self._take(evs, added_at, probe)
            self._feels = self._neutral = (Mood(), Steering(Mood(), self._vectors))
        elif readings:
            raise ModelError("readings need emotions; pass Llama(..., emotions=...) too")
        elif site is not None:
            raise ModelError("a site needs emotions; pass Llama(..., emotions=...) too")

    # -- mood ------------------------------------------------------------------------------

    @property
    def mood(self) -> Mood:
        """What it feels now: the running call's mood if that was given one, else the last."""
        return self._current()[0]

    @property
    def emotions(self) -> EmotionVectors | None:
        """The emotion vectors at hand."""
        return self._emotions

    @property
    def site(self) -> Site | None:
        """Where the emotion vectors are added; None without."""
        return None if self._vectors is None else self._vectors.site

    def feel(self, mood: MoodLike = None, /, **emotions: Any) -> None:
        """Feel this from now on; ``feel()`` is neutral. See ``llamood.Mood`` for the forms.

        Takes effect at the next token, also in the middle of a stream.
        Raises MoodError for unknown emotions and unusable intensities.
        """
        self._feels = self._understand(Mood.of(mood, **emotions))
        self._told = NOWHERE

    @contextmanager
    def feeling(self, mood: MoodLike = None, /, **emotions: Any) -> Iterator[Llama]:
        """Feel this inside a ``with`` block, and what was felt before after it."""
        before = self._feels
        self.feel(mood, **emotions)
        try:
            yield self
        finally:
            self._feels = before
            self._told = NOWHERE

    def _understand(self, mood: Mood) -> tuple[Mood, Steering | None]:
        if self._vectors is None:
            if mood.is_neutral:
                return mood, None
            raise MoodError(
                "", f"asked for {mood}, but no emotions were loaded; pass Llama(..., emotions=...)"
            )
        steering = understood(mood, self._vectors, self._projector)
        if not mood.listens:
            for notice in steering.notices():
                self._notice(notice)
        return mood, steering

    def _notice(self, notice: Notice) -> None:
        """Say it, once for each thing."""
        if notice.what not in self._noticed:
            self._noticed.add(notice.what)
            warnings.warn(notice.text, MoodWarning, stacklevel=2)

    def _current(self) -> tuple[Mood, Steering | None]:
        if self._is_unmoved:
            return self._neutral
        call = self._call
        return self._feels if call is None or call.mood is None else call.mood

    # -- generating ------------------------------------------------------------------------

    def generate(
        self, tokens: Sequence[int], *args: Any, **kwargs: Any
    ) -> Generator[int, Sequence[int] | None, None]:
        """As `Voice.generate`; what a voice says of its own mood counts from the next token on."""
        stream = super().generate(tokens, *args, **kwargs)
        call = self._call
        return stream if call is None or call.feeling is None else self._overheard(stream, call)

    def _overheard(
        self, stream: Generator[int, Sequence[int] | None, None], call: Call
    ) -> Generator[int, Sequence[int] | None, None]:
        assert call.feeling is not None
        text = codecs.getincrementaldecoder("utf-8")(errors="replace")
        guess: Sequence[int] | None = None
        with closing(stream):
            while True:
                try:
                    token = stream.send(guess) if guess else next(stream)
                except StopIteration:
                    return
                call.n_drawn += 1
                n_call = len(call.feeling.told)
                call.feeling.hear(text.decode(self._piece_of(token)))
                if len(call.feeling.told) > n_call:
                    self._set_own_mood(call, call.feeling.mood)
                guess = yield token

    def _set_own_mood(self, call: Call, mood: Mood) -> None:
        """What the voice itself came to feel, in a call: for that alone where it has a mood of its
        own, else from now on."""
        if call.mood is None:
            self.feel(mood)
        else:
            call.mood = self._understand(mood)
            self._told = NOWHERE

    def create_completion(
        self,
        *args: Any,
        mood: MoodLike = None,
        trace: bool = False,
        steer: Steer = "prose",
        said: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """``llama_cpp.Llama.create_completion``; ``mood``: for this call only; ``steer``: ``all``
        for the mood also in what a grammar draws; ``said``: the text in the prompt that is
        answered, for a mood that waits for what is read of it (`When`); all of it, unless given.

        ``trace``: the result (of a stream, the chunk with the ``finish_reason``) has, under
        ``["llamood"]["trace"]``, what ``Trace.to_dict`` says of each token::

            {"emotions": ["fear", "joy"],
             "tokens": [{"text": "The", "asked": [0.0, 1.2], "applied": [0.0, 1.0]}, ...]}

        ``asked`` is before limits and inertia, ``applied`` what the token was chosen under, both in
        the order of ``emotions``; a voice with readings adds ``"reading": {"fear": -0.3, ...}``.
        Its results and chunks have `reading` under ``["llamood"]["reading"]``, too.
        """
        return self._in_mood(
            mood, trace, steer, super().create_completion, *args, said=said, **kwargs
        )

    def __call__(
        self,
        *args: Any,
        mood: MoodLike = None,
        trace: bool = False,
        steer: Steer = "prose",
        **kwargs: Any,
    ) -> Any:
        """``llama_cpp.Llama.__call__``; ``mood``, ``trace`` and ``steer`` as in
        `create_completion`."""
        return self._in_mood(mood, trace, steer, super().__call__, *args, **kwargs)

    def create_chat_completion(
        self,
        *args: Any,
        mood: MoodLike = None,
        trace: bool = False,
        steer: Steer = "prose",
        feel: Feelings | None = None,
        **kwargs: Any,
    ) -> Any:
        """``llama_cpp.Llama.create_chat_completion``; ``mood``, ``trace`` and ``steer`` as in
        `create_completion`. The text of a control token in a message is that token, as there.

        ``feel``: emotions that the voice may set itself, by a tool ``feel`` beside those in
        ``tools``: see `Feelings` and `FeltChat`. What it sets counts for this call where that has a
        ``mood``, else as by `feel`. The result, of a stream each chunk from there on, has what came
        of its calls under ``["llamood"]["feels"]``: ``[{"felt": {"joy": 0.8}}]``. Raises
        `MoodError` for emotions that it cannot set, and `ModelError` for a model without tools.
        """
        said = said_last(args[0] if args else kwargs.get("messages"))
        chat = super().create_chat_completion
        if feel is None:
            return self._in_mood(mood, trace, steer, chat, *args, said=said, **kwargs)
        felt = FeltChat(self, self._feel_tool(feel), chat, *args, **kwargs)
        return self._in_mood(mood, trace, steer, felt.answer, said=said, felt=felt)

    def _feel_tool(self, feel: Feelings) -> FeelTool:
        if self._emotions is None:
            raise MoodError("", "feel needs emotions; pass Llama(..., emotions=...) too")
        return FeelTool.of(feel, self._emotions)

    def _in_mood(
        self,
        mood: MoodLike,
        trace: bool,
        steer: Steer,
        method: Any,
        *args: Any,
        said: str | None = None,
        felt: FeltChat | None = None,
        **kwargs: Any,
    ) -> Any:
        if steer not in get_args(Steer):
            raise MoodError("", f"steer is {steer!r:.60}, expected 'prose' or 'all'")
        # llama_cpp's own methods call each other: what is within a call belongs to it.
        is_plain = mood is None and not trace and felt is None
        if is_plain and (self._emotions is None or self._call is not None):
            return method(*args, **kwargs)
        if trace and self._emotions is None:
            raise MoodError(
                "", "a trace needs emotions, and none were loaded; pass Llama(..., emotions=...)"
            )
        call = Call(
            None if mood is None else self._understand(Mood.of(mood)),
            Trace(self._emotions.names) if trace and self._emotions is not None else None,
            steers_all=steer == "all",
            said=said,
        )
        if felt is not None:
            mood_now = self.mood if call.mood is None else call.mood[0]
            felt.begin(call, mood_now, felt=self._set_own_mood)
        with self._calling(call):
            result = method(*args, **kwargs)
        if isinstance(result, Iterator):
            return self._streamed(call, result)
        return self._with_what_was_felt(call, result, ended=True)

    def _streamed(self, call: Call, stream: Iterator[Any]) -> Iterator[Any]:
        """The stream, each step of it within the call, whatever happens between steps. It may be a
        chat handler's, which yields what it likes."""
        try:
            while True:
                with self._calling(call):
                    try:
                        chunk = next(stream)
                    except StopIteration:
                        return
                yield self._with_what_was_felt(call, chunk, ended=_is_last(chunk))
        finally:
            close = getattr(stream, "close", None)
            if close is not None:
                close()

    def _with_what_was_felt(self, call: Call, result: Any, *, ended: bool) -> Any:
        if not isinstance(result, Mapping):
            return result
        said: dict[str, Any] = {}
        if self._monitor is not None and self._monitor.told is not None:
            said["guard"] = self._monitor.told
        if self._reader is not None:
            said["reading"] = self.reading
        if call.feeling is not None and call.feeling.told:
            said["feels"] = list(call.feeling.told)
        if call.trace is not None and ended:
            said["trace"] = call.trace.to_dict()
        return {**result, "llamood": said} if said else result

    @contextmanager
    def _calling(self, call: Call) -> Iterator[None]:
        before = self._call
        self._call = call
        try:
            yield
        finally:
            self._call = before

    def _refuse_moods(self) -> None:
        self.feel()

    def __getstate__(self) -> dict[str, Any]:
        return {
            **super().__getstate__(),
            "emotions": self._emotions,
            "site": self._site,
            "readings": self._readings,
            "guard": self._care or False,
        }


def _is_last(chunk: Any) -> bool:
    """Whether it is that chunk of a stream with which an answer ends."""
    choices = chunk.get("choices") if isinstance(chunk, Mapping) else None
    if not isinstance(choices, list | tuple):
        return False
    return any(
        isinstance(each, Mapping) and each.get("finish_reason") is not None for each in choices
    )


def refuse_unknown(llama: Mapping[str, Any], *, who: str) -> None:
    """Raise TypeError for what is no argument of ``llama_cpp.Llama``."""
    for name in llama:
        if name not in _KNOWN_ARGUMENTS:
            near = difflib.get_close_matches(name, _KNOWN_ARGUMENTS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"{who} got an unknown argument {name!r}{hint}")
