from itertools import islice
from random import Random

import pytest

from agent.state import State
from finetune.house.examples import Losses, examples, make_example
from finetune.house.filling import CannotFill, Filled, Said, fill, relatives
from finetune.house.noise import noisy
from finetune.house.phrases_format import parse_phrase
from finetune.house.worlds import Moment, middle


def made(line, world, seed=0, tries=40):
    """Return the first example of a line that the linker finds enough of."""
    phrase, random = parse_phrase(line), Random(seed)
    for _ in range(tries):
        try:
            said = fill(phrase, world, random)
        except CannotFill:
            continue
        example = make_example(phrase, world, said, random, Losses())
        if example is not None:
            return example
    raise AssertionError(f"{line!r} came to nothing")


def kinds(example, field, act=0):
    request = example.request
    ids = getattr(example.acts[act], field)
    return [next(m for m in request.mentions if m.id == id).kind for id in ids]


@pytest.mark.parametrize(
    ("line", "field", "expected"),
    [
        ("recommend | show me {C}", "want", ["value"]),
        ("refine | {N} please", "want", ["number"]),
        ("refine | nothing {-V:colour}", "avoid", ["value"]),
        ("refine | ideally {~V:colour}", "prefer", ["value"]),
        ("refine | any {xF:colour} will do", "drop", ["facet"]),
        ("refine | something {D}", "change", ["relative"]),
        ("select | i'll take {R}", "refs", ["reference"]),
        ("refine | show me the {O} first", "change", ["order"]),
    ],
)
def test_a_slot_becomes_the_mention_in_its_place(world, line, field, expected):
    assert kinds(made(line, world), field) == expected


def test_a_slot_that_means_nothing_is_in_no_field(world):
    example = made("detail | does {R} come in {!V:colour}", world)
    assert any(mention.kind == "value" for mention in example.request.mentions)
    assert example.acts[0].want == example.acts[0].avoid == ()
    assert len(example.acts[0].refs) == 1


def test_slots_go_to_the_act_they_name(world):
    example = made("select+recommend | i'll take {R}. now i need {C@2}", world)
    assert kinds(example, "refs", 0) == ["reference"]
    assert kinds(example, "want", 1) == ["value"]


def test_what_is_no_longer_wanted_was_wanted_before(world):
    example = made("refine | forget about {xV:colour}", world)
    dropped = example.acts[0].drop[0]
    mention = next(m for m in example.request.mentions if m.id == dropped)
    own = example.request.state.need.constraint(mention.facet)
    assert own is not None
    assert set(mention.values) & set(own.values)


def test_alternatives_are_of_one_facet(world):
    example = made("refine:add | {V} or {V}", world)
    facets = {m.facet for m in example.request.mentions if m.id in example.acts[0].want}
    assert len(facets) == 1
    assert example.acts[0].join == "add"


def test_what_the_linker_misses_makes_no_example(world):
    phrase = parse_phrase("refine | {V:colour} please")
    filled = (Filled(phrase.expand(Random(0))[0], 0, 6, "colour"),)
    losses = Losses()
    said = Said("qwzxyk please", Moment(State(), ()), filled)
    found = make_example(phrase, world, said, Random(0), losses)
    assert found is None or "K" in found.acts[0].want[0] or "U" in found.acts[0].want[0]
    missed = Said("!!!!!! please", Moment(State(), ()), filled)
    assert make_example(phrase, world, missed, Random(0), losses) is None
    assert losses.why["V not linked"] >= 1


def test_examples_are_the_same_for_a_seed(world):
    phrases = [parse_phrase(f"refine | {word} {{V}}") for word in ("only", "just", "rather")]

    def answers(seed):
        found = examples(phrases, [world], Random(seed), Losses())
        return [(one.request.utterance, one.answer) for one in islice(found, 8)]

    assert answers(3) == answers(3) != answers(4)


def test_a_world_without_the_facet_cannot_fill(world):
    bare = type(world)(world.name, world.items, world.facets[:1], world.link)
    with pytest.raises(CannotFill):
        fill(parse_phrase("refine | {V:colour}"), bare, Random(0))


def test_a_moment_has_a_slate_of_one_kind(world):
    moment = middle(world, Random(2), focus=True)
    assert 1 <= len(moment.slate) <= 6
    assert moment.state.slate == tuple(item.id for item in moment.slate)
    assert set(moment.state.focus) <= set(moment.state.slate)


def test_slips_leave_slots_alone():
    text = "I would please like something with you because waterproof boots okay"
    at = text.index("waterproof boots")
    for seed in range(200):
        said, ((start, end),) = noisy(text, [(at, at + 16)], Random(seed))
        assert said[start:end] == "waterproof boots"
    assert any(noisy(text, [], Random(seed))[0] != text for seed in range(20))


def test_only_comparatives_that_fit_any_frame_are_said():
    assert "cheaper" in relatives("more")
    assert not any(phrase.startswith("too ") for phrase in relatives("more"))
