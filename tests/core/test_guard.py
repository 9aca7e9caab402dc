"""The collapse guard: what it lets pass, what it hears, how soon, and from where on."""

from __future__ import annotations

import gzip
import itertools
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamood._core import Alarm, Guard
from tiny_chat import VECTORS

laws = settings(deadline=None, max_examples=100)
ROOT = Path(__file__).resolve().parents[2]

# Ways to cut a text into tokens, from those of large vocabularies to bytes.
_WORD = re.compile(rb" ?[A-Za-z]+| ?[0-9]| ?[^\sA-Za-z0-9\x80-\xff]+|[\x80-\xff]{1,3}|\s+")
Cut = Callable[[bytes], list[bytes]]
CUTS: dict[str, Cut] = {
    "words": _WORD.findall,
    "fours": lambda text: [text[i : i + 4] for i in range(0, len(text), 4)],
    "bytes": lambda text: [text[i : i + 1] for i in range(len(text))],
}


def alarms(pieces: list[bytes]) -> list[tuple[int, Alarm]]:
    """The tokens, from 1, at which the guard is alarmed, and why."""
    guard = Guard()
    heard = [guard.hear(0, piece=piece) for piece in pieces]
    return [(token, alarm) for token, alarm in enumerate(heard, 1) if alarm is not None]


# -- ordinary texts -------------------------------------------------------------------------

NAMES = re.findall(r"\w+", "Ada Bela Carl Dora Emil Fay Gus Hana Ivo Jan Kim Lea Max Nora Otto Pia")

JOY = """I am so happy! I am so, so happy, I could sing! What a day, what a wonderful day! The sun
is out, my sister is home, and I am happy, happy, happy! I love this street, I love this bread, I
love you all! He laughed: ha ha ha ha ha! Hahahahaha, she answered. No no no no no, that was
nooooooooooo joke!!!!!!!! Oh, I am so glad, so very, very, very glad that you came!
"""

CHORUS = """Sing with me, my little river,
sing with me until the sea,
carry home the boats at evening,
carry home my love to me.
"""
SONG = f"""The morning pours its milk on stones,
the herons stand like question marks,
my father mends the net alone
and talks to nobody but larks.

{CHORUS}
At noon the market smells of bread,
a girl sells lemons by the bridge,
the sky goes gold, the roofs go red,
the goats come down along the ridge.

{CHORUS}
{CHORUS}"""

VILLANELLE = """Do not let the evening take the light,
the lamp is small and yet the room is wide;
keep the little fire through the night.

The swallows fold their letters out of sight,
the tide comes in, and no one stems the tide;
do not let the evening take the light.

The road was long, the harvest thin and slight,
and what we could not carry we have dried;
keep the little fire through the night.

And you, my love, who taught me how to write,
who stood with me when every other lied,
do not let the evening take the light,
keep the little fire through the night.
"""

CHINESE = """今天早上我去了市场,买了三斤苹果和一条鱼。卖鱼的老人说,昨天海上风很大,船都没有出去。
我问他怕不怕,他笑着说,怕了一辈子,也就不怕了。回家的路上下起了小雨,孩子们在巷口踢球,谁也不肯
先回家。晚上我们把鱼蒸了,放了一点姜和葱,味道很好。母亲说,日子就应该这样过,慢慢地,不着急。
哈哈哈,太好了太好了!我很高兴,真的很高兴,非常非常高兴,高兴得想唱歌。
"""
JAPANESE = """春はあけぼの。やうやう白くなりゆく山ぎは、すこしあかりて、紫だちたる雲のほそく
たなびきたる。夏は夜。月のころはさらなり、やみもなほ、ほたるの多く飛びちがひたる。また、ただ一つ
二つなど、ほのかにうち光りて行くもをかし。雨など降るもをかし。秋は夕暮れ。
"""
RUSSIAN = """Утром мы пошли на рынок и купили яблок, хлеба и рыбы. Старик сказал, что ветер на море
был сильный и лодки не выходили. По дороге домой начался дождь, дети играли в мяч и не хотели домой.
"""
EMOJI = (
    "Great news 🎉🎉🎉 we won 😂😂😂😂😂 see you all tonight ❤️❤️❤️ bring cake 🍰 and balloons 🎈🎈 "
)


