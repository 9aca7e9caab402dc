"""The file that emotions are read against; what is taken is asked what anybody asks of it."""

from __future__ import annotations

import numpy as np

from fuzz.readers.hostile import folder, is_read, put
from llamood.readings.probe import Probe


def read(data: bytes) -> None:
    put("reading.baseline", data)
    is_read(_used)


def _used() -> None:
    probe = Probe.load(folder())
    n_chosen, n_emotion = len(probe.places), len(probe.names)
    scores = probe.scores(np.zeros((n_chosen, n_emotion)))
    assert scores.shape == (n_emotion,)
    assert probe.in_order(probe.names[::-1]).names == probe.names[::-1]
    probe.at(probe.layers[0])
    assert set(probe.quality) <= set(probe.names)
    assert probe.doubt is None or probe.doubt
