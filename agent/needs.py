"""Reading a need: the text to search for, the soft words in it, what the catalog lacks.

Pure but for `not_carried`, which asks the index which words it has ever seen.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.state import Need, Preference
from retrieval.catalog import Facet
from retrieval.filters import TEXT, words
from retrieval.query import Index

_FILLER = """a an and any anything are as at be but by can for from get good have i in is it like
look me my need nice of on one or please really show so some something stuff that the them thing
this to very want which with would you your"""
_NOT_CONTENT = frozenset(_FILLER.split())


def on_facets(need: Need, facets: Iterable[Facet]) -> Need:
    """Return a need without constraints on facets that the catalog has no more; it may change."""
    names = {facet.name for facet in facets} | {TEXT}
    kept = tuple(constraint for constraint in need.constraints if constraint.facet in names)
    return (
        need
        if len(kept) == len(need.constraints)
        else need.model_copy(update={"constraints": kept})
    )


def content_words(text: str) -> tuple[str, ...]:
    """Return the words of a wish that can be looked for in an item's text, without repeats."""
    return tuple(dict.fromkeys(word for word in words(text) if word not in _NOT_CONTENT))


def free_wishes(need: Need) -> tuple[Preference, ...]:
    """Return the preferences that are words only, no facet's value or bound."""
    return tuple(wish for wish in need.preferences if wish.facet is None and wish.text.strip())


def soft_words(need: Need) -> tuple[str, ...]:
    """Return the words wanted in an item's text."""
    return content_words(" ".join(wish.text for wish in free_wishes(need)))


def query_text(need: Need) -> str:
    """Return the text a need is searched with: soft words, then the wanted values."""
    parts = [wish.text for wish in need.preferences if wish.text.strip()]
    for wish in need.preferences:
        parts += wish.values[:2]
    for constraint in need.constraints:
        # "Men" in a text says nothing of what is searched for, and "Mr. Men" has it twice.
        parts += () if parts and constraint.role == "audience" else constraint.values[:3]
    return " ".join(dict.fromkeys(part.strip() for part in parts))


def _seen(index: Index, word: str) -> bool:
    """Return whether any text has a word; one too common to be searched for counts as seen."""
    found = index.search(text=word, k=1)
    return bool(found) and (found[0].lexical is None or found[0].lexical > 0)


def not_carried(index: Index, need: Need) -> tuple[str, ...]:
    """Return the wished-for words that appear nowhere in the catalog, as the user said them."""
    missing = []
    for wish in free_wishes(need):
        wanted = content_words(wish.text)
        unseen = [word for word in wanted if not _seen(index, word)]
        if unseen:
            missing.append(wish.text.strip() if len(unseen) == len(wanted) else " ".join(unseen))
    return tuple(missing)


def carried(need: Need, lacking: tuple[str, ...]) -> Need:
    """Return a need without the soft words that the catalog lacks."""
    unseen = set(content_words(" ".join(lacking)))
    if not unseen:
        return need
    wishes = []
    for wish in need.preferences:
        if wish.facet is None:
            kept = " ".join(word for word in content_words(wish.text) if word not in unseen)
            wish = wish.model_copy(update={"text": kept})
        wishes += [wish] if wish.text or wish.facet else []
    return need.model_copy(update={"preferences": tuple(wishes)})
