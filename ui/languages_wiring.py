"""Languages of a project: made from its folder; the demo catalog brings its own words."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from agent.languages.glossary import FOLDER
from agent.languages.languages import Languages
from retrieval.retriever import Retriever


def make_languages(folder: Path, retriever: Retriever) -> Languages:
    """Return the languages that a project can be spoken to in.

    Raises:
        BadGlossary: If a table of its words cannot be read.
    """
    made = Languages(folder, retriever)
    made.check()
    return made


def has_languages(folder: Path) -> bool:
    """Return whether a project has words of its own in any language."""
    return (folder / FOLDER).is_dir()


def add_demo_languages(folder: Path) -> None:
    """Put the demo catalog's words in other languages into its project, unless it has some."""
    if has_languages(folder):
        return
    (folder / FOLDER).mkdir()
    for file in (files("agent.languages") / "demo").iterdir():
        if file.name.endswith(".toml"):
            text = file.read_text(encoding="utf-8")
            (folder / FOLDER / file.name).write_text(text, encoding="utf-8")
