"""A mood in its short form; what is taken is written and read back, in each form."""

from __future__ import annotations

from fuzz.readers.hostile import FindingError, is_read
from llamood.errors import MoodError
from llamood.moods.mood import Mood


def read(data: bytes) -> None:
    text = data.decode(errors="surrogateescape" if data[:1] == b"~" else "replace")
    if "@" in text[:1] + text.strip()[:1]:  # a file, see the target mood
        return
    is_read(lambda: same_in_all_forms(Mood.parse(text)))


def same_in_all_forms(mood: Mood) -> None:
    written = mood.to_dict()
    try:
        short = mood.to_short()
        if Mood.parse(short) != mood:
            raise FindingError(f"{written} is another mood in its short form, {short}")
    except MoodError as refusal:  # longer than is read
        if refusal.fault.startswith("longer than"):
            return
        raise FindingError(f"{written}: {refusal}") from refusal
    if Mood(written) != mood:
        raise FindingError(f"{written} is another mood as JSON")
    if written and not mood.holds and not mood.affect:
        mood.rows(3, [*mood.emotions, "joy"])
