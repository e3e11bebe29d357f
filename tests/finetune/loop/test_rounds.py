"""Rounds: what each ends with, that they go on after a crash, and that nothing bad goes live."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.planner import RulePlanner
from agent.voice import Voice
from finetune.contestant import Contestant
from finetune.errors import DataError, LoopError, TrainingError
from finetune.events.audit import Audit
from finetune.gate import Verdict
from finetune.loop import rounds as module
from finetune.loop.rounds import Learner, rounds, run_round
from finetune.pairs.rows import Pair, write_made
from finetune.registry import Registry
from retrieval.retriever import Retriever


def contestant(name: str, folder: Path | None) -> Contestant:
    return Contestant(name, lambda retriever: Voice(name, RulePlanner(retriever.facets)))


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry(tmp_path / "adapters", who="test") as opened:
        yield opened


@pytest.fixture
def learner(tmp_path: Path, demo: Retriever, registry: Registry, base: Path) -> Learner:
    return Learner(tmp_path / "rounds", demo, registry, str(base), contestant, small=True)


class Steps:
    """Stands in for the steps that take long, and counts them."""

    def __init__(self, make: Callable[[int], Path]) -> None:
        self.done: list[str] = []
        self.starts: list[Path | None] = []
        self.promote = True
        self.failing: dict[str, Exception] = {}
        self._make = make

    def pairs(self, sessions: Any, retriever: Any, config: Any) -> None:
        self._step("pairs")
        list(sessions)

    def write(self, out: Path, made: Any) -> None:
        out.mkdir(parents=True)
        prompt = ({"role": "user", "content": f"need {len(self.done)}"},)
        pair = Pair(prompt=prompt, chosen="a", rejected="b", kind="choice")  # type: ignore[arg-type]
        write_made(out / "train.jsonl", [pair])
        (out / "report.json").write_text("{}")

    def train(
        self, config: Any, sources: Any, out: Path, *, start: Path | None, **more: Any
    ) -> None:
        self._step("train")
        self.starts.append(start)
        self._make(len(self.starts)).rename(out)

    def gate(
        self, baseline: Contestant, candidate: Contestant, *more: Any, **given: Any
    ) -> Verdict:
        self._step("gate")
        config = {"candidate": candidate.name, "baseline": baseline.name}
        return Verdict(self.promote, ("because",), (), {}, config)

    def _step(self, name: str) -> None:
        self.done.append(name)
        if name in self.failing:
            raise self.failing[name]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch, make: Callable[[int], Path]) -> Steps:
    found = Steps(make)

    def make_pairs(sessions: Any, retriever: Any, config: Any) -> Any:
        found.pairs(sessions, retriever, config)
        return SimpleNamespace(report={"sessions": 0})

    monkeypatch.setattr(module, "make_pairs", make_pairs)
    monkeypatch.setattr(module, "write_folder", found.write)
    monkeypatch.setattr(module.dpo, "train", found.train)
    monkeypatch.setattr(module, "evaluate_gate", found.gate)
    return found


def test_passed_adapter_goes_live(learner: Learner, steps: Steps) -> None:
    done = run_round(learner, [])
    assert (done.ending, done.parent, done.pairs) == ("promoted", None, {"choice": 1})
    live = learner.registry.live()
    assert live is not None
    assert live.name == done.adapter
    assert rounds(learner.folder) == [done]


def test_refused_adapter_changes_nothing(learner: Learner, steps: Steps) -> None:
    steps.promote = False
    done = run_round(learner, [])
    assert (done.ending, done.reasons) == ("refused", ("because",))
    assert learner.registry.live() is None
    assert learner.registry.get(str(done.adapter)).status == "refused"


def test_next_round_starts_from_what_is_live(learner: Learner, steps: Steps) -> None:
    first = run_round(learner, [])
    second = run_round(learner, [])
    assert (second.number, second.parent) == (2, first.adapter)
    assert steps.starts[0] is None
    assert steps.starts[1] == learner.registry.get(str(first.adapter)).folder
    replay = (learner.folder / "round-0002" / "replay.jsonl").read_text("utf-8")
    assert json.loads(replay.splitlines()[0])["prompt"][0]["content"] == "need 1"


def test_too_few_pairs_end_the_round(learner: Learner, steps: Steps) -> None:
    steps.failing["pairs"] = DataError("3 pairs, 40 are needed")
    done = run_round(learner, [])
    assert (done.ending, done.reasons) == ("too few pairs", ("3 pairs, 40 are needed",))
    assert steps.done == ["pairs"]


@pytest.mark.parametrize("step", ["train", "gate"])
def test_failed_step_is_done_again_alone(learner: Learner, steps: Steps, step: str) -> None:
    steps.failing[step] = TrainingError("out of memory")
    with pytest.raises(TrainingError, match="out of memory"):
        run_round(learner, [])
    assert learner.registry.live() is None
    assert rounds(learner.folder) == []
    before, steps.failing = list(steps.done), {}
    done = run_round(learner, [])
    assert (done.number, done.ending) == (1, "promoted")
    assert steps.done[len(before) :] == ["train", "gate"][["train", "gate"].index(step) :]


def test_verdict_beside_another_live_adapter_is_made_again(
    learner: Learner, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What answers changed between the verdict and the promotion that a crash prevented."""
    first = run_round(learner, [])
    with monkeypatch.context() as crash:
        crash.setattr(Registry, "judge", lambda *given: (_ for _ in ()).throw(OSError("crash")))
        with pytest.raises(OSError, match="crash"):
            run_round(learner, [])
    learner.registry.rollback()
    gates = steps.done.count("gate")
    done = run_round(learner, [])
    assert (done.number, done.parent, done.promoted) == (2, None, True)
    assert steps.done.count("gate") == gates + 1
    assert first.adapter != done.adapter


def test_every_step_is_in_the_audit_trail(learner: Learner, steps: Steps) -> None:
    run_round(learner, [])
    audit = Audit(learner.registry.folder)
    kinds = [entry.kind for entry in audit.entries()]
    assert kinds == ["loop.pairs", "loop.adapter", "adapter.add", *kinds[3:-1], "loop.round"]
    assert "adapter.promote" in kinds
    assert audit.check().broken is None


@pytest.mark.parametrize("text", ["{", '{"number": 1}', '{"begun": "x", "reasons": []}'])
def test_foreign_round_report_is_told(learner: Learner, text: str) -> None:
    folder = learner.folder / "round-0001"
    folder.mkdir(parents=True)
    (folder / "round.json").write_text(text)
    with pytest.raises(LoopError, match="is no round's report"):
        rounds(learner.folder)


def test_other_folders_are_no_rounds(learner: Learner, steps: Steps) -> None:
    (learner.folder / "notes").mkdir(parents=True)
    assert run_round(learner, []).number == 1
