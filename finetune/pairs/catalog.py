"""What pairs need of a catalog: its facets, items as they were shown, and how words are understood.

Items come as they were when they were shown, so that what was said of them then is judged by what
they were then; the catalog as it is now fills in those that were never shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from agent.checking import Checker
from agent.linking import Linker
from agent.logged import LoggedSession, LoggedTurn, Shown
from agent.plan import Plan
from agent.planner import PlanRequest, RulePlanner
from agent.state import State
from finetune.extension import Extension
from retrieval.catalog import Facet, Item
from retrieval.retriever import Retriever

MOST_COMPARED = 50_000
"""Items up to which two needs are compared by what they let through; all are held in memory."""


class Catalog:
    """A catalog as sessions over it are read."""

    def __init__(self, retriever: Retriever) -> None:
        self.facets: tuple[Facet, ...] = retriever.facets
        self.currency = retriever.currency
        self._retriever = retriever
        self._rules = RulePlanner(self.facets)

    @cached_property
    def extension(self) -> Extension | None:
        """The items, to compare needs by what they let through; None where they are too many."""
        if self._retriever.index.count() > MOST_COMPARED:
            return None
        return Extension(list(self._retriever.items()))

    @cached_property
    def checker(self) -> Checker:
        """What checks free text about items."""
        return Checker(self.facets, self.currency)

    @cached_property
    def _linker(self) -> Linker:
        return Linker.build(self._retriever)

    def items(self, session: LoggedSession, ids: Iterable[str]) -> dict[str, Item]:
        """Return items by id, as a session saw them last, else as they are now; gone ones lack."""
        wanted = dict.fromkeys(ids)
        seen = {one.item_id: one for slate in session.slates for one in slate.items
                if one.item_id in wanted}  # fmt: skip
        found = {id: as_item(one, self.facets) for id, one in seen.items()}
        lacking = [id for id in wanted if id not in found]
        if lacking:
            found |= {item.id: item for item in self._retriever.get_many(lacking)}
        return found

    def request(self, session: LoggedSession, turn: LoggedTurn) -> PlanRequest:
        """Return what the planner of a turn was given."""
        before = session.before(turn)
        known = self.items(session, before.slate)
        slate = tuple(known[id] for id in before.slate if id in known)
        return PlanRequest(turn.plan.utterance or turn.utterance, turn.plan.mentions, before,
                           slate, self.facets)  # fmt: skip

    def pointed_at(self, session: LoggedSession, request: PlanRequest) -> dict[str, Item]:
        """Return every item that a plan of a turn may point at, by id."""
        state = request.state
        ids = [*state.slate, *state.focus, *(id for m in request.mentions for id in m.items)]
        ids += [state.need.like.item_id] if state.need.like else []
        return self.items(session, ids)

    def by_rules(self, request: PlanRequest) -> Plan:
        """Return the rules' own plan of a turn."""
        return self._rules.plan(request)

    def heard(self, text: str, state: State, slate: tuple[Item, ...]) -> Plan:
        """Return the rules' plan for words that were no turn, e.g. a critique."""
        mentions = self._linker.link(text, state, slate)
        return self.by_rules(PlanRequest(text, mentions, state, slate, self.facets))


def as_item(shown: Shown, facets: tuple[Facet, ...]) -> Item:
    """Return an item as it was shown."""
    own = shown.fields
    fields = {f.name: own[f.name] for f in facets if own.get(f.name) is not None}
    texts = {name: str(own.get(name) or "") for name in ("title", "description")}
    return Item(
        shown.item_id, **texts, fields=fields, currency=own.get("currency"),
        image=own.get("image"), url=own.get("url"),
    )  # fmt: skip
