"""Two tenants behind one server, each with a shop, a store, keys and things of its own."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from fastapi.testclient import TestClient

from agent import tables
from agent.access.keyring import Keyring
from agent.access.keys import SCOPES
from agent.jobs import NewJob
from agent.server.access import Rules
from agent.server.app import create_service, make_context
from agent.server.context import Tenant
from agent.server.limits import Capacity, Limits
from agent.service.values import Handover, Service
from agent.store import Store
from tests.agent.clothes import parts_over, writable
from tests.agent.stores import turn

OPERATOR = "operator-key-of-the-test"


@dataclass
class Shop:
    """One tenant: what it has, and the keys that open it."""

    name: str
    tenant: Tenant
    store: Store
    keyring: Keyring
    keys: dict[str, str] = field(default_factory=dict)
    things: dict[str, str] = field(default_factory=dict)


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def open_shop(name, tmp_path, shop, limits=Limits()):  # noqa: B008
    """Return a tenant with a good key, and one for each way in which a key can be bad."""
    store = Store(f"sqlite:///{tmp_path}/{name}.db")
    parts = parts_over(writable(copy.deepcopy(shop)), store)
    # What was read counts for no time, so that a test sees what it has just done.
    keyring = Keyring(store.database, name, fresh_s=0.0)
    tenant = Tenant(
        name, keyring, lambda: make_context(parts, limits=limits), limits.origins, store.close
    )
    made = Shop(name, tenant, store, keyring)
    made.keys = {scope: keyring.add(scope, [scope])[1] for scope in SCOPES}
    made.keys["expired"] = expired_key(keyring)
    revoked, text = keyring.add("revoked", SCOPES)
    keyring.revoke(revoked.id)
    made.keys["revoked"] = text
    return made


def expired_key(keyring):
    """Store a key that was good until a moment ago."""
    key, text = keyring.add("expired", SCOPES, timedelta(hours=1))
    own = tables.api_keys
    past = datetime.now(UTC) - timedelta(seconds=1)
    with keyring.database.write() as connection:
        connection.execute(own.update().where(own.c.id == key.id).values(expires=past))
    return text


def serve(*shops, capacity=Capacity(), limits=Limits()):  # noqa: B008
    """Return a client of a server of some tenants."""
    app = create_service(
        {shop.name: shop.tenant for shop in shops},
        rules=Rules(auth="required", operator_key=OPERATOR),
        capacity=capacity,
        limits=limits,
    )
    return TestClient(app, raise_server_exceptions=False)


def furnish(shop, client):
    """Give a tenant a user, a session, a turn, a slate, an item, a job and a hand-over."""
    admin = bearer(shop.keys["admin"])
    session = client.post("/v1/sessions", json={"user": "ann-of-b"}, headers=admin).json()["id"]
    said = {"text": "blue shirts please"}
    taken = client.post(f"/v1/sessions/{session}/turns", json=said, headers=admin).json()
    item = {"id": "only-b", "title": "Marmalade shirt", "price": 12}
    assert client.post("/v1/items:upsert", json={"items": [item]}, headers=admin).is_success
    event = {"id": "fed-b", "slate_id": taken["slate_id"], "item_id": "1", "kind": "click"}
    assert client.post("/v1/feedback", json=event, headers=admin).status_code == 201
    shop.store.work.add(NewJob("reindex", {}, id="job-of-b"))
    done = turn(session, 2, service=Service(handover=Handover(id="handover-b", reason="asked")))
    shop.store.record(done)
    shop.things = {
        "session_id": session, "turn_id": taken["turn_id"], "slate_id": taken["slate_id"],
        "item_id": "only-b", "job_id": "job-of-b", "handover_id": "handover-b", "event": "fed-b",
        "user": "ann-of-b", "title": "Marmalade", "said": "blue shirts please",
        "key_id": shop.keyring.list()[0].id,
    }  # fmt: skip
