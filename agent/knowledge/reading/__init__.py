"""Read files of the shop's own pages: Markdown, HTML, PDF, plain text, CSV of questions."""

from agent.knowledge.reading.files import SUFFIXES, Upload, read_bytes, uploads_of

__all__ = ["SUFFIXES", "Upload", "read_bytes", "uploads_of"]
