"""The rows of chips: current wishes, each removable, and what may be said next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ui.web.icons import icon
from ui.web.markup import button, doing, escape, tag
from ui.web.words import Words


def wish_row(wishes: Sequence[Mapping[str, Any]], words: Words) -> str:
    """Return the wishes as chips; pressing one takes it back, which is a turn."""
    label = tag("h2", escape(words("shop.wishes")), class_="at-label")
    if not wishes:
        none = tag("p", escape(words("shop.no_wishes")), class_="at-none-yet")
        return tag("div", label + none, class_="at-wishes")
    chips = "".join(tag("li", _wish(wish, words)) for wish in wishes)
    return tag("div", label + tag("ul", chips, class_="at-chips"), class_="at-wishes")


def _wish(wish: Mapping[str, Any], words: Words) -> str:
    label = str(wish["label"])
    does = {"do": "press", "text": words("shop.without", wish=label), "press": wish["press"]}
    return wish_chip(label, words, does, str(wish["kind"]))


def wish_chip(label: str, words: Words, does: Mapping[str, Any], kind: str = "want") -> str:
    """Return a wish that can be taken back."""
    inner = tag("span", escape(label)) + icon("close")
    return tag("button", inner, type="button", class_=f"at-chip at-{kind}",
               aria_label=words("shop.remove", wish=label), data_do=doing(does))  # fmt: skip


def reply_row(replies: Sequence[Mapping[str, Any]], words: Words) -> str:
    """Return what may be said next as buttons, with the number of items each would leave."""
    if not replies:
        return ""
    made = []
    for reply in replies:
        does = _does(reply)
        count = reply.get("count")
        label = str(reply["label"]) + (f" ({count:,})" if count else "")
        made.append(tag("li", button(label, does, class_="at-reply")))
    label = tag("h2", escape(words("shop.replies")), class_="at-only-read")
    return tag("div", label + tag("ul", "".join(made), class_="at-chips"), class_="at-replies")


def _does(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reply does: an action of the page's own, a press, or words."""
    if reply.get("do"):
        return {"do": reply["do"], "item": reply.get("item")}
    press = reply.get("press")
    return {"do": "press" if press else "say", "text": reply["text"], "press": press}


def rating_row(stars: int, words: Words) -> str:
    """Return five stars to rate the conversation with."""
    made = "".join(
        button(words("feedback.stars", n=n), {"do": "rate", "stars": n},
               sign="★" if n <= stars else "☆", aria_pressed="true" if n == stars else "false")
        for n in range(1, 6)
    )  # fmt: skip
    label = tag("span", escape(words("feedback.rate")))
    return tag("div", label + made, class_="at-rate", role="group",
               aria_label=words("feedback.rate"))  # fmt: skip
