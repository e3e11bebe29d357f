"""Adapters decided by the owner while a real model, a tiny one, answers in the process."""

import pytest
from fastapi.testclient import TestClient

from benchmarks.browser.learned import write_report
from retrieval.loading import load
from tests.tiny_llama import GREET, RECOMMEND, write_adapter, write_base
from ui.settings import Settings
from ui.wiring import build, make_app

pytestmark = pytest.mark.slow

CSV = """sku,name,type,colour,price_eur
1,Alto blue shirt,Shirts,Blue,35
2,Alto red shirt,Shirts,Red,30
3,Brisa black shoes,Shoes,Black,90
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A project, its model that recommends whatever is said, and an adapter that greets instead."""
    from finetune.adapters import Card, write_card
    from finetune.bases import resolve
    from finetune.registry import Registry
    from finetune.weights import file_hash

    folder = tmp_path_factory.mktemp("serving")
    (folder / "shop.csv").write_text(CSV)
    settings = Settings(encoder="hashing-64")
    build(load([folder / "shop.csv"]), folder / "shop", settings, progress=False)
    base = resolve(str(write_base(folder / "tiny", RECOMMEND)))
    made = write_adapter(folder / "greets", base.folder, GREET)
    write_card(made, Card(
        name="greets", method="sft", base=base.name, base_fingerprint=base.fingerprint,
        data_hash="0" * 64, data={"rows": 1}, prompts=("plan@1",), metrics={}, config={},
        libraries={}, weights_hash=file_hash(made / "adapter_model.safetensors"),
        created="2026-11-23",
    ))  # fmt: skip
    with Registry(folder / "shop" / "adapters", who="made up") as registry:
        name = registry.add(made, base)
        registry.judge(name, write_report(folder / "gate.json", name, 1, "base"))
    return folder / "shop", base.name, name


def answered(client, said):
    """Say something that the rules are not sure of in a new session; return the turn, inspected."""
    session = client.post("/v1/sessions").json()["id"]
    client.post(f"/v1/sessions/{session}/turns", json={"text": said})
    return client.get(f"/v1/owner/sessions/{session}/turns/1").json()


def until_loaded(client, name):
    """Wait until the router serves what was decided."""
    router = client.app.state.router
    while router.status().live != name:
        router.follow()


def test_people_meet_what_was_promoted_and_rolled_back(shop, tmp_path, monkeypatch):
    folder, base, name = shop
    made = {}
    from ui import wiring

    opened = wiring.open_project

    def remembered(*given, **named):
        made["project"] = opened(*given, **named)
        return made["project"]

    monkeypatch.setattr(wiring, "open_project", remembered)
    settings = Settings(llm=base, store=f"sqlite:///{tmp_path}/s.db", deadline_s=60.0,
                        encoder="hashing-64")  # fmt: skip
    app = make_app(folder, settings)
    app.state.router = made["project"].router
    with TestClient(app) as client:
        first = answered(client, "something for my sister's wedding")
        assert first["voice"] == made["project"].parts.voice
        told = client.get("/v1/owner/learning").json()
        body = {"name": name, "why": "it greets", "version": told["version"]}
        assert client.post("/v1/owner/adapters:promote", json=body).status_code == 200
        until_loaded(client, name)
        assert client.get("/v1/owner/learning").json()["problems"] == {}
        second = answered(client, "something for my uncle's wedding")
        assert second["voice"] == name
        stale = client.post("/v1/owner/adapters:rollback", json={"version": told["version"]})
        assert stale.status_code == 409
        assert client.post("/v1/owner/adapters:rollback", json={}).json()["live"] is None
        until_loaded(client, None)
        third = answered(client, "something for my cousin's wedding")
        assert third["voice"] == first["voice"]
