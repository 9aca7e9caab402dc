"""The value: its laws, what it refuses, and which model it fits."""

from __future__ import annotations

import copy
import math
import pickle
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from llamood.errors import VectorError
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.measurement import Measurement

NAMES = ("anger", "fear", "joy", "sadness")
WHOLE = st.integers(-(2**10), 2**10)  # sums and products of these are exact in float32

laws = settings(max_examples=40, deadline=None)


@st.composite
def sets(draw, n=1, names=None):
    """n sets of vectors with equal names, shape and site, made of whole numbers."""
    names = names or NAMES[: draw(st.integers(1, 4))]
    shape = (len(names), draw(st.integers(1, 4)), draw(st.integers(1, 5)))
    return [
        EmotionVectors(names, draw(arrays(np.float32, shape, elements=WHOLE))) for _ in range(n)
    ]


def evs_of(*rows, **known):
    """Vectors of one layer and width 2, named in order."""
    data = np.array(rows, dtype=np.float32)[:, np.newaxis, :]
    return EmotionVectors(NAMES[: len(rows)], data, **known)


def same(a, b):
    return a.names == b.names and np.array_equal(a.data, b.data)


@laws
@given(sets(n=3))
def test_addition_is_commutative_and_associative(evs):
    a, b, c = evs
    assert same(a + b, b + a)
    assert same((a + b) + c, a + (b + c))


@laws
@given(sets(n=2))
def test_subtraction_undoes_addition(evs):
    a, b = evs
    assert same((a + b) - b, a)
    assert same(a - b, a + b * -1)
    assert not (a - a).data.any()


@laws
@given(sets(n=2), WHOLE, WHOLE)
def test_multiplication_distributes(evs, x, y):
    a, b = evs
    assert same((a + b) * x, a * x + b * x)
    assert same(a * x + a * y, a * (x + y))
    assert same(x * a, a * x)
    assert same(a * 1, a)


@laws
@given(sets(), st.data())
def test_a_mapping_multiplies_by_name(evs, data):
    (a,) = evs
    factors = data.draw(st.dictionaries(st.sampled_from(a.names), WHOLE))
    product = a * factors
    for name in a.names:
        assert np.array_equal(product[name], a[name] * np.float32(factors.get(name, 1)))


@laws
@given(sets())
def test_centred_vectors_and_base_make_up_the_whole(evs):
    (a,) = evs
    base = a.base()
    assert base.names == ("base",)
    np.testing.assert_allclose(a.centered().data + base.data, a.data, atol=1e-3)
    np.testing.assert_allclose(a.centered().base().data, 0, atol=1e-3)
    np.testing.assert_allclose(a.centered().centered().data, a.centered().data, atol=1e-3)


@laws
@given(sets(names=NAMES), st.permutations(NAMES), st.integers(1, 3))
def test_what_is_taken_apart_can_be_merged_again(evs, order, cut):
    (a,) = evs
    merged = a.select(order[:cut]).merge(a.select(order[cut:]))
    assert merged.names == tuple(order)
    assert same(merged.select(NAMES), a)


@laws
@given(sets())
def test_renaming_there_and_back_changes_nothing(evs):
    (a,) = evs
    there = {name: name.upper() for name in a.names}
    back = {new: old for old, new in there.items()}
    assert same(a.rename(there).rename(back), a)
    assert np.array_equal(a.rename(there).data, a.data)


@laws
@given(sets())
def test_norms_and_cosines_are_those_of_linear_algebra(evs):
    (a,) = evs
    assert a.norms().shape == (a.n_emotion, a.n_layer)
    np.testing.assert_allclose(a.norms() ** 2, (a.data.astype(float) ** 2).sum(axis=2))
    cosines = a.cosines()
    np.testing.assert_allclose(cosines, cosines.T)
    zero = ~a.data.any(axis=(1, 2))
    np.testing.assert_allclose(np.diag(cosines), np.where(zero, 0.0, 1.0))
    np.testing.assert_allclose((a * 3).cosines(), cosines, atol=1e-12)


def test_cosines_with_the_base():
    evs = evs_of([2, 0], [0, 2])
    np.testing.assert_allclose(evs.cosines(evs.base()), [[math.sqrt(0.5)]] * 2)
    np.testing.assert_allclose(evs.cosines(), np.eye(2))


