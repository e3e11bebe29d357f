"""Calls of the shop's API: a real server that is down, slow, talkative, or answers nonsense."""

import json

import pytest

from agent.tools import Caller, Server, ToolFailed, read_tools
from agent.tools.calling import MAX_RESPONSE, cleaned
from tests.agent.tools.shop_api import API, SECRET, serving

ORDER = {"order_id": "A-1234"}


@pytest.fixture
def shop():
    with serving() as shop:
        shop.answers = {"GET /orders/A-1234": (200, {"status": "shipped"})}
        yield shop


@pytest.fixture
def call(shop):
    """Call a tool of the shop by name."""
    return caller_of(shop, 10.0)


def caller_of(shop, timeout_s):
    tools = {t.name: t for t in read_tools({**API, "servers": [{"url": shop.url}]}, "shop")}
    server = Server(secret=SECRET, authorization="Bearer own", timeout_s=timeout_s)
    caller = Caller({"shop": server})

    def call(name="order_status", key="att_key", **arguments):
        return caller.call(tools[name], arguments or ORDER, key)

    return call


def test_answer_is_checked_and_returned(call, shop):
    answer = call()
    assert (answer.status, answer.body) == (200, {"status": "shipped"})
    (asked,) = shop.asked
    assert asked["headers"]["authorization"] == "Bearer own"
    assert "idempotency-key" not in asked["headers"]


def test_arguments_stand_where_the_file_says(call, shop):
    shop.answers["POST /cart"] = (200, {})
    call("add_to_cart", item_id="7", customer="ä/../b", quantity=2)
    assert json.loads(shop.asked[0]["body"]) == {"item_id": "7", "customer": "ä/../b",
                                                 "quantity": 2}  # fmt: skip
    assert shop.asked[0]["headers"]["idempotency-key"] == "att_key"


def test_path_cannot_be_climbed_out_of(call, shop):
    assert call(order_id="../../admin?x=1#y").status == 404
    assert shop.asked[0]["path"] == "/orders/..%2F..%2Fadmin%3Fx%3D1%23y"
    with pytest.raises(ToolFailed, match="cannot stand in a path"):
        call(order_id="..")


BAD = [
    ({"answers": {"GET /orders/A-1234": (500, {})}}, "HTTP 500", True),
    ({"answers": {"GET /orders/A-1234": (403, {})}}, "HTTP 403", False),
    ({"raw": b"<html>"}, "the answer is no JSON", True),
    ({"raw": b"\xff\xfe"}, "the answer is no JSON", True),
    ({"raw": b"[" * 50_000}, "the answer is no JSON", True),
    ({"raw": b'"' + b"x" * MAX_RESPONSE + b'"'}, "more than 65,536 bytes", True),
    ({"answers": {"GET /orders/A-1234": (200, {"status": "eaten"})}}, "status breaks 'enum'", True),
    ({"answers": {"GET /orders/A-1234": (200, [])}}, "the answer breaks 'type'", True),
    ({"headers": {"content-encoding": "gzip"}}, "compressed", True),
]


@pytest.mark.parametrize(("own", "said", "sent"), BAD)
def test_bad_answer_fails_with_a_reason(call, shop, own, said, sent):
    for name, value in own.items():
        setattr(shop, name, value)
    with pytest.raises(ToolFailed, match=said) as error:
        call()
    assert error.value.sent is sent
    assert "A-1234" not in str(error.value)


@pytest.mark.parametrize("own", [{"delay_s": 1.0}, {"drip_s": 0.1}])
def test_slow_answer_is_not_waited_for(shop, own):
    for name, value in own.items():
        setattr(shop, name, value)
    with pytest.raises(ToolFailed, match=r"no answer within 0\.3 s"):
        caller_of(shop, 0.3)()


def test_dead_server_fails_unsent():
    with serving() as shop:
        url = shop.url
    tool = read_tools({**API, "servers": [{"url": url}]}, "shop")[0]
    caller = Caller()
    with pytest.raises(ToolFailed, match="cannot be reached") as error:
        caller.call(tool, ORDER, "k")
    assert not error.value.sent


def test_circuit_opens_after_failures(call, shop):
    shop.answers = {"GET /orders/A-1234": (500, {})}
    for _ in range(3):
        with pytest.raises(ToolFailed, match="HTTP 500"):
            call()
    with pytest.raises(ToolFailed, match="not asked after 3 failures"):
        call()
    assert len(shop.asked) == 3


def test_unknown_order_opens_no_circuit(call):
    for _ in range(5):
        assert call(order_id="B-1111").status == 404


def test_redirect_within_the_host_is_followed(call, shop):
    shop.answers = {"GET /orders/A-1234": (302, {}), "GET /new": (200, {"status": "shipped"})}
    shop.headers = {"location": "/new"}
    assert call().body == {"status": "shipped"}


@pytest.mark.parametrize(
    "location",
    ["https://evil.example/x", "http://127.0.0.1:9/x", "//evil.example/", "", "/orders/A-1234"],
)
def test_redirect_elsewhere_is_refused(call, shop, location):
    shop.answers = {"GET /orders/A-1234": (302, {})}
    shop.headers = {"location": location}
    with pytest.raises(ToolFailed, match="redirect"):
        call()


def test_change_is_never_redirected(call, shop):
    shop.answers = {"DELETE /orders/A-1234": (307, {}), "DELETE /new": (200, {})}
    shop.headers = {"location": "/new"}
    with pytest.raises(ToolFailed, match="redirects are followed for GET"):
        call("cancel_order")
    assert len(shop.asked) == 1


def test_results_are_cleaned_and_cut():
    dirty = {"a\x1b[2J": "x\x00\x1b[31my", "long": "z" * 900, "many": list(range(100)),
             "deep": {"a": {"b": {"c": {"d": {"e": 1}}}}}, "big": 10**400, "n": None}  # fmt: skip
    clean = cleaned(dirty)
    assert clean["a"] == "xy"
    assert len(clean["long"]) == 500
    assert len(clean["many"]) == 40
    assert clean["deep"]["a"]["b"]["c"]["d"] is None
    assert json.loads(json.dumps(clean)) == clean
