"""The documents as a site: every link leads somewhere, and nothing is loaded from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import gather
import pytest

from documents import DOCUMENTS, ROOT

CONFIG = ROOT / "tools" / "site" / "mkdocs.yml"


@pytest.fixture
def gathered(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    gather.gather(folder)
    return folder


def built(documents: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """As ``make site`` does it, in another place."""
    pytest.importorskip("mkdocs", reason='needs the extra docs: pip install ".[docs]"')
    (line,) = re.findall(r"\$\(BIN\)/mkdocs (.+)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    command = [sys.executable, "-m", "mkdocs", *line.split(), "-d", str(site)]
    environment = {**os.environ, "DOCUMENTS": str(documents), "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False,
    )  # fmt: skip


def test_every_document_is_in_it(gathered: Path) -> None:
    pages = {path.relative_to(gathered).as_posix() for path in gathered.rglob("*.md")}
    assert {gather.place(path) for path in DOCUMENTS} <= pages
    listed = set(re.findall(r"- (?:[\w ]+: )?([\w/-]+\.md)$", CONFIG.read_text(), re.MULTILINE))
    assert {page for page in pages if not page.startswith(gather.SOURCE)} == listed


def test_links_to_files_of_the_project_lead_to_pages_that_show_them(gathered: Path) -> None:
    page = (gathered / "games.md").read_text(encoding="utf-8")
    assert "](source/csrc/capi/llamood.h.md)" in page
    shown = (gathered / "source/csrc/capi/llamood.h.md").read_text(encoding="utf-8")
    assert (ROOT / "csrc/capi/llamood.h").read_text(encoding="utf-8").rstrip() in shown
    assert "](reference/commands.md)" in (gathered / "index.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_it_is_built_without_a_warning(gathered: Path, tmp_path: Path) -> None:
    done = built(gathered, tmp_path / "site")
    assert done.returncode == 0, done.stdout
    assert "WARNING" not in done.stdout
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > len(DOCUMENTS)
    loaded = re.compile(r"<(?:script|img|link)\b[^>]*\b(?:src|href)=\"?https?:", re.IGNORECASE)
    for page in pages:
        assert not loaded.search(page.read_text(encoding="utf-8")), page


@pytest.mark.slow
@pytest.mark.parametrize("link", ["nowhere.md", "guard.md#no-such-heading"])
def test_a_link_that_leads_nowhere_ends_it(gathered: Path, tmp_path: Path, link: str) -> None:
    with (gathered / "caps.md").open("a", encoding="utf-8") as page:
        page.write(f"\n[so]({link})\n")
    done = built(gathered, tmp_path / "site")
    assert done.returncode != 0
    assert link.split("#")[0] in done.stdout
