"""Pages into passages and sentences: nothing torn, nothing lost, nothing reworded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.knowledge import Upload
from agent.knowledge.passages import MOST_WORDS, passages
from agent.knowledge.reading import read_bytes
from agent.knowledge.sentences import sentences
from agent.knowledge.values import Block, Page


def cut(name, text):
    return passages(read_bytes(Upload(name, text.encode())))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("See no. 5 of Mr. Smith. Then go.", ["See no. 5 of Mr. Smith.", "Then go."]),
        ("We close at 5 p.m. On Sundays too.", ["We close at 5 p.m.", "On Sundays too."]),
        ("It costs 4.90 at shop.example/a.b now.", ["It costs 4.90 at shop.example/a.b now."]),
        ("Use “Help”. “Ask.” Now", ["Use “Help”.", "“Ask.”", "Now"]),
        ("Take e.g. a box, i.e. any box.", ["Take e.g. a box, i.e. any box."]),
        ("We take:\ncash\ncards", ["We take:\ncash\ncards"]),
        ("First. Then:\n\nlast", ["First.", "Then:", "last"]),
        ("", []),
    ],
)
def test_sentences_end_where_they_do(text, expected):
    assert [one.text for one in sentences(text)] == expected


@given(st.text(alphabet='aB .!?:\n"”)1é', max_size=200))
def test_sentences_lose_no_word(text):
    found = sentences(text)
    assert all(text[one.start : one.end] == one.text for one in found)
    assert (
        "".join(one.text for one in found).split()
        == "".join(text[one.start : one.end] for one in found).split()
    )
    assert sum(len("".join(one.text.split())) for one in found) == len("".join(text.split()))


def test_passages_carry_their_headings():
    found = cut("a.md", "# A\n\n## B\n\none\n\n## C\n\n### D\n\ntwo\n\n# E\n\nthree")
    assert [(one.heading, one.text) for one in found] == [
        (("A", "B"), "one"), (("A", "C", "D"), "two"), (("E",), "three"),
    ]  # fmt: skip


def test_questions_alone_are_headings():
    found = cut("a.txt", "Do you ship abroad?\n\nYes, to Norway.\n\nQ: And returns?\n\nA: Free.")
    assert [(one.heading, one.text) for one in found] == [
        (("Do you ship abroad?",), "Yes, to Norway."), (("And returns?",), "Free."),
    ]  # fmt: skip


def test_rows_of_tables_are_passages_with_place_and_url():
    text = "topic,question,answer,link\nT,Q?,A.,https://a.example\n,R?,B.,\n"
    first, second = cut("a.csv", text)
    assert (first.heading, first.place, first.url) == (("T", "Q?"), "row 2", "https://a.example")
    assert (second.heading, second.place, second.url) == (("R?",), "row 3", None)


def test_long_sections_are_cut_between_sentences():
    text = " ".join(f"This is sentence number {n} of a long section." for n in range(60))
    found = cut("a.txt", text)
    assert len(found) > 2
    assert all(len(one.text.split()) <= MOST_WORDS and one.text.endswith(".") for one in found)
    assert " ".join(one.text for one in found) == text


def test_lists_stay_with_what_leads_to_them():
    lead = Block("We take:")
    cards = [Block(f"card {n}", joins=True) for n in range(3)]
    long = Block(" ".join(["word"] * 147) + ".")
    first, second = passages(Page("a.md", (long, lead, *cards)))
    assert first.text == long.text
    assert second.text == "We take:\ncard 0\ncard 1\ncard 2"


@given(st.lists(st.text(alphabet="ab .", min_size=1, max_size=400), min_size=1, max_size=6))
def test_every_word_of_a_page_is_in_a_passage(paragraphs):
    texts = [" ".join(one.split()) for one in paragraphs]
    found = passages(Page("a.md", tuple(Block(one) for one in texts if one)))
    assert " ".join(one.text for one in found).split() == " ".join(texts).split()
