import json

import pytest

from agent.server.limits import Limits
from retrieval.catalog import Item


def upsert(client, *rows):
    response = client.post("/v1/items:upsert", json={"items": list(rows)})
    assert response.status_code == 200, response.text
    return response.json()


def test_item_shows_by_roles(client):
    item = client.get("/v1/items/9").json()
    assert item == {
        "id": "9",
        "title": "Alto men black leather shoes",
        "description": "waterproof, formal",
        "price": 90.0,
        "currency": "EUR",
        "brand": "Alto",
        "category": "Shoes",
        "availability": True,
        "image": None,
        "url": None,
        "attributes": {
            "gender": "Men",
            "colour": "Black",
            "material": "Leather",
            "rating": 4.6,
            "reviews": 300.0,
        },
    }


@pytest.mark.parametrize("id", ["nope", "a/b/c", "%F0%9F%98%80", "x" * 5000])
def test_unknown_item_is_404(client, id):
    response = client.get(f"/v1/items/{id}")
    assert response.status_code == 404
    assert response.json()["error"]["type"] == "unknown_item"


def test_own_columns_are_understood(client):
    row = {"sku": 77, "name": "Teal shirt", "cents": 1250, "type": "Shirts", "colour": "Teal"}
    assert upsert(client, row) == {"stored": 1, "rejected": []}
    item = client.get("/v1/items/77").json()
    assert (item["title"], item["price"], item["category"]) == ("Teal shirt", 12.5, "Shirts")
    assert item["attributes"] == {"colour": "Teal"}


def test_shown_form_goes_back_in(client):
    item = client.get("/v1/items/9").json()
    changed = {**item, "price": 70, "availability": False}
    assert upsert(client, changed) == {"stored": 1, "rejected": []}
    assert client.get("/v1/items/9").json() == changed


def test_ids_may_hold_slashes(client):
    upsert(client, {"id": "men/shirts 9", "title": "Shirt"})
    assert client.get("/v1/items/men/shirts%209").json()["id"] == "men/shirts 9"


def test_bad_rows_are_reported_apart(client):
    rows = [
        {"sku": "a", "name": "Good", "rating": 4},
        {"name": "No id"},
        {"sku": "c", "name": "Bad", "cents": "a lot"},
        "row",
        None,
        {"sku": "d", "name": "Bad", "rating": "great"},
    ]
    answer = upsert(client, *rows)
    assert answer["stored"] == 1
    assert [(bad["row"], bad["id"]) for bad in answer["rejected"]] == [
        (1, None), (2, "c"), (3, None), (4, None), (5, "d"),
    ]  # fmt: skip
    reasons = [bad["reason"] for bad in answer["rejected"]]
    assert [reason.partition(":")[0] for reason in reasons] == [
        "sku", "cents", "row", "row", "rating",
    ]  # fmt: skip
    assert client.get("/v1/items/a").status_code == 200
    assert client.get("/v1/items/c").status_code == 404


def test_half_characters_are_rejected(client):
    body = json.dumps({"items": [{"sku": "h\ud800", "name": "Hat"}]})
    headers = {"content-type": "application/json"}
    answer = client.post("/v1/items:upsert", content=body, headers=headers).json()
    assert answer["stored"] == 0
    assert "lone surrogate" in answer["rejected"][0]["reason"]
    body = json.dumps({"ids": ["h\ud800"]})
    assert client.post("/v1/items:delete", content=body, headers=headers).status_code == 422


def test_last_row_of_an_id_wins(client):
    rows = [{"sku": "x", "name": "First"}, {"sku": "x", "name": "Second"}]
    assert upsert(client, *rows)["stored"] == 1
    assert client.get("/v1/items/x").json()["title"] == "Second"


def test_delete_counts_what_was_there(client):
    response = client.post("/v1/items:delete", json={"ids": ["1", "nope", "2"]})
    assert response.json() == {"deleted": 2}
    assert client.get("/v1/items/1").status_code == 404


@pytest.mark.parametrize("body", [{}, {"items": []}, {"items": {"sku": 1}}, {"rows": []}, []])
def test_empty_upserts_are_refused(client, body):
    assert client.post("/v1/items:upsert", json=body).status_code == 422


def test_batches_are_limited(client_of):
    client = client_of(limits=Limits(batch=1))
    for path, body in (("upsert", {"items": [{}, {}]}), ("delete", {"ids": ["1", "2"]})):
        response = client.post(f"/v1/items:{path}", json=body)
        assert response.status_code == 422
        assert "2 at once; at most 1 are taken" in response.json()["error"]["message"]


def test_changed_items_show_in_running_session(client, say):
    assert [item["id"] for item in say("navy shirts under 50")["items"]] == ["3"]
    row = {"sku": "new", "name": "Navy shirt", "cents": 2000, "type": "Shirts", "colour": "Navy"}
    upsert(client, row)
    client.post("/v1/items:delete", json={"ids": ["3"]})
    assert [item["id"] for item in say("start over, navy shirts under 50")["items"]] == ["new"]


def test_stored_form_is_kept_exactly(client, parts):
    row = {"id": "s1", "title": "Blue shirt", "fields": {"sizes": ["S", "M"], "deep_key": "Teal"}}
    body = {"items": [row], "form": "stored"}
    response = client.post("/v1/items:upsert", json=body)
    assert response.json() == {"stored": 1, "rejected": []}
    assert parts.retriever.items["s1"] == Item(
        "s1", "Blue shirt", fields={"sizes": ("S", "M"), "deep_key": "Teal"}
    )


@pytest.mark.parametrize(
    "row",
    [
        7,
        {"title": "no id"},
        {"id": "1", "title": 5},
        {"id": "1", "title": "t", "price": 3},
        {"id": "1", "title": "t", "fields": ["no", "object"]},
        {"id": "1", "title": "t", "fields": {"a": {"b": 1}}},
        {"id": "1", "title": "t", "image": 3},
        {"id": "1", "title": "half \ud800"},
    ],
)
def test_wrong_stored_form_is_rejected(client, row):
    body = json.dumps({"items": [row], "form": "stored"})
    headers = {"content-type": "application/json"}
    response = client.post("/v1/items:upsert", content=body, headers=headers)
    assert response.status_code == 200, response.text
    assert (response.json()["stored"], len(response.json()["rejected"])) == (0, 1)


@pytest.mark.parametrize("price", ["abc", "12", -3, True, ["1"]])
def test_stored_number_that_is_none_is_rejected(client, price):
    row = {"id": "odd", "title": "Odd shirt", "fields": {"price": price}}
    body = {"items": [row, {**row, "id": "even", "fields": {"price": 3}}], "form": "stored"}
    answer = client.post("/v1/items:upsert", json=body).json()
    assert (answer["stored"], [one["row"] for one in answer["rejected"]]) == (1, [0])
    assert answer["rejected"][0]["reason"].startswith("price: ")
    assert client.get("/v1/items/odd").status_code == 404
    assert client.get("/v1/items/even").json()["price"] == 3.0
