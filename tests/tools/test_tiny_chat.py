"""The tests' model is what its card says."""

from __future__ import annotations

import json

import pytest

import llamood
import tiny_chat
from llamood.cli.prompts import user_turn
from llamood.evaluation.conditions import RANDOM, UNSTEERED, VECTOR, controlled
from llamood.evaluation.evaluation import Evaluation
from llamood.evaluation.results import results
from llamood.vectors.increments import is_increments

MIB = 1 << 20


def test_size_and_shape() -> None:
    assert tiny_chat.MODEL.stat().st_size <= 8 * MIB
    llm = llamood.Llama(tiny_chat.MODEL, n_ctx=256, verbose=False)
    assert llm.metadata["general.architecture"] == "llama"
    assert int(llm.metadata["llama.block_count"]) >= 8
    assert "im_start" in llm.metadata["tokenizer.chat_template"]


def test_vectors_were_measured_on_this_model() -> None:
    evs = llamood.load(tiny_chat.VECTORS)
    assert sorted(evs.names) == ["anger", "disgust", "fear", "joy", "sadness", "surprise"]
    assert evs.measurement.site == "layer_out"
    assert evs.measurement.model_fingerprint == llamood._core.fingerprint(str(tiny_chat.MODEL))
    assert all(pairs and pairs >= 50 for pairs in evs.pairs)
    assert is_increments(evs)
    assert evs.ceiling == (1.0,) * 6  # calibrated


def test_the_training_log_has_what_repeats_it() -> None:
    log = json.loads(tiny_chat.TRAINING.read_text(encoding="utf-8"))
    first, last = log["earlier_stage"]["loss_curve"][0], log["loss_curve"][-1]
    assert last["held_out_loss"] < first["held_out_loss"] / 2
    assert log["wall_seconds"] + log["earlier_stage"]["wall_seconds"] < 7200
    assert log["file_bytes"] == tiny_chat.MODEL.stat().st_size


@pytest.mark.slow
def test_steering_works_here_too() -> None:
    """On questions that the model was not trained on; docs/evidence.md has all conditions."""
    evs = llamood.load(tiny_chat.VECTORS)
    kinds = (UNSTEERED, VECTOR, RANDOM)
    evaluation = Evaluation(
        tiny_chat.MODEL,
        emotions=evs,
        prompt=user_turn,
        questions=tiny_chat.questions(),
        conditions=[c for c in controlled(evs, intensities=(1.0,)) if c.kind in kinds],
        n_threads=1,
        n_threads_batch=1,
    )
    evaluation.run()
    found = results(evaluation.answers, judge=llamood.judges.bundled(), n_draw=100)
    rows = {(r["emotion"], r["condition"], r["intensity"]): r for r in found["rows"]}
    for emotion in evs.names:
        plain, vector = rows[emotion, UNSTEERED, 0.0], rows[emotion, VECTOR, 1.0]
        random = rows[emotion, RANDOM, 1.0]
        eps = [row["eps"]["estimate"] for row in (plain, vector, random)]
        assert eps[1] >= 3 * eps[0], emotion
        assert eps[2] <= 1.5 * eps[0], emotion
        assert vector["collapse"] <= 0.02, emotion
    over_all = rows[None, VECTOR, 1.0]
    assert over_all["specificity"]["estimate"] >= 0.7
    assert over_all["perplexity"]["estimate"] <= 1.6
