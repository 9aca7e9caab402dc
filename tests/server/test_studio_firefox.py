"""The studio in Firefox: once through what people do with it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import tiny_chat
from servers import serving

pytestmark = pytest.mark.slow

CLIENTS = Path(__file__).resolve().parents[1] / "clients"
PATIENCE = 300  # seconds; of what takes a few


def test_somebody_uses_it_in_firefox() -> None:
    firefox = shutil.which("firefox-esr") or shutil.which("firefox")
    if firefox is None:
        pytest.skip("Firefox is not installed")
    if shutil.which("node") is None or not (CLIENTS / "node_modules" / "puppeteer-core").is_dir():
        pytest.skip("npm install --prefix tests/clients was not run")
    with serving(tiny_chat.MODEL, "--voices", "1", exact=True) as server:
        done = subprocess.run(
            ["node", "studio_firefox.mjs", firefox, server.url],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            cwd=CLIENTS,
        )
    assert done.returncode == 0, done.stderr[-4000:]
    seen = json.loads(done.stdout.strip().splitlines()[-1])
    assert seen["faults"] == []
    assert seen["sliders"] == 6
    assert seen["mood"] == "anger 1"
    assert len(seen["answer"]) > 20
    assert seen["coloured"] > 0
    assert seen["note"].startswith("Reads as ")
    assert seen["points"] >= 3
    assert seen["ways"] == "2 of 2"
    assert seen["again"] == seen["answer"]
    assert seen["width"] <= 390
