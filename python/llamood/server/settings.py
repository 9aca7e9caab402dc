"""What whoever runs the service decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llamood.moods.personality import Personality, personalities
from llamood.server.own_vectors import OwnVectors
from llamood.server.session_folder import SessionFolder


@dataclass(frozen=True, kw_only=True)
class Settings:
    """``model``: its name. ``hosts``: names by which the service may be called, in small letters,
    none for any; a page of somebody else's that resolves its own name to this machine is refused
    so. ``origins``: web origins that may call it. ``n_waiting``: answers that may wait for a voice;
    ``n_choice``: answers to one request. ``n_body`` and ``n_mood``: bytes. ``request_seconds``: how
    long the head of a request, and then its body, may take to arrive; of the body ``n_pace`` bytes
    at least have to come in each ``pace_seconds``. ``n_preparing``: requests that are prepared at
    once, beside one of ``n_large`` bytes or more. ``grace``: seconds that answers get to end in
    when the service is stopped. There are ``n_session`` sessions at most with the key, and where
    there is none of each address; they are forgotten after ``session_seconds`` without a request.
    ``questions``: that suit the model, for the studio to suggest. ``unread``: why answers are not
    read, in words, for it to say; None where they are, or nobody wanted it. ``strict_model``:
    whether requests for a model of another name are refused. ``control_tokens``: whether the texts
    of a model's control tokens are those tokens in messages too, and not plain characters.
    ``personalities``: that a request may name as its mood. ``sessions``: where they are kept over
    a restart; None for nowhere. ``own``: the vectors to which emotions may be added; None for none.
    """

    model: str
    api_key: str | None = None
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    n_waiting: int = 64
    n_choice: int = 8
    n_body: int = 256 * 2**10
    n_mood: int = 8 * 2**10
    request_seconds: float = 30.0
    n_pace: int = 2048
    pace_seconds: float = 5.0
    n_preparing: int = 2
    n_large: int = 16 * 2**10
    grace: float = 30.0
    n_session: int = 2000
    session_seconds: float = 3600.0
    questions: tuple[str, ...] = ()
    unread: str | None = None
    strict_model: bool = False
    control_tokens: bool = False
    personalities: Mapping[str, Personality] = field(default_factory=personalities)
    sessions: SessionFolder | None = None
    own: OwnVectors | None = None
