"""How well items are found, measured on queries whose items people have rated.

    attune evaluate retrieval [--json]

Our default is compared with what it must not fall behind: BM25 alone (bm25s as it comes), the
encoder alone, and their reciprocal rank fusion. Queries of one set are drawn together for all
systems (paired bootstrap). docs/retrieval.md tells the protocol.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from finetune.errors import DataError
from retrieval.catalog import Item
from retrieval.filters import Compare, Filter, text_of
from retrieval.fusion import EQUAL, Fusion, fuse
from retrieval.fusion_tuning import (
    CUT,
    GRID,
    Lists,
    Searchable,
    Values,
    chosen_by_others,
    grid_values,
    lists_of,
)
from retrieval.metrics import (
    Estimate,
    condensed,
    linear,
    mean_interval,
    ndcg_at_k,
    paired_bootstrap,
    recall_at_k,
)
from retrieval.ranking import FUSED_DEPTH

Grades = Mapping[str, Mapping[str, float]]
Scope = Literal["catalog", "judged"]
System = Literal["ours", "with_labels", "bm25", "encoder", "rrf"]
FLOORS: tuple[System, ...] = ("bm25", "encoder", "rrf")
DEEP = 1000
"""How far down a ranking is read to condense it."""
RELEVANT = 0.5
"""Share of the highest grade from which an item counts as relevant to recall."""
NUMBER = "judged_number"
"""Numeric field that sets ranked within their judged items carry; not part of the text."""


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """Judged queries over one catalog.

    Args:
        grades: Query to item id to grade, 0 being the lowest rating there is.
        scope: "catalog": the whole catalog is ranked. "judged": only the query's judged items, by
            searching under a filter on `NUMBER`.
        about: What is measured, in words.
        halved: Whether our default was made with a look at half of the queries, so that the other
            half is reported for itself.
    """

    name: str
    grades: Grades
    scope: Scope
    about: str
    halved: bool = False


class PlainBM25:
    """BM25 of the library bm25s, all its parameters as they come, over everything written."""

    def __init__(self, items: Sequence[Item]) -> None:
        import bm25s
        import Stemmer

        self._library = bm25s
        self._stemmer = Stemmer.Stemmer("english")
        self._ids = np.array([item.id for item in items], dtype=object)
        self._rows = {item.id: row for row, item in enumerate(items)}
        self._model = bm25s.BM25()
        texts = [text_of(item) for item in items]
        self._model.index(self._tokens(texts), show_progress=False)

    def _tokens(self, texts: Sequence[str]) -> Any:
        return self._library.tokenize(
            list(texts), stopwords="en", stemmer=self._stemmer, show_progress=False
        )

    def search(self, text: str, within: Sequence[str] | None, k: int) -> list[str]:
        """Return the ids that share a word with a text, best first, of all or of some items."""
        tokens = self._library.tokenize(
            [text], stopwords="en", stemmer=self._stemmer, show_progress=False, return_ids=False
        )[0]
        known = [token for token in tokens if token in self._model.vocab_dict]
        if not known:
            return []
        scores: NDArray[np.float32] = self._model.get_scores(known)
        rows = (
            np.arange(len(scores)) if within is None else np.array([self._rows[i] for i in within])
        )
        best = rows[np.argsort(-scores[rows], kind="stable")][:k]
        return [str(id) for id in self._ids[best[scores[best] > 0]]]


@dataclass(frozen=True, slots=True)
class Found:
    """What one query finds: our two lists, and the rankings of the floors."""

    lists: Lists
    bm25: tuple[str, ...]
    encoder: tuple[str, ...]

    def ranking(self, system: System, fusion: Fusion, depth: int) -> list[str]:
        """Return the ids as a system ranks them."""
        if system == "bm25":
            return list(self.bm25[:depth])
        if system == "encoder":
            return list(self.encoder[:depth])
        if system == "rrf":
            return list(fuse([self.encoder[:depth], self.bm25[:depth]]))
        return self.lists.ranking(fusion, depth)


def find(
    retriever: Searchable, plain: PlainBM25, judged: JudgedSet, queries: Sequence[str]
) -> list[Found]:
    """Return what each query finds in a catalog."""
    within = [list(judged.grades[query]) if judged.scope == "judged" else None for query in queries]
    filters = [_only(retriever, ids) for ids in within]
    ours = lists_of(retriever, queries, DEEP, filters)
    vectors = retriever.encoder.encode_queries(list(queries))
    found = []
    for place, query in enumerate(queries):
        meaning = [id for id, _ in ours[place].meaning]
        if retriever.spelling.correct(query.strip()) != query.strip():
            hits = retriever.index.search(vectors[place], None, filters[place], DEEP)
            meaning = [hit.item.id for hit in hits]
        words = plain.search(query, within[place], DEEP)
        found.append(Found(ours[place], tuple(words), tuple(meaning)))
    return found


def _only(retriever: Searchable, ids: Sequence[str] | None) -> Filter | None:
    if ids is None:
        return None
    numbers = tuple(item.fields[NUMBER] for item in retriever.index.get(ids))
    # The value of `in` is a tuple of values of any kind; the type names only that of list fields.
    return Compare(NUMBER, "in", cast(Any, numbers))


def numbered(items: Sequence[Item]) -> tuple[Item, ...]:
    """Return items with the field that sets of scope "judged" are searched under."""
    return tuple(
        replace(item, fields={**item.fields, NUMBER: float(number)})
        for number, item in enumerate(items)
    )


def measures(
    found: Found, system: System, fusion: Fusion, grades: Mapping[str, float], judged: JudgedSet
) -> dict[str, float]:
    """Return what is measured of one query's ranking."""
    ranking = found.ranking(system, fusion, FUSED_DEPTH)
    if judged.scope == "judged":
        # Every system ranks all of them: what it did not find comes last, in the catalog's order.
        ranking += [id for id in sorted(grades) if id not in set(ranking)]
        return {
            "ndcg@10": ndcg_at_k(ranking, grades, CUT),
            "ndcg@10_linear": ndcg_at_k(ranking, grades, CUT, linear),
        }
    known = condensed(found.ranking(system, fusion, DEEP), grades)
    top = max(grades.values())
    relevant = {id for id, grade in grades.items() if grade >= RELEVANT * top}
    return {
        "ndcg@10": ndcg_at_k(ranking, grades, CUT),
        "ndcg@10_linear": ndcg_at_k(ranking, grades, CUT, linear),
        "ndcg@10_condensed": ndcg_at_k(known, grades, CUT),
        "recall@10": recall_at_k(ranking, relevant, CUT),
        "rated@10": len(condensed(ranking[:CUT], grades)) / CUT,
    }


