"""Our own client against a real server: every native route, waiting and awaited."""

import asyncio
import subprocess
import sys

import pytest

from agent.access.keyring import Keyring
from agent.client import (
    AsyncAttuneClient,
    AttuneClient,
    Done,
    Feedback,
    Invalid,
    Items,
    NotAllowed,
    NotFound,
    Understood,
    Words,
)
from agent.server import create_app
from tests.agent.server.live import serving

BLUE = "blue shirts under 40"


def test_turn_is_a_value(client):
    session = client.create_session(user="ann")
    turn = client.say(session, BLUE)
    assert (turn.session_id, turn.utterance, turn.planner) == (session, BLUE, "rules")
    first = turn.items[0]
    assert (first.id, first.price, first.currency, first.rank) == ("1", 35.0, "EUR", 1)
    assert first.reasons[0] == "Blue, as asked (colour)"
    assert first.evidence[0].facet == "colour"
    found = client.session(session)
    assert (found.user, found.turns) == ("ann", (turn,))
    client.delete_session(session)
    with pytest.raises(NotFound, match="no session"):
        client.session(session)


def test_events_come_typed(client):
    session = client.create_session()
    with client.stream(session, BLUE) as events:
        seen = list(events)
    kinds = [type(one) for one in seen]
    assert kinds[:2] == [Understood, Items]
    assert (set(kinds[2:-1]), kinds[-1]) == ({Words}, Done)
    done = seen[-1].turn
    assert "".join(one.delta for one in seen if isinstance(one, Words)) == done.reply
    assert seen[1].items == done.items
    assert client.session(session).turns == (done,)


def test_stream_keeps_odd_characters(client):
    text = "blue\u2028shirts \u0085 👕"
    with client.stream(client.create_session(), text) as events:
        done = list(events)[-1]
    assert done.turn.utterance == text.replace("\u0085", "")


def test_leaving_a_stream_ends_it(client):
    session = client.create_session()
    with client.stream(session, "red shoes") as events:
        assert isinstance(next(events), Understood)
    assert client.say(session, BLUE).items


def test_wrong_turn_raises_before_the_stream(client):
    with pytest.raises(NotFound), client.stream("nope", BLUE):
        pytest.fail("there is no such session")
    session = client.create_session()
    with pytest.raises(Invalid, match="the text is empty") as caught:
        client.say(session, " ")
    assert (caught.value.status, caught.value.type) == (422, "invalid_input")


def test_same_key_is_taken_once(client):
    session = client.create_session()
    first = client.say(session, BLUE, idempotency_key="k1")
    assert client.say(session, BLUE, idempotency_key="k1") == first
    assert len(client.session(session).turns) == 1
    with pytest.raises(Invalid, match="used for another request"):
        client.say(session, "red", idempotency_key="k1")


def test_feedback_is_told(client):
    turn = client.say(client.create_session(), BLUE)
    events = [
        Feedback(slate_id=turn.slate_id, kind="click", item_id="1", id="web-1"),
        Feedback(slate_id=turn.slate_id, kind="rating", item_id="1", value=5, consent=False),
    ]
    ids = client.send_feedback(*events)
    assert ids[0] == "web-1"
    assert len(ids) == 2
    with pytest.raises(NotFound, match="slate"):
        client.send_feedback(Feedback(slate_id="nope", kind="click", item_id="1"))


def test_items_are_recommended_and_explained(client):
    under = {"facet": "price", "op": "lte", "value": 40}
    feed = client.recommend(filter=under, text="shoes", k=3)
    assert feed.items
    assert all(item.price <= 40 for item in feed.items)
    told = client.explain(["9"], wishes=[under])
    assert told[0].explanation
    assert client.explain(["9"], text="leather shoes", language="de")[0].id == "9"


def test_catalog_is_changed(client):
    row = {"id": "a/b c", "title": "Teal shirt", "price": 30, "category": "Shirts"}
    stored = client.upsert_items([row, {"title": "No id"}])
    assert (stored.stored, stored.rejected[0].row) == (1, 1)
    assert client.item("a/b c").title == "Teal shirt"
    assert client.item("9").description
    assert client.delete_items(["a/b c", "unknown"]) == 1
    with pytest.raises(NotFound):
        client.item("a/b c")


def test_users_are_told_and_deleted(client):
    client.say(client.create_session(user="ann/x"), BLUE)
    assert len(client.export_user("ann/x")["sessions"]) == 1
    assert client.delete_user("ann/x").sessions == 1


def test_models_are_listed(client):
    assert [one.id for one in client.models()] == ["attune", "rules"]


def test_key_is_shown(parts):
    key = Keyring(parts.store.database).add("bot", ["chat"])[1]
    with serving(create_app(parts)) as url:
        with AttuneClient(url) as client, pytest.raises(NotAllowed, match="a key is needed"):
            client.create_session()
        with AttuneClient(url, key) as client:
            assert client.say(client.create_session(), BLUE).items
            with pytest.raises(NotAllowed) as caught:
                client.delete_items(["1"])
            assert (caught.value.status, caught.value.type) == (403, "missing_scope")


async def _everything(url):
    async with AsyncAttuneClient(url) as client:
        session = await client.create_session("ann")
        turn = await client.say(session, BLUE)
        async with client.stream(session, "cheaper") as events:
            seen = [event async for event in events]
        feedback = Feedback(slate_id=turn.slate_id, kind="click", item_id="1")
        found = {
            "session": (await client.session(session)).turns == (turn, seen[-1].turn),
            "feedback": len(await client.send_feedback(feedback)) == 1,
            "feed": len((await client.recommend(k=2)).items) == 2,
            "explained": (await client.explain(["9"], text="shoes"))[0].id == "9",
            "item": (await client.item("9")).id == "9",
            "stored": (await client.upsert_items([{"id": "z", "title": "Z"}])).stored == 1,
            "deleted": await client.delete_items(["z"]) == 1,
            "models": (await client.models())[0].id == "attune",
            "exported": len((await client.export_user("ann"))["sessions"]) == 1,
            "forgotten": (await client.delete_user("ann")).sessions == 1,
        }
        other = await client.create_session()
        await client.delete_session(other)
        with pytest.raises(NotFound):
            await client.session(other)
        return found


def test_awaited_client_does_the_same(url):
    found = asyncio.run(_everything(url))
    assert all(found.values()), found


async def _at_once(url):
    async with AsyncAttuneClient(url) as client:
        sessions = [await client.create_session() for _ in range(8)]
        return await asyncio.gather(*(client.say(one, BLUE) for one in sessions))


def test_awaited_turns_run_at_once(url):
    turns = asyncio.run(_at_once(url))
    assert len({turn.session_id for turn in turns}) == 8


PROBE = """
import sys
import agent.client
heavy = {"torch", "numpy", "sqlalchemy", "fastapi", "openai", "retrieval", "prompts"}
print(sorted(heavy & {name.split(".")[0] for name in sys.modules}))
"""


def test_client_imports_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
