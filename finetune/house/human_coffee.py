"""Coffee orders as phrase lines: Taskmaster-4's first orders, their changes, and off-topic talk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from finetune.house.human_text import Labelled, harmless, pattern, plain, regex, sub, tidy

_QUESTION = re.compile(r"\b(?:what|which|how|who|where)\b", re.IGNORECASE)


def coffee(dialogues: Iterable[Mapping[str, Any]]) -> Iterator[Labelled]:
    """Yield first orders, changes of an order, and talk that no shop can serve."""
    sellable = re.compile(rf"\b(?:{pattern('coffee', 'sellable')})\b", re.IGNORECASE)
    for dialogue in dialogues:
        said = [text for speaker, text in dialogue["turns"] if speaker == "user"]
        if "off topic" in dialogue["scenario"]:
            if said and harmless(said[0]) and not sellable.search(_slotted(said[0])):
                yield "chitchat", tidy(said[0]), ""
            continue
        for place, text in enumerate(said):
            if found := _order(_slotted(text), first=place == 0):
                yield found


def _slotted(text: str) -> str:
    text = sub(pattern("coffee", "words"), "{K}", text)
    text = sub(f"{pattern('coffee', 'teas')}|{pattern('coffee', 'drinks')}", "{C}", text)
    text = sub(pattern("coffee", "milks"), "{V}", text)
    text = sub(pattern("coffee", "sweet"), "{K}", text)
    return tidy(re.sub(r"(\{K\})(?:,? (?:and )?\{K\})+(?= \{C\})", r"\1", text))


def _order(text: str, first: bool) -> Labelled | None:
    unclear = regex("coffee", "odd").search(text) or _QUESTION.search(text)
    if unclear or not plain(text) or "{" not in text:
        return None
    if first:
        return ("recommend", text, "") if text.count("{C}") == 1 else None
    changes = regex("coffee", "change").search(text) and text.count("{C}") < 2
    return ("refine", text, "need") if changes else None
