"""Errors of the retrieval package.

RetrievalError
├── CatalogError        the catalog file or its mapping is unusable (the owner of the catalog acts)
│   └── RowError        one row cannot become an item; `column`, `reason`, `excerpt` say why
├── RerankerError       a saved reranker cannot be used (whoever tuned it acts: tune again)
├── FilterError         a filter names an unknown facet or compares the wrong type (the caller acts)
└── IndexError_         a project directory cannot be opened or written
    ├── EncoderMismatch the index was built with another encoder or dimension
    └── IndexLocked     another process is writing
"""


class RetrievalError(Exception):
    """Anything that went wrong below the agent."""


class CatalogError(RetrievalError):
    """The catalog cannot be read: says which file, what was found and what to do."""


class RowError(CatalogError):
    """One row cannot become an item: the column, the reason, and what stood there."""

    def __init__(self, column: str, reason: str, excerpt: str = "") -> None:
        super().__init__(f"{column or 'row'}: {reason}" + (f", got {excerpt!r}" if excerpt else ""))
        self.column = column
        self.reason = reason
        self.excerpt = excerpt


class FilterError(RetrievalError):
    """A filter cannot be evaluated: unknown facet, or a value of the wrong type."""


class RerankerError(RetrievalError):
    """A reranker is damaged, made by a newer version or for other features, or can't be loaded."""


class IndexError_(RetrievalError):
    """A project directory is missing, broken, or from a newer version."""


class EncoderMismatch(IndexError_):
    """The manifest names another encoder or another vector size than the one given."""


class IndexLocked(IndexError_):
    """A second writer tried to open the index for writing."""
