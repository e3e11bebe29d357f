"""Why an item is shown, as chips: each opens what it rests on, with the catalog's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ui.web.markup import escape, tag
from ui.web.values import Facet, Item, label_of, own_value, shown
from ui.web.words import Words

MOST_REASONS = 3


def reasons(
    item: Item, facets: Mapping[str, Facet], others: Mapping[str, Item], words: Words, named: str
) -> str:
    """Return the reasons of an item; each chip shows its evidence while it has the focus.

    Args:
        others: Items that this one is compared with, by id, where they are known.
        named: What ids start with.
    """
    chips = []
    evidence = item.get("evidence") or []
    for place, reason in enumerate((item.get("reasons") or [])[:MOST_REASONS]):
        rests = [one for one in evidence if one.get("reason") == place]
        told = (line for one in rests for line in rest(one, item, facets, others, words))
        lines = "".join(tag("span", escape(line)) for line in dict.fromkeys(told))
        id = f"{named}-e{place}"
        chip = tag("button", escape(str(reason)), type="button", class_="at-reason",
                   aria_describedby=id if lines else None)  # fmt: skip
        tip = tag("div", lines, class_="at-rests", role="tooltip", id=id) if lines else ""
        chips.append(tag("li", chip + tip))
    if not chips:
        return ""
    return tag("ul", "".join(chips), class_="at-reasons", aria_label=words("card.reasons"))


def rest(
    evidence: Mapping[str, Any],
    item: Item,
    facets: Mapping[str, Facet],
    others: Mapping[str, Item],
    words: Words,
) -> list[str]:
    """Return what a reason rests on, in sentences: the catalog's own words, and the wish."""
    value, kind = evidence.get("value"), str(evidence.get("kind") or "")
    if kind == "text":
        return [words("evidence.text", value=str(value)[:300])]
    if kind == "behaviour":
        return [words("evidence.behaviour", value=shown(value, words))]
    name = str(evidence.get("facet") or kind)
    label, facet = label_of(name, facets), facets.get(name)
    own = own_value(item, facet) if facet and kind == "relation" else value
    lines = [
        words("evidence.field", facet=label, value=shown(own, words, facet))
        if own is not None
        else words("evidence.silent", facet=label)
    ]
    other = others.get(str(evidence.get("other_id"))) if kind == "relation" else None
    there = shown(own_value(other, facet), words, facet) if other and facet else ""
    if other and there:
        title = str(other["title"])[:60]
        lines.append(words("evidence.other", title=title, value=there))
    if evidence.get("wish"):
        lines.append(words("evidence.wish", wish=evidence["wish"]))
    return lines
