"""A real server over a real project: crashes, clients that leave, a catalog that changes."""

import csv
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
import uvicorn

from agent.dialogue import Parts
from agent.linking import Linker
from agent.planner import RulePlanner
from agent.server import create_app
from agent.store import Store
from retrieval.encoder import HashingEncoder
from retrieval.loading import load
from retrieval.retriever import Retriever
from tests.conftest import free_port

ROOT = Path(__file__).parents[3]
COLOURS = ("Blue", "Navy", "Red", "Black", "White", "Green")


def write_catalog(path):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "title", "category", "colour", "price"])
        for number in range(24):
            colour, kind = COLOURS[number % 6], ("Shirts", "Shoes")[number % 2]
            price = f"{10 + number}.50 EUR"
            writer.writerow([f"i{number}", f"{colour} {kind} {number}", kind, colour, price])


def open_parts(folder):
    retriever = Retriever.open(folder / "project", HashingEncoder())
    store = Store(f"sqlite:///{folder}/sessions.db")
    return Parts(store, retriever, Linker.build(retriever), RulePlanner(retriever.facets))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    write_catalog(folder / "catalog.csv")
    Retriever.build(load([folder / "catalog.csv"]), folder / "project", encoder=HashingEncoder())
    return folder


@pytest.fixture
def folder(built, tmp_path):
    """A fresh copy of the project."""
    shutil.copytree(built / "project", tmp_path / "project")
    return tmp_path


SCRIPT = """
import sys
sys.path.insert(0, {root!r})
import importlib.util
spec = importlib.util.spec_from_file_location("process", {test!r})
process = importlib.util.module_from_spec(spec)
spec.loader.exec_module(process)
from pathlib import Path
app = process.create_app(process.open_parts(Path({folder!r})))
process.uvicorn.run(app, host="127.0.0.1", port={port}, log_level="error")
"""


@pytest.fixture
def start(folder):
    """Start a server process on the folder; return it with a client."""
    running = []

    def start():
        port = free_port()
        values = {"root": str(ROOT), "test": __file__, "folder": str(folder), "port": port}
        process = subprocess.Popen([sys.executable, "-c", SCRIPT.format(**values)])
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        running.append((process, client))
        for _ in range(600):
            try:
                assert client.get("/ready").status_code == 200
                break
            except httpx.ConnectError:
                assert process.poll() is None
                time.sleep(0.1)
        return process, client

    yield start
    for process, client in running:
        client.close()
        process.kill()
        process.wait()


def test_kill_resumes_where_it_was(start):
    process, client = start()
    session = "/v1/sessions/" + client.post("/v1/sessions").json()["id"]
    first = client.post(f"{session}/turns", json={"text": "blue shirts"}).json()
    assert {item["attributes"]["colour"] for item in first["items"]} == {"Blue"}
    row = {"id": "teal", "title": "Teal shirt", "category": "Shirts", "colour": "Teal", "price": 5}
    assert client.post("/v1/items:upsert", json={"items": [row]}).json()["stored"] == 1
    client.post("/v1/items:delete", json={"ids": [first["items"][0]["id"]]})
    before = client.get(session).json()
    process.kill()
    process.wait()
    _, again = start()
    assert again.get(session).json() == before
    assert again.get(f"/v1/items/{first['items'][0]['id']}").status_code == 404
    answer = again.post(f"{session}/turns", json={"text": "make it teal"}).json()
    assert [item["id"] for item in answer["items"]] == ["teal"]
    assert answer["state"]["turn"] == 2


@pytest.fixture
def served(folder):
    """A server in a thread, so that the test can hold its planner."""
    opened = []

    def serve(planner=None):
        parts = open_parts(folder)
        if planner is not None:
            parts = Parts(parts.store, parts.retriever, parts.linker, planner)
        server = uvicorn.Server(uvicorn.Config(create_app(parts), port=0, log_level="error"))
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        opened.append((parts, server, thread, client))
        return client

    yield serve
    for parts, server, thread, client in opened:
        client.close()
        server.should_exit = True
        thread.join()
        parts.retriever.close()
        parts.store.close()


class HeldPlanner(RulePlanner):
    """Waits in every turn until it is told to go on."""

    def __init__(self):
        super().__init__()
        self.entered, self.go = threading.Event(), threading.Event()

    def plan(self, request):
        self.entered.set()
        assert self.go.wait(30)
        return super().plan(request)


def test_leaving_client_frees_the_session(served):
    planner = HeldPlanner()
    client = served(planner)
    session = "/v1/sessions/" + client.post("/v1/sessions").json()["id"]
    body = b'{"text": "blue shirts", "stream": true}'
    head = (f"POST {session}/turns HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")  # fmt: skip
    with socket.create_connection(("127.0.0.1", client.base_url.port)) as leaving:
        leaving.sendall(head.encode() + body)
        assert planner.entered.wait(30)
    planner.go.set()
    answer = client.post(f"{session}/turns", json={"text": "red shoes"}).json()
    turns = client.get(session).json()["turns"]
    assert [turn["state"]["turn"] for turn in turns] == list(range(1, len(turns) + 1))
    assert turns[-1] == answer


def test_stream_is_readable_line_by_line(served):
    client = served()
    session = "/v1/sessions/" + client.post("/v1/sessions").json()["id"]
    body = {"text": "navy", "stream": True}
    with client.stream("POST", f"{session}/turns", json=body) as response:
        assert response.headers["cache-control"] == "no-cache"
        lines = list(response.iter_lines())
    events = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert events[:2] == ["understood", "items"]
    assert events[-1] == "done"


def test_health_answers_while_turns_wait(served):
    planner = HeldPlanner()
    client = served(planner)
    session = "/v1/sessions/" + client.post("/v1/sessions").json()["id"]
    waiting = threading.Thread(
        target=client.post, args=(f"{session}/turns",), kwargs={"json": {"text": "red"}}
    )
    waiting.start()
    assert planner.entered.wait(30)
    assert client.get("/health").status_code == 200
    assert client.get("/ready").status_code == 200
    assert client.get(session).json()["turns"] == []
    planner.go.set()
    waiting.join()
    assert len(client.get(session).json()["turns"]) == 1


def test_new_values_are_linked_at_once(served):
    client = served()
    session = "/v1/sessions/" + client.post("/v1/sessions").json()["id"]
    unknown = client.post(f"{session}/turns", json={"text": "teal shirts"}).json()
    assert "Teal" not in str(unknown["state"]["need"])
    row = {"id": "t1", "title": "Teal shirt", "category": "Shirts", "colour": "Teal", "price": 9}
    assert client.post("/v1/items:upsert", json={"items": [row]}).json()["stored"] == 1
    answer = client.post(f"{session}/turns", json={"text": "start over. teal shirts"}).json()
    assert [item["id"] for item in answer["items"]] == ["t1"]
    client.post("/v1/items:delete", json={"ids": ["t1"]})
    gone = client.post(f"{session}/turns", json={"text": "how much is the first one?"})
    assert gone.status_code == 200
    assert gone.json()["reply"]
