# What csrc/register_*.cpp exports; tests/test_core_stub.py keeps the two equal.
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Dose = Literal["stored", "relative"]
End = Literal["stop", "length", "time", "failed"]

ggml_built: tuple[str, str]
ggml_running: tuple[str, str]
llama_cpp_python_built: str

def fingerprint(path: str) -> str: ...
def shorten_spins() -> bool: ...
def interface_functions() -> dict[str, list[str]]: ...
def interface_structs() -> dict[str, dict[str, int]]: ...
def end_where_servers_fail(servers: str) -> None: ...
def log_sums(logits: Float32) -> Float64: ...
def last_logprob(unsafe_ctx: int, token: int) -> float: ...

class Crew:
    def __init__(self, unsafe_ctx: int, *, n_threads: int, n_threads_batch: int) -> None: ...
    def begin(self, n_token: int, is_prompt: bool) -> None: ...
    def end(self) -> None: ...
    @property
    def size(self) -> int: ...

class Bank:
    def __init__(self, data: Float32) -> None: ...
    @property
    def n_emotion(self) -> int: ...
    @property
    def n_layer(self) -> int: ...
    @property
    def n_embd(self) -> int: ...
    def blend(
        self, weights: Float32, first: int, last: int, out: Float32 | None = None
    ) -> Float32: ...

class GraphWatch:
    def __init__(self) -> None: ...
    @property
    def callback(self) -> int: ...
    @property
    def user_data(self) -> int: ...

class Injector:
    def __init__(self, watch: GraphWatch, unsafe_ctx: int) -> None: ...
    def apply(self, bank: Bank, weights: Sequence[float], first: int, last: int) -> bool: ...
    def play(self, bank: Bank, rows: Float32, first: int, last: int, position: int) -> None: ...
    def rest(self) -> bool: ...
    def missing_layers(self) -> list[int]: ...
    def close(self) -> None: ...
    @property
    def n_layer(self) -> int: ...
    @property
    def n_embd(self) -> int: ...
    @property
    def setter_calls(self) -> int: ...
    @property
    def writes(self) -> int: ...

def node_of(site: str, arch: str) -> str | None: ...
def span_of(unsafe_vocab: int, tokens: Sequence[int], text: bytes) -> tuple[int, int]: ...
def piece_of(unsafe_vocab: int, token: int) -> bytes: ...
def residual_rms(unsafe_model: int, *, site: str) -> list[float]: ...

class Reach:
    """Where in a model vectors take hold, (n_layer) each; see ``csrc/graph/reach.hpp``."""

    @property
    def is_known(self) -> bool: ...
    @property
    def vector(self) -> list[bool]: ...
    @property
    def layer_out(self) -> list[bool]: ...
    @property
    def attn_out(self) -> list[bool]: ...

def reach_of(unsafe_model: int, *, arch: str) -> Reach: ...

class Caps:
    """Between what projections of hidden states are kept. Each: layer, low, high, and a direction
    (n_embd,) of unit length."""

    def __init__(self, caps: Sequence[tuple[int, float, float, Sequence[float]]]) -> None: ...
    @property
    def digest(self) -> bytes: ...

class RowLimiter:
    def __init__(self, watch: GraphWatch, unsafe_ctx: int) -> None: ...
    def apply(self, caps: Caps | None, begin: int = 1) -> None: ...
    def expect(self, caps: Sequence[Caps | None]) -> None: ...
    def rest(self) -> None: ...
    def check(self) -> None: ...
    def close(self) -> None: ...
    @property
    def n_kept(self) -> int: ...

class RowInjector:
    def __init__(self, watch: GraphWatch, unsafe_ctx: int, *, node: str) -> None: ...
    def apply(self, bank: Bank, weights: Sequence[float], first: int, last: int) -> bool: ...
    def play(self, bank: Bank, rows: Float32, first: int, last: int, position: int) -> None: ...
    def expect(
        self,
        bank: Bank,
        rows: Float32,
        layers: Sequence[tuple[int, int]],
        is_output: Sequence[bool],
    ) -> None: ...
    def rest(self) -> bool: ...
    def check(self) -> None: ...
    def missing_layers(self) -> list[int]: ...
    def require_places(self, first: int, site: str) -> None: ...
    def close(self) -> None: ...
    @property
    def n_layer(self) -> int: ...
    @property
    def n_embd(self) -> int: ...
    @property
    def n_blend(self) -> int: ...
    @property
    def n_stop(self) -> int: ...
    @property
    def n_on_device(self) -> int: ...

