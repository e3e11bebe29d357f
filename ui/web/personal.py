"""What a page does with what is kept of a person: shown, changed, forgotten, shared by windows.

As `ui.web.shopping`, pages before and after, without Gradio; errors of the API are its caller's.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ui.web.api import ApiError, Json
from ui.web.page import Page, kept, listed, profile_of

if TYPE_CHECKING:
    from ui.web.shopping import Shop

ACTIONS = frozenset({"open", "new", "guest", "delete", "forget", "profile", "unwish"})
MOST_SAVED = 200


async def personal(shop: Shop, page: Page, does: str, action: Mapping[str, Any]) -> Page:
    """Show, change or forget what is kept of the person; open another conversation."""
    id = str(action.get("session", ""))
    match does:
        case "open":
            return await shop.opened(kept(replace(page, session=id)))
        case "new":
            return await shop.opened(kept(replace(page, session="")))
        case "guest":
            # A conversation is one person's or nobody's; which, is settled when it begins.
            return await shop.opened(kept(replace(page, session="", guest=not page.guest)))
        case "delete":
            return await _deleted(shop, page, id, str(action.get("from", "")))
    try:
        if does == "forget":
            gone = await shop.api.forget(page.person)
            fresh = await shop.opened()
            counts = {name: gone[name] for name in ("sessions", "events")}
            return replace(fresh, status=shop.words("profile.forgotten", **counts))
        if does == "unwish":
            page = await _unwished(shop, page, id, action)
        return await _profile(shop, page)
    except ApiError as error:
        if error.kind != "login":
            raise
        # Of all that the page does, only this takes a key that may do everything.
        return replace(page, status=shop.words("trouble.profile"), trouble=True)


async def _profile(shop: Shop, page: Page) -> Page:
    about = await shop.api.known_of(page.person)
    return replace(page, panel="profile", about=(profile_of(about),), status="", trouble=False)


async def _deleted(shop: Shop, page: Page, id: str, panel: str) -> Page:
    """Return the page without a conversation, and where it was deleted from still open."""
    await shop.api.delete_session(id)
    after = without(page, id)
    if id == page.session:
        after = await shop.opened(kept(replace(after, session="")))
    if panel == "profile":
        return await _profile(shop, after)
    return replace(after, panel="conversations", about=())


async def _unwished(shop: Shop, page: Page, id: str, action: Mapping[str, Any]) -> Page:
    """Take back a wish of a conversation, which is a turn there."""
    drop, label = action.get("drop"), str(action.get("title", ""))
    if not isinstance(drop, dict) or not id:
        return page
    press = {"act": "refine", "drop": [drop]}
    said = shop.words("shop.without", wish=label)
    once, language = secrets.token_hex(16), shop.words.language
    async for _ in shop.api.turn(id, said, press, once, language):
        pass
    return await shop.loaded(page) if id == page.session else page


async def synced(shop: Shop, page: Page, action: Mapping[str, Any]) -> Page:
    """Return the page with what was said, saved or forgotten in another window."""
    others = action.get("shared")
    if isinstance(others, dict):
        page = await _with_shared(shop, page, others)
    if not page.session:
        return page
    try:
        stored = await shop.api.session(page.session)
    except ApiError as error:
        return shop.troubled(page, error)
    if len(stored["turns"]) == page.turns:
        return page
    return replace(await shop.loaded(page), status=shop.words("trouble.elsewhere"),
                   trouble=False, busy=False)  # fmt: skip


async def _with_shared(shop: Shop, page: Page, others: Json) -> Page:
    """Return the page with the saved items and conversations of the other windows."""
    ids = others.get("saved")
    if isinstance(ids, list):
        wanted = [str(id) for id in ids[:MOST_SAVED]]
        page = replace(page, saved=await shop.items_of(wanted, page))
    talks = listed(others, "talks") if "talks" in others else page.talks
    return replace(page, talks=talks, person=str(others.get("person") or page.person))


def without(page: Page, session: str) -> Page:
    """Return a page whose list of conversations lacks one."""
    return replace(page, talks=tuple(one for one in page.talks if one["id"] != session))
