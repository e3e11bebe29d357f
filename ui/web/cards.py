"""Item cards: picture, title, price, stock, rating, and the reasons as chips.

Made of the items that the API gives, as JSON; nothing is looked up here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ui.web.evidence import reasons
from ui.web.icons import icon
from ui.web.markup import button, doing, escape, tag
from ui.web.values import (
    Facet,
    Item,
    can_be_had,
    is_number,
    kind_of,
    maker_of,
    number,
    price_of,
    rated,
    stock_in_words,
)
from ui.web.words import Words

BONES = 5
"""Empty cards that are shown while the first items are looked for."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is on show.

    Args:
        items: Best first, as a turn gives them.
        slate_id: The slate they are of, for feedback.
        compared, saved: Ids that are marked.
        judged: Verdict by item id, "up" or "down".
        pictures: What relative picture paths are put behind.
        busy: Whether other items are being looked for.
        facets: By name, for the words of values.
        others: Items that those shown are compared with, by id.
        feed: Whether nobody asked for these: no number to be called by, no reasons, no verdicts,
            which also leaves few stops for the Tab key.
    """

    items: Sequence[Item] = ()
    slate_id: str = ""
    compared: Collection[str] = ()
    saved: Collection[str] = ()
    judged: Mapping[str, str] = field(default_factory=dict)
    pictures: str = "pictures/"
    busy: bool = False
    facets: Mapping[str, Facet] = field(default_factory=dict)
    others: Mapping[str, Item] = field(default_factory=dict)
    feed: bool = False

    @property
    def priced(self) -> bool:
        """Return whether items of this catalog have prices."""
        return not self.facets or any(one["role"] == "price" for one in self.facets.values())


def shelf(shown: Shelf, words: Words, empty: str = "") -> str:
    """Return the cards of a slate; where there are none, the words that say why."""
    if not shown.items and shown.busy:
        return bones(words)
    if not shown.items:
        said = tag("p", escape(empty or words("shop.empty_shelf")), class_="at-empty")
        return tag("div", said, class_="at-shelf")
    cards = "".join(tag("li", card(item, shown, words)) for item in shown.items)
    pictured = any(item.get("image") for item in shown.items)
    marks = (("at-busy", shown.busy), ("at-plain", not pictured), ("at-feed", shown.feed))
    style = " ".join(("at-shelf", *(name for name, holds in marks if holds)))
    head = tag("h2", escape(words("shop.feed")), class_="at-feed-head") if shown.feed else ""
    return head + tag(
        "ul" if shown.feed else "ol", cards, class_=style, aria_label=words("shop.shelf"),
        aria_busy="true" if shown.busy else None,
    )  # fmt: skip


def bones(words: Words) -> str:
    """Return the shapes of cards, for as long as the first ones are looked for."""
    one = "".join(tag("span", class_=f"at-bone at-bone-{part}") for part in ("a", "b", "c", "d"))
    made = "".join(tag("li", tag("div", one, class_="at-bones")) for _ in range(BONES))
    return tag("ol", made, class_="at-shelf", aria_busy="true", aria_label=words("shop.looking"))


def card(item: Item, shown: Shelf, words: Words) -> str:
    """Return one card."""
    title = escape(str(item["title"]))
    named = f"at-{shown.slate_id}-{item.get('rank', 0)}"
    body = "".join((
        tag("h3", tag("button", title, type="button", class_="at-title",
                      data_do=doing(about("detail", item, shown))), id=named),
        _maker(item, shown),
        _price(item, shown, words),
        _facts(item, words) if shown.priced else "",
        "" if shown.feed else reasons(item, shown.facets, shown.others, words, named),
        actions(item, shown, words),
    ))  # fmt: skip
    place = item.get("rank", "")
    rank = "" if shown.feed else tag("span", escape(str(place)), class_="at-rank", role="img",
                                     aria_label=words("card.rank", rank=place))  # fmt: skip
    return tag("article", picture(item, shown.pictures) + rank + _corner(item, shown, words)
               + tag("div", body, class_="at-body"), class_="at-card", aria_labelledby=named,
               data_item=str(item["id"]))  # fmt: skip


def _price(item: Item, shown: Shelf, words: Words) -> str:
    """Return the price, with the thumbs beside it; where nothing has one, what else is known."""
    there = is_number(item.get("price"))
    verdict = shown.judged.get(str(item["id"]))
    thumbs = "" if shown.feed else "".join(
        button(words(f"card.{name}"), about("judge", item, shown, verdict=way), sign=icon(way),
               aria_pressed="true" if verdict == way else "false", class_="at-thumb")
        for name, way in (("good", "up"), ("bad", "down"))
    )  # fmt: skip
    style = "at-price" if there else "at-price at-unpriced"
    said = tag("p", escape(price_of(item, words)), class_=style)
    said = said if there or shown.priced else _facts(item, words) or tag("p")
    return tag("div", said + (tag("div", thumbs, class_="at-thumbs") if thumbs else ""),
               class_="at-priced")  # fmt: skip


def _maker(item: Item, shown: Shelf) -> str:
    """Return whose an item is, where its title does not say."""
    name = maker_of(item, shown.facets.values())
    told = name.casefold() in str(item["title"]).casefold()
    return tag("p", escape(name[:60]), class_="at-maker") if name and not told else ""


def about(what: str, item: Item, shown: Shelf, **more: Any) -> dict[str, Any]:
    """Return what a button on a card tells the server."""
    return {"do": what, "item": item["id"], "title": str(item["title"])[:120],
            "slate": shown.slate_id, **more}  # fmt: skip


def picture(item: Item, pictures: str) -> str:
    """Return the picture of an item, or a tile with its kind where there is none."""
    image = item.get("image")
    if not image:
        return tag("div", tag("span", escape(kind_of(item)[:40])), class_="at-picture at-none")
    address = image if "://" in image else f"{pictures}{quote(image)}"
    shown = tag("img", src=address, alt=str(item["title"]), loading="lazy",
                referrerpolicy="no-referrer", decoding="async")  # fmt: skip
    return tag("div", shown, class_="at-picture", data_kind=kind_of(item)[:40])


def _facts(item: Item, words: Words) -> str:
    """Return rating and stock on one line."""
    made = [rating_of(item, words), stock_of(item, words)]
    return tag("p", "".join(one for one in made if one), class_="at-facts") if any(made) else ""


def rating_of(item: Item, words: Words) -> str:
    """Return the rating, with words for those who cannot see the star."""
    numbers = {name.lower(): float(value) for name, value in (item.get("attributes") or {}).items()
               if is_number(value)}  # fmt: skip
    rating = next((v for k, v in numbers.items() if "rating" in k and 0 < v <= 5), None)
    if rating is None:
        return ""
    star = tag("span", "★", class_="at-stars", aria_hidden="true")
    shown_as = rated(rating, words)
    count = next((v for k, v in numbers.items() if "review" in k or "ratings_count" in k), 0)
    said = words("card.rating", rating=shown_as)
    if count:
        said += f", {words('card.reviews', n=number(count, words))}"
    shown = tag("span", escape(shown_as + (f" ({number(count, words)})" if count else "")),
                aria_hidden="true")  # fmt: skip
    return tag("span", star + shown + tag("span", escape(said), class_="at-only-read"))


def stock_of(item: Item, words: Words) -> str:
    """Return whether an item can be had, where the catalog says."""
    text = stock_in_words(item, words)
    style = "at-stock at-out" if can_be_had(item) is False else "at-stock"
    return tag("span", escape(text), class_=style) if text else ""


def _corner(item: Item, shown: Shelf, words: Words) -> str:
    """Return the marks on the picture: saved, and not for me, where that answers something."""
    save = save_button(item, shown, words)
    if shown.feed:
        return tag("div", save, class_="at-corner")
    hide = button(words("card.hide"), about("because", item, shown), sign=icon("close"),
                  class_="at-hide")  # fmt: skip
    return tag("div", save + hide, class_="at-corner")


def save_button(item: Item, shown: Shelf, words: Words, *, named: bool = False) -> str:
    """Return the button that saves an item, or takes it out of what is saved; a heart.

    Args:
        named: Whether its words stand beside it.
    """
    saved = item["id"] in shown.saved
    how = {"drawn": icon("heart")} if named else {"sign": icon("heart")}
    return button(words("card.saved" if saved else "card.save"), about("save", item, shown),
                  aria_pressed="true" if saved else "false", class_="at-save", **how)  # fmt: skip


def actions(item: Item, shown: Shelf, words: Words, more: str = "") -> str:
    """Return what may be done with an item; `more` is a button that comes last."""
    compared = item["id"] in shown.compared
    made = [
        button(words("card.more_like"), about("more_like", item, shown)),
        button(words("card.like_but"), about("like_but", item, shown)),
        "" if shown.feed else button(words("card.why"), about("why", item, shown)),
        button(words("card.compare"), about("compare", item, shown),
               drawn=icon("check") if compared else "",
               aria_pressed="true" if compared else "false"),
    ]  # fmt: skip
    return tag("div", "".join(made) + more, class_="at-actions")
