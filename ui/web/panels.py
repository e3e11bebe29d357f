"""What opens beside the shelf: "like this, but …", a comparison, details, why not for me, saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ui.web.cards import Shelf, about, actions, picture, rating_of, save_button, stock_of
from ui.web.comparison import side_by_side
from ui.web.icons import icon
from ui.web.markup import button, escape, tag
from ui.web.rows import wish_chip
from ui.web.values import Facet, Item, called, dated, label_of, price_of, shown
from ui.web.words import Words

PICKED = 6
"""Facets that "like this, but …" offers."""

CHOICES = 40
REASONS = ("price", "look", "kind", "have", "quality", "other")

_ORDER = ("colour", "material", "brand", "category", "size", "audience", "language")


def panel(title: str, inner: str, words: Words, name: str) -> str:
    """Return a panel with a heading and a way to close it."""
    close = button(words("picker.cancel"), {"do": "close"}, sign=icon("close"), class_="at-close")
    head = tag("div", tag("h2", escape(title), id=f"at-{name}", tabindex="-1") + close,
               class_="at-head")  # fmt: skip
    return tag("section", head + inner, class_=f"at-panel at-panel-{name}",
               aria_labelledby=f"at-{name}")  # fmt: skip


def picker(item: Item, facets: Sequence[Facet], words: Words) -> str:
    """Return the form of "like this, but …": the facets that say most, and the price."""
    rows = [_choice(facet, item, words) for facet in picked(facets, item)]
    price = next((facet for facet in facets if facet["role"] == "price"), None)
    if price is not None and item.get("price") is not None:
        rows.append(_price(price, words))
    go = tag("button", escape(words("picker.go")), type="submit", class_="at-go")
    form = tag("form", "".join(rows) + go, data_form="like", data_item=str(item["id"]),
               data_title=str(item["title"])[:120],
               data_nothing=words("picker.nothing"))  # fmt: skip
    return panel(words("picker.title", title=str(item["title"])[:80]), form, words, "picker")


def picked(facets: Sequence[Facet], item: Item) -> list[Facet]:
    """Return the facets of most use for a change: known roles first, then those of the item."""
    own = own_values(item, facets)
    usable = [
        facet
        for facet in facets
        if facet["kind"] in ("categorical", "list")
        and len(facet["values"]) > 1
        and facet["name"] in own
    ]
    place = {role: n for n, role in enumerate(_ORDER)}
    usable.sort(key=lambda facet: (place.get(facet["role"] or "", len(place)), -facet["coverage"]))
    return usable[:PICKED]


def own_values(item: Item, facets: Sequence[Facet]) -> dict[str, list[str]]:
    """Return the values of an item by facet name."""
    attributes = {**(item.get("attributes") or {})}
    found: dict[str, list[str]] = {}
    for facet in facets:
        role, name = facet["role"], facet["name"]
        value = attributes.get(name)
        if value is None and role in ("brand", "category", "price"):
            value = item.get(role)
        if value not in (None, [], ""):
            many = isinstance(value, list | tuple)
            found[name] = [str(v) for v in value] if many else [str(value)]
    return found


def _choice(facet: Facet, item: Item, words: Words) -> str:
    own = own_values(item, [facet])[facet["name"]]
    said = [called(one, facet) for one in own]
    keep = tag("option", escape(f"{', '.join(said)[:40]} ({words('picker.keep')})"), value="")
    other = tag("option", escape(words("picker.not", value=said[0][:40])), value=f"!{own[0]}")
    left = [one for one in facet["values"] if one["value"] not in own][:CHOICES]
    options = "".join(
        tag("option", escape(called(one["value"], facet)), value=f"={one['value']}") for one in left
    )
    select = tag("select", keep + other + options, name=facet["name"], data_kind="value",
                 data_own="\n".join(own))  # fmt: skip
    return tag("label", tag("span", escape(facet["label"])) + select)


def _price(facet: Facet, words: Words) -> str:
    options = "".join(
        tag("option", escape(text), value=value)
        for value, text in (
            ("", words("picker.keep")),
            ("down", words("picker.cheaper")),
            ("up", words("picker.dearer")),
        )
    )
    way = tag("select", options, name=facet["name"], data_kind="direction")
    most = tag("input", type="number", min="0", step="any", name=facet["name"],
               data_kind="high", placeholder=words("picker.at_most"),
               aria_label=f"{words('picker.other_price')}: {words('picker.at_most')}")  # fmt: skip
    label = tag("label", tag("span", escape(words("picker.other_price"))) + way)
    return tag("div", label + most, class_="at-two")


def because(item: Item, slate_id: str, words: Words) -> str:
    """Return the reasons one may give for hiding an item."""
    bare = Shelf(slate_id=slate_id)
    made = [
        button(words(f"because.{name}"), about("hide", item, bare, because=name))
        for name in REASONS
    ]
    made.append(button(words("because.skip"), about("hide", item, bare), class_="at-plain"))
    row = tag("ul", "".join(tag("li", one) for one in made), class_="at-chips")
    title = f"{words('because.title')} {str(item['title'])[:80]}"
    return panel(title, row, words, "because")


def comparison(items: Sequence[Item], facets: Sequence[Facet], pictures: str, words: Words) -> str:
    """Return items side by side."""
    return panel(
        words("compare.title"), side_by_side(items, facets, pictures, words), words, "compare"
    )


def details(item: Item, facets: Sequence[Facet], shown_on: Shelf, words: Words) -> str:
    """Return all that the catalog says of an item, and what may be done with it."""
    pictures = shown_on.pictures
    known = {facet["name"]: facet for facet in facets}
    said = {name: shown(value, words, known.get(name))
            for name, value in (item.get("attributes") or {}).items()}  # fmt: skip
    own = [
        (str(facet["label"]), shown(item.get(role), words, facet))
        for role in ("category", "brand")
        for facet in [one for one in facets if one["role"] == role and one["name"] not in said][:1]
    ]
    rows = "".join(
        tag("tr", tag("th", escape(str(label)), scope="row") + tag("td", escape(value)))
        for label, value in (*own, *((label_of(name, known), v) for name, v in said.items()))
        if value
    )
    text = tag("p", escape(str(item.get("description") or "")), class_="at-text")
    url = item.get("url")
    link = tag("a", escape(words("card.open")), href=url, target="_blank",
               rel="noopener noreferrer nofollow") if url else ""  # fmt: skip
    facts = tag("p", escape(price_of(item, words)), class_="at-price") + tag(
        "p", rating_of(item, words) + stock_of(item, words), class_="at-facts"
    )
    ways = actions(item, shown_on, words, save_button(item, shown_on, words, named=True))
    seen = picture(item, pictures) if item.get("image") else ""
    inner = seen + tag("div", facts + ways + text + link + tag("table", rows))
    style = "at-details" if seen else "at-details at-unseen"
    return panel(str(item["title"]), tag("div", inner, class_=style), words, "details")


def missing(hidden: Sequence[Item], words: Words) -> str:
    """Return what was hidden, to be brought back one by one, and a way to ask for anything else."""
    bare = Shelf()
    rows = "".join(
        tag("li", tag("span", escape(f"{item['title']} · {price_of(item, words)}"))
            + button(words("missing.back"), about("bring_back", item, bare))
            + button(words("missing.why_not"), about("why_not", item, bare)))
        for item in hidden
    )  # fmt: skip
    listed = tag("ul", rows, class_="at-list") if rows else tag("p", escape(words("missing.none")))
    field = tag("input", type="text", name="named", maxlength="200", autocomplete="off",
                placeholder=words("missing.example"))  # fmt: skip
    go = tag("button", escape(words("missing.ask")), type="submit", class_="at-go")
    label = tag("label", tag("span", escape(words("missing.named"))) + field, class_="at-wide")
    form = tag("form", label + go, data_form="why_not_named")
    return panel(words("missing.title"), listed + form, words, "missing")


def saved_list(items: Sequence[Item], words: Words) -> str:
    """Return what was saved, with a way to ask why it is not shown now."""
    if not items:
        return panel(words("saved.title"), tag("p", escape(words("saved.none"))), words, "saved")
    bare = Shelf()
    rows = "".join(
        tag("li", tag("span", escape(f"{item['title']} · {price_of(item, words)}"))
            + button(words("card.details"), about("detail", item, bare))
            + button(words("saved.why_not"), about("why_not", item, bare))
            + button(words("saved.remove"), about("save", item, bare), sign=icon("close")))
        for item in items
    )  # fmt: skip
    return panel(words("saved.title"), tag("ul", rows, class_="at-list"), words, "saved")


def wrong(message: Mapping[str, Any], words: Words) -> str:
    """Return the form for what was wrong with an answer, and how it should have been said."""
    what = tag("textarea", "", name="what", rows="2", maxlength="20000")
    edit = tag("textarea", escape(str(message.get("content", ""))), name="edit", rows="4",
               maxlength="20000")  # fmt: skip
    go = tag("button", escape(words("feedback.send")), type="submit", class_="at-go")
    rows = "".join(
        tag("label", tag("span", escape(words(key))) + field, class_="at-wide")
        for key, field in (("feedback.what", what), ("feedback.edit", edit))
    )
    form = tag("form", rows + go, data_form="wrong")
    return panel(words("feedback.down"), form, words, "wrong")


def conversations(talks: Sequence[Mapping[str, Any]], now: str, words: Words) -> str:
    """Return the earlier conversations of this browser, to open or to delete."""
    rows = "".join(
        tag("li", button(str(one["title"]), {"do": "open", "session": one["id"]}, class_="at-link",
                         aria_current="true" if one["id"] == now else None)
            + button(f"{words('talks.delete')}: {one['title']}",
                     {"do": "delete", "session": one["id"]}, sign=icon("close")))
        for one in talks
    )  # fmt: skip
    new = button(words("page.new"), {"do": "new"}, class_="at-go")
    inner = tag("ul", rows, class_="at-list") if talks else tag("p", escape(words("talks.none")))
    return panel(words("page.conversations"), inner + new, words, "talks")


def profile(known: Mapping[str, Any], guest: bool, words: Words) -> str:
    """Return what is known of the person, and the ways to change that."""
    rows = [(words.get(f"profile.{kind}") or kind, ", ".join(titles[:12]))
            for kind, titles in known["done"].items()]  # fmt: skip
    if known["adapters"]:
        rows.append((words("profile.learned"), ", ".join(known["adapters"])))
    table = "".join(
        tag("tr", tag("th", escape(name), scope="row") + tag("td", escape(value)))
        for name, value in rows
    )
    talks = "".join(tag("li", _talk(one, words)) for one in known["talks"])
    head = tag("h3", escape(words("profile.talks")))
    said = head + tag("ul", talks, class_="at-known") if talks else ""
    said += tag("table", table) if rows else ""
    said = said or tag("p", escape(words("profile.none")))
    ways = [
        button(words("profile.someone_else"), {"do": "guest"}, role="switch",
               aria_checked="true" if guest else "false",
               drawn=icon("check") if guest else ""),
        button(words("profile.forget"), {"do": "forget"}, data_sure=words("profile.forget_sure"),
               class_="at-danger"),
    ]  # fmt: skip
    row = tag("ul", "".join(tag("li", one) for one in ways), class_="at-chips at-foot")
    return panel(words("profile.title"), said + row, words, "profile")


def _talk(talk: Mapping[str, Any], words: Words) -> str:
    """Return what is kept of one conversation: its wishes can go one by one, or all of it."""
    title = str(talk["title"])[:80]
    day = tag("time", escape(dated(str(talk["day"]), words)), class_="at-dim")
    gone = button(f"{words('talks.delete')}: {title}", sign=escape(words("talks.delete")),
                  class_="at-quiet",
                  does={"do": "delete", "session": talk["id"], "from": "profile"})  # fmt: skip
    wishes = "".join(
        tag("li", wish_chip(one["label"], words, {"do": "unwish", "session": talk["id"],
                                                 "title": one["label"], "drop": one["drop"]}))
        for one in talk["wishes"]
    )  # fmt: skip
    said = tag("div", tag("strong", escape(title)) + day + gone, class_="at-line")
    return said + (tag("ul", wishes, class_="at-chips") if wishes else "")
