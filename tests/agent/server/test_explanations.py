import pytest


def explain(client, **body):
    response = client.post("/v1/explanations", json=body)
    assert response.status_code == 200, response.text
    return response.json()["items"]


def test_text_is_explained_by_fields(client):
    [seven, one] = explain(client, item_ids=["7", "1"], text="blue shirts under 60")
    assert (seven["id"], one["id"]) == ("7", "1")
    facets = {evidence["facet"]: evidence["value"] for evidence in one["evidence"]}
    assert facets["colour"] == "Blue"
    assert facets["price"] == 35.0
    assert {evidence["reason"] for evidence in one["evidence"]} == set(range(len(one["reasons"])))


def test_broken_wish_is_named(client):
    [item] = explain(client, item_ids=["9"], text="shoes under 60")
    assert "90" in item["reasons"][0]
    assert "60" in item["reasons"][0]


def test_session_wishes_are_explained(client, say, session):
    say("blue shirts")
    id = session.rsplit("/", 1)[1]
    [item] = explain(client, item_ids=["5"], session_id=id)
    wishes = [e["wish"] for e in item["evidence"] if e["kind"] == "constraint"]
    assert wishes == ["Blue", "Shirts"]
    assert client.get(session).json()["state"]["turn"] == 1


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"item_ids": ["nope", "1"], "text": "blue"}, 404, "not in the catalog: 'nope'"),
        ({"item_ids": ["1"]}, 422, "give session_id, or text"),
        ({"item_ids": ["1"], "session_id": "nope"}, 404, "no session 'nope'"),
        ({"item_ids": [], "text": "blue"}, 422, "item_ids"),
        ({"item_ids": ["1"], "text": "  "}, 422, "the text is empty"),
        ({"text": "blue"}, 422, "item_ids: Field required"),
    ],
)
def test_wrong_questions_are_refused(client, body, status, said):
    response = client.post("/v1/explanations", json=body)
    assert response.status_code == status
    assert said in response.json()["error"]["message"]
