"""A real server of a small shop that can be killed and started again, and people who talk to it.

What the people were acknowledged is looked for in the store afterwards (`kept`).
"""

import asyncio
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import httpx
import psutil
import pytest

from benchmarks.api_load.served import look
from benchmarks.api_load.talk import talk
from retrieval.encoder import HashingEncoder
from retrieval.loading import load
from retrieval.retriever import Retriever
from tests.conftest import free_port

ROOT = Path(__file__).parents[2]
COLOURS = ("Blue", "Navy", "Red", "Black", "White", "Green")


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    with (folder / "catalog.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "title", "category", "colour", "price"])
        for number in range(48):
            colour, kind = COLOURS[number % 6], ("Shirts", "Shoes")[number % 2]
            price = f"{10 + number}.50 EUR"
            writer.writerow([f"i{number}", f"{colour} {kind} {number}", kind, colour, price])
    Retriever.build(load([folder / "catalog.csv"]), folder / "project", encoder=HashingEncoder())
    return folder / "project"


class Shop:
    """One server on one port; what it keeps outlives it."""

    def __init__(self, folder, **environment):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.store = environment.get("ATTUNE_STORE", f"sqlite:///{folder}/sessions.db")
        clean = {key: value for key, value in os.environ.items() if not key.startswith("ATTUNE_")}
        self.environment = {**clean, "ATTUNE_LLM": "none", "ATTUNE_LOG": "json", **environment}
        self.log = folder.parent / "served.log"
        self.process = None

    def start(self, workers=1, command=("-m", "ui")):
        arguments = ["serve", str(self.folder), "--port", str(self.port), "--workers", str(workers)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command, *arguments],
                cwd=ROOT, env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip
        self.wait_ready()

    def wait_ready(self):
        for _ in range(1200):
            try:
                if httpx.get(f"{self.url}/ready", timeout=10).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            time.sleep(0.1)
        raise AssertionError(self.log.read_text()[-3000:])

    def workers(self):
        """The processes that take requests."""
        found = []
        with suppress(psutil.Error):
            for child in psutil.Process(self.process.pid).children():
                with suppress(psutil.Error):  # it has just died
                    if "spawn_main" in " ".join(child.cmdline()):
                        found.append(child.pid)
        return found

    def kill_worker(self):
        """Kill one worker as soon as there is one."""
        for _ in range(600):
            found = self.workers()
            if found:
                os.kill(found[0], signal.SIGKILL)
                return
            time.sleep(0.1)
        raise AssertionError("no worker came")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ask it to end, and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(90)


@pytest.fixture
def shop_of(built, tmp_path):
    """Make a shop with an environment of its own."""
    made = []

    def make(service="", **environment):
        folder = Path(shutil.copytree(built, tmp_path / f"shop{len(made)}"))
        if service:
            (folder / "service.toml").write_text(service, encoding="utf-8")
        made.append(Shop(folder, **environment))
        return made[-1]

    yield make
    for shop in made:
        if shop.process is not None and shop.process.poll() is None:
            workers = shop.workers()
            shop.process.kill()
            for pid in workers:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            shop.process.wait()


@contextmanager
def people(url, sessions, seconds, words="rules"):
    """Have people talk while the block does harm; what they noted is in the list afterwards."""
    noted = []

    def run():
        made = talk(url, sessions=sessions, seconds=seconds, turns=10**6, words=words, seed=1)
        noted.append(asdict(asyncio.run(made)))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield noted
    finally:
        thread.join()


def note(found, notes):
    """Keep what a test saw, where FAULTS_OUT names a file: benchmarks/results/faults.json."""
    if "FAULTS_OUT" not in os.environ:
        return
    path = Path(os.environ["FAULTS_OUT"])
    known = json.loads(path.read_text()) if path.exists() else {}
    name = os.environ["PYTEST_CURRENT_TEST"].partition("::")[2].removesuffix(" (call)")
    known[name] = {**asdict(found), "tried_again": notes["tries"], "planners": notes["planners"]}
    path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def kept(shop, notes):
    """Check that all that was acknowledged is there once, and nothing by half."""
    found = look(shop.store, notes)
    note(found, notes)
    assert (found.lost, found.twice, found.halves) == (0, 0, 0), found
    assert (notes["refused"], notes["given_up"]) == ([], 0), notes["tries"]
    assert found.turns > 0
    return found
