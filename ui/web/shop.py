"""The shop's page in Gradio: a `ui.web.shopping.Page` drawn, and what is pressed sent to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from time import monotonic
from typing import Any

import gradio as gr

from ui.web import panels
from ui.web.api import ApiError, Json
from ui.web.cards import Shelf, shelf
from ui.web.icons import icon
from ui.web.markup import button, doing, escape, tag
from ui.web.page import Page, hidden_of, kept, shared
from ui.web.rows import rating_row, reply_row, wish_row
from ui.web.shopping import Shop
from ui.web.values import Facet, name_of
from ui.web.words import DEFAULT, Words, languages

STORED = "attune-shop"
"""Name of what the browser keeps: the session and what was saved, for a reload."""


PICTURES = "/pictures/"

WORDS_S = 0.05
"""Words are drawn at most that often: each drawing costs the browser some milliseconds."""

_CHAT, _BOX = 1, 7
"""Places of the chat and the box among the parts of the page, as `_Drawing.draw` gives them."""

ASKED_AFTER = 6
"""Messages after which it is asked how the conversation is."""


def path_of(language: str) -> str:
    """Return where the page of a language is."""
    return "/" if language == DEFAULT else f"/{language}/"


def asset(name: str) -> str:
    """Return a file of the pages' looks and behaviour."""
    return (files("ui.web") / "assets" / name).read_text("utf-8")


def make_shop(shop: Shop, *, owner: bool, secret: str) -> Any:
    """Return the page as Gradio blocks.

    Args:
        owner: Whether to link the owner's page.
        secret: What the browser's copy of the page is encrypted with.
    """
    words = shop.words
    drawn = _Drawing(shop, owner)
    with gr.Blocks(title=words("page.title"), fill_width=True, analytics_enabled=False) as blocks:
        page = gr.State(Page())
        stored = gr.BrowserState({}, storage_key=STORED, secret=secret)
        top = _live(_top(words, Page(), owner), "at-top")
        with gr.Row(equal_height=False, elem_id="at-main"):
            with gr.Column(scale=5, min_width=320, elem_id="at-talk"):
                chat = gr.Chatbot(
                    label=words("shop.chat"), height="min(58vh, 620px)", render_markdown=False,
                    placeholder=words("shop.empty_chat"), elem_id="at-chat", buttons=[],
                    feedback_options=("Like", "Dislike"), layout="bubble",
                )  # fmt: skip
                status = gr.HTML(
                    drawn.status(Page()), js_on_load=None, elem_id="at-status",
                    apply_default_css=False,
                )  # fmt: skip
                replies = _live(drawn.replies(Page()), "at-say")
                with gr.Row(equal_height=True, elem_id="at-entry"):
                    box = gr.Textbox(
                        label=words("shop.say"), placeholder=words("shop.placeholder"), lines=1,
                        max_lines=6, scale=6, elem_id="at-box", autofocus=True,
                    )  # fmt: skip
                    send = gr.Button(words("shop.send"), variant="primary", scale=1,
                                     min_width=90, elem_id="at-send")  # fmt: skip
            with gr.Column(scale=8, min_width=320, elem_id="at-view"):
                wishes = _live(drawn.wishes(Page()), "at-want")
                panel = _live("", "at-panel")
                cards = _live(drawn.shelf(Page(), []), "at-items")
        parts = [page, chat, status, replies, wishes, panel, cards, box, stored, top]
        taken: dict[str, Any] = {
            "trigger_mode": "once", "concurrency_limit": None, "show_progress": "hidden",
            "api_visibility": "private",
        }  # fmt: skip
        done = {"js": "() => window.atDone?.()", "show_progress": "hidden", "queue": False}
        said = gr.on([box.submit, send.click], drawn.say, [page, box, stored], parts, **taken,
                     js="(...all) => { window.atSaid?.(all[1]); return all; }")  # fmt: skip
        said.then(None, **done)
        begun = "(...all) => { window.atBegun?.(); return all; }"
        for live in (top, replies, wishes, panel, cards):
            live.click(drawn.act, [page, stored], parts, **taken, js=begun).then(None, **done)
        chat.like(drawn.judge, [page], parts, **taken)
        loaded = blocks.load(
            drawn.load, [stored], parts, show_progress="hidden", api_visibility="private"
        )
        loaded.then(None, js="() => window.atLoaded?.()", show_progress="hidden", queue=False)
    return blocks


def _live(value: str, name: str) -> Any:
    """Return a piece of the page whose buttons send what they do."""
    return gr.HTML(
        value, js_on_load=asset("page.js"), elem_id=name, apply_default_css=False, padding=False
    )


