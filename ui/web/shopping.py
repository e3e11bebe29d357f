"""What happens on the shop's page, as values: a page before, an action, pages after.

Each function takes a `Page` and yields the pages that are to be shown, so that the whole shop can
be tested without a browser. `ui.web.shop` draws them; this module knows no Gradio.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ui.web import personal, telling
from ui.web.api import Api, ApiError, Json
from ui.web.page import (
    MOST_CONVERSATIONS,
    Page,
    Panel,
    hidden_of,
    kept,
    remembered,
)
from ui.web.telling import MOST_CHARACTERS
from ui.web.turns import anchors_of, answered, asked_about, compared_by, said, turn_of
from ui.web.words import Words

MOST_COMPARED = 4
MOST_HIDDEN = 30
"""Hidden items that are listed; the latest ones."""

FEED = 10
"""Items that are shown before anything was asked for."""

_PANELS: Mapping[str, Panel] = {"close": "", "saved": "saved", "conversations": "conversations"}


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
            facets = await self.api.facets(self.words.language)
            page = replace(page, catalog=facets["catalog"], count=facets["items"])
            if page.session:
                return await self._restored(page)
            feed = await self.api.feed(FEED, self.words.language)
        except ApiError as error:
            return self.troubled(page, error)
        return replace(page, replies=tuple(facets["examples"]), feed=tuple(feed["items"]),
                       feed_slate=feed["slate_id"])  # fmt: skip

    async def _restored(self, page: Page) -> Page:
        try:
            page = await self.loaded(page)
        except ApiError as error:
            if error.kind != "session":
                raise
            left = personal.without(page, page.session)
            fresh = await self.opened(kept(replace(left, session="")))
            return replace(fresh, status=self.words("trouble.session_new"), trouble=True)
        return page

    async def loaded(self, page: Page) -> Page:
        """Return a page with all that its session has: turns, items, wishes and verdicts."""
        stored = await self.api.session(page.session)
        messages: list[Json] = []
        for turn in stored["turns"]:
            messages += [said(turn["utterance"]), answered(turn)]
            if turn["items"]:
                page = replace(page, items=tuple(turn["items"]), slate=turn["slate_id"])
        page = replace(page, messages=tuple(messages), turns=len(stored["turns"]))
        votes = await self.api.votes(page.session)
        return await self._suggested(telling.with_votes(page, votes))

    async def _suggested(self, page: Page) -> Page:
        """Return a page with the wishes, what may be said next, and what is compared with."""
        suggested = await self.api.suggestions(page.session, self.words.language)
        # There is a button of its own for the way back.
        replies = (one for one in suggested["replies"]
                   if (one.get("press") or {}).get("act") != "undo")  # fmt: skip
        anchors = await self.items_of(anchors_of(page.items), page)
        return replace(page, wishes=tuple(suggested["wishes"]), replies=tuple(replies),
                       others={one["id"]: one for one in anchors})  # fmt: skip

    async def items_of(self, ids: Iterable[str], page: Page) -> tuple[Json, ...]:
        """Return items by id, those that have left the catalog left out."""
        known = {**page.others, **{str(one["id"]): one for one in (*page.saved, *page.items)}}
        found = []
        for id in ids:
            try:
                found.append(known.get(id) or await self.api.item(id))
            except ApiError as error:
                if error.kind != "refused":
                    raise
        return tuple(found)

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
            page, messages=(*page.messages, said(text)), busy=True, trouble=False, panel="",
            about=(), status=self.words("shop.looking"), draft="", unsent=(text, once),
        )  # fmt: skip
        yield page
        try:
            if not page.session:
                page = await self._started(page, text)
            async for after in self._taken(page, text, press, once):
                page = after
                yield page
            page = await self._settled(page, before)
        except ApiError as error:
            draft = "" if press is not None else text
            kept = replace(before, session=page.session, talks=page.talks, draft=draft,
                           unsent=(text, once))  # fmt: skip
            yield self.troubled(kept, error)
            return
        yield replace(page, busy=False, unsent=("", ""))

    async def _started(self, page: Page, text: str) -> Page:
        """Start a session, kept under the person's id unless they shop for somebody else."""
        user = None if page.guest else page.person or None
        id = (await self.api.start(user, self.words.language))["id"]
        talks = ({"id": id, "title": text[:60]}, *page.talks)[:MOST_CONVERSATIONS]
        return replace(page, session=id, talks=talks, turns=0)

    async def _taken(
        self, page: Page, text: str, press: Mapping[str, Any] | None, once: str
    ) -> AsyncIterator[Page]:
        """Yield the page as the events of a turn come in."""
        spoken, answer = "", page.messages
        language = self.words.language
        async for event in self.api.turn(page.session, text, press, once, language):
            if event.name == "items":
                items, slate = tuple(event.data["items"]), event.data["slate_id"]
                page = replace(
                    page, items=items, slate=slate, nothing=not items, busy=False,
                    status=self.words("shop.writing"),
                )  # fmt: skip
                yield page
            elif event.name == "text":
                spoken += event.data["delta"]
                page = replace(page, messages=(*answer, {"role": "assistant", "content": spoken}))
                yield page
            elif event.name == "done":
                turn = event.data
                yield replace(page, messages=(*answer, answered(turn)), busy=False,
                              turns=turn["state"]["turn"], about=(turn,))  # fmt: skip

    async def _settled(self, page: Page, before: Page) -> Page:
        """Return a page after its turn: what came with it, and what others said meanwhile."""
        turn = page.about[0] if page.about else {}
        page = replace(page, about=(), status=self._outcome(page))
        if before.session == page.session and page.turns != before.turns + 1:
            loaded = await self.loaded(page)
            return replace(loaded, status=self.words("trouble.elsewhere"))
        page = await self._suggested(page)
        if not turn:
            return page
        together = await self.items_of(compared_by(turn)[:MOST_COMPARED], page)
        if len(together) > 1:
            return replace(page, panel="compare", about=together, compared=together)
        missed = [
            {"label": self.words("missing.see", title=_short(one["title"])), "do": "detail",
             "item": one["id"]}
            for one in await self.items_of(asked_about(turn), page)
        ]  # fmt: skip
        return replace(page, replies=(*missed, *page.replies))

    def _outcome(self, page: Page) -> str:
        n = len(page.items)
        if n == 1:
            return self.words("shop.found_one")
        return self.words("shop.found", n=n) if n else self.words("shop.ready")

    def troubled(self, page: Page, error: ApiError) -> Page:
        """Return a page that says what is wrong."""
        if error.kind == "session":
            return self._gone(page)
        told = self.words(f"trouble.{error.kind}", reason=error.reason)
        return replace(page, status=told, trouble=True, busy=False)

    def _gone(self, page: Page) -> Page:
        """Return the page of a session that was deleted: what was said stays to be read."""
        messages = tuple({k: one[k] for k in ("role", "content")} for one in page.messages)
        return replace(
            personal.without(page, page.session), session="", turns=0, messages=messages, wishes=(),
            replies=(), slate="", judged={}, stars=0, panel="", about=(), unsent=("", ""),
            status=self.words("trouble.session"), trouble=True, busy=False,
        )  # fmt: skip

    async def act(self, page: Page, action: Mapping[str, Any]) -> AsyncIterator[Page]:
        """Do what a button says; unknown ones do nothing."""
        turn = turn_of(action, page.compared, self.words)
        try:
            if turn is None:
                yield await self._done(page, str(action.get("do", "")), action)
                return
            if action.get("do") == "hide":
                await telling.tell(self.api, page, action, "reject")
        except ApiError as error:
            yield self.troubled(page, error)
            return
        async for after in self.say(page, *turn):
            yield after

    async def _done(self, page: Page, does: str, action: Mapping[str, Any]) -> Page:
        """Return the page after an action that is no turn."""
        item = str(action.get("item", ""))
        there = (*page.feed, *page.about, *page.compared, *page.saved, *page.items)
        known = {str(one["id"]): one for one in there if "id" in one}
        if does in _PANELS:
            return replace(page, panel=_PANELS[does], about=(), status="", trouble=False)
        if does in personal.ACTIONS:
            return await personal.personal(self, page, does, action)
        if does == "sync":
            return await personal.synced(self, page, action)
        if does == "retry":
            return await self.opened(kept(page))
        if does == "missing":
            hidden = await self.items_of(hidden_of(page.wishes)[-MOST_HIDDEN:], page)
            return replace(page, panel="missing", about=hidden, status="", trouble=False)
        if does in ("rate", "wrong", "judge"):
            return await self._told(page, does, action)
        if does == "clear":
            panel: Panel = "" if page.panel == "compare" else page.panel
            return replace(page, compared=(), panel=panel, about=() if not panel else page.about)
        if does == "compare":
            return self._compared(page, known.get(item))
        if does == "save":
            return await self._saved(page, known.get(item), action)
        if does in ("detail", "like_but", "because") and item:
            return await self._about(page, does, action, known.get(item))
        return page

    async def _about(
        self, page: Page, does: str, action: Mapping[str, Any], item: Json | None
    ) -> Page:
        """Open what is about one item."""
        if does == "detail":
            try:
                item = await self.api.item(str(action["item"]))
            except ApiError as error:
                if error.kind != "refused":
                    raise
                title = str(action.get("title") or action["item"])
                told = self.words("trouble.gone", title=title)
                return replace(page, status=told, trouble=True)
            await telling.tell(self.api, page, action, "click")
        names: dict[str, Panel] = {"detail": "details", "like_but": "picker"}
        if item is None:
            return page
        item = {**item, "slate": str(action.get("slate") or "")}
        return replace(page, panel=names.get(does, "because"), about=(item,), status="",
                       trouble=False)  # fmt: skip

    def _compared(self, page: Page, item: Json | None) -> Page:
        if item is None:
            return page
        left = tuple(one for one in page.compared if one["id"] != item["id"])
        if len(left) < len(page.compared):
            page = replace(page, compared=left, status="", trouble=False)
            if page.panel != "compare":
                return page
            return replace(page, about=left) if len(left) > 1 else replace(page, panel="", about=())
        if len(page.compared) >= MOST_COMPARED:
            return replace(page, status=self.words("compare.most"), trouble=True)
        return replace(page, compared=(*page.compared, item), status="", trouble=False)

    async def _saved(self, page: Page, item: Json | None, action: Mapping[str, Any]) -> Page:
        if item is None:
            return page
        left = tuple(one for one in page.saved if one["id"] != item["id"])
        if len(left) < len(page.saved):
            return replace(page, saved=left)
        await telling.tell(self.api, page, action, "select")
        return replace(page, saved=(*page.saved, item))

    async def _told(self, page: Page, does: str, action: Mapping[str, Any]) -> Page:
        """Keep a verdict on an item, how the conversation was, or what was wrong with an answer."""
        if does == "judge":
            after = await telling.judged_item(self.api, page, action)
        elif does == "rate":
            after = await telling.rated(self.api, page, action.get("stars"))
        else:
            after = await telling.corrected(self.api, page, action.get("fields") or {})
        if after == page:
            return page
        return replace(after, status=self.words("feedback.thanks"), trouble=False)

    async def judge(self, page: Page, place: int, good: bool) -> Page:
        """Keep a verdict on the answer at a place of the conversation."""
        message = page.messages[place] if 0 <= place < len(page.messages) else {}
        try:
            after = await telling.judged_answer(self.api, page, message, "up" if good else "down")
        except ApiError as error:
            return self.troubled(page, error)
        if after is page:
            return page
        thanked = replace(after, status=self.words("feedback.thanks"), trouble=False)
        return thanked if good else replace(thanked, panel="wrong", about=(message,))


def _short(title: str) -> str:
    return title if len(title) <= 42 else f"{title[:40].rstrip()}…"
