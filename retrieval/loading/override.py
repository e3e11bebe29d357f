"""Mappings as TOML: written out whole, read back whole, or laid over what was inferred.

currency = "INR"
[columns]
id = "sku"
title = ["name", "subtitle"]
price = {column = "sale_price", currency = "INR", scale = 0.01, decimal = ","}
ignore = ["internal_note", "brand"]     # columns, or facets derived from texts
[facets.base_colour]                    # by column or facet name
role = "colour"
[derived.brand]
role = "brand"
method = "prefix"
sources = ["name"]
values = ["Peter England"]
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import tomli_w

from retrieval.catalog import FacetKind, Role
from retrieval.errors import CatalogError
from retrieval.loading import words
from retrieval.loading.infer import in_order, price_column
from retrieval.loading.kinds import facet_column
from retrieval.loading.mapping import PRICE, Column, Derived, Mapping, Method, Use
from retrieval.loading.profile import Profile

NAMED: tuple[Use, ...] = ("id", "title", "description", "image", "url", "currency", "map", "ignore")
COLUMN_KEYS = (*NAMED, "price")
TOP_KEYS = ("currency", "columns", "facets", "derived")
PRICE_KEYS = ("column", "facet", "currency", "scale", "decimal")
FACET_KEYS = ("column", "within", "kind", "role", "label", "unit", "scale", "decimal", "separator",
              "format")  # fmt: skip
DERIVED_KEYS = ("role", "method", "sources", "values")
CLOSED: dict[str, tuple[str, ...]] = {
    "kind": get_args(FacetKind),
    "role": (*get_args(Role), "none"),
    "method": get_args(Method),
    "decimal": (".", ","),
}
DERIVABLE = ("colour", "brand", "category")


def dump(mapping: Mapping) -> str:
    """Return a mapping as TOML."""
    columns: dict[str, Any] = {}
    for use in NAMED:
        names = [f"{c.within}.{c.name}" if c.within else c.name for c in mapping.using(use)]
        if names:
            columns[use] = names[0] if len(names) == 1 and use != "ignore" else names
    if prices := [_price_out(column) for column in mapping.using("price")]:
        columns["price"] = prices
    data = {
        "currency": mapping.currency,
        "columns": columns,
        "facets": {column.facet: _facet_out(column) for column in mapping.using("facet")},
        "derived": {one.facet: _derived_out(one) for one in mapping.derived},
    }
    return tomli_w.dumps({key: value for key, value in data.items() if value})


def _price_out(column: Column) -> dict[str, Any]:
    out: dict[str, Any] = {"column": column.name}
    if column.facet != PRICE:
        out["facet"] = column.facet
    if column.unit:
        out["currency"] = column.unit
    if column.scale != 1:
        out["scale"] = column.scale
    if column.decimal != ".":
        out["decimal"] = column.decimal
    return out


def _facet_out(column: Column) -> dict[str, Any]:
    out: dict[str, Any] = {"column": column.name} if column.name != column.facet else {}
    plain = Column(column.name, "facet", column.facet)
    for key in FACET_KEYS[1:]:
        value = getattr(column, key)
        if value != getattr(plain, key):
            out[key] = value
    return out


def _derived_out(one: Derived) -> dict[str, Any]:
    return {
        "role": one.role,
        "method": one.method,
        "sources": list(one.sources),
        "values": list(one.values),
    }


def parse(text: str) -> Mapping:
    """Return the mapping a TOML text spells, taking every column it names as given.

    Raises:
        CatalogError: If it is not TOML, or uses an unknown key or value.
    """
    return _Override(_read(text, "the mapping"), Mapping(), None, "the mapping").apply()


def override(mapping: Mapping, file: Path, profiles: Sequence[Profile]) -> Mapping:
    """Return an inferred mapping with the statements of a TOML file laid over it.

    Raises:
        CatalogError: If the file cannot be read, or names a key or column that does not exist.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogError(f"cannot read the mapping file {str(file)!r}: {error}") from error
    return _Override(_read(text, file.name), mapping, profiles, file.name).apply()


def _read(text: str, name: str) -> dict[str, Any]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"{name} is not TOML: {error}") from error
    _known(data, TOP_KEYS, name)
    for table in ("columns", "facets", "derived"):
        _table(data.get(table, {}), f"{name}, [{table}]")
    _known(data.get("columns", {}), COLUMN_KEYS, f"{name}, [columns]")
    for table, keys in (("facets", FACET_KEYS), ("derived", DERIVED_KEYS)):
        for facet, entry in data.get(table, {}).items():
            _known(_table(entry, f"{name}, {table}.{facet}"), keys, f"{name}, [{table}.{facet}]")
    return data


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CatalogError(f"{where}: expected a table, got {value!r}")
    return value


def _known(entry: dict[str, Any], keys: Iterable[str], where: str) -> None:
    for key, value in entry.items():
        if key not in keys:
            raise CatalogError(f"{where}: unknown key {key!r}; expected one of {', '.join(keys)}")
        if key in CLOSED and value not in CLOSED[key]:
            allowed = ", ".join(CLOSED[key])
            raise CatalogError(f"{where}: {key} is {value!r}; expected one of {allowed}")


