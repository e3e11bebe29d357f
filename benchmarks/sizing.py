"""From measured bytes and rates to a cluster: how many shards, machines, hours and how much money.

    python benchmarks/sizing.py [--items N] [--queries-per-second N] [--measured JSON]

Reads what benchmarks/engines.py measured of the embedded engine, whose segments are a Qdrant
server's. Everything printed is arithmetic on those figures and on the assumptions of the options.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HOURS_A_MONTH = 730
RESERVE = 0.3
"""Share of memory and of CPU that is kept free: for merging segments, for a lost machine."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one machine was seen to do with the largest index that was measured.

    Args:
        items: How many items it had.
        memory, disk: Bytes an item.
        cpu_s: Seconds of one core a hybrid query.
        growth: Exponent e of cpu_s ~ items ** e between the two largest sizes.
        build_cpu_s: Seconds of one core to index one item, its encoding aside.
    """

    items: int
    memory: float
    disk: float
    cpu_s: float
    growth: float
    build_cpu_s: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the cluster is to do, and on what."""

    items: float
    queries_per_second: float
    replicas: int
    machine_gb: float
    machine_cores: int
    machine_disk_gb: float
    dollars_an_hour: float
    encode_per_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """A cluster that does it. Sizes in GB (10**9 bytes)."""

    shards: int
    items_a_shard: float
    memory_gb: float
    disk_gb: float
    cores: float
    machines: int
    bound_by: str
    index_hours: float
    encode_hours: float
    dollars_a_month: float


def measured(results: dict[str, Any], engine: str = "qdrant-edge", cores: int = 2) -> Measured:
    """Return the figures of an engine from those of benchmarks/engines.py.

    Raises:
        ValueError: If the engine was measured at fewer than two sizes.
    """
    sizes = sorted(int(key.split("@")[1]) for key in results if key.startswith(f"{engine}@"))
    if len(sizes) < 2:
        raise ValueError(f"{engine!r} was measured at {sizes}, expected two sizes at least")
    small, large = (results[f"{engine}@{size}"] for size in sizes[-2:])
    cost = [cores / one["qps_2_threads"] for one in (small, large)]
    growth = math.log(cost[1] / cost[0]) / math.log(sizes[-1] / sizes[-2])
    return Measured(
        sizes[-1],
        large["after_queries"]["rss_mb"] * 2**20 / sizes[-1],
        large["disk_mb"] * 2**20 / sizes[-1],
        cost[1],
        max(growth, 0.0),
        (large["write_s"] + large["finish_s"] * cores) / sizes[-1],
    )


def plan(seen: Measured, wanted: Wanted) -> Plan:
    """Return the smallest cluster whose memory, cores and disk all suffice.

    A shard's share of a query costs cpu_s * (items a shard / measured items) ** growth, and every
    query asks every shard once; a replica answers for its share of the queries.
    """
    memory = wanted.items * seen.memory * wanted.replicas / 1e9
    disk = wanted.items * seen.disk * wanted.replicas / 1e9
    usable = 1 - RESERVE
    machines = {
        "memory": math.ceil(memory / (wanted.machine_gb * usable)),
        "disk": math.ceil(disk / (wanted.machine_disk_gb * usable)),
        "replicas": wanted.replicas,
    }
    shards = max(1, math.ceil(max(machines.values()) / wanted.replicas))
    each = wanted.items / shards
    cpu = shards * seen.cpu_s * (each / seen.items) ** seen.growth
    cores = wanted.queries_per_second * cpu
    machines["cores"] = math.ceil(cores / (wanted.machine_cores * usable))
    bound_by = max(machines, key=lambda name: machines[name])
    count = machines[bound_by]
    all_cores = count * wanted.machine_cores
    return Plan(
        shards, each, memory, disk, cores, count, bound_by,
        wanted.items * wanted.replicas * seen.build_cpu_s / all_cores / 3600,
        wanted.items / wanted.encode_per_s / 3600,
        count * wanted.dollars_an_hour * HOURS_A_MONTH,
    )  # fmt: skip


def main() -> None:
    """Print the plan."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measured", type=Path, default=ROOT / "benchmarks/results/engines.json")
    for name, default, told in (
        ("items", 100e6, "items in the catalog"),
        ("queries-per-second", 10e3, "hybrid searches a second"),
        ("replicas", 2, "copies of every shard"),
        ("machine-gb", 128, "memory of a machine"),
        ("machine-cores", 32, "cores of a machine"),
        ("machine-disk-gb", 1_900, "local disk of a machine"),
        ("dollars-an-hour", 1.6, "price of a machine"),
        ("encode-per-s", 5_000, "texts a second that the encoders do together"),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=type(default), default=default, help=told)
    args = vars(parser.parse_args())
    seen = measured(json.loads(args.pop("measured").read_text())["results"])
    made = plan(seen, Wanted(**args))
    print(f"measured at {seen.items:,} items: {seen.memory:,.0f} bytes of memory and "
          f"{seen.disk:,.0f} of disk an item, {seen.cpu_s * 1000:.1f} ms of one core a query, "
          f"growing with items ** {seen.growth:.2f}")  # fmt: skip
    print(f"{made.shards} shards of {made.items_a_shard / 1e6:,.1f} M items, {args['replicas']} "
          f"replicas: {made.machines} machines, as {made.bound_by} demands")  # fmt: skip
    print(f"memory {made.memory_gb:,.0f} GB, disk {made.disk_gb:,.0f} GB, {made.cores:,.0f} busy "
          f"cores")  # fmt: skip
    print(f"indexing anew {made.index_hours * 60:,.1f} min, encoding anew "
          f"{made.encode_hours:,.1f} h, ${made.dollars_a_month:,.0f} a month")  # fmt: skip


if __name__ == "__main__":
    main()
