"""The benchmark of retrieval quality: what it keeps, and no script that shadows a package."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import retrieval_quality as benchmark
from retrieval.encoder import HashingEncoder
from retrieval.loading import load
from retrieval.retriever import Retriever
from ui.errors import UIError

ROOT = Path(__file__).parents[1]
PACKAGES = {"ui", "finetune", "agent", "prompts", "retrieval"}
REPORT = {"sets": {}, "skipped": {"electronics": "no file"}, "config": {}, "hash": "x", "seed": 0}


@pytest.fixture
def shop(tmp_path):
    rows = [f"{n},blue lamp number {n} with shade" for n in range(40)]
    (tmp_path / "lamps.csv").write_text("\n".join(["id,title", *rows]))
    folder = tmp_path / "lamps"
    Retriever.build(load([tmp_path / "lamps.csv"]), folder, encoder=HashingEncoder(32))
    return folder


def run(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["retrieval_quality.py", *map(str, words)])
    benchmark.main()


def test_figures_and_tuning_are_kept(shop, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(benchmark, "measured", lambda *given, **named: dict(REPORT))
    run(monkeypatch, "--project", shop, "--out", tmp_path / "results/retrieval.json")
    kept = json.loads((tmp_path / "results/retrieval.json").read_text())
    assert kept["skipped"] == REPORT["skipped"]
    tuned = kept["tuning"]["lamps"]
    assert (tuned["items"], len(tuned["curves"]["title"])) == (40, 11)
    assert "lamps: dense 0" in capsys.readouterr().out


def test_nothing_here_writes_nothing(tmp_path, monkeypatch):
    def nothing(*given, **named):
        raise UIError("nothing to measure")

    monkeypatch.setattr(benchmark, "measured", nothing)
    with pytest.raises(SystemExit, match="nothing measured: nothing to measure"):
        run(monkeypatch, "--out", tmp_path / "x.json")
    assert not (tmp_path / "x.json").exists()


def test_no_script_shadows_a_package():
    # python benchmarks/X.py puts benchmarks/ first on the path.
    scripts = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    assert scripts & PACKAGES == set()
