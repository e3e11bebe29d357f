import pytest

from agent.jobs import NewJob


@pytest.fixture
def work(store):
    return store.work


def test_jobs_are_listed_and_shown(client, work):
    work.add(NewJob("mail", {"to": "7"}, id="first"))
    work.finish(work.claim(("mail",), 30), {"sent": True})
    work.add(NewJob("other", {}, id="second"))
    listed = client.get("/v1/jobs").json()["jobs"]
    assert {job["id"] for job in listed} == {"first", "second"}
    shown = client.get("/v1/jobs/first").json()
    assert shown in listed
    assert (shown["status"], shown["result"], shown["attempts"]) == ("done", {"sent": True}, 1)
    only = client.get("/v1/jobs", params={"kind": "other", "status": "waiting"}).json()["jobs"]
    assert [job["id"] for job in only] == ["second"]


def test_dead_job_is_tried_again(client, work):
    work.add(NewJob("mail", {}, id="first"))
    work.fail(work.claim(("mail",), 30), "HTTP 500", None)
    assert client.get("/v1/jobs/first").json()["error"] == "HTTP 500"
    again = client.post("/v1/jobs/first:retry")
    assert (again.status_code, again.json()["status"]) == (200, "waiting")
    assert work.claim(("mail",), 30).id == "first"
    refused = client.post("/v1/jobs/first:retry")
    assert refused.status_code == 422
    assert "is running" in refused.json()["error"]["message"]


@pytest.mark.parametrize(("method", "path"), [("GET", "nope"), ("POST", "nope:retry")])
def test_unknown_job_is_404(client, method, path):
    answer = client.request(method, f"/v1/jobs/{path}")
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "unknown_job"


@pytest.mark.parametrize("query", [{"status": "lost"}, {"limit": 0}, {"limit": 10**6}])
def test_wrong_query_is_422(client, query):
    assert client.get("/v1/jobs", params=query).status_code == 422