def _top(words: Words, page: Page, owner: bool) -> str:
    """Return the head of the page: what this is, and ways elsewhere."""
    skip = tag("a", escape(words("page.skip")), href="#at-box", class_="at-skip")
    name = tag("h1", escape(name_of(page.catalog) or words("page.title")))
    said = words("page.tagline", items=f"{page.count:,}")
    line = tag("p", escape(said if page.catalog else ""))
    others = [Words(one) for one in languages() if one != words.language]
    links = [
        tag("a", escape(one("page.language")), href=path_of(one.language), lang=one.language)
        for one in others
    ]
    if owner:
        links.append(tag("a", escape(words("page.owner")), href=f"/owner{path_of(words.language)}"))
    ways = (("page.new", "new", "plus"), ("page.conversations", "conversations", "clock"),
            ("profile.title", "profile", "person"))  # fmt: skip
    known = [button(words(key), {"do": do}, drawn=icon(sign), title=words(key))
             for key, do, sign in ways]  # fmt: skip
    nav = tag("nav", "".join((*known, *links)), aria_label=words("page.title"))
    return tag("header", skip + name + line + nav, class_="at-top")


class _Drawing:
    """Draws pages, and does what is pressed."""

    def __init__(self, shop: Shop, owner: bool) -> None:
        self.shop = shop
        self.owner = owner
        self.words = shop.words
        self._facets: list[Facet] = []

    async def say(self, page: Page, text: str, stored: Json) -> AsyncIterator[list[Any]]:
        """Take what was typed."""
        async for drawn in self._changes(page, stored, lambda now: self.shop.say(now, text)):
            yield drawn

    async def act(self, page: Page, stored: Json, event: gr.EventData) -> AsyncIterator[list[Any]]:
        """Do what a button says."""
        does = event._data or {}
        async for drawn in self._changes(page, stored, lambda now: self.shop.act(now, does)):
            yield drawn

    async def _changes(
        self, before: Page, stored: Json, pages: Callable[[Page], AsyncIterator[Page]]
    ) -> AsyncIterator[list[Any]]:
        """Draw what changes from page to page; words a few at a time.

        Args:
            stored: What the browser keeps. A server that was started again knows no page of it.
        """
        shown = await self.draw(before) if before.person else []
        if not before.person:
            before = await self.shop.opened(stored)
        last = before
        waiting: Page | None = None
        told = 0.0
        async for page in pages(before):
            more_words = last.messages and page == replace(
                last, messages=(*last.messages[:-1], *page.messages[-1:])
            )
            if more_words and monotonic() - told < WORDS_S:
                waiting = page
                continue
            values, last, waiting, told = await self.draw(page), page, None, monotonic()
            yield _changed(shown, values)
            shown = values
        if waiting is not None:
            yield _changed(shown, await self.draw(waiting))

    async def judge(self, page: Page, event: gr.LikeData) -> list[Any]:
        """Keep a verdict on an answer."""
        place = event.index if isinstance(event.index, int) else event.index[0]
        after = await self.shop.judge(page, place, bool(event.liked))
        return _changed(await self.draw(page), await self.draw(after))

    async def load(self, stored: Json) -> list[Any]:
        """Open the page, with the conversation that the browser remembers."""
        self._facets = []
        page = await self.shop.opened(stored)
        values = await self.draw(page)
        example = str(page.replies[0]["text"]) if page.replies and not page.messages else ""
        hint = self.words("shop.example", example=example) if example else ""
        values[_BOX] = gr.Textbox(placeholder=hint or self.words("shop.placeholder"))
        return _changed([], values)

    async def draw(self, page: Page) -> list[Any]:
        """Return the value of every part of the page."""
        facets = await self._known_facets()
        return [
            page, talk(page), self.status(page), self.replies(page), self.wishes(page),
            self.panel(page, facets), self.shelf(page, facets), gr.skip(), kept(page),
            _top(self.words, page, self.owner),
        ]  # fmt: skip

    def status(self, page: Page) -> str:
        """Return what is going on; read out when it changes."""
        style = "at-status at-trouble" if page.trouble else "at-status"
        working = bool(page.unsent[1]) and not page.trouble
        said = page.status or (self.words("shop.hello") if page.fresh else "")
        return tag("p", escape(said), class_=style, data_working=working,
                   data_kept=bool(page.draft), data_fresh=page.fresh)  # fmt: skip

    def replies(self, page: Page) -> str:
        """Return what may be said next, and what was chosen to be compared."""
        if page.trouble and not (page.replies or page.messages):
            again = button(self.words("trouble.again"), {"do": "retry"}, class_="at-reply")
            return tag("div", again, class_="at-replies")
        asked = rating_row(page.stars, self.words) if len(page.messages) >= ASKED_AFTER else ""
        return reply_row(page.replies, self.words) + asked

    def wishes(self, page: Page) -> str:
        """Return the wishes, and the ways back."""
        words = self.words
        made = "" if page.fresh else wish_row(page.wishes, words)
        tray = []
        if not page.fresh:
            hidden = len(hidden_of(page.wishes))
            missing = words("missing.hidden", n=hidden) if hidden else words("missing.open")
            ways = ((words("shop.undo"), "undo", "undo"), (words("shop.start_over"), "reset",
                    "again"), (missing, "missing", "search"))  # fmt: skip
            tray += [button(label, {"do": do}, drawn=icon(sign), class_="at-quiet")
                     for label, do, sign in ways]  # fmt: skip
        if page.saved:
            label = f"{words('saved.title')} ({len(page.saved)})"
            tray.append(button(label, {"do": "saved"}, drawn=icon("heart"), class_="at-quiet"))
        tray += self._chosen(len(page.compared))
        return made + tag("div", "".join(tray), class_="at-tray", data_shared=doing(shared(page)))

    def _chosen(self, n: int) -> list[str]:
        """Return what to do with the items chosen to be compared; one alone waits for another."""
        words = self.words
        if not n:
            return []
        go = (
            button(words("compare.go", n=n), {"do": "compare_go"}, class_="at-reply at-ready")
            if n > 1
            else tag("span", escape(words("compare.one_more")), class_="at-hint", role="status")
        )
        return [go, button(words("compare.clear"), {"do": "clear"}, class_="at-quiet")]

    def panel(self, page: Page, facets: Sequence[Facet]) -> str:
        """Return what is open beside the shelf."""
        words, about = self.words, page.about
        match page.panel:
            case "picker":
                return panels.picker(about[0], facets, words)
            case "because":
                return panels.because(about[0], str(about[0].get("slate") or ""), words)
            case "compare":
                return panels.comparison(about, facets, PICTURES, words)
            case "details":
                here = self._shelf(page, facets, slate_id=str(about[0].get("slate") or ""))
                return panels.details(about[0], facets, here, words)
            case "saved":
                return panels.saved_list(page.saved, words)
            case "missing":
                return panels.missing(about, words)
            case "wrong":
                return panels.wrong(about[0] if about else {}, words)
            case "conversations":
                return panels.conversations(page.talks, page.session, words)
            case "profile":
                return panels.profile(about[0], page.guest, words)
        return ""

    async def _known_facets(self) -> list[Facet]:
        """Return the facets of the catalog; none for as long as the server is not there."""
        if not self._facets:
            try:
                self._facets = (await self.shop.api.facets(self.shop.words.language))["facets"]
            except ApiError:
                return []
        return self._facets

    def shelf(self, page: Page, facets: Sequence[Facet]) -> str:
        """Return the cards."""
        empty = self.words("shop.nothing") if page.nothing else ""
        if page.browsing:
            feed = self._shelf(page, facets, items=page.feed, slate_id=page.feed_slate, feed=True)
            return shelf(feed, self.words)
        return shelf(self._shelf(page, facets), self.words, empty)

    def _shelf(self, page: Page, facets: Sequence[Facet], **instead: Any) -> Shelf:
        """Return what is on show as the cards take it."""
        shown = Shelf(
            page.items, page.slate, {one["id"] for one in page.compared},
            {one["id"] for one in page.saved}, page.judged, PICTURES, page.busy,
            {one["name"]: one for one in facets}, page.others,
        )  # fmt: skip
        return replace(shown, **instead)


