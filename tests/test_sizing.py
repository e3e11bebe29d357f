"""Arithmetic of a cluster by hand-worked figures."""

import pytest

from benchmarks.sizing import Measured, Wanted, measured, plan


def result(qps, rss=1000.0, disk=2000.0):
    return {"qps_2_threads": qps, "after_queries": {"rss_mb": rss}, "disk_mb": disk,
            "write_s": 100.0, "finish_s": 50.0}  # fmt: skip


def test_figures_come_from_the_two_largest_sizes():
    results = {
        "qdrant-edge@10": result(9999),
        "qdrant-edge@1000": result(200),
        "qdrant-edge@100000": result(20, rss=100_000 / 2**20),
    }
    seen = measured(results)
    assert seen == Measured(
        100_000, pytest.approx(1.0), pytest.approx(2000 * 2**20 / 1e5), pytest.approx(0.1),
        pytest.approx(0.5), pytest.approx(0.002),
    )  # fmt: skip


def test_one_size_is_not_enough():
    with pytest.raises(ValueError, match="two sizes"):
        measured({"qdrant-edge@10": result(1)})


def wanted(**changes):
    given = {"items": 1e8, "queries_per_second": 100.0, "replicas": 2, "machine_gb": 100.0,
             "machine_cores": 10, "machine_disk_gb": 1000.0, "dollars_an_hour": 1.0,
             "encode_per_s": 1000.0}  # fmt: skip
    return Wanted(**{**given, **changes})


SEEN = Measured(1_000_000, 1000.0, 2000.0, 0.001, 0.5, 0.001)


def test_memory_decides_the_machines():
    # 2 x 100 GB over 70 usable GB each: 3 machines, 2 shards, each 50 M: 7.07 ms a shard.
    made = plan(SEEN, wanted())
    assert (made.machines, made.shards, made.bound_by) == (3, 2, "memory")
    assert made.cores == pytest.approx(100 * 2 * 0.001 * 50**0.5)
    assert made.index_hours == pytest.approx(2e8 * 0.001 / 30 / 3600)
    assert made.dollars_a_month == 3 * 730


def test_queries_decide_the_machines():
    made = plan(SEEN, wanted(queries_per_second=10_000.0))
    assert made.bound_by == "cores"
    assert made.machines == -(-int(made.cores * 1e6) // int(7e6))


def test_disk_decides_the_machines():
    assert plan(SEEN, wanted(machine_disk_gb=50.0)).bound_by == "disk"
