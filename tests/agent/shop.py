"""A department store of 26 items, and one turn of understanding over it, for tests of the agent.

Clothes, electronics, furniture, books and courses in one catalog, so that every kind of facet is
there. The retriever over it is a real one, on disk, with the hashing encoder.
"""

from __future__ import annotations

from agent.apply import apply
from agent.linking import Linker
from agent.plan import Mention, Plan
from agent.rules.planner import RulePlanner
from agent.rules.request import PlanRequest
from agent.state import Constraint, Need, State
from retrieval.catalog import Item
from retrieval.encoder import HashingEncoder
from retrieval.loading import Column, LoadedCatalog, Mapping, infer_facets
from retrieval.retriever import Retriever

MAPPING = Mapping(
    (
        Column("sku", "id"),
        Column("name", "title"),
        Column("cost", "price", "price", "numeric", "price", unit="EUR"),
        Column("kind", "facet", "kind", "categorical", "category"),
        Column("gender", "facet", "gender", "categorical", "audience"),
        Column("colour", "facet", "colour", "categorical", "colour"),
        Column("material", "facet", "material", "categorical", "material"),
        Column("brand", "facet", "brand", "categorical", "brand"),
        Column("authors", "facet", "authors", "list"),
        Column("rating", "facet", "rating", "numeric", "rating"),
        Column("reviews", "facet", "reviews", "numeric", "popularity"),
        Column("width_cm", "facet", "width_cm", "numeric", label="width", unit="cm"),
        Column("published", "facet", "published", "date", "date"),
        Column("is_paid", "facet", "is_paid", "boolean", label="is paid"),
        Column("in_stock", "facet", "in_stock", "boolean", "availability", label="in stock"),
    ),
    currency="EUR",
)

# id | kind | gender colour material brand | price rating reviews stock | title | description
_GOODS = """
c1|Casual Shoes|Men Black Leather Puma|80 4.1 120 yes|Puma Ignite Loafers|formal, waterproof
c2|Casual Shoes|Men Navy_Blue Canvas Puma|45 3.9 40 yes|Puma Harbour Slip-on|summer, light
s1|Sports Shoes|Men Blue Mesh Nike|110 4.6 300 yes|Nike Zephyr Road|running, breathable
s2|Sports Shoes|Women Grey Mesh Nike|90 4.4 210 yes|Nike Nimbus Trail|running, waterproof
s3|Sports Shoes|Men Black Mesh Adidas|120 4.8 500 no|Adidas Terrex Peak|hiking, waterproof
t1|T-Shirts|Men Blue Cotton Nike|25 4.0 80 yes|Nike Crew Tee|slim fit
t2|T-Shirts|Men Navy_Blue Cotton Puma|20 3.5 10 yes|Puma Logo Tee|regular fit
t3|T-Shirts|Women White Cotton Adidas|18 4.2 60 yes|Adidas Stripe Tee|soft
t4|T-Shirts|Women Maroon Linen Alto|22 - - yes|Alto Breeze Tee|breathable
d1|Dresses|Women Red Cotton Alto|55 4.3 70 yes|Alto Poppy Dress|floral, summer
d2|Dresses|Women Maroon Linen Alto|70 4.7 150 yes|Alto Evening Gown|formal, elegant
d3|Dresses|Women Green Cotton Brisa|40 3.8 20 yes|Brisa Meadow Dress|floral
p1|Perfume & Body Mist|Women - - Brisa|35 4.5 90 yes|Brisa Jasmine Mist|fresh
l1|Laptops|- Grey - Acer|899 4.2 340 yes|Acer Swiftline 14|light
l2|Laptops|- Black - Dell|1299 4.9 410 no|Dell Meridian 15|powerful
h1|Headphones|- Black - Sony|150 4.6 700 yes|Sony Hush 700|wireless
f1|Bookcases|- White Wood Nordhus|120 4.0 55 yes|Nordhus Tallvik|pine
f2|Bookcases|- Black Wood Nordhus|199 4.4 65 yes|Nordhus Bredvik|oak
"""

# id | kind | authors | published | price rating | title
_WORKS = """
b1|Novels|J.R.R. Tolkien|1954-07-29|12 4.9|The Silver Mountain
b2|Novels|Terry Pratchett, Neil Gaiman|1990-05-01|10 4.7|Fair Portents
b3|Novels|Terry Pratchett|1989-11-01|9 4.5|The Night Sentinels
b4|Novels|Neil Gaiman|2001-06-19|14 4.4|Gods of the Crossroads
b5|Novels|J.R.R. Tolkien|1977-09-15|16 4.0|Lays of the Elder Shore
b6|Novels|Ursula Le Guin|1969-03-01|11 4.6|The Frozen Envoy
k1|Courses|Ada Moss|2019-02-01|95 4.3|Practical Python Scripting
k2|Courses|Ben Ortiz|2021-08-15|0 4.1|Watercolour Basics
"""

