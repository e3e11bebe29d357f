import pytest


def feed(client, **body):
    response = client.post("/v1/recommendations", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def ids(answer):
    return [item["id"] for item in answer["items"]]


def test_feed_needs_no_wish(client):
    answer = feed(client)
    assert len(answer["items"]) == 10
    assert [item["rank"] for item in answer["items"]] == list(range(1, 11))
    assert all(item["reasons"] for item in answer["items"])
    assert len(feed(client, k=3)["items"]) == 3


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({"facet": "price", "op": "lte", "value": 28}, {"3", "6"}),
        ({"facet": "price", "op": "lt", "value": 28}, {"6"}),
        ({"facet": "price", "op": "eq", "value": 28}, {"3"}),
        ({"facet": "colour", "op": "in", "value": ["white", "Navy"]}, {"3", "6", "12", "14"}),
        ({"facet": "in_stock", "op": "eq", "value": False}, {"7", "13"}),
        ({"facet": "text", "op": "contains", "value": "breathable"}, {"3", "5", "7"}),
        (
            {
                "and": [
                    {"facet": "price", "op": "gte", "value": 80},
                    {"facet": "price", "op": "lte", "value": 90},
                    {"facet": "brand", "op": "ne", "value": "Brisa"},
                ]
            },
            {"9"},
        ),
        ({"and": []}, {str(n) for n in range(1, 15)}),
        ({"facet": "price", "op": "lt", "value": 1}, set()),
    ],
)
def test_filter_always_holds(client, filter, expected):
    assert set(ids(feed(client, filter=filter, k=50))) == expected


@pytest.mark.parametrize(
    ("filter", "said"),
    [
        ({"facet": "mood", "op": "eq", "value": "x"}, "no facet 'mood'; the catalog has type"),
        ({"facet": "price", "op": "near", "value": 5}, "'near' on 'price' is not taken here"),
        ({"facet": "price", "op": "in", "value": [5]}, "'price' is a number"),
        ({"facet": "price", "op": "lt", "value": None}, "needs a number or date, got None"),
        ({"facet": "colour", "op": "in", "value": []}, "needs values"),
        ({"facet": ["a"], "op": "eq", "value": 1}, "no facet"),
        ({"or": [{"facet": "price", "op": "lt", "value": 5}]}, "or and not are not taken"),
        ({"and": 5}, "expected and of"),
        ({"and": [5]}, "expected and of"),
        ({}, "expected and, or, not"),
        (
            {"and": [{"facet": "price", "op": "lt", "value": v} for v in (1, 2)]},
            "two comparisons of 'price'",
        ),
    ],
)
def test_wrong_filters_say_why(client, filter, said):
    response = client.post("/v1/recommendations", json={"filter": filter})
    assert response.status_code == 422
    assert response.json()["error"]["type"] == "invalid_filter"
    assert said in response.json()["error"]["message"]


def test_text_is_understood(client):
    answer = feed(client, text="red shirts under 40")
    assert ids(answer) == ["2"]
    assert answer["matched"] == 1


def test_session_wishes_count(client, say, session):
    say("navy shoes")
    id = session.rsplit("/", 1)[1]
    assert set(ids(feed(client, session_id=id))) == {"12", "14"}
    over = {"facet": "colour", "op": "eq", "value": "Black"}
    assert set(ids(feed(client, session_id=id, filter=over))) == {"9", "13"}
    assert client.get(session).json()["state"]["turn"] == 1


def test_feed_takes_feedback(client, store, session):
    id = session.rsplit("/", 1)[1]
    answer = feed(client, session_id=id, k=2)
    event = {"slate_id": answer["slate_id"], "item_id": ids(answer)[0], "kind": "click"}
    assert client.post("/v1/feedback", json=event).status_code == 201
    assert [one.kind for one in store.feedback(id)] == ["click"]
    anonymous = feed(client, k=1)
    event = {"slate_id": anonymous["slate_id"], "item_id": ids(anonymous)[0], "kind": "click"}
    assert client.post("/v1/feedback", json=event).status_code == 201


def test_relaxed_items_never_break_filter(client):
    filter = {"facet": "price", "op": "lt", "value": 24}
    answer = feed(client, text="white shirts", filter=filter)
    assert answer["items"] == []
    assert answer["matched"] == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"session_id": "nope"}, 404),
        ({"k": 0}, 422),
        ({"k": 101}, 422),
        ({"text": "x" * 20_001}, 422),
        ({"filter": "cheap"}, 422),
        ({"limit": 3}, 422),
    ],
)
def test_wrong_feeds_are_refused(client, body, status):
    response = client.post("/v1/recommendations", json=body)
    assert response.status_code == status
    assert response.json()["error"]["message"]
