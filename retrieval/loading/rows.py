"""One row to one item, by the mapping. Bad optional fields are set aside, not guessed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from retrieval.catalog import FieldValue, Item
from retrieval.errors import RowError
from retrieval.loading import values
from retrieval.loading.derive import Deriver
from retrieval.loading.mapping import PRICE, Column, Mapping
from retrieval.loading.records import excerpt

LONGEST_CELL = 1_000_000
"""Characters; a longer cell is damage, not data."""
LONGEST_ID = 512
LONGEST_VALUE = 100
"""Characters of a categorical value; longer ones are prose that slipped into the column."""
CANONICAL = ("id", "title", "description", "price", "currency", "image", "url", "attributes")
"""Keys that a row sent over HTTP may use instead of the catalog's own columns."""

Parser = Callable[[Any], FieldValue | None]
Problem = RowError


def item_from_row(row: dict[str, Any], mapping: Mapping) -> Item:
    """Return the item a row describes, by the catalog's columns or the canonical keys.

    Canonical keys are those of `CANONICAL` and facet names; a canonical price is in units of the
    currency. Keys the mapping does not know are kept as fields.

    Raises:
        RowError: If the id or title is missing, or any field cannot be read.
    """
    item, problems = _reader(mapping).read(_own_columns(row, mapping))
    if problems:
        raise problems[0]
    return item


@lru_cache(maxsize=8)
def _reader(mapping: Mapping) -> RowReader:
    return RowReader(mapping)


def _own_columns(row: dict[str, Any], mapping: Mapping) -> dict[str, Any]:
    """Return a row with canonical keys and facet names turned into the catalog's own columns."""
    own = {column.name for column in mapping.columns if column.within is None}
    turned: dict[str, Any] = {}
    for key, value in row.items():
        if key in own:
            turned.setdefault(key, value)
        elif key == "attributes" and isinstance(value, dict):
            for inner, cell in value.items():
                turned.setdefault(f"={inner}", cell)
        elif key in CANONICAL:
            turned[f"@{key}"] = value
        else:
            turned[f"={key}"] = value
    return turned


def _text_value(value: Any) -> FieldValue | None:
    text = values.as_text(value)
    return None if values.missing(text) else text


def free_value(value: Any) -> FieldValue | None:
    """Return a cell of a column nobody described, by its own type."""
    if values.missing(value):
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float | Decimal):
        try:
            return values.number(value)
        except ValueError:
            return str(value)
    if isinstance(value, list | tuple | set):
        return values.text_list(value) or None
    return _text_value(value)


def _scaled(amount: float, scale: float) -> float:
    return amount if scale == 1 else round(amount * scale, 6)


