import json
import re

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from pydantic import SecretStr

from agent.errors import AdapterRefused, NoSuchAdapter
from agent.llm import ScriptedModel
from agent.planner import RulePlanner
from agent.routes import read_routes
from agent.store import Store
from agent.voice import Voice
from finetune.bases import Base
from finetune.registry import Registry
from tests.agent.test_adapter_hosts import Base as Adaptable
from ui import adapter_serving, wiring
from ui.adapter_serving import RegistryDesk, make_adapters, make_router, unit_of
from ui.adapters import ADAPTERS
from ui.cli import main
from ui.settings import Settings


@pytest.fixture
def run(folder):
    """Run a command of `attune adapters` on the small project."""

    def run(*words, code=0):
        done = CliRunner().invoke(main, ["adapters", *map(str, words), str(folder)])
        assert done.exit_code == code, done.output
        return done.output

    return run


@pytest.fixture
def base(tmp_path):
    from tests.finetune import tiny

    return tiny.make_base(tmp_path / "base")


@pytest.fixture
def make(base, tmp_path):
    """Write an adapter of the tiny base with random weights."""

    def make(seed):
        return write_adapter(tmp_path / f"round-{seed}", base, seed)

    return make


def write_adapter(folder, base, seed):
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from finetune.adapters import WEIGHTS, Card, write_card
    from finetune.weights import file_hash

    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(base)
    lora = LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM")
    get_peft_model(model, lora).save_pretrained(folder)
    card = Card(
        name=folder.name, method="dpo", base=str(base), data_hash="d" * 64, data={"rows": 3},
        base_fingerprint=Base("tiny", base).fingerprint, prompts=("plan@2",),
        metrics={"eval_loss": 0.5}, config={}, libraries={},
        weights_hash=file_hash(folder / WEIGHTS), created="2026-01-01",
    )  # fmt: skip
    return write_card(folder, card).folder


@pytest.fixture
def added(run, make, base):
    return lambda seed: run("add", make(seed), "--base", base).strip()


@pytest.fixture
def report(tmp_path):
    def report(name, beside="base", verdict="promote"):
        path = tmp_path / "gate.json"
        config = {"candidate": name, "baseline": beside}
        path.write_text(json.dumps({"verdict": verdict, "config": config}))
        return path

    return report


def test_life_of_an_adapter_by_commands(run, added, report, folder):
    assert run("list").startswith("no adapters yet: the base answers")
    one = added(1)
    assert re.fullmatch(r"round-1-[0-9a-f]{8}", one)
    refused = run("promote", one, code=1)
    assert "is not put before people: no gate has judged it" in refused
    assert run("promote", one, "--report", report(one)) == f"{one} is live\n"
    two = added(2)
    assert "10%" in run("canary", two, "--report", report(two, one))
    rows = [line.split() for line in run("list").splitlines()]
    assert [row[:4] for row in rows] == [
        ["NAME", "STATUS", "SHARE", "GATE"], [one, "live", "90%", "passed"],
        [two, "canary", "10%", "passed"],
    ]  # fmt: skip
    assert run("end") == f"{one} answers everybody\n"
    run("promote", two, "--force", "--why", "trying")
    assert run("rollback", "--why", "complaints") == f"{one} is live\n"
    assert read_routes(folder / ADAPTERS).live == one
    run("retire", two)
    assert run("rollback") == "the base is live\n"
    assert "nothing to roll back to" in run("rollback", code=1)


def test_one_adapter_is_shown_with_its_history(run, added):
    name = added(1)
    run("promote", name, "--force", "--why", "demo")
    told = run("show", name)
    assert told.startswith(f"{name}\n  status  live\n")
    assert re.search(r"new -> candidate\n.*candidate -> live  demo\n$", told)
    data = json.loads(run("show", name, "--json"))
    assert (data["status"], data["share"], data["gate"]) == ("live", 1.0, None)
    assert [one["action"] for one in data["history"]] == ["add", "promote"]
    assert data["history"][1]["forced"] is True
    [listed] = json.loads(run("list", "--json"))["adapters"]
    assert listed == {key: value for key, value in data.items() if key != "history"}


def test_experiment_by_command(run, added):
    name = added(1)
    arms = ("--arm", f"{name}=0.5", "--arm", "base=0.5")
    assert run("experiment", "taste", *arms, "--force").startswith("experiment taste: round-1")
    assert "expected NAME=SHARE" in run("experiment", "x", "--arm", "nothing", code=1)
    assert run("end") == "the base answers everybody\n"


