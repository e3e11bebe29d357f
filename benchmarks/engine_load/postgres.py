"""The PostgreSQL server that the engine pgvector is measured on: durable, sized for the data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SETTINGS = {
    "fsync": "on",
    "shared_buffers": "'1GB'",
    "maintenance_work_mem": "'3GB'",
    "max_wal_size": "'8GB'",
    "max_parallel_maintenance_workers": "2",
}


@contextmanager
def server() -> Iterator[Any]:
    """Yield a running server with an empty database; it is gone afterwards."""
    from tests.retrieval.engines.pg_server import PgServer

    running = PgServer(SETTINGS)
    try:
        yield running
    finally:
        running.stop()


def resident_mb() -> float:
    """Return the memory of all server processes, shared pages counted once (PSS)."""
    import psutil

    total = 0.0
    for process in psutil.process_iter(["name"]):
        if process.info["name"] == "postgres":
            total += process.memory_full_info().pss
    return round(total / 2**20, 1)
