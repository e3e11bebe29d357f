"""The benchmark of load: what it counts, what it would notice, and one small run of it."""

import asyncio
import json
from argparse import Namespace
from random import Random

import numpy as np
import pytest

from agent.store import Store
from benchmarks import load
from benchmarks.api_load.figures import (
    HEAD,
    compared,
    documented,
    markdown,
    merged,
    row,
    slope,
    speed,
    written_into,
)
from benchmarks.api_load.model import answer_to
from benchmarks.api_load.served import ROOT, look
from benchmarks.api_load.talk import Crowd, Person
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


def test_rounds_count_as_one_run():
    one = notes(turns=[1], seconds=[1.0], at=[2.0], tries={"HTTP 503": 1}, planners={}, given_up=0)
    other = notes(turns=[2], seconds=[5.0], at=[3.0], tries={"HTTP 503": 2}, planners={"a": 1},
                  given_up=1)  # fmt: skip
    both = merged([one, other])
    assert (both["turns"], both["at"], both["given_up"]) == ([1, 2], [2.0, 5.0], 1)
    assert (both["tries"], both["planners"]) == ({"HTTP 503": 3}, {"a": 1})
    assert speed(both)["in_time"] == 0.5
    assert one["at"] == [2.0]


def test_comparison_is_a_ratio():
    run = {"per_s": 90.0, "p50": 10.0, "p95": 30.0, "p99": 40.0, "cpu_ms": 8.0}
    before = {"per_s": 45.0, "p50": 20.0, "p95": None, "p99": 80.0, "cpu_ms": 16.0}
    assert compared(run, before) == {
        "per_s": 2.0, "p50": 0.5, "p95": None, "p99": 0.5, "cpu_ms": 0.5
    }  # fmt: skip
    assert compared(run, None) is None
    assert compared(before, before) is None


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
        self.left, self.sent, self.said = failures, [], []

    async def post(self, path, json, headers):
        self.sent.append((path, headers["Idempotency-Key"]))
        self.said.append(json.get("text"))
        self.left -= 1
        return Answer(503 if self.left >= 0 else 200)


class Answer:
    def __init__(self, status):
        self.status_code, self.is_success = status, status == 200
        self.headers = {"Retry-After": "7"} if status == 503 else {}

    def json(self):
        return {"id": "s", "turn_id": "t", "state": {"turn": 1}, "planner": "rules", "items": []}


@pytest.fixture
def pauses(monkeypatch):
    """The pauses that people make, none of which takes any time."""
    made, real = [], asyncio.sleep

    async def sleep(seconds):
        made.append(seconds)
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return made


def test_unanswered_is_sent_again_under_its_key(pauses):
    client = Answers(3)
    crowd = Crowd("rules", people=1, seconds=1, turns=1)
    person = Person(crowd, client, Random(0))
    assert asyncio.run(person.post("/v1/sessions", {}))["id"] == "s"
    assert len(client.sent) == 4
    assert len(set(client.sent)) == 1
    assert crowd.notes.tries == {"HTTP 503": 3}
    assert all(3.5 <= pause <= 10.5 for pause in pauses)


def test_people_think_by_their_seed(pauses):
    def talked(seed):
        pauses.clear()
        client = Answers(0)
        crowd = Crowd("rules", people=1, seconds=600, turns=200, think=10.0)
        asyncio.run(Person(crowd, client, Random(seed)).talk())
        return client.said, pauses[1:]

    said, thought = talked("1/0")
    assert len([text for text in said if text]) == 200
    assert 8 < sum(thought) / len(thought) < 12
    assert talked("1/0") == (said, thought)
    assert talked("1/1") != (said, thought)


def test_page_shows_the_kept_figures():
    page, kept = load.PAGE.read_text(), json.loads(load.RESULTS.read_text())
    measured = [
        name for name in ("load", "think") if "code" in kept.get(name, {"runs": [{}]})["runs"][0]
    ]
    for name in measured:
        assert written_into(page, name, documented(kept[name])) == page
    assert written_into(page, "load", "new").count("new<!-- end -->") == 1
    with pytest.raises(ValueError, match="no place for 'other'"):
        written_into(page, "other", "")


@pytest.mark.slow
def test_small_load_loses_nothing(tmp_path):
    source = tmp_path / "catalog.csv"
    rows = [f"i{n},{('Blue', 'Red')[n % 2]} shirt {n},{('Blue', 'Red')[n % 2]},{n}.5 EUR"
            for n in range(24)]  # fmt: skip
    source.write_text("\n".join(["id,title,colour,price", *rows]), encoding="utf-8")
    Retriever.build(read([source]), tmp_path / "project", encoder=HashingEncoder())
    given = Namespace(sessions=[1, 8], seconds=4.0, turns=10**9, rounds=2, think=0.1, against=ROOT)
    runs = list(load.runs_of(tmp_path / "project", "sqlite", "rules", 2, given, None))
    assert [run["sessions"] for run in runs] == [1, 1, 8, 8]
    assert [run["code"] for run in runs] == ["before", "now"] * 2
    assert [run["of_before"] is None for run in runs] == [True, False] * 2
    for run in runs:
        assert (run["lost"], run["twice"], run["halves"], run["given_up"]) == (0, 0, 0, 0)
        assert run["turns"] > 0
        assert len(row(run)) == len(HEAD)
    assert markdown(runs).count("\n") == 5
    json.dumps(runs)
