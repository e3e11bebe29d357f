"""/v1/owner over HTTP: for the admin scope only, over a served project."""

import pytest
from fastapi.testclient import TestClient

from ui.settings import Settings
from ui.wiring import make_app

CSV = """sku,name,type,colour,price_eur
1,Alto blue shirt,Shirts,Blue,35
2,Alto red shirt,Shirts,Red,30
3,Brisa black shoes,Shoes,Black,90
"""
ROUTES = ["sessions", "catalog", "feedback", "learning", "runs"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from retrieval.loading import load
    from ui.wiring import build

    folder = tmp_path_factory.mktemp("owned")
    (folder / "shop.csv").write_text(CSV)
    build(
        load([folder / "shop.csv"]), folder / "shop", Settings(encoder="hashing-64"), progress=False
    )
    return folder / "shop"


@pytest.fixture
def client(folder, tmp_path):
    settings = Settings(
        llm="none", store=f"sqlite:///{tmp_path}/s.db", admin_key="operator", auth="required"
    )
    with TestClient(make_app(folder, settings)) as client:
        yield client


@pytest.fixture
def owner():
    return {"Authorization": "Bearer operator"}


@pytest.mark.parametrize("route", ROUTES)
def test_owner_sees_and_others_do_not(client, owner, route):
    assert client.get(f"/v1/owner/{route}", headers=owner).status_code == 200
    assert client.get(f"/v1/owner/{route}").status_code == 401


def test_turn_is_inspected_over_http(client, owner):
    session = client.post("/v1/sessions", headers=owner).json()["id"]
    body = {"text": "blue shirts"}
    client.post(f"/v1/sessions/{session}/turns", json=body, headers=owner)
    (listed,) = client.get("/v1/owner/sessions", headers=owner).json()
    assert listed["id"] == session
    path = f"/v1/owner/sessions/{session}/turns/1"
    assert set(client.get(path, headers=owner).json()["after"]) == {"Shirts", "Blue"}
    missing = client.get(path[:-1] + "7", headers=owner)
    assert (missing.status_code, missing.json()["error"]["type"]) == (422, "invalid_input")


def test_catalog_is_told(client, owner):
    told = client.get("/v1/owner/catalog", headers=owner).json()
    assert (told["items"], told["lacking"]["picture"]) == (3, 3)
    assert {one["column"] for one in told["columns"]} == set(CSV.partition("\n")[0].split(","))


def test_unknown_run_is_refused_over_http(client, owner):
    response = client.post("/v1/owner/runs", json={"name": "format"}, headers=owner)
    assert response.status_code == 422
    assert "understanding" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/v1/owner/catalog/never-shown.csv", "text/csv"),
     ("/v1/owner/pairs/file", "application/jsonl")],
)  # fmt: skip
def test_files_are_described_as_what_they_are(client, path, kind):
    answer = client.get("/openapi.json").json()["paths"][path]["get"]["responses"]["200"]
    assert list(answer["content"]) == [kind]
