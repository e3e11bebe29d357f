"""A store of every kind, and turns to put into it."""

import os

import pytest
from sqlalchemy import create_engine, text

from agent.feedback import new_id
from agent.plan import Act, Mention, Plan
from agent.state import Constraint, Need, State
from agent.store import Store
from agent.turn import Done, Evidence, Reason, Relaxation, Slate, SlateItem

KINDS = ("file", "memory", "postgresql")
BLUE = Constraint(facet="colour", role="colour", values=("Blue",), label="blue", turn=1)
FIELDS = {"title": "Shirt 🙂", "price": 12.5, "tags": ("a", "b"), "new": True}
SHIRT = SlateItem(
    item_id="7",
    rank=1,
    score=0.5,
    fields=FIELDS,
    reasons=(
        Reason(
            text="it is blue",
            evidence=(Evidence(kind="field", item_id="7", facet="colour", value="Blue"),),
        ),
    ),
)
HAT = SlateItem(item_id="8", rank=2, score=0.25, fields={"title": "Hat"})


def turn(session_id, number, items=(SHIRT, HAT), **fields):
    mention = Mention(id="V1", kind="value", start=0, end=4, text="blue", values=("Blue",))
    values = {
        "turn_id": new_id(),
        "session_id": session_id,
        "utterance": f"blue {number} 👕",
        "reply": "Here.",
        "slate": Slate(id=new_id(), items=items),
        "plan": Plan(acts=(Act(act="refine", want=("V1",)),), mentions=(mention,), prompt="plan@1"),
        "state": State(need=Need(constraints=(BLUE,)), slate=("7", "8"), turn=number),
        "claims": SHIRT.reasons,
        "relaxations": (Relaxation(dropped=BLUE, text="nothing blue"),),
        "notes": ("read as EUR",),
        "timings": {"link": 0.25},
    }
    return Done(**{**values, **fields})


def server_url():
    """Return an emptied PostgreSQL database, where the environment names one."""
    url = os.environ.get("ATTUNE_TEST_POSTGRES")
    if not url:
        pytest.skip("set ATTUNE_TEST_POSTGRES to a PostgreSQL URL to run this")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url


def open_store(kind, folder):
    """Return an empty store: a file in the folder, in memory, or on a PostgreSQL server."""
    urls = {"file": lambda: f"sqlite:///{folder}/a.db", "memory": lambda: "sqlite://"}
    return Store(urls.get(kind, server_url)())
