"""The tables of retrieval: every set and system, differences, the half not looked at, tuning."""

import json

from ui.figures import MISSING
from ui.retrieval_figures import retrieval


def figures(value):
    return {name: {"mean": value} for name in ("ndcg@10", "ndcg@10_linear", "recall@10")}


def minus(mean):
    return {"bm25": {"ndcg@10": {"mean": mean, "low": mean - 0.1, "high": mean + 0.1}}}


SET = {
    "about": "as a test", "n": {"queries": 1200, "judged_pairs": 3400}, "ours": figures(0.75),
    "with_labels": figures(0.7625), "baselines": {"bm25": figures(0.5)}, "ours_minus": minus(0.25),
}  # fmt: skip
TUNED = {"items": 2000, "queries": 60, "dense": 0.5, "seconds": 3.4,
         "curves": {"title": [0.2, 0.4, 0.1], "values": [0.4, 0.8, 0.3]}}  # fmt: skip


def written(folder, **parts):
    report = {"sets": {"electronics": SET}, "skipped": {}, **parts}
    (folder / "retrieval.json").write_text(json.dumps(report))
    return retrieval(folder)


def test_not_measured_is_said(tmp_path):
    assert retrieval(tmp_path) == MISSING


def test_systems_stand_side_by_side(tmp_path):
    text = written(tmp_path)
    assert "**Electronics, the whole catalog**: 1,200 queries, 3,400 judged pairs; as a" in text
    assert "|  | nDCG@10 | recall@10 |" in text
    assert "| ours | 0.750 | 0.750 |" in text
    assert "| BM25 | 0.500 | 0.500 |" in text
    assert "| BM25 | nDCG@10 | +0.2500 (+0.1500 to +0.3500) | – |" in text
    assert "made queries" not in text


def test_unseen_half_has_its_column(tmp_path):
    text = written(tmp_path, sets={"x": {**SET, "held_out": {"ours_minus": minus(-0.5)}}})
    assert "| -0.5000 (-0.6000 to -0.4000) |" in text
    assert "**x**" in text


def test_tuning_shows_both_ends_and_choice(tmp_path):
    text = written(tmp_path, tuning={"books": TUNED}, skipped={"homedepot": "no file"})
    assert "| books | 2,000 | 60 | 0.5 | 0.300 | 0.600 | 0.200 | 3 |" in text
    assert "Skipped: homedepot (no file)." in text
