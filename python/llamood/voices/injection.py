"""What is added to one llama.cpp context and where, and what it was told to add last."""

from __future__ import annotations

import warnings

from llamood import _core
from llamood.errors import ModelError
from llamood.moods.mood import Mood, Rows
from llamood.moods.steering import NOTHING, Blend, Steering
from llamood.moods.steering_vectors import SteeringVectors
from llamood.readings.projector import Projector
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.measurement import SITES, Site


def chosen_site(evs: EmotionVectors, *, asked: Site | None, arch: str) -> Site:
    """Where these vectors are added in a model of this architecture: where they were measured,
    unless another site is ``asked`` for or the place is not known.

    Warns where that is not the place that they were measured at. Raises `ModelError` for a site
    that was asked for and has no known place.
    """
    if asked is not None and asked not in SITES:
        raise ModelError(f"site is {asked!r}, expected one of {', '.join(SITES)}")
    site = asked or evs.measurement.site
    if _core.node_of(site, arch) is None:
        if asked is not None:
            raise ModelError(
                f"llama.cpp's {arch!r} graph has no known place between attention and MLP, so "
                f"nothing can be added at site {site}; use site='layer_out'"
            )
        site = "layer_out"
    if evs.measurement.site == "attn_out" and site == "layer_out":
        why = "" if asked else f", as llama.cpp's {arch!r} graph has no known place for the other"
        warnings.warn(
            "these vectors were measured at the attention output (site attn_out) and are "
            "added at the end of each block (layer_out), one MLP late: usable, not "
            f"identical{why}",
            stacklevel=3,
        )
    return site


def steering_vectors_for(evs: EmotionVectors, *, site: Site, unsafe_model: int) -> SteeringVectors:
    """Vectors that fit a model, as they are added to it. The size of its hidden states is measured
    where it is not stored with them. ``unsafe_model``: its address."""
    is_stored = any(evs.measurement.residual_rms or ())
    rms = None if is_stored else _core.residual_rms(unsafe_model, site=site)
    return SteeringVectors.of(evs, site=site, residual_rms=rms)


def understood(mood: Mood, vectors: SteeringVectors, projector: Projector | None) -> Steering:
    """The mood with what is at hand. Raises `MoodError` where it cannot be felt."""
    if projector is None:
        return Steering(mood, vectors)
    return Steering(mood, vectors, told=projector.told, neutral=projector.neutral)


class Injection:
    """The injector of a context, and what keeps its rows within caps.

    At the end of each block, vectors go into llama.cpp's own control vector; at any other site
    into the rows of the graph's node there. ``arch``: the model's architecture, in which the
    vectors' site is known. ``unsafe_ctx``: address of a context that was made with ``watch``'s
    callback and stays open until `close`.
    """

    def __init__(
        self,
        watch: _core.GraphWatch,
        vectors: SteeringVectors,
        *,
        arch: str,
        unsafe_ctx: int,
    ) -> None:
        self.injector: _core.Injector | _core.RowInjector
        if vectors.site == "layer_out":
            self.injector = _core.Injector(watch, unsafe_ctx=unsafe_ctx)
        else:
            node = _core.node_of(vectors.site, arch)
            assert node is not None
            self.injector = _core.RowInjector(watch, unsafe_ctx=unsafe_ctx, node=node)
        self._limiter = _core.RowLimiter(watch, unsafe_ctx)
        self._arch = arch
        self._vectors = vectors
        self._key: int | None = NOTHING.key  # of the blend that is added; None: ask the injector
        self._taken = False

    @property
    def is_taken(self) -> bool:
        """Whether a decode has shown that the model takes vectors. Until then nothing can be
        played."""
        return self._taken

    def add(self, blend: Blend, *, begin: int = 1) -> None:
        """From the next decode on, add this, and keep what comes from position ``begin`` on within
        its caps."""
        self._limiter.apply(blend.caps, begin)
        if blend.key == self._key:
            return
        if blend.adds:
            vectors = self._vectors if blend.dose == "stored" else self._vectors.relative
            self.injector.apply(vectors.bank, blend.weights, blend.first, blend.last)
        else:
            self.injector.rest()
        self._key = blend.key

    def play(self, rows: Rows, steering: Steering, *, position: int) -> None:
        """Decode the token at ``position`` + i under row i of ``rows`` (n, n_emotion), without
        being told again."""
        bank = steering.vectors.bank
        self.injector.play(bank, rows, steering.first, steering.last, position)
        self._limiter.apply(steering.caps)
        self._key = None

    def fault(self, blend: Blend) -> str | None:
        """After a decode under ``blend``: why it was not steered so, and cannot be."""
        try:
            self._limiter.check()
            if isinstance(self.injector, _core.RowInjector):
                self.injector.check()
        except RuntimeError as error:
            return f"cannot be steered at site {self._vectors.site}: {error}"
        if self._taken or not blend.adds or not self._adds:
            return None
        missing = set(self.injector.missing_layers())
        wanted = range(max(blend.first, self._vectors.first_layer), blend.last + 1)
        self._taken = not (missing and missing.issuperset(wanted))
        return None if self._taken else self._refusal(len(missing))

    @property
    def _adds(self) -> bool:
        """Whether anything was to be added yet: a row whose blend is zero throughout its layers
        tells nothing of the model."""
        return not isinstance(self.injector, _core.RowInjector) or self.injector.n_blend > 0

    def _refusal(self, n_missing: int) -> str:
        n_layer = self.injector.n_layer - self._vectors.first_layer
        if n_missing < n_layer:
            return (
                f"llama.cpp's {self._arch!r} graph adds nothing in any of the layers of this mood; "
                "give it others by $layers"
            )
        if self._vectors.site == "layer_out":
            return (
                f"llama.cpp's {self._arch!r} graph adds no control vector in {n_missing} of "
                f"{n_layer} layers, so this model cannot be steered; use a model of another "
                "architecture"
            )
        return (
            f"llama.cpp's {self._arch!r} graph has no place for site {self._vectors.site} in "
            f"{n_missing} of {n_layer} layers of this model; use site='layer_out'"
        )

    def close(self) -> None:
        """Forget the context; whatever is asked of it now raises."""
        self._limiter.close()
        self.injector.close()
        self._key = None
