"""Dates of birth, where words announce one: "born 12 May 1987", "DOB: 12/05/87", "我的生日是…".

A date that nothing announces is left: it is more often when something came out, or is to arrive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.privacy.found import Found

_MONTH = (
    r"(?:jan(?:uar[yi]?|v(?:ier)?|eiro)?|feb(?:r(?:uar[yi]?|aio|ero))?|f[ée]vr(?:ier)?|fevereiro|"
    r"mar(?:ch|s|zo|ço)?|märz|maart|mrt|apr(?:il[es]?|ile)?|avr(?:il)?|abr(?:il)?|may|mai|mei|mayo|"
    r"maio|maggio|jun[ei]?|juni|juin|junio|junho|giugno|jul[yi]?|juillet|julio|julho|luglio|"
    r"aug(?:ust(?:us)?)?|août|agosto|sep(?:t(?:ember|embre|iembre)?)?|settembre|setembro|"
    r"okt(?:ober)?|oct(?:ob(?:er|re))?|octubre|outubro|ottobre|nov(?:emb(?:er|re)|iembre|embro)?|"
    r"de[cz](?:emb(?:er|re)|embro)?|d[ée]c(?:embre)?|diciembre|dicembre|stycznia|lutego|marca|"
    r"kwietnia|maja|czerwca|lipca|sierpnia|września|października|listopada|grudnia|января|февраля|"
    r"марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря)\b\.?"
)
_OF = r"(?:,? ?(?:of|de|del|di)?\.? ?)"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|er|[.ºª])?"
_YEAR = r"(?:(?:19|20)\d\d|['’]\d\d)"
_DATED = (
    rf"(?:(?:{_DAY}{_OF}{_MONTH}|{_MONTH} {_DAY}){_OF}{_YEAR}|"
    rf"(?:19|20)\d\d ?[./-] ?\d{{1,2}} ?[./-] ?\d{{1,2}}|"
    rf"\d{{1,2}} ?[./ -] ?\d{{1,2}} ?[./ -] ?(?:(?:19|20)\d\d|\d\d)|"
    rf"(?:19|20)\d\d年 ?\d{{1,2}}月(?: ?\d{{1,2}}[日号])?)(?!\d)"
)
"""A date with its year."""
_ANY = (
    rf"(?:{_DATED}|(?:the )?{_DAY}{_OF}{_MONTH}|{_MONTH} (?:the )?{_DAY}(?!\d)|{_MONTH} {_YEAR}|"
    rf"\d{{1,2}}[./-]\d{{1,2}}(?!\d)|(?:19|20)\d{{6}}(?!\d)|\d{{4}}(?:19|20)\d\d(?!\d)|"
    rf"(?:\d{{1,2}}月 ?\d{{1,2}}[日号]|(?:19|20)?\d\d年))"
)
_LINK = r"\W{0,3}(?:(?:is|was|ist|war|est|es|è|é|to|jest|är|on|am|der|le|el|il|the)\b\W{0,3}){0,2}"
_SAID = (
    r"\b(?:date[ -]of[ -]birth|birth[ -]?date|d\.?o\.?b\b|geburtsdatum|geboortedatum|"
    r"date de naissance|fecha de nacimiento|data di nascita|data de nascimento|data urodzenia|"
    r"födelsedatum|дата рождения)"
)
"""What a date of birth is called: whatever date comes after."""
_WAS = (
    r"\b(?:born on|geboren (?:am|op)|(?:suis |est )?née? le|nac[ií] el|nacid[oa] el|"
    r"(?:sono )?nat[oa] il|nasci(?:d[oa])? (?:em|a)|urodzon[ya]|urodziłe?[am]m?(?: się)?|"
    r"född(?: den)?|"
    r"родил(?:ся|ась))"
)
_PERSON = r"\b(?:i|he|she|they|we|(?:my|our) [\w-]{2,14})(?:'m|'s| am| is| was| were)"
_RULES = (
    re.compile(rf"{_SAID}{_LINK}(?P<date>{_ANY})", re.IGNORECASE),
    re.compile(rf"{_WAS}\W{{0,3}}(?P<date>{_ANY})", re.IGNORECASE),
    re.compile(rf"\bborn\W{{1,3}}(?:on )?(?:the )?(?P<date>{_DATED})", re.IGNORECASE),
    re.compile(rf"{_PERSON} born in (?P<date>{_MONTH} {_YEAR}|{_YEAR})(?!\w)", re.IGNORECASE),
    re.compile(
        rf"\b(?:birthday|b-?day|geburtstag|verjaardag|anniversaire|cumpleaños|compleanno|aniversário)"
        rf"(?:'s|\W{{0,2}} (?:is|was|ist|est|es|è|é)\b|\s?[:=])\W{{0,3}}"
        rf"(?:(?:on|am|le|el|il|the)\b ?){{0,2}}(?P<date>{_ANY})",
        re.IGNORECASE,
    ),
    re.compile(rf"\bbirthday,? (?:on )?(?:the )?(?P<date>{_DATED})", re.IGNORECASE),
    re.compile(
        rf"(?<!\d)(?P<date>{_DATED}),? (?:is|was) (?:my|our|his|her|their|the) "
        r"(?:date of birth|birth ?date|birthday|dob)\b",
        re.IGNORECASE,
    ),
    re.compile(rf"(?:出生(?:日期|年月)?|生日|生于)(?:是|为|在|于)?[\s::,,]{{0,2}}(?P<date>{_ANY})"),
    re.compile(rf"(?P<date>{_DATED}|(?:19|20)?\d\d年)(?:出生|生的|生人)"),
)


def births(text: str) -> Iterator[Found]:
    """Yield dates of birth."""
    for rule in _RULES:
        for one in rule.finditer(text):
            yield Found(*one.span("date"), "birth")