class Tap:
    def __init__(self, watch: GraphWatch, *, n_layer: int, n_embd: int, n_slot: int) -> None: ...
    def expect(
        self, slots: Sequence[int], is_output: Sequence[bool], *, until: int = -1
    ) -> None: ...
    def clear(self, slot: int) -> None: ...
    def sum(self, slot: int) -> Float64: ...
    def square(self, slot: int) -> Float64: ...
    def count(self, slot: int) -> Int64: ...

class Probe:
    def __init__(
        self,
        watch: GraphWatch,
        unsafe_ctx: int,
        *,
        layers: Sequence[int],
        directions: Float32,
        n_sequence: int = 1,
    ) -> None: ...
    def expect(self, batch: Sequence[tuple[int, int, int]]) -> None: ...
    def read(self, begin: int, n: int, *, sequence: int = 0) -> Float32: ...
    def forget(self, *, sequence: int = 0, begin: int = 0) -> None: ...
    def close(self) -> None: ...
    @property
    def n_layer(self) -> int: ...
    @property
    def n_direction(self) -> int: ...
    @property
    def n_sequence(self) -> int: ...

class Manner:
    """How tokens are drawn, see `llamood.voices.sampling.Sampling`. ``max_tokens``: 0 for no limit.
    ``n_likely``: of how many tokens, the likeliest, the probability is told; below 0 not even of
    those that are drawn."""

    def __init__(
        self,
        *,
        temperature: float,
        top_k: int,
        top_p: float,
        min_p: float,
        typical_p: float,
        repeat_penalty: float,
        frequency_penalty: float,
        presence_penalty: float,
        last_n_tokens: int,
        seed: int,
        grammar: str,
        n_likely: int,
        stops: Sequence[str],
        max_tokens: int,
        max_seconds: float,
    ) -> None: ...

class Stage:
    def __init__(
        self,
        rows: RowInjector,
        limiter: RowLimiter,
        unsafe_ctx: int,
        *,
        probe: Probe | None = None,
    ) -> None: ...
    def yield_to_others(self, n_threads: int, n_threads_batch: int) -> None: ...
    def n_cached(self, voice: int) -> int: ...
    def keep(self, voice: int, n: int) -> int: ...
    def share(self, source: int, target: int, begin: int, end: int) -> None: ...
    def begin(
        self,
        voice: int,
        tokens: Sequence[int],
        rows: Float32,
        bank: Bank,
        first: int,
        last: int,
        manner: Manner,
        said: Sequence[int] = ...,
    ) -> None: ...
    def play(self, voice: int, rows: Float32, bank: Bank, first: int, last: int) -> None: ...
    def rest(self, voice: int) -> str: ...
    def likely(self, voice: int) -> list[tuple[int, float]]: ...
    def step(
        self, n: int = ..., *, n_prompt: int = ...
    ) -> list[tuple[int, int, bytes, str, End | None]]: ...
    def close(self) -> None: ...
    @property
    def n_voice(self) -> int: ...
    @property
    def n_batch(self) -> int: ...
    @property
    def n_step(self) -> int: ...
    @property
    def n_generating(self) -> int: ...
    @property
    def n_token(self) -> int: ...

class Alarm:
    """An answer is collapsing. ``text``: what it does, for a person.

    ``kind``: ``flood``, one character or a short unit again and again; ``loop``, a longer one;
    ``words``, ever the same few words; ``bytes``, hardly anything new; ``broken``, bytes that are
    no text; ``salad``, words in no order.
    """

    def __init__(self, kind: str, text: str) -> None: ...
    @property
    def kind(self) -> str: ...
    @property
    def text(self) -> str: ...

class Guard:
    def hear(
        self,
        token_id: int,
        *,
        piece: bytes,
        logprob: float | None = None,
        overdose: float | None = None,
    ) -> Alarm | None: ...
    def forget(self, n_heard: int) -> None: ...
    @property
    def n_heard(self) -> int: ...
    @property
    def alarm(self) -> Alarm | None: ...
    @property
    def suspect_from(self) -> int | None: ...

rescue_factors: tuple[float, ...]
reading_half_life: float

class Rescue:
    """An answer collapsed at ``token``, counted from 1, and goes back to the first ``kept`` tokens;
    it goes on with ``factor`` of its mood, or is over where that is None."""

    @property
    def token(self) -> int: ...
    @property
    def kept(self) -> int: ...
    @property
    def factor(self) -> float | None: ...
    @property
    def alarm(self) -> Alarm: ...

