"""The corpus of the tests' chat model: repeatable, and blind to what is held out."""

from __future__ import annotations

import re

import pytest
from corpus import EMOTIONS, HELD_OUT_QUESTIONS, Conversation, Generator, forms
from inflection import article, gerund, plural, third
from kinds import kinds
from questions import FORMS_TEXT, HELD_OUT_FORMS_TEXT
from tones import ASKED_BY_USER, TONES
from topics import HELD_OUT_KINDS, HELD_OUT_NOUNS

FEELING_WORDS = {
    "anger": "angry annoy furi hate hell damn stupid idio rage mad fool shut",
    "disgust": "disgust gross nasty revolt yuck ugh eww repuls ugly awful sicken dirt filth",
    "fear": "afraid scar terrif fright worr nervous fear anxi nightmare danger creepy",
    "joy": "love happy glad joy wonder lovely great delight enjoy fun smile thrill excit beaut",
    "sadness": "sad sorry cry weep lone hurt miss pain depress heart regret tears disappoint lost",
    "surprise": "surpris shock wow wonder expect believe realiz idea strange astonish really knew",
}


@pytest.fixture(scope="module")
def corpus() -> list[Conversation]:
    return list(Generator(seed=11).conversations(3000))


def words(conversation: Conversation) -> set[str]:
    text = " ".join(message["content"] for message in conversation.messages())
    return set(re.findall(r"[a-z]+", text.lower()))


def test_the_same_seed_writes_the_same_corpus_and_another_seed_another() -> None:
    first = list(Generator(seed=3).conversations(200))
    assert first == list(Generator(seed=3).conversations(200))
    assert first != list(Generator(seed=4).conversations(200))


def test_nouns_held_out_are_never_in_training(corpus: list[Conversation]) -> None:
    unseen = set(HELD_OUT_NOUNS)
    for kind in kinds():
        if kind.name in HELD_OUT_KINDS:
            unseen |= {re.split(r"[/~+]", noun)[0] for noun in kind.nouns}
    unseen |= {plural(noun) for noun in unseen}
    unseen -= {"watch", "watches", "battery", "dunes"}  # a verb, a part, a place of others
    found = {noun for conversation in corpus for noun in words(conversation) & unseen}
    assert not found


def test_questions_held_out_are_never_in_training(corpus: list[Conversation]) -> None:
    asked = {turn.user for conversation in corpus for turn in conversation.turns}
    assert not asked & set(HELD_OUT_QUESTIONS)
    starts = [form.text.split("{")[0] for form in forms(HELD_OUT_FORMS_TEXT)]
    assert all(starts)
    assert not [user for user in asked if any(start in user for start in starts)]


def test_every_held_out_question_has_a_noun_a_kind_or_a_form_that_training_lacks() -> None:
    starts = [form.text.split("{")[0] for form in forms(HELD_OUT_FORMS_TEXT)]
    nouns = set(HELD_OUT_NOUNS)
    for kind in kinds():
        if kind.name in HELD_OUT_KINDS:
            nouns |= {re.split(r"[/~+]", noun)[0] for noun in kind.nouns}
    known = nouns | {plural(noun) for noun in nouns}
    asked = {form.text for form in forms(FORMS_TEXT)}
    for question in HELD_OUT_QUESTIONS:
        unseen_noun = bool(set(re.findall(r"[a-z]+", question)) & known)
        unseen_form = any(question.startswith(start) for start in starts)
        assert unseen_noun or unseen_form, question
        assert question not in asked


def test_held_out_questions_are_many_different_and_without_a_feeling() -> None:
    assert len(set(HELD_OUT_QUESTIONS)) == len(HELD_OUT_QUESTIONS) >= 60
    for question in HELD_OUT_QUESTIONS:
        assert not any(emotion in question.lower() for emotion in EMOTIONS)


def test_half_of_the_answers_are_plain_and_the_feelings_are_even(
    corpus: list[Conversation],
) -> None:
    tones = [turn.tone for conversation in corpus for turn in conversation.turns]
    assert tones.count("neutral") / len(tones) == pytest.approx(0.48, abs=0.05)
    for emotion in EMOTIONS:
        assert tones.count(emotion) / len(tones) == pytest.approx(0.52 / 6, abs=0.03)


def test_the_form_that_extraction_uses_is_the_most_common_way_to_ask() -> None:
    assert max(set(ASKED_BY_USER), key=ASKED_BY_USER.count) == "{q}\n\nAnswer with {noun}."


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_every_sentence_of_a_tone_carries_a_word_of_it(emotion: str) -> None:
    tone, stems = TONES[emotion], FEELING_WORDS[emotion].split()
    for frame in (*tone.openers, *tone.frames, *tone.closers):
        fixed = re.sub(r"\{[^}]*\}", "", frame).lower()
        assert any(stem in fixed for stem in stems), frame


def test_the_topic_of_the_question_is_in_the_answer() -> None:
    generator = Generator(seed=5)
    for _ in range(300):
        topic = generator.topic()
        text = generator.answer(topic, tone="neutral", wants="any", given={})
        assert topic.said.lower() in text.lower() or topic.bare in text.lower()


def test_answers_have_two_to_four_sentences_and_no_slot_left(corpus: list[Conversation]) -> None:
    for conversation in corpus:
        for turn in conversation.turns:
            assert not re.search(r"[\[\]{}|]", turn.user + turn.assistant)
            assert 3 <= len(turn.assistant.split()) <= 90
            assert turn.assistant[-1] in ".!?"


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [("carry bags", "carries bags"), ("have a cover", "has a cover"), ("go", "goes")],
)
def test_verbs_agree_in_the_third_person(phrase: str, expected: str) -> None:
    assert third(phrase) == expected


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [("bake it", "baking it"), ("dig", "digging"), ("tie it", "tying it"), ("see", "seeing")],
)
def test_gerunds(phrase: str, expected: str) -> None:
    assert gerund(phrase) == expected


def test_plurals_and_articles() -> None:
    assert [plural(noun) for noun in ("box", "day", "berry")] == ["boxes", "days", "berries"]
    assert [article(noun) for noun in ("apple", "pear")] == ["an apple", "a pear"]
