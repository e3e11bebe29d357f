"""What can be wrong with the shop's own pages.

KnowledgeError (an AgentError)
├── BadPage         a file that cannot be read: says which, where, and what is expected
└── UnknownSource   no source of that name is indexed
"""

from __future__ import annotations

from agent.errors import AgentError, UserInputError


class KnowledgeError(AgentError):
    """The knowledge of a project cannot be read or changed as asked."""


class BadPage(KnowledgeError, UserInputError):
    """A file cannot be taken: what was found, what is expected, what to do.

    Args:
        source: The file, as its owner named it.
        place: Where in it; empty for the file as a whole.
    """

    def __init__(self, source: str, reason: str, place: str = "") -> None:
        self.source, self.place, self.reason = source, place, reason
        where = f"{source!r}, {place}" if place else repr(source)
        super().__init__(f"{where}: {reason}")


class UnknownSource(KnowledgeError):
    """No source of that name is indexed."""

    def __init__(self, source: str) -> None:
        super().__init__(f"no source {source[:200]!r} is indexed; attune knowledge list shows them")
