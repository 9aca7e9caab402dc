"""Where vectors are added: one voice between attention and MLP, in every layer."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest
from llama_cpp.llama_speculative import LlamaPromptLookupDecoding

import llamood
import tiny_chat
from batches import Context, Row, prompt
from families.table import FAMILIES
from llamood import _core
from llamood.errors import ModelError, MoodError, MoodWarning
from llamood.moods.steering import Steering
from llamood.moods.steering_vectors import SteeringVectors
from llamood.vectors.measurement import Measurement
from llamood.voices.cast import Cast
from open_voices import JOY, PROMPT, SETTINGS, Answer, answer, logits, plain, random_vectors, voice
from other_models import KINDS, Kind, write_other_model

GREEDY: dict[str, Any] = {"max_tokens": 24, "temperature": 0.0}
FLOAT32_CACHE = {"type_k": llama_cpp.GGML_TYPE_F32, "type_v": llama_cpp.GGML_TYPE_F32}


def there(model: Path, **settings: Any) -> llamood.Llama:
    """A voice that adds between attention and MLP."""
    return voice(model, **{"site": "attn_out", **settings})


def measured_there(model: Path) -> llamood.EmotionVectors:
    return replace(random_vectors(model), measurement=Measurement(site="attn_out"))


def row_injector_of(llm: llamood.Llama) -> _core.RowInjector:
    assert llm._injection is not None
    injector = llm._injection.injector
    assert isinstance(injector, _core.RowInjector)
    return injector


def by_hand(
    model: Path, weights: list[float], *, first: int = 0, everywhere: bool = False
) -> Answer:
    """16 tokens of a context whose rows are added to by hand, from the last token of the prompt
    on or ``everywhere``."""
    tokens = plain(model).tokenize(PROMPT.encode())
    bank = _core.Bank(random_vectors(model).data)
    # llama_cpp asks for no flash attention, which sums in another order.
    settings = {"n_sequence": 1, "flash_attn_type": llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED}
    with Context(model, node="ffn_inp", **settings) as ctx:
        rows = prompt(tokens)
        if not everywhere:
            ctx.decode(prompt(tokens[:-1]))
            rows = rows[-1:]
        ctx.injector.apply(bank, weights, first, bank.n_layer - 1)
        heard = ctx.decode(rows)
        said, scores = [], []
        for position in range(len(tokens), len(tokens) + 16):
            scores.append(heard[0])
            said.append(int(heard[0].argmax()))
            heard = ctx.decode([Row(said[-1], position)])
        return Answer(said, np.array(scores))


# -- what is added --------------------------------------------------------------------------


def test_the_last_token_of_the_prompt_and_each_one_said(model: Path) -> None:
    llm = there(model)
    assert llm.site == "attn_out"
    llm.feel(joy=1.0, anger=-0.5)
    said = answer(llm, n_token=16)
    assert said.equals(by_hand(model, [-0.5, 1.0]))
    elsewhere = voice(model)
    elsewhere.feel(joy=1.0, anger=-0.5)
    assert not np.array_equal(said.logits[0], answer(elsewhere, n_token=1).logits[0])


def test_all_positions(model: Path) -> None:
    llm = there(model)
    llm.feel({"joy": 1.0, "$positions": "all"})
    assert answer(llm, n_token=16).equals(by_hand(model, [0.0, 1.0], everywhere=True))


def test_layers_are_respected_and_the_first_is_one(model: Path) -> None:
    neutral = answer(there(model), n_token=1).logits
    llm = there(model)
    for layers in ([0, 0], [1, 2]):
        llm.feel({"joy": 1.0, "$layers": layers})
        before = row_injector_of(llm).n_stop
        moved = answer(llm, n_token=1).logits
        assert not np.array_equal(moved, neutral)
        assert row_injector_of(llm).n_stop - before == layers[1] - layers[0] + 1
    llm = there(model)
    llm.feel({"joy": 1.0, "$layers": [1, llm.emotions.n_layer - 1]})  # type: ignore[union-attr]
    assert answer(llm, n_token=16).equals(by_hand(model, [0.0, 1.0], first=1))
    with pytest.raises(MoodError, match="adds nothing at layer 0 at site layer_out"):
        voice(model).feel({"joy": 1.0, "$layers": [0, 0]})


def test_neutral_is_untouched_before_and_after_a_mood(model: Path) -> None:
    llm = there(model, logits_all=True)
    expected = answer(plain(model, logits_all=True))
    assert answer(llm).equals(expected)
    assert row_injector_of(llm).n_stop == 0
    llm.feel(joy=1.0)
    assert answer(llm).tokens != expected.tokens
    stops = row_injector_of(llm).n_stop
    llm.feel()
    llm.reset()
    assert answer(llm).equals(expected)
    assert row_injector_of(llm).n_stop == stops


def test_a_prompt_in_many_batches(model: Path) -> None:
    for positions in ("all", "generated"):
        mood = {**JOY, "$positions": positions}
        split, whole = there(model, n_batch=4, **FLOAT32_CACHE), there(model, **FLOAT32_CACHE)
        split.feel(mood)
        whole.feel(mood)
        ours, theirs = answer(split, n_token=8), answer(whole, n_token=8)
        assert np.abs(ours.logits[0] - theirs.logits[0]).max() < 1e-3


# -- moods that change ----------------------------------------------------------------------

SCHEDULES: dict[str, dict[str, Any]] = {
    "rise": {"joy": {"ramp": [0, 1.2], "over": 12}},
    "steps": {"joy": {"keys": [[0, 1], [6, 0], [12, -1]], "ease": "step"}, "$layers": [0, 2]},
    "wave": {"anger": {"wave": [-0.5, 1.0], "period": 5}, "$positions": "all"},
    "inert": {"joy": 1.0, "$inertia": 6},
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_is_what_a_mood_set_for_each_token_is(model: Path, name: str) -> None:
    llm = there(model)
    answer(llm, n_token=1)
    heard = llm(PROMPT, mood=SCHEDULES[name], trace=True, **GREEDY)
    trace = heard["llamood"]["trace"]
    rows = [
        dict(zip(trace["emotions"], token["applied"], strict=True)) for token in trace["tokens"]
    ]
    settings = {k: v for k, v in SCHEDULES[name].items() if k in ("$layers", "$positions")}

    told = there(model)
    said: list[int] = []
    told.feel({**rows[0], **settings})
    stream = told.generate(told.tokenize(PROMPT.encode()), temp=0.0)
    for token, row in zip(stream, [*rows[1:], {}], strict=False):
        said.append(token)
        told.feel({**row, **settings})
    assert told.detokenize(said).decode(errors="ignore") == heard["choices"][0]["text"]


def test_a_schedule_leaves_the_fast_path_alone(model: Path) -> None:
    llm = there(model)
    llm.feel(SCHEDULES["rise"])
    stream = llm.generate(llm.tokenize(PROMPT.encode()), temp=0.0)
    list(islice(stream, 4))
    assert llm.n_tokens in llm._told
    assert row_injector_of(llm).n_blend > 1


def test_a_draft_model_changes_nothing_but_speed(model: Path) -> None:
    draft = LlamaPromptLookupDecoding(num_pred_tokens=4)
    for mood in (JOY, SCHEDULES["steps"]):
        drafting = there(model, draft_model=draft, logits_all=True)
        for _ in range(2):
            said = drafting(PROMPT, mood=mood, **GREEDY)["choices"][0]["text"]
            assert said == there(model)(PROMPT, mood=mood, **GREEDY)["choices"][0]["text"]


def test_the_guard_rescues(random_chat: Path, stories: Path) -> None:
    """Of models of random weights, and one of almost no parameters, some answers collapse."""
    n_rescued = 0
    for model in (random_chat, stories):
        for strength in (0.5, 1.0, 1.5):
            llm, mood = there(model, guard=True), {"joy": strength}
            said = llm(PROMPT, mood=mood, max_tokens=160, temperature=0.0, trace=True)["llamood"]
            joy = np.array([token["applied"][1] for token in said["trace"]["tokens"]])
            rescued = "guard" in said
            if rescued:
                kept = [rescue["kept"] for rescue in said["guard"]["rescues"]]
                assert (joy[: min(kept)] == np.float32(strength)).all()
                assert (joy[kept[-1] :] <= strength * said["guard"]["factor"] + 1e-6).all()
            else:
                assert (joy == np.float32(strength)).all()
            n_rescued += rescued
    assert n_rescued


# -- what is cached -------------------------------------------------------------------------


def test_an_answer_depends_on_the_mood_of_now_alone(model: Path) -> None:
    moods: list[dict[str, Any]] = [{}, JOY, {"anger": 1}, {**JOY, "$positions": "all"}, {}, JOY]
    llm = there(model, **FLOAT32_CACHE)
    for mood in moods:
        fresh = there(model, **FLOAT32_CACHE)
        fresh.feel(mood)
        llm.feel(mood)
        ours, theirs = answer(llm, n_token=8), answer(fresh, n_token=8)
        assert ours.tokens == theirs.tokens
        assert np.abs(ours.logits - theirs.logits).max() < 1e-3


def test_what_was_cached_at_one_site_is_not_used_at_the_other(model: Path) -> None:
    evs = random_vectors(model)
    keys = set()
    for site in ("layer_out", "attn_out"):
        for mood in (JOY, {**JOY, "$layers": [1, 2]}):
            steering = Steering(llamood.Mood(mood), SteeringVectors.of(evs, site=site))
            assert steering.still is not None
            keys.add(steering.still.key)
    assert len(keys) == 4

    mood = {**JOY, "$positions": "all"}
    here, other, fresh = (voice(model, site=site, **FLOAT32_CACHE) for site in
                          ("layer_out", "attn_out", "attn_out"))  # fmt: skip
    for llm in (here, other, fresh):
        llm.feel(mood)
    answer(here, n_token=8)
    other.load_state(here.save_state())
    theirs, ours = answer(fresh, n_token=8), answer(other, n_token=8)
    assert np.abs(ours.logits - theirs.logits).max() < 1e-3


def test_likelihoods_and_embeddings_are_unsteered(random_chat: Path) -> None:
    llm, unsteered = there(random_chat), plain(random_chat, logits_all=True)
    tokens = unsteered.tokenize(PROMPT.encode())
    llm.feel(JOY)
    answer(llm, n_token=4)
    stops = row_injector_of(llm).n_stop
    expected = voice(random_chat).nll(tokens[:8], tokens[8:])
    assert np.array_equal(llm.nll(tokens[:8], tokens[8:]), expected)
    assert row_injector_of(llm).n_stop == stops


def test_pickled_and_closed(random_chat: Path) -> None:
    llm = there(random_chat)
    again = pickle.loads(pickle.dumps(llm))
    assert again.site == "attn_out"
    said, expected = (each(PROMPT, mood=JOY, **GREEDY)["choices"] for each in (again, llm))
    assert said == expected
    injector = row_injector_of(llm)
    llm.close()
    llm.close()
    with pytest.raises(RuntimeError, match="the context is closed"):
        injector.apply(_core.Bank(random_vectors(random_chat).data), [1, 1], 0, 3)


# -- which site -----------------------------------------------------------------------------


def test_vectors_are_added_where_they_were_measured(random_chat: Path, tmp_path: Path) -> None:
    evs = measured_there(random_chat)
    llamood.save(evs, tmp_path / "evs")
    for emotions in (evs, tmp_path / "evs"):  # and no warning, or the test fails
        assert voice(random_chat, emotions=emotions).site == "attn_out"
    assert voice(random_chat).site == "layer_out"
    assert voice(random_chat, emotions=None).site is None
    with pytest.warns(UserWarning, match="one MLP late: usable, not identical$"):
        llm = voice(random_chat, emotions=evs, site="layer_out")
    assert llm.site == "layer_out"


def test_an_architecture_without_a_known_place(tmp_path: Path) -> None:
    family = next(family for family in FAMILIES if family.arch == "phi3")
    model = family.write(tmp_path / "phi3.gguf")
    with pytest.raises(ModelError, match=r"'phi3' graph has no known place.*site='layer_out'"):
        there(model)
    message = "usable, not identical, as llama.cpp's 'phi3' graph has no known place"
    with pytest.warns(UserWarning, match=message):
        llm = voice(model, emotions=measured_there(model))
    assert llm.site == "layer_out"


def test_what_does_not_go_together_is_refused(random_chat: Path) -> None:
    with pytest.raises(ModelError, match="site is 'mlp', expected one of layer_out, attn_out"):
        there(random_chat, site="mlp")
    with pytest.raises(ModelError, match="a site needs emotions"):
        there(random_chat, emotions=None)
    with pytest.raises(ModelError, match="readings are corrected for what is added at layer_out"):
        llamood.Llama(
            tiny_chat.MODEL,
            emotions=tiny_chat.VECTORS,
            site="attn_out",
            readings=True,
            **SETTINGS,
        )


@pytest.mark.parametrize("kind", KINDS)
def test_the_place_is_between_attention_and_mlp(tmp_path: Path, kind: Kind) -> None:
    """Where the MLP gives nothing, adding before it is adding after it, to the bit; where it does,
    it is not, unless it runs beside the attention."""
    for mlp in (False, True):
        model = write_other_model(tmp_path / f"{kind}-{mlp}.gguf", kind, mlp=mlp)
        before, after = there(model), voice(model)
        for llm in (before, after):
            llm.feel({"joy": 1.0, "$layers": [1, 2]})
        same = answer(before, n_token=8).equals(answer(after, n_token=8))
        assert same == (kind == "phi2" or not mlp)
        assert not np.array_equal(logits(before), logits(plain_said(model)))


def plain_said(model: Path) -> llama_cpp.Llama:
    llm = plain(model)
    answer(llm, n_token=8)
    return llm


def test_a_model_that_lacks_the_place_of_its_architecture(tmp_path: Path) -> None:
    model = write_other_model(tmp_path / "parallel.gguf", "gptneox-parallel")
    message = r"'gptneox' graph has no place for site attn_out in 3 of 3 layers.*site='layer_out'"
    with pytest.raises(ModelError, match=message):
        there(model)
    with pytest.raises(ModelError, match=message), Cast(model, emotions=measured_there(model)):
        pass


def test_vectors_of_this_site_that_were_measured() -> None:
    folder = tiny_chat.VECTORS / "attn_out"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        llm = llamood.Llama(tiny_chat.MODEL, emotions=folder, **SETTINGS)
    assert llm.site == "attn_out"
    said = {
        str(mood): llm("Hello", mood=mood, **GREEDY)["choices"][0]["text"]
        for mood in (
            {},
            {"joy": 1.5, "$max": 3},
            {"sadness": 1.5, "$max": 3},
            {"joy": 0.8, "$dose": "relative", "$layers": [0, 1], "$max": 3},
        )
    }
    assert len(set(said.values())) == len(said)


# -- where nothing is to be added -----------------------------------------------------------


def silent_in_places(model: Path) -> llamood.EmotionVectors:
    """Zero in layer 1, and joy is anger the other way round."""
    evs = random_vectors(model)
    data = np.stack([evs.data[0], -evs.data[0]])
    data[:, 1] = 0
    return replace(evs, data=data)


SILENT = [{"joy": 1.0, "$layers": (1, 1)}, {"joy": 1.0, "anger": 1.0}]


@pytest.mark.parametrize("mood", SILENT)
@pytest.mark.parametrize("site", ["layer_out", "attn_out"])
def test_a_mood_that_adds_nothing_is_said_to_and_no_fault_of_the_model(
    random_chat: Path, mood: Any, site: Any
) -> None:
    """What adds something is felt afterwards."""
    evs = silent_in_places(random_chat)
    llm = voice(random_chat, emotions=evs, site=site)
    unsteered = llm(PROMPT, **GREEDY)
    with pytest.warns(MoodWarning, match="nothing is added of what was asked for: in layers"):
        assert text_of(llm(PROMPT, mood=mood, **GREEDY)) == text_of(unsteered)
    assert text_of(llm(PROMPT, mood=JOY, **GREEDY)) != text_of(unsteered)


@pytest.mark.parametrize("mood", SILENT)
def test_so_it_is_in_a_cast(random_chat: Path, mood: Any) -> None:
    evs = silent_in_places(random_chat)
    how = {"max_tokens": 8, "temperature": 0.0}
    with Cast(random_chat, emotions=evs, voices=2, n_ctx=128, guard=False, verbose=False) as cast:
        neutral, silent = cast.join(**how), cast.join(**how)
        told = {neutral: "", silent: ""}
        with pytest.warns(MoodWarning, match="nothing is added of what was asked for"):
            cast.feel(silent, mood)
        for event in cast.say(dict.fromkeys(told, "Hello")):
            told[event.voice] += event.text
        assert told[neutral] == told[silent]


def text_of(result: Any) -> str:
    return str(result["choices"][0]["text"])
