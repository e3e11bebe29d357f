"""The key: what it may be, where it goes, and that nothing ever shows it."""

import gzip
import traceback

import httpx
import pytest

from agent.client import AsyncAttuneClient, AttuneClient, AttuneError, NotUnderstood

KEY = "att_default_id_verysecret"


def shown(error):
    return "".join(traceback.format_exception(error)) + repr(vars(error))


def raises(error):
    def answer(request):
        raise error(f"with {len(request.headers)} headers", request=request)

    return answer


ANSWERS = (
    raises(httpx.ConnectError),
    raises(httpx.ReadTimeout),
    raises(httpx.RemoteProtocolError),
    lambda request: httpx.Response(401, json={"error": {"type": "unknown_key", "message": "no"}}),
    lambda request: httpx.Response(200, text="<html>"),
    lambda request: httpx.Response(302, headers={"location": "http://elsewhere.example/"}),
    lambda request: httpx.Response(200, content=b"x", headers={"content-encoding": "gzip"}),
)


@pytest.mark.parametrize("answer", ANSWERS)
def test_errors_never_show_the_key(no_pauses, answer):
    seen = []

    def told(request):
        seen.append(request)
        return answer(request)

    with (
        AttuneClient("http://shop.test", KEY, transport=httpx.MockTransport(told)) as client,
        pytest.raises(AttuneError) as caught,
    ):
        client.models()
    assert "verysecret" not in shown(caught.value)
    assert {request.url.host for request in seen} == {"shop.test"}
    assert seen[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("kind", [AttuneClient, AsyncAttuneClient])
@pytest.mark.parametrize("key", [f"{KEY}\n", f" {KEY}", f"{KEY}é", f"{KEY}\x00"])
def test_key_that_cannot_be_sent_is_not_shown(kind, key):
    with pytest.raises(ValueError, match="the key cannot be sent") as caught:
        kind("http://shop.test", key)
    assert "verysecret" not in shown(caught.value)


@pytest.mark.parametrize("kind", [AttuneClient, AsyncAttuneClient])
@pytest.mark.parametrize(
    "url", ["", "localhost:8000", "ftp://x", "http://", "http://x:port", "/v1"]
)
def test_address_that_is_none_is_told(kind, url):
    with pytest.raises(ValueError, match="no address"):
        kind(url, KEY)


@pytest.mark.parametrize("key", ["", "  ", "a\nb", "é"])
def test_idempotency_key_that_cannot_be_sent(key):
    with AttuneClient("http://shop.test") as client, pytest.raises(ValueError, match="idempotency"):
        client.say("s", "x", idempotency_key=key)


def test_language_that_cannot_be_sent():
    with AttuneClient("http://shop.test") as client, pytest.raises(ValueError, match="language"):
        client.open_session(language="de\nX-Evil: 1")


def test_path_too_long_to_be_sent():
    with AttuneClient("http://shop.test") as client, pytest.raises(ValueError, match="too long"):
        client.session("x" * 70_000)


def test_compressed_answers_are_read():
    packed = gzip.compress(b'{"data": [{"id": "attune"}]}')

    def answer(request):
        return httpx.Response(200, content=packed, headers={"content-encoding": "gzip"})

    with AttuneClient("http://shop.test", transport=httpx.MockTransport(answer)) as client:
        assert client.models()[0].id == "attune"


def test_answer_nested_too_deep_is_no_answer():
    def answer(request):
        return httpx.Response(200, content=b"[" * 100_000)

    with (
        AttuneClient("http://shop.test", transport=httpx.MockTransport(answer)) as client,
        pytest.raises(NotUnderstood),
    ):
        client.models()
