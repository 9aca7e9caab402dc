"""Many answers at a time are those that are given one after another; what is said of them in
hindsight is what plain logits say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import llamood
import tiny_chat
from casts import spoken_alone
from llamood.errors import LlamoodError, ModelError, MoodError
from llamood.extraction.listener import TEMPERATURE, TOP_P
from llamood.vectors.emotion_vectors import Float64
from llamood.vectors.measurement import Site
from llamood.voices.answering import Answering, Reply, Request
from llamood.voices.chat_template import chat_tokens
from open_voices import Answer, plain, random_vectors, voice

# Nothing is rounded to fewer bits than float32 has.
EXACT: dict[str, Any] = {
    "n_threads": 1,
    "n_threads_batch": 1,
    "type_k": 0,
    "type_v": 0,
    "flash_attn": False,
}
MOODS: tuple[dict[str, Any], ...] = (
    {},
    {"joy": 1.0},
    {"anger": 0.8, "joy": 0.2},
    {"joy": {"ramp": [0, 1], "over": 20}, "$inertia": 4},
    {"anger": 0.5, "$positions": "all"},
    {"joy": 1.0, "$layers": [2, 3]},
)
N_TOKEN = 24
HOW = {"temperature": TEMPERATURE, "top_p": TOP_P}


def opened(model: Path, **settings: Any) -> Answering:
    return Answering(model, emotions=random_vectors(model), **{"n_ctx": 128, **EXACT, **settings})


def requests(n: int = 14) -> list[Request]:
    """Of prompts of which each is asked twice, in different moods."""
    return [
        Request(
            prompt=[65 + number // 2, *range(70, 78 + number)],
            max_tokens=N_TOKEN - number % 3,
            mood=MOODS[number % len(MOODS)],
            seed=number,
        )
        for number in range(n)
    ]


@pytest.fixture(scope="module")
def answering(random_chat: Path) -> Iterator[Answering]:
    with opened(random_chat, parallel=4) as answering:
        yield answering


@pytest.fixture(scope="module")
def replies(answering: Answering) -> list[Reply]:
    return answering.answers(requests())


@pytest.fixture(scope="module")
def alone(random_chat: Path) -> Iterator[llamood.Llama]:
    llm = open_alone(random_chat)
    yield llm
    llm.close()


def open_alone(model: Path, **settings: Any) -> llamood.Llama:
    return voice(model, **{"n_ctx": 128, **EXACT, **settings})


def said_alone(
    model: Path, prompt: Sequence[int], *, mood: Any, how: dict[str, Any], **settings: Any
) -> Answer:
    """By a voice that has felt nothing before."""
    llm = open_alone(model, **settings)
    said = spoken_alone(llm, prompt, mood=mood, how=how)
    llm.close()
    return said


# -- answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("site", ["layer_out", "attn_out"])
def test_each_answer_is_what_a_voice_says_alone(random_chat: Path, site: Site) -> None:
    with opened(random_chat, site=site) as answering:
        found = answering.answers(requests())
    for request, reply in zip(requests(), found, strict=True):
        how = {**HOW, "max_tokens": request.max_tokens, "seed": request.seed}
        said = said_alone(random_chat, request.prompt, mood=request.mood, how=how, site=site).tokens
        assert list(reply.tokens) == said[: -1 if reply.is_over else None]


@pytest.mark.parametrize("parallel", [1, 3, 16])
def test_they_do_not_depend_on_what_else_is_asked(
    random_chat: Path, replies: list[Reply], parallel: int
) -> None:
    with opened(random_chat, parallel=parallel) as answering:
        backwards = answering.answers(reversed(requests()))[::-1]
    assert [reply.tokens for reply in backwards] == [reply.tokens for reply in replies]
    assert [reply.text for reply in backwards] == [reply.text for reply in replies]
    assert [reply.mix for reply in backwards] == [reply.mix for reply in replies]


def test_the_next_is_begun_as_soon_as_one_is_over(answering: Answering) -> None:
    """The second voice gives the short answers while the first gives its long one."""
    taken = []

    def asked() -> Iterator[Request]:
        for number in range(12):
            taken.append(number)
            long = number == 0
            yield Request([65, 66, 67 + number], max_tokens=60 if long else 3, seed=number)

    order = []
    for some in answering.each(asked()):
        order += [number for number, _ in some]
        assert len(taken) <= len(order) + answering.parallel
    assert sorted(order) == list(range(12))
    assert order[-1] == 0


def test_tokens_are_those_drawn_and_end_before_the_one_that_ends_it() -> None:
    vectors = llamood.load(tiny_chat.VECTORS)
    with Answering(tiny_chat.MODEL, emotions=vectors, n_ctx=192, parallel=4, **EXACT) as answering:
        llm: Any = answering.llama
        turns = [{"role": "user", "content": text} for text in tiny_chat.questions()[:6]]
        prompts = [chat_tokens(llm, [turn]) for turn in turns]
        found = answering.answers(
            Request(prompt, max_tokens, {"joy": 0.5}, seed=3)
            for prompt in prompts
            for max_tokens in (5, 96)
        )
        for reply in found:
            assert llm.token_eos() not in reply.tokens
            pieces = [llm.piece(token) for token in reply.tokens]
            assert reply.text == b"".join(pieces).decode(errors="ignore")
            assert reply.mix == pytest.approx({"joy": 0.5})
    assert [len(reply.tokens) for reply in found[::2]] == [5] * 6
    assert not any(reply.is_over for reply in found[::2])
    assert any(reply.is_over for reply in found[1::2])


@pytest.mark.parametrize(
    ("request_", "error", "says"),
    [
        (Request([], 8), ModelError, "the prompt has 0 tokens"),
        (Request([65] * 100, 40), ModelError, "together at most 128"),
        (Request([65], 8, {"glee": 1}), MoodError, "glee"),
    ],
)
def test_what_cannot_be_asked_stops_none_of_what_follows(
    answering: Answering, replies: list[Reply], request_: Request, error: Any, says: str
) -> None:
    with pytest.raises(error, match=says):
        answering.answers([*requests()[:3], request_])
    assert answering.answers(requests()[:2])[1].tokens == replies[1].tokens


def test_leaving_the_loop_leaves_the_rest_unasked(
    answering: Answering, replies: list[Reply]
) -> None:
    for some in answering.each(requests()):
        assert some
        break
    assert [reply.tokens for reply in answering.answers(requests())] == [
        reply.tokens for reply in replies
    ]


@pytest.mark.parametrize("parallel", [0, 300])
def test_as_many_at_a_time_as_a_context_has_room_for(random_chat: Path, parallel: int) -> None:
    with pytest.raises(ModelError, match="expected 1 to 252"):
        opened(random_chat, parallel=parallel)


# -- hindsight ------------------------------------------------------------------------------


def given(replies: Sequence[Reply]) -> tuple[list[Sequence[int]], list[Sequence[int]]]:
    """Prompts and answers."""
    return [request.prompt for request in requests()], [reply.tokens for reply in replies]


def test_surprise_is_that_of_a_voice_without_a_mood(
    answering: Answering, replies: list[Reply], alone: llamood.Llama
) -> None:
    prompts, answers = given(replies)
    answers[3] = []
    found = answering.nll(prompts, answers)
    for prompt, answer, nll, reply in zip(prompts, answers, found, replies, strict=True):
        if not answer:
            assert np.isnan(nll)
            continue
        expected = alone.nll(prompt, answer).mean()
        assert nll == pytest.approx(expected, abs=1e-4)
        if reply.nll is not None:
            assert reply.nll == pytest.approx(expected, abs=1e-4)
    assert [reply.nll is not None for reply in replies] == [
        not request.mood for request in requests()
    ]


@pytest.mark.parametrize("n_batch", [512, 16])
def test_how_far_a_mood_turns_what_is_said(random_chat: Path, n_batch: int) -> None:
    """In batches that hold a passage, and in such as do not."""
    asked = requests(len(MOODS) + 1)
    how = {**HOW, "max_tokens": N_TOKEN, "seed": 4}
    prompts = [request.prompt for request in asked]
    heard = said_alone(random_chat, prompts[-1], mood={}, how=how).tokens
    letter = next(chr(token) for token in heard if chr(token).isascii() and chr(token).isalnum())
    moods = [*MOODS, {"joy": {"on": letter, "pulse": 1.0, "release": 6}}]
    said = [
        said_alone(random_chat, prompt, mood=mood, how=how)
        for prompt, mood in zip(prompts, moods, strict=True)
    ]
    answers = [each.tokens for each in said]
    with opened(random_chat, parallel=2, n_batch=n_batch) as answering:
        answering.answers(asked[:3])  # of whose prompts use is made
        far = answering.kl(prompts, answers, moods)
        compared = answering.compared(prompts, answers, moods)
        found = answering.nll(prompts, answers)
    plain = plain_logits(random_chat, prompts, answers)
    for place, (one, answer) in enumerate(zip(said, answers, strict=True)):
        steered = log_softmax(one.logits)
        expected = (np.exp(steered) * (steered - plain[place])).sum(axis=1)
        np.testing.assert_allclose(far[place], expected, atol=1e-4)
        likely = plain[place][np.arange(len(answer)), answer]
        np.testing.assert_allclose(compared[place].nll, -likely, atol=1e-4)
        np.testing.assert_array_equal(compared[place].kl, far[place])
        assert found[place] == pytest.approx(-likely.mean(), abs=1e-4)
    assert far[0].max() == 0
    assert min(each.max() for each in far[1:]) > 1e-3


def test_no_answer_has_no_tokens_to_look_at(answering: Answering) -> None:
    assert [len(each) for each in answering.kl([[65]], [[]], [{"joy": 1}])] == [0]
    assert np.isnan(answering.nll([[65]], [[]])).all()
    assert answering.nll([], []).shape == (0,)


@pytest.mark.parametrize(
    ("passage", "mood", "says"),
    [
        (([], [66]), {}, "expected one of a prompt at least"),
        (([65] * 100, [66] * 30), {}, "together at most 129"),
        (([65], [66]), {"joy": {"hold": 1.0}}, "only while it is spoken"),
    ],
)
def test_what_cannot_be_looked_at(
    answering: Answering, passage: tuple[list[int], list[int]], mood: Any, says: str
) -> None:
    with pytest.raises(LlamoodError, match=says):
        answering.kl([passage[0]], [passage[1]], [mood])


def test_looking_back_in_between_changes_no_answer(
    answering: Answering, replies: list[Reply], alone: llamood.Llama
) -> None:
    asked, said, nlls = requests(), {}, {}
    for some in answering.each(asked):
        prompts = [asked[number].prompt for number, _ in some]
        answers = [reply.tokens for _, reply in some]
        found = answering.nll(prompts, answers)
        answering.kl(prompts, answers, [asked[number].mood for number, _ in some])
        for (number, reply), nll in zip(some, found, strict=True):
            said[number], nlls[number] = reply.tokens, nll
    assert [said[number] for number in sorted(said)] == [reply.tokens for reply in replies]
    for number, nll in nlls.items():
        expected = alone.nll(asked[number].prompt, said[number]).mean()
        assert nll == pytest.approx(expected, abs=1e-4)


def plain_logits(
    model: Path, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]
) -> list[Float64]:
    """Of plain llama_cpp, as `log_softmax`: (n_token, n_vocab) each."""
    llm = plain(model, logits_all=True, **EXACT)
    found = []
    for prompt, answer in zip(prompts, answers, strict=True):
        llm.reset()
        llm.eval([*prompt, *answer])
        found.append(log_softmax(llm.scores[len(prompt) - 1 :][: len(answer)]))
    llm.close()
    return found


def log_softmax(logits: npt.NDArray[np.float32]) -> Float64:
    wide = logits.astype(np.float64)
    return np.asarray(wide - np.log(np.exp(wide).sum(axis=1, keepdims=True)))