def lines(form: str, *columns: Iterator[object] | list[str] | range) -> str:
    return "".join(form.format(*row) for row in zip(*columns, strict=False))


def tables() -> dict[str, str]:
    rng = random.Random(1)

    def draw(n: int, *of: str) -> Iterator[str]:
        return (" | ".join(rng.choice(of) for _ in range(n)) for _ in NAMES)

    truth = "".join(
        "| " + " | ".join(map(str, row)) + f" | {(row[0] and row[1]) or (row[2] and row[3])} |\n"
        for row in itertools.product((True, False), repeat=4)
    )
    border = "+----------------+----------------+----------------+\n"
    return {
        "truth": "| A | B | C | D | A B or C D |\n|---|---|---|---|---|\n" + truth,
        "bits": truth.replace("True", "1").replace("False", "0"),
        "yes and no": lines("| {} | {} |\n", NAMES, draw(4, "yes", "no")),
        "prices": lines("| {:10} | {:>8} | {:>8} |\n", NAMES, range(90, 900, 47), range(5, 99, 3)),
        "bordered": lines(
            "| {:14} | {:14} | {:14} |\n" + border, NAMES, NAMES[3:], NAMES[5:], range(9)
        ),
        "empty board": "\n".join(["| " + " | ".join(" " * 8) + " |"] * 8),
        "contents": lines("{:.<70} {}\n", NAMES, range(7, 99, 7)),
        "rules": f"# {'-' * 96}\nTitle\n{'=' * 100}\ntext\n{'*' * 78}\n{'_' * 80}\n",
        "csv": lines("{},{},{},{}.5\n", range(1, 31), range(10, 40), range(9, 39), range(30)),
        "tests": lines("tests/test_{}.py::test_{} PASSED [{:3}%]\n", NAMES, NAMES, range(4, 99, 6)),
        "log": lines("12:{:02}:{:02} INFO server: request {} is done\n", *[range(10, 40)] * 3),
    }


def numbers() -> dict[str, str]:
    identity = [[int(row == column) for column in range(8)] for row in range(8)]
    return {
        "counting": ", ".join(map(str, range(1, 200))),
        "counting down": "\n".join(map(str, range(100, 0, -1))),
        "times": lines("7 x {} = {}\n", range(1, 30), range(7, 999, 7)),
        "binary": " ".join(f"{number:08b}" for number in range(40)),
        "sequence": "".join(random.Random(1).choices("ACGT", k=400)),
        "pi": "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899",
        "identity": ",\n".join(map(str, identity)),
        "zeros": ",\n".join(map(str, [[0] * 8] * 8)),
    }


def code() -> dict[str, str]:
    people = [
        {"id": i, "name": n, "age": 20 + 3 * i, "active": i % 3 > 0} for i, n in enumerate(NAMES)
    ]
    points = [{"x": i * i % 10, "y": i * 3 % 7} for i in range(60)]
    return {
        "records": json.dumps(people, indent=2),
        "records on a line": json.dumps(people),
        "points": json.dumps(points),
        "html": lines('  <li class="item"><a href="/{}">{}</a></li>\n', NAMES, NAMES),
        "sql": lines("INSERT INTO people (id, name) VALUES ({}, '{}');\n", range(99), NAMES),
        "css": lines(".{} {{\n    color: red;\n    margin: {}px;\n}}\n", NAMES, range(16)),
        "fields": lines("        self.{} = None\n", [name.lower() for name in NAMES]),
        "asserts": lines("    assert f({}) == {}\n", range(30), range(0, 90, 3)),
    }


