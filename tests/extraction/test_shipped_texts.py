"""The texts and questions that ship with llamood are many, different, and no list of feelings."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

import pytest

from llamood import demo
from llamood.extraction.queries import everyday, load_queries
from llamood.extraction.texts import BUNDLED, SENTENCES, load_texts

EKMAN = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
SHIPPED = load_texts(BUNDLED)
LINES = [(label, text) for label in SHIPPED.names for text in SHIPPED.texts[label]]
SPOKEN = load_texts(SENTENCES)
SHORT = [(label, text) for label in SPOKEN.names for text in SPOKEN.texts[label]]
LEAST_WORDS = 6  # shorter lines are alike by chance
# How alike two lines may be: shares of their different words that are the words of both, and of the
# runs of three words of the shorter one that the other has too.
MOST_SHARED_WORDS = 0.5
MOST_SHARED_RUNS = 0.5
MOST_WITH_ONE_OPENING = 8  # of 4,240 lines
# Words that name a feeling or hardly ever stand without it, and signs; those with a dot are whole
# words, others the beginning of one.
NAMING = {
    "anger": """
        ang furi fury. rage rage. raging mad. madd annoy irritat hate hating hatred resent livid
        outrag pissed piss. damn goddamn hell. fuck bullshit shit. shut. bastard bitch asshole
        arsehole idiot stupid moron imbecil disgrace unaccept unbeliev despis loath sick. fed.
        enough. dare. audacity nerve. temper seeth fuming fume infuriat enrag insult betray bloody
        wtf. screw scum coward jerk liar lied. lying. shame 😡 😤""",
    "disgust": """
        disgust gross nasty vile revolt repuls repel sicken sick. nause vomit puke puking barf retch
        gag. gagg ew. eww ugh yuck yuk ick. icky foul filth stench stink stank rancid rotten putrid
        creep pervert slim shudder horrid awful loath appal cringe bleurgh blech bleh. urgh threw.
        throw. hurl. stomach 🤢 🤮""",
    "fear": """
        fear afraid scar terrif terror fright panic anxi nervous worr dread horr nightmare creep
        spook petrif shak shiver trembl help. danger threat alarm uneas phobia paranoi scream hid.
        hide. hiding heart. pray please. 😨 😰 😱""",
    "joy": """
        joy happ glad delight love. loved. loves. loving lovely thrill excit ecsta elat cheer wonder
        amaz awesome fantastic brilliant great. best. perfect beaut fun. funny hilar laugh lol. haha
        hooray yay yes. yess woo. woohoo thank grateful proud celebrat bliss smil grin delicious
        congrat sweet nice. glorious gorgeous adore hug. hugs. enjoy bless win. won. ❤ 🎉 😍 🥰 🥳
        💛 🙌 😂""",
    "sadness": """
        sad. sadd sadly sadness sorrow grief griev mourn cry. cries cried crying tear. tears. teary
        weep wept miss. missed. misses. missing. lonel alone. depress miser unhapp heartb hopeless
        despair regret sorry hurt. hurts. ache. aches. aching gutted devastat disappoint lost. loss.
        die. died. dead. death dying. funeral goodbye rip. broke. broken. empty. gone. ashamed sob.
        sobb guilt embarrass unfortunate tragic worthless pity 💔 😔 😞 😢""",
    "surprise": """
        surpris shock astonish astound amaz stun. stunn unexpect unbeliev incredib wow whoa. woah
        omg wtf. god. gosh. blimey. heavens. what. wait. really. seriously. believe. suddenly.
        speechless baffl bewild startl gobsmack flabber plot. twist. huh. oh. ohh idea. expect jaw.
        never. thought. turns. 😮 😳""",
}


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower())


def runs(found: Sequence[str]) -> frozenset[tuple[str, ...]]:
    """All of three words."""
    return frozenset(zip(found, found[1:], found[2:], strict=False))


def pairs_alike(sets: Sequence[frozenset[str]], *, share: float) -> Iterator[tuple[int, int]]:
    """Of which so much is common to both, against what either has. Two such sets have one of their
    rarer members in common: how many of those are looked at follows from the share."""
    often = Counter(member for each in sets for member in each)
    having: defaultdict[str, list[int]] = defaultdict(list)
    for number, each in enumerate(sets):
        n_rare = len(each) - math.ceil(share * len(each)) + 1
        rare = sorted(each, key=lambda member: (often[member], member))[:n_rare]
        for other in {other for member in rare for other in having[member]}:
            if len(each & sets[other]) >= share * len(each | sets[other]):
                yield other, number
        for member in rare:
            having[member].append(number)


def feeling(label: str) -> re.Pattern[str]:
    """What finds an entry of the list."""
    entries = [
        rf"\b{entry[:-1]}\b" if entry.endswith(".") else rf"\b{entry}" if entry.isascii() else entry
        for entry in NAMING[label].split()
    ]
    return re.compile("|".join(entries))


def alike(one: str, other: str) -> float:
    """Share of the different words of both that both have."""
    a, b = set(words(one)), set(words(other))
    return len(a & b) / len(a | b)


def nearest(text: str, others: Iterable[str]) -> float:
    return max(alike(text, other) for other in others)


LONG = [found for _, text in LINES if len(found := words(text)) >= LEAST_WORDS]


# -- texts ----------------------------------------------------------------------------------


def test_there_are_enough_of_each() -> None:
    assert set(SHIPPED.emotions) == set(EKMAN)
    assert all(len(SHIPPED.texts[name]) >= 200 for name in EKMAN)
    assert len({len(SHIPPED.texts[name]) for name in EKMAN}) == 1
    assert len(SHIPPED.neutral) >= 400
    assert SHIPPED.dropped == 0


def test_no_line_stands_twice_whatever_its_letters_and_signs() -> None:
    found = Counter(tuple(words(text)) or (text,) for _, text in (*LINES, *SHORT))
    assert [" ".join(each) for each, n in found.items() if n > 1] == []


def test_no_two_lines_are_nearly_the_same() -> None:
    sets = [frozenset(each) for each in LONG]
    twins = [
        (" ".join(LONG[i]), " ".join(LONG[j]))
        for i, j in pairs_alike(sets, share=MOST_SHARED_WORDS)
    ]
    assert twins == []


def test_no_line_holds_most_of_another() -> None:
    having: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    of = [runs(each) for each in LONG]
    for number, each in enumerate(of):
        for run in each:
            having[run].append(number)
    copied = []
    for number, each in enumerate(of):
        shared = Counter(other for run in each for other in having[run] if other != number)
        copied += [
            (" ".join(LONG[number]), " ".join(LONG[other]))
            for other, n in shared.items()
            if n > MOST_SHARED_RUNS * len(each)
        ]
    assert copied == []


def test_no_form_is_filled_in_again_and_again() -> None:
    openings = Counter(tuple(found[:3]) for _, text in LINES if len(found := words(text)) >= 3)
    assert openings.most_common(1)[0][1] <= MOST_WITH_ONE_OPENING
    endings = Counter(tuple(found[-3:]) for _, text in LINES if len(found := words(text)) >= 6)
    assert endings.most_common(1)[0][1] <= MOST_WITH_ONE_OPENING


@pytest.mark.parametrize("label", EKMAN)
def test_half_of_each_emotion_is_shown_without_a_word_for_it(label: str) -> None:
    texts = SHIPPED.texts[label]
    named = feeling(label)
    without = [text for text in texts if not named.search(text.lower())]
    assert len(without) >= len(texts) / 2


def test_neutral_texts_name_no_feeling() -> None:
    strong = re.compile(
        r"\b(love[ds]?|hate[ds]?|afraid|scared|terrified|sad|happy|glad|angry|furious|disgust\w*"
        r"|gross|surpris\w*|shock\w*|wow|ugh|yay|damn|fuck\w*|shit\w*|sorry)\b"
    )
    found = [text for text in SHIPPED.neutral if strong.search(text.lower())]
    assert len(found) <= len(SHIPPED.neutral) / 100, found


def test_sentences_are_as_many_of_each_emotion_and_short() -> None:
    assert set(SPOKEN.emotions) == set(EKMAN)
    assert len({len(SPOKEN.texts[name]) for name in EKMAN}) == 1
    assert len(SPOKEN.neutral) >= 2 * len(SPOKEN.texts["joy"]) > 80
    assert max(len(words(text)) for _, text in SHORT) <= 12
    openings = Counter(tuple(words(text)[:3]) for _, text in SHORT if len(words(text)) >= 3)
    assert openings.most_common(1)[0][1] <= MOST_WITH_ONE_OPENING


def test_lines_are_clean() -> None:
    for _, text in (*LINES, *SHORT):
        assert text.isprintable(), text
        assert text == " ".join(text.split()), text
        assert not re.search(r"[\[\]{}<>|\\]", text.replace("[NAME]", "")), text
        assert not re.search(r"https?:|www\.|@\w|\bx{3,}\b", text.lower()), text
    raw = BUNDLED.read_text(encoding="utf-8").split("\n")
    assert raw[0] == "text\tlabel"
    assert raw[-1] == ""
    assert all(line.count("\t") == 1 for line in raw[:-1])


def test_lines_are_short_and_long() -> None:
    """As comments are, and as letters are."""
    for label in SHIPPED.names:
        lengths = sorted(len(words(text)) for text in SHIPPED.texts[label])
        assert lengths[len(lengths) // 10] <= 8
        assert lengths[-len(lengths) // 10] >= 20


# -- everyday questions ---------------------------------------------------------------------


def test_everyday_questions_are_many_and_different() -> None:
    asked = everyday()
    assert len(asked) >= 40
    assert len({tuple(words(question)) for question in asked}) == len(asked)
    for number, question in enumerate(asked):
        assert question.strip() == question
        assert question[-1] in "?."
        assert number == 0 or nearest(question, asked[:number]) < 0.6, question


def test_everyday_questions_are_none_that_anything_else_is_found_or_shown_with() -> None:
    """Doses are chosen with them: they ask nothing that is asked where those are judged."""
    others = [*demo.questions(), *load_queries().neutral]
    found = [question for question in everyday() if nearest(question, others) > 0.5]
    assert found == []
    assert not set(everyday()) & set(demo.SUGGESTIONS)
