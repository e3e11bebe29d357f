"""The state: what its constraints let through, and that it can be stored."""

import pytest
from pydantic import ValidationError

from agent.state import Constraint, Likeness, Need, Preference, Sorting, State
from retrieval.catalog import Item
from retrieval.filters import matches

ITEMS = (
    Item("1", "Blue shirt", "floral", {"colour": "Blue", "price": 20.0, "made": "2019-05-01"}),
    Item("2", "Red shirt", "plain", {"colour": "Red", "price": 40.0, "made": "2021-01-31"}),
    Item("3", "Navy dress", "floral", {"colour": "Navy", "price": 60.0, "tags": ("new", "sale")}),
    Item("4", "Gift card", fields={"tags": ("new",)}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (Constraint(facet="colour", values=("Blue",)), "1"),
        (Constraint(facet="colour", values=("blue", "RED")), "12"),
        (Constraint(facet="colour", values=("Blue",), family=("Navy",)), "1"),
        (Constraint(facet="colour", excluded=("Blue", "Navy")), "24"),
        (Constraint(facet="colour", values=("Blue", "Red"), excluded=("Red",)), "1"),
        (Constraint(facet="tags", values=("new",)), "34"),
        (Constraint(facet="tags", values=("new",), excluded=("sale",)), "4"),
        (Constraint(facet="price", high=40.0), "12"),
        (Constraint(facet="price", high=40.0, high_strict=True), "1"),
        (Constraint(facet="price", low=40.0), "23"),
        (Constraint(facet="price", low=40.0, low_strict=True), "3"),
        (Constraint(facet="price", low=30.0, high=50.0), "2"),
        (Constraint(facet="made", low="2020-01-01"), "2"),
        (Constraint(facet="made", high="2020-12-31"), "1"),
        (Constraint(facet="text", values=("floral",)), "13"),
        (Constraint(facet="text", values=("floral", "plain")), "123"),
        (Constraint(facet="text", excluded=("floral",)), "24"),
        (Constraint(facet="text", values=("shirt",), excluded=("floral", "red")), ""),
        (Constraint(facet="colour"), "1234"),
    ],
)
def test_constraint_lets_the_right_through(constraint, expected):
    wanted = constraint.filter()
    assert "".join(item.id for item in ITEMS if matches(wanted, item)) == expected


def test_need_holds_all_constraints():
    need = Need(
        constraints=(
            Constraint(facet="price", high=50.0),
            Constraint(facet="text", excluded=("plain",)),
        ),
        preferences=(Preference(text="red"),),
        rejected=("2",),
    )
    assert [item.id for item in ITEMS if matches(need.filter(), item)] == ["1"]


def test_empty_need_lets_all_through():
    assert all(matches(Need().filter(), item) for item in ITEMS)


def test_constraint_is_found_by_facet():
    own = Constraint(facet="price", high=50.0)
    assert Need(constraints=(own,)).constraint("price") == own
    assert Need(constraints=(own,)).constraint("colour") is None


def test_full_state_survives_json():
    need = Need(
        constraints=(Constraint(facet="made", low="2020-01-01", label="since 2020", turn=2),),
        preferences=(Preference(text="soft", facet="price", high=20.0),),
        like=Likeness(item_id="1", changed=("colour",)),
        sorting=Sorting(facet="price", direction="down"),
        rejected=("2",),
    )
    state = State(need=need, slate=("1", "2"), focus=("1",), earlier=(Need(), need), turn=7)
    assert State.model_validate_json(state.model_dump_json()) == state


@pytest.mark.parametrize(
    "wrong",
    [{"colour": "blue"}, {"need": {"sorting": {"facet": "price", "direction": "sideways"}}}],
    ids=["unknown key", "unknown direction"],
)
def test_wrong_state_is_refused(wrong):
    with pytest.raises(ValidationError):
        State.model_validate(wrong)


def test_state_cannot_be_changed():
    with pytest.raises(ValidationError):
        State().turn = 3
