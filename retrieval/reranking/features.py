"""Features of candidates for learning to rank: a pure function and the names of its columns.

Whatever is not known is NaN, which gradient-boosted trees split on their own. Nothing here depends
on the order in which candidates are given: ranks are counted from scores.
"""

from __future__ import annotations

import math
import statistics
import threading
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import pairwise

import numpy as np
import Stemmer
from numpy.typing import NDArray

from retrieval.catalog import Facet, Item, primary
from retrieval.filters import fold, text_of, words
from retrieval.lexical import STOP
from retrieval.query import Candidate
from retrieval.rerank import available, shrunk_rating
from retrieval.reranking.behaviour import EVENTS
from retrieval.reranking.protocol import Context, Wanted

Matrix = NDArray[np.float32]
"""Float32, shape (candidates, features)."""

NAN = math.nan
KEPT_TEXTS = 4096
HUGE = 1e30
"""Beyond it a number is no measurement, and no float32 soon after."""

_SCORES = {
    "dense": "cosine similarity of query and item",
    "lexical": "BM25 score",
    "fused": "score of the search, both rankings together",
    "dense_reciprocal_rank": "1 / (1 + candidates with a higher cosine)",
    "lexical_reciprocal_rank": "1 / (1 + candidates with a higher BM25 score)",
    "fused_reciprocal_rank": "1 / (1 + candidates with a higher score of the search)",
    "dense_gap": "cosine less than that of the best candidate by this much",
    "lexical_share": "BM25 score over that of the best candidate",
}
_WORDS = {
    "query_length": "words of the query",
    "title_length": "words of the title",
    "title_words": "share of the query's words in the title",
    "text_words": "share of the query's words in any text of the item",
    "title_covered": "share of the title's words in the query",
    "title_exact": "1 if the title is the query",
    "title_bigrams": "share of the query's pairs of neighbouring words that the title has",
    "title_order": "share of those pairs that the title has in this order, words between or not",
    "title_first": "place of the first of the query's words in the title, over its length",
    "last_word": "1 if the query's last word, in English mostly the thing itself, is in the title",
    "numbers": "share of the query's words with a digit that the title has",
}
_FACETS = {
    "facets_met": "share of the facets the query names in which the item has a named value",
    "facets_broken": "share of them in which it has only other values",
    "price_distance": "|log(price / amount named)|",
    "price_relative": "log(price / median price of the candidates)",
}
_PRIOR = {
    "rating": "rating over the catalog's range, shrunk to its median by the number of raters",
    "popularity": "log(1 + people) over that of the most popular item",
    "recency": "release date within the catalog's range, 0 oldest, 1 newest",
    "available": "1 if it can be had, 0 if not",
}
_BEHAVIOUR = {
    f"{of}_{event}_{kind}": f"{told} that were {event}, of the {of}, before"
    for event in EVENTS
    for of in ("item", "pair")
    for kind, told in (("count", "impressions"), ("rate", "smoothed share of impressions"))
}

BEHAVIOUR_NAMES: tuple[str, ...] = tuple(_BEHAVIOUR)
"""The last columns, in the order of `Behaviour.values`."""

FEATURES: Mapping[str, str] = {**_SCORES, **_WORDS, **_FACETS, **_PRIOR, **_BEHAVIOUR}
"""Name and meaning of each column, in order."""

NAMES: tuple[str, ...] = tuple(FEATURES)

_stemmer = Stemmer.Stemmer("english")
_stemming = threading.Lock()


@lru_cache(maxsize=KEPT_TEXTS)
def stems(text: str) -> tuple[str, ...]:
    """Return the stems of a text's words in order, without stop words unless it has no other."""
    found = words(text)
    kept = [word for word in found if word not in STOP] or list(found)
    with _stemming:  # a stemmer keeps what it saw and is not safe between threads
        return tuple(_stemmer.stemWords(kept))


@lru_cache(maxsize=KEPT_TEXTS)
def stem_set(text: str) -> frozenset[str]:
    """Return the stems of a text, without order."""
    return frozenset(stems(text))


def features(query: str, candidates: Sequence[Candidate], context: Context) -> Matrix:
    """Return the features of candidates, float32 of shape (candidates, features), unknown NaN."""
    if not candidates:
        return np.zeros((0, len(NAMES)), dtype=np.float32)
    found = np.concatenate(
        [
            _scores(candidates),
            np.array([_words(query, one.item) for one in candidates], dtype=np.float64),
            _prices(candidates, context, _wishes(candidates, context)),
            _prior(candidates, context.facets),
            _behaviour(query, candidates, context),
        ],
        axis=1,
    )
    return np.where(np.abs(found) < HUGE, found, NAN).astype(np.float32)


def _known(values: Sequence[float | None]) -> NDArray[np.float64]:
    found = np.array([NAN if value is None else value for value in values], dtype=np.float64)
    return np.where(np.isfinite(found), found, NAN)


