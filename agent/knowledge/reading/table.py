"""CSV and TSV of questions and answers, one pair a row; more columns may name topic and url."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from agent.knowledge.errors import BadPage
from agent.knowledge.reading.texts import address, decode, even
from agent.knowledge.values import Block, Page

_QUESTION = ("question", "questions", "q", "faq", "ask", "query", "title", "prompt")
_ANSWER = ("answer", "answers", "a", "reply", "response", "text", "content", "body")
_TOPIC = ("topic", "category", "section", "heading", "group")
_URL = ("url", "link", "page", "href")
MOST_ROWS = 50_000
MOST_CELL = 100_000


def read_table(source: str, content: bytes) -> Page:
    """Read a file of questions and answers."""
    text = decode(source, content)
    csv.field_size_limit(max(MOST_CELL, csv.field_size_limit()))
    header = text.split("\n", 1)[0]
    mark = max("\t;,", key=header.count)
    rows = csv.reader(io.StringIO(text), delimiter=mark, strict=True)
    try:
        names = [even(name).casefold() for name in next(rows, [])]
        question, answer = _place(names, _QUESTION), _place(names, _ANSWER)
        if question is None or answer is None:
            raise BadPage(source, f"its columns are {', '.join(map(repr, names))}; expected a "
                                  "column 'question' and a column 'answer'", "line 1")  # fmt: skip
        places = (question, answer, _place(names, _TOPIC), _place(names, _URL))
        return Page(source, tuple(_blocks(source, rows, places, len(names))), "row")
    except csv.Error as error:
        reason = f"it is no CSV: {error}; put quotes around cells with commas or line breaks"
        raise BadPage(source, reason, f"line {rows.line_num}") from error


def _place(names: Sequence[str], wanted: Iterable[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _blocks(
    source: str,
    rows: Iterable[list[str]],
    places: tuple[int, int, int | None, int | None],
    width: int,
) -> Iterator[Block]:
    """Yield the topic, the question and the paragraphs of the answer of each row."""
    for number, row in enumerate(rows, start=2):
        question, answer, topic, url = (_cell(row, place) for place in places)
        if not any(cell.strip() for cell in row):
            continue
        if number > MOST_ROWS:
            raise BadPage(source, f"it has more than {MOST_ROWS:,} rows; split it", f"row {number}")
        if any(cell.strip() for cell in row[width:]):
            found = f"it has {len(row)} cells, the first line has {width}"
            raise BadPage(source, f"{found}; put quotes around cells with such signs in them",
                          f"row {number}")  # fmt: skip
        if not (question and answer):
            lacking = "answer" if question else "question"
            raise BadPage(source, f"the {lacking} is empty; fill it in, or delete the row",
                          f"row {number}")  # fmt: skip
        yield Block(even(topic), 1, number)  # an empty one ends the topic of the row before
        yield Block(even(question), 2, number)
        for part in answer.split("\n\n"):
            if part.strip():
                yield Block(even(part), 0, number, url=address(url))


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place].strip() if place is not None and place < len(row) else ""
