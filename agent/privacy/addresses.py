"""Postal addresses as several countries write them: a street with its number, a postcode.

Words that make a street elsewhere ("way", "court", "place") count only where the text is written as
an address is: in capitals, with a postcode behind, or after words such as "deliver to".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.privacy.found import BEFORE, Found

_W = r"[^\W\d_][\w'’.-]*"
_UNIT = (
    r"(?:,? ?(?:apt|apartment|unit|suite|ste|flat|floor|fl|room|rm|building|bldg|wohnung|app|"
    r"appartement|étage|piso|apto|int|interno|#)\.? ?(?:no\.? ?)?#? ?[\w-]{1,6})?"
)
_ZIP = (
    r"(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|"
    r"\d{5}(?:-\d{4}|-\d{3})?|\d{4} ?[A-Z]{2}|\d{2}-\d{3}|\d{3} ?\d{2,3}|\d{4})"
)
_TOWN = (
    r"(?:(?!(?:please|thanks?|by|and|do|does|can|asap|or|before|not|is|my|the|i|for|with|on|in)\b)"
    r"[^\W\d_][\w'’.-]*(?:[ -](?-i:[A-ZÀ-ÞŁŚŻ])[\w'’.-]*){0,2})"
)
_TAIL = (
    rf"(?:(?:,|\n| -|,? in|,? à|,? en)? ?(?:{_ZIP}(?!\w)(?:,? {_TOWN})?|"
    rf"{_TOWN},? (?:[A-Z]{{2}},? )?{_ZIP}(?!\w)|{_TOWN}, [A-Z]{{2}}(?!\w))(?: / [A-Z]{{2}}\b)?)?"
)
_CAPITAL_TOWN = r"(?:,? (?:in )?(?-i:[A-ZÄÖÜÉÁÍÓÚŁŚ])[\w'’.-]+(?: (?-i:[A-Z])[\w'’.-]+)?)?"

_STRONG = (
    r"street|avenue|ave|road|rd|boulevard|blvd|lane|terrace|crescent|highway|hwy|parkway|pkwy|"
    r"turnpike|cul-de-sac|esplanade"
)
_WEAK = (
    r"st|str|way|place|pl|court|ct|drive|dr|square|sq|close|circle|cir|loop|trail|trl|ln|mews|row|hill|"
    r"gardens|grove|park|walk|view|rise|plaza|alley|wharf|quay|heights"
)
_SIDE = r"(?: (?:north|south|east|west|n|s|e|w|ne|nw|se|sw)\b\.?)?"
_ENGLISH = re.compile(
    rf"(?<![\w.,$€£#/-])(?P<n>\d{{1,5}}[A-Da-d]?(?:[-/]\d{{1,4}})?),? "
    rf"(?P<name>(?:{_W} ){{1,4}}?)(?P<type>(?P<strong>{_STRONG})|{_WEAK})\b\.?{_SIDE}{_UNIT}",
    re.IGNORECASE,
)
_ORDINAL = re.compile(
    rf"(?<![\w.,$€£#-])\d{{1,5}} (?:(?:north|south|east|west|n|s|e|w)\.? )?"
    rf"\d{{1,3}}(?:st|nd|rd|th) (?:street|st|avenue|ave|road|rd)\b\.?{_SIDE}{_UNIT}{_TAIL}",
    re.IGNORECASE,
)
_LAST_TOWN = re.compile(rf", ?{_TOWN}(?=\s*(?:[.!?\n]|$))", re.IGNORECASE)
_TAIL_HERE = re.compile(_TAIL)
_ANY_CASE_TAIL = re.compile(_TAIL, re.IGNORECASE)
_TOWN_HERE = re.compile(_CAPITAL_TOWN)

_GERMAN = re.compile(
    rf"(?<!\w)(?:[^\W\d_][\w'’.-]{{1,30}}(?:straße|strasse|str\.|weg|platz|allee|gasse|damm|ufer|"
    rf"chaussee|promenade)|(?:{_W} ){{1,3}}(?:straße|strasse|str\.|allee|platz|weg|ring|damm|ufer)|"
    rf"(?:am|an der|auf der|im|in der|unter den|zum|zur) {_W})"
    rf" ?\d{{1,4}} ?[a-h]?(?:-\d{{1,4}})?(?!\w|[.,]\d|[ ]?(?:€|euro|cm|kg|mm|%)){_TAIL}",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"(?:stra(?:ß|ss)e|str\.|\w(?:weg|platz|allee|gasse|damm|ufer)) ?\d", re.IGNORECASE
)
_NORTHERN = re.compile(
    rf"(?<!\w)[^\W\d_][\w'’-]{{3,30}}(?:straat|laan|gracht|plein|kade|dreef|singel|gatan|vägen|"
    rf"gata|veien|vej|gade|katu|allé|steeg) \d{{1,4}} ?[a-h]?(?!\w|[.,]\d){_TAIL}",
    re.IGNORECASE,
)
_ROMANCE = re.compile(
    rf"(?<!\w)(?:(?:calle|avenida|paseo|carrer|viale|piazza|rua|travessa|praça|alameda|estrada|"
    rf"ulica|aleja) |c/ ?|avda\.? ?|ul\. ?|al\. ?|"
    r"(?P<weak>(?:via|plaza|corso|largo|vicolo|plac|av\.?) ))"
    rf"(?:{_W} ){{0,4}}?{_W},? (?:n\.?º?°? ?|nº ?|no\.? ?|número )?\d{{1,4}} ?[a-z]?(?!\w|[.,]\d)"
    rf"(?:[,/] ?\d{{1,3}}(?!-?\d))?{_UNIT}(?P<tail>{_TAIL})",
    re.IGNORECASE,
)
_FRENCH = re.compile(
    rf"(?<![\w.,-])\d{{1,4}} ?(?:bis|ter|[a-d])?,? (?:(?:rue|avenue|av\.|boulevard|bd\.?|chemin|"
    rf"allée|impasse|quai|faubourg|sentier)|(?:place|cours|route|square|passage)"
    rf"(?= (?:de|du|des|la|saint|sainte)\b| d['’])) "
    rf"(?:(?:de|du|des|la|le|les|l'|d'|l’|d’|de la|de l'|saint|sainte)[ -]?){{0,3}}{_W}"
    rf"(?:[ -](?-i:[A-ZÉÈÀÂÎ]){_W}){{0,3}}{_TAIL}",
    re.IGNORECASE,
)
_LETTER = re.compile(
    r"(?<![\w.])[A-ZÀ-ÞŁŚŻ][\w'’.-]+(?: [\w'’.-]{2,}){0,3} \d{1,3} ?[a-hA-H]?(?:, ?|\n)"
    r"(?:[A-Z]{1,2}-)?(?:\d{5}|\d{4} [A-Z]{2}|(?!19|20)\d{4}|\d{3} \d{2}|\d{2}-\d{3}) "
    r"(?!(?:Series|Pack|Pieces?|Count|Sheets?|Watts?|Edition|Model|Points?)\b)[A-ZÀ-ÞŁŚŻ][\w'’-]{2,}"
)
"""As on a letter, whatever the street is called: its number, a comma, the postcode, the town."""
_RUSSIAN = re.compile(
    r"(?<!\w)(?:(?:ул|пр|пер|наб|бул|ш)\.|улица|проспект|переулок|набережная|бульвар|шоссе) ?"
    r"[^\W\d_][\w-]*(?: [\w-]+){0,2},? ?(?:д\.? ?|дом )?\d{1,4} ?[а-я]?(?!\w)"
    r"(?:,? ?(?:кв|корп|стр|оф|под)[\w.]{0,8} ?\d{1,4}){0,3}",
    re.IGNORECASE,
)
_BOX = re.compile(
    rf"(?<!\w)(?:p\.? ?o\.? ?box|postfach|apartado(?: de correos)?|boîte postale|casella postale) "
    rf"(?:no\.? ?)?\d{{1,7}}(?!\w){_TAIL}{_CAPITAL_TOWN}",
    re.IGNORECASE,
)

_TOKEN = (
    r"(?:[A-ZÀ-ÞŁŚŻŹĆ0-9][\w'’./#&-]*|\([A-Z]{2}\)|/ [A-Z]{2}\b|"
    r"(?:de|del|la|las|los|di|da|do|dos|du|des|le|les|van|der|den|von|am|an|im|of|rue|avenue|chemin|boulevard|place|allée|impasse|quai|route|cours|via|"
    r"viale|piazza|corso|calle|avenida|plaza|paseo|rua|street|road|lane|ul\.|pl\.|"
    r"al\.|os\.|n\.?º|apt\.?|flat|unit|no\.|d'|l')(?= ))"
)
_LINE = rf"{_TOKEN}(?: {{1,2}}{_TOKEN}){{0,6}}"
_BLOCK = re.compile(rf"\s*(?P<block>(?:(?!I\b){_LINE}[ ]*[,\n]?\s*){{1,6}})")
_BLOCK_CUE = re.compile(
    r"\b(?:address(?: is|:| =)|adresse(?: ist| est|:)|dirección(?: es|:)|indirizzo(?: è|:)|"
    r"adres(?: is|:)|(?:ship|deliver|sen[dt]|post|mail|bring)(?:ed|ing)?(?: \w+){0,3}? to|"
    r"(?:parcel|package|order|it) (?:should |must |has to )?goe?s? to|"
    r"(?:live|living|stay|staying|reside) (?:at|in)|(?:moved|moving) to|wohne (?:in der|in|am)|"
    r"habite(?: au)?|livrez (?:à|au)|vivo en|abito in|woon op|woon aan|spedire a|envíelo a)"
    r"(?: (?:the|my|our|new|la|der|die|el))?(?=[ \n])",
    re.IGNORECASE,
)
"""What an address as it stands on a letter comes after."""

_NUMBERED = re.compile(r"\d")
_PARTED = re.compile(r"[,\n]|\d{4,6}")

CUE = re.compile(
    r"\b(?:address|addresse|adresse|dirección|direccion|indirizzo|endereço|adres|ship(?:ping)?|"
    r"deliver(?:y|ed)?|sen[dt]|post(?: it)?|mail (?:it|them|this)|live|living|lives|reside|moved|"
    r"wohne|liefer\w*|habite|livr\w+|vivo|envi\w+|abito|spedi\w*|woon|postcode|post code|"
    r"zip(?: ?code)?|plz|código postal|code postal)\b",
    re.IGNORECASE,
)
_NEAR = 80
_CODE_SAID = re.compile(
    r"\b(?:postcode|post code|postal code|zip(?: ?code)?|plz|postleitzahl|code postal|cap|cep|"
    r"código postal)\b(?: (?:is|ist|est|es|è))?\s*[:=]?\s*"
    rf"(?P<code>{_ZIP})(?!\w)",
    re.IGNORECASE,
)
_UK_CODE = re.compile(
    r"(?<![\w-])(?:A[BL]|B[ABDHLNRST]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[CHNX]?|F[KY]|G[LUY]?|H[ADGPRSUX]|"
    r"I[GMPV]|JE|K[ATWY]|L[ADELNSU]?|M[EKL]?|N[EGNPRW]?|O[LX]|P[AEHLOR]|R[GHM]|S[AEGKLMNOPRSTWY]?|"
    r"T[ADFNQRSW]|UB|W[ACDFNRSV]?|YO|ZE)\d[A-Z\d]? \d(?!TB|GB|HP|HZ)[ABD-HJLNP-UW-Z]{2}(?![\w/-])"
)


def addresses(text: str) -> Iterator[Found]:
    """Yield postal addresses."""
    for shape in (_ORDINAL, _NORTHERN, _FRENCH, _LETTER, _RUSSIAN, _BOX):
        for one in shape.finditer(text):
            yield Found(*_trimmed(text, one.start(), one.end()), "address")
    for one in _ROMANCE.finditer(text):
        if not one["weak"] or one["tail"] or _told(text, one):
            yield Found(*_trimmed(text, *one.span()), "address")
    for one in _GERMAN.finditer(text):
        if _is_german(one[0]) or _told(text, one):
            yield Found(*_trimmed(text, one.start(), one.end()), "address")
    yield from _english(text)
    yield from _blocks(text)
    for one in _CODE_SAID.finditer(text):
        yield Found(*one.span("code"), "address")
    for one in _UK_CODE.finditer(text):
        yield Found(*one.span(), "address")


def _blocks(text: str) -> Iterator[Found]:
    """Yield what stands after words such as "ship it to" and is written as on a letter."""
    for cue in _BLOCK_CUE.finditer(text):
        found = _BLOCK.match(text, cue.end())
        if found is None:
            continue
        block = found["block"]
        first = _NUMBERED.search(block)
        if first and _PARTED.search(block) and re.search(r"[^\W\d_]{3}", block):
            yield Found(*_trimmed(text, *found.span("block")), "address")


def _is_german(said: str) -> bool:
    """Return whether words make a street beyond doubt, rather than "in der 5"."""
    return bool(_STREET.search(said))


def _told(text: str, one: re.Match[str]) -> bool:
    """Return whether the words before speak of an address."""
    return bool(CUE.search(text, max(0, one.start() - _NEAR), one.start()))


def _english(text: str) -> Iterator[Found]:
    for one in _ENGLISH.finditer(text):
        told = _told(text, one)
        tail = (_ANY_CASE_TAIL if told else _TAIL_HERE).match(text, one.end())
        end = tail.end() if tail else one.end()
        written = all(word[0].isupper() or word[0].isdigit()
                      for word in f"{one['name']}{one['type']}".split())  # fmt: skip
        # "St Mary's" and "5 way court shoes": words that mean something else as well.
        sure = told or end > one.end() or (written and _stands_alone(text, one))
        if sure or (one["strong"] and _ends_here(text, one)):
            if end == one.end():
                town = _TOWN_HERE.match(text, end)
                end = town.end() if town and text[end : end + 1] == "," else end
                told_town = _LAST_TOWN.match(text, end) if told else None
                end = told_town.end() if told_town else end
            yield Found(*_trimmed(text, one.start(), end), "address")


def _stands_alone(text: str, one: re.Match[str]) -> bool:
    """Return whether an address is no part of a title: no capital or year goes on behind it."""
    return not re.match(r" (?:[A-Z][a-z]|\((?:19|20)\d)", text[one.end() : one.end() + 5])


def _ends_here(text: str, one: re.Match[str]) -> bool:
    """Return whether a street is the end of its phrase: "2 road bikes" is none."""
    return bool(re.match(r"\s*(?:[,.;!?\n]|$|and\b|please\b|by\b|in\b|near\b|before\b|to\b)",
                         text[one.end() : one.end() + BEFORE]))  # fmt: skip


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a span without blanks and stops at its ends."""
    while end > start and text[end - 1] in " ,.;\n-":
        end -= 1
    return start, end