def test_the_data_is_a_read_only_copy_of_float32():
    source = np.ones((1, 2, 3), dtype=np.float64, order="F")
    evs = EmotionVectors(("joy",), source)
    source[:] = 7
    assert evs.data.dtype == np.float32
    assert evs.data.flags.c_contiguous
    assert evs.data.max() == 1
    with pytest.raises(ValueError, match="read-only"):
        evs.data[0, 0, 0] = 2
    with pytest.raises(ValueError, match="read-only"):
        evs["joy"][0] = 2
    with pytest.raises(FrozenInstanceError):
        evs.names = ("fear",)


def test_copies_stay_equal_and_read_only():
    evs = evs_of([1, 2], pairs=(7,), measurement=Measurement(site="attn_out"))
    for other in (copy.deepcopy(evs), pickle.loads(pickle.dumps(evs))):
        assert same(other, evs)
        assert (other.pairs, other.measurement) == (evs.pairs, evs.measurement)
        assert not other.data.flags.writeable


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int8, np.uint16])
def test_any_real_type_is_taken(kind):
    assert EmotionVectors(("joy",), np.full((1, 2, 2), 3, dtype=kind)).data.max() == 3


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.ones((1, 2)), r"shape.*n_emotion"),
        (np.ones((1, 0, 2)), r"shape.*n_layer"),
        (np.ones((2, 2, 2)), r"2 vectors.*1 names"),
        (np.ones((1, 2, 2), dtype=bool), r"type bool.*real"),
        (np.ones((1, 2, 2), dtype=complex), r"complex.*real"),
        ([[[1, 2], [3]]], r"not one array"),
        (np.full((1, 2, 2), np.nan), r"NaN.*joy at layer 0"),
        (np.full((1, 2, 2), -np.inf), r"infinity.*layer 1"),
        (np.full((1, 2, 2), 1e39), r"too large for float32"),
    ],
)
def test_data_that_is_refused(data, words):
    with pytest.raises(VectorError, match=words):
        EmotionVectors(("joy",), data)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("joy", "joy"), r"joy.*more than once"),
        (("joy", ""), r"no name.*empty"),
        (("joy", " fear"), r"no name.*blanks"),
        (("joy", "fe\nar"), r"control characters"),
        (("joy", 3), r"3 is no name"),
        ("ab", r"'ab', expected one name"),
        ((), r"no emotion"),
    ],
)
def test_names_that_are_refused(names, words):
    with pytest.raises(VectorError, match=words):
        EmotionVectors(names, np.ones((2, 1, 2)))


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"pairs": (-1,)}, r"pairs is -1"),
        ({"pairs": (True,)}, r"pairs is True"),
        ({"pairs": (1, 2)}, r"pairs has 2 entries.*1 emotions"),
        ({"scale": (math.inf,)}, r"scale.*finite"),
        ({"ceiling": (0.0,)}, r"ceiling.*above 0"),
        ({"affect": ((0.1, 0.2),)}, r"affect.*arousal"),
        ({"affect": ((0.1, 0.2, 1.5),)}, r"affect.*-1\.\.1"),
        ({"measurement": Measurement(residual_rms=(1.0, 2.0))}, r"residual_rms has 2.*1 layers"),
    ],
)
def test_facts_that_are_refused(known, words):
    with pytest.raises(VectorError, match=words):
        evs_of([1, 2], **known)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"site": "mlp_out"}, r"mlp_out.*attn_out"),
        ({"positions": "last"}, r"last.*generated"),
        ({"method": ""}, r"method.*None"),
        ({"model_name": 3}, r"model_name is 3"),
        ({"residual_rms": (-1.0,)}, r"residual_rms.*negative"),
        ({"residual_rms": (math.nan,)}, r"residual_rms.*finite"),
    ],
)
def test_measurements_that_are_refused(facts, words):
    with pytest.raises(VectorError, match=words):
        Measurement(**facts)


@pytest.mark.parametrize(
    "factor", [True, np.True_, math.nan, math.inf, 10**400, "2", None, 1j, [2], {"joy": math.nan}]
)
def test_factors_that_are_refused(factor):
    with pytest.raises(VectorError, match="factor"):
        evs_of([1, 2], [1, 2], [1, 2]) * factor


def test_factors_of_every_numeric_type():
    evs = evs_of([1, 2])
    for factor in (2, 2.0, np.float32(2), np.float64(2), np.int64(2), Fraction(2)):
        assert (evs * factor).data.tolist() == [[[2, 4]]]
        assert same(factor * evs, evs * factor)


def test_a_product_too_large_for_float32_is_refused():
    with pytest.raises(VectorError, match="too large for float32"):
        evs_of([1e38, 1]) * 1e3
    with pytest.raises(VectorError, match="too large for float32"):
        evs_of([3e38, 1]) + evs_of([3e38, 1])


