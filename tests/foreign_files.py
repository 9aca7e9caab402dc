"""What the tests of foreign formats share."""

from __future__ import annotations

import json

import numpy as np

from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.measurement import Measurement

ROWS = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]], dtype=np.float32)


def written(path, content):
    if not isinstance(content, str | bytes):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def known():
    return EmotionVectors(
        ("joy", "1", "ärger"),
        np.random.default_rng(0).standard_normal((3, 4, 5), dtype=np.float32),
        Measurement("mean_difference", "attn_out", "all", "m", "qwen2", "ab", (0.1, 1e-300, 1, 7)),
        pairs=(None, 3, 0),
        scale=(1.0, 1 / 3, -2.0),
        ceiling=(None, 0.1, 7.5),
        affect=((0.1, -0.2, 1.0), None, None),
    )