class RowReader:
    """Reads rows by one mapping; made once, used for every row."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._known = {c.name for c in mapping.columns if c.within is None}
        self._ids = _names(mapping, "id")
        self._titles = _names(mapping, "title")
        self._texts = _names(mapping, "description")
        self._images = _names(mapping, "image")
        self._urls = _names(mapping, "url")
        self._currencies = _names(mapping, "currency")
        self._prices = mapping.using("price")
        self._facets = [
            (c, self._parser(c)) for c in mapping.columns if c.use == "facet" and not c.within
        ]
        self._maps = {
            column.name: {
                c.name: (c, self._parser(c)) for c in mapping.columns if c.within == column.name
            }
            for column in mapping.using("map")
        }
        self._by_facet = {c.facet: (c, self._parser(c)) for c in mapping.columns if c.facet}
        self._derivers = [Deriver(derived) for derived in mapping.derived]

    def read(self, row: dict[str, Any]) -> tuple[Item, list[Problem]]:
        """Return the item of a row and the fields that could not be read.

        Raises:
            RowError: If the row cannot be an item: no id, no title, or a cell beyond all bounds.
        """
        _check_lengths(row)
        problems: list[Problem] = []
        extra: list[str] = []
        fields: dict[str, FieldValue] = {}
        id = self._id(row)
        currency = self._money(row, fields, problems)
        for column, parse in self._facets:
            cell = row.get(column.name)
            if cell is not None:
                _put(fields, column, parse, cell, problems, extra)
        for name, keys in self._maps.items():
            self._flatten(name, row.get(name), keys, fields, extra, problems)
        self._loose(row, fields, extra, problems)
        title = self._title(row, fields)
        description = self._description(row, title, extra)
        for deriver in self._derivers:
            deriver.into(fields, row, title, description)
        item = Item(
            id=id,
            title=title,
            description=description,
            fields=fields,
            currency=currency,
            image=_first(row, self._images, "@image"),
            url=_first(row, self._urls, "@url"),
        )
        return item, problems

    def _id(self, row: dict[str, Any]) -> str:
        for name in (*self._ids, "@id"):
            cell = row.get(name)
            if values.missing(cell):
                continue
            id = values.as_text(cell)
            if not id or isinstance(cell, dict | list | bool):
                raise RowError(name.lstrip("@"), "not an id", excerpt(cell))
            if len(id) > LONGEST_ID:
                raise RowError(name, f"an id of {len(id)} characters", excerpt(cell))
            return id
        raise RowError(self._ids[0] if self._ids else "id", "missing id")

    def _title(self, row: dict[str, Any], fields: dict[str, FieldValue]) -> str:
        given = values.as_text(row.get("@title"))
        parts = [given] if given else [values.as_text(row.get(name)) for name in self._titles]
        kept = [part for part in parts if not values.missing(part)]
        title = " ".join(kept[:1] + [part for part in kept[1:] if part not in kept[0]])
        title = title or self._stand_in(row, fields)
        if not title:
            raise RowError(self._titles[0] if self._titles else "title", "missing title")
        return title

    def _stand_in(self, row: dict[str, Any], fields: dict[str, FieldValue]) -> str:
        """Return a title made from what else is known: the description, or what it is."""
        for name in ("@description", *self._texts):
            text = values.as_text(row.get(name))
            if text and not values.missing(text):
                return text if len(text) <= 80 else text[:80].rsplit(" ", 1)[0] + "…"
        parts = []
        for role in ("brand", "audience", "colour", "category"):
            named = [c for c in self._mapping.columns if c.role == role and c.facet in fields]
            value = fields[named[-1].facet] if named else ""
            parts.append(value if isinstance(value, str) else "")
        return " ".join(filter(None, parts))

    def _description(self, row: dict[str, Any], title: str, extra: list[str]) -> str:
        given = values.as_text(row.get("@description"))
        texts = [given] if given else []
        texts += [values.as_text(row.get(name)) for name in self._texts]
        kept: list[str] = []
        for text in texts + extra:
            if not values.missing(text) and text not in title and not any(text in k for k in kept):
                kept.append(text)
        return "\n".join(kept)

    def _money(
        self, row: dict[str, Any], fields: dict[str, FieldValue], problems: list[Problem]
    ) -> str | None:
        """Put the prices of a row; return the currency of what the buyer pays."""
        cell = row.get("@price", row.get(f"={PRICE}"))
        own = [(column, row.get(column.name)) for column in self._prices]
        if not values.missing(cell):
            own.insert(0, (Column("price", "price", PRICE, unit=self._mapping.currency), cell))
        currency: str | None = None
        for column, value in own:
            if values.missing(value):
                continue
            try:
                amount, unit = values.money(value, column.decimal)
            except ValueError as error:
                problems.append(RowError(column.name, f"{error}", excerpt(value)))
                continue
            amount = _scaled(amount, column.scale)
            if PRICE not in fields:
                fields[PRICE] = amount
                currency = unit or column.unit
            if column.facet != PRICE:
                fields[column.facet] = amount
        said = _first(row, self._currencies, "@currency")
        return (values.currency(said) or said if said else None) or currency

    def _flatten(
        self,
        name: str,
        cell: Any,
        keys: dict[str, tuple[Column, Parser]],
        fields: dict[str, FieldValue],
        extra: list[str],
        problems: list[Problem],
    ) -> None:
        if not isinstance(cell, dict):
            if not values.missing(cell):
                problems.append(RowError(name, "expected an object", excerpt(cell)))
            return
        for key, value in cell.items():
            known = keys.get(key)
            if known and known[0].use == "ignore":
                continue
            if known is None:
                self._keep(f"{name}_{key}" if self._reserved(key) else key, value, fields)
            else:
                # Free maps are free: what does not fit the key's kind is text, not damage.
                _put(fields, *known, value, None, extra)

    def _reserved(self, key: str) -> bool:
        return key in self._by_facet or key in CANONICAL or key == "text" or key in self._known

    def _keep(self, key: str, value: Any, fields: dict[str, FieldValue]) -> None:
        kept = free_value(value)
        if kept is not None:
            fields.setdefault(key or "_", kept)

    def _loose(
        self,
        row: dict[str, Any],
        fields: dict[str, FieldValue],
        extra: list[str],
        problems: list[Problem],
    ) -> None:
        """Put cells of columns that the mapping does not know, by facet name where it fits."""
        for name, value in row.items():
            if name in self._known or name[:1] == "@":
                continue
            key = name.removeprefix("=")
            if key in self._by_facet and key != PRICE:
                _put(fields, *self._by_facet[key], value, problems, extra)
            elif key != PRICE:
                self._keep(key if key not in CANONICAL else f"{key}_value", value, fields)

    def _parser(self, column: Column) -> Parser:
        return parser(column)


def _names(mapping: Mapping, use: Any) -> tuple[str, ...]:
    return tuple(column.name for column in mapping.using(use) if column.within is None)


def _check_lengths(row: dict[str, Any]) -> None:
    for name, cell in row.items():
        if isinstance(cell, str) and len(cell) > LONGEST_CELL:
            reason = f"a cell of {len(cell):,} characters; at most {LONGEST_CELL:,} are read"
            raise RowError(name, reason, excerpt(cell))


def _put(
    fields: dict[str, FieldValue],
    column: Column,
    parse: Parser,
    cell: Any,
    problems: list[Problem] | None,
    extra: list[str],
) -> None:
    """Put a cell into its field; prose goes to the text, what is unreadable to the problems."""
    try:
        value = parse(cell)
    except ValueError as error:
        if problems is None:
            extra.append(f"{column.label}: {values.as_text(cell)}")
        else:
            problems.append(RowError(column.name, str(error), excerpt(cell)))
        return
    if value is None:
        return
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        extra.append(value)
    elif isinstance(value, tuple) and max(map(len, value)) > LONGEST_VALUE:
        extra.append(", ".join(value))
    else:
        fields[column.facet] = value


def _first(row: dict[str, Any], names: tuple[str, ...], canonical: str) -> str | None:
    """Return the first text among columns; of a list, its first element."""
    for name in (canonical, *names):
        cell = row.get(name)
        if isinstance(cell, str) and (found := values.json_list(cell.strip())):
            cell = found
        if isinstance(cell, list | tuple) and cell:
            cell = cell[0]
        text = values.as_text(cell)
        if text and not values.missing(text):
            return text.split(",")[0].split("|")[0] if text.startswith("http") else text
    return None


def parser(column: Column) -> Parser:
    """Return the function that reads the cells of a facet column; texts are read once each."""
    read = _KINDS[column.kind or "categorical"](column)
    seen: dict[str, FieldValue | None] = {}

    def parse(cell: Any) -> FieldValue | None:
        if type(cell) is not str:
            return None if values.missing(cell) else read(cell)
        if cell not in seen:
            if len(seen) > 100_000:
                seen.clear()
            seen[cell] = None if values.missing(cell) else read(cell)
        return seen[cell]

    return parse


def _number_parser(column: Column) -> Parser:
    def read(cell: Any) -> FieldValue:
        if isinstance(cell, str):
            cell = cell.strip()
            pair = values.with_unit(cell) if column.unit and not cell[-1:].isdigit() else None
            if pair:
                if pair[1].casefold() != (column.unit or "").casefold():
                    raise ValueError(f"a number in {pair[1]!r}, expected {column.unit!r}")
                cell = pair[0]
            elif not cell[-1:].isdigit() or not cell[:1].isdigit():
                amount, _ = values.money(cell, column.decimal) if cell[:1] not in "+-." else (
                    values.number(cell, column.decimal), None)  # fmt: skip
                return _scaled(amount, column.scale)
        return _scaled(values.number(cell, column.decimal), column.scale)

    return read


_KINDS: dict[str, Callable[[Column], Parser]] = {
    "categorical": lambda column: _text_value,
    "list": lambda column: lambda cell: values.text_list(cell, column.separator) or None,
    "numeric": _number_parser,
    "boolean": lambda column: values.truth,
    "date": lambda column: lambda cell: values.iso_date(cell, column.format),
}
