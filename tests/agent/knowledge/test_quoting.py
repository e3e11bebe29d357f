"""Which words of a passage are quoted: rows of tables, whole lists, paragraphs."""

from dataclasses import replace

import numpy as np
import pytest

from agent.knowledge.features import Asked, Seen
from agent.knowledge.passages import passages
from agent.knowledge.quoting import excerpt
from agent.knowledge.reading import read_bytes
from tests.agent.knowledge.conftest import upload

NOWHERE = np.zeros(4, dtype=np.float32)
DELIVERY = """# Delivery

We send parcels from Cork, Monday to Friday.

| Where to | Price | Days |
|---|---|---|
| Ireland | €4.50 | 1–2 |
| Northern Ireland and Great Britain | €8.90 | 3–4 |
| European Union | €9.90 | 3–6 |
| Norway | €14.90 | 5–8 |
"""
LIST = """# What cannot come back

- coffee once the bag is open
- gift cards
- engraved cups
"""


def quoted(page, question, **own):
    """Return what is quoted of the only passage of a page."""
    (passage,) = passages(read_bytes(upload("page.md", page)))
    seen = Seen("page.md#0", passage.title, passage.text, NOWHERE, ())
    found = excerpt(replace(Asked.of(question, NOWHERE), **own), seen)
    assert found in passage.text
    return found


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("what does delivery to Ireland cost", "Ireland"),
        ("how much to Northern Ireland", "Northern Ireland and Great Britain"),
        ("delivery price to Norway please", "Norway"),
        ("what does shipping to France cost", "European Union"),
    ],
)
def test_row_that_is_named_is_quoted_alone(question, row):
    found = quoted(DELIVERY, question)
    assert found.startswith(f"Where to: {row} · Price: ")
    assert "\n" not in found


def test_table_is_quoted_whole_where_no_row_is_named():
    found = quoted(DELIVERY, "what does delivery cost and how many days does it take")
    assert found.startswith("Where to: Ireland")
    assert found.endswith("Days: 5–8")


def test_added_words_name_the_row_before_all_others():
    question = "what does delivery to Ireland cost and to Norway"
    assert quoted(DELIVERY, question, added=frozenset({"norway"})).startswith("Where to: Norway")


def test_long_tables_are_not_quoted_whole():
    rows = "\n".join(f"| Place {n} | {n} euro with a receipt |" for n in range(15))
    found = quoted(f"# Prices\n\n| Where | Price |\n|---|---|\n{rows}\n", "what does it cost")
    assert len(found.split()) < 60


def test_lists_of_no_sentences_are_quoted_whole():
    found = quoted(LIST, "can I return opened coffee")
    assert found.split("\n") == ["coffee once the bag is open", "gift cards", "engraved cups"]
