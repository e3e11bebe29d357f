"""The shop's page as a value, and what a browser keeps of it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
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
        feed, feed_slate: What is shown before anything was asked for, and its slate.
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
    feed: tuple[Json, ...] = ()
    feed_slate: str = ""

    @property
    def fresh(self) -> bool:
        """Return whether nothing was said yet."""
        return not self.messages

    @property
    def browsing(self) -> bool:
        """Return whether the feed is on the shelf: nothing that was asked for is."""
        return bool(self.feed) and not (self.items or self.busy or self.nothing)


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


def shared(page: Page) -> Json:
    """Return what the windows of one browser have in common; items by their ids."""
    return {
        "person": page.person, "session": page.session, "turns": page.turns,
        "saved": [one["id"] for one in page.saved],
        "talks": [{"id": one["id"], "title": one["title"]} for one in page.talks],
    }  # fmt: skip


def remembered(kept: Mapping[str, Any]) -> Page:
    """Return an empty page with what a browser kept; a new person where it kept none."""
    person = str(kept.get("person") or "") or secrets.token_urlsafe(18)
    return Page(
        person=person, session=str(kept.get("session") or ""), guest=kept.get("guest") is True,
        talks=listed(kept, "talks"), saved=listed(kept, "saved"),
    )  # fmt: skip


def listed(kept: Mapping[str, Any], name: str) -> tuple[Json, ...]:
    """Return a list of things with ids that a browser kept; whatever else it is, is left out."""
    found = kept.get(name)
    there = found if isinstance(found, list) else ()
    return tuple(one for one in there if isinstance(one, dict) and "id" in one)


def profile_of(export: Mapping[str, Any]) -> Json:
    """Return what is known of a person in a few lists, of all that is stored of them."""
    sessions = export["sessions"]
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
    talks = [_talk_of(session) for session in reversed(sessions) if session["turns"]]
    return {"talks": talks, "done": {kind: had for kind, had in done.items() if had},
            "adapters": list(export.get("adapters") or ())}  # fmt: skip


def _talk_of(session: Mapping[str, Any]) -> Json:
    """Return what is kept of one conversation: what it began with, and the wishes it ended with."""
    return {"id": session["id"], "title": session["turns"][0]["utterance"],
            "day": str(session["created"])[:10],
            "wishes": list(_wishes(session["state"]["need"]))}  # fmt: skip


def _wishes(need: Mapping[str, Any]) -> Iterator[Json]:
    """Yield the wishes of a need in the person's own words, and what takes each back."""
    for one in need["constraints"]:
        yield {"label": str(one.get("label") or one["facet"]), "drop": {"facet": one["facet"]}}
    for one in need["preferences"]:
        drop = {"facet": one["facet"]} if one["facet"] else {"facet": "text",
                                                             "values": [one["text"]]}  # fmt: skip
        yield {"label": str(one.get("words") or one["text"]), "drop": drop}
