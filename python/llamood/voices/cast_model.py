"""What a cast knows of the model that it speaks with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llamood.moods.affect import AffectMap
from llamood.moods.mood import Mood
from llamood.moods.steering import Steering
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.voices.shared_context import SharedContext


class CastModel:
    """The model, its vectors and its readings, which all voices of a cast have in common."""

    _shared: SharedContext

    @property
    def shared(self) -> SharedContext:
        """What its voices speak from, for what is decoded beside them while no step is."""
        return self._shared

    @property
    def emotions(self) -> EmotionVectors:
        """The emotion vectors at hand."""
        return self._shared.vectors.emotions

    @property
    def metadata(self) -> Mapping[str, str]:
        """Of the model's file."""
        metadata: Mapping[str, str] = self._shared.metadata
        return metadata

    @property
    def model_file(self) -> Mapping[str, Any]:
        """Which file the model is: its name, ``file``; ``quantisation``, as llama.cpp has it;
        ``parameters``, how many; and ``bytes``, of its tensors."""
        return self._shared.model_file

    @property
    def fingerprint(self) -> str:
        """Which model this is, whatever its quantisation."""
        return self._shared.fingerprint

    @property
    def reads(self) -> bool:
        """Whether its voices are read."""
        return self._shared.reads

    @property
    def reading_quality(self) -> Mapping[str, float]:
        """Emotion -> how surely its reading tells texts that had no say in it, as an area under
        the ROC curve; of those of which that is known."""
        return self._shared.reading_quality

    @property
    def n_voice(self) -> int:
        """How many can be there at once."""
        return self._shared.n_voice

    @property
    def n_ctx(self) -> int:
        """How many tokens each of them can remember."""
        return self._shared.share

    def prompt(
        self,
        said: str | Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Mapping[str, Any]] | None = None,
        plain: bool = False,
        begun: str = "",
    ) -> list[int]:
        """A text, or a conversation of chat messages, as the tokens that an answer follows on.

        ``tools``: what the model's chat template says can be called. ``plain``: the text of a
        control token, ``<|im_start|>`` say, in a message or tool is plain characters; else it is
        the token, as in llama.cpp and in ``llamood.Llama``. ``begun``: how the answer to a
        conversation begins, which goes on from there. Safe in any thread. Raises `ModelError`
        where the template refuses them.
        """
        return self._shared.prompt(said, tools=tools, plain=plain, begun=begun)

    def n_token_at_least(self, text: str) -> int:
        """How many tokens a text surely has, without writing it as such. Safe in any thread."""
        return self._shared.n_token_at_least(text)

    def piece(self, token: int) -> bytes:
        """The text of one token, whole characters or not; empty for those that end an answer."""
        return self._shared.piece(token)

    def understand(self, mood: Mood) -> Steering:
        """The mood with what is at hand here. Safe in any thread. Raises `MoodError` for one that
        no voice could feel."""
        steering = self._shared.understand(mood)
        steering.notices()  # raises for what can be said, and not worked out
        return steering

    @property
    def affect_map(self) -> AffectMap:
        """Where its emotions lie in valence, arousal and dominance."""
        return self._shared.vectors.affect_map
