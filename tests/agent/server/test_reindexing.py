import pytest


def test_reindex_is_a_job(client, store):
    answer = client.post("/v1/catalog:reindex", json={"allow_delete": 0.75})
    assert (answer.status_code, answer.json()["status"]) == (202, "waiting")
    job = store.work.get(answer.json()["id"])
    assert (job.kind, job.payload) == ("reindex", {"allow_delete": 0.75})
    assert client.get(f"/v1/jobs/{job.id}").json() == answer.json()


def test_waiting_reindex_is_enough(client, store):
    first = client.post("/v1/catalog:reindex").json()["id"]
    assert client.post("/v1/catalog:reindex", json={}).json()["id"] == first
    assert client.post("/v1/catalog:reindex", json={"allow_delete": 1}).json()["id"] != first
    store.work.finish(store.work.claim(("reindex",), 30), None)
    store.work.finish(store.work.claim(("reindex",), 30), None)
    assert client.post("/v1/catalog:reindex").json()["id"] != first


@pytest.mark.parametrize("body", [{"allow_delete": 2}, {"file": "/etc/passwd"}, []])
def test_wrong_reindex_is_422(client, body):
    assert client.post("/v1/catalog:reindex", json=body).status_code == 422
