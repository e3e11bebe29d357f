"""The annotated tree names what is there, with the first sentence of its docstring."""

from __future__ import annotations

import pytest

from ui.tree import PACKAGES, first_sentence, tree


@pytest.fixture
def root(tmp_path):
    for package in PACKAGES:
        (tmp_path / package).mkdir()
    (tmp_path / "retrieval" / "demo").mkdir()
    (tmp_path / "retrieval" / "empty").mkdir()
    (tmp_path / "retrieval" / "__pycache__").mkdir()
    (tmp_path / "retrieval" / "__pycache__" / "x.pyc").write_bytes(b"")
    (tmp_path / "retrieval" / "demo" / "__init__.py").write_text('"""A shop: invented. More."""\n')
    (tmp_path / "retrieval" / "exact.py").write_text('"""Search by\ncomparing.\n\nDetails.\n"""\n')
    (tmp_path / "retrieval" / "notes.txt").write_text("no module")
    (tmp_path / "retrieval" / "__init__.py").write_text('"""Items and indexes."""\n')
    return tmp_path


@pytest.mark.parametrize("line", [
    "retrieval/                Items and indexes",
    "  demo/                   A shop: invented",
    "  exact.py                Search by comparing",
    "finetune/",
    "tests/                    One folder for each package, one file for each module",
])  # fmt: skip
def test_tree_has_line(root, line):
    assert line in tree(root).splitlines()


@pytest.mark.parametrize("name", ["empty", "__pycache__", "notes.txt", "__init__.py"])
def test_tree_leaves_out(root, name):
    assert name not in tree(root)


@pytest.mark.parametrize(("source", "sentence"), [
    ('"""One thing. Another."""', "One thing"),
    ('"""Ends without stop"""', "Ends without stop"),
    ('"""Bounds… and such. More."""', "Bounds… and such"),
    ('"""Reads a.toml files. More."""', "Reads a.toml files"),
    ("x = 1", ""),
])  # fmt: skip
def test_first_sentence_of_docstring(source, sentence):
    assert first_sentence(source) == sentence