def _changed(shown: list[Any], values: list[Any]) -> list[Any]:
    """Return what is to be sent: the page itself, and what the browser does not show already."""
    if not shown:
        return [*values[:_CHAT], values[_CHAT].drawn(votes=True), *values[_CHAT + 1 :]]
    made = [gr.skip() if new == old else new for old, new in zip(shown, values, strict=True)]
    made[0] = values[0]
    if values[_CHAT] != shown[_CHAT]:
        made[_CHAT] = values[_CHAT].drawn(votes=values[_CHAT].votes != shown[_CHAT].votes)
    return made


@dataclass(frozen=True)
class Talk:
    """What was said as Gradio shows it, and the verdicts on the answers among it."""

    messages: tuple[Json, ...]
    votes: tuple[str | None, ...]

    def drawn(self, *, votes: bool) -> Any:
        """Return it as the chat takes it; verdicts only where it does not know them."""
        if not votes:
            return list(self.messages)
        return gr.Chatbot(list(self.messages), feedback_value=list(self.votes))


def talk(page: Page) -> Talk:
    """Return what was said on a page."""
    told = {"up": "Like", "down": "Dislike"}
    return Talk(
        tuple({"role": one["role"], "content": one["content"]} for one in page.messages),
        tuple(told.get(page.judged.get(str(one.get("turn")), "")) for one in page.messages
              if one["role"] == "assistant"),
    )  # fmt: skip
