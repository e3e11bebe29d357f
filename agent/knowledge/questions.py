"""Questions as they are asked: several in one, or one that leans on the question before."""

from __future__ import annotations

import re

from agent.knowledge.words import words_of

_JOINT = (
    r"(?:and|also|or|plus|but)(?: also| then)?,? (?=(?:how|what|when|where|who|which|why|can|could|"
    r"do|does|is|are|will|would|may|should)\b)"
)
_CUT = re.compile(rf"(?<=[?!.;])\s+|,?\s+(?={_JOINT})", re.IGNORECASE)
_LEADS = re.compile(
    r"^(?:and|also|or|plus|but|so|then|ok(?:ay)?|hi|hello|hey)\b[ ,]*", re.IGNORECASE
)
_LEANS = re.compile(
    r"\b(?:it|its|that|this|they|them|those|these|there|then|one|same)\b|^(?:and|or|but|what if)\b|"
    r"^(?:what|how) about\b|^(?:is|are) (?:it|that|they)\b|\binstead\b|"
    r"^(?:how long|how much|why|when|where|who)\W*$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_MINE = re.compile(r"\bmy (?:stuff|things|goods|shipment|purchases?)\b", re.IGNORECASE)
_WRITTEN_OUT = {
    "whats": "what is", "wheres": "where is", "hows": "how is", "whos": "who is", "im": "I am",
    "ive": "I have", "id": "I would", "dont": "do not", "doesnt": "does not", "didnt": "did not",
    "cant": "cannot", "couldnt": "could not", "wont": "will not", "isnt": "is not",
    "arent": "are not", "hasnt": "has not", "havent": "have not", "wasnt": "was not",
    "u": "you", "ur": "your", "r": "are", "pls": "please", "plz": "please", "thx": "thanks",
    "wanna": "want to", "gonna": "going to", "gotta": "have to", "stuff": "things", "n": "and",
    "2day": "two-day", "biz": "business", "cos": "because", "nr": "number", "hav": "have",
    "teh": "the", "wat": "what", "wen": "when", "wer": "where", "adress": "address",
    "recieve": "receive", "recieved": "received", "thats": "that is", "theres": "there is",
}  # fmt: skip
MOST = 5
"""Questions of one utterance that are looked at."""


def split(text: str) -> tuple[str, ...]:
    """Return the questions of a text, in its own words; what only introduces one stays with it."""
    parts: list[str] = []
    for piece in _CUT.split(text.strip()):
        piece = piece.strip()
        if not piece:
            continue
        if parts and not parts[-1].endswith("?") and not _asks(parts[-1]):
            parts[-1] = f"{parts[-1]} {piece}"
        elif parts and not words_of(piece) and not _asks(piece):
            parts[-1] = f"{parts[-1]} {piece}"  # "…? thanks!"
        else:
            parts.append(piece)
    return tuple(parts[:MOST]) or (text.strip(),)


def _asks(text: str) -> bool:
    return "?" in text or re.match(
        r"\W*(?:and |also |or )*(?:how|what|when|where|who|which|why|can|could|do|does|is|are|will|"
        r"would|may|should)\b", text, re.IGNORECASE) is not None  # fmt: skip


def leans(question: str) -> bool:
    """Return whether a question needs the one before it to be understood."""
    return _LEANS.search(question.strip()) is not None and len(words_of(question)) <= 3


def bare(question: str) -> str:
    """Return a question written out, without what only joins it to others."""
    return written_out(_LEADS.sub("", question.strip()) or question.strip())


def written_out(text: str) -> str:
    """Return a text with what chats abbreviate written out."""
    text = _MINE.sub("my order", text)
    return _WORD.sub(lambda found: _WRITTEN_OUT.get(found[0].casefold(), found[0]), text)
