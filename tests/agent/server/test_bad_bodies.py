"""Bodies that no client should send: each gets a 4xx in words, or an answer, and never a 5xx."""

import json
import random
import socket
from contextlib import ExitStack

import httpx
import pytest

from agent.server import create_app
from tests.agent.server.live import serving

JSON = {"Content-Type": "application/json"}
DEEP = 100_000
ROUTES = (
    "/v1/sessions", "{session}/turns", "/v1/feedback", "/v1/recommendations", "/v1/explanations",
    "/v1/items:upsert", "/v1/items:delete", "/v1/chat/completions", "/v1/responses",
)  # fmt: skip

BODIES = {
    "empty": b"",
    "bytes": bytes(range(256)),
    "half a character": b'{"text": "\xff\xfe"}',
    "overlong": b'{"text": "\xc0\xaf"}',
    "half emoji": b'{"text": "\\ud83d blue", "session_id": "\\ud83d"}',
    "nul": b'{"text": "a\\u0000b", "user": "a\\u0000b", "ids": ["\\u0000"]}',
    "deep list": b"[" * DEEP,
    "deep object": b'{"a":' * DEEP,
    "deep filter": b'{"filter": ' + b'{"and": [' * 5_000 + b"]}" * 5_000 + b"}",
    "NaN": b'{"text": "blue", "k": NaN, "value": NaN}',
    "infinity": b'{"k": Infinity, "value": -Infinity, "items": [{"id": "9", "price": Infinity}]}',
    "huge number": b'{"k": 1e999, "value": 1e999, "share": 1e999}',
    "long integer": b'{"k": ' + b"9" * 10_000 + b"}",
    "negative k": b'{"k": -1}',
    "duplicate keys": b'{"text": "red", "text": "blue", "k": 1, "k": 2, "ids": ["a"], "ids": []}',
    "not an object": b'"text"',
    "null": b"null",
    "comment": b'{"text": "blue"} // and more',
    "two objects": b'{"text": "blue"}{"text": "red"}',
    "byte order mark": b'\xef\xbb\xbf{"text": "blue"}',
    "utf-16": '{"text": "blue"}'.encode("utf-16"),
    "keys of others": b'{"__proto__": {"a": 1}, "constructor": 1, "text": "blue"}',
    "wrong types": b'{"text": 1, "user": [], "items": {}, "ids": "x", "messages": {}, "events": 1}',
    "huge filter value": b'{"filter": {"facet": "price", "op": "lte", "value": 1e400}}',
}


@pytest.mark.parametrize("name", BODIES)
def test_body_is_no_fault_of_ours(client, session, name):
    for route in ROUTES:
        answer = client.post(route.format(session=session), content=BODIES[name], headers=JSON)
        assert answer.status_code < 500, (route, answer.text)
        if answer.status_code >= 400:
            assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "multipart/form-data", "application/json; charset=x",
             "application/x-www-form-urlencoded", "image/png", "nonsense", ""],
)  # fmt: skip
def test_content_type_is_no_fault_of_ours(client, session, kind):
    for route in ROUTES:
        answer = client.post(
            route.format(session=session), content=b'{"text": "blue"}',
            headers={"Content-Type": kind},
        )  # fmt: skip
        assert answer.status_code < 500, (route, answer.text)


def test_random_bodies_are_no_fault_of_ours(client, session):
    chance = random.Random(6)
    words = [b"{", b"}", b"[", b"]", b'"', b":", b",", b"text", b"filter", b"and", b"1e9", b"null",
             b"\\u", b"\xe2\x82", b"facet", b"price", b"-", b"true", b"items", b"id"]  # fmt: skip
    for _ in range(400):
        body = b"".join(chance.choices(words, k=chance.randint(1, 30)))
        route = chance.choice(ROUTES).format(session=session)
        answer = client.post(route, content=body, headers=JSON)
        assert answer.status_code < 500, (route, body, answer.text)


def test_thousand_messages_are_answered(client):
    messages = []
    for n in range(500):
        messages += [{"role": "user", "content": f"blue shirts under {20 + n % 60}"},
                     {"role": "assistant", "content": "ok"}]  # fmt: skip
    messages.append({"role": "user", "content": "red ones"})
    body = {"model": "attune", "messages": messages}
    answer = client.post("/v1/chat/completions", json=body)
    assert answer.status_code < 500
    assert json.loads(answer.text)


def test_slow_body_holds_nobody_up(parts):
    head = b"POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with serving(create_app(parts)) as url, ExitStack() as leaving:
        address = ("127.0.0.1", httpx.URL(url).port)
        for _ in range(20):
            slow = leaving.enter_context(socket.create_connection(address))
            slow.sendall(head + b"Content-Length: 1000\r\n\r\n{")
        assert httpx.post(f"{url}/v1/sessions", timeout=60).status_code == 201
