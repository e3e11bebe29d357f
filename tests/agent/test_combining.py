import pytest

from agent.combining import combined, named
from agent.plan import Act, Plan
from tests.agent.planning import MENTIONS


def rules(*acts):
    return Plan(acts=acts, mentions=MENTIONS)


def test_with_the_same_acts_the_rules_place_and_the_model_says_which_items():
    found = combined(
        (Act(act="like", want=("V1", "V2"), refs=("R1",)),),
        rules(Act(act="like", want=("V1",), avoid=("V2",), refs=("R9",))),
    )
    assert found == (Act(act="like", want=("V1",), avoid=("V2",), refs=("R1",)),)


def test_the_rules_references_stay_where_the_model_has_none():
    found = combined((Act(act="select"),), rules(Act(act="select", refs=("R1",))))
    assert found == (Act(act="select", refs=("R1",)),)


def test_with_other_acts_the_models_stand():
    found = combined((Act(act="undo"),), rules(Act(act="refine", want=("V1",))))
    assert found == (Act(act="undo"),)


def test_what_the_model_left_lying_is_placed_as_by_the_rules():
    found = combined(
        (Act(act="reject", refs=("R1",)), Act(act="refine", want=("V1",))),
        rules(Act(act="refine", want=("V1", "N1", "K1"), avoid=("V2",))),
    )
    assert found[0] == Act(act="reject", refs=("R1",), want=("N1",), avoid=("V2",))
    assert found[1] == Act(act="refine", want=("V1",))


def test_a_placing_of_the_model_is_not_doubled():
    found = combined(
        (Act(act="recommend", avoid=("V1",)),), rules(Act(act="refine", want=("V1", "N1")))
    )
    assert found == (Act(act="recommend", want=("N1",), avoid=("V1",)),)


@pytest.mark.parametrize(("wish", "act"), [("V1", "recommend"), ("K1", "chitchat")])
def test_a_turn_with_a_wish_the_catalog_knows_is_no_small_talk(wish, act):
    found = combined((Act(act="chitchat"),), rules(Act(act="recommend", want=(wish,))))
    assert found[0].act == act


def test_a_number_that_the_rules_left_lying_is_none():
    found = combined((Act(act="recommend", want=("V1", "N1")),), rules(Act(act="compare")))
    assert found == (Act(act="recommend", want=("V1",)),)


@pytest.mark.parametrize(("own", "facet"), [("", "price"), ("colour", "colour")])
def test_a_question_gets_its_facet_from_the_rules_only_where_it_has_none(own, facet):
    asked = (Act(act="detail", facet=own),)
    assert named(asked, rules(Act(act="detail", facet="price")))[0].facet == facet