def test_interleaved_experiment_by_command(run, added, folder):
    name = added(1)
    arms = ("--arm", "base=0.5", "--arm", f"{name}=0.5")
    line = f"experiment taste: base 50%, {name} 50% of each slate, interleaved\n"
    assert run("experiment", "taste", *arms, "--interleave", "--force") == line
    assert run("list").endswith(line)
    assert json.loads(run("list", "--json"))["experiment"]["interleaved"] is True
    assert read_routes(folder / ADAPTERS).experiment.rival.adapter == name
    run("end")
    assert json.loads(run("list", "--json"))["experiment"] is None


def test_deleted_data_is_told(run, added, folder):
    name = added(1)
    with Registry(folder / ADAPTERS) as registry:
        registry._book.add_lineage(name, "user", ["u"])
        registry.mark_forgotten([], "u")
    assert run("list").rstrip().endswith("its data was deleted")
    assert "was deleted on 2" in run("show", name)


def test_folder_that_is_no_project_is_told(tmp_path):
    done = CliRunner().invoke(main, ["adapters", "list", str(tmp_path)])
    assert (done.exit_code, "is no project" in done.output) == (1, True)
    named = ["adapters", "list", "--registry", str(tmp_path / "own")]
    assert CliRunner().invoke(main, named).output.startswith("no adapters yet")


def speak(model, base, taught):
    return Voice(model.name, RulePlanner())


def test_project_is_served_with_its_live_adapter(run, added, folder, monkeypatch):
    name = added(1)
    run("promote", name, "--force")
    monkeypatch.setattr("agent.local_chat.LocalChat", Adaptable)
    store = Store(f"sqlite:///{folder}/sessions.db")
    with wiring.open_retriever(folder, Settings()) as retriever:
        router = make_router(folder, Settings(), Adaptable(), retriever, store)
        router.follow()
    desk = make_adapters(folder, Settings(admin_key=SecretStr("k")), router)
    assert (desk.key, desk.desk.statuses()) == ("k", {name: "live"})
    with router.lease(store.create_session()) as voice:
        assert voice.name == name
    store.close()


def test_api_serves_and_decides_on_adapters(folder, added):
    name = added(1)
    settings = Settings(llm="http://127.0.0.1:9/v1", model="house", admin_key=SecretStr("k"))
    app = wiring.make_app(folder, settings)
    with TestClient(app) as client:
        models = [one["id"] for one in client.get("/v1/models").json()["data"]]
        asked = {"name": name, "force": True}
        assert client.post("/v1/adapters:promote", json=asked).status_code == 403
        key = {"Authorization": "Bearer k"}
        answer = client.post("/v1/adapters:promote", json=asked, headers=key).json()
        session = client.post("/v1/sessions").json()["id"]
        turn = client.post(f"/v1/sessions/{session}/turns", json={"text": "blue shirts"})
    assert (models, answer["adapters"]) == (["attune", "rules", "house"], {name: "live"})
    assert turn.json()["items"], "a server that is down leaves the turn to the rules"
    (tenant,) = app.state.tenants.values()
    assert tenant.open().parts.router is tenant.open().adapters.router


def test_server_named_by_url_is_asked_for_adapters(folder):
    host = adapter_serving._host(
        Settings(llm="http://127.0.0.1:9/v1", model="tiny"), ScriptedModel([], "tiny"), speak
    )
    assert host.voice(None).name == "tiny"
    with host._chat_of("round-1") as chat:
        assert host._speak(chat, None, None).name == "round-1"


def test_sessions_are_shared_out_by_user(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/sessions.db")
    known, unknown = store.create_session("ann"), store.create_session()
    unit = unit_of(store)
    assert (unit(known), unit(unknown)) == ("ann", unknown)
    store.close()


def test_desk_tells_what_it_refuses(run, added, folder):
    desk, name = RegistryDesk(folder / ADAPTERS), added(1)
    with pytest.raises(NoSuchAdapter, match="no adapter 'x' here"):
        desk.promote("x", force=False, why="")
    with pytest.raises(AdapterRefused, match="no gate has judged it"):
        desk.canary(name, 0.1, force=False, why="")
    desk.promote(name, force=True, why="from the page")
    assert desk.rollback(why="back") is None
    with Registry(folder / ADAPTERS) as registry:
        assert {change.who for change in registry.history()[1:]} == {"api"}
