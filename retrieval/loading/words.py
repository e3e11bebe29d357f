"""What column names tell: roles, units and currencies by the words they are made of."""

from __future__ import annotations

import re
from functools import lru_cache

from retrieval.catalog import Role
from retrieval.loading.values import CODES, currency, vocabulary

ID_NAMES = (
    "id", "product id", "item id", "sku", "asin", "isbn", "isbn13", "article id", "uid", "uuid",
    "article number", "product code", "item code", "item number", "part number", "gtin", "ean",
    "upc", "handle", "identifier", "key", "code", "mpn", "artikelnummer", "referencia", "ref",
)  # fmt: skip
TITLE_NAMES = (
    "title", "product title", "item title", "name", "product name", "item name", "display name",
    "product display name", "article name", "heading", "caption", "titel", "titre", "titulo",
    "título", "nom", "nombre", "nome", "produktname", "bezeichnung", "product", "item", "label",
)  # fmt: skip
TEXT_WORDS = vocabulary(
    "description desc details detail summary overview about body text content abstract plot "
    "synopsis features feature specification specifications notes note bullet bullets blurb html "
    "beschreibung descripcion descripción descrizione slug comment comments review_text "
    "ingredients tagline subtitle headline story"
)
URL_WORDS = vocabulary("url link href permalink uri website page")
IMAGE_WORDS = vocabulary(
    "image images img photo photos picture pictures thumbnail thumb bild cover poster"
)
CURRENCY_NAMES = frozenset({"currency", "currency code", "price currency", "waehrung", "devise"})
PRICE_WORDS = vocabulary(
    "price prices pricing preis prix precio prezzo preco preço mrp msrp rrp cost amount"
)
PAID_WORDS = vocabulary(
    "sale sales offer discounted discount current final special selling our now deal net "
    "promo promotional actual"
)
OLD_WORDS = vocabulary(
    "old was market mrp list original regular rrp retail compare before msrp strike full previous "
    "crossed cost wholesale unit per shipping delivery base max min high low"
)
CENT_WORDS = vocabulary("cents cent pence paise minor")
CODE_WORDS = vocabulary(
    "id ids ean upc gtin isbn isbn13 sku asin code mpn barcode uuid guid hash phone zip oem oclc "
    "partnumber serial index"
)
COUNT_WORDS = vocabulary("count number num total n nb no amount")
BOOL_WORDS = vocabulary(
    "is has can available availability sellable stock active enabled paid free new sale organic "
    "vegan featured bestseller exclusive returnable online instock in_stock"
)

UNITS = {
    "cm": "cm", "mm": "mm", "m": "m", "km": "km", "inch": "in", "inches": "in", "ft": "ft",
    "kg": "kg", "g": "g", "gr": "g", "mg": "mg", "lb": "lb", "lbs": "lb", "oz": "oz", "ml": "ml",
    "cl": "cl", "l": "l", "litre": "l", "litres": "l", "liters": "l", "w": "W", "watt": "W",
    "watts": "W", "kw": "kW", "kwh": "kWh", "v": "V", "hz": "Hz", "khz": "kHz", "mhz": "MHz",
    "ghz": "GHz", "kb": "KB", "mb": "MB", "gb": "GB", "tb": "TB", "px": "px", "mp": "MP",
    "mah": "mAh", "wh": "Wh", "min": "minutes", "mins": "minutes", "minutes": "minutes",
    "hour": "hours", "hours": "hours", "hrs": "hours", "days": "days", "weeks": "weeks",
    "months": "months", "years": "years", "pct": "%", "percent": "%", "db": "dB", "rpm": "rpm",
    "pages": "pages", "seconds": "seconds", "sec": "seconds", "secs": "seconds", "kcal": "kcal",
}  # fmt: skip

ROLE_WORDS: dict[Role, frozenset[str]] = {
    "colour": vocabulary("colour color colours colors shade farbe couleur colore cor"),
    "brand": vocabulary(
        "brand brands manufacturer maker vendor make marke marque marca hersteller label"
    ),
    "category": vocabulary(
        "category categories subcategory type genre genres subject department dept class section "
        "kategorie categoria categoría catégorie taxonomy breadcrumb breadcrumbs"
    ),
    "audience": vocabulary("gender sex audience geschlecht demographic agegroup"),
    "material": vocabulary("material materials fabric fabrics composition stoff"),
    "size": vocabulary("size sizes größe taille talla"),
    "language": vocabulary("language languages lang sprache langue idioma"),
    "availability": vocabulary(
        "stock availability available sellable inventory instock stocked verfügbar"
    ),
    "rating": vocabulary("rating ratings stars score bewertung"),
    "popularity": vocabulary(
        "reviews ratings votes subscribers sold downloads views likes popularity students "
        "enrollments enrolments purchases followers orders sales"
    ),
    "date": vocabulary(
        "date released release published year created added launch launched publication"
    ),
}
"""Words that give a column its role, checked in this order (`roles.role_of` adds the content)."""

_CAMEL = re.compile(r"(?<=[a-zà-ÿ0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SPLIT = re.compile(r"[^\w%€$£₹]+|_+")


@lru_cache(maxsize=20_000)
def tokens(name: str) -> tuple[str, ...]:
    """Return the case-folded words of a column name: snake, camel or spaced."""
    spaced = _CAMEL.sub(" ", name)
    return tuple(word.casefold() for word in _SPLIT.split(spaced) if word)


def plain(name: str) -> str:
    """Return a column name as case-folded words with blanks between."""
    return " ".join(tokens(name))


def unit_of(name: str) -> str | None:
    """Return the unit a name ends with ("depth_cm" gives "cm"), or that it is ("hours")."""
    words = tokens(name)
    if not words or words[-1] not in UNITS:
        return None
    if len(words) == 1 and len(words[0]) < 3:
        return None
    return UNITS[words[-1]]


def currency_of(name: str) -> str | None:
    """Return the currency that a price column's name carries ("price_sar" gives SAR)."""
    words = tokens(name)
    if not PRICE_WORDS.intersection(words):
        return None
    for word in words:
        if (word.upper() in CODES or not word.isalnum()) and (found := currency(word)):
            return found
    return None


def label_of(name: str) -> str:
    """Return a column name as words for people: no unit, currency or is/has in it."""
    words = list(tokens(name))
    if len(words) > 1 and unit_of(name):
        words.pop()
    if len(words) > 1 and words[0] in ("is", "has"):
        words.pop(0)
    if PRICE_WORDS.intersection(words):
        words = [w for w in words if w.upper() not in CODES and w not in CENT_WORDS] or words
    return " ".join(words) or name