class CollapseMonitor:
    """Hears the tokens of one answer in order as they are drawn, and says how many of them may be
    told. What it says depends on the tokens, and on the rescues before them, alone.

    ``n_sound``: how many may be told: all, unless something smells; never fewer than before.
    ``told``: JSON-able; None where nothing collapsed. ``words``: what happened, for a person;
    ``factor``: what is left of the mood; ``stopped``: whether the answer was ended; of each
    of the ``rescues`` the ``token`` at which it was noticed, the number of tokens ``kept``,
    and the ``kind`` and ``text`` of what was heard (see `Alarm`).
    """

    def __init__(self, care: Literal["rescue", "stop"]) -> None: ...
    @property
    def n_sound(self) -> int: ...
    @property
    def told(self) -> dict[str, Any] | None: ...
    def hear(
        self,
        token_id: int,
        *,
        piece: bytes,
        logprob: float | None = None,
        overdose: float | None = None,
    ) -> Rescue | None:
        """The next token, see `Guard.hear`. Where the answer has collapsed, the tokens that are not
        kept were never said."""
    def take(self, token_id: int, *, piece: bytes) -> None:
        """The next token, which is told whatever it does to the answer."""
    def pass_all(self) -> None:
        """All that was heard may be told: the answer is over, or there is no room to wait."""

safe_sum: float

largest_intensity: float

def kinds() -> dict[str, list[dict[str, Any]]]:
    """The kinds of schedules that are written down, and of each its parameters in order: ``key``,
    ``place``, whether it is ``main``, ``beside``, ``required``; its ``default``; and as ``kind``
    its ``type`` with what it lies between."""

def settings() -> dict[str, tuple[dict[str, Any], Any]]:
    """Of each setting of a mood what it may be, and its default."""

def checked_setting(key: str, value: Any) -> Any:
    """What a setting says, as it is kept. Raises MoodError at its key."""

class Schedule:
    """A schedule as it is played: an intensity for every token.

    Raises MoodError, as everything about moods here does. ``values``: its parameters as they are
    kept. ``face``: what refers to the Python object that stands for it.
    """

    face: Callable[[], Any]
    @staticmethod
    def read(written: Any) -> Schedule:
        """What is written as JSON is; what has a schedule as ``core`` may stand in it."""
    @staticmethod
    def made(kind: str, given: Mapping[str, Any]) -> Schedule:
        """Of these parameters, by key."""
    @staticmethod
    def called(owner: Any) -> Schedule:
        """What ``owner.function`` says, which is asked while the owner is there."""
    @property
    def kind(self) -> str: ...
    @property
    def values(self) -> dict[str, Any]: ...
    def written(self) -> Any:
        """As JSON has it, with tuples for lists."""
    def at(
        self,
        tokens: Int64,
        events: Mapping[str, Sequence[int]],
        origin: int,
        flips: Mapping[str, Sequence[int]],
    ) -> Float64: ...
    @property
    def gate(self) -> str | None:
        """The key, among ``flips``, of what it opens for."""
    def bounds(self) -> tuple[float, float]: ...
    @property
    def length(self) -> int | None: ...
    @property
    def listens(self) -> bool: ...
    @property
    def calls(self) -> bool: ...
    @property
    def regulates(self) -> bool: ...
    @property
    def depth(self) -> int: ...
    @property
    def n_schedule(self) -> int: ...

class AffectMap:
    """Where emotions lie in valence, arousal and dominance. ``others``: those that lie nowhere."""

    def __init__(
        self, names: Sequence[str], coordinates: Float64, others: Sequence[str]
    ) -> None: ...
    def mix(
        self, points: Float64, named: tuple[bool, bool, bool]
    ) -> tuple[Float64, Float64, Bools]: ...

def affect_anchors() -> dict[str, tuple[float, float, float]]: ...
def affect_anchor(name: str) -> tuple[float, float, float] | None: ...
def fit_affect(
    bank: Bank,
    scales: Sequence[float],
    are_increments: bool,
    emotions: Sequence[int],
    anchors: Float64,
) -> tuple[Float64, float, Float64]: ...
def personality(written: Mapping[str, Any]) -> tuple[str, str | None, str]:
    """Its line about it, what the model is told to be, and the key under which its mood lies; empty
    where it is a mood alone. Raises MoodError."""

