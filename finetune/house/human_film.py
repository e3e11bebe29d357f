"""Talk about films as phrase lines: ReDial, IARD and CCPE-M.

ReDial turns carry no acts, so each sentence must match a pattern that is clear in itself; a turn
with one unclear sentence is left out. IARD's human intents decide where they and a pattern differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from finetune.house.human_text import (
    SLOT,
    Labelled,
    harmless,
    joined,
    plain,
    regex,
    table,
    tidy,
)
from finetune.house.human_titles import slotted, title_slots

Dialogue = Mapping[str, Any]

_INTENTS = {
    "recommend": {"IQU", "ANS", "REF", "PRO", "CRI-A"},
    "refine": {"PRO", "ANS", "REF", "CRI-F", "CRI-A", "REJ", "IQU"},
    "more": {"CON", "IQU"},
    "like": {"PRO", "CRI-C", "SEE", "IQU", "ANS", "CRI-A", "REF"},
    "select": {"ACC"},
    "reject": {"SEE", "REJ"},
    "detail": {"INQ"},
    "chitchat": {"OTH", "NRE"},
}
"""The intents of IARD with which an act agrees."""
_SPOKEN = {"refine", "refine:add", "reject", "reject+refine", "detail"}
"""What an answer to an interviewer can be in a shop."""
_ACT_OF = {"seen": "reject", "avoid": "refine"}
_FILM = re.compile(r"\{C:(one|many)\}")
_IT = r"(?:it|that one|this one|that|this)"


@cache
def _sentence_patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return what a sentence can do, with its pattern, in the order in which they are tried."""
    parts = dict(table("film", "parts"))

    def spelled(text: str) -> str:
        while (name := re.search(r"(?<!\?P)<(\w+)>", text)) is not None:
            text = text.replace(name[0], parts[name[1]])
        return text

    named = table("film", "sentences").items()
    return tuple((k, re.compile(spelled(p), re.IGNORECASE)) for k, some in named for p in some)


def _ones(text: str) -> str:
    """Return the text with kinds of films as plain words."""
    text = re.sub(r"(?i)\b(some )\{C:many\}", r"\1", text)
    text = re.sub(r"(?i)\ban? \{C:one\}", "one", text)
    return _FILM.sub(lambda match: "one" if match[1] == "one" else "ones", text)


def _kind(sentence: str) -> str | None:
    """Return what a sentence does, or None where that is not clear."""
    bare = re.sub(r"[.!?:)(;* ]+$", "", sentence)
    bare = re.sub(r"^(?:hi|hello|hey)(?: there)?[,.!]? ", "", bare, flags=re.IGNORECASE)
    asks = regex("film", "request").search(bare) and not regex("film", "not_request").search(bare)
    if asks and "{" in bare and "{T}" not in bare:
        return "recommend"
    bare = _ones(bare)
    for name, words in _sentence_patterns():
        if words.fullmatch(bare) and (name != "more" or regex("film", "more").search(bare)):
            return name
    if "{" in bare or not plain(bare):
        return None
    if regex("film", "promise").search(bare):
        return None
    thanks = regex("film", "thanks").search(bare) and not re.search(r"(?i)\bbut\b", bare)
    asking = sentence.rstrip().endswith("?")
    steers = asking or regex("film", "steering").search(bare)
    return "chitchat" if thanks or not steers else None


def _mark(kind: str, sentence: str) -> str:
    """Return the sentence with what its kind says about its slots and pronouns."""
    if kind == "recommend":
        return _as_category(sentence)
    sentence = _ones(sentence)
    if kind == "avoid":
        return re.sub(r"\{([VK])", r"{-\1", sentence)
    if kind == "unseen":
        return sentence.replace("{T}", "{!T}")
    if kind in ("seen", "reject", "select", "like", "detail") and "{T}" not in sentence:
        sentence = _pointed(sentence, many=kind != "detail")
    return re.sub(r"\{([VK])", r"{!\1", sentence) if kind == "detail" else sentence


def _numbered(acts: str, kind: str, sentence: str) -> str:
    """Return the sentence with its slots given to the act that the sentence is."""
    name = _ACT_OF.get(kind, kind)
    at = acts.split("+").index(name) + 1 if name in acts.split("+") else 1
    return SLOT.sub(lambda match: f"{match[0][:-1]}@{at}}}", sentence)


