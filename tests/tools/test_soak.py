"""The long run: two minutes of it, and that it finds what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from soak import subject
from soaking.answer import Refused, Wrong, events, streamed, whole
from soaking.kinds import KINDS
from soaking.plan import KILLED, Plan, all_troubles
from soaking.report import TEMPLATE, Told
from soaking.service import PLAIN, Sample
from soaking.soak import soak
from soaking.watch import Life

MB = 2**20


@pytest.mark.slow
def test_nothing_is_lost_or_crossed_in_a_short_run() -> None:
    """How much is resident is looked at, and no matter here."""
    tiny = subject("tiny")
    plan = Plan(n_client=6, n_each=4, n_round=4, every=1, judges_memory=False, **all_troubles(tiny))
    found = soak(tiny, plan)
    assert found.record.faults == []
    counts = found.record.counts
    assert found.record.n_asked == 6 * 4 * 10
    assert found.n_known > 10
    assert counts["kill -9, and started again"] == 3
    assert counts["ended by SIGTERM, and started again"] == 1
    assert counts["sessions found on the disk as they are"]
    if found.has_disk:
        assert counts["emotions added beside answers"] == 1
        assert counts["commands that were told that the disk is full"] == 2
        assert counts["voices that were not saved on a full disk, and then were"] == 1
    page = Told(found=found, subject=tiny, plan=plan, day="a day", sources="these").page()
    assert "{" not in page
    for name, n in counts.items():
        assert f"| {name} | {n} |" in page


# -- what it finds -------------------------------------------------------------------------------

CROSSED = """
from dataclasses import replace
from llamood.server.answers import Choice
hear, before = Choice.hear, []
def crossed(self, event):
    before.append((self, event.text))
    whose, text = before[-2:][0]
    return hear(self, event if whose is self else replace(event, text=text))
Choice.hear = crossed
"""
ENDLESS = """
from llamood.server.answers import Choice
hear, n_end = Choice.hear, []
def endless(self, event):
    heard = hear(self, event)
    if self.reason is not None:
        n_end.append(1)
        self.reason = self.reason if len(n_end) % 30 else None
    return heard
Choice.hear = endless
"""
FORGOTTEN = """
from llamood.server.engine import Engine
submit, asked = Engine.submit, []
def forgotten(self, jobs):
    asked.append(1)
    if len(asked) % 30:
        submit(self, jobs)
Engine.submit = forgotten
"""
CROSSED_MOODS = """
from llamood.voices.cast import Cast
answer, before = Cast.answer, []
def crossed(self, *what, mood=None, **how):
    before.append(mood)
    return answer(self, *what, mood=before[-2:][0], **how)
Cast.answer = crossed
"""
UNSAVED = """
from llamood.server.session_folder import SessionFolder
keep, numbers = SessionFolder.keep, {}
def unsaved(self, session):
    if numbers.setdefault(session.name, len(numbers)) % 2 == 0:
        keep(self, session)
SessionFolder.keep = unsaved
"""
HALVED = """
from llamood.server import session_folder
write_files = session_folder.write_files
def halved(contents):
    write_files(contents)
    for path in contents:
        if path.suffix == ".session":
            path.write_bytes(path.read_bytes()[:-1])
session_folder.write_files = halved
"""
HELD = """
from llamood.server.engine import Engine
submit, held = Engine.submit, []
def holding(self, jobs):
    held.append(open("/dev/null"))
    submit(self, jobs)
Engine.submit = holding
"""
UNTOLD = """
from llamood.server.sessions import Sessions
begin = Sessions.begin
def twice(self, *, owner=""):
    begin(self, owner=owner)
    return begin(self, owner=owner)
Sessions.begin = twice
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("planted", "kind", "whats"),
    [
        (CROSSED, "crossed", ["labels by a grammar", "answers known beforehand"]),
        (ENDLESS, "lost", ["no finish_reason"]),
        (FORGOTTEN, "hung", ["no end in"]),
        (CROSSED_MOODS, "crossed", ["moods that were foreseen", "in a session"]),
        (UNSAVED, "lost", ["not on the disk as they are"]),
        (HALVED, "half written", [".session"]),
        (HELD, "leaked", ["files are open"]),
        (UNTOLD, "leaked", ["whose names nobody was told"]),
    ],
)
def test_a_planted_fault_is_found(planted: str, kind: str, whats: list[str]) -> None:
    names = {"labels by a grammar", "answers known beforehand", "moods that were foreseen"}
    names |= {"turns of sessions"}
    plan = Plan(
        n_client=4,
        n_each=8,
        n_round=2 if planted == HELD else 1,
        n_known=6,
        patience=6.0,
        judges_memory=False,
        kinds={name: KINDS[name] for name in sorted(names)},
    )
    found = soak(subject("tiny"), plan, program=f"{planted}\n{PLAIN}")
    assert not found.is_well
    told = [each.what for each in found.record.faults if each.kind == kind]
    assert [what for what in whats if not any(what in each for each in told)] == []


def life(resident: Sequence[float]) -> Life:
    samples = [Sample(60.0 * i, i, int(mb * MB), 0, 9, 5) for i, mb in enumerate(resident)]
    return Life("the start", samples)


def test_memory_that_grows_is_told_from_memory_that_moves() -> None:
    warm = [100, 140, 160]
    steady = life([*warm, 200, 203, 199, 201, 200, 202])
    assert steady.is_judged
    assert abs(steady.growth()) < 0.01
    growing = life([*warm, 200, 204, 203, 206, 208, 210])
    assert growing.growth() == pytest.approx(0.05, abs=0.01)
    assert growing.slope() * 60 / MB == pytest.approx(2, abs=0.5)
    assert not life([200, 204, 208]).is_judged
    assert not replace(growing, is_changed=True).is_judged


def chunk(text: str = "", *, reason: str | None = None, of: str = "a") -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    return {"id": of, "choices": [choice]}


def test_an_answer_is_whole_and_one() -> None:
    said = streamed([chunk("Bread"), chunk(" rises"), chunk(reason="stop")])
    assert [choice.text for choice in said.choices] == ["Bread rises"]
    for chunks, kind in (
        ([chunk("Bread")], "lost"),
        ([chunk("Bread"), chunk(reason="stop", of="b")], "crossed"),
        ([chunk(reason="stop"), chunk("more")], "crossed"),
    ):
        with pytest.raises(Wrong) as wrong:
            streamed(chunks)
        assert wrong.value.kind == kind
    with pytest.raises(Wrong, match=r"no finish_reason of answers \[1\] of 2"):
        whole(chunk("Bread", reason="stop"), n=2)


def test_a_stream_ends_as_one_does() -> None:
    assert events(['data: {"id": 1}', "", ": still here", "data: [DONE]"]) == [{"id": 1}]
    with pytest.raises(Wrong, match="after 1 chunks"):
        events(['data: {"id": 1}'])
    with pytest.raises(Refused, match="shutting down"):
        events(['data: {"id": 1}', 'data: {"error": {"message": "shutting down"}}'])


def test_the_page_that_lies_in_the_documents_is_of_this_kind() -> None:
    """What is said by hand stands in its template; `make soak` writes the rest."""
    written = (TEMPLATE.parents[2] / "docs" / "reliability.md").read_text(encoding="utf-8")
    findings = TEMPLATE.read_text(encoding="utf-8").partition("## What was found, and mended")[2]
    assert findings.strip() in written
    assert KILLED.name in written
