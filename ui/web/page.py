"""The shop's page as a value, and what a browser keeps of it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ui.web.api import Json

MOST_CONVERSATIONS = 20

Panel = Literal[
    "", "picker", "because", "compare", "details", "saved", "missing", "wrong", "conversations",
    "profile",
]  # fmt: skip


@dataclass(frozen=True)
class Page:
    """Everything on the page.

    Args:
        session: Id of the session; empty before the first words.
        messages: What was said, oldest first: {"role", "content"}; those of the assistant have
            the id of their turn in "turn" and of its slate in "slate".
        items, slate: What is on the shelf, and its slate.
        wishes, replies: As the API suggests them.
        panel, about: What is open beside the shelf, and the items it is about.
        compared: Items chosen for comparison; saved: kept by the person, by id.
        judged: Verdicts on items and turns, by id.
        status: What is going on, in words; `trouble` where something is wrong.
        busy: Whether a turn is under way.
        draft: Words to put back into the box.
        unsent: The request that failed, with its idempotency key.
        nothing: Whether the last turn found nothing.
        person: Id that this browser made up for whoever shops with it; nobody can guess it.
        guest: Whether they shop for somebody else: nothing is kept under their id or learned from.
        talks: Earlier conversations of this browser, newest first: {"id", "title"}.
        stars: How the conversation was rated.
        others: Items that those on the shelf are compared with, by id.
        turns: Turns of the session that this page knows of; more were taken elsewhere.
        catalog, count: Name of the catalog, and its number of items.
    """

    session: str = ""
    messages: tuple[Json, ...] = ()
    items: tuple[Json, ...] = ()
    slate: str = ""
    wishes: tuple[Json, ...] = ()
    replies: tuple[Json, ...] = ()
    panel: Panel = ""
    about: tuple[Json, ...] = ()
    compared: tuple[Json, ...] = ()
    saved: tuple[Json, ...] = ()
    judged: Mapping[str, str] = field(default_factory=dict)
    status: str = ""
    trouble: bool = False
    busy: bool = False
    draft: str = ""
    unsent: tuple[str, str] = ("", "")
    nothing: bool = False
    person: str = ""
    guest: bool = False
    talks: tuple[Json, ...] = ()
    stars: int = 0
    others: Mapping[str, Json] = field(default_factory=dict)
    turns: int = 0
    catalog: str = ""
    count: int = 0


def hidden_of(wishes: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the ids of the items that are hidden, as the chips tell."""
    chips = [wish for wish in wishes if wish["kind"] == "hidden"]
    return tuple(str(id) for chip in chips for wish in chip["press"]["drop"]
                 for id in wish["values"])  # fmt: skip


def kept(page: Page) -> Json:
    """Return what a browser keeps of a page, so that a reload brings it back."""
    return {
        "person": page.person, "session": page.session, "talks": list(page.talks),
        "saved": list(page.saved), "guest": page.guest, "turns": page.turns,
    }  # fmt: skip


def remembered(kept: Mapping[str, Any]) -> Page:
    """Return an empty page with what a browser kept; a new person where it kept none."""

    def listed(name: str) -> tuple[Json, ...]:
        found = kept.get(name)
        return tuple(o for o in found if isinstance(o, dict) and "id" in o) if isinstance(
            found, list) else ()  # fmt: skip

    person = str(kept.get("person") or "") or secrets.token_urlsafe(18)
    return Page(
        person=person, session=str(kept.get("session") or ""), guest=kept.get("guest") is True,
        talks=listed("talks"), saved=listed("saved"),
    )  # fmt: skip


def profile_of(export: Mapping[str, Any]) -> Json:
    """Return what is known of a person in a few lists, of all that is stored of them."""
    sessions = export["sessions"]
    wishes = [one.get("label") or one["facet"] for session in sessions
              for one in session["state"]["need"]["constraints"]]  # fmt: skip
    titles = {
        shown["item_id"]: shown["fields"].get("title", shown["item_id"])
        for session in sessions for slate in session["slates"] for shown in slate["items"]
    }  # fmt: skip
    done: dict[str, list[str]] = {}
    for session in sessions:
        for event in session["events"]:
            title = titles.get(event["item_id"])
            if title and title not in done.setdefault(event["kind"], []):
                done[event["kind"]].append(title)
    return {"conversations": len(sessions), "wishes": list(dict.fromkeys(wishes)), "done": done,
            "adapters": list(export.get("adapters") or ())}  # fmt: skip