def usable(judged: JudgedSet, known: frozenset[str]) -> tuple[dict[str, dict[str, float]], Any]:
    """Return the grades that can be measured, and how many were left out and why.

    Raises:
        DataError: If no judged item is in the catalog, or no query can be measured.
    """
    every = [id for own in judged.grades.values() for id in own]
    here = {query: {id: grade for id, grade in own.items() if id in known}
            for query, own in judged.grades.items()}  # fmt: skip
    unknown = len(every) - sum(map(len, here.values()))
    if unknown == len(every):
        raise DataError(
            f"{judged.name}: none of the {len(every):,} judged ids is in the catalog, for instance "
            f"{every[0]!r}; the catalog has ids such as {min(known, default='')!r}"
        )
    relevant = {query: own for query, own in here.items() if max(own.values(), default=0) > 0}
    kept = {query: own for query, own in relevant.items()
            if judged.scope == "catalog" or len(set(own.values())) > 1}  # fmt: skip
    if not kept:
        raise DataError(f"{judged.name}: no query has a relevant item that is in the catalog")
    left_out = {
        "items_not_in_catalog": unknown,
        "queries_without_relevant": len(here) - len(relevant),
        "queries_of_one_grade": len(relevant) - len(kept),
    }
    return kept, left_out


Figures = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SetReport:
    """What was measured on one set: per system and measure, a value of every query."""

    judged: JudgedSet
    fusion: Fusion
    queries: tuple[str, ...]
    values: Mapping[System, Mapping[str, Values]]
    left_out: Mapping[str, int]
    pairs: int
    seed: int

    def figures(self, chosen: NDArray[np.bool_]) -> Figures:
        """Return the mean of each measure of each system with its interval, over some queries."""
        return {
            system: {name: self._mean(own[chosen]) for name, own in measured.items()}
            for system, measured in self.values.items()
        }

    def _mean(self, values: Values) -> dict[str, Any]:
        return mean_interval(values.tolist(), self.seed).to_json()

    def differences(self, chosen: NDArray[np.bool_]) -> dict[str, dict[str, Estimate]]:
        """Return ours minus each floor, query by query, with its interval."""
        return {
            floor: {
                name: paired_bootstrap(
                    own[chosen].tolist(), self.values[floor][name][chosen].tolist(), self.seed
                )
                for name, own in self.values["ours"].items()
            }
            for floor in FLOORS
        }

    def _part(self, chosen: NDArray[np.bool_]) -> dict[str, Any]:
        figures = self.figures(chosen)
        minus = self.differences(chosen)
        return {
            "ours": figures["ours"],
            "with_labels": figures["with_labels"],
            "baselines": {floor: figures[floor] for floor in FLOORS},
            "ours_minus": {
                floor: {name: one.to_json() for name, one in own.items()}
                for floor, own in minus.items()
            },
            "queries": int(chosen.sum()),
        }

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        test = np.array([not in_development(query) for query in self.queries])
        report = self._part(np.ones(len(self.queries), dtype=np.bool_))
        return {
            "about": self.judged.about,
            **report,
            **({"held_out": self._part(test)} if self.judged.halved and test.any() else {}),
            "n": {"queries": len(self.queries), "judged_pairs": self.pairs, **self.left_out},
            "fusion": [self.fusion.dense, self.fusion.lexical, self.fusion.by],
        }


