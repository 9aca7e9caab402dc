"""The bundled model is what its card says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import llamood
from llamood import demo
from measure_demo_model import Bench, table

MIB = 1 << 20


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(demo.MODEL, llamood.load(demo.VECTORS))


def test_size_and_shape(bench: Bench) -> None:
    assert demo.MODEL.stat().st_size <= 8 * MIB
    assert bench.llm.metadata["general.architecture"] == "llama"
    assert int(bench.llm.metadata["llama.block_count"]) >= 8
    assert "im_start" in bench.llm.metadata["tokenizer.chat_template"]


def test_vectors_were_measured_on_this_model() -> None:
    evs = llamood.load(demo.VECTORS)
    assert sorted(evs.names) == ["anger", "disgust", "fear", "joy", "sadness", "surprise"]
    assert evs.measurement.method == "mean-difference"
    assert evs.measurement.site == "layer_out"
    assert evs.measurement.model_fingerprint == llamood._core.fingerprint(str(demo.MODEL))
    assert all(pairs and pairs >= 50 for pairs in evs.pairs)


def test_the_card_shows_the_measured_figures() -> None:
    card = (Path(demo.__file__).parent / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert table(demo.measured()) in card


def test_the_measured_figures_keep_the_promises() -> None:
    figures = demo.measured()
    assert figures["n_question"] >= 50
    for emotion, row in figures["emotions"].items():
        assert row["ratio"] >= 3, emotion
        assert row["top1"] >= 0.7, emotion
        assert max(row["random_ratios"]) <= 1.3, emotion
        assert row["perplexity_ratio"] <= 2, emotion


def test_the_training_log_has_what_repeats_it() -> None:
    log = json.loads((Path(demo.__file__).parent / "training.json").read_text(encoding="utf-8"))
    first, last = log["earlier_stage"]["loss_curve"][0], log["loss_curve"][-1]
    assert last["held_out_loss"] < first["held_out_loss"] / 2
    assert log["wall_seconds"] + log["earlier_stage"]["wall_seconds"] < 7200
    assert log["file_bytes"] == demo.MODEL.stat().st_size


@pytest.mark.slow
def test_steering_works_here_too(bench: Bench) -> None:
    questions = demo.questions()
    plain = bench.answers(questions, {})
    for emotion, (_, strong) in demo.intensities().items():
        label = bench.judge.labels.index(emotion)
        got = bench.answers(questions, demo.mood(emotion, strong).to_dict())
        assert got.probabilities[:, label].mean() >= 3 * plain.probabilities[:, label].mean()
        assert (got.probabilities.argmax(axis=1) == label).mean() >= 0.7, emotion
