"""Languages over HTTP: of a session, a turn, suggestions, facets, recommendations, explanations."""

import pytest


def start(client, body=None, **headers) -> dict:
    return client.post("/v1/sessions", json=body or {}, headers=headers).json()


@pytest.mark.parametrize(
    ("body", "headers", "language"),
    [
        ({}, {}, "en"),
        ({"language": "zh"}, {}, "zh"),
        ({"language": "zh-CN"}, {}, "zh"),
        ({"language": "zh"}, {"Accept-Language": "en"}, "zh"),
        ({}, {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}, "zh"),
        ({}, {"Accept-Language": "fr,zh;q=0.5"}, "zh"),
        ({}, {"Accept-Language": "fr-FR"}, "en"),
        ({"language": "fr"}, {"Accept-Language": "zh"}, "en"),
    ],
)
def test_session_is_in_the_language_asked_for(client, body, headers, language):
    made = client.post("/v1/sessions", json=body, headers=headers).json()
    assert made["language"] == language
    stored = client.get(f"/v1/sessions/{made['id']}").json()
    assert stored["state"]["language"] == language


@pytest.mark.parametrize("language", ["", "chinese", "z", "zh/../en", 7])
def test_bad_language_is_refused(client, session, language):
    assert client.post("/v1/sessions", json={"language": language}).status_code == 422
    turn = {"text": "shirts", "language": language}
    assert client.post(f"{session}/turns", json=turn).status_code == 422


def test_turn_is_answered_in_the_language_of_its_session(client):
    session = f"/v1/sessions/{start(client, {'language': 'zh'})['id']}"
    answer = client.post(f"{session}/turns", json={"text": "蓝色的衬衫，40以下"}).json()
    asked = {c["facet"]: c for c in answer["state"]["need"]["constraints"]}
    assert asked["colour"]["values"] == ["Blue"]
    assert asked["price"]["high"] == 40
    assert "低于您的上限 €40" in answer["items"][0]["reasons"][0] + answer["reply"]
    assert answer["plan"]["utterance"] == "蓝色的衬衫，40以下"
    assert answer["plan"]["carried"] == "blue shirt, at most 40"


def test_language_stays_with_reload_and_undo(client):
    session = f"/v1/sessions/{start(client, {'language': 'zh'})['id']}"
    for text in ("蓝色的衬衫", "40以下", "撤销"):
        answer = client.post(f"{session}/turns", json={"text": text}).json()
    assert answer["reply"].startswith(("已撤销", "回到"))
    assert client.get(session).json()["state"]["language"] == "zh"


def test_turn_changes_the_language(client, session):
    turn = {"text": "blue shirts", "language": "zh"}
    answer = client.post(f"{session}/turns", json=turn).json()
    assert answer["state"]["language"] == "zh"
    assert "符合" in answer["reply"]


def test_suggestions_are_in_the_language(client, session, say):
    say("blue shirts under 40")
    told = {
        language: client.get(f"{session}/suggestions", params=asked).json()
        for language, asked in (("en", {}), ("zh", {"language": "zh"}))
    }
    labels = {name: [one["label"] for one in said["wishes"]] for name, said in told.items()}
    assert "under €40" in labels["en"]
    assert "低于 €40" in labels["zh"]
    assert "比较前两个" in [one["label"] for one in told["zh"]["replies"]]


def test_facets_say_what_values_are_called(client):
    plain = client.get("/v1/facets").json()["facets"]
    values = [one for facet in plain for one in facet["values"]]
    assert values
    assert all(one["label"] == one["value"] for one in values)
    assert client.get("/v1/facets", params={"language": "zh"}).json()["examples"]


def test_reasons_of_a_feed_are_in_the_language(client):
    wanted = {"text": "40以下的蓝色衬衫", "language": "zh", "k": 2}
    feed = client.post("/v1/recommendations", json=wanted).json()
    assert feed["items"]
    reasons = [reason for item in feed["items"] for reason in item["reasons"]]
    assert any("低于您的上限 €40" in reason for reason in reasons)


def test_explanations_are_in_the_language(client):
    item = client.post("/v1/recommendations", json={"k": 1}).json()["items"][0]["id"]
    asked = {"item_ids": [item], "text": "under 200", "language": "zh"}
    told = client.post("/v1/explanations", json=asked).json()["items"][0]
    assert "低于您的上限 €200" in told["explanation"]
    assert any("低于您的上限 €200" in reason for reason in told["reasons"])
