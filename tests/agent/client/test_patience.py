"""What is sent again, what is not, and what is said of answers that are none."""

import asyncio
import copy
import json
import pickle

import httpx
import pytest

from agent.client import (
    AsyncAttuneClient,
    AttuneClient,
    Conflicted,
    Invalid,
    Limited,
    NotReached,
    NotUnderstood,
    TimedOut,
    TooSlow,
    Unavailable,
    calls,
)
from agent.client.errors import refused
from agent.client.wire import Events, Patience

SESSION = (201, {}, b'{"id": "s1"}')
BUSY = (503, {}, json.dumps({"error": {"type": "busy", "message": "later"}}).encode())
TURN = {
    "turn_id": "t", "session_id": "s1", "slate_id": "l", "utterance": "x", "reply": "y",
    "items": [], "state": {}, "plan": {}, "brand_new": 1,
}  # fmt: skip


STREAMED = calls.stream("s1", "x")
STREAM = {"content-type": "text/event-stream", "connection": "close"}


def error(status, type="x", **headers):
    body = {"error": {"type": type, "message": "told", "hint": "do"}}
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return (status, sent, json.dumps(body).encode())


def test_passing_faults_are_tried_again(told, no_pauses):
    told.answers = [BUSY, None, SESSION]
    with AttuneClient(told.url) as client:
        assert client.create_session() == "s1"
    assert len(told.seen) == 3
    assert len(no_pauses) == 2


def test_awaited_faults_are_tried_again(told, no_pauses):
    told.answers = [error(429, retry_after="3"), None, SESSION]

    async def create():
        async with AsyncAttuneClient(told.url) as client:
            return await client.create_session()

    assert asyncio.run(create()) == "s1"
    assert no_pauses[0] == 3.0


def test_every_try_has_the_same_key(told):
    told.answers = [None, BUSY, (200, {}, json.dumps(TURN).encode())]
    with AttuneClient(told.url, "att_k") as client:
        turn = client.say("s1", "x", context={"customer": "c1"})
    keys = {headers["idempotency-key"] for _, headers, _ in told.seen}
    assert (len(told.seen), len(keys)) == (3, 1)
    assert told.seen[0][1]["authorization"] == "Bearer att_k"
    assert told.seen[0][2] == {"text": "x", "context": {"customer": "c1"}}
    assert turn.model_extra == {"brand_new": 1}


def test_it_ends_after_some_tries(told):
    told.answers = [BUSY] * 3
    with AttuneClient(told.url) as client, pytest.raises(Unavailable, match="later"):
        client.create_session()
    assert len(told.seen) == 3
    told.answers = [None]
    with AttuneClient(told.url, retries=0) as client, pytest.raises(NotReached) as caught:
        client.say("s1", "x", idempotency_key="mine")
    assert caught.value.idempotency_key == "mine"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400), Invalid),
        (error(409, "conflict"), Conflicted),
        (error(500, "internal"), Unavailable),
        (error(429, "token_budget", retry_after="36000", x_request_id="r1"), Limited),
        ((504, {}, b"<html>"), TimedOut),
        ((404, {}, b"<html>"), NotUnderstood),
        ((200, {}, b"<html>It works!</html>"), NotUnderstood),
        ((201, {}, b'{"ident": "s1"}'), NotUnderstood),
        ((201, {}, b"[]"), NotUnderstood),
    ],
)
def test_lasting_faults_are_not(told, answer, kind):
    told.answers = [answer]
    with AttuneClient(told.url) as client, pytest.raises(kind) as caught:
        client.create_session()
    assert len(told.seen) == 1
    if kind is Limited:
        assert (caught.value.retry_after, caught.value.request_id) == (36_000.0, "r1")
        assert str(caught.value) == "told (do)"


def test_proxy_without_a_server_is_tried_again(told):
    gone = (502, {}, b"<html>Bad Gateway</html>")
    told.answers = [gone, SESSION]
    with AttuneClient(told.url) as client:
        assert client.create_session() == "s1"
        told.answers = [gone] * 3
        with pytest.raises(Unavailable, match="status 502, from what is between") as caught:
            client.create_session()
        assert (caught.value.status, caught.value.type) == (502, "")
        told.answers, told.seen = [gone], []
        with pytest.raises(Unavailable):  # it may have been done
            client.roll_back_adapter()
        assert len(told.seen) == 1


def test_errors_go_from_process_to_process():
    headers = {"retry-after": "3", "x-request-id": "r1"}
    body = {"error": {"type": "rate_limited", "message": "slow", "hint": "wait"}}
    for error in (
        refused(429, body, headers), refused(401, body), refused(404, {}), NotReached("gone", "k"),
        TooSlow("late", "k"),
    ):  # fmt: skip
        same = pickle.loads(pickle.dumps(error))
        assert (type(same), str(same), vars(same)) == (type(error), str(error), vars(error))
        assert vars(copy.copy(error)) == vars(error)


def test_type_is_told_on_openais_paths_too():
    body = {"error": {"message": "x", "type": "invalid_request_error", "param": "model",
                      "code": "model_not_found"}}  # fmt: skip
    assert refused(404, body).type == "model_not_found"