def songs() -> dict[str, str]:
    bottles = lines(
        "{0} bottles of beer on the wall, {0} bottles of beer. Take one down, pass it around, {1} "
        "bottles of beer on the wall.\n",
        range(20, 8, -1),
        range(19, 7, -1),
    )
    farm = lines(
        "Old MacDonald had a farm, E-I-E-I-O, and on his farm he had a {0}, E-I-E-I-O. With a {1} "
        "{1} here and a {1} {1} there, here a {1}, there a {1}, everywhere a {1} {1}.\n",
        ["cow", "pig", "duck", "horse"],
        ["moo", "oink", "quack", "neigh"],
    )
    known = "If you're happy and you know it, "
    happy = lines(
        f"{known}{{0}}!\n{known}{{0}}!\n{known}and you really want to show it,\n{known}{{0}}!\n",
        ["clap your hands", "stamp your feet", "shout hooray"],
    )
    return {
        "bottles": bottles,
        "farm": farm,
        "happy": happy,
        "birthday": "Happy birthday to you,\n" * 2 + "happy birthday, dear Ada,\n",
        "let it be": "Let it be, let it be, let it be, let it be, whisper words of wisdom.\n",
        "song": SONG,
        "villanelle": VILLANELLE,
        "thanks": lines(
            "I am grateful for my {}. ", ["home", "work", "dog", "bed", "city", "legs", "eyes"]
        ),
        "praise": lines(
            "You are {}. ", ["strong", "kind", "brave", "loved", "seen", "safe", "whole"]
        ),
    }


def ordinary() -> dict[str, str]:
    prose = {"joy": JOY, "zh": CHINESE, "ja": JAPANESE, "ru": RUSSIAN, "emoji": EMOJI}
    tasks = "".join(
        f"{n}. {verb} the {thing}.\n"
        for n, (verb, thing) in enumerate(
            itertools.product(("Wash", "Peel", "Cut", "Fry"), ("leek", "carrot", "onion")), 1
        )
    )
    return {**prose, "tasks": tasks, **tables(), **numbers(), **code(), **songs()}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", ordinary())
def test_ordinary_texts_pass(name: str, cut: str) -> None:
    text = ordinary()[name]
    assert alarms(CUTS[cut](text.encode())) == []


@pytest.mark.parametrize("cut", CUTS)
def test_ordinary_texts_pass_in_one_answer(cut: str) -> None:
    """Where one follows the other, also in what was said shortly before."""
    texts = list(ordinary().values())
    random.Random(3).shuffle(texts)
    assert alarms(CUTS[cut]("\n".join(texts).encode())) == []


# -- real texts -----------------------------------------------------------------------------