class _Override:
    """One TOML file being laid over a mapping; without profiles, every column is taken as given."""

    def __init__(
        self, data: dict[str, Any], base: Mapping, profiles: Sequence[Profile] | None, name: str
    ) -> None:
        self._data = data
        self._base = base
        self._name = name
        self._free = profiles is None
        self._profiles = {(p.name, p.within): p for p in profiles or ()}
        self._columns = {(c.name, c.within): c for c in base.columns}
        self._order: list[str] = []

    def apply(self) -> Mapping:
        """Return the mapping with all statements applied."""
        said = self._data.get("columns", {})
        for use in NAMED:
            if use in said:
                self._use(use, self._texts(said[use], f"columns.{use}"))
        if "price" in said:
            entries = said["price"] if isinstance(said["price"], list) else [said["price"]]
            self._prices([{"column": e} if isinstance(e, str) else e for e in entries])
        for facet, entry in self._data.get("facets", {}).items():
            self._facet(facet, entry)
        derived = {one.facet: one for one in self._base.derived}
        for facet, entry in self._data.get("derived", {}).items():
            derived[facet] = self._derived(facet, entry)
        currency = self._data.get("currency", self._base.currency)
        if currency is not None and not isinstance(currency, str):
            raise CatalogError(
                f"{self._name}: currency is {currency!r}; expected a code such as EUR"
            )
        columns = in_order(self._columns.values(), self._order)
        return Mapping(columns, tuple(derived.values()), currency)

    def _texts(self, value: Any, where: str) -> list[str]:
        texts = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            raise CatalogError(f"{self._name}, {where}: expected column names, got {value!r}")
        return texts

    def _key(self, name: str) -> tuple[str, str | None]:
        """Return the key of an existing column; "map.key" names a key of a free map."""
        within, dot, inner = name.partition(".")
        maps = {key[0] for key, column in self._columns.items() if column.use == "map"}
        if dot and within in maps and (name, None) not in self._columns:
            return (inner, within)
        if (name, None) in self._columns or self._free:
            return (name, None)
        columns = ", ".join(repr(n) for n, inner_of in self._columns if inner_of is None)
        raise CatalogError(f"{self._name}: there is no column {name!r}; the catalog has {columns}")

    def _use(self, use: Use, names: list[str]) -> None:
        if use not in ("ignore", "map"):
            for key, column in list(self._columns.items()):
                if column.use == use and column.within is None:
                    old: Use = "description" if use == "title" else "ignore"
                    self._columns[key] = Column(column.name, old)
        for name in names:
            if use == "ignore" and name in DERIVABLE and (name, None) not in self._columns:
                place: tuple[str, str | None] = (name, None)
            else:
                place = self._key(name)
            self._columns[place] = Column(place[0], use, within=place[1])
            self._order.append(place[0])

    def _prices(self, entries: list[Any]) -> None:
        for key, column in list(self._columns.items()):
            if column.use == "price":
                profile = self._profiles.get(key)
                self._columns[key] = (
                    replace(facet_column(profile), facet=self._own_name(column.name), role=None)
                    if profile
                    else Column(column.name, "ignore")
                )
        for number, entry in enumerate(entries):
            where = f"{self._name}, columns.price"
            _known(_table(entry, where), PRICE_KEYS, where)
            if "column" not in entry:
                raise CatalogError(f'{where}: expected column = "…", got {entry!r}')
            self._price(entry, first=number == 0)

    def _own_name(self, name: str) -> str:
        return name if name != PRICE else f"{name}_value"

    def _price(self, entry: dict[str, Any], first: bool) -> None:
        key = self._key(entry["column"])
        facet = PRICE if first else entry.get("facet", self._own_name(key[0]))
        profile = self._profiles.get(key) or Profile(key[0], 0, Counter(), Counter(), Counter())
        column = price_column(profile, facet)
        self._columns[key] = replace(
            column,
            role="price" if first else None,
            unit=entry.get("currency", column.unit),
            scale=float(entry.get("scale", 1.0 if self._free else column.scale)),
            decimal=entry.get("decimal", "." if self._free else column.decimal),
        )
        self._order.append(key[0])

    def _facet(self, facet: str, entry: dict[str, Any]) -> None:
        key = self._facet_key(facet, entry)
        known = self._columns.get(key)
        if known is None or known.use not in ("facet", "price"):
            profile = self._profiles.get(key)
            known = facet_column(profile) if profile else Column(key[0], "facet", within=key[1])
            known = replace(known, use="facet", kind=known.kind or "categorical")
            known = replace(known, facet=facet if self._free else key[0])
        changes = {k: v for k, v in entry.items() if k not in ("column", "within")}
        if changes.get("role") == "none":
            changes["role"] = None
        if "scale" in changes:
            changes["scale"] = float(changes["scale"])
        label = known.label or ("" if self._free else words.label_of(key[0]))
        self._columns[key] = replace(known, **{"label": label, **changes})

    def _facet_key(self, facet: str, entry: dict[str, Any]) -> tuple[str, str | None]:
        name, within = entry.get("column", facet), entry.get("within")
        if self._free or (name, within) in self._columns:
            return (name, within)
        for key, column in self._columns.items():
            if column.facet == facet or (column.name == name and column.within):
                return key
        maps = [column.name for column in self._columns.values() if column.use == "map"]
        if within in maps:
            return (name, within)
        return self._key(name)

    def _derived(self, facet: str, entry: dict[str, Any]) -> Derived:
        missing = [key for key in ("role", "method", "sources") if key not in entry]
        if missing:
            raise CatalogError(f"{self._name}, [derived.{facet}]: {missing[0]} is missing")
        sources = tuple(self._texts(entry["sources"], f"derived.{facet}.sources"))
        for source in sources:
            self._key(source)
        found = tuple(self._texts(entry.get("values", []), f"derived.{facet}.values"))
        if not found and entry["method"] != "colours":
            raise CatalogError(f"{self._name}, [derived.{facet}]: expected values to look for")
        return Derived(facet, entry["role"], entry["method"], sources, found)
