"""What the owner's pages ask of the API, and how they say what it could not do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.web.api import Api, ApiError, Json
from ui.web.markup import escape, tag
from ui.web.shop import asset
from ui.web.words import Words

OWN: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
"""Of every listener: what the pages do is no API of its own, and not told before the login."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of something, for the line under the head of the page."""

    text: str = ""
    trouble: bool = False

    def markup(self) -> str:
        """Return it as a line that is read out when it changes."""
        style = "at-status at-trouble" if self.trouble else "at-status"
        return tag("p", escape(self.text), class_=style, role="status", aria_live="polite")


class Desk:
    """Asks the API with the key of the pages.

    Args:
        words: What the pages say, in their language.
    """

    def __init__(self, api: Api, words: Words) -> None:
        self.api = api
        self.words = words

    async def get(self, path: str) -> tuple[Any, Told]:
        """Return an answer and nothing to tell, or None and what is wrong."""
        return await self._ask("GET", path)

    async def post(self, path: str, body: Json) -> tuple[Any, Told]:
        """Send something; return as `get` does."""
        return await self._ask("POST", path, body)

    async def _ask(self, method: str, path: str, body: Json | None = None) -> tuple[Any, Told]:
        try:
            return await self.api.ask(method, path, body), Told()
        except ApiError as error:
            return None, Told(in_words(self.words, error), trouble=True)


def in_words(words: Words, error: ApiError) -> str:
    """Return what is wrong, and what to do about it; the server's own reason beside."""
    known = words.get(f"trouble.{error.kind}")
    if not known:
        reason = error.reason and f"{error.reason[0].upper()}{error.reason[1:]}"
        return words("trouble.refused", reason=reason).strip()
    return f"{known} ({error.reason})" if error.reason else known


def live(name: str, value: str = "") -> gr.HTML:
    """Return a piece of the page whose buttons and forms send what they do."""
    return gr.HTML(value, js_on_load=asset("owner-piece.js"), elem_id=name, apply_default_css=False,
                   padding=False)  # fmt: skip


def told_line() -> gr.HTML:
    """Return the line that says what came of the last thing done."""
    return gr.HTML(Told().markup(), js_on_load=None, elem_id="at-owner-told",
                   apply_default_css=False, padding=False)  # fmt: skip


def looking(words: Words) -> str:
    """Return what stands on a tab until it is filled."""
    return tag("p", escape(words("say.looking")), class_="at-empty")


def pressed(event: gr.EventData) -> Json:
    """Return what was pressed, with the fields of a form beside."""
    data = event._data
    return dict(data) if isinstance(data, dict) else {}


def fields(action: Json) -> dict[str, str]:
    """Return the fields of a form that was sent."""
    given = action.get("fields")
    return {str(k): str(v).strip() for k, v in given.items()} if isinstance(given, dict) else {}
