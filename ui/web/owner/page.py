"""The owner's page as Gradio blocks: its head, its tabs, and what is under way on all of them."""

from __future__ import annotations

import gradio as gr

from ui.web.api import Api
from ui.web.markup import escape, tag
from ui.web.owner import adapters, catalog, conversations, experiments, feedback, runs
from ui.web.owner.desk import OWN, Desk, live, told_line

TITLE = "Attune · owner"


def make_owner(api: Api, title: str = TITLE) -> gr.Blocks:
    """Return the owner's pages as Gradio blocks."""
    desk = Desk(api)
    with gr.Blocks(title=title, fill_width=True, analytics_enabled=False) as blocks:
        gr.HTML(head(title), js_on_load=None, elem_id="at-owner-top", apply_default_css=False,
                padding=False)  # fmt: skip
        strip = live("at-owner-strip")
        told = told_line()
        timer = gr.Timer(runs.POLL_S, active=False)
        with gr.Tabs(elem_id="at-owner-tabs"):
            with gr.Tab("Conversations", id="conversations") as tab:
                first = conversations.make_tab(desk, told)
                tab.select(first[0], first[1], first[2], **OWN)
            for name, module in (("Catalog", catalog), ("Feedback", feedback),
                                 ("Adapters", adapters), ("Experiments", experiments)):  # fmt: skip
                with gr.Tab(name, id=name.casefold()) as tab:
                    fill, given, parts = module.make_tab(desk, told)
                    tab.select(fill, given, parts, **OWN)
            with gr.Tab("Runs", id="runs") as tab:
                fill, given, parts = runs.make_tab(desk, told, strip, timer)
                tab.select(fill, given, parts, **OWN)
        blocks.load(first[0], first[1], first[2], **OWN)
        blocks.load(fill, given, parts, **OWN)
    return blocks


def head(title: str) -> str:
    """Return the head of the page: where one is, and the ways out."""
    out = tag("button", "Log out", type="submit")
    leave = tag("form", out, method="post", action="/owner/logout")
    nav = tag("nav", tag("a", "The shop", href="/") + leave, aria_label="Ways out")
    line = tag("p", "What people said, what was answered and why, and what comes next.")
    return tag("header", tag("h1", escape(title)) + line + nav, class_="at-top")
