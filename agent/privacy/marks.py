"""Mail addresses, addresses of machines, and numbers that states give to people."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from importlib import import_module

from agent.privacy.found import BEFORE, Found, ascii_digits
from agent.privacy.reading import Reading

_MAIL = re.compile(
    r"(?<![\w.+%'-])[\w+%'][\w.+%'-]*@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,24}(?![\w@])"
)
_PROVIDERS = (
    r"(?:gmail|googlemail|yahoo|ymail|hotmail|outlook|live|msn|icloud|me|mac|aol|gmx|web|t-online|"
    r"freenet|posteo|proton(?:mail)?|mail|orange|wanadoo|laposte|free|libero|virgilio|yandex|qq|"
    r"163|126|naver|rediffmail|zoho|fastmail|hey|btinternet|sky|comcast|verizon|att|telenet|ziggo|"
    r"kpnmail|wp|o2|onet|seznam|uol|bol|terra)"
)
_ENDS = r"(?:com|net|org|de|fr|es|it|nl|be|at|ch|pl|pt|br|in|co|uk|se|dk|no|fi|ru|cn|eu|io|me|info)"
_SPELLED = re.compile(
    r"(?<![\w.])(?!(?:available|sold|buy|bought|found|listed|cheaper|order|ordered|look|looked|seen|"
    r"shop|online|only|prices?|is|it|mail|email|me|this|that)\b)"
    rf"[a-z0-9][\w.+-]{{1,63}}\s?(?:\(at\)|\[at\]|\{{at\}}|\sat\s|@)\s?"
    rf"(?:{_PROVIDERS}\s?(?:\(dot\)|\[dot\]|\sdot\s|\.)\s?{_ENDS}(?:\.{_ENDS})?|"
    rf"[\w-]{{2,63}}\s?(?:\(dot\)|\[dot\]|\sdot\s)\s?{_ENDS}"
    rf"(?:\s?(?:\(dot\)|\[dot\]|\sdot\s|\.)\s?{_ENDS})?)(?!\w)",
    re.IGNORECASE,
)


_BRACKETED = re.compile(
    rf"(?<![\w.])[a-z0-9][\w.+-]{{1,63}}\s?(?:\(at\)|\[at\]|\{{at\}})\s?[\w-]{{2,63}}"
    rf"(?:\.[\w-]{{2,63}})?\.{_ENDS}(?!\w)",
    re.IGNORECASE,
)
"""The sign in brackets is in nothing but mail addresses: of any domain."""
_TOLD = re.compile(
    r"\b(?:e-?mail|mail|correo|courriel|reach|write)\b[^@\n.!?]{0,24}?[\s:](?P<mail>"
    rf"[a-z0-9][\w.+-]{{1,63}}(?: at | ?@ ?)[\w-]{{2,63}}(?:\.[\w-]{{2,63}})?\.{_ENDS})(?!\w)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"\"[^\"\n]{1,64}\"@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,24}(?![\w@])")
_SIGN = re.compile(r"@|\bat\b", re.IGNORECASE)


def mails(reading: Reading) -> Iterator[Found]:
    """Yield mail addresses, also spelled out: "ann at gmail dot com"."""
    text = reading.apart
    if not _SIGN.search(text):
        return
    for shape in (_MAIL, _QUOTED, _SPELLED, _BRACKETED):
        for one in shape.finditer(text):
            yield Found(*one.span(), "mail")
    for one in _TOLD.finditer(text):
        yield Found(*one.span("mail"), "mail")


_FOUR = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_SIX = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_VERSION = re.compile(r"\b(?:v|version|ver|firmware|release|build|bluetooth|usb)\.? ?$", re.I)


def machines(reading: Reading) -> Iterator[Found]:
    """Yield IP addresses."""
    text = reading.apart
    for one in (*_FOUR.finditer(text), *_SIX.finditer(text)):
        if _VERSION.search(text, max(0, one.start() - BEFORE), one.start()):
            continue
        if ":" in one[0] and sum(map(str.isdigit, one[0])) < 2:
            continue
        try:
            ipaddress.ip_address(one[0])
        except ValueError:
            continue
        yield Found(*one.span(), "ip")


_FREE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])"), "us.ssn"),
    (re.compile(r"(?<![\w.])\d{3}\.\d{3}\.\d{3}-\d{2}(?!\w)"), "br.cpf"),
    (re.compile(r"(?<!\w)\d{8}-?[A-HJ-NP-TV-Z](?!\w)"), "es.dni"),
    (re.compile(r"(?<!\w)[XYZ]-?\d{7}-?[A-HJ-NP-TV-Z](?!\w)"), "es.nie"),
    (re.compile(r"(?<!\w)[A-Za-z]{6}\d{2}[A-Za-z]\d{2}[A-Za-z]\d{3}[A-Za-z](?!\w)"),
     "it.codicefiscale"),
    (re.compile(r"(?<!\w)[12] ?\d{2} ?[01]\d ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}(?!\w)"), "fr.nir"),
    (re.compile(r"(?<!\w)[2-9]\d{3} \d{4} \d{4}(?! ?\d|\w)"), "in_.aadhaar"),
    (re.compile(r"(?<!\w)\d{17}[\dXx](?!\w)"), "cn.ric"),
    (re.compile(r"(?<!\w)[A-Z]{2} \d{2} \d{2} \d{2} [A-D](?!\w)"), ""),
)  # fmt: skip
"""Numbers that are written in a way of their own, and what knows their check digits, if any."""

_SAID = re.compile(
    r"(?:\b(?:passport|pasaporte|passeport|reisepass|id card|identity card|national id|ausweis|"
    r"ausweisnummer|personalausweis|driver'?s? licen[cs]e|driving licen[cs]e|ssn|social security|"
    r"nino|national insurance|pesel|bsn|personnummer|aadhaar|pan card|steuer-?id|tax id|cpf|dni|"
    r"nie|codice fiscale|numéro de sécurité sociale)(?: (?:number|no\.?|nr\.?|nummer))?"
    r"(?: (?:is|ist|est|es))?|(?:身份证|护照|驾照|社保)(?:号码|号)?(?:是|为)?)"
    r"\s*[:=#]?\s*((?=[A-Za-z./-]{0,6}[ ]?\d)[A-Za-z0-9]"
    r"(?:[ ./-]?[A-Za-z]{0,4}\d[A-Za-z0-9]{0,4}){4,14})(?!\w)",
    re.IGNORECASE,
)


def ids(reading: Reading) -> Iterator[Found]:
    """Yield numbers of passports, social security and the like."""
    for shape, name in _FREE:
        for one in shape.finditer(reading.apart):
            if _is_valid(name, one[0]):
                yield Found(*one.span(), "id")
    for one in _SAID.finditer(reading.text):
        if len(ascii_digits(one[1])) >= 5:
            yield Found(*one.span(1), "id")


def _is_valid(name: str, number: str) -> bool:
    if not name:
        return True
    check: Callable[[str], bool] = import_module(f"stdnum.{name}").is_valid
    return check(number)
