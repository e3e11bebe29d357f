import pytest

from finetune.simulator.leaks import leaked, leaks
from retrieval.catalog import Item

SHIRT = Item("SHI-0059", "Osquay Mabel flannel overshirt shirt, blue")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a blue flannel overshirt", False),
        ("FLANNEL overshirt shirt please", True),
        ("the osquay-mabel flannel one", True),
        ("mabel by osquay, in flannel", False),
        ("give me shi-0059", True),
        ("shi 59", False),
        ("", False),
    ],
)
def test_runs_of_title_words(text, expected):
    assert leaked(text, SHIRT) is expected


@pytest.mark.parametrize(
    ("item", "text", "expected"),
    [
        (Item("7", "Emma"), "have you got emma", True),
        (Item("7", "It"), "I like it", False),
        (Item("7", "Blue Sofa"), "a blue sofa", True),
        (Item("60", "Long grey woollen coat"), "under 60", False),
    ],
)
def test_short_titles_and_numbers(item, text, expected):
    assert leaked(text, item) is expected


def test_only_leaking_utterances_come_back():
    said = ["shirts", "Osquay Mabel flannel overshirt shirt", "cheaper"]
    assert leaks(said, SHIRT) == [said[1]]
