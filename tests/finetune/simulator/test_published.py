"""The published figures of validity: as measured, and readable from the data where it is here."""

import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RESULTS = json.loads((ROOT / "benchmarks/results/simulator_validity.json").read_text("utf-8"))
DOC = (ROOT / "docs/simulator.md").read_text("utf-8")
MEASURES = {"auc": "AUC", "spearman": "Spearman", "systems_spearman": "Spearman of system means"}


def rows():
    for name, figures in RESULTS["test"].items():
        for measure, words in MEASURES.items():
            if measure in figures["ours"]:
                cells = (cell(figures[who][measure]) for who in ("ours", "turns", "words"))
                yield f"| {name} | {figures['n']:,} | {words} | {' | '.join(cells)} |"


def cell(figure):
    if figure["value"] is None:
        return "–"
    return "{value:.2f} ({low:.2f} to {high:.2f})".format(**figure)


def test_table_is_as_measured():
    for row in rows():
        assert row in DOC


def test_ours_beats_the_constant():
    for figures in RESULTS["test"].values():
        for measure, chance in (("auc", 0.5), ("spearman", 0.0)):
            if measure in figures["ours"]:
                assert figures["ours"][measure]["low"] > chance


@pytest.mark.skipif(not (ROOT.parent / "shared/data").is_dir(), reason="needs ../shared/data")
def test_judgements_are_read():
    benchmark = importlib.import_module("benchmarks.simulator_validity")
    arena = benchmark.arena()
    assert (len(arena), len({one.system for one in arena})) == (220, 9)
    assert sum(one.rating for one in arena) == 36
    whole, single = benchmark.rated("ccpe")
    assert len(whole) == 500
    assert len(single) > 6000
    assert all(1 <= one.rating <= 5 for one in (*whole, *single))
    assert not any("OVERALL" in message.text for one in whole for message in one.said)
