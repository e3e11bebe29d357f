"""Pieces of HTML, escaped: the one place where text becomes markup.

Every button carries what it does as JSON in `data-do`; `assets/page.js` sends that to the server,
so no piece has a script of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

__all__ = ["button", "doing", "escape", "tag"]


def tag(name: str, inner: str = "", /, **attributes: str | bool | None) -> str:
    """Return an element around markup; attributes are escaped, `_` in their names is `-`.

    An attribute that is None or False is left out; one that is True has no value.
    """
    made = "".join(
        f" {_name(key)}" if value is True else f' {_name(key)}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value not in (None, False)
    )
    return f"<{name}{made}>" if name == "img" else f"<{name}{made}>{inner}</{name}>"


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def doing(does: Mapping[str, Any]) -> str:
    """Return what a button does as its `data-do` carries it."""
    return json.dumps(does, ensure_ascii=False)


def button(
    label: str,
    does: Mapping[str, Any],
    *,
    sign: str = "",
    drawn: str = "",
    **attributes: str | bool | None,
) -> str:
    """Return a button that says what it does to the server.

    Args:
        label: Its words; read out, and shown unless there is a sign.
        sign: Markup to show instead: a character, or a drawing.
        drawn: Markup to show before the words.
    """
    shown = drawn + tag("span", escape(label)) if drawn else escape(label)
    inner = tag("span", sign, aria_hidden="true") if sign else shown
    named = {"aria_label": label, "title": label} if sign else {}
    return tag(
        "button", inner, type="button", data_do=doing(does),
        **{**named, **attributes},
    )  # fmt: skip
