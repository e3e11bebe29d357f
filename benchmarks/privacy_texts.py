"""Utterances with personal data in them, made of templates and Faker's values, or read from files.

What is personal is known by its place. Templates of the held-out set are others than those of the
development set, and its values come from other seeds and more countries.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from faker import Faker

DATA = Path(__file__).parent / "privacy_data"
_SLOT = re.compile(r"\{(\w+)(?:\|([^}]*))?\}")

DEV_LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "en_IN")
HELD_LOCALES = (*DEV_LOCALES, "pt_BR", "sv_SE", "en_AU", "en_CA", "de_AT", "da_DK")

DEV = {
    "mail": (
        "my email is {mail}", "send the receipt to {mail} please", "{mail} is where you reach me",
        "can you mail {mail} when the red one is back in stock?", "e-mail: {mail}, size 42",
    ),
    "phone": (
        "call me at {phone}", "my number is {phone}, i want it in blue", "phone: {phone}",
        "text {phone} when it ships", "you can reach me on {phone} after 5",
        "my mobile is {phone}", "{phone} is my phone, under 60 euros please",
    ),
    "card": (
        "my card is {card}", "pay with {card} please", "credit card {card}, and gift wrap it",
        "use visa {card} for the shoes under 80",
    ),
    "iban": (
        "my iban is {iban}", "refund it to {iban} please", "account {iban}, thanks",
    ),
    "address": (
        "ship it to {address}", "my address is {address}", "i live at {address}, do you deliver?",
        "please deliver the sofa to {address}",
    ),
    "name": (
        "my name is {name} and i want black boots", "I'm {name}, looking for a laptop under 900",
        "this is {name} speaking", "the order is in the name of {name}",
        "my wife {first} likes red",
        "Thanks, {first}", "Dear {first}, is it waterproof?", "name: {name}",
        "it's for Mr {last}, size 44",
    ),
}  # fmt: skip

HELD = {
    "mail": (
        "could you write to {mail} about the blue jacket", "reach out under {mail}. Also under 50?",
        "contact {mail}", "I used {mail} for the order from last week",
    ),
    "phone": (
        "please ring {phone} before delivery", "contact number {phone}",
        "whatsapp me on {phone} with pictures", "my phone number is {phone} and i need a size 39",
        "best way to get me: {phone}",
    ),
    "card": (
        "charge {card} instead", "the new one is {card}, same name", "mastercard {card} ok?",
        "my debit card number {card} got refused when i bought 2 lamps",
    ),
    "iban": (
        "send the money back to {iban}", "bank details: {iban}", "{iban} is my new account number",
    ),
    "address": (
        "can you send the chair to {address} by friday", "delivery address: {address}",
        "we have moved to {address}", "the parcel should go to {address}, not the old flat",
    ),
    "name": (
        "Hi, I am {name}. Do you have trail shoes?", "i'm {lower}, i need a gift under 30",
        "{name} here, about the second one", "my friend {first} has the same in green",
        "under the name {name} please", "my son {first} is 10, which bike?",
        "Best regards, {name}", "please deliver to {name}", "name on the card is {name}",
        "for Mrs {last}, she wears a medium", "my full name is {name}",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """An utterance.

    Args:
        spans: What is personal: start, end, kind.
        source: The kind it was made for, or the file it is from.
    """

    text: str
    spans: tuple[tuple[int, int, str], ...]
    source: str
    locale: str = ""


def marked(line: str, values: dict[str, str], source: str, locale: str = "") -> Said:
    """Return an utterance of a line with slots: `{kind}` with a value, or `{kind|text}`."""
    parts, spans, at, size = [], [], 0, 0
    for slot in _SLOT.finditer(line):
        before = line[at : slot.start()]
        kind, text = slot[1], slot[2] if slot[2] is not None else values[slot[1]]
        parts += [before, text]
        size += len(before)
        kind = "name" if kind in ("first", "last", "lower") else kind
        spans.append((size, size + len(text), kind))
        size += len(text)
        at = slot.end()
    return Said("".join([*parts, line[at:]]), tuple(spans), source, locale)


def written(name: str) -> list[Said]:
    """Return hand-written utterances."""
    lines = (DATA / f"written_{name}.txt").read_text(encoding="utf-8").splitlines()
    return [marked(line, {}, "written") for line in lines if line and not line.startswith("#")]


def generated(which: str, per_kind: int) -> Iterator[Said]:
    """Yield utterances of templates: so many for each kind, shared out over countries."""
    templates, locales = (DEV, DEV_LOCALES) if which == "dev" else (HELD, HELD_LOCALES)
    seed = 11 if which == "dev" else 29
    rng = random.Random(seed)
    fakers = {locale: Faker(locale) for locale in locales}
    for place, fake in enumerate(fakers.values()):
        fake.seed_instance(seed + place)
    for kind, lines in templates.items():
        for i in range(per_kind):
            locale = locales[i % len(locales)]
            yield marked(rng.choice(lines), _values(fakers[locale], rng), kind, locale)


def _values(fake: Faker, rng: random.Random) -> dict[str, str]:
    first, last = fake.first_name(), fake.last_name()
    name = f"{first} {last}"
    address = fake.address()
    separator = rng.choice([", ", "\n"])
    return {
        "mail": fake.email(domain=rng.choice([None, "gmail.com", "web.de"])),
        "phone": fake.phone_number(), "card": _grouped(fake.credit_card_number(), rng),
        "iban": _spaced(fake.iban(), rng), "address": separator.join(address.split("\n")),
        "name": name, "first": first, "last": last, "lower": name.lower(),
    }  # fmt: skip


def _grouped(number: str, rng: random.Random) -> str:
    """Return a card's number as people write it."""
    sign = rng.choice(["", " ", "-"])
    sizes = (4, 6, 5) if len(number) == 15 else (4, 4, 4, 7)
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return sign.join(part for part in parts if part)


def _spaced(iban: str, rng: random.Random) -> str:
    if rng.random() < 0.5:
        return iban
    return " ".join(iban[i : i + 4] for i in range(0, len(iban), 4))
