"""The SDK's client against a real server on a port: keys, tenants, names, cancelled calls."""

import threading
import time
from asyncio import CancelledError
from contextlib import ExitStack, suppress
from dataclasses import replace

import anyio
import httpx
import pytest
from anyio.from_thread import check_cancelled
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from agent.access.keyring import Keyring
from agent.access.usage import Budget
from agent.planner import RulePlanner
from agent.server import create_app
from agent.server.access import Rules
from agent.server.app import create_service
from agent.server.context import Tenant
from agent.server.limits import Capacity, Limits
from agent.store import Store
from tests.agent.server import live

SEARCH = {"query": "shirt"}


class _Held(RulePlanner):
    """A planner that says when it has begun, and waits before it goes on."""

    def __init__(self, wait):
        super().__init__()
        self.begun, self.wait = threading.Event(), wait

    def plan(self, request):
        self.begun.set()
        self.wait()
        return super().plan(request)


@pytest.fixture
def serving():
    """Serve an app on a port of this machine; return its address."""
    with ExitStack() as running:
        yield lambda app: running.enter_context(live.serving(app))


def run(address, function, key=None, mode="auto"):
    """Run a function of a client that is connected over HTTP."""

    async def connected():
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with create_mcp_http_client(headers=headers) as http:
            transport = streamable_http_client(f"{address}/mcp", http_client=http)
            async with Client(transport, mode=mode) as client:
                return await function(client)

    return anyio.run(connected)


def search(client):
    return client.call_tool("search_items", SEARCH)


def post(address, **headers):
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    given = {"Accept": "application/json, text/event-stream"} | headers
    return httpx.post(f"{address}/mcp", json=body, headers=given)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_tools_answer_over_http(serving, here, mode):
    address = serving(create_app(here.parts))

    async def talk(client):
        first = await client.call_tool("recommend", {"text": "blue shirts under 40"})
        id = first.structured_content["session_id"]
        more = {"text": "the second one", "session_id": id}
        return first, await client.call_tool("recommend", more)

    first, second = run(address, talk, mode=mode)
    assert first.structured_content["items"][0]["id"] == "1"
    assert second.structured_content["session_id"] == first.structured_content["session_id"]


def test_many_callers_at_once(serving, here):
    address = serving(create_app(here.parts))

    async def talk(client):
        found = []

        async def one(id):
            got = await client.call_tool("get_item", {"item_id": str(id)})
            found.append(got.structured_content["id"])

        async with anyio.create_task_group() as group:
            for id in range(1, 15):
                group.start_soon(one, id)
        return found

    assert sorted(run(address, talk), key=int) == [str(id) for id in range(1, 15)]


@pytest.fixture
def tenants(here, tmp_path, shop):
    """Two tenants, each with a catalog, a store and a key; the second has one item."""
    other_store = Store(f"sqlite:///{tmp_path}/other.db")
    other_shop = replace(shop, items={"9": shop.items["9"]})
    other_shop.name, other_shop.mapping = "other", shop.mapping
    other_shop.upsert = other_shop.delete = shop.upsert
    parts = replace(here.parts, store=other_store, retriever=other_shop)
    there = replace(here, parts=parts, retriever=other_shop)
    made, keys = {}, {}
    for name, context in (("red", here), ("blue", there)):
        ring = Keyring(context.parts.store.database, name)
        keys[name] = ring.add("k", ["chat", "feedback"])[1]
        made[name] = Tenant(name, ring, lambda context=context: context)
    yield create_service(made, rules=Rules(auth="required")), keys
    other_store.close()


def test_tenants_see_their_own(serving, tenants):
    app, keys = tenants
    address = serving(app)
    red, blue = (run(address, search, keys[name]) for name in ("red", "blue"))
    assert red.structured_content["matched"] == 14
    assert blue.structured_content["matched"] == 1
    item = run(address, lambda c: c.call_tool("get_item", {"item_id": "1"}), keys["blue"])
    assert "no item '1'" in item.content[0].text


