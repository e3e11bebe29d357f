from __future__ import annotations

import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from threading import Event

import pytest
from fastapi.testclient import TestClient

from agent.errors import StoreError, UnknownSession
from agent.llm_planner import LLMPlanner
from agent.planner import RulePlanner
from retrieval.build import BuildReport
from retrieval.demo import make_demo
from retrieval.errors import EncoderMismatch, IndexLocked
from retrieval.project import has_manifest
from ui import wiring
from ui.settings import Settings


def report(**counts) -> BuildReport:
    own = {"added": 0, "changed": 0, "unchanged": 0, "deleted": 0, "rejected": 0, **counts}
    return BuildReport("shop", encoded=0, seconds=2.0, encode_seconds=1.0, **own)


def test_rules_plan_without_a_model(project):
    assert isinstance(wiring.make_planner(project.retriever, Settings()), RulePlanner)


def test_named_model_plans(folder):
    settings = Settings(llm="http://localhost:1/v1", model="m", llm_key="k", deadline_s=0.5)
    project = wiring.open_project(folder, settings)
    assert isinstance(project.parts.planner, LLMPlanner)
    project.close()


def test_dead_model_falls_back_to_rules(folder):
    settings = Settings(llm="http://localhost:1/v1", model="m")
    project = wiring.open_project(folder, settings)
    done = wiring.turn(project, wiring.session(project, None), "hmm something for a rainy walk?")
    project.close()
    assert done.planner == "rules"
    assert done.plan.fallback


def test_sessions_are_kept_in_the_project(project, folder):
    id = wiring.session(project, None)
    wiring.turn(project, id, "shirts")
    with sqlite3.connect(folder / "sessions.db") as connection:
        assert connection.execute("select count(*) from turns").fetchone() == (1,)
    connection.close()


def test_store_can_be_elsewhere(folder, tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path / 'other.db'}")
    wiring.open_project(folder, settings).close()
    assert (tmp_path / "other.db").exists()
    assert not (folder / "sessions.db").exists()


def test_unusable_store_is_told(folder):
    with pytest.raises(StoreError, match="nonsense"):
        wiring.open_store(folder, Settings(store="nonsense://x"))


def test_unknown_session_is_refused(project):
    with pytest.raises(UnknownSession, match="'gone'"):
        wiring.session(project, "gone")


def test_readers_stand_beside_a_writer(folder):
    writer = wiring.open_project(folder, Settings(), write=True)
    reader = wiring.open_project(folder, Settings())
    assert reader.retriever.index.count() == 12
    with pytest.raises(IndexLocked):
        wiring.open_retriever(folder, Settings(), write=True)
    beside = wiring.open_project(folder, Settings(), write=True)
    assert beside.retriever.delete([reader.retriever.index.ids()[0]]) == 1
    assert reader.retriever.index.count() == 11
    beside.close()
    reader.close()
    writer.close()


def test_project_opens_with_its_own_encoder(folder):
    project = wiring.open_project(folder, Settings(encoder="hashing-32"))
    assert project.retriever.encoder.name == "hashing-64"
    project.close()


def test_other_encoder_is_refused(built, folder):
    loaded = wiring.load([built.parent / "shop.csv"])
    with pytest.raises(EncoderMismatch, match="hashing-32"):
        wiring.build(loaded, folder, Settings(encoder="hashing-32"), progress=False)


def test_app_takes_turns_over_http(folder):
    with TestClient(wiring.make_app(folder, Settings())) as client:
        session = client.post("/v1/sessions").json()["id"]
        turn = client.post(f"/v1/sessions/{session}/turns", json={"text": "blue shirts under 40"})
        assert [item["id"] for item in turn.json()["items"]] == ["1"]


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"added": 12_000}, "indexed 12,000 items into shop in 2.0 s (12,000 new)"),
        ({"unchanged": 3, "deleted": 1, "changed": 2},
         "indexed 5 items into shop in 2.0 s (2 changed, 3 unchanged, 1 deleted)"),
        ({"added": 1, "rejected": 2},
         "indexed 1 items into shop in 2.0 s (1 new)\n"
         "2 rejects with row, column and reason: shop/rejects.csv"),
    ],
)  # fmt: skip
def test_outcome_counts_what_was_done(counts, said):
    from pathlib import Path

    assert wiring.outcome(report(**counts), Path("shop")) == said


def test_catalog_limits_own_labels(built, monkeypatch):
    seen = {}

    def remember(files, make_parts, config, by_case):
        seen.update(files=files, fashion=make_parts("fashion"), other=make_parts("shop.csv"))
        return {}

    monkeypatch.setattr("finetune.understanding.evaluate_files", remember)
    wiring.understanding((), built.parent / "shop.csv")
    assert {"understanding_dev", "understanding_test"} <= set(seen["files"])
    assert seen["fashion"] is None
    assert len(seen["other"].items) == 12


def test_second_first_start_waits(tmp_path, monkeypatch):
    told = StringIO()
    monkeypatch.setattr(sys, "stderr", told)
    began, may_end, made = Event(), Event(), []

    def slow_demo(out):
        made.append(out)
        began.set()
        assert may_end.wait(timeout=60)
        return make_demo(out, items=120)

    monkeypatch.setattr(wiring, "make_demo", slow_demo)
    settings = Settings(home=tmp_path / "home", encoder="hashing-64")
    with ThreadPoolExecutor() as pool:
        first = pool.submit(wiring.demo_project, settings)
        assert began.wait(timeout=60)
        second = pool.submit(wiring.demo_project, settings)
        while "Waiting for another attune" not in told.getvalue() and not second.done():
            time.sleep(0.01)
        may_end.set()
        assert first.result() == second.result()
    assert "Waiting for another attune" in told.getvalue()
    assert len(made) == 1


def test_failed_preparation_lets_the_next_try(tmp_path, monkeypatch):
    settings = Settings(home=tmp_path / "home", encoder="hashing-64")

    def no_space(out):
        raise OSError("No space left on device")

    monkeypatch.setattr(wiring, "make_demo", no_space)
    with pytest.raises(OSError, match="No space"):
        wiring.demo_project(settings)
    monkeypatch.setattr(wiring, "make_demo", lambda out: make_demo(out, items=120))
    assert has_manifest(wiring.demo_project(settings))


def test_a_demo_of_an_older_version_gets_its_service_desk(tmp_path, monkeypatch):
    monkeypatch.setattr(wiring, "make_demo", lambda out: make_demo(out, items=120))
    settings = Settings(home=tmp_path / "home", encoder="hashing-64")
    folder = wiring.demo_project(settings)
    (folder / "service.toml").unlink()
    assert wiring.demo_project(settings) == folder
    assert (folder / "service.toml").exists()


def test_new_catalog_is_weighed_once(tmp_path, monkeypatch):
    items, settings = tmp_path / "items.csv", Settings(home=tmp_path / "home")
    words = ["red", "blue", "warm", "light", "long", "short"]
    items.write_text("id,title\n" + "".join(f"{n},{words[n % 6]} hat {n}\n" for n in range(600)))
    wiring.build(wiring.load([items]), tmp_path / "p", settings, progress=False)
    weights = (tmp_path / "p/fusion.json").read_text()
    assert '"by": "scores"' in weights
    monkeypatch.setattr(wiring, "tune_fusion", None)
    wiring.build(wiring.load([items]), tmp_path / "p", settings, progress=False)
    assert (tmp_path / "p/fusion.json").read_text() == weights
