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
ANCHOR = re.compile(r"\]\((?!https?://)([^)#\s]*)#([^)\s]+)\)")
TARGET = re.compile(r"\bmake ([a-z-]+)\b")
PACKAGES = ("ui", "finetune", "agent", "prompts", "retrieval")


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
    for command in (
        "index",
        "chat",
        "ask",
        "serve",
        "demo",
        "evaluate understanding",
        "evaluate explanations",
    ):
        assert f"Usage: attune {command} " in page


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described(name):
    assert Settings.model_fields[name].description
    assert f"`ATTUNE_{name.upper()}`" in (ROOT / "docs" / "cli.md").read_text("utf-8")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_relative_links_exist(path):
    links = LINK.findall(path.read_text("utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_readme_tree_names_every_module(package):
    tree = (ROOT / "README.md").read_text("utf-8").partition("<!-- begin:tree -->")[2]
    own = tree.partition(f"\n{package}/")[2]
    named = {line.split()[0] for line in own.split("\n") if line.startswith("  ")}
    modules = {path.name for path in (ROOT / package).glob("[!_]*.py")}
    folders = {f"{path.parent.name}/" for path in (ROOT / package).glob("*/__init__.py")}
    assert modules | folders <= named


@pytest.mark.slow
def test_transcript_is_what_chat_prints(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTUNE_HOME", str(tmp_path))
    assert docs.stale(blocks=docs.SLOW_BLOCKS) == [], "run: make docs"


def test_every_block_is_in_a_document():
    texts = "".join(path.read_text("utf-8") for path in DOCUMENTS)
    blocks = {**docs.BLOCKS, **docs.SLOW_BLOCKS}
    assert [name for name in blocks if f"<!-- begin:{name} -->\n" not in texts] == []


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert [page for page in pages if f"({page})" not in index] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_link_anchors_are_headings(path):
    for target, anchor in ANCHOR.findall(path.read_text("utf-8")):
        text = (path.parent / target if target else path).read_text("utf-8")
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
        assert anchor in {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_of_code_exist(path):
    code = re.findall(r"```sh\n(.*?)```", path.read_text("utf-8"), re.DOTALL)
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = TARGET.findall("\n".join(code))
    assert [target for target in targets if f"\n{target}: " not in makefile] == []