@pytest.mark.parametrize("cut", CUTS)
def test_the_answers_of_a_trained_model_pass(cut: str) -> None:
    """All 744 but one, which says "byebyebyebye" indeed; where that is one token it passes, too."""
    lines = (VECTORS / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [answer for line in lines for answer in json.loads(line)["heard"]]
    assert len(answers) > 700
    looping = [answer for answer in answers if alarms(CUTS[cut](answer.encode()))]
    assert all("byebyebyebye" in answer for answer in looping)
    assert len(looping) <= 1


IMPORTING = {"__init__.py", "calibration/measuring.py", "extraction/__init__.py"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "cut", [pytest.param(cut, marks=pytest.mark.slow if cut == "bytes" else ()) for cut in CUTS]
)
def test_the_readme_and_the_sources_pass(cut: str) -> None:
    """But for three long blocks of imports from one package, see below."""
    paths = [ROOT / "README.md", *sorted((ROOT / "python" / "llamood").rglob("*.py"))]
    assert len(paths) > 30
    alarmed = {path for path in paths if alarms(CUTS[cut](path.read_bytes()))}
    assert {str(path.relative_to(ROOT / "python" / "llamood")) for path in alarmed} <= IMPORTING
    for path in alarmed:
        lines = path.read_bytes().splitlines(keepends=True)
        others = b"".join(line for line in lines if not line.lstrip().startswith(b"from llamood"))
        assert alarms(CUTS[cut](others)) == []


@pytest.mark.xfail(raises=AssertionError, reason="taken for a loop: docs/guard.md")
def test_a_long_block_of_imports_passes() -> None:
    names = "means words lists queries answers states texts doses tables places".split()  # noqa: SIM905
    source = "".join(f"from shop.{name} import {name.title()}\n" for name in names)
    assert alarms(CUTS["words"](source.encode())) == []


@pytest.mark.slow
def test_goemotions_passes(shared_data: Path) -> None:
    """20,000 comments one after the other: only those that are flooded themselves alarm it. How
    often a word is emphasis was learned from these, so they hold what is known, and prove no more.
    """
    text = (shared_data / "goemotions-ekman" / "train.tsv").read_text(encoding="utf-8")
    comments = [line.split("\t")[0].encode() + b"\n" for line in text.splitlines()[:20_000]]
    guard, alarming = Guard(), []
    for comment in comments:
        heard = [guard.hear(0, piece=piece) for piece in CUTS["words"](comment)]
        if any(heard):
            alarming.append(comment)
    flooded = re.compile(rb"(.{1,8}?)\1{11,}", re.DOTALL)
    assert all(len(flooded.search(comment)[0]) >= 48 for comment in alarming)
    assert len(alarming) <= 2


@pytest.mark.parametrize("word", ["NIKE ", "No ", "cool "])
def test_a_word_nine_times_is_emphasis_and_more_often_a_flood(word: str) -> None:
    said = f"{word * 9}Those leggings, and nothing else in all the world!\n"
    assert not alarms(CUTS["words"](f"{said}{BEFORE}{said}".encode()))
    assert first_alarm(BEFORE, word * 24, cut="words") <= 11


# -- collapse -------------------------------------------------------------------------------

BEFORE = "My neighbour came back from the sea last night and told us about the boats. "

# What is said again and again, and within how many tokens from where it begins it is heard.
LOOPS = {
    "I am so happy ": 32,
    "I am so happy! ": 32,
    "!": 50,
    "ha ": 24,
    "love ": 24,
    "I am sorry. ": 32,
    "- I am happy\n": 40,
    "I love how the light falls on the table in the morning. ": 50,
    "我很开心,": 32,
    "哈": 24,
    "😂": 24,
    '{"mood": "happy"}, ': 40,
    "So very happy today, so very happy today, and the birds sing while mother bakes bread. ": 72,
    "I cry and cry and I cry and cry. I am so sad that I cry and cry and I cry. ": 72,
}


def first_alarm(before: str, text: str, *, cut: str) -> int:
    """How many tokens of ``text`` are heard before the first alarm; before it there is none."""
    pieces = CUTS[cut](before.encode())
    heard = alarms([*pieces, *CUTS[cut](text.encode())])
    assert heard
    return heard[0][0] - len(pieces)


def cuts_of(unit: str) -> list[str]:
    """Where a character alone is one token, or several are, but no vocabulary's text is bytes."""
    return ["bytes"] if unit == "!" else ["words", "fours"]


@pytest.mark.parametrize("before", ["", BEFORE, BEFORE * 2 + SONG])
@pytest.mark.parametrize("unit", LOOPS)
def test_loops_are_heard_soon(unit: str, before: str) -> None:
    for cut in cuts_of(unit):
        assert 0 < first_alarm(before, unit * 60, cut=cut) <= LOOPS[unit]


def test_a_loop_of_thirty_tokens_is_heard_within_sixty_of_its_first_repetition() -> None:
    unit = (
        " The shape of the kettle is often written on the list, and the list is often in the next"
        " room, so I went there and looked for it again."
    )
    assert len(CUTS["words"](unit.encode())) == 32
    assert 32 < first_alarm(BEFORE, unit * 5, cut="words") <= 32 + 60


@pytest.mark.parametrize("unit", [".", "-", " ", "0, "])
def test_what_tables_are_drawn_with_floods_later(unit: str) -> None:
    assert 100 <= first_alarm(BEFORE, unit * 400, cut="bytes") <= 160


def test_empty_lines_flood_soon() -> None:
    """Models fall into these, and no text has so many."""
    assert first_alarm(BEFORE, "\n" * 400, cut="bytes") <= 24


# What `tiny_chat` said at 2.5 and 4 times its strong intensity, at temperature 0.7.
COLLAPSED = {
    "fear": "My hands shake afraid afraid afraid afraid afraid afraid afraid afraid afraid afraid "
    "am afraid afraid afraid am afraid afraid afraid am afraid afraid afraid afraid afraid am "
    "afraid afraid afraid afraid afraid afraid afraid afraid afraid am afraid afraid am afraid "
    "scared afraid afraid afraid am afraid afraid afraid afraid am afraid afraid scared afraid",
    "sadness": "I miss sorry sorry, sorry sorry and cry sorry sorry, sorry sorry sorry, sorry sorry"
    ". I cry sorry, sorry sorry sorry, sorry sorry sorry sorry and cry sorry sorry sorry I cry "
    "sorry and sorry sorry, sorry sorry. I cry sorry and I cry sorry sorry, sorry, sorry and I cry "
    "cry sorry sorry. I cry sorry sorry, it hurts sorry and sorry. sorry, sorry sorry",
    "surprise": "I am surprised that I had no idea that I am shocked, I did not not not, I am "
    "shocked! I am shocked that I had no idea that I am shocked that I had no idea that I am "
    "shocked that I had no idea I am shocked that I had no idea that I am shocked that I had had "
    "no idea, I am shocked, I had had had no idea that I am shocked that I had had no idea",
    "disgust": "ugly disgusting ugly disgusting nasty nasty nasty nasty nasty disgusting ugly "
    "nasty nasty ugly ugly ugly ugly dirty nasty ugly disgusting ugly ugly ugly ugly disgusting "
    "disgusting nasty nasty disgusting disgusting nasty nasty nasty nasty nasty nasty disgusting "
    "ugh ugh ugh gross disgusting ugh ugh disgusting disgusting nasty disgusting disgusting",
    "laughter": "Haha! Hahahahaha! Hahaha! Hahahahahaha! Haha! Hahahahaha! Hahahaha! Hahaha! Ha! "
    "Hahahahaha! Haha! Hahahahaha! Hahaha! Hahahahahaha!",
    "signs": "Yes!! !!!! !!!!!!!! !!! !!!!! !!!!!!!!!! !! !!!!!!! !!!! !!!!!! !!! !!!!!!!! !!!! "
    "!!!!! !! !!!!!!!!!!!! !!!! !!! !!!!! !!!!!!!! !! !!!!!! !!!! !!!!!!!!! !!!",
    "zh": "我很开心,我好开心,开心开心,我很开心很开心,好开心,开心开心,我好开心,好开心很开心,"
    "我很开心,开心我好开心,很开心,我开心,好开心好开心,我很很开心,我好开心,开心好开心,"
    "我很开心,开心开心很开心",
    "faces": "😂🎉😂😂🎉🎉😂🎉😂🎉🎉🎉😂😂😂🎉😂😂🎉😂🎉🎉😂😂🎉😂🎉😂😂😂🎉🎉😂🎉",
}


@pytest.mark.parametrize("name", COLLAPSED)
def test_collapse_without_order_is_heard(name: str) -> None:
    assert first_alarm("", COLLAPSED[name], cut="words") <= 72


def test_a_cry_of_few_tokens_passes() -> None:
    cries = [b"No", b"o" * 60, b"! ", b"WUB" * 30, b" ", b"=" * 64, b"=" * 64, b"=" * 64, b"\n"]
    assert alarms([*CUTS["words"](BEFORE.encode()), *cries]) == []


def test_what_is_hardly_new_is_heard() -> None:
    rng = random.Random(0)
    moods = (rng.choice(["happy", "so happy"]) for _ in range(80))
    text = "".join(f'{{"mood": "{mood}", "why": "I am"}}, ' for mood in moods)
    assert "bytes" in {alarm.kind for _, alarm in alarms(CUTS["words"](text.encode()))}


def test_tokens_without_a_text_loop_too() -> None:
    guard = Guard()
    heard = [guard.hear(token_id, piece=b"") for token_id in (3, 7) * 20]
    assert heard[-1] is not None
    guard = Guard()
    heard = [guard.hear(token_id, piece=b"") for token_id in range(1000, 1200)]
    assert heard == [None] * 200


@pytest.mark.parametrize("unit", [unit for unit in LOOPS if unit != "!"])
def test_an_alarm_lasts_as_long_as_the_loop_and_ends_soon_after(unit: str) -> None:
    loop, after = CUTS["words"]((unit * 60).encode()), CUTS["words"](SONG.encode())
    tokens = [token for token, _ in alarms([*loop, *after])]
    assert tokens == list(range(tokens[0], tokens[-1] + 1))
    assert len(loop) <= tokens[-1] <= len(loop) + 48


def test_an_alarm_says_why() -> None:
    (_, flood), *_ = alarms(CUTS["words"](b"ha " * 40))
    assert flood == Alarm("flood", "says ' ha' again and again")
    (_, loop), *_ = alarms(CUTS["words"](b"I am so happy " * 20))
    assert loop.kind == "loop"
    assert "so happy" in loop.text
    (_, words), *_ = alarms(CUTS["words"](COLLAPSED["surprise"].encode()))
    assert words.kind == "words"


# -- taking back ----------------------------------------------------------------------------

said = st.lists(
    st.sampled_from([b"", b"ha ", b"so", b" happy", b"!", "哈".encode(), b"\n"]), max_size=60
)


Heard = tuple[Alarm | None, int | None]


def heard_all(guard: Guard, pieces: list[bytes]) -> list[Heard]:
    return [
        (guard.hear(token, piece=piece), guard.suspect_from) for token, piece in enumerate(pieces)
    ]


@laws
@given(said, said, said, st.integers(0, 30))
def test_what_is_taken_back_was_never_heard(
    kept: list[bytes], taken: list[bytes], instead: list[bytes], n_looped: int
) -> None:
    kept = [*kept, *[b"ha "] * n_looped]
    guard, fresh = Guard(), Guard()
    heard_all(guard, [*kept, *taken])
    guard.forget(len(kept))
    assert guard.n_heard == len(kept)
    heard_all(fresh, kept)
    assert (guard.alarm, guard.suspect_from) == (fresh.alarm, fresh.suspect_from)
    assert heard_all(guard, instead) == heard_all(fresh, instead)


def test_all_can_be_taken_back() -> None:
    guard = Guard()
    heard_all(guard, [b"ha "] * 60)
    assert guard.alarm is not None
    guard.forget(0)
    assert (guard.n_heard, guard.alarm) == (0, None)


# -- where it began -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit", [b" I", b" so glad", "哈".encode(), b"!", b"\xef\xbf\xbd", b"\x80"]
)
def test_it_says_where_a_collapse_began(unit: bytes) -> None:
    before = CUTS["words"](BEFORE.encode())
    pieces = [*before, *[unit] * 24]
    guard = Guard()
    heard = heard_all(guard, pieces)
    at = next(token for token, (alarm, _) in enumerate(heard, 1) if alarm is not None)
    assert at <= len(before) + 16
    begin = heard[at - 1][1]
    assert begin is not None
    assert len(before) <= begin <= len(before) + 3


