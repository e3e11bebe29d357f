"""Markdown: CommonMark with tables; a front matter may name the page's title and url."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import yaml
from markdown_it import MarkdownIt

from agent.knowledge.errors import BadPage
from agent.knowledge.outdated import stated
from agent.knowledge.reading.html import LINE, blocks_of
from agent.knowledge.reading.texts import address, decode, even
from agent.knowledge.values import Block, Page

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table")


def read_markdown(source: str, content: bytes) -> Page:
    """Read a Markdown file."""
    text = decode(source, content)
    front, end = _front(source, text)
    # Empty lines in its place, so that the others stay where they are.
    tokens = _parser().parse("\n" * text[:end].count("\n") + text[end:])
    for token in tokens:
        if token.map and token.nesting >= 0:
            token.attrSet(LINE, str(token.map[0] + 1))
    blocks = blocks_of(_parser().renderer.render(tokens, _parser().options, {}))
    title = front.get("title")
    if isinstance(title, str) and title.strip() and not any(b.level == 1 for b in blocks):
        blocks.insert(0, Block(even(title), 1, 1))
    until = stated(front.get("expires"))
    return Page(source, tuple(blocks), url=address(front.get("url")), until=until)


def _front(source: str, text: str) -> tuple[dict[str, Any], int]:
    """Return what the front matter says, and where it ends."""
    found = _FRONT.match(text)
    if found is None:
        return {}, 0
    try:
        said = yaml.safe_load(found[1])
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 2}" if mark else "line 1"
        reason = getattr(error, "problem", None) or "it cannot be read"
        raise BadPage(source, f"what stands between the --- lines is no YAML: {reason}", place
                      ) from error  # fmt: skip
    # A text that merely begins with a ruled line has no front matter.
    return (said, found.end()) if isinstance(said, dict) else ({}, 0)
