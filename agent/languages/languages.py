"""The languages of a project: which one a turn is in, and how it is spoken over the catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from agent.languages.carrying import Carried, carry, normal
from agent.languages.glossary import FOLDER, Glossary, read_glossary
from agent.languages.phrases import Phrases, phrases, tables
from agent.languages.tongue import Tongue, base, spoken
from agent.linking.vocabulary import general
from agent.service.openings import languages
from retrieval.catalog import Facet
from retrieval.filters import TEXT

LANGUAGE = "^[a-zA-Z]{2,3}([-_][a-zA-Z0-9]{2,8})*$"
"""How a language is named: "zh", "zh-CN", "pt_BR"."""


class Catalog(Protocol):
    """What is needed of a retriever: its facets, and a number that grows with every change."""

    @property
    def facets(self) -> tuple[Facet, ...]:
        """The catalog's facets."""
        ...

    @property
    def version(self) -> int:
        """A number that grows with every change."""
        ...


@dataclass(frozen=True, slots=True)
class _Own:
    """A catalog's phrases in one language, as of a version."""

    version: int
    phrases: Mapping[str, str]
    longest: int


class Languages:
    """Languages over one catalog. Shared between threads; the files are read once.

    Args:
        project: The directory whose `languages` folder has words for the catalog.
        catalog: Whose own names are understood as they are, where they are of another language.
    """

    def __init__(self, project: Path | None = None, catalog: Catalog | None = None) -> None:
        self._folder = None if project is None else project / FOLDER
        self._catalog = catalog
        self._glossaries: dict[str, Glossary] = {}
        self._tongues: dict[str, Tongue] = {}
        self._own: dict[str, _Own] = {}

    def check(self) -> None:
        """Read every table of the project now; BadGlossary tells one that cannot be read."""
        for code in {*spoken(), *tables()}:
            self.glossary(code)

    def tongue(self, code: str) -> Tongue:
        """Return how a language is spoken here; English where there are no sentences in it."""
        own = base(code)
        own = own if own in spoken() else "en"
        if own not in self._tongues:
            words = self.glossary(own)
            self._tongues[own] = Tongue(own, _labels(words), _values(words, phrases(own)))
        return self._tongues[own]

    def glossary(self, code: str) -> Glossary:
        """Return the project's own words in a language."""
        if code not in self._glossaries:
            folder = self._folder
            found = Glossary() if folder is None else read_glossary(folder / f"{code}.toml")
            self._glossaries[code] = found
        return self._glossaries[code]

    def carried(self, text: str, language: str = "en") -> Carried | None:
        """Return an utterance in English words; None where it is English already.

        Args:
            language: What the session is in; it counts where the letters do not tell.
        """
        code = self._table_for(text, language)
        table = None if code is None else phrases(code)
        if code is None or table is None:
            return None
        own = self._phrases(code, table)
        return carry(text, table, own.phrases, own.longest)

    def of_letters(self, text: str) -> str | None:
        """Return the language whose own letters most of a text is in, None where there is none."""
        code = None if text.isascii() else self._table_for(text, "en")
        table = None if code is None else phrases(code)
        if table is None or table.letters is None or code not in spoken():
            return None
        letters = sum(char.isalpha() for char in text[:500])
        return code if 2 * len(table.letters.findall(text[:500])) >= letters else None

    def _table_for(self, text: str, language: str) -> str | None:
        if not text.isascii():
            for code in tables():
                table = phrases(code)
                if table is not None and table.letters is not None and table.letters.search(text):
                    return code
        own = phrases(language) if language != "en" else None
        return language if own is not None and own.letters is None else None

    def _phrases(self, code: str, table: Phrases) -> _Own:
        version = 0 if self._catalog is None else self._catalog.version
        known = self._own.get(code)
        if known is None or known.version != version:
            facets = () if self._catalog is None else self._catalog.facets
            found = {**_written(facets, table), **_glossed(self.glossary(code), facets)}
            longest = max(map(len, (*found, *table.words)), default=0)
            known = self._own[code] = _Own(version, found, longest)
        return known

    def asked(self, language: str | None, header: str | None = None) -> str | None:
        """Return the code of the language that a client asks for, None where it asks for none.

        Args:
            language: What a request names, e.g. "zh" or "zh-CN"; one without sentences is English.
            header: Its Accept-Language; languages without sentences are passed over.
        """
        if language:
            own = base(language)
            return own if own in spoken() else "en"
        return next((one for one in languages(header or "") if one in spoken()), None)


@lru_cache(maxsize=1)
def plain_languages() -> Languages:
    """Return the languages of a project without words of its own."""
    return Languages()


def _labels(words: Glossary) -> Mapping[str, str]:
    return {name: own[0] for name, own in words.facets.items() if own}


def _values(words: Glossary, table: Phrases | None) -> Mapping[str, Mapping[str, str]]:
    """Return the words for values by facet; words of the text are those of the phrase table."""
    found = {
        name: {value.casefold(): own[0] for value, own in row.items() if own}
        for name, row in words.values.items()
    }
    common: dict[str, str] = {}
    for phrase, english in () if table is None else table.words.items():
        common.setdefault(english.casefold(), phrase)
    return {TEXT: common, **found}


def _written(facets: Sequence[Facet], table: Phrases) -> dict[str, str]:
    """Return the catalog's own values that are written in a language's letters, as they are.

    The name of a facet becomes what the linker calls its role, where it has one.
    """
    found: dict[str, str] = {}
    for facet in facets:
        if table.letters is not None and table.letters.search(facet.label):
            role = general().roles.get(facet.role or "", (facet.label,))[0]
            found.setdefault(normal(facet.label, table), role)
        for name in (value for value, _ in facet.values):
            if table.letters is None or not table.letters.search(name):
                continue
            found.setdefault(normal(name, table), name)
            for ending in table.endings:
                bare = name.removesuffix(ending)
                for other in (bare, f"{bare}{ending}"):
                    found.setdefault(normal(other, table), name)
    return {phrase: name for phrase, name in found.items() if phrase}


def _glossed(words: Glossary, facets: Sequence[Facet]) -> dict[str, str]:
    """Return the project's own words for the facets and values that the catalog has."""
    found: dict[str, str] = {}
    for facet in facets:
        known = {value.casefold(): value for value, _ in facet.values}
        for value, own in words.values.get(facet.name, {}).items():
            for phrase in own if value.casefold() in known else ():
                found.setdefault(phrase.lower(), known[value.casefold()])
        for phrase in words.facets.get(facet.name, ()):
            found.setdefault(phrase.lower(), facet.label)
    return found
