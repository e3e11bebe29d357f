"""Processes that die: at any moment, at the worst moment, and when they are asked to."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import httpx
import pytest

from benchmarks.api_load.served import ROOT, look
from tests.conftest import free_port
from tests.faults.conftest import kept, people

pytestmark = pytest.mark.slow


def test_killed_workers_lose_nothing(shop_of):
    """Three times kill -9 of one of two workers, under load; the others go on."""
    shop = shop_of()
    shop.start(workers=2)
    with people(shop.url, sessions=8, seconds=12) as noted:
        for _ in range(3):
            time.sleep(2.5)
            shop.kill_worker()
            assert shop.process.poll() is None
    assert noted[0]["tries"], "nobody noticed"
    kept(shop, noted[0])
    assert shop.stop() == 0


def test_killed_server_goes_on_where_it_was(shop_of):
    shop = shop_of()
    shop.start()
    with people(shop.url, sessions=4, seconds=12) as noted:
        time.sleep(4)
        shop.kill()
        shop.start()
    assert noted[0]["tries"], "nobody noticed"
    kept(shop, noted[0])
    assert shop.stop() == 0


DYING = """
import os, sys
from agent.store import Store
from ui.cli import main
record = Store.record
def dying(*arguments, **named):
    if os.path.exists({flag!r}) and {before}:
        os.kill(os.getpid(), 9)
    record(*arguments, **named)
    if os.path.exists({flag!r}):
        os.kill(os.getpid(), 9)
Store.record = dying
sys.argv[0] = "attune"
main()
"""


@pytest.mark.parametrize("before", [True, False], ids=["before storing", "stored, not answered"])
def test_death_around_storing_is_taken_once(shop_of, tmp_path, before):
    """The worst moments: the turn is stored, or about to be, and the client has no answer."""
    flag = tmp_path / "die"
    shop = shop_of()
    shop.start(command=("-c", DYING.format(flag=str(flag), before=before)))
    session = httpx.post(f"{shop.url}/v1/sessions", timeout=60).json()["id"]
    flag.touch()
    said = {"url": f"{shop.url}/v1/sessions/{session}/turns", "json": {"text": "blue shirts"},
            "headers": {"Idempotency-Key": "once"}, "timeout": 60}  # fmt: skip
    with pytest.raises(httpx.HTTPError):
        httpx.post(**said)
    shop.process.wait()
    flag.unlink()
    shop.start()
    answers = [httpx.post(**said).json() for _ in range(2)]
    assert answers[0] == answers[1]
    turns = httpx.get(f"{shop.url}/v1/sessions/{session}", timeout=60).json()["turns"]
    assert [turn["turn_id"] for turn in turns] == [answers[0]["turn_id"]]
    assert turns[0]["state"]["turn"] == 1


def test_asked_to_end_it_finishes_what_it_began(shop_of):
    """SIGTERM under load: no request that was answered is lost, no turn is stored by half."""
    shop = shop_of()
    shop.start(workers=2)
    with people(shop.url, sessions=8, seconds=10) as noted:
        time.sleep(4)
        assert shop.stop() == 0
        shop.start(workers=2)
    kept(shop, noted[0])
    assert shop.stop() == 0


def stream(shop, session, text, events):
    with httpx.stream(
        "POST", f"{shop.url}/v1/sessions/{session}/turns",
        json={"text": text, "stream": True}, timeout=60,
    ) as answer:  # fmt: skip
        events += [line[7:] for line in answer.iter_lines() if line.startswith("event: ")]


@pytest.mark.parametrize(
    ("stop_s", "ends"), [("30", "done"), ("1", None)], ids=["enough time", "too little time"]
)
def test_stream_under_way_ends_whole_or_not_at_all(shop_of, model_port, stop_s, ends):
    """The model takes 4 s; a server asked to end waits for it, or drops the whole turn."""
    shop = shop_of(
        ATTUNE_LLM=f"http://127.0.0.1:{model_port}/v1", ATTUNE_MODEL="scripted",
        ATTUNE_STOP_S=stop_s, ATTUNE_DEADLINE_S="6",
    )  # fmt: skip
    shop.start()
    session = httpx.post(f"{shop.url}/v1/sessions", timeout=60).json()["id"]
    events = []
    text = "something for my sister's wedding in blue"
    streaming = threading.Thread(target=lambda: _quietly(stream, shop, session, text, events))
    streaming.start()
    both = "attune_requests_in_flight 2.0"  # the turn, and who asks
    while both not in httpx.get(f"{shop.url}/metrics", timeout=60).text:
        assert streaming.is_alive()
    assert shop.stop() == 0
    streaming.join()
    shop.start()
    turns = httpx.get(f"{shop.url}/v1/sessions/{session}", timeout=60).json()["turns"]
    assert (events[-1] if events else None) == ends
    assert len(turns) in ({1} if ends else {0, 1})
    assert look(shop.store, {"turns": [], "events": []}).halves == 0


def _quietly(call, *arguments):
    with suppress(httpx.HTTPError):
        call(*arguments)


def test_drained_server_says_so_first(shop_of):
    shop = shop_of(ATTUNE_DRAIN_S="4")
    shop.start()
    shop.process.send_signal(signal.SIGTERM)
    answer = httpx.get(f"{shop.url}/ready", timeout=60)
    while answer.status_code == 200:
        answer = httpx.get(f"{shop.url}/ready", timeout=60)
    assert answer.status_code == 503
    assert "stopping" in answer.json()["reasons"][0]
    assert httpx.post(f"{shop.url}/v1/sessions", timeout=60).status_code == 201
    assert shop.process.wait(60) == 0


def test_worker_that_cannot_start_ends_the_parent(shop_of):
    shop = shop_of(ATTUNE_STORE="nonsense://x")
    with pytest.raises(AssertionError, match="nonsense"):
        shop.start(workers=2)
    assert shop.process.wait(60) == 1


def test_catalog_is_written_through_any_worker(shop_of):
    """Also after the one that writes is killed."""
    shop = shop_of()
    shop.start(workers=3)
    for round_ in range(2):
        for number in range(6):
            row = {"id": f"t{round_}-{number}", "title": "Teal shirt", "category": "Shirts",
                   "colour": "Teal", "price": "5.00 EUR"}  # fmt: skip
            answer = _until_answered(f"{shop.url}/v1/items:upsert", {"items": [row]})
            assert json.loads(answer.text) == {"stored": 1, "rejected": []}
            found = httpx.get(f"{shop.url}/v1/items/{row['id']}", timeout=60)
            assert found.json()["title"] == "Teal shirt"
        holder = int((shop.folder / "writer.pid").read_text())
        assert holder in shop.workers()
        os.kill(holder, signal.SIGKILL)
    assert shop.stop() == 0


def _until_answered(url, body):
    for _ in range(100):
        try:
            answer = httpx.post(url, json=body, timeout=60)
            if answer.is_success:
                return answer
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{url} was never answered")


@pytest.fixture
def model_port():
    """A language model that takes four seconds."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.api_load.model", str(port), "--slow", "4", "4"]
    process = subprocess.Popen(command, cwd=ROOT)
    yield port
    process.kill()
    process.wait()
