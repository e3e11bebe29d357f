"""Figures of engines as tables."""

import json

from ui.engine_figures import engines
from ui.headlines import _engines


def result(**more):
    share = {"recall@10": 0.99, "dense_p95_ms": 2.0, "hybrid_p50_ms": 1.5, "hybrid_p95_ms": 3.25}
    return {"write_s": 10.0, "finish_s": 20.4, "disk_mb": 100.0, "open_s": 0.55,
            "qps_2_threads": 123.4, "after_queries": {"rss_mb": 1500.0},
            "selectivity": {"all": share, "10 %": {**share, "recall@10": 1.0}}, **more}  # fmt: skip


REPORT = {
    "results": {
        "pgvector@1000": result(server_mb=50.0, server_disk_mb=11.0),
        "qdrant-edge@1000": result(),
        "qdrant-edge@20": result(),
    },
    "note": "by hand",
}


def test_rows_are_by_size_then_engine(tmp_path):
    (tmp_path / "engines.json").write_text(json.dumps(REPORT))
    lines = engines(tmp_path).splitlines()
    assert [line.split("|")[1:3] for line in lines[2:5]] == [
        [" `qdrant-edge` ", " 20 "], [" `qdrant-edge` ", " 1,000 "], [" `pgvector` ", " 1,000 "],
    ]  # fmt: skip
    assert "| 30 | 111 | 1,500 + 50 server | 0.6 | 0.990 / 1.000 | 2.0 / 2.0 |" in lines[4]
    assert lines[-1] == "by hand."


def test_unmeasured_says_so(tmp_path):
    assert engines(tmp_path) == "Not measured yet.\n"


def test_headlines_are_of_the_largest_size():
    rows = list(_engines(REPORT))
    assert rows[0][:2] == ("recall@10 at 1,000 items, all / 10 / 1 / 0.1 % match", "0.990 / 1.000")
    assert rows[1][1] == "3.2 / 3.2 ms"
    assert rows[2][1:] == ("1,500 MB", "≤ 2 GB")
