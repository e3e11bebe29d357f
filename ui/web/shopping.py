"""What happens on the shop's page, as values: a page before, an action, pages after.

Each function takes a `Page` and yields the pages that are to be shown, so that the whole shop can
be tested without a browser. `ui.web.shop` draws them; this module knows no Gradio.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ui.web.api import Api, ApiError, Json
from ui.web.page import MOST_CONVERSATIONS, Page, Panel, kept, profile_of, remembered
from ui.web.words import Words

MOST_COMPARED = 4
MOST_CHARACTERS = 20_000

_OF_THE_PERSON = frozenset({"open", "new", "guest", "delete", "forget", "profile"})


@dataclass(frozen=True, slots=True)
class Shop:
    """What a page is made with."""

    api: Api
    words: Words

    async def opened(self, kept: Mapping[str, Any] | None = None) -> Page:
        """Return the page of the conversation that a browser remembers, or of a new one.

        Args:
            kept: What `kept` gave for the page before; whatever in it does not fit is ignored.
        """
        page = remembered(kept or {})
        try:
            facets = await self.api.facets()
            page = replace(page, catalog=facets["catalog"], count=facets["items"])
            if page.session:
                return await self._restored(page)
        except ApiError as error:
            return self._troubled(page, error)
        return replace(page, replies=tuple(facets["examples"]))

    async def _restored(self, page: Page) -> Page:
        try:
            stored = await self.api.session(page.session)
        except ApiError as error:
            if error.kind != "session":
                raise
            talks = tuple(one for one in page.talks if one["id"] != page.session)
            fresh = await self.opened(kept(replace(page, session="", talks=talks)))
            return replace(fresh, status=self.words("trouble.session"), trouble=True)
        messages: list[Json] = []
        for turn in stored["turns"]:
            messages += [_said(turn["utterance"]), _answered(turn)]
            if turn["items"]:
                page = replace(page, items=tuple(turn["items"]), slate=turn["slate_id"])
        return await self._suggested(replace(page, messages=tuple(messages)))

    async def _suggested(self, page: Page) -> Page:
        suggested = await self.api.suggestions(page.session)
        return replace(page, wishes=tuple(suggested["wishes"]), replies=tuple(suggested["replies"]))

    async def say(
        self, page: Page, text: str, press: Mapping[str, Any] | None = None
    ) -> AsyncIterator[Page]:
        """Take a turn; yield the page as items and words come in."""
        text = text.strip()
        if not text:
            yield replace(page, status=self.words("trouble.empty"), trouble=True)
            return
        if len(text) > MOST_CHARACTERS:
            told = self.words("trouble.long", given=f"{len(text):,}", most=f"{MOST_CHARACTERS:,}")
            yield replace(page, status=told, trouble=True, draft=text)
            return
        # The same words sent again after a failure are the same request: they are taken once.
        known = page.unsent[1] if page.unsent[0] == text and page.unsent[1] else ""
        once = known or secrets.token_hex(16)
        before = page
        page = replace(
            page, messages=(*page.messages, _said(text)), busy=True, trouble=False, panel="",
            about=(), status=self.words("shop.looking"), draft="", unsent=(text, once),
        )  # fmt: skip
        yield page
        try:
            if not page.session:
                page = await self._started(page, text)
            async for after in self._taken(page, text, press, once):
                page = after
                yield page
            page = await self._suggested(page)
        except ApiError as error:
            kept = replace(before, session=page.session, draft=text, unsent=(text, once))
            yield self._troubled(kept, error)
            return
        yield replace(page, busy=False, status=self._outcome(page), unsent=("", ""))

    async def _started(self, page: Page, text: str) -> Page:
        """Start a session, kept under the person's id unless they shop for somebody else."""
        id = (await self.api.start(None if page.guest else page.person or None))["id"]
        talks = ({"id": id, "title": text[:60]}, *page.talks)[:MOST_CONVERSATIONS]
        return replace(page, session=id, talks=talks)

    async def _taken(
        self, page: Page, text: str, press: Mapping[str, Any] | None, once: str
    ) -> AsyncIterator[Page]:
        """Yield the page as the events of a turn come in."""
        said, answer = "", page.messages
        async for event in self.api.turn(page.session, text, press, once):
            if event.name == "items":
                items, slate = tuple(event.data["items"]), event.data["slate_id"]
                page = replace(
                    page, items=items, slate=slate, nothing=not items, busy=False,
                    status=self.words("shop.writing"),
                )  # fmt: skip
                yield page
            elif event.name == "text":
                said += event.data["delta"]
                page = replace(page, messages=(*answer, {"role": "assistant", "content": said}))
                yield page
            elif event.name == "done":
                page = replace(page, messages=(*answer, _answered(event.data)), busy=False)
                yield page

    def _outcome(self, page: Page) -> str:
        n = len(page.items)
        if n == 1:
            return self.words("shop.found_one")
        return self.words("shop.found", n=n) if n else self.words("shop.ready")

    def _troubled(self, page: Page, error: ApiError) -> Page:
        told = self.words(f"trouble.{error.kind}", reason=error.reason)
        return replace(page, status=told, trouble=True, busy=False)

    async def act(self, page: Page, action: Mapping[str, Any]) -> AsyncIterator[Page]:
        """Do what a button says; unknown ones do nothing."""
        does = str(action.get("do", ""))
        title, item = str(action.get("title", "")), str(action.get("item", ""))
        turn = _turn_of(does, action, item, title, self.words)
        if does == "compare_go" and len(page.compared) > 1:
            turn = _comparing(page.compared, self.words)
        if turn is not None:
            if does == "hide":
                await self._tell(page, action, "reject")
            async for after in self.say(page, *turn):
                page = after
                yield page
            if does == "compare_go" and not page.trouble:
                yield replace(page, panel="compare", about=page.compared)
            return
        try:
            yield await self._opened_panel(page, does, action, item)
        except ApiError as error:
            yield self._troubled(page, error)

    async def _opened_panel(
        self, page: Page, does: str, action: Mapping[str, Any], item: str
    ) -> Page:
        known = {str(one["id"]): one for one in (*page.saved, *page.items)}
        opened: dict[str, Panel] = {
            "close": "", "saved": "saved", "conversations": "conversations", "wrong_panel": "wrong"
        }  # fmt: skip
        if does in opened:
            return replace(page, panel=opened[does], about=(), status="", trouble=False)
        if does in _OF_THE_PERSON:
            return await self._personal(page, does, action)
        if does in ("rate", "wrong"):
            return await self._rated(page, does, action)
        if does == "clear":
            return replace(page, compared=(), panel="", about=())
        if does == "compare":
            return self._compared(page, known.get(item))
        if does == "save":
            return await self._saved(page, known.get(item), action)
        if does == "judge":
            return await self._judged(page, item, str(action.get("verdict", "")), action)
        if does in ("detail", "like_but", "because") and item:
            if does == "detail":
                await self._tell(page, action, "click")
            names: dict[str, Panel] = {"detail": "details", "like_but": "picker"}
            found = known.get(item) if does != "detail" else await self.api.item(item)
            return (
                replace(page, panel=names.get(does, "because"), about=(found,)) if found else page
            )
        return page

    def _compared(self, page: Page, item: Json | None) -> Page:
        if item is None:
            return page
        left = tuple(one for one in page.compared if one["id"] != item["id"])
        if len(left) < len(page.compared):
            return replace(page, compared=left, status="", trouble=False)
        if len(page.compared) >= MOST_COMPARED:
            return replace(page, status=self.words("compare.most"), trouble=True)
        return replace(page, compared=(*page.compared, item), status="", trouble=False)

    async def _saved(self, page: Page, item: Json | None, action: Mapping[str, Any]) -> Page:
        if item is None:
            return page
        left = tuple(one for one in page.saved if one["id"] != item["id"])
        if len(left) < len(page.saved):
            return replace(page, saved=left)
        await self._tell(page, action, "select")
        return replace(page, saved=(*page.saved, item))

    async def _judged(self, page: Page, item: str, verdict: str, action: Mapping[str, Any]) -> Page:
        value = {"up": 5, "down": 1}.get(verdict)
        if value is None or page.judged.get(item) == verdict:
            return page
        page = await self._told(page, action, "rating", value)
        return replace(page, judged={**page.judged, item: verdict})

    async def judge(self, page: Page, place: int, good: bool) -> Page:
        """Keep a verdict on the answer at a place of the conversation."""
        message = page.messages[place] if 0 <= place < len(page.messages) else {}
        turn, slate = str(message.get("turn", "")), str(message.get("slate", ""))
        verdict = "up" if good else "down"
        if not turn or page.judged.get(turn) == verdict:
            return page
        try:
            await self._tell(page, {"slate": slate}, "rating", 5 if good else 1)
        except ApiError as error:
            return self._troubled(page, error)
        page = replace(
            page, judged={**page.judged, turn: verdict}, status=self.words("feedback.thanks"),
            trouble=False,
        )  # fmt: skip
        return page if good else replace(page, panel="wrong", about=(message,))

    async def _rated(self, page: Page, does: str, action: Mapping[str, Any]) -> Page:
        """Keep how a conversation was, or what was wrong with an answer and its better words."""
        message = next((one for one in reversed(page.messages) if one.get("slate")), {})
        about = page.about[0] if page.panel == "wrong" and page.about else message
        told = {"slate": about.get("slate", "")}
        if does == "rate":
            stars = action.get("stars")
            if stars not in (1, 2, 3, 4, 5):
                return page
            page = await self._told(page, told, "rating", stars)
            return replace(page, stars=int(stars))
        said = action.get("fields") or {}
        for name, kind in (("what", "critique"), ("edit", "edit")):
            text = str(said.get(name, "")).strip()[:MOST_CHARACTERS]
            if text and text != about.get("content"):
                page = await self._told(page, told, kind, text)
        return replace(page, panel="", about=())

    async def _personal(self, page: Page, does: str, action: Mapping[str, Any]) -> Page:
        """Show, change or forget what is kept of the person; open another conversation."""
        if does == "open":
            wanted = str(action.get("session", ""))
            return await self.opened(kept(replace(page, session=wanted)))
        if does == "new":
            return await self.opened(kept(replace(page, session="")))
        if does == "guest":
            # A conversation is one person's or nobody's; which, is settled when it begins.
            return await self.opened(kept(replace(page, session="", guest=not page.guest)))
        if does == "delete":
            id = str(action.get("session", ""))
            await self.api.delete_session(id)
            talks = tuple(one for one in page.talks if one["id"] != id)
            page = replace(page, talks=talks, panel="conversations", about=())
            if id != page.session:
                return page
            fresh = await self.opened(kept(replace(page, session="")))
            return replace(fresh, panel="conversations")
        if does == "forget":
            gone = await self.api.forget(page.person)
            fresh = await self.opened()
            told = self.words("profile.forgotten", **{k: gone[k] for k in ("sessions", "events")})
            return replace(fresh, status=told)
        about = await self.api.known_of(page.person)
        return replace(page, panel="profile", about=(profile_of(about),))

    async def _told(
        self, page: Page, action: Mapping[str, Any], kind: str, value: object = None
    ) -> Page:
        await self._tell(page, action, kind, value)
        return replace(page, status=self.words("feedback.thanks"), trouble=False)

    async def _tell(
        self, page: Page, action: Mapping[str, Any], kind: str, value: object = None
    ) -> None:
        """Send feedback on an item of a slate; without a slate there is nothing to tell."""
        slate = str(action.get("slate") or "")
        if not slate:
            return
        event = {"id": secrets.token_hex(16), "slate_id": slate, "item_id": action.get("item"),
                 "kind": kind, "consent": not page.guest}  # fmt: skip
        events = [event if value is None else {**event, "value": value}]
        because = action.get("because")
        if because:
            events.append({**event, "id": secrets.token_hex(16), "kind": "critique",
                           "value": str(because)})  # fmt: skip
        await self.api.feedback(events)


