"""What is added to the hidden states: bit by bit what llama.cpp itself would add."""

from __future__ import annotations

import gc
import weakref
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_bool,
    c_char_p,
    c_float,
    c_int,
    c_int64,
    c_size_t,
    c_void_p,
)
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
import pytest

import llamood
from batches import Context
from families.table import BY_NAME
from llamood import _core
from llamood.errors import ModelError, MoodError, VectorError
from llamood.voices.ggml import function
from open_voices import (
    JOY,
    PROMPT,
    Answer,
    answer,
    logits,
    plain,
    random_vectors,
    set_control_vector,
    shape_of,
    state_of,
    voice,
)

Float32 = npt.NDArray[np.float32]
GGML_TYPE_F32 = 0
COMPUTE = 2  # of enum ggml_backend_buffer_usage


class InitParams(Structure):
    """``ggml_init_params``."""

    _fields_ = (("mem_size", c_size_t), ("mem_buffer", c_void_p), ("no_alloc", c_bool))


def injector_of(llm: llamood.Llama) -> _core.Injector:
    assert llm._injection is not None
    injector = llm._injection.injector
    assert isinstance(injector, _core.Injector)
    return injector


def blend(evs: llamood.EmotionVectors, mood: dict[str, Any]) -> Float32:
    """(n_layer, n_embd), what a mood adds, mixed by the same kernel."""
    asked = llamood.Mood(mood)
    first, last = asked.layers or (0, evs.n_layer - 1)
    return _core.Bank(evs.data).blend(asked.row(evs.names), first, last)


def said_by_llama_cpp(model: Path, added: Float32, *, unsteered: int = 0) -> Answer:
    """What a fresh context of llama_cpp says, given a control vector through the public API
    before any decode, or after the first ``unsteered`` tokens of the prompt."""
    llm = plain(model)
    prompt = llm.tokenize(PROMPT.encode())
    if unsteered:
        llm.eval(prompt[:unsteered])
    set_control_vector(llm, added)
    return answer(llm, prompt)


# -- neutral is untouched -------------------------------------------------------------------


@pytest.mark.parametrize("mood", [{}, {"joy": 0}, {"joy": 0.0, "$positions": "all"}])
def test_zero_mood_is_bit_equal_to_llama_cpp(model: Path, mood: dict[str, Any]) -> None:
    theirs, ours = plain(model, logits_all=True), voice(model, logits_all=True)
    ours.feel(mood)
    assert answer(ours).equals(answer(theirs))
    assert ours.n_tokens == theirs.n_tokens > 32
    # Every row: of the prompt, and of the tokens generated.
    assert np.array_equal(ours.scores[: ours.n_tokens], theirs.scores[: ours.n_tokens])
    assert injector_of(ours).setter_calls == injector_of(ours).writes == 0


def test_neutral_again_after_a_mood_is_bit_equal_to_llama_cpp(model: Path) -> None:
    expected = answer(plain(model, logits_all=True))
    llm = voice(model, logits_all=True)
    llm.feel(joy=1.5, anger=-1)
    assert answer(llm).tokens != expected.tokens
    llm.feel()
    llm.reset()
    assert answer(llm).equals(expected)

    # Without reset(), the prompt but for its last token is still good. As llama_cpp has it:
    theirs = plain(model)
    theirs.eval(theirs.tokenize(PROMPT.encode())[:-1])
    llm = voice(model)
    llm.feel(joy=1.5)
    answer(llm)
    llm.feel()
    assert answer(llm).equals(answer(theirs))


# -- what is added --------------------------------------------------------------------------

MOODS: list[dict[str, Any]] = [
    {"joy": 1.0},
    {"joy": -0.7},
    {"joy": 0.3, "anger": 1.1},
    {"joy": 0.5, "anger": 0.5, "$blend": "shared-once"},
    {"joy": 2.0, "$layers": [2, 2]},
    {"anger": 0.8, "$layers": [0, 1]},
]


def test_every_change_in_place_is_bit_equal_to_a_fresh_context(model: Path) -> None:
    llm = voice(model)
    for mood in MOODS:
        llm.feel({**mood, "$positions": "all"})
        expected = said_by_llama_cpp(model, blend(random_vectors(model), mood))
        llm.reset()
        assert answer(llm).equals(expected), mood
    assert injector_of(llm).setter_calls == 1
    assert injector_of(llm).writes == len(MOODS) - 1  # the first came with the setter


@pytest.mark.parametrize("mood", MOODS)
def test_generated_begins_at_the_last_token_of_the_prompt(
    model: Path, mood: dict[str, Any]
) -> None:
    n_prompt = len(plain(model).tokenize(PROMPT.encode()))
    expected = said_by_llama_cpp(model, blend(random_vectors(model), mood), unsteered=n_prompt - 1)
    llm = voice(model)
    llm.feel(mood)
    assert answer(llm).equals(expected)
    assert not np.array_equal(expected.logits[0], answer(plain(model)).logits[0])