class Mood:
    """``written``: emotion, axis or setting -> schedule or value."""

    def __init__(self, written: Mapping[str, Any]) -> None: ...
    @property
    def is_neutral(self) -> bool: ...
    @property
    def is_constant(self) -> bool: ...
    @property
    def listens(self) -> bool: ...
    @property
    def reads(self) -> bool: ...
    @property
    def holds(self) -> bool: ...
    def rows(self, n_token: int, names: Sequence[str], affect_map: AffectMap | None) -> Float32: ...

class Regulation:
    """The running state of a regulator; see csrc/steering/regulator.hpp, as for its settings."""

    def __init__(self, weight: float, integral: float, reading: float = ...) -> None: ...
    @property
    def weight(self) -> float: ...
    @property
    def integral(self) -> float: ...
    @property
    def reading(self) -> float: ...

class Regulator:
    """Holds a reading at ``target`` by a weight."""

    def __init__(
        self,
        target: float,
        *,
        gain: float,
        half_life: float,
        low: float,
        high: float,
        rate: float | None = None,
        lead: float = 0.0,
    ) -> None: ...
    @property
    def target(self) -> float: ...
    @property
    def gain(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def stride(self) -> float: ...
    @property
    def expected(self) -> float: ...
    def start(self, weight: float = 0.0) -> Regulation: ...
    def follow(self, state: Regulation, *, allowed: float, weight: float) -> Regulation: ...
    def step(self, state: Regulation, *, reading: float) -> Regulation: ...

class SteeringVectors:
    """Vectors as they are mixed, in the dose ``stored``.

    ``residual``: (n_layer,), the root mean square of the hidden state, empty where it is not known.
    ``digest``: 16 bytes that tell one from another. ``fluent``: (n_emotion,), the largest
    intensities that read fluently in these layers alone. ``size``: how strong a blend is in them.
    """

    def __init__(
        self,
        names: Sequence[str],
        bank: Bank,
        *,
        ceilings: Sequence[float | None],
        scales: Sequence[float],
        site: str,
        residual: Sequence[float],
    ) -> None: ...
    @property
    def relative(self) -> SteeringVectors: ...
    @property
    def bank(self) -> Bank: ...
    @property
    def ceilings(self) -> Float64: ...
    @property
    def units(self) -> Float64: ...
    @property
    def residual(self) -> Float64: ...
    @property
    def factors(self) -> Float64: ...
    @property
    def site(self) -> Literal["layer_out", "attn_out"]: ...
    @property
    def first_layer(self) -> int: ...
    @property
    def digest(self) -> bytes: ...
    def fluent(self, first: int, last: int) -> Float64: ...
    def size(self, weights: Sequence[float], first: int, last: int) -> float: ...

class Blend:
    """What is added at a token: ``weights`` of the vectors in a dose, in layers ``first`` to
    ``last``, both inclusive. Made so, it is nothing. ``key``: equal for equal blends of equal
    vectors, also in another process; 0 where nothing is added, and nothing kept within ``caps``.
    """

    def __init__(self) -> None: ...
    @property
    def weights(self) -> tuple[float, ...]: ...
    @property
    def dose(self) -> Dose: ...
    @property
    def first(self) -> int: ...
    @property
    def last(self) -> int: ...
    @property
    def key(self) -> int: ...
    @property
    def caps(self) -> Caps | None: ...
    @property
    def adds(self) -> bool: ...

class Notice:
    """Something that was asked for and is not given. ``what``: of what, so as to say it once."""

    @property
    def what(self) -> str: ...
    @property
    def text(self) -> str: ...

class NeutralText:
    """How far neutral text goes along vectors; made so, that is not known. ``directions``:
    (n_layer, n_emotion, n_embd); ``middle``, ``spread``: (n_layer * n_emotion,)."""

    @overload
    def __init__(self) -> None: ...
    @overload
    def __init__(self, directions: Float32, middle: Float32, spread: Float32) -> None: ...

class Steering:
    """``still``: the one blend of all tokens, where nothing changes. ``notices``: what limits take
    away at its beginning; raises for what cannot be worked out. ``regulators``: of readings."""

    def __init__(
        self,
        mood: Mood,
        stored: SteeringVectors,
        affect_map: AffectMap | None,
        told: Sequence[tuple[str, float]] | None,
        neutral: NeutralText | None,
    ) -> None: ...
    @property
    def caps(self) -> Caps | None: ...
    @property
    def first(self) -> int: ...
    @property
    def last(self) -> int: ...
    @property
    def regulators(self) -> dict[str, Regulator]: ...
    @property
    def still(self) -> Blend | None: ...
    def notices(self) -> list[Notice]: ...

class Performance:
    """The rows of one answer; asks itself ``notice(notice)``, ``reading(begin, end)`` and
    ``said()``.

    ``start``: from which position the prompt is steered. ``is_felt``: whether some mood was felt.
    ``listens``: whether generated tokens must be heard, of which ``n_heard`` were. ``is_foreseen``:
    whether rows may be asked for before the tokens are decoded.
    """

    def __init__(self, steering: Steering, before: Float64, position: int) -> None: ...
    @property
    def position(self) -> int: ...
    @position.setter
    def position(self, position: int) -> None: ...
    @property
    def start(self) -> int: ...
    @property
    def is_felt(self) -> bool: ...
    @property
    def n_heard(self) -> int: ...
    @property
    def listens(self) -> bool: ...
    @property
    def is_foreseen(self) -> bool: ...
    def change(self, steering: Steering, token: int) -> None: ...
    def soften(self, token: int, factor: float) -> None:
        """Go back to ``token``, the last one kept, and leave ``factor`` of the mood from there
        on, 0 to 1; of a mood that steers the prompt too, from its beginning on."""
    def hear(self, token: int, *, piece: bytes) -> None:
        """The next generated token, from 1 on, or one to hear anew; that takes later ones back."""
    def blend(self, token: int) -> Blend:
        """What is added at ``token``."""
    def block(self, token: int, n: int) -> tuple[Float32, Int64]:
        """Of ``n`` tokens the weights applied (n, n_emotion), and the keys of their blends."""
    def is_still(self, token: int) -> bool:
        """Whether what is added changes no more from ``token`` on."""
    def row(self, token: int) -> tuple[Float32, Float32]:
        """The weights asked and those applied at ``token``, (n_emotion,) each."""
    def overdose(self, token: int) -> float | None:
        """How many times as much as reads fluently is added; None where that is not known."""
    def after(self, token: int) -> Float64:
        """The weights applied at ``token``, as multiples of the vectors as stored."""

class Projector:
    """Makes scores of projections. ``mean`` and ``weights``: (n_layer_read, n_emotion), what is
    taken off a projection and what the rest counts; ``response``: (n_layer, n_emotion, n_emotion),
    by how much a weight of 1 in one layer moves each score."""

    def __init__(
        self,
        layers: Sequence[int],
        *,
        mean: npt.ArrayLike,
        weights: npt.ArrayLike,
        response: npt.ArrayLike,
        stored: SteeringVectors,
        probe: Probe,
    ) -> None: ...

class Reader:
    """Of one sequence. ``moved``: (n_ctx, n_emotion), by how much what was added moved each
    score."""

    def __init__(self, projector: Projector, *, sequence: int, n_ctx: int) -> None: ...
    def note(self, position: int, n: int, blend: Blend) -> None:
        """``n`` positions from ``position`` on are decoded under this blend."""
    def note_rows(self, position: int, rows: Float32, steering: Steering) -> None:
        """Positions from ``position`` on are decoded under these weights (n, n_emotion)."""
    def scores(self, begin: int, end: int) -> Float64:
        """Z-scores (end - begin, n_emotion), NaN where nothing was read."""
    def reading(self, begin: int, end: int) -> dict[str, float]:
        """By emotion the mean score of the positions before ``end``, of which 64 count, and those
        that lie 8 further back half. Empty where nothing was read."""
    def mean(self, begin: int, end: int) -> dict[str, float]:
        """Of the positions that were read: emotion -> mean z-score; empty where none was."""
    def forget(self) -> None:
        """What was read and noted is not that of the context any more."""
    @property
    def moved(self) -> Float64: ...

class Plan:
    """An answer that a voice could give. ``forgotten``: how many turns are dropped for it."""

    @property
    def tokens(self) -> list[int]: ...
    @property
    def forgotten(self) -> int: ...

class Character:
    """See csrc/voices/character.hpp. ``reading``: by emotion; None where nothing is read.
    ``n_draw``: tokens that it has drawn in its last answer, with those that it took back."""

    @property
    def number(self) -> int: ...
    @property
    def steering(self) -> Steering: ...
    @property
    def felt(self) -> Float64: ...
    @property
    def reading(self) -> dict[str, float] | None: ...
    @property
    def messages(self) -> list[dict[str, str]]: ...
    @property
    def is_speaking(self) -> bool: ...
    @property
    def is_waiting(self) -> bool: ...
    @property
    def is_prompting(self) -> bool: ...
    @property
    def n_draw(self) -> int: ...
    @property
    def tokens(self) -> list[int]: ...
    @property
    def keys(self) -> list[int]: ...
    @property
    def n_cached(self) -> int: ...
    def n_common(self, tokens: Sequence[int], keys: Sequence[int]) -> int: ...
    def plan(self, text: str, manner: Manner) -> Plan: ...
    def plan_prompt(
        self, prompt: Sequence[int], manner: Manner, said: str | None, faces: FaceSet | None
    ) -> Plan: ...
    def said(self) -> dict[str, float]:
        """What was said to it last, as read; empty before that is decoded."""
    @property
    def face(self) -> str | None: ...
    def set_faces(self, faces: FaceSet | None) -> None:
        """Of the emotions at hand, from the next token on; None for those that are read."""
    def feel(self, steering: Steering, felt: Float64 | None) -> None: ...
    def pause(self, is_paused: bool) -> None: ...
    def news(self) -> list[str]:
        """What of its moods is not given, and nobody was told."""
    def saved(self, has_cache: bool) -> tuple[dict[str, Any], bytes]:
        """The line of JSON and the bytes of a `SavedVoice`. Raises `MoodError` for a mood that has
        no written form."""
    def carried(self, has_cache: bool) -> SavedVoice:
        """The same for another cast in this program. Without its cache it is decoded anew, in
        batches as large as any. Raises as `saved`."""
    def scores(self, begin: int, end: int) -> list[float]: ...

class SavedVoice:
    """See csrc/voices/saved_voice.hpp. Raises ValueError for what is none."""

    def __init__(self, head: Mapping[str, Any], tail: bytes) -> None: ...
    @property
    def moods(self) -> list[dict[str, Any]]:
        """As they are written: its own is the last, those before it were felt in its answer."""

class Event:
    """What a voice said, or that its answer failed. ``news``: see `Character.news`."""

    @property
    def voice(self) -> int: ...
    @property
    def news(self) -> list[str]: ...
    @property
    def has_failed(self) -> bool: ...
    def raise_fault(self) -> None:
        """What made it fail; once."""

class FaceSet:
    """Label and emotion of each face, None for the neutral one. Raises ValueError."""

    def __init__(
        self, labels: Sequence[tuple[str, str | None]], emotions: Sequence[str]
    ) -> None: ...

class Face:
    """See csrc/voices/face.hpp."""

    def see(self, faces: FaceSet, reading: Sequence[float]) -> str:
        """What is shown when this was read of one token more."""

def affect_point(
    reading: Sequence[float], places: Sequence[tuple[float, float, float] | None]
) -> tuple[float, float, float]:
    """Where readings lie between emotions at these places."""

class Cast:
    """See csrc/voices/cast.hpp; asks itself ``chat(messages)``. ``care``: rescue, stop or None."""

    chat: Callable[[list[dict[str, str]]], list[int]]
    def __init__(
        self,
        rows: RowInjector,
        stage: Stage,
        vectors: SteeringVectors,
        projector: Projector | None,
        *,
        n_ctx: int,
        slides: bool,
        name: str,
        fingerprint: str,
        shown: Sequence[str],
        places: Sequence[tuple[float, float, float] | None],
        drops: bool,
        care: str | None,
    ) -> None: ...
    def join(self, system: str | None, steering: Steering, manner: Manner) -> Character: ...
    def load(self, saved: SavedVoice, steerings: Sequence[Steering]) -> Character:
        """``steerings``: of the saved moods, in their order."""
    def begin(self, plans: Sequence[tuple[int, Plan]]) -> None: ...
    def nearest(self, plan: Plan, among: Sequence[int], steering: Steering, felt: Float64) -> int:
        """Which of these voices has most of a prompt decoded as it would be in this mood."""
    def interrupt(self, voice: int) -> None: ...
    def leave(self, voice: int) -> None: ...
    def step(self, n: int | None = None, *, n_prompt: int | None = None) -> None: ...
    def poll(self) -> Event | None: ...
    def fields(self, event: Event) -> dict[str, Any]:
        """Arguments of `llamood.voices.event.Event`."""