def _pointed(sentence: str, many: bool) -> str:
    """Return the sentence with its pronoun as a slot."""
    several = re.sub(rf"(?i)\b{table('film', 'parts')['all']}\b", "{Rs}", sentence, count=1)
    one = re.sub(rf"(?i)(?<!\{{)\b{_IT}\b(?!\}})", "{it}", sentence, count=1)
    return several if many and several != sentence else one


def _as_category(sentence: str) -> str:
    """Return a request with the kind of film, or else its genre, as the category."""
    if _FILM.search(sentence):
        return _ones(_FILM.sub("{C}", sentence, count=1))
    return sentence.replace("{V}", "{C}", 1)


def sentences(text: str) -> list[str]:
    """Return the sentences with their punctuation."""
    return [part.strip() for part in re.split(r"(?<=[.!?])\s+", text) if part.strip(" .!?")]


def label(text: str) -> Labelled | None:
    """Return the label of a turn whose values are slots, if every sentence of it is clear."""
    parts = sentences(text)
    kinds = [kind for kind in map(_kind, parts) if kind is not None]
    if not parts or len(kinds) < len(parts):
        return None
    order = tuple(dict.fromkeys(k for k in kinds if k != "chitchat")) or ("chitchat",)
    acts = table("film", "joined").get(" ".join(order))
    if acts is None or kinds.count("recommend") > 1:
        return None
    marked = [_mark(kind, part) for kind, part in zip(kinds, parts, strict=True)]
    if "+" in acts:
        marked = [_numbered(acts, kind, part) for kind, part in zip(kinds, marked, strict=True)]
    done = tidy(" ".join(marked))
    if order == ("seen",) and regex("film", "praise").search(done):
        return None
    return _checked(acts, done)


def _checked(acts: str, done: str) -> Labelled | None:
    titles, things = len(re.findall(r"T[@}]", done)), len(re.findall(r"\{C[@}]", done))
    if not plain(done) or titles > 2 or things > 1 or len(done) < 3:
        return None
    if acts.startswith("recommend") and "{C" not in done:
        acts = acts.replace("recommend", "refine")
    if joined(done) and "refine" in acts:
        acts = acts.replace("refine", "refine:add", 1)
    return acts, done, "focus" if acts == "detail" else ""


def redial(dialogues: Iterable[Dialogue]) -> Iterator[Labelled]:
    """Yield the seeker's turns whose every sentence is clear."""
    for dialogue in dialogues:
        titles = {key: movie["title"] for key, movie in dialogue["movies"].items()}
        for message in dialogue["messages"]:
            if message["role"] != "seeker":
                continue
            known = [titles[key] for key in message["movies"] if titles.get(key)]
            if found := label(slotted(title_slots(message["text"], known))):
                yield found


def ccpe(dialogues: Iterable[Dialogue]) -> Iterator[Labelled]:
    """Yield likes and dislikes of spoken interviews: whole turns, or clear sentences of them."""
    for dialogue in dialogues:
        for turn in dialogue["turns"]:
            if turn["role"] != "user":
                continue
            text = slotted(title_slots(turn["text"], []))
            found = label(text)
            told = [found] if found else [label(part) for part in sentences(text)]
            yield from (one for one in told if one and one[0] in _SPOKEN and "{" in one[1])


def iard(dialogues: Iterable[Dialogue]) -> Iterator[Labelled]:
    """Yield the seeker's turns where pattern and human intent agree; never ReDial's test part."""
    for dialogue in dialogues:
        if "test" in dialogue["redial_split"]:
            continue
        for turn in dialogue["utterances"]:
            if turn["role"] == "seeker" and (found := _by_intent(turn)):
                yield found


def _by_intent(turn: Mapping[str, Any]) -> Labelled | None:
    text = slotted(title_slots(re.sub(r"\.\.\.+", ". ", turn["text"]), []))
    intents = set(turn["intents"])
    if found := label(text):
        names = [act.partition(":")[0] for act in found[0].split("+")]
        return found if all(_INTENTS[name] & intents for name in names) else None
    text = tidy(text)
    if SLOT.search(text) or _FILM.search(text) or not harmless(text):
        return None
    if intents == {"OTH"} and len(text.split()) < 16:
        about = re.search(r"(?i)\b(?:seen|watch|suggest|recommend|help)", text)
        return None if about else ("chitchat", text, "")
    if intents == {"CON"} and plain(text) and regex("film", "more").search(text):
        return "more", text, ""
    if intents == {"INQ"} and plain(text):
        return "detail", re.sub(rf"(?i)^(.*)\b{_IT}\b", r"\1{it}", text, count=1), "focus"
    return None
