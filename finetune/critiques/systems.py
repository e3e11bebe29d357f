"""Who answers critiques: the whole dialogue, the same with its plan given, and the baselines.

Each answers a case with at most five item ids, best first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from agent.apply import with_slate
from agent.dialogue import Linker, Parts, respond
from agent.planner import Planner
from agent.recommend import recommend
from agent.state import Constraint, Likeness, Need, State
from agent.store import Session, Store
from agent.turn import Done
from finetune.critiques.cases import TOP
from finetune.critiques.format import Case
from retrieval.catalog import Item, Role, by_role
from retrieval.filters import And, Filter
from retrieval.query import Candidate, Order, Vectors
from retrieval.retriever import Retriever
from retrieval.texts import item_text

System = Callable[[Case], tuple[str, ...]]

OURS, PLAN_GIVEN = "ours", "ours, plan given"
BM25, DENSE, ARITHMETIC, FILTER, FILTERED_DENSE = (
    "BM25", "MiniLM", "vector arithmetic", "filter only", "filter + MiniLM",
)  # fmt: skip


class _OnScreen(Store):
    """A store whose sessions begin with a reference on the screen, and that keeps nothing.

    What is measured is the turn; that turns survive a crash is measured elsewhere.
    """

    def __init__(self) -> None:
        super().__init__("sqlite://")
        self._states: dict[str, State] = {}

    def show(self, item_id: str) -> str:
        """Return the id of a session in which one item is shown and spoken of."""
        shown = with_slate(State(turn=1), [item_id])
        id = self.create_session()
        self._states = {id: shown.model_copy(update={"focus": (item_id,)})}
        return id

    def load(self, session_id: str) -> Session:
        """Return the session with the state it begins with."""
        return replace(super().load(session_id), state=self._states[session_id])

    def record(self, done: Done, **_: object) -> None:
        """Keep nothing."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Ours: the critique's text through the whole dialogue, the reference on the screen."""

    parts: Parts

    @classmethod
    def over(cls, retriever: Retriever, linker: Linker, planner: Planner) -> Dialogue:
        """Return the dialogue over a catalog."""
        return cls(Parts(_OnScreen(), retriever, linker, planner, page=TOP))

    def __call__(self, case: Case) -> tuple[str, ...]:
        """Return the slate of the turn."""
        return tuple(one.item_id for one in self.turn(case).slate.items)

    def turn(self, case: Case) -> Done:
        """Return the whole turn, so that an error can be traced."""
        store = self.parts.store
        assert isinstance(store, _OnScreen)
        session = store.show(case.reference)
        return next(
            event for event in respond(self.parts, session, case.text) if isinstance(event, Done)
        )


@dataclass(frozen=True, slots=True)
class PlanGiven:
    """Ours without understanding: the edits as they are, through retrieval and ranking."""

    retriever: Retriever

    def __call__(self, case: Case) -> tuple[str, ...]:
        """Return the items recommended for the edits."""
        like = Likeness(item_id=case.reference, changed=case.facets)
        need = Need(constraints=constraints(case, self.retriever), like=like)
        found = recommend(self.retriever, State(need=need), k=TOP)
        return tuple(item.id for item in found.items)


def constraints(case: Case, retriever: Retriever) -> tuple[Constraint, ...]:
    """Return the edits of a case as constraints, relative ones against the reference's value."""
    roles = {facet.name: facet.role for facet in retriever.facets}
    reference = _reference(retriever, case)
    found = []
    for facet in case.facets:
        direction, own = case.relative.get(facet), reference.fields.get(facet)
        bound = own if isinstance(own, int | float | str) else None
        found.append(
            Constraint(
                facet=facet, role=roles.get(facet), values=case.change.get(facet, ()),
                excluded=case.negate.get(facet, ()), relative=direction is not None,
                low=bound if direction == "up" else None, low_strict=direction == "up",
                high=bound if direction == "down" else None, high_strict=direction == "down",
            )
        )  # fmt: skip
    return tuple(found)


def _reference(retriever: Retriever, case: Case) -> Item:
    item = retriever.get(case.reference)
    assert item is not None
    return item


@dataclass(frozen=True, slots=True)
class Baselines:
    """What one would try first. None of them knows which facets are to be kept."""

    retriever: Retriever

    def all(self) -> dict[str, System]:
        """Return the baselines by name."""
        return {
            BM25: self.bm25, DENSE: self.dense, ARITHMETIC: self.arithmetic,
            FILTER: self.filter_only, FILTERED_DENSE: self.filtered_dense,
        }  # fmt: skip

    def bm25(self, case: Case) -> tuple[str, ...]:
        """Search the reference's text and the critique by words."""
        return self._first(self.retriever.index.search(text=self._both(case), k=TOP + 1), case)

    def dense(self, case: Case) -> tuple[str, ...]:
        """Search the reference's text and the critique by meaning."""
        vector = self.retriever.encoder.encode_queries([self._both(case)])[0]
        return self._first(self.retriever.index.search(dense=vector, k=TOP + 1), case)

    def arithmetic(self, case: Case) -> tuple[str, ...]:
        """Search v(reference) + v(wanted) - v(old value); relative edits add their own words."""
        reference = _reference(self.retriever, case)
        vector = self.retriever.index.vectors([case.reference])[0].copy()
        for facet, values in case.change.items():
            vector += self._vector(" ".join(values)) - self._vector(_own(reference, facet))
        for values in case.negate.values():
            vector -= self._vector(" ".join(values))
        if case.relative:
            vector += self._vector(case.text)
        vector /= max(float(np.linalg.norm(vector)), 1e-9)
        return self._first(self.retriever.index.search(dense=vector, k=TOP + 1), case)

    def filter_only(self, case: Case) -> tuple[str, ...]:
        """Take what satisfies the edits exactly, best known first, else in catalog order."""
        facets = [f for role in _KNOWN for f in by_role(self.retriever.facets, role)]
        order = next((Order(f.name, "descending") for f in facets if f.kind == "numeric"), None)
        found = self.retriever.index.search(filter=self._filter(case), k=TOP + 1, order=order)
        return self._first(found, case)

    def filtered_dense(self, case: Case) -> tuple[str, ...]:
        """Take what satisfies the edits exactly, nearest to the reference's vector first."""
        vector = self.retriever.index.vectors([case.reference])[0]
        found = self.retriever.index.search(dense=vector, filter=self._filter(case), k=TOP + 1)
        return self._first(found, case)

    def _filter(self, case: Case) -> Filter:
        return And(tuple(one.filter() for one in constraints(case, self.retriever)))

    def _both(self, case: Case) -> str:
        text = item_text(_reference(self.retriever, case), self.retriever.manifest.leading)
        return f"{text}. {case.text}"

    def _vector(self, text: str) -> Vectors:
        return _encoded(self.retriever, text)

    def _first(self, found: Sequence[Candidate], case: Case) -> tuple[str, ...]:
        return tuple(one.item.id for one in found if one.item.id != case.reference)[:TOP]


_KNOWN: tuple[Role, ...] = ("popularity", "rating")


def _own(item: Item, facet: str) -> str:
    return " ".join(map(str, item.values(facet)))


@lru_cache(maxsize=4096)
def _encoded(retriever: Retriever, text: str) -> Vectors:
    vector: Vectors = retriever.encoder.encode_queries([text])[0]
    return vector