def _reciprocal_ranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / rank of each score, equal scores sharing the best rank; NaN stays NaN."""
    descending = np.sort(-scores[~np.isnan(scores)])
    ranks = 1.0 + np.searchsorted(descending, -scores, side="left")
    return np.where(np.isnan(scores), NAN, 1.0 / ranks)


def _scores(candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    dense = _known([one.dense for one in candidates])
    lexical = _known([one.lexical for one in candidates])
    fused = _known([one.score for one in candidates])
    best_dense = np.fmax.reduce(dense)
    best_lexical = np.fmax.reduce(lexical)
    return np.column_stack(
        [
            dense,
            lexical,
            fused,
            *map(_reciprocal_ranks, (dense, lexical, fused)),
            best_dense - dense,
            lexical / best_lexical if best_lexical > 0 else np.full(len(lexical), NAN),
        ]
    )


def _share(hits: int, of: int) -> float:
    return hits / of if of else NAN


def _words(query: str, item: Item) -> list[float]:
    asked, title = stems(query), stems(item.title)
    own, everything = stem_set(item.title), stem_set(text_of(item))
    pairs = list(pairwise(asked))
    spoken = f" {' '.join(title)} "
    places = {stem: place for place, stem in reversed(list(enumerate(title)))}
    numbers = [stem for stem in asked if any(map(str.isdigit, stem))]
    return [
        len(asked),
        len(title),
        _share(sum(stem in own for stem in asked), len(asked)),
        _share(sum(stem in everything for stem in asked), len(asked)),
        _share(len(own.intersection(asked)), len(own)),
        float(bool(asked) and asked == title),
        _share(sum(f" {a} {b} " in spoken for a, b in pairs), len(pairs)),
        _share(sum(places.get(a, len(title)) < places.get(b, -1) for a, b in pairs), len(pairs)),
        min((places[stem] / len(title) for stem in asked if stem in places), default=1.0),
        float(asked[-1] in own) if asked else NAN,
        _share(sum(stem in own for stem in numbers), len(numbers)),
    ]


def _meets(item: Item, wanted: Wanted) -> bool | None:
    """Return whether an item has a wanted value, None where it has none of that facet."""
    own = {fold(str(value)) for value in item.values(wanted.facet)}
    return not own.isdisjoint(map(fold, wanted.values)) if own else None


def _wishes(candidates: Sequence[Candidate], context: Context) -> NDArray[np.float64]:
    """Return the shares of the named facets that are met and that are broken."""
    rows = []
    for one in candidates:
        verdicts = [_meets(one.item, wanted) for wanted in context.wanted]
        count = len(verdicts)
        rows.append([_share(verdicts.count(True), count), _share(verdicts.count(False), count)])
    return np.array(rows, dtype=np.float64)


def _prices(
    candidates: Sequence[Candidate], context: Context, wishes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the shares of wishes with the two columns of the price behind them."""
    facet = primary(context.facets, "price")
    prices = [one.item.number(facet.name) if facet else None for one in candidates]
    logs = [math.log(price) if price and 0 < price < math.inf else NAN for price in prices]
    usual = [one for one in logs if not math.isnan(one)]
    amount = context.amount
    named = math.log(amount) if amount and 0 < amount < math.inf else NAN
    middle = statistics.median(usual) if usual else NAN
    columns = np.array([[abs(one - named), one - middle] for one in logs], dtype=np.float64)
    return np.concatenate([wishes, columns], axis=1)


def _prior(candidates: Sequence[Candidate], facets: tuple[Facet, ...]) -> NDArray[np.float64]:
    """Return what speaks for each item whatever was asked."""
    availability, rating = primary(facets, "availability"), primary(facets, "rating")
    popularity, released = primary(facets, "popularity"), primary(facets, "date")
    rows = []
    for one in candidates:
        had = available(one.item, availability)
        rows.append(
            [
                _rating(one.item, rating, popularity),
                _popularity(one.item, popularity),
                _recency(one.item, released),
                NAN if had is None else float(had),
            ]
        )
    return np.array(rows, dtype=np.float64)


def _rating(item: Item, rating: Facet | None, popularity: Facet | None) -> float:
    if rating is None or rating.kind != "numeric" or item.number(rating.name) is None:
        return NAN
    return shrunk_rating(item, rating, popularity)


def _popularity(item: Item, facet: Facet | None) -> float:
    people = item.number(facet.name) if facet else None
    if facet is None or people is None or not facet.high or facet.high <= 0:
        return NAN
    return math.log1p(max(people, 0.0)) / math.log1p(facet.high)


def _recency(item: Item, facet: Facet | None) -> float:
    values = item.values(facet.name) if facet else ()
    if facet is None or facet.low is None or facet.high is None or not values:
        return NAN
    try:
        day = date.fromisoformat(str(values[0])[:10]).toordinal()
    except ValueError:
        return NAN
    return (day - facet.low) / max(facet.high - facet.low, 1.0)


def _behaviour(
    query: str, candidates: Sequence[Candidate], context: Context
) -> NDArray[np.float64]:
    table = context.behaviour
    if table is None:
        return np.full((len(candidates), len(_BEHAVIOUR)), NAN)
    return np.array([table.values(query, one.item.id) for one in candidates], dtype=np.float64)