def _turn_of(
    does: str, action: Mapping[str, Any], item: str, title: str, words: Words
) -> tuple[str, Mapping[str, Any] | None] | None:
    """Return the words and the press of an action that is a turn; None for others."""
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
        case "hide":
            return words("say.hide", title=title), {"act": "reject", **about}
        case "undo" | "reset":
            key = "say.undo" if does == "undo" else "say.start_over"
            return words(key), {"act": does}
        case "like_form":
            wishes = {"want": action.get("want") or [], "avoid": action.get("avoid") or []}
            said = str(action.get("said", ""))[:200]
            if not said:
                return None
            text = words("say.like_but", title=title, changes=said)
            return text, {"act": "like", **about, **wishes}
    return None


def _comparing(items: tuple[Json, ...], words: Words) -> tuple[str, Mapping[str, Any]]:
    titles = ", ".join(str(item["title"])[:60] for item in items)
    press = {"act": "compare", "items": [item["id"] for item in items]}
    return words("say.compare", titles=titles), press


def _said(text: str) -> Json:
    return {"role": "user", "content": text}


def _answered(turn: Mapping[str, Any]) -> Json:
    reply = str(turn["reply"])
    if any(act["act"] == "compare" for act in turn["plan"]["acts"]) and "\n" in reply.strip():
        # The table has a place of its own on the page; what it comes to stands below it.
        reply = reply.strip().rpartition("\n")[2]
    return {"role": "assistant", "content": reply.strip(), "turn": turn["turn_id"],
            "slate": turn["slate_id"]}  # fmt: skip
