"""What a grammar draws is what llama.cpp's own samplers draw, and nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llama_cpp
import pytest

from llama_gguf import LlamaShape, byte_tokenizer, random_weights, write_llama
from llamood.voices.cast import Cast
from llamood.voices.event import Event
from open_voices import plain, random_vectors

N_VOCAB = 12_000  # beyond what is judged in one piece, and far more than is judged first
EXACT: dict[str, Any] = {"type_k": 0, "type_v": 0, "n_threads": 1, "n_threads_batch": 1}
SAMPLING: dict[str, dict[str, Any]] = {
    "greedy": {"temperature": 0.0},
    "the likeliest": {"temperature": 0.9, "top_k": 40, "top_p": 0.95, "min_p": 0.05},
    "all": {"temperature": 0.9, "top_k": 0, "top_p": 0.99, "min_p": 0.0},
    "as they are": {"temperature": -1.0},
    "typical": {"temperature": 0.8, "typical_p": 0.7},
    "penalised": {"temperature": 0.7, "repeat_penalty": 1.6, "presence_penalty": 0.5},
}
GRAMMARS = {
    "nearly anything": "root ::= [^\\x00]{200}",
    "what few tokens begin": 'root ::= ("{" [ \\t]* "}" | " t" | [\u00e4-\u00fc]){40}',
    "what is unlikely": 'root ::= (" f" [0-9] "77" [0-9]? | [xyz]){40}',
}
# Hundreds of ways in which each of many tokens fits, at every token: as long as many steps.
WIDE = "root ::= one{9}\none ::= " + " | ".join(f'(" f" [0-9]+)+ "w{i:03}"' for i in range(700))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random llama with many tokens."""
    shape = LlamaShape(
        n_layer=2, n_embd=64, n_ff=64, n_head=2, n_head_kv=2, n_vocab=N_VOCAB, n_ctx=512
    )
    path = tmp_path_factory.mktemp("drawing") / "many-tokens.gguf"
    write_llama(
        path,
        shape,
        random_weights(shape, seed=1, scale=0.2),
        tokenizer=byte_tokenizer(N_VOCAB),
        quant="f32",
        name="many tokens",
    )
    return path


@pytest.fixture(scope="module")
def cast(model: Path) -> Iterator[Cast]:
    settings = {"emotions": random_vectors(model), "voices": 3, "n_ctx": 256, **EXACT}
    with Cast(model, verbose=False, **settings) as cast:
        yield cast


def drawn_by_llama_cpp(
    llm: llama_cpp.Llama, prompt: list[int], grammar: str, n: int, **how: Any
) -> list[int]:
    """By a chain of its own."""
    vocab, temperature = llm._model.vocab, how.get("temperature", 0.2)
    chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
    made = [
        llama_cpp.llama_sampler_init_penalties(
            llm.n_vocab(), 64, how.get("repeat_penalty", 1.0), 0.0, how.get("presence_penalty", 0.0)
        ),
        llama_cpp.llama_sampler_init_grammar(vocab, grammar.encode(), b"root"),
    ]
    if temperature > 0:
        made += [
            llama_cpp.llama_sampler_init_top_k(how.get("top_k", 40)),
            llama_cpp.llama_sampler_init_typical(how.get("typical_p", 1.0), 1),
            llama_cpp.llama_sampler_init_top_p(how.get("top_p", 0.95), 1),
            llama_cpp.llama_sampler_init_min_p(how.get("min_p", 0.05), 1),
            llama_cpp.llama_sampler_init_temp(temperature),
        ]
    last = llama_cpp.llama_sampler_init_greedy
    made.append(last() if temperature == 0 else llama_cpp.llama_sampler_init_dist(how["seed"]))
    for sampler in made:
        llama_cpp.llama_sampler_chain_add(chain, sampler)
    llm.reset()
    llm.eval(prompt)
    said = []
    for _ in range(n):
        said.append(llama_cpp.llama_sampler_sample(chain, llm.ctx, -1))
        llm.eval(said[-1:])
    llama_cpp.llama_sampler_free(chain)
    return said


