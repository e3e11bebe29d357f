"""Phone numbers: in international form, said to be one, or written as they are in a country."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from agent.privacy.found import (
    BEFORE,
    Found,
    Group,
    digits_of,
    groups_of,
    is_amount,
    names_reference,
    windows,
)
from agent.privacy.reading import Reading

REGIONS = (
    "US", "GB", "DE", "FR", "ES", "IT", "NL", "IN", "BR", "AU", "PL", "SE", "CH", "AT", "BE", "CN",
    "JP", "KR", "RU", "TR", "ZA", "FI", "IE", "NZ",
)  # fmt: skip
"""Countries whose own way of writing is known, besides the international form."""

_RUN = re.compile(
    r"(?<![\w#$€£¥₹.,-])(?:\(?\+ ?|00 ?)?\(?\d(?:[ \u00a0()./–-]{0,3}\d){6,19}"
    r"(?:(?! ?(?:x|ext)\.? ?\d)(?!\w|[.,]\d)|(?P<more> ?(?:x|ext\.?|extension) ?\d{1,6})(?!\w))",
    re.IGNORECASE,
)
_CUE = re.compile(
    r"\b(?:(?:call|text|ring|phone|reach|contact|message|sms|whatsapp|dial)(?: me| us| him| her| "
    r"them)?(?: back)?(?: (?:at|on|under|via))?|(?:phone|mobile|cell(?:phone)?|telephone|contact|"
    r"fax|whatsapp|landline)(?: number| no\.?| nr\.?)?(?: is|'s)?|number(?: is|'s)|tel\.?|"
    r"handy(?:nummer)?|telefon(?:nummer)?|rufnummer|numéro|portable|téléphone|teléfono|móvil|"
    r"telefono|cellulare|telefone|celular|telefoon(?:nummer)?|mobiel|тел|телефон|номер|звоните)"
    r"\W{0,4}(?:(?:is|ist|est|es|è|é) )?$"
    r"|(?:电话|手机|联系|微信|致电|号码|拨打|打)(?:号码|号|方式)?(?:是|为|给我|我)?\W{0,3}$",
    re.IGNORECASE,
)
_CUE_AFTER = re.compile(
    r",? (?:is|was|ist|est|es) (?:my|our|the|meine?|mon|mi) (?:new |work |home |private )?"
    r"(?:phone|mobile|cell|number|handy|telefon|numéro|teléfono|móvil|landline|whatsapp)\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d\d|(?:19|20)\d\d[./-]\d{1,2}[./-]\d{1,2})(?!\d)"
)
_NORTH_AMERICAN = re.compile(r"(?:1[ .-])?\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}")
_FRENCH = re.compile(r"0\d(?:\.\d\d){4}")
_RUSSIAN = re.compile(r"8[ -]?\(?\d{3}\)?[ -]?\d{3}-\d\d-\d\d")
_CHINESE = re.compile(r"1[3-9]\d(?:[ -]?\d{4}){2}")
_RANGE = re.compile(r"[1-9]\d{1,5} ?[-–/] ?[1-9]\d{1,5}")


def phones(reading: Reading) -> Iterator[Found]:
    """Yield phone numbers."""
    text = reading.text
    for run in _RUN.finditer(reading.apart):
        if _DATE.search(run[0]) or is_amount(text, *run.span()):
            continue
        found = _international(text, run) or _national(text, run)
        if found is not None:
            more = run["more"] is not None and found.end >= run.start("more")
            yield Found(found.start, run.end() if more else found.end, "phone")


def _international(text: str, run: re.Match[str]) -> Found | None:
    said = run[0].lstrip("(")
    if not said.startswith(("+", "00")):
        return None
    if said.startswith("00") and names_reference(text, run.start()):
        return None
    groups = _dialled(text, run)
    if said.startswith("00") and groups[0].digits == "00":
        groups = groups[1:]
    for window in windows(groups, 7, 16):
        if window[0] is not groups[0]:
            continue
        digits = digits_of(window).removeprefix("00")
        # "+49 (0)30 …": the zero in brackets is not dialled from abroad.
        for number in dict.fromkeys((digits, digits.replace("0", "", 1), _no_trunk(window))):
            if number and _is_valid(f"+{number}", None):
                return Found(run.start(), window[-1].end, "phone")
    if said.startswith("+") and len(digits_of(groups)) >= 8:
        return Found(run.start(), run.end(), "phone")
    return None


def _dialled(text: str, run: re.Match[str]) -> tuple[Group, ...]:
    """Return the digits of a number without those of its extension."""
    end = run.end() if run["more"] is None else run.start("more")
    return groups_of(text, run.start(), end)


def _no_trunk(window: tuple[Group, ...]) -> str:
    """Return the digits of an international number without a zero that stands for itself."""
    digits = [group.digits for group in window]
    if len(digits) > 1:
        digits[1] = digits[1].removeprefix("0")
    return "".join(digits)


def _national(text: str, run: re.Match[str]) -> Found | None:
    start = run.start()
    after = bool(_CUE_AFTER.match(text, run.end()))
    if not after and names_reference(text, start):  # also "my order number is …"
        return None
    cued = after or bool(_CUE.search(text, max(0, start - BEFORE), start))
    groups = _dialled(text, run)
    for window in windows(groups, 7, 13):
        said = text[window[0].start : window[-1].end]
        digits = digits_of(window)
        if cued and window[0] is groups[0] and _may_be(said, digits):
            return Found(start, window[-1].end, "phone")
        if _stands_alone(text, window) and _written_as_phone(said, digits):
            bracket = text[window[0].start - 1 : window[0].start] == "("
            return Found(window[0].start - bracket, window[-1].end, "phone")
    return None


def _stands_alone(text: str, window: tuple[Group, ...]) -> bool:
    """Return whether digits are no part of a longer number."""
    before, after = text[: window[0].start][-1:], text[window[-1].end :][:2]
    return before not in ("-", ".", "/") and not re.match(r"[-./–]\d", after)


def _may_be(said: str, digits: str) -> bool:
    """Return whether digits that are said to be a phone number can be one."""
    return not _RANGE.fullmatch(said) or _is_somewhere(digits)


def _written_as_phone(said: str, digits: str) -> bool:
    """Return whether digits are written as phone numbers are, and nothing else is."""
    if _NORTH_AMERICAN.fullmatch(said.lstrip("(")):
        return _is_valid(digits, "US")
    if _CHINESE.fullmatch(said) or _RUSSIAN.fullmatch(said):
        return _is_valid(digits, "CN" if digits[0] == "1" else "RU")
    if said.isdecimal():
        if not 10 <= len(digits) <= 11 or _is_code(digits):
            return False
        return _is_valid(digits, "US") or (digits[0] == "0" and _is_somewhere(digits))
    if "." in said and not _FRENCH.fullmatch(said):
        return False
    return digits[0] == "0" and 9 <= len(digits) <= 12 and _is_somewhere(digits)


def _is_somewhere(digits: str) -> bool:
    return any(_is_valid(digits, region) for region in REGIONS)


def _is_code(digits: str) -> bool:
    """Return whether digits are the number of a product or a book, by their check digit."""
    from stdnum import ean, isbn

    return bool(ean.is_valid(digits) or isbn.is_valid(digits))


def _is_valid(number: str, region: str | None) -> bool:
    import phonenumbers

    if region is not None and not _is_shaped(number, region):
        return False
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def _is_shaped(number: str, region: str) -> bool:
    """Return whether digits, without what is dialled before them, may be a number of a country."""
    shape = _shape(region)
    return any(shape.fullmatch(number, at) for at in range(_MOST_PREFIX + 1))


_MOST_PREFIX = 3
"""Digits that are dialled before a number within its country, at most: "0", or a carrier's."""


@cache
def _shape(region: str) -> re.Pattern[str]:
    """Return what all numbers of a country look like; parsing takes a hundred times as long."""
    import phonenumbers

    found = phonenumbers.PhoneMetadata.metadata_for_region(region)
    assert found is not None
    assert found.general_desc is not None
    return re.compile(str(found.general_desc.national_number_pattern))
