"""Words that count as others: the same in other words, a case of them, shown without being said."""

import pytest

from agent.knowledge.features import SAME_GROUP, SHOWN, Corpus, matches
from agent.knowledge.words import others_of, shown_in, words_of


def match(question, text):
    """Return how well a text has the words of a question."""
    return matches(words_of(question), words_of(text), shown_in(text))


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("Norway", "We send to Norway", 1.0),
        ("guarantee", "two years of warranty", SAME_GROUP),
        ("France", "within the European Union", SAME_GROUP),
        ("London", "anywhere in the UK", SAME_GROUP),
        ("Europe", "we send to France", 0.0),
        ("Norway", "within the European Union", 0.0),
        ("open", "Monday to Friday from 9 am to 6 pm", SHOWN),
        ("hours", "Sat 10:00–16:00, Sunday 12:00-16:00", SHOWN),
        ("price", "It is €4.50 a parcel", SHOWN),
        ("cost", "you pay 12 euros", SHOWN),
        ("email", "write to help@shop.example", SHOWN),
        ("phone", "ring +353 21 555 0142", SHOWN),
        ("open", "Orders placed before 1 pm", 0.0),
        ("price", "within 30 days", 0.0),
    ],
)
def test_words_are_met_in_other_words(question, text, expected):
    assert list(match(question, text).values()) == [expected]


def test_wider_words_are_searched_too():
    assert "eu" in others_of(words_of("do you deliver to France"))


def test_corpus_knows_what_its_pages_show():
    corpus = Corpus(["The shop: Monday to Friday, 9:00-18:00.", "We send to the European Union."])
    known = {word.text: corpus.knows(word) for word in words_of("open france norway")}
    assert known == {"open": True, "france": True, "norway": False}
