"""Answers from the shop's own pages: Markdown, HTML, PDF, text, CSV of questions and answers."""

from agent.knowledge.errors import BadPage, KnowledgeError, UnknownSource
from agent.knowledge.knowledge import Knowledge, open_knowledge
from agent.knowledge.library import KIND, Library
from agent.knowledge.reading import Upload, uploads_of
from agent.knowledge.shelf import FOLDER, add, remove
from agent.knowledge.values import Added, KnowledgeAnswer, Source

__all__ = [
    "FOLDER",
    "KIND",
    "Added",
    "BadPage",
    "Knowledge",
    "KnowledgeAnswer",
    "KnowledgeError",
    "Library",
    "Source",
    "UnknownSource",
    "Upload",
    "add",
    "open_knowledge",
    "remove",
    "uploads_of",
]  # fmt: skip