def test_generated_leaves_the_cache_of_the_prompt_untouched(model: Path) -> None:
    theirs = plain(model)
    prompt = theirs.tokenize(PROMPT.encode())
    theirs.eval(prompt[:-1])
    llm = voice(model)
    llm.feel(joy=1.0)
    answer(llm, n_token=4)
    with_answer = state_of(llm)
    llm.n_tokens = len(prompt) - 1
    llm.eval([])  # drops all that comes after
    assert state_of(llm) == state_of(theirs) != with_answer

    llm = voice(model)
    llm.feel({"joy": 1.0, "$positions": "all"})
    answer(llm, n_token=4)
    llm.n_tokens = len(prompt) - 1
    llm.eval([])
    assert state_of(llm) != state_of(theirs)


# -- what is written, and when --------------------------------------------------------------


def test_a_mood_that_changes_every_token_equals_the_setter_called_every_token(
    model: Path,
) -> None:
    evs = random_vectors(model)
    intensities = [0.1 * step for step in range(1, 21)]
    llm, theirs = voice(model), plain(model)
    prompt = llm.tokenize(PROMPT.encode())
    ours, expected = [], []

    llm.feel(joy=intensities[0])
    for _, intensity in zip(llm.generate(prompt, temp=0.0), intensities[1:], strict=False):
        ours.append(logits(llm))
        llm.feel(joy=intensity)

    theirs.eval(prompt[:-1])
    said = theirs.generate(prompt, temp=0.0)
    for intensity in intensities[:-1]:
        set_control_vector(theirs, blend(evs, {"joy": intensity}))
        next(said)
        expected.append(logits(theirs))

    assert np.array_equal(ours, expected)
    assert injector_of(llm).setter_calls == 1


def test_writes_only_when_the_blend_changed(model: Path) -> None:
    llm = voice(model)
    injector = injector_of(llm)
    llm.feel(joy=1.0)
    answer(llm)  # 32 decodes
    assert (injector.setter_calls, injector.writes) == (1, 0)

    said = llm.generate([*llm.tokenize(b"Tom"), *llm.tokenize(b" saw")], temp=0.0)
    next(said)  # off for the prompt, on for its last token
    assert injector.writes == 2
    llm.feel(joy=0.5)
    next(said)
    assert injector.writes == 3
    llm.feel({"joy": 0.5, "$blend": "sum", "anger": 0.0})  # the same blend, said otherwise
    next(said)
    assert injector.writes == 3
    llm.feel()
    list(islice(said, 3))
    assert injector.writes == 4
    assert injector.setter_calls == 1


def test_a_prompt_of_many_batches_is_steered_alike(model: Path) -> None:
    added = blend(random_vectors(model), JOY)
    n_prompt = len(plain(model).tokenize(PROMPT.encode()))
    for positions, unsteered in (("all", 0), ("generated", n_prompt - 1)):
        theirs = plain(model, n_batch=4)
        prompt = theirs.tokenize(PROMPT.encode())
        theirs.eval(prompt[:unsteered])
        set_control_vector(theirs, added)
        llm = voice(model, n_batch=4)
        llm.feel({**JOY, "$positions": positions})
        assert len(prompt) > 8
        assert answer(llm).equals(answer(theirs))


class Node:
    """``l_out-LAYER`` of a graph, the sum of a row and of another that is called ``name`` and lies
    where the scheduler puts copies."""

    def __init__(self, layer: int, name: str, n_embd: int) -> None:
        params = InitParams(4 * 512, None, True)
        ctx = function("ggml-base", "ggml_init", InitParams)(params)
        row = function("ggml-base", "ggml_new_tensor_1d", c_void_p, c_int, c_int64)
        add = function("ggml-base", "ggml_add", c_void_p, c_void_p, c_void_p)
        called = function("ggml-base", "ggml_set_name", c_void_p, c_char_p)
        self._row = row(ctx, GGML_TYPE_F32, n_embd)
        self.address = add(ctx, row(ctx, GGML_TYPE_F32, n_embd), self._row)
        called(self._row, name.encode())
        called(self.address, f"l_out-{layer}".encode())
        on_host = function("ggml-base", "ggml_backend_cpu_buffer_type")()
        allocate = function(
            "ggml-base", "ggml_backend_alloc_ctx_tensors_from_buft", c_void_p, c_void_p
        )
        use = function("ggml-base", "ggml_backend_buffer_set_usage", c_void_p, c_int, result=None)
        use(allocate(ctx, on_host), COMPUTE)
        self._n_embd = n_embd

    def numbers(self) -> Float32:
        """(n_embd,) of that other row."""
        data = function("ggml-base", "ggml_get_data_f32", c_void_p, result=POINTER(c_float))
        return np.ctypeslib.as_array(data(self._row), shape=(self._n_embd,))


