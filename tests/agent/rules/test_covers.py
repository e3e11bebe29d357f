"""Covers: where the links explain an utterance beyond doubt and no model is needed."""

import pytest

from agent.plan import Act, Mention, Plan
from agent.planner import PlanRequest, covers
from agent.state import State
from tests.agent.shop import FACETS, SHOWN, items_of

SLATE = State(slate=SHOWN, shown=SHOWN)


@pytest.fixture
def covered(mind):
    """Return whether the rules cover an utterance."""

    def covered(text, state=SLATE):
        mentions = mind.link(text, state)
        request = PlanRequest(text, mentions, state, items_of(*state.slate), FACETS)
        return covers(request, mind.planner.plan(request))

    return covered


SURE = ["blue t-shirts", "show me nike t-shirts under 60 please", "undo", "start over", "more",
        "t-shirts between 20 and 40 euros", "thanks!", "i need a red linen dress for women",
        "laptops"]  # fmt: skip
DOUBTFUL = [
    ("no leather", "negation"),
    ("shoes but not blue", "negation"),
    ("blue or red", "either/or"),
    ("zorbling shoes", "unknown word"),
    ("waterproof shoes", "keyword"),
    ("cheaper", "relative"),
    ("something like the first one", "likeness"),
    ("compare the first two", "question"),
    ("is the second one leather?", "question"),
    ("red instead", "replacement"),
    ("start over, i want shoes", "two acts"),
    ("blue " * 50, "length"),
    ("sounds good", "a choice, or small talk"),
]


@pytest.mark.parametrize("text", SURE)
def test_plain_requests_are_covered(covered, text):
    assert covered(text)


@pytest.mark.parametrize(("text", "why"), DOUBTFUL)
def test_doubt_is_for_the_model(covered, text, why):
    assert not covered(text), why


def test_typos_are_for_the_model(covered):
    assert not covered("drses")


def mention(id, start, score=1.0, kind="value"):
    return Mention(id=id, kind=kind, facet="colour", start=start, end=start + 4, text="blue",
                   values=("Blue",), score=score)  # fmt: skip


REFINE = (Act(act="refine", want=("V1", "V2")),)


def judged(*mentions, acts=REFINE):
    request = PlanRequest("blue blue", mentions, State(), (), FACETS)
    return covers(request, Plan(acts=acts, mentions=mentions, utterance="blue blue"))


def test_one_simple_act_is_covered():
    assert judged(mention("V1", 0), mention("V2", 5))


def test_a_change_of_nothing_is_not_covered():
    assert not judged(mention("V1", 0), mention("V2", 5), acts=(Act(act="refine"),))


def test_before_a_slate_small_talk_is_only_small_talk(covered):
    assert covered("sounds good", state=State())


@pytest.mark.parametrize(
    "acts", [(), (Act(act="refine"), Act(act="more")), (Act(act="compare"),), (Act(act="like"),)]
)
def test_other_acts_are_not_covered(acts):
    assert not judged(mention("V1", 0), acts=acts)


def test_two_meanings_are_not_covered():
    assert not judged(mention("V1", 0), mention("V2", 0))


def test_guesses_are_not_covered():
    assert not judged(mention("V1", 0, score=0.8))
