"""An earlier slate shown again: the very items, as long as they still are what was asked for."""

from __future__ import annotations

from agent.plan import Plan
from agent.ports import Retriever
from agent.recommend import Recommendation
from agent.state import State
from retrieval.filters import matches
from retrieval.query import Candidate


def shown_again(retriever: Retriever, plan: Plan, state: State) -> Recommendation | None:
    """Return the slate that a turn goes back to; None where it goes to none, or must search anew.

    It does so where more was asked for beside, and where an item of the slate is gone or broke a
    wish even then: what was given up for it is found, and said, by the search.

    Args:
        state: The state after the plan; the last of its lists is the one gone back to.
    """
    if not any(act.act == "undo" and act.refs for act in plan.acts) or not state.lists:
        return None
    slate, need = state.lists[-1], state.need
    if slate.need.model_copy(update={"rejected": need.rejected}) != need:
        return None
    ids = [id for id in slate.items if id not in need.rejected]
    items, wanted = retriever.get_many(ids), need.filter()
    if not items or len(items) < len(ids) or not all(matches(wanted, item) for item in items):
        return None
    candidates = tuple(Candidate(item, 1.0 / place) for place, item in enumerate(items, start=1))
    matched, certain = retriever.index.count(wanted), dict.fromkeys(ids, 1.0)
    return Recommendation(candidates, matched=matched, propensities=certain)