@pytest.mark.parametrize("operate", [lambda a, b: a + b, lambda a, b: a - b])
def test_sums_need_equal_names_shape_and_site(operate):
    a = evs_of([1, 2], [3, 4])
    attn = replace(a, measurement=Measurement(site="attn_out"))
    deeper = EmotionVectors(a.names, np.ones((2, 3, 2)))
    for other, words in (
        (a.rename({"anger": "joy"}), "joy, fear.*select"),
        (a.select(["fear", "anger"]), "fear, anger.*select"),
        (attn, "site layer_out and attn_out"),
        (deeper, "layers 1 and 3"),
    ):
        with pytest.raises(VectorError, match=words):
            operate(a, other)
    with pytest.raises(TypeError):
        operate(a, 1)


def test_merging_refuses_what_does_not_go_together():
    a = evs_of([1, 2], measurement=Measurement(model_fingerprint="aa"))
    for other, words in (
        (a, "both sets have anger"),
        (EmotionVectors(("joy",), np.ones((1, 1, 3))), "width 2 and 3"),
        (a.rename({"anger": "joy"}), None),
        (
            EmotionVectors(("joy",), np.ones((1, 1, 2)), Measurement(model_fingerprint="bb")),
            "fingerprint aa and bb",
        ),
    ):
        if words is None:
            assert a.merge(other).measurement.model_fingerprint == "aa"
            continue
        with pytest.raises(VectorError, match=words):
            a.merge(other)


def test_what_only_one_of_two_measurements_says_is_not_known_of_both():
    told = Measurement(method="mean_difference", positions="generated", model_name="m")
    a = evs_of([1, 2], measurement=told)
    b = EmotionVectors(("joy",), np.ones((1, 1, 2)), replace(told, positions="all"))
    assert a.merge(b).measurement == replace(told, positions=None)
    unknown = EmotionVectors(("joy",), np.ones((1, 1, 2)))
    assert a.merge(unknown).measurement == Measurement()


def test_a_factor_moves_scale_and_ceiling_with_the_vectors():
    evs = evs_of([1, 2], pairs=(7,), scale=(3.0,), ceiling=(1.5,), affect=((0.7, 0.5, 0.3),))
    doubled = evs * 2
    assert (doubled.scale, doubled.ceiling) == ((6.0,), (0.75,))
    assert (doubled.pairs, doubled.affect) == (evs.pairs, evs.affect)
    turned = evs * -1
    assert (turned.scale, turned.ceiling, turned.affect) == ((-3.0,), (None,), (None,))


def test_every_fact_goes_with_its_emotion():
    evs = evs_of([1, 2], [3, 4], pairs=(1, 2), scale=(1.0, 2.0), ceiling=(None, 4.0))
    turned = evs.select(["fear", "anger"])
    assert (turned.pairs, turned.scale, turned.ceiling) == ((2, 1), (2.0, 1.0), (4.0, None))
    assert evs.select("fear").pairs == (2,)
    assert evs.base().pairs == (3,)


def test_unknown_emotions_are_named_with_those_there_are():
    evs = evs_of([1, 2], [3, 4])
    for use in (
        lambda: evs["hope"],
        lambda: evs.select(["hope"]),
        lambda: evs.rename({"hope": "joy"}),
        lambda: evs * {"hope": 2},
    ):
        with pytest.raises(VectorError, match=r"no emotion 'hope'.*anger, fear"):
            use()
    with pytest.raises(VectorError, match="anger occurs more than once"):
        evs.rename({"fear": "anger"})


MODEL = {"n_layer": 1, "n_embd": 2, "arch": "qwen2", "fingerprint": "aa"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_embd": 3}, "width 2 in the vectors, 3 in the model"),
        ({"n_layer": 9}, "layers 1 in the vectors, 9 in the model"),
        ({"arch": "llama"}, "architecture qwen2 in the vectors, llama in the model"),
        ({"fingerprint": "bb"}, "fingerprint aa in the vectors, bb in the model"),
    ],
)
def test_another_model_is_refused_with_both_sides_named(change, words):
    evs = evs_of([1, 2], measurement=Measurement(model_arch="qwen2", model_fingerprint="aa"))
    evs.require_fit(**MODEL)
    with pytest.raises(VectorError, match=words):
        evs.require_fit(**{**MODEL, **change})


def test_what_either_side_does_not_know_is_accepted():
    evs_of([1, 2]).require_fit(**MODEL)
    told = Measurement(model_arch="qwen2", model_fingerprint="aa")
    evs_of([1, 2], measurement=told).require_fit(**{**MODEL, "arch": None, "fingerprint": None})
