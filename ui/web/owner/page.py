"""The owner's page as Gradio blocks: its head, its tabs, and what is under way on all of them."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.web.api import Api
from ui.web.markup import escape, tag
from ui.web.owner import adapters, catalog, conversations, experiments, feedback, runs
from ui.web.owner.desk import OWN, Desk, live, told_line
from ui.web.owner.login import home
from ui.web.owner.telling import owners_words
from ui.web.shop import path_of
from ui.web.words import Words, languages

FIRST = "conversations"
TABS = {"catalog": catalog, "feedback": feedback, "adapters": adapters, "experiments": experiments}
"""The tabs that are filled when they are opened, by their names in addresses."""


def make_owner(api: Api, words: Words) -> gr.Blocks:
    """Return the owner's pages as Gradio blocks, in the language of some words."""
    desk = Desk(api, words)
    title = words("top.title")
    with gr.Blocks(title=title, fill_width=True, analytics_enabled=False) as blocks:
        gr.HTML(head(words), js_on_load=None, elem_id="at-owner-top", apply_default_css=False,
                padding=False)  # fmt: skip
        strip = live("at-owner-strip")
        told = told_line()
        timer = gr.Timer(runs.POLL_S, active=False)
        with gr.Tabs(elem_id="at-owner-tabs") as tabs:
            with _tab(words, FIRST):
                first = conversations.make_tab(desk, told)
            for name, module in TABS.items():
                with _tab(words, name) as tab:
                    fill, given, parts = module.make_tab(desk, told)
                    tab.select(fill, given, parts, **OWN)
            with _tab(words, "runs") as tab:
                fill, given, parts = runs.make_tab(desk, told, strip, timer)
                tab.select(fill, given, parts, **OWN)
        blocks.load(first[0], first[1], first[2], **OWN)
        blocks.load(fill, given, parts, **OWN)
        blocks.load(_at, None, tabs, **OWN)
    return blocks


def _tab(words: Words, name: str) -> gr.Tab:
    """Return a tab that is named in the address while it is open."""
    tab = gr.Tab(words(f"tab.{name}"), id=name)
    tab.select(None, None, None, js=f"() => window.atOwnerTab?.('{name}')", queue=False)
    return tab


def _at(request: gr.Request) -> Any:
    """Return the tabs with the one open that the address names."""
    name = request.query_params.get("tab", "")
    return gr.Tabs(selected=name) if name in (*TABS, "runs") else gr.skip()


def head(words: Words) -> str:
    """Return the head of the page: where one is, and the ways out."""
    out = tag("button", escape(words("top.out")), type="submit")
    action = f"/owner/logout?to={home(words.language)}"
    leave = tag("form", out, method="post", action=action)
    others = "".join(
        tag("a", escape(owners_words(one)("top.language")), href=home(one), lang=one)
        for one in languages()
        if one != words.language
    )
    ways = tag("a", escape(words("top.shop")), href=path_of(words.language)) + others + leave
    nav = tag("nav", ways, aria_label=words("top.ways"))
    line = tag("p", escape(words("top.says")))
    return tag("header", tag("h1", escape(words("top.title"))) + line + nav, class_="at-top")
