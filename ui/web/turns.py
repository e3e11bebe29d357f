"""Buttons as turns, and turns as messages: what is said for the person, and what a turn tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ui.web.api import Json
from ui.web.words import Words

Said = tuple[str, Mapping[str, Any] | None]
"""Words for the transcript, and what was pressed; None where the words are to be understood."""


def turn_of(action: Mapping[str, Any], compared: Sequence[Json], words: Words) -> Said | None:
    """Return the turn of an action; None where it is none.

    Args:
        compared: What was chosen to be compared.
    """
    does, item = str(action.get("do", "")), str(action.get("item", ""))
    title = str(action.get("title", ""))
    about = {"items": [item]}
    match does:
        case "say":
            return str(action.get("text", "")), None
        case "press":
            return str(action.get("text", "")), action.get("press")
        case "more_like":
            return words("say.more_like", title=title), {"act": "like", **about}
        case "why":
            return words("say.why", title=title), {"act": "explain", **about}
        case "why_not":
            return words("say.why_not", title=title), {"act": "why_not", **about}
        case "why_not_named":
            named = str((action.get("fields") or {}).get("named", "")).strip()[:200]
            return (words("say.why_not_named", title=named), None) if named else None
        case "hide":
            return words("say.hide", title=title), {"act": "reject", **about}
        case "bring_back":
            dropped = [{"facet": "item", "values": [item]}]
            return words("say.bring_back", title=title), {"act": "refine", "drop": dropped}
        case "undo" | "reset":
            key = "say.undo" if does == "undo" else "say.start_over"
            return words(key), {"act": does}
        case "like_form":
            return _like_but(action, title, about, words)
        case "compare_go" if len(compared) > 1:
            titles = ", ".join(str(one["title"])[:60] for one in compared)
            press = {"act": "compare", "items": [one["id"] for one in compared]}
            return words("say.compare", titles=titles), press
    return None


def _like_but(
    action: Mapping[str, Any], title: str, about: Mapping[str, Any], words: Words
) -> Said | None:
    said = str(action.get("said", ""))[:200]
    if not said:
        return None
    wishes = {"want": action.get("want") or [], "avoid": action.get("avoid") or []}
    text = words("say.like_but", title=title, changes=said)
    return text, {"act": "like", **about, **wishes}


def said(text: str) -> Json:
    """Return a message of the person."""
    return {"role": "user", "content": text}


def answered(turn: Mapping[str, Any]) -> Json:
    """Return the message of a turn's answer."""
    reply = str(turn["reply"]).strip()
    if compared_by(turn) and "\n" in reply:
        # The table has a place of its own on the page; what it comes to stands below it.
        reply = reply.rpartition("\n")[2]
    return {"role": "assistant", "content": reply, "turn": turn["turn_id"],
            "slate": turn["slate_id"]}  # fmt: skip


def compared_by(turn: Mapping[str, Any]) -> list[str]:
    """Return the ids of the items that a turn compared, as its plan names them."""
    items = {one["id"]: one["items"] for one in turn["plan"]["mentions"]}
    found = [id for act in turn["plan"]["acts"] if act["act"] == "compare"
             for ref in act["refs"] for id in items.get(ref, ())]  # fmt: skip
    return list(dict.fromkeys(found))


def asked_about(turn: Mapping[str, Any]) -> list[str]:
    """Return the ids of the items that were asked about for not being there, and are not."""
    if not any(act["why_not"] for act in turn["plan"]["acts"]):
        return []
    there = {item["id"] for item in turn["items"]}
    found = [rest["item_id"] for claim in turn["claims"] for rest in claim["evidence"]]
    return [id for id in dict.fromkeys(found) if id not in there][:2]


def anchors_of(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the ids of the items that others are compared with in their reasons."""
    found = [rest.get("other_id") for item in items for rest in item.get("evidence") or ()]
    return list(dict.fromkeys(str(id) for id in found if id))[:4]
