"""Attune's own client: its native routes, typed. Imports nothing heavy.

with AttuneClient("http://localhost:8000", key="att_…") as client:
    session = client.create_session(user="ann")
    turn = client.say(session, "a blue shirt under 60")
"""

from agent.client.awaiting import AsyncAttuneClient
from agent.client.errors import (
    AttuneError,
    Conflicted,
    Invalid,
    Limited,
    NotAllowed,
    NotFound,
    NotReached,
    NotUnderstood,
    Refused,
    Unavailable,
)
from agent.client.values import (
    Done,
    Event,
    Feedback,
    Item,
    Items,
    ShownItem,
    Turn,
    Understood,
    Words,
)
from agent.client.waiting import AttuneClient

__all__ = [
    "AsyncAttuneClient", "AttuneClient", "AttuneError", "Conflicted", "Done", "Event", "Feedback",
    "Invalid", "Item", "Items", "Limited", "NotAllowed", "NotFound", "NotReached", "NotUnderstood",
    "Refused", "ShownItem", "Turn", "Unavailable", "Understood", "Words",
]  # fmt: skip
