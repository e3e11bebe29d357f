"""Pages cut into passages: at headings and paragraphs, some 50 to 150 words, no sentence torn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest

from agent.knowledge.outdated import earliest, holds_until
from agent.knowledge.sentences import sentences
from agent.knowledge.values import Block, Page, Passage

MOST_WORDS = 150
ENOUGH_WORDS = 50
"""A passage with so many words ends before a paragraph that would make it too long."""
LONGEST = 300
"""Words of one sentence; a longer one is no sentence, and is cut."""
_QUESTION_LEVEL = 7
"""Of a paragraph that is nothing but a question: below all headings."""
_QUESTION_WORDS = 30
_HEADING = 200
"""Characters of a heading that are kept."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Paragraphs that go into one passage."""

    blocks: tuple[Block, ...]

    @property
    def words(self) -> int:
        return sum(len(block.text.split()) for block in self.blocks)


def passages(page: Page) -> tuple[Passage, ...]:
    """Return the passages of a page, in order."""
    found: list[Passage] = []
    text = next((block.text for block in page.blocks if not block.level), "")
    opening = next((one.text for one in sentences(text)), "")
    for heading, blocks in _sections(_with_questions(page.blocks)):
        for stretch in _stretches(blocks):
            first = stretch.blocks[0]
            place = f"{page.unit} {first.number}" if first.number else ""
            url = next((b.url for b in stretch.blocks if b.url), page.url)
            text = _joined(stretch.blocks)
            until = earliest((page.until, holds_until(heading, opening)))
            found.append(Passage(page.source, len(found), heading, text, place, url, until))
    return tuple(found)


def _with_questions(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """Yield the blocks, with paragraphs that only ask what the next one answers as headings."""
    for block, after in zip_longest(blocks, blocks[1:]):
        text = block.text.removeprefix("Q:").removeprefix("Q.").strip()
        asks = not block.level and not block.joins and text.endswith("?")
        if asks and after is not None and not after.level and len(text.split()) <= _QUESTION_WORDS:
            yield replace(block, text=text, level=_QUESTION_LEVEL)
        elif not block.level and text and block.text.startswith("A:"):
            yield replace(block, text=block.text.removeprefix("A:").strip() or block.text)
        else:
            yield block


def _sections(blocks: Iterator[Block]) -> Iterator[tuple[tuple[str, ...], list[Block]]]:
    """Yield the paragraphs under each heading, with the path of headings above them."""
    path: list[tuple[int, str]] = []
    held: list[Block] = []
    for block in blocks:
        if not block.level:
            held += _short(block)
            continue
        if held:
            yield _names(path), held
            held = []
        path = [(level, text) for level, text in path if level < block.level]
        if block.text:
            path.append((block.level, block.text[:_HEADING]))
    if held:
        yield _names(path), held


def _names(path: list[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for _, text in path))


def _short(block: Block) -> Iterator[Block]:
    """Yield a paragraph, in pieces at ends of sentences where it is too long for a passage."""
    if len(block.text.split()) <= MOST_WORDS:
        yield block
        return
    held: list[str] = []
    count, joins = 0, block.joins
    for piece in _pieces(block.text):
        words = len(piece.split())
        if held and count + words > MOST_WORDS:
            yield replace(block, text=" ".join(held), joins=joins)
            held, count, joins = [], 0, False
        held.append(piece)
        count += words
    yield replace(block, text=" ".join(held), joins=joins)


def _pieces(text: str) -> Iterator[str]:
    for sentence in sentences(text):
        words = sentence.text.split()
        for start in range(0, len(words), LONGEST):
            yield " ".join(words[start : start + LONGEST])


def _stretches(blocks: list[Block]) -> Iterator[_Stretch]:
    """Yield blocks together as long as they are short; a list stays with what leads to it."""
    held: list[Block] = []
    for block in blocks:
        count = _Stretch(tuple(held)).words
        size = len(block.text.split())
        full = count + size > MOST_WORDS and (count >= ENOUGH_WORDS or size > ENOUGH_WORDS)
        if held and full:
            lead = [held.pop()] if block.joins and held[-1].text.endswith(":") else []
            if held:
                yield _Stretch(tuple(held))
            held = lead
        held.append(block)
    if held:
        yield _Stretch(tuple(held))


def _joined(blocks: tuple[Block, ...]) -> str:
    text = blocks[0].text
    for block in blocks[1:]:
        text += ("\n" if block.joins else "\n\n") + block.text
    return text
