"""Payment cards and bank accounts: by issuer, length and check digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.privacy.found import (
    BEFORE,
    Found,
    ascii_digits,
    digits_of,
    groups_of,
    is_amount,
    names_reference,
    windows,
)
from agent.privacy.reading import Reading

_RUN = re.compile(r"(?<![\w.,/+-])\d(?:[ \u00a0.–-]{0,2}\d){11,27}(?![\w])")
_GROUPED = re.compile(
    r"(?<![\w.,/+-])(?:\d{4}(?P<by>[^\w,;]{1,3}|_)\d{4}(?P=by)\d{4}(?P=by)\d{4}(?:(?P=by)\d{3})?|"
    r"\d{4}(?P<at>[^\w,;]{1,3}|_)\d{6}(?P=at)\d{5})(?!\w)"
)
"""Digits as they are grouped on a card, whatever stands between the groups."""

_CARD_CUE = re.compile(
    r"\b(?:card|credit|debit|visa|mastercard|amex|maestro|karte|kreditkarte|carte|tarjeta|carta|"
    r"cartão|kaart|pay with|paid with|charge)\b|(?:信用|银行|借记|储蓄)?卡号?",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?:\b(?:cvv2?|cvc2?|cid|security code|prüfziffer)\b(?: (?:code|number))?(?: is)?|"
    r"安全码(?:是|为)?)"
    r"\s*[:=]?\s*(\d{3,4})"
    r"(?!\w)",
    re.IGNORECASE,
)

ISSUERS = (
    (re.compile(r"4"), (16, 19)),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"30[0-5]|309|36|38|39"), (14, 16)),
    (re.compile(r"6011|64[4-9]|65"), (16, 19)),
    (re.compile(r"35(?:2[89]|[3-8])"), (16,)),
    (re.compile(r"62"), (16, 17, 18, 19)),
    (re.compile(r"5018|5020|5038|5893|6304|6759|676[1-3]"), (13, 14, 15, 16, 17, 18, 19)),
    (re.compile(r"220[0-4]"), (16,)),
)
"""How numbers begin and how long they are: Visa, Mastercard, American Express, Diners, Discover,
JCB, UnionPay, Maestro, Mir. Visa cards of 13 digits are long gone, and look like EANs."""


def is_card(digits: str) -> bool:
    """Return whether digits are the number of a payment card."""
    issued = any(len(digits) in lengths and start.match(digits) for start, lengths in ISSUERS)
    return issued and is_checked(digits)


def is_checked(digits: str) -> bool:
    """Return whether digits end in the check digit that cards have."""
    from stdnum import luhn

    return len(set(digits)) > 1 and bool(luhn.is_valid(digits))


def cards(reading: Reading) -> Iterator[Found]:
    """Yield the numbers of cards, also mistyped ones where they are said to be of a card."""
    text = reading.text
    for one in _GROUPED.finditer(reading.apart):
        if is_card(ascii_digits(one[0])) and not names_reference(text, one.start()):
            yield Found(*one.span(), "card")
    for run in _RUN.finditer(reading.apart):
        groups = groups_of(text, *run.span())
        cued = _CARD_CUE.search(text, max(0, run.start() - BEFORE), run.start())
        if not cued and names_reference(text, run.start()):
            continue
        for window in windows(groups, 12 if cued else 13, 19):
            digits = digits_of(window)
            if is_card(digits) or (cued and is_checked(digits)):
                yield Found(window[0].start, window[-1].end, "card")
                break
        else:
            if cued and not is_amount(text, *run.span()):
                yield Found(run.start(), run.end(), "card")
    for code in _CODE.finditer(text):
        yield Found(*code.span(1), "card")


_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[ ]?\d{2}(?:[ \u00a0-]?[A-Za-z0-9]){11,34}")
_IBAN_CUE = re.compile(
    r"\b(?:iban|bank|konto(?:nummer)?|account|refund|transfer|money)\b", re.IGNORECASE
)
_ACCOUNT = re.compile(
    r"(?:\b(?:sort code|routing(?: number| no\.?)?|(?:bank )?account (?:number|no\.?)|bsb|"
    r"kontonummer|konto(?: nr\.?)?|bankleitzahl|blz|rekeningnummer)|(?:银行|收款)?[账帐][号户])"
    r"\W{0,3}(?:(?:is|ist|是|为)\W{0,2})?(?P<number>\d(?:[ -]?\d){4,16})(?!\w)",
    re.IGNORECASE,
)
"""Numbers of accounts as they are told within a country."""
_IBAN_SHAPE = re.compile(r"[A-Z]{2} ?\d{2}(?:[ -]?[A-Z\d]){11,30}(?![a-z])")


def ibans(reading: Reading) -> Iterator[Found]:
    """Yield bank accounts; those whose check digits are wrong only where they are said to be."""
    from stdnum import iban

    text = reading.text
    for told in _ACCOUNT.finditer(text):
        yield Found(*told.span("number"), "iban")
    for run in _IBAN.finditer(reading.apart):
        ends = [i for i in range(run.start() + 15, run.end() + 1)
                if i == len(text) or not reading.apart[i].isalnum()]  # fmt: skip
        valid = (end for end in reversed(ends) if iban.is_valid(text[run.start() : end]))
        end = next(valid, None)
        if end is None and _IBAN_CUE.search(text, max(0, run.start() - BEFORE), run.start()):
            shape = _IBAN_SHAPE.match(text, run.start())
            end = shape.end() if shape and shape.end() - run.start() >= 15 else None
        if end is not None:
            yield Found(run.start(), end, "iban")
