from dataclasses import replace

import pytest

from agent.apply import apply
from agent.plan import Plan
from agent.planner import RulePlanner
from finetune.house.labelled import labelled_examples, need_of, yardstick
from finetune.labels import parse_dialogue
from finetune.replay import Parts


@pytest.fixture(scope="module")
def parts(world):
    items = {item.id: item for item in world.items}
    return Parts(items, world.facets, world.link, RulePlanner().plan, apply)


@pytest.fixture(scope="module")
def colours(world):
    return [value for value, _ in world.facet("colour").values if " " not in value]


def without_rules(parts):
    """Return parts whose planner plans nothing, to see what the search finds alone."""
    return replace(parts, plan=lambda request: Plan(acts=(), mentions=request.mentions))


def dialogue(*turns):
    return parse_dialogue({"id": "d", "catalog": "demo", "turns": list(turns)}, "test")


def turn(text, acts, constraints, **more):
    expect = {"acts": acts, "constraints": constraints, **more}
    return {"text": text, "slate": None, "expect": expect}


def test_the_plan_behind_a_label_gives_its_state(parts, world, colours):
    facet = world.facet("colour").name
    wish = {"facet": facet, "not_in": [colours[0]]}
    talk = dialogue(turn(f"verily, {colours[0].lower()} I abhor", ["refine"], [wish]))
    (example,) = labelled_examples(talk, without_rules(parts), yardstick(parts))
    assert example.acts[0].act == "refine"
    avoided = [m for m in example.request.mentions if m.id in example.acts[0].avoid]
    assert [m.values for m in avoided] == [(colours[0],)]


def test_a_state_no_plan_can_give_is_left_out(parts, world, colours):
    wish = {"facet": world.facet("colour").name, "in": [colours[1]]}
    talk = dialogue(turn("the usual, please", ["refine"], [wish]))
    assert list(labelled_examples(talk, parts, yardstick(parts))) == []


def test_each_turn_starts_from_the_labelled_state(parts, world, colours):
    facet = world.facet("colour").name
    first = {"facet": facet, "in": [colours[0]]}
    talk = dialogue(
        turn("the usual, please", ["refine"], [first]),
        turn(f"no, {colours[1].lower()}", ["refine"], [{"facet": facet, "in": [colours[1]]}]),
    )
    (example,) = labelled_examples(talk, parts, yardstick(parts))
    own = example.request.state.need.constraint(facet)
    assert own is not None
    assert own.values == (colours[0],)


def test_words_that_no_label_wishes_are_no_wish(parts, world, colours):
    facet, colour = world.facet("colour").name, colours[0]
    text = f"{colour.lower()}, for zumba, says my uncle ottokar"
    wish = [{"facet": facet, "in": [colour]}]
    talk = dialogue(turn(text, ["refine"], wish, soft=["zumba"]))
    (example,) = labelled_examples(talk, parts, yardstick(parts))
    wanted = {m.text for m in example.request.mentions if m.id in example.acts[0].want}
    assert any("zumba" in one for one in wanted)
    assert not any("ottokar" in one and "zumba" not in one for one in wanted)


def test_a_label_describes_a_need(parts, world, colours):
    facet = world.facet("colour").name
    talk = dialogue(
        turn("x", ["refine"], [{"facet": "price", "max": 60, "strict": True},
                               {"facet": facet, "not_in": [colours[0]]}],
             order={"facet": "price", "direction": "down"})
    )  # fmt: skip
    need = need_of(talk.turns[0].expect, parts.facets)
    price = need.constraint("price")
    assert price is not None
    assert (price.high, price.high_strict) == (60, True)
    assert need.sorting is not None
    assert need.sorting.direction == "down"