def test_sessions_stay_with_tenant(serving, tenants):
    app, keys = tenants
    address = serving(app)

    def say(name, **arguments):
        call = {"text": "shoes", **arguments}
        return run(address, lambda client: client.call_tool("recommend", call), keys[name])

    shown = say("red").structured_content
    taken = say("blue", session_id=shown["session_id"])
    assert "no session" in taken.content[0].text
    rated = {"slate_id": shown["slate_id"], "item_id": shown["items"][0]["id"], "kind": "click"}
    sent = run(address, lambda c: c.call_tool("send_feedback", rated), keys["blue"])
    assert "slate" in sent.content[0].text
    assert sent.is_error


@pytest.mark.parametrize(
    "key", [None, "att_red_000000000000_" + "x" * 43, "nonsense"], ids=["none", "wrong", "odd"]
)
def test_wrong_key_is_refused(serving, tenants, key):
    address = serving(tenants[0])
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = post(address, **headers)
    assert answer.status_code == 401
    assert "error" in answer.json()


def test_open_server_knows_only_this_machine(serving, here):
    address = serving(create_app(here.parts))
    assert post(address).status_code == 200
    assert post(address, Host="evil.example").status_code == 421
    assert post(address, Origin="http://evil.example").status_code == 403


def test_oversized_request_is_refused(serving, here):
    address = serving(create_app(here.parts))
    answer = httpx.post(f"{address}/mcp", content=b"[" * 2_000_000,
                        headers={"Content-Type": "application/json"})  # fmt: skip
    assert answer.status_code == 413


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 90_000, b"1e999", b"null"])
def test_no_json_rpc_is_no_fault_of_ours(serving, here, body):
    address = serving(create_app(here.parts))
    headers = {"Content-Type": "application/json",
               "Accept": "application/json, text/event-stream"}  # fmt: skip
    for version in ({}, {"MCP-Protocol-Version": "2026-07-28"}):
        answer = httpx.post(f"{address}/mcp", content=body, headers=headers | version)
        assert 400 <= answer.status_code < 500


def test_cancelled_call_leaves_nothing(serving, here):
    def until_cancelled():
        with suppress(CancelledError):
            for _ in range(6000):
                check_cancelled()
                time.sleep(0.01)

    planner = _Held(until_cancelled)
    parts = replace(here.parts, planner=planner)
    address = serving(create_app(parts))
    session = parts.store.create_session()

    async def leave(client):
        call = {"text": "blue shirts", "session_id": session}
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "recommend", call)
            await anyio.to_thread.run_sync(planner.begun.wait)
            group.cancel_scope.cancel()

    run(address, leave)
    with parts.store.turn_lock(session, 60):  # once the turn has ended
        assert parts.store.load(session).turns == 0
    assert run(address, search).structured_content["matched"] == 14


def test_turns_count_against_limits(serving, here):
    app = create_app(here.parts, limits=Limits(tokens=Budget(key=0)))
    key = Keyring(here.parts.store.database).add("k", ["chat"])[1]
    address = serving(app)
    talk = run(address, lambda c: c.call_tool("recommend", {"text": "shoes"}), key)
    assert "tokens that this key has for a day are used up" in talk.content[0].text
    assert not run(address, search, key).is_error


def test_turns_wait_for_a_place(serving, here):
    refused = threading.Event()
    parts = replace(here.parts, planner=_Held(lambda: refused.wait(60)))
    address = serving(create_app(parts, capacity=Capacity(turns=1)))

    async def crowd(client):
        answers = []

        async def say():
            answers.append(await client.call_tool("recommend", {"text": "shoes"}))
            if len(answers) == 2:
                refused.set()

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(say)
        return answers

    answers = run(address, crowd)
    busy = [one.content[0].text for one in answers if one.is_error]
    assert len(busy) == 2
    assert all("turns are under way" in text for text in busy)
    assert not run(address, search).is_error