def test_a_copy_of_a_vector_is_written_and_one_of_the_residual_stream_is_not(
    random_chat: Path,
) -> None:
    """Where the scheduler computes a block's last sum on another device than its vector lies on,
    both look the same but for the names that it gives them."""
    evs = random_vectors(random_chat)
    with Context(random_chat, n_sequence=1) as ctx:
        ask = CFUNCTYPE(c_bool, c_void_p, c_bool, c_void_p)(ctx.watch.callback)
        injector = _core.Injector(ctx.watch, ctx.address)
        injector.apply(_core.Bank(evs.data), [0.0, 1.0], 1, 3)
        vector, stream = Node(1, "GPU#leaf_9#0", 64), Node(2, "GPU#l_out-1#0", 64)
        for node in (vector, stream):
            node.numbers()[:] = 7
            assert not ask(node.address, True, ctx.watch.user_data)
        injector.apply(_core.Bank(evs.data), [0.0, 0.5], 1, 3)
        for node in (vector, stream):
            assert not ask(node.address, True, ctx.watch.user_data)
        assert np.array_equal(vector.numbers(), np.float32(0.5) * evs["joy"][1])
        assert (stream.numbers() == 7).all()
        assert injector.missing_layers() == [2, 3]
        assert (injector.setter_calls, injector.writes) == (1, 1)
        injector.close()


# -- what is refused ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ignoring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return BY_NAME["plamo2"].write(tmp_path_factory.mktemp("ignoring") / "plamo2.gguf")


def test_a_model_whose_graph_takes_no_vector_is_refused(ignoring: Path) -> None:
    data = np.random.default_rng(0).standard_normal((1, *shape_of(ignoring)))
    emotions = llamood.EmotionVectors(("joy",), data, ceiling=(1.0,))
    with pytest.raises(
        ModelError, match=r"'plamo2' graph ignores control vectors: .* 3 of 3"
    ) as no:
        voice(ignoring, emotions=emotions)
    assert "use a model of another architecture" in str(no.value)

    # Such a model is really one that llama.cpp's own setter does nothing to, without a word.
    theirs = plain(ignoring)
    set_control_vector(theirs, data[0])
    assert answer(theirs).equals(answer(plain(ignoring)))


def test_layers_where_nothing_can_be_added_are_refused(random_chat: Path) -> None:
    llm = voice(random_chat)
    with pytest.raises(MoodError, match="layers 2 to 4, but the model has layers 0 to 3"):
        llm.feel({"joy": 1, "$layers": [2, 4]})
    with pytest.raises(MoodError, match="adds nothing at layer 0"):
        llm.feel({"joy": 1, "$layers": [0, 0]})
    assert llm.mood.is_neutral


def test_what_does_not_fit_the_context_is_refused(random_chat: Path) -> None:
    llm = voice(random_chat)
    injector = injector_of(llm)
    n_layer, n_embd = shape_of(random_chat)
    narrow = _core.Bank(np.zeros((1, n_layer, n_embd - 1), np.float32))
    with pytest.raises(ValueError, match="4 layers of width 63, the model has 4 of width 64"):
        injector.apply(narrow, [1.0], 0, 3)
    fitting = _core.Bank(np.zeros((2, n_layer, n_embd), np.float32))
    with pytest.raises(ValueError, match="expected 2 weights, found 1"):
        injector.apply(fitting, [1.0], 0, 3)
    llm.close()
    for use in (injector.rest, lambda: injector.apply(fitting, [1, 1], 0, 3)):
        with pytest.raises(RuntimeError, match="the context is closed"):
            use()


# -- and given back -------------------------------------------------------------------------


@pytest.mark.slow
def test_opened_and_closed_200_times_leaks_nothing(random_chat: Path) -> None:
    process = psutil.Process()
    evs = random_vectors(random_chat)
    used: list[int] = []
    files: list[int] = []
    for _ in range(240):
        llm = voice(random_chat, emotions=evs, n_ctx=64, n_batch=64)
        assert len(answer(llm, "Hi", n_token=2).tokens) == 2
        llm("Hi", max_tokens=2, mood=JOY)
        llm.close()
        llm.close()  # twice is once
        used.append(process.memory_info().rss)
        files.append(process.num_fds() if hasattr(process, "num_fds") else 0)
    # A voice of this size takes 2.7 MiB: of 200, three that stay would show.
    assert max(used[-20:]) - max(used[20:40]) < 8 * 2**20
    assert len(set(files[40:])) == 1


def test_what_is_compiled_goes_with_the_voice(random_chat: Path) -> None:
    llm = voice(random_chat)
    answer(llm)
    parts = [weakref.ref(part) for part in (llm, injector_of(llm), llm._injection, llm._watch)]
    assert all(part() is not None for part in parts)
    del llm
    gc.collect()
    assert all(part() is None for part in parts)


def opened_files() -> list[tuple[str, int]]:
    """Without positions: in a file that others write to, such as a log, it moves."""
    return [(file.path, file.fd) for file in psutil.Process().open_files()]


def test_a_voice_that_could_not_be_made_leaves_nothing_open(random_chat: Path) -> None:
    wrong = llamood.EmotionVectors(("joy",), np.ones((1, 2, 3)))
    before = opened_files()
    for _ in range(3):
        with pytest.raises(VectorError):
            voice(random_chat, emotions=wrong)
    assert opened_files() == before


def test_without_emotions_nothing_is_watched(random_chat: Path) -> None:
    llm = voice(random_chat, emotions=None)
    assert not llm.context_params.cb_eval
    assert voice(random_chat).context_params.cb_eval
    assert answer(llm).equals(answer(plain(random_chat)))
