"""`attune loop`: what each command says, and the whole loop once, on few simulated people."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from agent.llm import ScriptedModel
from agent.voices import CHOOSE_S, MEASURING_S
from finetune.loop.rounds import Round
from retrieval.demo import make_demo
from retrieval.encoder import HashingEncoder
from retrieval.loading import load
from retrieval.retriever import Retriever
from ui import loop_figures
from ui.adapter_serving import host_of
from ui.cli import main
from ui.loop import contestants, demo_text, rounds_text
from ui.loop_rows import loop_rows, off_policy_rows
from ui.settings import Settings


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["loop", *words])
    return done.exit_code, done.output


def project(folder: Path) -> Path:
    out = folder / "shop"
    Retriever.build(
        load([make_demo(folder / "catalog", items=60)]), out, encoder=HashingEncoder(64)
    )
    return out


DONE = Round(
    2, "promoted", ("simulator.success improved: 0.69 to 0.85",), datetime(2026, 5, 1, tzinfo=UTC),
    "adapter-17cc4c5d", None, {"choice": 192, "plan": 2}, {"reward_accuracy": 0.74},
)  # fmt: skip


def write_round(shop: Path) -> None:
    folder = shop / "rounds" / "round-0002"
    folder.mkdir(parents=True)
    (folder / "round.json").write_text(json.dumps(DONE.to_json()), "utf-8")


def test_status_of_a_project_without_rounds(tmp_path: Path) -> None:
    assert run("status", str(project(tmp_path))) == (
        0, "no round has ended yet: attune loop run\n",
    )  # fmt: skip


def test_status_tells_each_round(tmp_path: Path) -> None:
    shop = project(tmp_path)
    write_round(shop)
    code, said = run("status", str(shop))
    assert code == 0
    assert "promoted" in said
    assert "adapter-17cc4c5d" in said
    assert "194" in said
    code, said = run("status", str(shop), "--json")
    assert json.loads(said)["rounds"] == [DONE.to_json()]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--llm", "none"], "rules learn nothing"),
        (["--llm", "http://localhost:1/v1", "--model", "x"], "--base"),
        (["--every", "often"], "no length of time"),
    ],
)
def test_bad_options_are_told(tmp_path: Path, options: list[str], told: str) -> None:
    code, said = run("run", str(project(tmp_path)), *options)
    assert code == 1
    assert told in said


def report() -> dict[str, Any]:
    def estimate(mean: float) -> dict[str, float]:
        return {"mean": mean, "low": mean - 0.05, "high": mean + 0.05, "n": 360}

    changes = [
        {"round": 1, "measure": name, "before": estimate(before), "after": estimate(after),
         "difference": estimate(after - before), "by_seed": {"0": 0.1, "1": 0.2}}
        for name, before, after in (("success", 0.64, 0.8), ("turns", 2.4, 1.9))
    ]  # fmt: skip
    return {
        "rounds": 1, "seeds": [0, 1], "n": 360, "changes": changes, "promoted": 2,
        "regressions_refused": "5/5",
        "success_before": estimate(0.64), "success_after": estimate(0.8),
        "turns_before": estimate(2.4), "turns_after": estimate(1.9),
        "runs": [{"seed": 0, "rounds": [DONE.to_json()]}],
        "config": {"teachers": 150, "testers": 180},
    }  # fmt: skip


def test_demonstration_is_told_as_tables(tmp_path: Path) -> None:
    said = demo_text(report())
    assert "+0.160 (+0.110 to +0.210)" in said
    assert "5/5" in said
    assert "seed 0: 2 promoted" in said
    (tmp_path / "loop.json").write_text(json.dumps(report()), "utf-8")
    block = loop_figures.loop(tmp_path)
    assert "| 1 | success | 0.640 | 0.800 |" in block
    assert "| 0 | 2 | 192 choice, 2 plan | 0.74 | promoted |" in block


def test_headlines_of_the_demonstration() -> None:
    rows = list(loop_rows(report()))
    assert rows[0][1] == "0.64 → 0.80 (+0.160, +0.110 to +0.210)"
    assert [row[2] for row in rows] == ["rises, interval without 0", "fall, interval without 0"]


def test_headline_of_off_policy_counts_trusted_settings() -> None:
    clicks = {"estimator": "snips", "behaviour": "position-based clicks", "trusted": 1.0}
    rows = [
        {**clicks, "held": 0.95},
        {**clicks, "held": 0.1, "trusted": 0.0},
        {**clicks, "held": 0.0, "estimator": "ips"},
        {**clicks, "held": 0.2, "behaviour": "one choice a slate"},
    ]
    told = [row[1] for row in off_policy_rows({"rows": rows})]
    assert told == [
        "95% of replays, 95% to 95% by setting",
        "20% of replays, 20% to 20% by setting",
    ]


def test_unmeasured_blocks_say_so(tmp_path: Path) -> None:
    assert loop_figures.loop(tmp_path) == loop_figures.MISSING
    assert loop_figures.off_policy(tmp_path) == loop_figures.MISSING


def test_measured_voices_are_in_no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine must not turn what was learned into the search's own order."""
    hosts: list[Any] = []
    monkeypatch.setattr("ui.chat_models.chat_model", lambda settings: ScriptedModel([]))
    monkeypatch.setattr(
        "ui.adapter_serving._host", lambda settings, chat, speak: hosts.append(speak.__self__)
    )
    with_house = Settings(llm="house")
    contestants(with_house, cast(Retriever, None))
    (speaking,) = hosts
    deadlines = (speaking.plan_s, speaking.explain_s, speaking.choose_s)
    assert deadlines == (MEASURING_S, MEASURING_S, MEASURING_S)
    host_of(with_house, ScriptedModel([]), cast(Retriever, None))
    assert hosts[1].choose_s == CHOOSE_S < MEASURING_S


def test_long_reasons_are_cut_in_tables() -> None:
    long = Round(1, "refused", ("x" * 200,), DONE.begun)
    assert max(map(len, rounds_text([long]).splitlines())) < 130


@pytest.mark.slow
def test_loop_closes_on_few_people(tmp_path: Path) -> None:
    """The whole of it with the real house model: feedback, pairs, DPO, gate, registry, measured."""
    code, said = run("demo", "--small", "--json", "--work", str(tmp_path),
                     "--plot", str(tmp_path / "loop.svg"))  # fmt: skip
    assert code == 0
    told = json.loads(said[said.index('{"rounds"') :])
    (done,) = told["runs"][0]["rounds"]
    assert done["ending"] in ("promoted", "refused")
    assert sum(done["pairs"].values()) >= 40
    assert done["metrics"]["reward_accuracy"] > 0.4
    refused, of = map(int, told["regressions_refused"].split("/"))
    assert refused == of >= 5
    if done["ending"] == "promoted":
        assert told["runs"][0]["live"] == [done["adapter"]]
        assert told["success_after"]["mean"] >= told["success_before"]["mean"] - 0.1
    assert (tmp_path / "loop.svg").read_text("utf-8").startswith("<?xml")
