"""The text that a need is searched with."""

from agent.needs import query_text
from agent.state import Constraint, Need, Preference


def need(*wishes: str, **values: tuple[str, str]) -> Need:
    return Need(
        preferences=tuple(Preference(text=one) for one in wishes),
        constraints=tuple(
            Constraint(facet=name, role=role, values=(value,))
            for name, (role, value) in values.items()
        ),
    )


def test_whom_it_is_for_is_no_word_beside_others():
    asked = need("fishing", gender=("audience", "Men"), kind=("category", "Shirts"))
    assert query_text(asked) == "fishing Shirts"


def test_whom_it_is_for_is_better_than_nothing():
    assert query_text(need(gender=("audience", "Men"))) == "Men"


def test_words_are_not_repeated():
    assert query_text(need("blue", colour=("colour", "blue"))) == "blue"
