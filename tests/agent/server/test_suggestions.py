"""/v1/sessions/{id}/suggestions and /v1/facets: what a shopping page shows beside the words."""


def test_chip_is_pressed_over_http(client, session, say):
    say("blue shirts under 40")
    wishes = client.get(f"{session}/suggestions").json()["wishes"]
    by_kind = {one["kind"]: one for one in wishes}
    assert by_kind["bound"]["label"] == "under €40"
    turn = {"text": "any price", "press": by_kind["bound"]["press"]}
    answer = client.post(f"{session}/turns", json=turn).json()
    assert [c["facet"] for c in answer["state"]["need"]["constraints"]] == ["colour", "type"]


def test_reply_leaves_the_items_it_says(client, session, say):
    say("shirts")
    replies = client.get(f"{session}/suggestions").json()["replies"]
    reply = next(one for one in replies if one["count"])
    turn = {"text": reply["text"], "press": reply["press"]}
    answer = client.post(f"{session}/turns", json=turn).json()
    assert len(answer["items"]) == min(5, reply["count"])


def test_new_session_has_examples(client, session):
    suggested = client.get(f"{session}/suggestions").json()
    assert suggested["wishes"] == []
    assert suggested["replies"]
    assert all(one["press"] is None for one in suggested["replies"])


def test_suggestions_of_unknown_session(client):
    response = client.get("/v1/sessions/nope/suggestions")
    assert (response.status_code, response.json()["error"]["type"]) == (404, "unknown_session")


def test_facets_come_with_counts(client, shop):
    answer = client.get("/v1/facets").json()
    assert answer["items"] == len(shop.items)
    by_name = {facet["name"]: facet for facet in answer["facets"]}
    assert by_name["colour"]["role"] == "colour"
    assert all(value["count"] > 0 for value in by_name["colour"]["values"])
    assert by_name["price"]["low"] <= by_name["price"]["high"]


def test_press_that_does_not_fit(client, session):
    turn = {
        "text": "x",
        "press": {"act": "refine", "want": [{"facet": "price", "values": ["low"]}]},
    }
    response = client.post(f"{session}/turns", json=turn)
    assert response.status_code == 422
    assert "takes low or high" in response.json()["error"]["message"]
