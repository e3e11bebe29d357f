"""`attune feedback drift | off-policy | experiment` over a store that simulated people filled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent.dialogue import Parts
from agent.exploring import Explore
from agent.feedback import FeedbackEvent
from agent.linking import Linker
from agent.planner import RulePlanner
from agent.store import Store
from agent.voice import Voice
from finetune.contestant import Contestant
from finetune.simulator import POPULATIONS, simulate
from retrieval.demo import make_demo
from retrieval.encoder import HashingEncoder
from retrieval.loading import load
from retrieval.retriever import Retriever
from tests.agent.talking import say
from tests.agent.test_dialogue_voices import OneVoice
from ui import wiring
from ui.cli import main
from ui.settings import Settings
from ui.wiring import open_store

RULES = Contestant("house", lambda retriever: Voice("house", RulePlanner(retriever.facets)))
OTHER = Contestant("other", lambda retriever: Voice("other", RulePlanner(retriever.facets)))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("experiments")
    out, encoder = folder / "shop", HashingEncoder(64)
    Retriever.build(load([make_demo(folder / "catalog", items=300)]), out, encoder=encoder)
    store = Store(f"sqlite:///{out / 'sessions.db'}")
    with Retriever.open(out, encoder) as retriever:
        for contestant, seed in ((RULES, 0), (OTHER, 1)):
            simulate(contestant, retriever, store, POPULATIONS["plain"], 25, seed,
                     policy=Explore(1.0))  # fmt: skip
    store.close()
    return out


@pytest.fixture(autouse=True)
def _small_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "make_encoder", lambda *given: HashingEncoder(64))


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["feedback", *words])
    return done.exit_code, done.output


def test_experiment_tells_both_arms(project: Path) -> None:
    code, said = run("experiment", str(project), "house", "other")
    assert code == 0
    assert "control" in said
    assert "(25)" in said
    assert "undecided" in said


def test_experiment_as_json(project: Path) -> None:
    code, said = run("experiment", str(project), "house", "other", "--json")
    told = json.loads(said)
    assert (code, told["users"], told["decision"]) == (0, [25, 25], "undecided")
    assert told["interleaved"]["preference"] == 0.5


def test_experiment_tells_interleaved_slates_alone(project: Path) -> None:
    planner, store = RulePlanner(), open_store(project, Settings())
    router = OneVoice(Voice("mixing", planner, rival=Voice("rival", planner)))
    with Retriever.open(project, HashingEncoder(64)) as retriever:
        parts = Parts(store, retriever, Linker.build(retriever), planner, router=router)
        slate = say(parts, store.create_session(), "shirts").slate
    first = slate.items[0].item_id
    store.add_feedback(FeedbackEvent(slate_id=slate.id, item_id=first, kind="click"))
    store.close()
    code, said = run("experiment", str(project), "mixing", "rival")
    assert (code, said.count("\n")) == (0, 1)
    assert said.startswith("interleaved slates: ")
    told = json.loads(run("experiment", str(project), "mixing", "rival", "--json")[1])
    assert list(told) == ["interleaved"]
    assert told["interleaved"]["wins_a"] + told["interleaved"]["wins_b"] == 1
    assert run("experiment", str(project), "rival", "mixing")[0] == 1


def test_unknown_voice_is_told_with_those_there_are(project: Path) -> None:
    code, said = run("experiment", str(project), "house", "tuned-9")
    assert code == 1
    assert "no session was answered by 'tuned-9'" in said
    assert "house (25)" in said


def test_drift_needs_sessions_of_both_times(project: Path) -> None:
    code, said = run("drift", str(project))
    assert code == 1
    assert "0 sessions in the reference time" in said


def test_off_policy_of_the_base_is_near_what_was_logged(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ui import loop

    monkeypatch.setattr(loop, "contestants", lambda *given: lambda name, folder: RULES)
    code, said = run("off-policy", str(project), "--adapter", "base", "--json")
    told = json.loads(said)
    assert code == 0
    assert told["low"] <= told["value"] <= told["high"]
    assert 0.2 < told["value"] / told["logged"] < 5
    assert told["slates"] > 50
    code, said = run("off-policy", str(project), "--adapter", "base")
    assert "explored slates" in said


def test_unknown_adapter_is_told(project: Path) -> None:
    code, said = run("off-policy", str(project), "--adapter", "nope")
    assert code == 1
    assert "nope" in said


def test_missing_project_is_told(tmp_path: Path) -> None:
    code, said = run("drift", str(tmp_path / "none"))
    assert code == 1
    assert "is no folder" in said
