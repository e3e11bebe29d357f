"""What may happen to a catalog in the middle of a conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from benchmarks.random_talk.shops import Shop
from retrieval.catalog import Item
from retrieval.item_json import dump_item, load_item

Change = dict[str, Any]
"""{"delete": [ids]} or {"upsert": [items as JSON text]}; can be kept and made again."""


def make_change(shop: Shop, change: Change) -> None:
    """Change a catalog."""
    if "delete" in change:
        shop.delete(change["delete"])
    if "upsert" in change:
        shop.upsert([load_item(text) for text in change["upsert"]])


def _upsert(*items: Item) -> Change:
    return {"upsert": [dump_item(item) for item in items]}


def _with(item: Item, **fields: Any) -> Item:
    kept = {name: value for name, value in {**item.fields, **fields}.items() if value is not None}
    return replace(item, fields=kept)


def _delete_one(chance: Random, shop: Shop, shown: Sequence[Item]) -> Change:
    return {"delete": [chance.choice(shown).id]}


def _delete_shown(chance: Random, shop: Shop, shown: Sequence[Item]) -> Change:
    return {"delete": [item.id for item in shown]}


def _delete_nearly_all(chance: Random, shop: Shop, shown: Sequence[Item]) -> Change:
    return {"delete": list(shop.items)[chance.choice((0, 1, 3)) :]}


def _flip_price(chance: Random, shop: Shop, shown: Sequence[Item]) -> Change:
    one = chance.choice(shown)
    now = one.number("price") or 10.0
    return _upsert(_with(one, price=chance.choice((now * 10, now / 10, 0.0, -1.0, None))))


def _swap_values(chance: Random, shop: Shop, shown: Sequence[Item]) -> Change:
    """Give a shown item the fields of another item."""
    other = chance.choice(list(shop.items.values()))
    return _upsert(replace(chance.choice(shown), fields=other.fields))


def _strip(chance: Random, shop: Shop, shown: Sequence[Item]) -> Change:
    return _upsert(replace(chance.choice(shown), fields={}, description=""))


def _add_new(chance: Random, shop: Shop, shown: Sequence[Item]) -> Change:
    """Add an item with values, a field and a title that the catalog has not seen."""
    one = chance.choice(shown)
    texts = {name: "Quuxish" for name, value in one.fields.items() if isinstance(value, str)}
    title = chance.choice(("Brand new quux", "\x1b[31m", "", "<b>the second one</b>", one.title))
    fields = {**one.fields, **texts, "novelty": chance.choice(("zork", True, 7.0, ("a", "b")))}
    dates = {f.name: one.fields.get(f.name) for f in shop.retriever.facets if f.kind == "date"}
    return _upsert(_with(replace(one, id=f"new-{chance.randint(1, 3)}", title=title),
                         **{**fields, **dates}))  # fmt: skip


_KINDS: tuple[Callable[[Random, Shop, Sequence[Item]], Change], ...] = (
    _delete_one, _delete_one, _delete_shown, _flip_price, _flip_price, _swap_values, _strip,
    _add_new, _delete_nearly_all,
)  # fmt: skip


def random_change(chance: Random, shop: Shop, shown: Sequence[Item]) -> Change | None:
    """Return a change of the catalog, most often of what is shown; None when it is empty."""
    known = shown or tuple(shop.items.values())[:5]
    return chance.choice(_KINDS)(chance, shop, known) if known else None