# Where fewer tokens fit than top_k takes, llama.cpp's typical_p works with those of no probability,
# too, which makes its sums no numbers.
@pytest.mark.parametrize(
    ("kind", "grammar"),
    [
        (kind, grammar)
        for kind in SAMPLING
        for grammar in GRAMMARS
        if (kind, grammar) != ("typical", "what few tokens begin")
    ],
)
def test_it_draws_what_llama_cpp_draws(cast: Cast, model: Path, kind: str, grammar: str) -> None:
    how = {**SAMPLING[kind], "seed": 5}
    prompt = cast.prompt("Bread is")
    voice = cast.join()
    asked = {**how, "max_tokens": 16, "grammar": GRAMMARS[grammar]}
    said = [event.token for event in cast.answer(prompt, among=[voice], **asked)]
    cast.leave(voice)
    assert len(said) == 16
    expected = drawn_by_llama_cpp(plain(model, **EXACT), prompt, GRAMMARS[grammar], 16, **how)
    assert said == expected


def test_nobody_waits_for_what_a_grammar_draws(cast: Cast) -> None:
    prompt = cast.prompt("Bread is")
    how: dict[str, Any] = {"temperature": -1.0, "seed": 5}
    formed, other, third = (cast.join() for _ in range(3))
    by_grammar = {**how, "max_tokens": 4, "grammar": WIDE}
    alone = [event.token for event in cast.answer(prompt, among=[formed], **by_grammar)]
    assert len(alone) == 4
    said: list[str] = []
    tokens: list[int | None] = []
    one = cast.answer(prompt, among=[formed], **by_grammar)
    streams = {
        voice: cast.answer(cast.prompt(text), among=[voice], max_tokens=200, **how)
        for voice, text in ((other, "Rye is"), (third, "Oats are"))
    }
    while formed.is_speaking and cast.step():
        drawn = one.take()
        tokens += [event.token for event in drawn]
        said += ["formed"] * len(drawn)
        said += ["other"] * sum(len(stream.take()) for stream in streams.values())
    for stream in streams.values():
        stream.close()
    assert tokens == alone
    assert said.index("formed") >= 2  # in one step at least others have spoken, and it was drawn on
    for voice in (formed, other, third):
        cast.leave(voice)


def test_who_rests_in_the_middle_of_a_draw_begins_anew(cast: Cast) -> None:
    prompt = cast.prompt("Bread is")
    how: dict[str, Any] = {"temperature": -1.0, "seed": 5}
    formed, other = cast.join(), cast.join()
    by_grammar = {**how, "max_tokens": 3, "grammar": WIDE}
    alone = [event.token for event in cast.answer(prompt, among=[formed], **by_grammar)]
    beside = cast.answer(cast.prompt("Rye is"), among=[other], max_tokens=200, **how)
    one = cast.answer(prompt, among=[formed], **by_grammar)
    cast.step()
    assert not one.take()  # it is being drawn
    one.close()
    again = cast.answer(prompt, among=[formed], **by_grammar)
    assert [event.token for event in again] == alone
    assert other.is_speaking
    beside.close()
    for voice in (formed, other):
        cast.leave(voice)


def test_a_mood_that_changes_in_the_middle_of_a_draw_is_felt_after_it(cast: Cast) -> None:
    """What is drawn then follows on a token that is decoded already."""
    how: dict[str, Any] = {"temperature": -1.0, "seed": 5}
    formed, other = cast.join(), cast.join()
    beside = cast.answer(cast.prompt("Rye is"), among=[other], max_tokens=200, **how)
    prompt = cast.prompt("Bread is")
    one = cast.answer(prompt, among=[formed], max_tokens=4, grammar=WIDE, **how)
    events: list[Event] = []
    while not events:
        cast.step()
        events += one.take()
    cast.step()
    assert not one.take()  # the second is being drawn
    cast.feel(formed, joy=1.0)
    while formed.is_speaking:
        cast.step()
        events += one.take()
    assert [event.mood.get("joy", 0.0) for event in events] == [0, 0, 1, 1]
    assert [key != 0 for key in formed._core.keys[len(prompt) :]] == [False, True, True]
    beside.close()
    for voice in (formed, other):
        cast.leave(voice)
