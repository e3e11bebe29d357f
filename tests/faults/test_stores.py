"""Databases that restart and disks that fill up, under load."""

import os
import subprocess
import time
from contextlib import suppress

import httpx
import pytest

from tests.agent.stores import server
from tests.faults.conftest import kept, people

pytestmark = pytest.mark.slow


def test_restarted_postgres_loses_nothing(shop_of):
    """Three crashes of the database under load; connections and locks come back by themselves."""
    url = server().database("faults").replace("postgresql://", "postgresql+psycopg://", 1)
    shop = shop_of(ATTUNE_STORE=url)
    shop.start(workers=2)
    with people(shop.url, sessions=8, seconds=14) as noted:
        for _ in range(3):
            time.sleep(3)
            server().restart()
    assert noted[0]["tries"].get("HTTP 503"), noted[0]["tries"]
    kept(shop, noted[0])
    assert httpx.get(f"{shop.url}/ready", timeout=60).status_code == 200
    assert shop.stop() == 0


def test_postgres_that_is_down_is_said(shop_of):
    url = server().database("down").replace("postgresql://", "postgresql+psycopg://", 1)
    shop = shop_of(ATTUNE_STORE=url)
    shop.start()
    session = httpx.post(f"{shop.url}/v1/sessions", timeout=60).json()["id"]
    server().control("stop", "-m", "immediate")
    try:
        answer = httpx.post(
            f"{shop.url}/v1/sessions/{session}/turns", json={"text": "blue shirts"}, timeout=60
        )
        assert answer.status_code == 503
        assert answer.json()["error"]["type"] == "store_unavailable"
        assert url not in answer.text
        assert httpx.get(f"{shop.url}/ready", timeout=60).status_code == 503
        assert httpx.get(f"{shop.url}/health", timeout=60).status_code == 200
    finally:
        server().start_again()
    shop.wait_ready()
    answer = httpx.post(
        f"{shop.url}/v1/sessions/{session}/turns", json={"text": "blue shirts"}, timeout=60
    )
    assert answer.json()["state"]["turn"] == 1
    assert shop.stop() == 0


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 32 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small disk takes rights that this process lacks")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(file, leave):
    """Fill the disk of a file but for some bytes."""
    with file.open("wb", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(b"x" * 65536)
    os.truncate(file, file.stat().st_size - leave)


def test_full_disk_loses_nothing(shop_of, small_disk):
    """The store fills its disk under load until nothing goes any more, and gets room again."""
    shop = shop_of(ATTUNE_STORE=f"sqlite:///{small_disk}/sessions.db")
    shop.start()
    fill(small_disk / "ballast", leave=600_000)
    with people(shop.url, sessions=4, seconds=40) as noted:
        for _ in range(300):
            ready = httpx.get(f"{shop.url}/ready", timeout=60)
            if ready.status_code == 503:
                break
            time.sleep(0.1)
        time.sleep(2)
        (small_disk / "ballast").unlink()
    assert ready.status_code == 503
    assert "the disk is full; free some space" in ready.json()["reasons"][0]
    assert noted[0]["tries"].get("HTTP 503"), noted[0]["tries"]
    kept(shop, noted[0])
    assert shop.stop() == 0