def in_development(query: str) -> bool:
    """Return whether a query is in the half that was looked at while the default was made."""
    return int(hashlib.sha256(query.encode()).hexdigest(), 16) % 2 == 0


def evaluate(
    retriever: Searchable, items: Sequence[Item], judged: JudgedSet, fusion: Fusion, seed: int
) -> SetReport:
    """Measure every system on a judged set.

    Args:
        items: All items of the catalog, for the BM25 that ours is compared with.
        fusion: Our default's.
    """
    kept, left_out = usable(judged, frozenset(item.id for item in items))
    queries = tuple(kept)
    found = find(retriever, PlainBM25(items), replace(judged, grades=kept), queries)
    table = grid_values([one.lists for one in found], list(kept.values()))
    with_labels = [GRID[place] for place in chosen_by_others(table, seed)]
    fusions: dict[System, Sequence[Fusion]] = {
        "ours": [fusion] * len(queries),
        "with_labels": with_labels,
        **dict.fromkeys(FLOORS, [EQUAL] * len(queries)),
    }
    values = {system: _columns(found, system, own, kept, judged) for system, own in fusions.items()}
    pairs = sum(map(len, kept.values()))
    return SetReport(judged, fusion, queries, values, left_out, pairs, seed)


def _columns(
    found: Sequence[Found],
    system: System,
    fusions: Sequence[Fusion],
    grades: Grades,
    judged: JudgedSet,
) -> dict[str, Values]:
    rows = [
        measures(one, system, fusion, own, judged)
        for one, fusion, own in zip(found, fusions, grades.values(), strict=True)
    ]
    return {name: np.array([row[name] for row in rows], dtype=np.float64) for name in rows[0]}
