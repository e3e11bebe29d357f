"""A small shop, its mentions and a rule planner for tests of the language-model planner."""

from agent.plan import Act, Mention, Plan
from agent.planner import PlanRequest
from agent.state import Constraint, Likeness, Need, Preference, Sorting, State
from retrieval.catalog import Facet, Item

COLOUR = Facet("colour", "categorical", "colour", "colour", values=(("Blue", 9), ("Red", 5)))
MATERIAL = Facet("material", "list", "fabric", "material", values=(("Leather", 4), ("Wool", 2)))
PRICE = Facet("price", "numeric", "price", "price", unit="EUR", low=5.0, high=900.0)
FACETS = (COLOUR, MATERIAL, PRICE)

SLATE = (
    Item("s1", "Plain shirt", fields={"colour": "Red", "price": 20.0, "material": ("Wool",)}),
    Item("s2", "Smart shirt", fields={"colour": "Blue", "price": 49.5}),
)

STATE = State(
    need=Need(
        constraints=(Constraint(facet="price", high=100.0, label="under 100"),),
        preferences=(Preference(text="comfy"),),
        like=Likeness(item_id="s1"),
        sorting=Sorting(facet="price", direction="up"),
        rejected=("s9",),
    ),
    slate=("s1", "s2"),
    focus=("s2",),
    turn=3,
)

SAYS = "something like the second one but blue, under 60, not leather"


def at(utterance, text):
    start = utterance.index(text)
    return {"start": start, "end": start + len(text), "text": text}


MENTIONS = (
    Mention(id="R1", kind="reference", items=("s2",), **at(SAYS, "the second one")),
    Mention(id="V1", kind="value", facet="colour", values=("Blue",), **at(SAYS, "blue")),
    Mention(id="N1", kind="number", facet="price", high=60.0, strict=True, **at(SAYS, "under 60")),
    Mention(id="V2", kind="value", facet="material", values=("Leather",), **at(SAYS, "leather")),
)

GOOD = '{"acts":[{"act":"like","want":["V1","N1"],"avoid":["V2"],"refs":["R1"]}]}'
GOOD_ACTS = (Act(act="like", refs=("R1",), want=("V1", "N1"), avoid=("V2",)),)


def request(utterance=SAYS, mentions=MENTIONS, state=STATE, slate=SLATE, facets=FACETS):
    return PlanRequest(utterance, mentions, state, slate, facets)


class FixedRules:
    """Plans the same act whatever is said, so that a fall back is easy to tell."""

    ACTS = (Act(act="chitchat"),)

    def plan(self, request):
        return Plan(acts=self.ACTS, mentions=request.mentions, utterance=request.utterance)
