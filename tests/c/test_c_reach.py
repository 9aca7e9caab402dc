"""Where vectors take hold nowhere in a model, the C library says so when it is loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from c_library import Refused, library
from llamood import save
from llamood.vectors.measurement import Measurement
from open_voices import random_vectors
from other_models import Kind, write_other_model


@pytest.mark.parametrize(("kind", "has_site"), [("gptneox", True), ("gptneox-parallel", False)])
def test_a_site_may_be_lacking_in_one_model_alone(
    tmp_path: Path, kind: Kind, has_site: bool
) -> None:
    """Of one architecture; only the file says whether attention and MLP run side by side."""
    model = write_other_model(tmp_path / "model.gguf", kind)
    vectors = tmp_path / "evs"
    save(replace(random_vectors(model), measurement=Measurement(site="attn_out")), vectors)
    if has_site:
        assert library().ceilings(model, vectors) == [50.0, 50.0]
        return
    with pytest.raises(Refused, match="'gptneox' graph has no place for site attn_out") as refused:
        library().ceilings(model, vectors)
    assert "layer_out" in str(refused.value)
