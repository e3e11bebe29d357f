import json
import shutil

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from agent.access.errors import BadTenants
from agent.access.keyring import Keyring
from tests.agent.stores import new_schema, server_url
from ui import tenants
from ui.cli import main
from ui.settings import Settings

FILE = """
[shop]
project = "shop"
tokens_key = 1

[outlet]
project = "outlet"
origins = ["https://outlet.example"]
"""


@pytest.fixture
def file(built, tmp_path):
    """A tenants.toml of two shops with the same catalog."""
    for name in ("shop", "outlet"):
        shutil.copytree(built, tmp_path / name)
    (tmp_path / "tenants.toml").write_text(FILE)
    return tmp_path / "tenants.toml"


def run(*args):
    return CliRunner().invoke(main, list(map(str, args)))


def key_of(file, tenant, scope="admin"):
    made = run("keys", "add", "--tenants", file, "--tenant", tenant, "--name", "t",
               "--scope", scope)  # fmt: skip
    assert made.exit_code == 0, made.output
    return {"Authorization": f"Bearer {made.stdout.strip()}"}


@pytest.fixture
def client(file):
    with TestClient(tenants.make_service(file, Settings(), "0.0.0.0")) as client:
        yield client


def test_tenants_are_served_apart(file, client):
    shop, outlet = (key_of(file, name) for name in ("shop", "outlet"))
    session = client.post("/v1/sessions", headers=shop).json()["id"]
    said, path = {"text": "blue shirts"}, f"/v1/sessions/{session}"
    assert client.post(f"{path}/turns", json=said, headers=shop).json()["items"]
    assert client.get(path, headers=outlet).status_code == 404
    assert client.delete(path, headers=outlet).status_code == 404
    assert len(client.get(path, headers=shop).json()["turns"]) == 1
    assert client.get(path).status_code == 401


def test_change_of_one_catalog_stays_there(file, client):
    shop, outlet = (key_of(file, name) for name in ("shop", "outlet"))
    gone = client.post("/v1/items:delete", json={"ids": ["1"]}, headers=shop)
    assert gone.json() == {"deleted": 1}
    assert client.get("/v1/items/1", headers=shop).status_code == 404
    assert client.get("/v1/items/1", headers=outlet).status_code == 200


def test_each_tenant_has_its_own_limits(file, client):
    for name, status in (("shop", 429), ("outlet", 200)):
        key = key_of(file, name)
        session = client.post("/v1/sessions", headers=key).json()["id"]
        path, said = f"/v1/sessions/{session}/turns", {"text": "blue shirts"}
        assert client.post(path, json=said, headers=key).status_code == 200
        assert client.post(path, json=said, headers=key).status_code == status


def test_each_tenant_may_have_its_own_words(file, tmp_path):
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "explain.v2.md").write_text("In {{ language }}, kindly: {{ facts }}")
    file.write_text(FILE + 'prompts = "words"\nexplainer = "model"\nllm_prompt = "plan@1"\n')
    # Nobody answers there, and nobody is asked.
    given = Settings(llm="http://127.0.0.1:1/v1", model="m")
    made = tenants.make_tenants(tenants.read(file), given)
    words = {name: tenant.open().parts.explainer for name, tenant in made.items()}
    assert words["shop"] is None
    assert words["outlet"].wording.id.startswith("explain@2+")
    assert words["outlet"].model is made["outlet"].opened.parts.planner._model
    assert made["shop"].opened.parts.planner._model is words["outlet"].model
    for tenant in made.values():
        tenant.close()


def test_encoder_is_loaded_once_for_all(file, client):
    for name in ("shop", "outlet"):
        client.get("/v1/models", headers=key_of(file, name, "chat"))
    opened = [tenant.opened.retriever for tenant in client.app.state.tenants.values()]
    assert opened[0] is not opened[1]
    assert opened[0].encoder is opened[1].encoder


def test_catalogs_are_opened_without_a_request(file):
    with TestClient(tenants.make_service(file, Settings(), "127.0.0.1")) as client:
        made = client.app.state.tenants
        for tenant in made.values():
            tenant.open()  # waits for the one that opens it in the background
        assert client.get("/ready").json()["tenants"] == 2
    assert all(tenant.opened is None for tenant in made.values())


def test_sessions_outlive_the_server(file):
    key = key_of(file, "shop")
    for expected in (201, 200):
        with TestClient(tenants.make_service(file, Settings(), "127.0.0.1")) as client:
            if expected == 201:
                answer = client.post("/v1/sessions", headers=key)
                path = f"/v1/sessions/{answer.json()['id']}"
            else:
                answer = client.get(path, headers=key)
            assert answer.status_code == expected


def test_open_to_all_is_no_choice_for_tenants(file):
    with pytest.raises(BadTenants, match="ATTUNE_AUTH=open"):
        tenants.make_service(file, Settings(auth="open"), "127.0.0.1")


def test_project_and_tenants_are_not_served_together(file):
    done = run("serve", file.parent / "shop", "--tenants", file)
    assert (done.exit_code, "serve one of them" in done.stderr) == (1, True)


def test_check_tells_what_a_server_would_find(file):
    key_of(file, "shop")
    done = run("tenants", "check", file)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "shop: catalog shop, 1 keys",
        "outlet: catalog shop, 0 keys",
    ]
    shutil.rmtree(file.parent / "outlet")
    done = run("tenants", "check", file, "--json")
    assert done.exit_code == 1
    found = {one["name"]: one["problems"] for one in json.loads(done.stdout)["tenants"]}
    assert found["shop"] == []
    assert "is no project directory" in found["outlet"][0]


def test_store_may_be_named_by_a_variable(file, tmp_path, monkeypatch):
    file.write_text(f'{FILE}store_env = "OUTLET_STORE"\n')
    found = tenants.read(file)
    with pytest.raises(BadTenants, match="'OUTLET_STORE', which is not set"):
        tenants.store_of(found, "outlet", Settings())
    monkeypatch.setenv("OUTLET_STORE", f"sqlite:///{tmp_path}/elsewhere.db")
    store = tenants.store_of(found, "outlet", Settings())
    store.close()
    assert (tmp_path / "elsewhere.db").is_file()
    with pytest.raises(BadTenants, match="no tenant 'other'; there are shop, outlet"):
        tenants.store_of(found, "other", Settings())


def test_tenants_share_a_database_by_schemas(file, monkeypatch):
    monkeypatch.setenv("ALL_STORES", server_url())
    text = "".join(
        f'[{name}]\nproject = "{name}"\nstore_env = "ALL_STORES"\nschema = "{new_schema()}"\n'
        for name in ("shop", "outlet")
    )
    file.write_text(text)
    found = tenants.read(file)
    stores = {name: tenants.store_of(found, name, Settings()) for name in found.tenants}
    session = stores["shop"].create_session("ann")
    Keyring(stores["shop"].database, "shop").add("web", ["chat"])
    assert stores["shop"].load(session).turns == 0
    with pytest.raises(Exception, match="no session"):
        stores["outlet"].load(session)
    assert Keyring(stores["outlet"].database, "outlet").list() == []
    for store in stores.values():
        store.close()


def test_one_bad_store_closes_the_others(file, monkeypatch):
    file.write_text(f'{FILE}store = "nonsense"\n')
    with pytest.raises(Exception, match="is not a database URL"):
        tenants.make_tenants(tenants.read(file), Settings())
