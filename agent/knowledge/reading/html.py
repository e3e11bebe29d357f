"""HTML: what a reader of the page sees as its text, without menus, scripts and hidden parts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from agent.knowledge.errors import BadPage
from agent.knowledge.outdated import stated
from agent.knowledge.reading.texts import address, decode, even
from agent.knowledge.values import CELLS, Block, Page

LINE = "data-line"
"""Attribute with the line an element comes from, where another format was made HTML of."""

_DROPPED = (
    "script, style, template, noscript, nav, aside, form, button, select, svg, iframe, object, "
    "canvas, video, audio, head, footer, [hidden], [aria-hidden=true], [role=navigation], "
    "[role=banner], [role=contentinfo], [role=search], [role=dialog], body > header:not(:has(h1))"
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HEADINGS = {f"h{level}": level for level in range(1, 7)} | {"summary": 5, "dt": 6, "legend": 6,
                                                             "caption": 6}  # fmt: skip
_BLOCKS = frozenset(_HEADINGS) | {
    "address", "article", "blockquote", "body", "center", "dd", "details", "div", "dl", "fieldset",
    "figcaption", "figure", "header", "hr", "html", "li", "main", "ol", "p", "pre", "section",
    "table", "tbody", "tfoot", "thead", "tr", "ul",
}  # fmt: skip
_CELLS = frozenset(("td", "th"))
_MAIN = "main, [role=main], article"


def read_html(source: str, content: bytes) -> Page:
    """Read an HTML file."""
    text = decode(source, content)
    if "<" not in text:
        raise BadPage(source, "it has no HTML element; name it .txt if it is plain text")
    tree = LexborHTMLParser(text)
    found = tree.css_first("link[rel=canonical]") or tree.css_first("meta[property='og:url']")
    url = (
        address(found.attributes.get("href") or found.attributes.get("content")) if found else None
    )
    expires = tree.css_first("meta[name=expires]")
    until = stated(expires.attributes.get("content")) if expires is not None else None
    title = tree.css_first("title")
    name = even(title.text()) if title is not None else ""
    blocks = _blocks(tree)
    if name and not any(block.level == 1 for block in blocks):
        blocks.insert(0, Block(name, 1))
    return Page(source, tuple(blocks), url=url, until=until)


def blocks_of(html: str) -> list[Block]:
    """Return the headings and paragraphs of a piece of HTML."""
    return _blocks(LexborHTMLParser(html))


def _blocks(tree: LexborHTMLParser) -> list[Block]:
    for node in tree.css(_DROPPED):
        node.decompose()
    for node in tree.css("[style]"):
        if _HIDDEN.search(node.attributes.get("style") or ""):
            node.decompose()
    mains = [node for node in tree.css(_MAIN) if even(node.text())]
    root = mains[0] if len(mains) == 1 else tree.body
    return _Walk().walk(root) if root is not None else []


class _Walk:
    """One walk over a page, collecting text until a block ends."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._held: list[str] = []
        self._line = 0
        self._joins = False
        self._level = 0
        self._header: list[str] = []
        self._rows = 0
        self._cells: list[str] | None = None
        self._heads = False

    def walk(self, root: LexborNode) -> list[Block]:
        for node, enters in _steps(root):
            tag = node.tag or ""
            if tag == "-text":
                self._held.append(node.text_content or "")
            elif tag == "br":
                self._held.append(" ")
            elif tag in _CELLS:
                self._cell(tag, enters)
            elif tag in _BLOCKS:
                self._block(node, tag, enters)
        self._flush()
        return self.blocks

    def _cell(self, tag: str, enters: bool) -> None:
        if enters or self._cells is None:
            self._held.append(" ")
            return
        self._cells.append(even("".join(self._held)))
        self._heads = self._heads and tag == "th"
        self._held = []

    def _block(self, node: LexborNode, tag: str, enters: bool) -> None:
        if self._cells is not None and tag != "tr":  # blocks within a cell are its text
            self._held.append(" ")
            return
        self._flush()
        line = node.attributes.get(LINE) if enters else None
        if line and line.isdigit():
            self._line = int(line)
        self._level = _HEADINGS.get(tag, 0) if enters else 0
        if tag == "li":
            self._joins = enters
        elif tag == "table":
            self._header, self._rows = [], 0
        elif tag == "tr" and enters:
            self._cells, self._heads = [], True
        elif tag == "tr":
            self._row()

    def _row(self) -> None:
        cells, self._cells = self._cells or [], None
        if self._heads and not self._header:
            self._header = cells
        elif any(cells):
            text = _row_text(self._header, cells)
            self.blocks.append(Block(text, 0, self._line, self._rows > 0))
            self._rows += 1

    def _flush(self) -> None:
        text = even("".join(self._held))
        self._held = []
        if text:
            self.blocks.append(Block(text, self._level, self._line, self._joins))
            self._joins = False


def _steps(root: LexborNode) -> Iterator[tuple[LexborNode, bool]]:
    """Yield nodes below a root as they begin (True) and end; not recursive, pages may be deep."""
    stack: list[tuple[LexborNode, bool]] = [(root, True)]
    while stack:
        node, enters = stack.pop()
        yield node, enters
        if enters and node.tag != "-text":
            stack.append((node, False))
            child = node.last_child
            while child is not None:
                stack.append((child, True))
                child = child.prev


def _row_text(header: list[str], cells: list[str]) -> str:
    """Return a row as text, each cell after the head of its column."""
    if len(header) != len(cells):
        return CELLS.join(cell for cell in cells if cell)
    pairs = zip(header, cells, strict=True)
    return CELLS.join(f"{head}: {cell}" if head else cell for head, cell in pairs if cell)
