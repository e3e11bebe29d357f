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
    NotLoggedIn,
    NotReached,
    NotUnderstood,
    Refused,
    TimedOut,
    TooSlow,
    Unavailable,
)
from agent.client.values import (
    Done,
    Event,
    Explained,
    ExplainedItem,
    Feedback,
    Item,
    Items,
    ItemWords,
    Press,
    PressedWish,
    ShownItem,
    Turn,
    Understood,
    Value,
    Words,
)
from agent.client.waiting import AttuneClient

__all__ = [
    "AsyncAttuneClient", "AttuneClient", "AttuneError", "Conflicted", "Done", "Event", "Explained",
    "ExplainedItem", "Feedback", "Invalid", "Item", "ItemWords", "Items", "Limited", "NotAllowed",
    "NotFound", "NotLoggedIn", "NotReached", "NotUnderstood", "Press", "PressedWish", "Refused",
    "ShownItem", "TimedOut", "TooSlow", "Turn", "Unavailable", "Understood", "Value", "Words",
]  # fmt: skip
