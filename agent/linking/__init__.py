"""Linking: which spans of an utterance the catalog and the slate explain."""

from agent.linking.linker import CatalogView, Linker

__all__ = ["CatalogView", "Linker"]