def test_waiting_too_long_is_not_waited_again():
    patience, sent = Patience(2), calls.models().request
    request = httpx.Request("GET", "http://x")
    assert patience.pause(sent, 1, httpx.ReadTimeout("", request=request)) is None
    assert patience.pause(sent, 1, httpx.ConnectTimeout("", request=request)) is not None
    assert patience.pause(sent, 3, httpx.ConnectError("", request=request)) is None
    pauses = [patience.pause(sent, 1, httpx.Response(503)) for _ in range(20)]
    assert all(0.2 < one <= 0.5 for one in pauses)


ONCE = (
    lambda client: client.roll_back_adapter(),
    lambda client: client.promote_adapter("a"),
    lambda client: client.add_key("web", ["chat"]),
    lambda client: client.ask("POST", "/v1/owner/runs", {"name": "drift"}),
)


@pytest.mark.parametrize("does", ONCE)
def test_what_may_be_done_is_not_done_twice(told, does):
    told.answers = [None]
    with AttuneClient(told.url) as client, pytest.raises(NotReached):
        does(client)
    assert len(told.seen) == 1
    told.answers, told.seen = [BUSY, error(409)], []
    with AttuneClient(told.url) as client, pytest.raises(Conflicted):
        does(client)
    assert len(told.seen) == 2


def test_slow_answers_are_told_as_slow(told):
    def answer(request):
        raise httpx.ReadTimeout("", request=request)

    with (
        AttuneClient("http://x", transport=httpx.MockTransport(answer)) as client,
        pytest.raises(TooSlow) as caught,
    ):
        client.say("s1", "x", idempotency_key="mine")
    assert caught.value.idempotency_key == "mine"
    told.answers = [error(504, "timeout")]
    with AttuneClient(told.url) as client, pytest.raises(TimedOut):
        client.say("s1", "x")
    told.answers = [(200, STREAM, b'event: error\ndata: {"error": {"type": "timeout", '
                                  b'"message": "late"}}\n\n')]  # fmt: skip
    with (
        AttuneClient(told.url) as client,
        client.stream("s1", "x") as events,
        pytest.raises(TimedOut, match="late"),
    ):
        list(events)


def test_readiness_is_told_at_once(told, no_pauses):
    standing = {"status": "not ready", "catalog": "", "version": None, "reasons": ["no store"]}
    told.answers = [(503, {}, json.dumps(standing).encode()), BUSY]
    with AttuneClient(told.url) as client:
        assert client.ready().reasons == ("no store",)
        with pytest.raises(Unavailable, match="later"):
            client.ready()
    assert (len(told.seen), no_pauses) == (2, [])


def test_nobody_there_is_told():
    with AttuneClient("http://127.0.0.1:9", retries=1) as client, pytest.raises(NotReached):
        client.models()


def test_broken_stream_is_told(told):
    told.answers = [(200, STREAM, b'event: text\ndata: {"delta": "a"}\n\n')]
    with (
        AttuneClient(told.url) as client,
        client.stream("s1", "x", idempotency_key="k") as events,
        pytest.raises(NotReached, match="ended before") as caught,
    ):
        list(events)
    assert caught.value.idempotency_key == "k"


def test_broken_file_is_told(told):
    told.answers = [
        (200, {"content-type": "text/csv", "content-length": "9", "connection": "close"}, b"a,b")
    ]
    with (
        AttuneClient(told.url) as client,
        client.download("/v1/owner/catalog/never-shown.csv") as file,
        pytest.raises(NotReached),
    ):
        list(file.pieces)


def test_error_within_a_stream_is_raised(told):
    body = b'event: error\ndata: {"error": {"type": "store_unavailable", "message": "full"}}\n\n'
    told.answers = [(200, STREAM, body)]
    with (
        AttuneClient(told.url) as client,
        client.stream("s1", "x") as events,
        pytest.raises(Unavailable, match="full") as caught,
    ):
        list(events)
    assert (caught.value.status, caught.value.type) == (200, "store_unavailable")


def test_stream_is_cut_at_line_feeds_only():
    done = json.dumps({**TURN, "reply": "a\u2028b\u0085c"}, ensure_ascii=False)
    text = ': hello\n\nevent: text\ndata: {"delta":"x"}\n\nevent: new\ndata: {}\n\n'
    content = f"{text}event: done\ndata: {done}\n\n".encode()
    whole, bytewise = Events(STREAMED), Events(STREAMED)
    events = whole.feed(content)
    assert [
        one for at in range(len(content)) for one in bytewise.feed(content[at : at + 1])
    ] == events
    assert events[0].delta == "x"
    assert events[-1].turn.reply == "a\u2028b\u0085c"
    whole.end()
    with pytest.raises(NotReached, match="ended before"):
        Events(STREAMED).end()


def test_garbled_events_are_told():
    for block in (b"event: text\ndata: {}\n\n", b"event: done\ndata: nope\n\n"):
        with pytest.raises(NotUnderstood):
            Events(STREAMED).feed(block)


def test_ids_cannot_leave_their_place(told):
    told.answers = [(200, {}, b'{"id": "x", "title": "t"}')]
    with AttuneClient(told.url) as client:
        client.item("../../metrics?x=1#y")
        for id in ("", ".", ".."):
            with pytest.raises(ValueError, match="an id is needed"):
                client.item(id)
    assert told.seen[0][0] == "/v1/items/..%2F..%2Fmetrics%3Fx%3D1%23y"
