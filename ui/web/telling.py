"""What a person tells of what they were shown: sent as feedback, and shown again after a reload.

Ids of events are made here, so that one sent twice counts once; what an event without an item was
about, an answer or the whole conversation, is in its id, since the API does not tell them apart.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ui.web.api import Api
from ui.web.page import Page

MOST_CHARACTERS = 20_000

STARS, ANSWER = "stars", "answer"
VERDICTS = {"up": 5, "down": 1}


async def tell(
    api: Api,
    page: Page,
    action: Mapping[str, Any],
    kind: str,
    value: object = None,
    about: str = "",
) -> None:
    """Send feedback on a slate or an item of it; without a slate there is nothing to tell.

    Args:
        action: Has the slate, the item if there is one, and why ("because") if that was said.
        about: What the id of the event starts with.
    """
    slate = str(action.get("slate") or "")
    if not slate:
        return
    event = {"id": f"{about}{'.' if about else ''}{secrets.token_hex(12)}", "slate_id": slate,
             "item_id": action.get("item"), "kind": kind, "consent": not page.guest}  # fmt: skip
    events = [event if value is None else {**event, "value": value}]
    because = action.get("because")
    if because:
        events.append({**event, "id": secrets.token_hex(12), "kind": "critique",
                       "value": str(because)})  # fmt: skip
    await api.feedback(events)


async def judged_item(api: Api, page: Page, action: Mapping[str, Any]) -> Page:
    """Keep a verdict on an item."""
    item, verdict = str(action.get("item", "")), str(action.get("verdict", ""))
    if verdict not in VERDICTS or page.judged.get(item) == verdict:
        return page
    await tell(api, page, action, "rating", VERDICTS[verdict])
    return replace(page, judged={**page.judged, item: verdict})


async def judged_answer(api: Api, page: Page, message: Mapping[str, Any], verdict: str) -> Page:
    """Keep a verdict on an answer."""
    turn = str(message.get("turn", ""))
    if not turn or page.judged.get(turn) == verdict:
        return page
    about = f"{ANSWER}.{turn}"[:39]
    await tell(api, page, {"slate": message["slate"]}, "rating", VERDICTS[verdict], about)
    return replace(page, judged={**page.judged, turn: verdict})


async def rated(api: Api, page: Page, stars: object) -> Page:
    """Keep how the conversation was."""
    last = next((one for one in reversed(page.messages) if one.get("slate")), {})
    if stars not in (1, 2, 3, 4, 5):
        return page
    await tell(api, page, {"slate": last.get("slate", "")}, "rating", stars, STARS)
    return replace(page, stars=int(str(stars)))


async def corrected(api: Api, page: Page, fields: Mapping[str, Any]) -> Page:
    """Keep what was wrong with an answer, and how it should have been said."""
    last = next((one for one in reversed(page.messages) if one.get("slate")), {})
    about = page.about[0] if page.panel == "wrong" and page.about else last
    for name, kind in (("what", "critique"), ("edit", "edit")):
        text = str(fields.get(name, "")).strip()[:MOST_CHARACTERS]
        if text and text != about.get("content"):
            await tell(api, page, {"slate": about.get("slate", "")}, kind, text)
    return replace(page, panel="", about=())


def with_votes(page: Page, events: Iterable[Mapping[str, Any]]) -> Page:
    """Return a page with the verdicts that were given before; of several the last one counts."""
    judged, stars = dict(page.judged), page.stars
    turns = {str(one["turn"])[:32]: str(one["turn"]) for one in page.messages if "turn" in one}
    for event in events:
        if event["kind"] != "rating":
            continue
        about, _, rest = str(event["id"]).partition(".")
        value = float(event["value"])
        verdict = "up" if value > 3 else "down"
        if event["item_id"] is not None:
            judged[str(event["item_id"])] = verdict
        elif about == STARS:
            stars = int(value)
        elif about == ANSWER and rest.partition(".")[0] in turns:
            judged[turns[rest.partition(".")[0]]] = verdict
    return replace(page, judged=judged, stars=stars)
