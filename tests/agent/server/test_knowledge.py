"""The routes of the shop's own pages."""

import base64

import pytest

from agent.worker import Worker

PAGE = "# Gifts\n\n## Do you wrap gifts?\n\nGift wrapping costs €3.50 for each item.\n"


@pytest.fixture
def client(client_of, library):
    return client_of(library=library)


def work(store, library):
    return Worker(store, {"knowledge": library.index}).run_due()


def test_pages_are_taken_indexed_listed_and_removed(client, store, library):
    files = [{"name": "gifts.md", "text": PAGE},
             {"name": "b.md", "base64": base64.b64encode(PAGE.encode()).decode()},
             {"name": "c.exe", "text": "x"}]  # fmt: skip
    sent = client.post("/v1/knowledge", json={"files": files})
    assert sent.status_code == 202
    assert sent.json()["sources"] == ["gifts.md", "b.md"]
    assert "files ending in '.exe' are not read" in sent.json()["rejected"][0]
    assert client.get("/v1/knowledge").json() == {"sources": []}
    assert work(store, library) == 1
    job = client.get(f"/v1/jobs/{sent.json()['job']}").json()
    assert (job["status"], job["result"]["passages"]) == ("done", 2)
    names = [one["name"] for one in client.get("/v1/knowledge").json()["sources"]]
    assert names == ["b.md", "gifts.md"]
    assert client.delete("/v1/knowledge/gifts.md").json() == {"passages": 1}
    gone = client.delete("/v1/knowledge/gifts.md")
    assert (gone.status_code, gone.json()["error"]["type"]) == (404, "unknown_source")


def test_names_with_folders_can_be_removed(client, store, library):
    client.post("/v1/knowledge", json={"files": [{"name": "help/a.md", "text": PAGE}]})
    work(store, library)
    assert client.delete("/v1/knowledge/help/a.md").status_code == 200


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "files: List should have at least 1 item"),
        ([{"name": "a.md"}], "expected either text or base64"),
        ([{"name": "a.md", "text": "x", "base64": "eA=="}], "expected either text or base64"),
        ([{"name": "a.md", "base64": "é"}], "files.0.base64"),
        ([{"name": "", "text": "x"}], "at least 1 character"),
        ([{"name": "a.md", "text": "  "}], "'a.md': it is empty; expected text"),
        ([{"name": "a.pdf", "text": "x"}], "it is no PDF"),
        ([{"name": "a.csv", "text": "a,b\n1,2"}], "expected a column 'question'"),
    ],
)
def test_bad_pages_are_refused(client, files, message):
    answer = client.post("/v1/knowledge", json={"files": files})
    assert answer.status_code == 422
    assert message in answer.json()["error"]["message"]


def test_half_signs_do_no_harm(client):
    body = b'{"files": [{"name": "a.md", "text": "ok \\ud800"}]}'
    headers = {"content-type": "application/json"}
    answer = client.post("/v1/knowledge", content=body, headers=headers)
    assert answer.status_code in (202, 400, 422)


def test_without_a_project_there_are_no_pages(client_of):
    client = client_of()
    for answer in (client.get("/v1/knowledge"), client.delete("/v1/knowledge/a.md")):
        assert answer.status_code == 404
        assert "no pages can be kept here" in answer.json()["error"]["message"]
