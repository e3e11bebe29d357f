"""`attune evaluate retrieval` and `attune tune fusion`, from files to figures."""

import json

import pytest
from click.testing import CliRunner

from finetune import retrieval_sets
from retrieval.project import read_fusion
from ui.cli import main

THINGS = ["lamp", "chair", "table", "mug", "plate", "shelf"]
COLOURS = ["blue", "red", "green", "white", "black"]


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("ATTUNE_HOME", str(tmp_path / "home"))


@pytest.fixture
def shop(tmp_path):
    """A catalog of coloured things, and judgements: the thing counts 1, its colour 2 more."""
    pairs = [(colour, thing) for colour in COLOURS for thing in THINGS]
    rows = [(f"{colour[:3]}{thing}", f"{colour} {thing} number {place}", colour)
            for place, (colour, thing) in enumerate(pairs)]  # fmt: skip
    catalog, judgements = tmp_path / "things.csv", tmp_path / "judged.csv"
    lines = [f"{id},{title},{colour}" for id, title, colour in rows]
    catalog.write_text("\n".join(["id,title,colour", *lines]))
    rated = ["query,item_id,rating"]
    for id, title, colour in rows:
        thing = title.split()[1]
        rated += [f"{other} {thing},{id},{3 if other == colour else 1}" for other in COLOURS]
        rated.append(f"{colour} {thing},{rows[0][0]}x,0")
    judgements.write_text("\n".join(rated))
    return catalog, judgements


def run(*words, code=0):
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exit_code == code, done.output
    return done


def test_own_catalog_is_measured(shop):
    catalog, judgements = shop
    given = ["evaluate", "retrieval", "--catalog", catalog, "--judgements", judgements,
             "--encoder", "hashing-64"]  # fmt: skip
    report = json.loads(run(*given, "--json").stdout)
    assert set(report) >= {"ours", "baselines", "n", "config", "hash", "seed", "sets"}
    assert set(report["ours"]) == {"ndcg@10", "recall@10"}
    assert set(report["baselines"]) == {"bm25", "encoder", "rrf"}
    assert report["n"]["judged.csv"]["queries"] == 30
    assert report["n"]["judged.csv"]["items_not_in_catalog"] == 30
    assert report["ours"]["ndcg@10"] > 0.9
    assert report["config"]["encoder"] == "hashing-64"
    again = json.loads(run(*given, "--json").stdout)
    assert again == report
    text = run(*given).stdout
    assert "30 queries" in text
    assert "ours minus BM25: ndcg@10 " in text
    assert "30 items not in catalog" in text


def test_project_is_measured_as_it_is(shop, tmp_path):
    catalog, judgements = shop
    run("index", catalog, "--out", tmp_path / "shop", "--encoder", "hashing-64")
    (tmp_path / "shop/fusion.json").write_text('{"dense": 0, "lexical": 1, "by": "scores"}')
    done = run("evaluate", "retrieval", "--catalog", tmp_path / "shop", "--judgements", judgements,
               "--json")  # fmt: skip
    assert json.loads(done.stdout)["sets"]["judged.csv"]["fusion"] == [0, 1, "scores"]


@pytest.mark.parametrize("option", ["--catalog", "--judgements"])
def test_catalog_and_judgements_belong_together(shop, option):
    assert "belong together" in run("evaluate", "retrieval", option, shop[0], code=2).output


def test_missing_files_are_told(shop, tmp_path, monkeypatch):
    done = run("evaluate", "retrieval", "--catalog", shop[0], "--judgements", tmp_path / "no.csv",
               code=1)  # fmt: skip
    assert "nothing to measure (things: no file no.csv)" in done.output
    nowhere = retrieval_sets.shared_sources
    monkeypatch.setattr(
        retrieval_sets, "shared_sources", lambda sample, seed: nowhere(sample, seed, tmp_path)
    )
    done = run("evaluate", "retrieval", code=1)
    assert "name your own with --catalog and --judgements" in done.output


def test_bad_row_is_told_with_its_line(shop):
    catalog, judgements = shop
    judgements.write_text("query,item_id,rating\nlamp,blulamp,1\nlamp,redlamp,great\n")
    done = run("evaluate", "retrieval", "--catalog", catalog, "--judgements", judgements,
               "--encoder", "hashing-64", code=1)  # fmt: skip
    assert "judged.csv:3: rating 'great' is no number" in done.output


def test_fusion_is_tuned_and_kept(shop, tmp_path):
    catalog, judgements = shop
    folder = tmp_path / "shop"
    run("index", catalog, "--out", folder, "--encoder", "hashing-64")
    before = read_fusion(folder)
    told = run("tune", "fusion", folder, "--judgements", judgements, "--dry-run").output
    assert "meaning : words = " in told
    assert "over 30 queries" in told
    assert "kept in" not in told
    assert read_fusion(folder) == before
    kept = run("tune", "fusion", folder)
    assert "kept in" in kept.output
    assert (folder / "fusion.json").is_file()


def test_strange_judgements_are_refused(shop, tmp_path):
    catalog, judgements = shop
    run("index", catalog, "--out", tmp_path / "shop", "--encoder", "hashing-64")
    judgements.write_text("query,item_id,rating\nlamp,9,1\nlamp,10,0\n")
    done = run("tune", "fusion", tmp_path / "shop", "--judgements", judgements, code=1)
    assert "none of the 2 judged ids is in the catalog" in done.output
    judgements.write_text("query,item_id,rating\nlamp,blulamp,1\nlamp,redlamp,0\n")
    done = run("tune", "fusion", tmp_path / "shop", "--judgements", judgements, code=1)
    assert "expected 20 or more queries with a relevant item, got 1" in done.output
