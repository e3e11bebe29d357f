"""Names in label files lead to catalogs, and rules understand dialogues over them."""

import json
from pathlib import Path

import pytest

from finetune import catalogs
from finetune.catalogs import FILES, open_catalog
from finetune.labels import read_dialogues
from finetune.rule_parts import by_rules
from finetune.understanding import evaluate, figures
from retrieval.errors import CatalogError

ROWS = [
    {"sku": f"s{number}", "title": f"{colour} {kind[:-1].lower()}", "category": kind,
     "colour": colour, "price": price}
    for number, (kind, colour, price) in enumerate(
        [("Shirts", "Blue", 20), ("Shirts", "Red", 35), ("Shirts", "Green", 15),
         ("Boots", "Red", 90), ("Boots", "Black", 60), ("Boots", "Blue", 75)] * 4
    )
]  # fmt: skip


@pytest.fixture(autouse=True)
def forget():
    open_catalog.cache_clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = "\n".join(map(json.dumps, ROWS))
    (tmp_path / "shop.jsonl").write_text(lines, encoding="utf-8")
    return tmp_path


def test_path_is_read_beside_labels(folder: Path):
    catalog = open_catalog("shop.jsonl", folder)
    assert catalog is not None
    assert [item.id for item in catalog.items] == [row["sku"] for row in ROWS]


def test_absent_sample_catalog_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(catalogs, "SHARED", tmp_path)
    assert [open_catalog(name) for name in FILES] == [None] * 6
    assert by_rules()("fashion") is None


def test_unknown_catalog_lists_the_known(folder: Path):
    with pytest.raises(CatalogError, match=r"no catalog 'fasion': expected one of fashion, .*demo"):
        open_catalog("fasion", folder)


def test_demo_catalog_is_made():
    catalog = open_catalog("demo")
    assert catalog is not None
    assert len(catalog.items) >= 2000
    assert {"category", "colour", "price"} <= {facet.name for facet in catalog.facets}


def test_rules_understand_labels_end_to_end(folder: Path):
    turns = [
        {"text": "red boots", "expect": {
            "acts": [["recommend", "refine"]],
            "constraints": [{"facet": "category", "in": ["Boots"]},
                            {"facet": "colour", "in": ["Red"]}]}},
        {"text": "the moon landing was fake", "slate": ["s3", "s9"], "expect": {
            "acts": ["select"], "refs": ["s9"], "constraints": []}},
    ]  # fmt: skip
    labels = folder / "labels.jsonl"
    row = {"id": "d1", "catalog": "shop.jsonl", "turns": turns}
    labels.write_text(json.dumps(row), encoding="utf-8")
    first, second = evaluate(read_dialogues(labels), by_rules(folder)).scores
    assert (first.state, first.acts) == (True, True)
    assert (second.state, second.acts, second.refs) == (False, False, False)
    assert figures([first, second])["state_exact"] == 0.5
