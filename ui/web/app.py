"""The pages, mounted in the API's server or served by themselves over a remote API."""

from __future__ import annotations

import json

import gradio as gr
from fastapi import FastAPI, Response
from starlette.requests import Request

from ui.web.api import Api, ApiError
from ui.web.owner import make_owner
from ui.web.owner.files import add_files
from ui.web.owner.login import add_login, home
from ui.web.owner.telling import owners_words
from ui.web.shop import asset, make_shop, path_of
from ui.web.shopping import Shop
from ui.web.words import DEFAULT, Words, languages

TOLD = {
    **{name: f"trouble.{name}" for name in ("waits", "server", "offline", "broken")},
    "chat": "shop.chat", "you": "shop.you", "shop": "shop.answers",
    "up": "feedback.up", "down": "feedback.down",
}  # fmt: skip
"""What the browser has to say by itself."""

HEADERS = ("content-type", "cache-control", "content-security-policy", "x-content-type-options")


def mount_pages(app: FastAPI, api: Api, *, owner: str | None = None) -> FastAPI:
    """Add the shop's pages to an app, one for each language, and the pictures they show.

    Args:
        owner: Password of the owner's pages; without one there are none.
    """

    @app.get("/pictures/{path:path}", include_in_schema=False)
    async def picture(path: str, request: Request) -> Response:
        try:
            got = await api.picture(path)
        except ApiError:
            return Response(status_code=503)
        if got is None:
            return Response(status_code=404)
        headers = {name: got.headers[name] for name in HEADERS if name in got.headers}
        return Response(got.content, headers=headers)

    # The default language is at "/", which takes whatever is left: it comes last.
    order = (*(one for one in languages() if one != DEFAULT), DEFAULT)
    if owner is not None:
        add_login(app, owner)
        add_files(app, api)
        for language in order:
            app = gr.mount_gradio_app(
                app, make_owner(api, owners_words(language)), path=home(language).rstrip("/"),
                css=asset("page.css") + asset("owner.css"), theme=theme(), footer_links=[],
                ssr_mode=False, show_error=False, head=owners_script(language),
            )  # fmt: skip
    for language in order:
        shop = Shop(api, Words(language))
        blocks = make_shop(shop, owner=owner is not None, secret="attune")
        app = gr.mount_gradio_app(
            app, blocks, path=path_of(language).rstrip("/"), css=asset("page.css"),
            theme=theme(), footer_links=[], ssr_mode=False, show_error=False,
            js=own_script(language),
        )  # fmt: skip
    return app


def own_script(language: str) -> str:
    """Return what a page does when it opens."""
    known = Words(language)
    words = json.dumps({name: known(key) for name, key in TOLD.items()})
    lang = f"document.documentElement.lang = {json.dumps(language)};"
    return f"() => {{ {lang} ({asset('shop.js')})({words}); }}"


def owners_script(language: str) -> str:
    """Return what the owner's page does before Gradio starts, as a piece of its head."""
    known = owners_words(language)
    names = ("ended", "again", "password", "server", "server_typed")
    words = json.dumps({name: known(f"login.{name}") for name in names})
    lang = f"document.documentElement.lang = {json.dumps(language)};"
    return f"<script>{lang} ({asset('owner.js')})({words});</script>"


def theme() -> gr.Theme:
    """Return the look: quiet, of system fonts, so that nothing is fetched from elsewhere."""
    fonts = ["system-ui", "Segoe UI", "Roboto", "Noto Sans CJK SC", "sans-serif"]
    quiet = {"background_fill": "transparent", "background_fill_dark": "transparent"}
    labels = {f"block_{part}_{name}": value for part in ("label", "title")
              for name, value in {**quiet, "text_color": "*neutral_600",
                                  "text_color_dark": "*neutral_300"}.items()}  # fmt: skip
    buttons = {
        f"button_primary_{name}": value
        for name, value in (
            ("background_fill", "#0f5e4d"), ("background_fill_dark", "#7fd6bd"),
            ("background_fill_hover", "#0b4639"), ("background_fill_hover_dark", "#a5e4d2"),
            ("text_color", "white"), ("text_color_dark", "#06231b"),
            ("text_color_hover_dark", "#06231b"),
        )
    }  # fmt: skip
    # Soft's own labels and primary buttons have too little contrast to be read by everybody.
    return gr.themes.Soft(
        primary_hue="emerald", font=fonts, font_mono=["ui-monospace", "monospace"]
    ).set(**labels, **buttons)