_MORE = {
    "l1": {"width_cm": 32.0}, "l2": {"width_cm": 36.0}, "f1": {"width_cm": 80.0},
    "f2": {"width_cm": 120.0}, "k2": {"is_paid": False},
}  # fmt: skip


def _goods(row: str) -> Item:
    id, kind, facts, figures, title, description = row.split("|")
    names = ("gender", "colour", "material", "brand")
    told = (part.replace("_", " ") for part in facts.split(" "))
    fields = {"kind": kind} | dict(zip(names, told, strict=True))
    price, rating, reviews, stock = figures.split()
    numbers = {"price": price, "rating": rating, "reviews": reviews}
    known = {name: value for name, value in fields.items() if value != "-"}
    known |= {name: float(value) for name, value in numbers.items() if value != "-"}
    return Item(id, title, description, known | {"in_stock": stock == "yes"} | _MORE.get(id, {}),
                "EUR")  # fmt: skip


def _work(row: str) -> Item:
    id, kind, authors, published, figures, title = row.split("|")
    price, rating = map(float, figures.split())
    fields = {"kind": kind, "authors": tuple(authors.split(", ")), "published": published,
              "price": price, "rating": rating, "in_stock": True, "is_paid": True}  # fmt: skip
    return Item(id, title, "", fields | _MORE.get(id, {}), "EUR")


ITEMS = (
    *(_goods(row) for row in _GOODS.strip().splitlines()),
    *(_work(row) for row in _WORKS.strip().splitlines()),
)
BY_ID = {item.id: item for item in ITEMS}
FACETS = infer_facets(ITEMS, MAPPING)
BY_NAME = {facet.name: facet for facet in FACETS}

SHOWN = ("c1", "s1", "s2", "c2", "s3")
"""A slate: black Puma 80, blue Nike 110, grey Nike 90, navy Puma 45, black Adidas 120."""


def items_of(*ids: str) -> tuple[Item, ...]:
    """Return items by id."""
    return tuple(BY_ID[id] for id in ids)


def open_shop(folder, items=ITEMS) -> Retriever:
    """Index the store into a folder and open it for writing."""
    loaded = LoadedCatalog("store", tuple(items), infer_facets(items, MAPPING), MAPPING,
                           currency="EUR")  # fmt: skip
    encoder = HashingEncoder(32)
    Retriever.build(loaded, folder, encoder=encoder)
    return Retriever.open(folder, encoder)


def wish(facet: str, *values: str, **more) -> Constraint:
    """Return a constraint on a facet of the store."""
    return Constraint(facet=facet, role=BY_NAME[facet].role if facet in BY_NAME else None,
                      values=values, **more)  # fmt: skip


def state_of(*constraints: Constraint, slate=(), focus=(), earlier=(), **need) -> State:
    """Return a state with these constraints."""
    wanted = Need(constraints=constraints, **need)
    return State(need=wanted, slate=slate, shown=slate, focus=focus, earlier=earlier)


class Mind:
    """Link, plan and apply over the store: everything of a turn but the search."""

    def __init__(self, retriever: Retriever) -> None:
        self.linker = Linker(retriever)
        self.planner = RulePlanner()

    def link(self, text: str, state: State | None = None) -> tuple[Mention, ...]:
        """Return the mentions of an utterance."""
        state = state or State()
        return self.linker.link(text, state, items_of(*state.slate))

    def plan(self, text: str, state: State | None = None) -> Plan:
        """Return the plan of an utterance."""
        state = state or State()
        mentions = self.link(text, state)
        request = PlanRequest(text, mentions, state, items_of(*state.slate), FACETS)
        return self.planner.plan(request)

    def hear(self, *texts: str, state: State | None = None) -> State:
        """Return the state after some turns; the slate stays as it was."""
        state = state or State()
        for text in texts:
            state = apply(state, self.plan(text, state), BY_ID, FACETS)
        return state


def wants(state: State) -> dict[str, tuple[str, ...]]:
    """Return the wanted values of a state, by facet."""
    return {c.facet: c.values for c in state.need.constraints if c.values}


def refuses(state: State) -> dict[str, tuple[str, ...]]:
    """Return the excluded values of a state, by facet."""
    return {c.facet: c.excluded for c in state.need.constraints if c.excluded}


def bounds(state: State) -> dict[str, tuple[float | str | None, float | str | None]]:
    """Return the bounds of a state, by facet."""
    return {
        c.facet: (c.low, c.high)
        for c in state.need.constraints
        if c.low is not None or c.high is not None
    }


def meant(plan: Plan) -> set[str]:
    """Return the ids of the items the acts of a plan point at."""
    ids = [id for act in plan.acts for id in (*act.refs, *act.avoid)]
    return {item for id in ids for item in plan.mention(id).items}
