"""Labelled candidates with their features: files of labels and a project, made into groups.

Only what the search finds for a query is learned from, with the scores it found it with: the
reranker will see nothing else. Behaviour features of an impression count what happened before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agent.linking import Linker
from agent.plan import Mention
from agent.state import State
from finetune.errors import DataError
from finetune.ranker.data import Impression, Judged, Shown
from retrieval.catalog import primary
from retrieval.metrics import exponential
from retrieval.query import Candidate
from retrieval.reranking.behaviour import NOTHING, Behaviour, Counts, query_key
from retrieval.reranking.features import BEHAVIOUR_NAMES, Matrix, features
from retrieval.reranking.protocol import DEPTH, Context, Wanted
from retrieval.retriever import Retriever

MOST_WEIGHT = 10.0
"""Where 1 / propensity is cut off: a rare click far down must not outweigh all others."""


@dataclass(frozen=True)
class Group:
    """The labelled candidates of a query, or of one impression of it, as the search ranked them.

    Args:
        matrix: Features, float32 of shape (candidates, features).
        grades: Of each candidate, 0 or more.
        weights: Of each candidate: 1 / propensity, cut off; 1 for judgements.
        gains: By item id what it is worth to show it, also of items that were not found.
        clicks: Whether the grades are what people did, who saw the first items best.
    """

    query: str
    candidates: tuple[Candidate, ...]
    matrix: Matrix
    grades: NDArray[np.float64]
    weights: NDArray[np.float64]
    gains: Mapping[str, float]
    clicks: bool = False

    @property
    def key(self) -> str:
        """What identifies the query."""
        return query_key(self.query)

    @property
    def learnable(self) -> bool:
        """Whether some candidate is better than another."""
        return len(set(self.grades.tolist())) > 1


@dataclass(frozen=True)
class Gathered:
    """Groups, what was left out on the way, and the counts of all feedback."""

    groups: tuple[Group, ...]
    unfound: int = 0
    behaviour: Behaviour | None = None


ContextOf = Callable[[str], Context]


def linked_context(retriever: Retriever) -> ContextOf:
    """Return what reads facet values and amounts out of a query, as a turn does."""
    linker = Linker.build(retriever)

    def context(query: str) -> Context:
        return _context(linker.link(query, State(), ()), retriever)

    return context


def _context(mentions: Sequence[Mention], retriever: Retriever) -> Context:
    wanted: dict[str, list[str]] = {}
    for mention in mentions:
        if mention.kind == "value" and mention.facet is not None:
            wanted.setdefault(mention.facet, []).extend(mention.values)
    price = primary(retriever.facets, "price")
    bounds = [
        bound
        for mention in mentions
        if mention.kind == "number" and price is not None and mention.facet == price.name
        for bound in (mention.low, mention.high)
        if isinstance(bound, float)
    ]
    return Context(
        retriever.facets,
        tuple(Wanted(facet, tuple(dict.fromkeys(values))) for facet, values in wanted.items()),
        sum(bounds) / len(bounds) if bounds else None,
    )


@dataclass
class _Searches:
    """What the search finds for each query, with features but without behaviour."""

    retriever: Retriever
    context_of: ContextOf
    depth: int = DEPTH
    _kept: dict[str, tuple[list[Candidate], Matrix]] = field(default_factory=dict)

    def of(self, query: str) -> tuple[list[Candidate], Matrix]:
        if query not in self._kept:
            found = self.retriever.search(query, k=self.depth)
            self._kept[query] = found, features(query, found, self.context_of(query))
        return self._kept[query]


def judged_groups(
    retriever: Retriever, judged: Sequence[Judged], context_of: ContextOf
) -> Gathered:
    """Return a group for each judged query.

    Raises:
        DataError: If most judged items are not in the catalog.
    """
    _check_ids(retriever, [id for one in judged for id in one.grades])
    searches, groups, unfound = _Searches(retriever, context_of), list[Group](), 0
    for one in judged:
        found, matrix = searches.of(one.query)
        places = [place for place, c in enumerate(found) if c.item.id in one.grades]
        unfound += len(one.grades) - len(places)
        groups.append(judged_group(one, [found[place] for place in places], matrix[places]))
    return Gathered(tuple(groups), unfound)


def judged_group(one: Judged, candidates: Sequence[Candidate], matrix: Matrix) -> Group:
    """Return the group of a judged query; every candidate has a grade."""
    return Group(
        one.query,
        tuple(candidates),
        matrix,
        np.array([one.grades[c.item.id] for c in candidates], dtype=np.float64),
        np.ones(len(candidates)),
        {id: exponential(grade) for id, grade in one.grades.items()},
    )


@dataclass
class _Running:
    """Counts that grow with each impression."""

    items: dict[str, Counts] = field(default_factory=dict)
    pairs: dict[tuple[str, str], Counts] = field(default_factory=dict)
    total: Counts = NOTHING

    def so_far(self) -> Behaviour:
        """Return what has happened until now; not to be kept, since it goes on growing."""
        return Behaviour(self.items, self.pairs, self.total)

    def add(self, impression: Impression) -> None:
        key = query_key(impression.query)
        for shown in impression.items:
            one = Counts(1.0, shown.clicked, shown.selected, shown.purchased)
            self.items[shown.id] = self.items.get(shown.id, NOTHING).plus(one)
            self.pairs[key, shown.id] = self.pairs.get((key, shown.id), NOTHING).plus(one)
            self.total = self.total.plus(one)


def feedback_groups(
    retriever: Retriever, impressions: Sequence[Impression], context_of: ContextOf
) -> Gathered:
    """Return a group for each impression that something was done with.

    Raises:
        DataError: If most items shown are not in the catalog.
    """
    _check_ids(retriever, [shown.id for one in impressions for shown in one.items])
    searches, running = _Searches(retriever, context_of), _Running()
    groups, unfound = list[Group](), 0
    for impression in impressions:
        if any(shown.grade for shown in impression.items):
            group = _shown_group(impression, searches, running.so_far())
            unfound += len(impression.items) - len(group.candidates)
            groups.append(group)
        running.add(impression)
    return Gathered(tuple(groups), unfound, running.so_far())


def _shown_group(impression: Impression, searches: _Searches, before: Behaviour) -> Group:
    found, matrix = searches.of(impression.query)
    by_id = {shown.id: shown for shown in impression.items}
    places = [place for place, c in enumerate(found) if c.item.id in by_id]
    slate = [by_id[found[place].item.id] for place in places]
    own = matrix[places]
    for row, shown in zip(own, slate, strict=True):
        row[-len(BEHAVIOUR_NAMES) :] = before.values(impression.query, shown.id)
    return Group(
        impression.query,
        tuple(found[place] for place in places),
        own,
        np.array([shown.grade for shown in slate], dtype=np.float64),
        np.array([_weight(shown) for shown in slate], dtype=np.float64),
        {shown.id: exponential(shown.grade) * _weight(shown) for shown in impression.items},
        clicks=True,
    )


def _weight(shown: Shown) -> float:
    """Return the inverse propensity, cut off (Joachims, Swaminathan & Schnabel, WSDM 2017)."""
    return min(1.0 / shown.propensity, MOST_WEIGHT)


def _check_ids(retriever: Retriever, ids: Sequence[str]) -> None:
    wanted = list(dict.fromkeys(ids))
    known = {item.id for item in retriever.get_many(wanted)}
    unknown = [id for id in wanted if id not in known]
    if 2 * len(unknown) > len(wanted):
        listed = ", ".join(map(repr, unknown[:5]))
        raise DataError(
            f"{len(unknown):,} of {len(wanted):,} items are not in the catalog at "
            f"{str(retriever.folder)!r}, e.g. {listed}; expected the catalog's own ids"
        )
