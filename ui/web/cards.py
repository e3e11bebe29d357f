"""Item cards: picture, title, price, stock, rating, and the reasons as chips.

Made of the items that the API gives, as JSON; nothing is looked up here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from babel.numbers import format_currency, format_decimal

from ui.web.markup import button, doing, escape, tag
from ui.web.words import Words

Item = Mapping[str, Any]

MOST_REASONS = 3
FEW = 5
"""Stock from which on it is said how many are left."""


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
    """

    items: Sequence[Item] = ()
    slate_id: str = ""
    compared: Collection[str] = ()
    saved: Collection[str] = ()
    judged: Mapping[str, str] = field(default_factory=dict)
    pictures: str = "pictures/"
    busy: bool = False


def shelf(shown: Shelf, words: Words, empty: str = "") -> str:
    """Return the cards of a slate; where there are none, the words that say why."""
    if not shown.items:
        said = tag("p", escape(empty or words("shop.empty_shelf")), class_="at-empty")
        return tag("div", said, class_="at-shelf", aria_busy="true" if shown.busy else None)
    cards = "".join(tag("li", card(item, shown, words)) for item in shown.items)
    busy = " at-busy" if shown.busy else ""
    return tag(
        "ol", cards, class_=f"at-shelf{busy}", aria_label=words("shop.shelf"),
        aria_busy="true" if shown.busy else None,
    )  # fmt: skip


def card(item: Item, shown: Shelf, words: Words) -> str:
    """Return one card."""
    title = escape(str(item["title"]))
    named = f"at-{shown.slate_id}-{item.get('rank', 0)}"
    body = "".join((
        tag("h3", tag("button", title, type="button", class_="at-title",
                      data_do=doing(about("detail", item, shown))), id=named),
        tag("p", escape(price_of(item, words)), class_="at-price"),
        _facts(item, words),
        _reasons(item, words),
        _actions(item, shown, words),
    ))  # fmt: skip
    rank = tag("span", escape(str(item.get("rank", ""))), class_="at-rank",
               aria_label=words("card.rank", rank=item.get("rank", "")))  # fmt: skip
    return tag("article", picture(item, shown.pictures, words) + rank + _corner(item, shown, words)
               + tag("div", body, class_="at-body"), class_="at-card", aria_labelledby=named,
               data_item=str(item["id"]))  # fmt: skip


def about(what: str, item: Item, shown: Shelf, **more: Any) -> dict[str, Any]:
    """Return what a button on a card tells the server."""
    return {"do": what, "item": item["id"], "title": str(item["title"])[:120],
            "slate": shown.slate_id, **more}  # fmt: skip


def picture(item: Item, pictures: str, words: Words) -> str:
    """Return the picture of an item, or a tile with its kind where there is none."""
    image = item.get("image")
    if not image:
        kind = str(item.get("category") or item.get("brand") or words("card.no_picture"))
        letter = tag("span", escape(kind[:1].upper()), aria_hidden="true")
        return tag("div", letter, class_="at-picture at-none", role="img",
                   aria_label=f"{words('card.no_picture')}: {kind}")  # fmt: skip
    address = image if "://" in image else f"{pictures}{quote(image)}"
    shown = tag("img", src=address, alt=str(item["title"]), loading="lazy",
                referrerpolicy="no-referrer", decoding="async")  # fmt: skip
    return tag("div", shown, class_="at-picture")


def price_of(item: Item, words: Words) -> str:
    """Return a price as people of the language write it; words where there is none."""
    price, currency = item.get("price"), item.get("currency")
    if price is None:
        return words("card.no_price")
    whole = float(price).is_integer()
    try:
        return (
            str(
                format_currency(
                    price,
                    currency,
                    locale=words.language,
                    format="¤#,##0" if whole else None,
                    currency_digits=not whole,
                )
            )
            if currency
            else _number(price, words)
        )
    except (ValueError, LookupError):
        return _number(price, words)  # fmt: skip


def _number(value: float, words: Words) -> str:
    return str(format_decimal(value, locale=words.language))


