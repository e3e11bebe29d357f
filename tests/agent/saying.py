"""Ready-made mentions over the department store, and acts and turns over them."""

from agent.apply import apply
from agent.plan import ORDER, PREFIX, Act, Mention, Plan
from tests.agent.shop import BY_ID, FACETS, SHOWN


def mention(id, **facts):
    """Return a mention by its id; its kind is told by the letter."""
    kind = next(kind for kind, letter in PREFIX.items() if letter == id[0])
    facts.setdefault("text", " ".join(facts.get("values", ())).casefold() or id)
    return Mention(id=id, kind=kind, start=0, end=1, **facts)


BLUE = mention("V1", facet="colour", values=("Blue",), family=("Navy Blue",))
RED = mention("V2", facet="colour", values=("Red",), family=("Maroon",))
SHOES = mention("V3", facet="kind", values=("Casual Shoes", "Sports Shoes"), text="shoes")
DRESSES = mention("V4", facet="kind", values=("Dresses",))
LEATHER = mention("V5", facet="material", values=("Leather",))
WOMEN = mention("V6", facet="gender", values=("Women",))
TOLKIEN = mention("V7", facet="authors", values=("J.R.R. Tolkien",))
GAIMAN = mention("V8", facet="authors", values=("Neil Gaiman",))
UNDER_60 = mention("N1", facet="price", high=60.0, text="under 60")
OVER_40 = mention("N2", facet="price", low=40.0, text="over 40")
OVER_90 = mention("N3", facet="price", low=90.0, text="over 90")
RANGE = mention("N4", facet="price", low=20.0, high=40.0, text="20 to 40")
SINCE_1990 = mention("N5", facet="published", low="1990-01-01", text="since 1990")
SECOND = mention("R1", items=("s1",))
THIRD = mention("R2", items=("s2",))
NOWHERE = mention("R3", items=())
ALL = mention("R4", items=SHOWN)
TITLE = mention("T1", items=("b3",))
CHEAPER = mention("D1", facet="price", direction="down", text="cheaper")
NEWER = mention("D2", facet="published", direction="up", text="newer")
WIDER = mention("D3", facet="width_cm", direction="up", text="wider")
BETTER = mention("D4", facet="rating", direction="up", text="better rated")
CHEAPEST = mention("O1", facet="price", direction="down", text="cheapest")
COLOUR = mention("F1", facet="colour", text="colour")
PRICE = mention("F2", facet="price", text="price")
THE_ORDER = mention("F3", facet=ORDER, text="order")
COMFY = mention("U1", values=("comfy",))
FLORAL = mention("K1", values=("floral",))
EVERY = (BLUE, RED, SHOES, DRESSES, LEATHER, WOMEN, TOLKIEN, GAIMAN, UNDER_60, OVER_40, OVER_90,
         RANGE, SINCE_1990, SECOND, THIRD, NOWHERE, ALL, TITLE, CHEAPER, NEWER, WIDER, BETTER,
         CHEAPEST, COLOUR, PRICE, THE_ORDER, COMFY, FLORAL)  # fmt: skip


def act(name="refine", **parts):
    """Return an act over mentions."""
    ids = {
        key: tuple(m.id for m in value) if isinstance(value, tuple) else value
        for key, value in parts.items()
    }
    return Act(act=name, **ids)


def take(state, *acts):
    """Return the state after acts."""
    return apply(state, Plan(acts=acts, mentions=EVERY), BY_ID, FACETS)