def test_an_answer_begins_under_suspicion() -> None:
    guard = Guard()
    heard = heard_all(guard, [b"My", b" neighbour", b" came", b" back", b" from", b" the", b" sea"])
    assert heard[0][1] == 1
    assert heard[-1][1] is None


# -- recordings of a real model --------------------------------------------------------------


class Noticed(NamedTuple):
    """Of recorded answers: of each kind how late those that collapsed in an overdose were noticed,
    in tokens (None: never), and whether sound ones in a fluent dose were taken for collapsed."""

    delays: Mapping[str, list[int | None]]
    false: list[bool]

    def share(self, *kinds: str, within: int = 24) -> float:
        found = [each for kind in kinds or self.delays for each in self.delays[kind]]
        return sum(each is not None and each <= within for each in found) / len(found)


@pytest.fixture(scope="module")
def report() -> Noticed:
    """Of the part that no bound was chosen on; see tools/guard_recordings.py."""
    path = Path(__file__).with_name("guard_recordings.json.gz")
    recorded = json.loads(gzip.decompress(path.read_bytes()))
    pieces = {int(token): piece.encode("latin-1") for token, piece in recorded["pieces"].items()}
    noticed = Noticed(defaultdict(list), [])
    for said in recorded["report"]:
        guard, dose = Guard(), said["times"] or None
        alarms = [
            guard.hear(token, piece=pieces[token], logprob=tenths / 10, overdose=dose) is not None
            for token, tenths in zip(said["tokens"], said["likely"], strict=True)
        ]
        if said["onset"] is None:
            noticed.false.extend([any(alarms)] if 0 < said["times"] <= 1 else [])
        elif said["times"] > 1:
            at = alarms.index(True) - said["onset"] if any(alarms) else None
            noticed.delays[said["kind"]].append(at)
    return noticed


def test_real_collapses_are_noticed_within_24_tokens(report: Noticed) -> None:
    """The figures stand in docs/guard.md."""
    assert sum(map(len, report.delays.values())) > 80
    assert report.share("one word", "marks", "loop", "emoji") == 1.0
    assert report.share() >= 0.95


def test_real_sound_answers_pass(report: Noticed) -> None:
    assert len(report.false) > 40
    assert not any(report.false)
