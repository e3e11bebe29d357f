"""The languages of a project: which one a turn is in, and how it is spoken over the catalog."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from agent.languages.glossary import FOLDER, Glossary, read_glossary
from agent.languages.tongue import ENGLISH, Tongue, base, spoken
from agent.service.openings import languages

LANGUAGE = "^[a-zA-Z]{2,3}([-_][a-zA-Z0-9]{2,8})*$"
"""How a language is named: "zh", "zh-CN", "pt_BR"."""


class Languages:
    """Languages over one catalog. Shared between threads; the files are read once.

    Args:
        project: The directory whose `languages` folder has words for the catalog.
    """

    def __init__(self, project: Path | None = None) -> None:
        self._folder = None if project is None else project / FOLDER
        self._tongues: dict[str, Tongue] = {"en": self._made("en")}

    def tongue(self, code: str) -> Tongue:
        """Return how a language is spoken here; English where there are no sentences in it."""
        own = base(code)
        if own not in spoken():
            return ENGLISH if own != "en" else self._tongues["en"]
        if own not in self._tongues:
            self._tongues[own] = self._made(own)
        return self._tongues[own]

    def _made(self, code: str) -> Tongue:
        words = self.glossary(code)
        if code == "en" and not words.facets and not words.values:
            return ENGLISH
        return Tongue(code, _labels(words), _values(words))

    def glossary(self, code: str) -> Glossary:
        """Return the project's own words in a language."""
        return Glossary() if self._folder is None else read_glossary(self._folder / f"{code}.toml")

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


def _values(words: Glossary) -> Mapping[str, Mapping[str, str]]:
    return {
        name: {value.casefold(): own[0] for value, own in row.items() if own}
        for name, row in words.values.items()
    }
