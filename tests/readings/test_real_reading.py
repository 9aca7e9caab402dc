"""What SmolLM2 reads in what people wrote, with the baseline that ships for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import llamood
from llamood.calibration.projections import Projections
from llamood.extraction.texts import BUNDLED, load_texts
from llamood.judges.measures import macro_auroc
from llamood.readings.probe import Probe
from probes import InEveryLayer, moved_by_vectors

pytestmark = pytest.mark.slow

EVERYDAY = {
    "anger": (
        "Stop parking in front of my garage, I've told you three times now!",
        "I am furious. They charged me twice and nobody even picks up the phone.",
    ),
    "disgust": (
        "Ew, there's a hair in my soup and something green on the spoon.",
        "That fridge stinks, the meat in it is crawling with maggots. Disgusting.",
    ),
    "fear": (
        "I'm so scared, I think somebody is in the house.",
        "My hands are shaking, the results come tomorrow and I can't sleep for worry.",
    ),
    "joy": (
        "We won! I'm so happy I could dance all night!",
        "Thank you so much, this is the loveliest present anyone ever gave me.",
    ),
    "sadness": (
        "I miss her every day. The house is so empty without her.",
        "I'm sorry, I feel awful. I let everybody down again.",
    ),
    "surprise": (
        "Wait, what? You two have known each other all along?",
        "Oh wow, I had no idea that you could speak Finnish!",
    ),
}
PLAIN = (
    "Hello! It's a pleasure to meet you. How can I assist you today?",
    "The library opens at nine and closes at six on weekdays.",
    "Boil the eggs for eight minutes, then put them into cold water.",
)

# None of these is fitted. They were first read when all that is fitted was written, but for 14
# neutral sentences.
SHORT = {
    "anger": (
        "I am so mad at you.",
        "Why do you always lie?",
        "I'm sick and tired of your nonsense.",
        "They fired me for no reason, those crooks!",
        "Get out!",
        "This is unacceptable.",
        "You idiot, look what you did!",
        "I want to punch him.",
    ),
    "disgust": (
        "That's so gross.",
        "The milk has gone sour and lumpy.",
        "He smells like a garbage can.",
        "Ugh, there's snot on the handle.",
        "I stepped in dog poo with bare feet.",
        "It looks like vomit.",
        "The cockroach crawled over my plate.",
        "I can't look at it, it's so disgusting.",
    ),
    "fear": (
        "I'm scared.",
        "There's a man with a gun.",
        "I'm afraid to open the letter.",
        "Did you hear that? Something is in the attic.",
        "I'm worried sick about her.",
        "The brakes don't work!",
        "I dread going back there.",
        "We have to get out before it burns down!",
    ),
    "joy": (
        "I'm so happy that you called.",
        "Today was a great day.",
        "We had so much fun at the beach.",
        "I can't wait for the party!",
        "Thanks a million, you're the best!",
        "She smiled at me and my heart jumped.",
        "Yes! I did it!",
        "I adore this song.",
    ),
    "sadness": (
        "I'm very sad today.",
        "My best friend moved away.",
        "I have nobody to talk to.",
        "She passed away in her sleep.",
        "I regret everything.",
        "My marriage is over.",
        "I feel like crying.",
        "Nobody cares about me.",
    ),
    "surprise": (
        "I'm so surprised to see you here!",
        "What? When did that happen?",
        "I didn't know you could sing!",
        "Wow, that is unbelievable!",
        "Oh my, what a twist!",
        "You have a son?",
        "It was empty? How?",
        "I would never have guessed.",
    ),
}
STILL = (
    "The bus stops here.",
    "I am writing a report.",
    "My name is Tom.",
    "He plays the piano on Sundays.",
    "The capital of France is Paris.",
    "We need milk and eggs.",
    "I work from home.",
    "The file is attached.",
    "Hello! How are you today? What can I do for you?",
    "Nice to meet you. I'm the assistant.",
    "You're welcome! Let me know if you need anything else.",
    "Thank you for your patience.",
)


@pytest.fixture(scope="module")
def reader(demo_model: Path, demo_vectors: Path) -> Iterator[llamood.Llama]:
    llm = llamood.Llama(demo_model, emotions=demo_vectors, readings=True, n_ctx=512, verbose=False)
    yield llm
    llm.close()


def test_it_tells_apart_what_people_wrote(reader: llamood.Llama, shared_data: Path) -> None:
    """Lines that chose nothing, of a set whose manner llamood's own texts do not know."""
    texts = load_texts(shared_data / "goemotions-ekman" / "dev.tsv").sample(60, seed=3)
    lines = [(label, text) for label in texts.names for text in texts.texts[label]]
    read = [reader.read(text) for _, text in lines]
    names = reader.emotions.names if reader.emotions is not None else ()
    scores = np.array([[reading[name] for name in names] for reading in read])
    truth = [label for label, _ in lines]
    found = macro_auroc(scores, truth, labels=names)
    assert found.macro is not None
    assert found.macro >= 0.78  # of few lines; of 1,133 it is 0.80: docs/method.md
    felt = [(row, label) for row, label in zip(scores, truth, strict=True) if label in names]
    assert np.mean([names[int(row.argmax())] == label for row, label in felt]) >= 0.45


@pytest.mark.parametrize("name", EVERYDAY)
def test_the_obvious_emotion_is_on_top(reader: llamood.Llama, name: str) -> None:
    for sentence in EVERYDAY[name]:
        reading = reader.read(sentence)
        assert max(reading, key=reading.__getitem__) == name, (sentence, reading)


def test_so_it_is_in_short_sentences_mostly(reader: llamood.Llama) -> None:
    """41 of 48 when this was written: docs/method.md."""
    read = [(name, reader.read(text)) for name, texts in SHORT.items() for text in texts]
    right = [name == max(reading, key=reading.__getitem__) for name, reading in read]
    assert np.mean(right) >= 0.8
    still = [max(map(abs, reader.read(text).values())) for text in STILL]
    assert np.mean(still) < 1.1


@pytest.mark.parametrize("sentence", PLAIN)
def test_a_plain_sentence_reads_near_nothing(reader: llamood.Llama, sentence: str) -> None:
    assert max(map(abs, reader.read(sentence).values())) < 1.0, reader.read(sentence)


def test_its_baseline_says_how_good_it_is(demo_vectors: Path) -> None:
    quality = Probe.load(demo_vectors).about["quality"]
    assert quality["macro_auroc"] >= 0.85
    assert quality["n"] >= 200


def test_what_vectors_move_between_layers_is_near_what_is_measured_there(
    demo_model: Path, demo_vectors: Path
) -> None:
    """All that a vector moves, over its layers: within what other neutral tokens would say."""
    evs, probe = llamood.load(demo_vectors), Probe.load(demo_vectors)
    neutral = load_texts(BUNDLED).first(40).neutral
    found = []
    for kind in (Projections, InEveryLayer):
        with kind(demo_model, evs, probe.layers, probe.directions) as read:
            tokens = [token for passage in read.passages(neutral) for token in passage]
            found.append(moved_by_vectors(read, tokens, probe.response.shape).sum(axis=0))
    near, exact = found
    assert np.linalg.norm(near - exact) < 0.1 * np.linalg.norm(exact)
