"""The benchmark of load: what it counts, what it would notice, and one small run of it."""

import asyncio
import json
from argparse import Namespace

import numpy as np
import pytest

from agent.store import Store
from benchmarks import load
from benchmarks.api_load.figures import HEAD, markdown, row, slope, speed
from benchmarks.api_load.model import answer_to
from benchmarks.api_load.served import look
from benchmarks.api_load.talk import Crowd
from retrieval.encoder import HashingEncoder
from retrieval.loading import load as read
from retrieval.retriever import Retriever
from tests.agent.stores import turn


def notes(**values):
    return {"turns": [], "events": [], "at": [], "seconds": [], **values}


def test_speed_is_over_the_whole_time():
    at = [float(n) for n in range(1, 101)]
    found = speed(notes(at=at, seconds=[0.1] * 95 + [1.0] * 5))
    assert (found["turns"], found["per_s"], found["p50"]) == (100, 1.0, 100.0)
    assert found["p95"] < found["p99"] == 1000.0
    assert speed(notes())["turns"] == 0


@pytest.mark.parametrize("growth", [0.0, 3.0])
def test_slope_tells_growth_from_noise(growth):
    chance = np.random.default_rng(3)
    at = np.sort(chance.uniform(0, 1000, 20_000))
    memory = [(float(s), 400 + growth * s / 50 + chance.normal(0, 2)) for s in range(1000)]
    found = slope(memory, at.tolist())
    assert found["low"] <= growth <= found["high"]
    assert (found["low"] > 0) == (growth > 0)
    assert slope(memory[:10], at.tolist()) is None


def test_missing_and_halved_turns_are_noticed(tmp_path):
    url = f"sqlite:///{tmp_path}/a.db"
    store = Store(url)
    id = store.create_session()
    done = [turn(id, 1), turn(id, 2)]
    for one in done:
        store.record(one)
    told = [(id, one.turn_id, one.state.turn) for one in done]
    assert look(url, notes(turns=told)).lost == 0
    assert look(url, notes(turns=[*told, (id, "gone", 3)], events=["gone"])).lost == 2
    assert look(url, notes(turns=[*told, told[0]])).twice == 2
    assert look(url, notes(turns=[(id, done[0].turn_id, 2)])).lost == 1
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE sessions SET turns = 3")
    assert look(url, notes(turns=told)).halves == 1
    store.close()


def test_model_plans_over_the_mentions():
    asked = 'TURN {"mentions": ["V1 colour=Blue", "R1 item on the slate", "K2 wedding"]}'
    assert answer_to(asked) == {"acts": [{"act": "recommend", "want": ["V1", "K2"]}]}
    assert answer_to("TURN {}") == {"acts": [{"act": "elicit"}]}


class Answers:
    """A client whose server fails so many times before it answers."""

    def __init__(self, failures):
        self.left, self.sent = failures, []

    async def post(self, path, json, headers):
        self.sent.append((path, headers["Idempotency-Key"]))
        self.left -= 1
        return Answer(503 if self.left >= 0 else 200)


class Answer:
    def __init__(self, status):
        self.status_code, self.is_success = status, status == 200

    def json(self):
        return {"id": "s"}


def test_unanswered_is_sent_again_under_its_key(monkeypatch):
    monkeypatch.setattr("benchmarks.api_load.talk.PAUSE_S", 0.0)
    client = Answers(3)
    crowd = Crowd(client, "rules", people=1, seconds=1, turns=1, seed=0)
    assert asyncio.run(crowd._post("/v1/sessions", {})) == {"id": "s"}
    assert len(client.sent) == 4
    assert len(set(client.sent)) == 1
    assert crowd.notes.tries == {"HTTP 503": 3}


@pytest.mark.slow
def test_small_load_loses_nothing(tmp_path):
    source = tmp_path / "catalog.csv"
    rows = [f"i{n},{('Blue', 'Red')[n % 2]} shirt {n},{('Blue', 'Red')[n % 2]},{n}.5 EUR"
            for n in range(24)]  # fmt: skip
    source.write_text("\n".join(["id,title,colour,price", *rows]), encoding="utf-8")
    Retriever.build(read([source]), tmp_path / "project", encoder=HashingEncoder())
    given = Namespace(sessions=[1, 8], seconds=3.0, turns=10**9)
    runs = list(load.runs_of(tmp_path / "project", "sqlite", "rules", 2, given, None))
    assert [run["sessions"] for run in runs] == [1, 8]
    for run in runs:
        assert (run["lost"], run["twice"], run["halves"], run["given_up"]) == (0, 0, 0, 0)
        assert run["turns"] > 0
        assert len(row(run)) == len(HEAD)
    assert markdown(runs).count("\n") == 3
    json.dumps(runs)
