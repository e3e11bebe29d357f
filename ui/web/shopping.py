"""What happens on the shop's page, as values: a page before, an action, pages after.

Each function takes a `Page` and yields the pages that are to be shown, so that the whole shop can
be tested without a browser. `ui.web.shop` draws them; this module knows no Gradio.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ui.web.api import Api, ApiError, Json
from ui.web.words import Words

MOST_COMPARED = 4
MOST_CHARACTERS = 20_000

Panel = Literal["", "picker", "because", "compare", "details", "saved"]


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
        user: Who shops, where they said so.
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
    user: str = ""
    catalog: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Shop:
    """What a page is made with."""

    api: Api
    words: Words

    async def opened(self, session: str = "", saved: tuple[Json, ...] = ()) -> Page:
        """Return the page of a session as it stands, or of a new conversation."""
        page = Page(saved=saved)
        try:
            facets = await self.api.facets()
            page = replace(page, catalog=facets["catalog"], count=facets["items"])
            if session:
                return await self._restored(page, session)
        except ApiError as error:
            return self._troubled(page, error)
        return replace(page, replies=tuple(facets["examples"]))

    async def _restored(self, page: Page, session: str) -> Page:
        try:
            stored = await self.api.session(session)
        except ApiError as error:
            if error.kind != "session":
                raise
            fresh = await self.opened(saved=page.saved)
            return replace(fresh, status=self.words("trouble.session"), trouble=True)
        messages: list[Json] = []
        page = replace(page, session=session)
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
                page = replace(page, session=(await self.api.start(page.user or None))["id"])
            async for after in self._taken(page, text, press, once):
                page = after
                yield page
            page = await self._suggested(page)
        except ApiError as error:
            kept = replace(before, session=page.session, draft=text, unsent=(text, once))
            yield self._troubled(kept, error)
            return
        yield replace(page, busy=False, status=self._outcome(page), unsent=("", ""))

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
        if does == "close":
            return replace(page, panel="", about=())
        if does == "saved":
            return replace(page, panel="saved", about=())
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
        event = {"id": secrets.token_hex(16), "slate_id": slate, "kind": "critique",
                 "value": "good answer" if good else "bad answer"}  # fmt: skip
        try:
            await self.api.feedback([event])
        except ApiError as error:
            return self._troubled(page, error)
        judged = {**page.judged, turn: verdict}
        return replace(page, judged=judged, status=self.words("feedback.thanks"), trouble=False)

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
                 "kind": kind}  # fmt: skip
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
    return {"role": "assistant", "content": turn["reply"], "turn": turn["turn_id"],
            "slate": turn["slate_id"]}  # fmt: skip