def _facts(item: Item, words: Words) -> str:
    """Return rating and stock on one line."""
    made = [rating_of(item, words), stock_of(item, words)]
    return tag("p", "".join(one for one in made if one), class_="at-facts") if any(made) else ""


def rating_of(item: Item, words: Words) -> str:
    """Return the rating as stars with words for those who cannot see them."""
    attributes = item.get("attributes") or {}
    rating = next((v for k, v in attributes.items() if "rating" in k.lower() and _is_number(v)), 0)
    if not rating or not 0 < rating <= 5:
        return ""
    full = round(float(rating))
    stars = tag("span", "★" * full + "☆" * (5 - full), class_="at-stars", aria_hidden="true")
    number = _number(round(float(rating), 1), words)
    count = next((v for k, v in attributes.items() if "review" in k.lower() and _is_number(v)), 0)
    said = words("card.rating", rating=number)
    if count:
        said += f", {words('card.reviews', n=_number(count, words))}"
    shown = tag("span", escape(f"{number}" + (f" ({_number(count, words)})" if count else "")),
                aria_hidden="true")  # fmt: skip
    return tag("span", stars + shown + tag("span", escape(said), class_="at-only-read"))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def stock_of(item: Item, words: Words) -> str:
    """Return whether an item can be had, where the catalog says."""
    stock = item.get("availability")
    if stock is None:
        return ""
    there = stock > 0 if _is_number(stock) else stock
    if isinstance(there, bool):
        counted = _is_number(stock) and 0 < stock <= FEW
        key = "card.few" if counted else "card.in_stock" if there else "card.out_of_stock"
        text = words(key, n=int(stock)) if counted else words(key)
    else:
        text = str(there)[:40]
    low = "at-stock" if there is not False else "at-stock at-out"
    return tag("span", escape(text), class_=low)


def _reasons(item: Item, words: Words) -> str:
    """Return the reasons as chips, each with what it rests on."""
    evidence = item.get("evidence") or []
    chips = []
    for place, reason in enumerate((item.get("reasons") or [])[:MOST_REASONS]):
        rests = "; ".join(_rest(one) for one in evidence if one.get("reason") == place)
        chips.append(tag("li", escape(reason), title=rests or None))
    if not chips:
        return ""
    return tag("ul", "".join(chips), class_="at-reasons", aria_label=words("card.reasons"))


def _rest(evidence: Mapping[str, Any]) -> str:
    facet = evidence.get("facet") or evidence.get("kind") or ""
    value = evidence.get("value")
    shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
    return f"{facet}: {shown}" if shown is not None else str(facet)


def _corner(item: Item, shown: Shelf, words: Words) -> str:
    """Return the two marks on the picture: saved, and not for me."""
    saved = item["id"] in shown.saved
    save = button(words("card.saved" if saved else "card.save"), about("save", item, shown),
                  sign="♥" if saved else "♡", aria_pressed="true" if saved else "false",
                  class_="at-save")  # fmt: skip
    hide = button(words("card.hide"), about("because", item, shown), sign="✕", class_="at-hide")
    return tag("div", save + hide, class_="at-corner")


def _actions(item: Item, shown: Shelf, words: Words) -> str:
    compared = item["id"] in shown.compared
    verdict = shown.judged.get(str(item["id"]))
    made = [
        button(words("card.more_like"), about("more_like", item, shown)),
        button(words("card.why"), about("why", item, shown)),
        button(words("card.like_but"), about("like_but", item, shown)),
        button(words("card.compare"), about("compare", item, shown),
               aria_pressed="true" if compared else "false"),
        button(words("card.good"), about("judge", item, shown, verdict="up"), sign="👍",
               aria_pressed="true" if verdict == "up" else "false", class_="at-thumb"),
        button(words("card.bad"), about("judge", item, shown, verdict="down"), sign="👎",
               aria_pressed="true" if verdict == "down" else "false", class_="at-thumb"),
    ]  # fmt: skip
    return tag("div", "".join(made), class_="at-actions")
