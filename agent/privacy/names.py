"""Names of people, where the words before say that one comes: "my name is …", "I'm …", "dear …".

A name that nothing announces is left: it is more often an author or a brand than the user.
After sure words (`SURE`) whatever comes is a name; after others it must be one of the lists, or be
written as names are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files

from agent.privacy.found import Found

MOST_PARTS = 4
_TITLES = (
    r"(?:mrs?|ms|miss|mx|dr|prof(?:essor)?|herrn?|frau|mme|madame|monsieur|señora?|sra?|signora?|"
    r"sig)"
)
_TITLE = re.compile(rf"[ ]*{_TITLES}\b\.?(?=[ ]+[^\W\d_])", re.IGNORECASE)
_KIN = (
    r"(?:wife|husband|son|daughter|mum|mom|mother|dad|father|brother|sister|friend|boyfriend|"
    r"girlfriend|partner|boss|colleague|niece|nephew|aunt|uncle|grand(?:ma|pa|son|daughter|mother|"
    r"father)|fianc[ée]e?|room-?mate|flat-?mate|neighbou?r|cousin|kid|teacher|mother-in-law|"
    r"father-in-law|stepson|stepdaughter|assistant|secretary)"
)

SURE = re.compile(
    r"\bmy (?:full |first |last |middle |sur|real |legal |maiden )?name(?:'s| is| ist|:)"
    r"|\bmy (?:first |last )name|\b(?:first|last|family|sur|full|given|billing|contact|cardholder|"
    r"customer|guest)"
    r" ?name(?: is|:)|\b(?:surname|cardholder|account holder|recipient|addressee)(?: is|:)"
    r"|\bname on (?:the |my )?(?:card|account|order|booking|package|parcel)(?: is|:| should be)"
    r"|\b(?:in|under) the name(?: of)?|\bunder (?=mrs?\b)|\bi(?:'m| am) (?:called|named)"
    r"|\bthey call me|\battn\.?:?|\bc/o"
    r"|\bmein name ist|\bich hei(?:ß|ss)e|\bje m['’]appelle|\bmon nom(?: est|:)|\bme llamo"
    r"|\bmi nombre es|\bmi chiamo|\bil mio nome è|\bik heet|\bmijn naam is|\b(?:o )?meu nome é"
    r"|\bme chamo|\bjag heter|\bnazywam się|\bmam na imię|\bменя зовут|\bмо[её] имя|\bмене звати"
    r"|(?:^|[\n,;.(]\s*)name:(?=\s*\S+)"
    rf"|\b(?:my|our) (?:\w+ )?{_KIN}(?:'s name is|,? (?:named|called))",
    re.IGNORECASE,
)
LIKELY = re.compile(
    r"\b(?:(?-i:i['’]?m|I['’]m|IM)|i am|ich bin|je suis|soy|sono|ik ben|eu sou)(?=[ ])"
    r"|(?<![\w-])(?:call me|ask for|(?:speak|spoke|speaking|talk|talked|talking) (?:to|with)|"
    r"contact|(?:customer|guest) name|"
    r"signed(?: by)?,?|regards,?|best wishes,?|sincerely,?|cheers,?|thank(?:s| you),?|"
    r"yours,?|greetings from|grüße,?|gruß,?|cordialement,?|saludos,?)(?=\s)"
    rf"|\b(?:my|our) (?:\w+ )?{_KIN},?(?=[ ])",
    re.IGNORECASE,
)
"""After these a name of the lists, or two words written as names are."""

_PRESENTED = re.compile(
    r"(?:^|[.!?\n,]\s*|\b(?:hi|hello|hey|hallo|morning|afternoon|evening),? )"
    r"(?:this is|hier ist|hier spricht|habla)(?=[ ])",
    re.IGNORECASE,
)
_SPEAKING = re.compile(
    r"(?:^|[.!?\n]\s*|\b(?:hi|hello|hey|hallo|it's|it is),? )"
    r"(?=[^\W\d_][\w'’-]+(?: [^\W\d_][\w'’-]+){0,2} (?:here|speaking|calling)\b)",
    re.IGNORECASE,
)
_TOWARDS = re.compile(
    r"\b(?:ship|deliver|send|post|hand|give|address)(?:ed)?"
    r"(?: (?:it|them|this|that|the \w+))? to(?=[ ])"
    r"|\b(?:on behalf of|order(?:ed)? (?:for|by)|gift for|present for|booked by|paid by)(?=[ ])",
    re.IGNORECASE,
)
"""After these two names of the lists: one alone may be a town."""

_DEAR = re.compile(r"(?:^|\n|[.!?]\s)\s*(?:dear|hi|hello|hey|hallo|liebe[rs]?)(?=[ ])", re.I)
_ADDRESSED = re.compile(
    r"\b(?:for|dear|to|from|morning,?|afternoon,?|evening,?|i'm|i am|this is|it's|hi|hello|"
    r"deliver(?:ed)?|contact|under|regards,?|sincerely,?|signed|an|für|pour|para|per|voor|"
    r"bonjour|hallo|guten tag)"
    rf"(?=[ \n]+{_TITLES}\b\.?[ ]+[^\W\d_])",
    re.IGNORECASE,
)

_ON_LETTER = re.compile(
    r"(?<![\w.])(?P<name>[A-ZÀ-ÞŁŚŻ][\w'’-]+(?: [A-ZÀ-ÞŁŚŻ][\w'’.-]*){1,3})"
    r"(?=,?[ \n]{1,2}\[address\])"
)
"""Right before an address: who lives there, as on a letter."""
_OF_KIN = re.compile(rf"\b{_KIN}\W*$", re.IGNORECASE)
_THANKS = re.compile(r"thank|regards|best|sincerely|cheers|yours|greetings|signed", re.IGNORECASE)
_GOES_ON = re.compile(
    r"\s*(?:$|[,.;:!?)\n]|['’]s\b|(?:is|has|likes?|loves?|wants?|needs?|wears?|who|and|would|will|"
    r"said|asked|turns?|turned|hates?|plays?|uses?|prefers?|can|cannot|was|already|in|for)\b)"
)
_WORD = re.compile(r"[ \t]*([^\W\d_](?:[^\W\d_]|['’.-](?=[^\W\d_]))*)\.?")
_SPEAKS = re.compile(r" (?:here|speaking|calling)\b", re.IGNORECASE)
_BREAK = re.compile(
    r"\s*(?:$|[,.;:!?)\n\[]|\band\b|\bfrom\b|\bhere\b|\bspeaking\b|\bbut\b|\bi\b)", re.I
)


@cache
def _list(name: str) -> frozenset[str]:
    path = files("agent.privacy") / "data" / f"{name}.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@cache
def _firsts() -> frozenset[str]:
    """Return the first names, also as they are written without accents."""
    return _list("first_names") | {_bare(name) for name in _list("first_names")}


def _bare(name: str) -> str:
    parts = unicodedata.normalize("NFKD", name)
    return "".join(one for one in parts if not unicodedata.combining(one)).replace("ł", "l")


def is_first(word: str) -> bool:
    """Return whether a word is a first name; everyday words are only where written as a name."""
    name = word.casefold().replace("’", "'")
    shapes = (name, _bare(name), *name.split("-")[:1])
    return any(one in _firsts() for one in shapes) or (
        word[0].isupper() and name in _list("double_names")
    )


def names(text: str, is_other: Callable[[str], bool]) -> Iterator[Found]:
    """Yield names of people.

    Args:
        is_other: Whether words are the name of something else: a brand, an author, a title.
    """
    for cue in SURE.finditer(text):
        if not _in_title(cue):
            yield from _named(_parts(text, cue.end(), sure=True))
    for one in _ON_LETTER.finditer(text):
        if not is_other(one["name"]) and not all(map(_is_common, one["name"].casefold().split())):
            yield Found(*one.span("name"), "name")
    for cue in _ADDRESSED.finditer(text):
        yield from _titled(text, cue.end())
    weak = (
        (LIKELY, _likely), (_PRESENTED, _presented), (_SPEAKING, _speaking), (_TOWARDS, _full),
        (_DEAR, _greeted),
    )  # fmt: skip
    for cues, rule in weak:
        for cue in cues.finditer(text):
            for found in _named([] if _in_title(cue) else rule(text, cue)):
                said = (text[start : found.end] for start in (found.start, cue.start()))
                if not any(map(is_other, said)):
                    yield found


def _in_title(cue: re.Match[str]) -> bool:
    """Return whether words are written as titles of works are: "My Name Is …"."""
    return " " in cue[0].strip() and cue[0].strip().istitle()


Part = re.Match[str]


def _named(parts: list[Part]) -> Iterator[Found]:
    if parts:
        yield Found(parts[0].start(1), parts[-1].end(1), "name")


def _words(text: str, start: int) -> list[Part]:
    """Return the next words of one phrase."""
    words: list[Part] = []
    while len(words) < MOST_PARTS + 2 and (word := _WORD.match(text, start)):
        words.append(word)
        start = word.end(1)
        if text[start : start + 1] == "." and len(word[1]) == 1:
            start += 1
        elif text[start : start + 1] not in (" ", "\t"):
            break
    return words


def _after(text: str, start: int) -> int:
    """Return where words begin after blanks, colons, quotes and a title."""
    gap = re.compile(r"[\s:,\"“'‘-]*").match(text, start)
    start = gap.end() if gap else start
    title = _TITLE.match(text, start)
    return title.end() if title else start


def _parts(text: str, start: int, *, sure: bool) -> list[Part]:
    """Return the words of a name: written large, or as far as no everyday word comes."""
    found: list[Part] = []
    for word in _words(text, _after(text, start)):
        plain = word[1].casefold()
        large = word[1][0].isupper()
        if plain not in _list("particles") and (plain in _list("no_names") or "n't" in plain):
            break
        if found and not (
            large or plain in _list("particles") or _goes_on(text, found, word, sure)
        ):
            break
        found.append(word)
        if len(found) == MOST_PARTS:
            break
    while found and found[-1][1].casefold() in _list("particles"):
        found.pop()
    return found


def _goes_on(text: str, found: list[Part], word: Part, sure: bool) -> bool:
    """Return whether a word written small is part of the name before it."""
    plain, end = word[1].casefold(), word.end(1)
    if plain in _list("last_names") or plain in _list("first_names"):
        return True
    return (
        len(found) == 1
        and found[0][1].islower()
        and not _is_common(plain)
        and (sure or bool(_BREAK.match(text, end)))
    )


def _is_common(plain: str) -> bool:
    from retrieval.spelling import english

    return plain in english()


def _written_as_name(text: str, parts: list[Part]) -> bool:
    """Return whether two or three words in capitals stand as a name does, and end the phrase."""
    own = [part[1] for part in parts if part[1].casefold() not in _list("particles")]
    if not 2 <= len(own) <= 3 or not all(one[0].isupper() and not one.isupper() for one in own):
        return False
    return not _is_common(own[0].casefold()) and bool(_BREAK.match(text, parts[-1].end(1)))


def _likely(text: str, cue: re.Match[str]) -> list[Part]:
    parts = _parts(text, cue.end(), sure=False)
    if not parts or parts[0][1].casefold() in _list("not_called"):
        return []
    if is_first(parts[0][1]) or _written_as_name(text, parts):
        return parts
    alone = _is_unknown(parts) and (
        (_OF_KIN.search(cue[0]) and _GOES_ON.match(text, parts[-1].end(1)))
        or (_THANKS.match(cue[0]) and not text[parts[-1].end(1) :].strip(" .!"))
    )
    return parts if alone else []


def _is_unknown(parts: list[Part]) -> bool:
    """Return whether words are written large and are no everyday words: perhaps a rare name."""
    return all(part[1].istitle() and not _is_common(part[1].casefold()) for part in parts)


def _listed(text: str, cue: re.Match[str]) -> list[Part]:
    parts = _parts(text, cue.end(), sure=False)
    return parts if parts and is_first(parts[0][1]) else []


def _presented(text: str, cue: re.Match[str]) -> list[Part]:
    """After "this is", which films and things are presented by too: names that end the phrase."""
    parts = _speaking(text, cue) or _listed(text, cue)
    if not parts:
        return []
    large = parts[0][1][0].isupper()
    return parts if (_BREAK if large else _SPEAKS).match(text, parts[-1].end(1)) else []


def _speaking(text: str, cue: re.Match[str]) -> list[Part]:
    parts = _parts(text, cue.end(), sure=False)
    if not parts or not (is_first(parts[0][1]) or _is_unknown(parts)):
        return []
    return parts if _SPEAKS.match(text, parts[-1].end(1)) else []


def _full(text: str, cue: re.Match[str]) -> list[Part]:
    parts = _listed(text, cue)
    return parts if len(parts) > 1 else []


def _greeted(text: str, cue: re.Match[str]) -> list[Part]:
    parts = _parts(text, cue.end(), sure=False)
    if not parts or not re.match(r"\s*(?:[,!.\n]|$)", text[parts[-1].end(1) :]):
        return []
    rare = "dear" in cue[0].casefold() and _is_unknown(parts)
    return parts if rare or is_first(parts[0][1]) else []


def _titled(text: str, start: int) -> Iterator[Found]:
    parts = _parts(text, _after(text, start), sure=False)
    if not parts:
        return
    own = [part[1] for part in parts if part[1].casefold() not in _list("particles")]
    first = own[0]
    listed = first.casefold() in _list("last_names") or is_first(first)
    if first.casefold() not in _list("not_people") and (first[0].isupper() or listed):
        yield Found(parts[0].start(1), parts[-1].end(1), "name")
