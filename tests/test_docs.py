"""Generated blocks of the documentation match the code, and links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ui import docs
from ui.settings import Settings

ROOT = Path(__file__).parents[1]
DOCUMENTS = [path for path in docs.documents() if path.exists()]
LINK = re.compile(r"\[[^\]]*\]\((?!https?://|#|mailto:)([^)#\s]+)")


def test_generated_blocks_are_current():
    assert docs.stale() == [], "run: make docs"


def test_changed_help_makes_document_stale(tmp_path):
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / "cli.md"
    page.write_text("<!-- begin:cli -->\nold\n<!-- end:cli -->\ntail\n")
    assert docs.stale(tmp_path) == [page]
    page.write_text(docs.regenerated(page.read_text()))
    assert docs.stale(tmp_path) == []
    assert page.read_text().endswith("<!-- end:cli -->\ntail\n")


def test_text_without_markers_is_kept():
    assert docs.regenerated("no markers <!-- begin:cli --> here") == (
        "no markers <!-- begin:cli --> here"
    )


def test_every_command_is_documented():
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    for command in ("index", "chat", "ask", "serve", "demo", "evaluate understanding"):
        assert f"Usage: attune {command} " in page


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described(name):
    assert Settings.model_fields[name].description
    assert f"`ATTUNE_{name.upper()}`" in (ROOT / "docs" / "cli.md").read_text("utf-8")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_relative_links_exist(path):
    links = LINK.findall(path.read_text("utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []
