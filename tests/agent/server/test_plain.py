"""What HTTP leaves open: HEAD, addresses that are nearly right, pages that ask beforehand."""

import gzip
import json

import httpx
import pytest

from agent.server import create_app
from agent.server.limits import Limits
from tests.agent.server.live import serving

SAID = {"text": "blue shirts"}


def test_head_is_a_get_without_its_body(client, session):
    for path in ("/health", "/ready", session, "/v1/models", "/v1/items/1", "/v1/items/nope"):
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (get.status_code, b""), path
        assert head.headers["content-type"] == get.headers["content-type"]
    assert client.head("/v1/sessions").status_code == 405
    routes = [line for line in client.get("/metrics").text.splitlines() if '"HEAD"' in line]
    assert any('route="/v1/items/{item_id:path}"' in line for line in routes)


def test_head_is_answered_by_a_real_server(parts):
    with serving(create_app(parts)) as url, httpx.Client(base_url=url) as client:
        for _ in range(2):  # the connection is good for more
            assert client.head("/v1/models").status_code == 200
        assert client.get("/health").json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/v1/sessions/", "/v1/sessions"),
        ("/chat/completions", "/v1/chat/completions"),
        ("/v1/v1/chat/completions", "/v1/chat/completions"),
        ("//v1//responses", "/v1/responses"),
        ("/v1/health", "/health"),
    ],
)
def test_address_that_was_meant_is_told(client, path, meant):
    for method in ("GET", "POST"):
        error = client.request(method, f"http://testserver{path}", json=SAID).json()["error"]
        assert f"there is {meant}" in error.get("hint", error["message"])


def test_nothing_is_meant_by_nonsense(client):
    refused = client.get("/v1/nothing/at/all")
    assert refused.json()["error"]["hint"] == "the routes are listed in /openapi.json"


def test_compressed_body_is_refused_in_words(client, session):
    body = gzip.compress(json.dumps(SAID).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    refused = client.post(f"{session}/turns", content=body, headers=headers)
    assert (refused.status_code, refused.json()["error"]["hint"]) == (
        415, "send it as it is, not compressed",
    )  # fmt: skip
    headers["Content-Encoding"] = "identity"
    taken = client.post(f"{session}/turns", content=json.dumps(SAID), headers=headers)
    assert taken.status_code == 200


def test_form_is_told_how_to_send_json(client):
    body = json.dumps({"messages": [{"role": "user", "content": "blue"}]})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}  # as `curl -d` says
    refused = client.post("/v1/chat/completions", content=body, headers=headers)
    assert refused.status_code == 415
    assert "Content-Type: application/json" in refused.json()["error"]["message"]


def test_pages_may_send_what_openais_clients_do(client_of):
    client = client_of(limits=Limits(origins=("https://shop.example",)))
    asked = "authorization,content-type,x-attune-session,x-stainless-lang,idempotency-key"
    allowed = client.options(
        "/v1/chat/completions",
        headers={"Origin": "https://shop.example", "Access-Control-Request-Method": "POST",
                 "Access-Control-Request-Headers": asked},
    )  # fmt: skip
    assert allowed.status_code == 200
    assert set(asked.split(",")) <= set(allowed.headers["access-control-allow-headers"].split(","))
