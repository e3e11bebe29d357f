"""Fit the weights with which answers are found, refused and told from shopping.

    python -m benchmarks.knowledge_fit --work DIR

Uses the pages and questions of six businesses (`benchmarks.knowledge_sets`), and, to tell
clauses about the shop from those about items, utterances of ../shared/data where they are (those
that `benchmarks/knowledge.py` does not measure on). Thresholds are chosen on the scores that each
business gets by weights learned from the others. Writes agent/knowledge/weights.toml and prints
what it came to. Logistic regressions, by Newton's method.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import tomli_w
from numpy.typing import NDArray

from agent.knowledge import FOLDER, Knowledge, add
from agent.knowledge.features import chosen, standing
from agent.knowledge.knowledge import MOST_OFFERED
from agent.knowledge.model import NEVER, Models, logistic
from agent.knowledge.words import words_of
from benchmarks.knowledge_sets import (
    FITTED_ON,
    ROOT,
    Question,
    pages,
    questions,
    shopping,
    sold,
)
from retrieval.encoder import DEFAULT_ENCODER, HashingEncoder, make_encoder
from retrieval.query import Encoder, Vectors


@dataclass(frozen=True, slots=True)
class Names:
    """Which features a model looks at."""

    ranks: tuple[str, ...]
    answers: tuple[str, ...]
    relevant: tuple[str, ...]


_CLAUSE = ("answered", "page_object", "page_heading", "service", "question", "shopping", "us",
           "mine", "sold", "long", "short")  # fmt: skip
MEANING = Names(
    ("best", "dense", "title", "together", "missing", "heading", "heading_back", "lexical",
     "kind_lacking", "token_covered", "token_all"),
    ("gap", "stand", "object", "best", "sentence", "covered", "title", "lacking", "words", "none",
     "token_covered", "token_all", "token_word", "token_least", "token_lacking", "token_object",
     "token_alien"),
    ("page_best", "page_covered", "page_token_covered", "page_token_all", *_CLAUSE),
)  # fmt: skip
WORDS = Names(
    ("exact", "together", "missing", "heading", "heading_back", "lexical", "kind_lacking"),
    (
        "gap",
        "object",
        "exact",
        "together",
        "missing",
        "heading",
        "kind_lacking",
        "none",
    ),
    ("page_exact", *_CLAUSE),
)
RIDGE = 1.0
RANK_RIDGE = 0.3
PRECISION = 0.92
"""Of the answers that a business gets which was not learned from, so many are to be right."""
FALSE_ANSWERS = 0.035
"""Of the questions that the pages do not answer, so many may get an answer."""
FALSE_OFFERS = 0.25
"""And so many may be answered or have pages offered."""
OFFERS = 0.45
"""Of the questions to which pages are only offered, so many are to be answered by one of them."""
FALSE_ALARMS = 0.01
"""Of shopping utterances, at most so many may be taken for questions to the shop."""

Matrix = NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Business:
    """The pages of a business, and what is asked of them."""

    knowledge: Knowledge
    asked: Sequence[Question]


@dataclass(frozen=True, slots=True)
class Row:
    """A case: features, whether it is right, the page a passage is from and its vector.

    Args:
        near: Whether one of the passages that would be offered is right.
        answerable: Whether any passage of the pages is.
    """

    features: Mapping[str, float]
    right: bool
    page: str = ""
    vector: Vectors | None = None
    near: bool = False
    answerable: bool = False


def matrix(rows: Sequence[Row], names: Sequence[str]) -> Matrix:
    """Return the features of rows, one row each."""
    return np.array([[row.features.get(name, 0.0) for name in names] for row in rows])


def fit(rows: Sequence[Row], names: Sequence[str]) -> Matrix:
    """Return the weights of a logistic regression, the bias last."""
    x = np.hstack([matrix(rows, names), np.ones((len(rows), 1))])
    y = np.array([row.right for row in rows], dtype=float)
    ridge = np.diag([RIDGE] * len(names) + [1e-6])
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ weights))
        curve = (x.T * (p * (1 - p))) @ x + ridge
        step = np.linalg.solve(curve, x.T @ (p - y) + ridge @ weights)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def fit_ranks(groups: Sequence[Sequence[Row]], names: Sequence[str]) -> Matrix:
    """Return weights under which the right row of each group is likeliest (softmax)."""
    sets = [(matrix(rows, names), np.array([row.right for row in rows], dtype=float))
            for rows in groups if any(row.right for row in rows)]  # fmt: skip
    weights = np.zeros(len(names))
    for _ in range(60):
        gradient, curve = RANK_RIDGE * weights, RANK_RIDGE * np.eye(len(names))
        for x, right in sets:
            p = np.exp(x @ weights - (x @ weights).max())
            p /= p.sum()
            wanted = p * right / (p * right).sum()
            mean = x.T @ p
            gradient = gradient + x.T @ (p - wanted)
            curve = curve + (x.T * p) @ x - np.outer(mean, mean)
        step = np.clip(np.linalg.solve(curve, gradient), -2, 2)
        weights = weights - step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def score(weights: Matrix, names: Sequence[str], features: Mapping[str, float]) -> float:
    """Return the probability that weights with a bias give."""
    total = sum(w * features.get(name, 0.0) for w, name in zip(weights, names, strict=False))
    return float(1 / (1 + np.exp(-(total + weights[-1]))))


def opened(business: str, work: Path, encoder: Encoder) -> Knowledge:
    """Return the knowledge of a business, indexed in a working folder."""
    folder = work / encoder.name.replace("/", "-") / business / FOLDER
    done = add(folder, pages(business), encoder)
    assert not done.errors, done.errors
    stems = sold(business)
    return Knowledge(folder, encoder, lambda word: any(w.stem in stems for w in words_of(word)))


def candidates(knowledge: Knowledge, asked: Sequence[Question]) -> list[list[Row]]:
    """Return for each question a row for each of its candidates."""
    return [
        [
            Row(
                one.features,
                any(words in one.seen.text for words in question.answers),
                one.seen.page,
                one.seen.vector,
                answerable=bool(question.answers),
            )
            for one in knowledge.judge(question.text).ranked
        ]
        for question in asked
    ]


def decided(groups: Sequence[Sequence[Row]], names: Sequence[str], weights: Matrix) -> list[Row]:
    """Return what would be quoted of each group, as it stands beside the others."""
    found = []
    for rows in groups:
        ranks = matrix(rows, names) @ weights
        order = np.argsort(-ranks, kind="stable")
        best = [rows[place] for place in order]
        values = [float(ranks[place]) for place in order]
        quoted = chosen(values, [row.page for row in best])
        vectors = [row.vector for row in best if row.vector is not None]
        features = standing(values, [dict(row.features) for row in best], vectors, quoted)
        near = any(row.right for row in best[:MOST_OFFERED])
        right = any(row.right for row in best[:quoted])
        found.append(Row(features, right, near=near, answerable=best[0].answerable))
    return found


def others(sets: Sequence[Sequence[T]], own: int) -> list[T]:
    """Return what is in the sets but one."""
    return [one for place, rows in enumerate(sets) if place != own for one in rows]


def tried(sets: Sequence[Sequence[Row]], names: Sequence[str]) -> list[tuple[float, Row]]:
    """Return the rows of each set, each with its score by weights learned from the other sets."""
    found = []
    for place, rows in enumerate(sets):
        weights = fit(others(sets, place), names)
        found += [(score(weights, names, row.features), row) for row in rows]
    return found


def threshold(found: Sequence[tuple[float, bool]], good: Callable[[int, int], bool]) -> float:
    """Return the lowest threshold above which the numbers of right and wrong ones are good."""
    ordered = sorted(found, reverse=True)
    best, right, wrong = (1.0, 0, 0), 0, 0
    for place, (value, is_right) in enumerate(ordered):
        right, wrong = right + is_right, wrong + (not is_right)
        after = ordered[place + 1][0] if place + 1 < len(ordered) else 0.0
        if good(right, wrong):
            best = ((value + after) / 2, right, wrong)
    total = sum(is_right for _, is_right in found)
    print(
        f"  {len(found)} cases, {total} right; above {best[0]:.3f} {best[1]} right, {best[2]} not"
    )
    return best[0]


def fitted(
    sets: Sequence[Sequence[Row]], names: Sequence[str], good: Callable[[int, int], bool]
) -> dict[str, object]:
    """Return weights, bias and threshold of a decision as they are written."""
    limit = threshold([(score, row.right) for score, row in tried(sets, names)], good)
    weights = fit([row for rows in sets for row in rows], names)
    return {
        "bias": round(float(weights[-1]), 4),
        "threshold": round(limit, 4),
        "weights": _named(weights, names),
    }


def safe(sets: Sequence[Sequence[Row]], names: Sequence[str]) -> float:
    """Return the score from which few enough questions without an answer would get one."""
    found = [(score, row.answerable) for score, row in tried(sets, names)]
    none = sum(not answerable for _, answerable in found)
    return threshold(found, lambda _, wrong: wrong <= FALSE_ANSWERS * none)


def offering(sets: Sequence[Sequence[Row]], names: Sequence[str], answered: float) -> float:
    """Return the score from which pages are offered where it does not suffice for an answer."""
    found = tried(sets, names)
    left = [(score, row.near) for score, row in found if score < answered]
    none = sum(not row.answerable for _, row in found)
    return max(
        threshold(left, lambda right, wrong: right >= OFFERS * (right + wrong)),
        threshold(
            [(score, row.answerable) for score, row in found],
            lambda _, wrong: wrong <= FALSE_OFFERS * none,
        ),
    )


def _named(weights: Matrix, names: Sequence[str]) -> dict[str, float]:
    return {name: round(float(one), 4) for name, one in zip(names, weights, strict=False)}


def clauses(businesses: Sequence[Business]) -> list[list[tuple[str, bool]]]:
    """Return, for each business, questions to it, and utterances about items."""
    about_items = [(text, False) for name in ("sgd", "webshop", "fashioniq", "iard")
                   for text in shopping(name, 400, seed=1)]  # fmt: skip
    return [
        [(question.text, True) for question in one.asked if question.answers]
        + about_items[place :: len(businesses)]
        for place, one in enumerate(businesses)
    ]


def precise(right: int, wrong: int) -> bool:
    """Return whether answers are right often enough."""
    return right >= PRECISION * (right + wrong)


def fit_all(businesses: Sequence[Business], names: Names) -> dict[str, object]:
    """Return all weights for the encoder of some shelves."""
    sets = [candidates(one.knowledge, one.asked) for one in businesses]
    apart = [
        decided(own, names.ranks, fit_ranks(others(sets, place), names.ranks))
        for place, own in enumerate(sets)
    ]
    ranks = _named(fit_ranks([group for own in sets for group in own], names.ranks), names.ranks)
    answers = fitted(apart, names.answers, precise)
    limit = answers["threshold"]
    assert isinstance(limit, float)
    answers["threshold"] = limit = max(limit, round(safe(apart, names.answers), 4))
    answers["offers"] = round(offering(apart, names.answers, limit), 4)
    # What a clause is about depends on how it is answered.
    rows = []
    for one, own in zip(businesses, clauses(businesses), strict=True):
        by_meaning = one.knowledge.models.by_meaning
        one.knowledge.use(Models(ranks, logistic(answers), NEVER, by_meaning))
        rows.append([Row(one.knowledge.clause_features(text), right) for text, right in own])
    items = sum(not row.right for own in rows for row in own)
    relevant = fitted(rows, names.relevant, lambda right, wrong: wrong <= FALSE_ALARMS * items)
    return {"ranks": ranks, "answers": answers, "relevant": relevant}


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()

    def businesses(encoder: Encoder) -> list[Business]:
        return [
            Business(opened(name, options.work, encoder), questions(name)) for name in FITTED_ON
        ]

    own = fit_all(businesses(make_encoder(cache=options.work / "models")), MEANING)
    words = fit_all(businesses(HashingEncoder(256)), WORDS)
    data = {"encoders": {DEFAULT_ENCODER: own}, "words": words}
    head = "# Fitted by benchmarks/knowledge_fit.py; not edited by hand.\n"
    path = ROOT / "agent/knowledge/weights.toml"
    path.write_text(head + tomli_w.dumps(data), encoding="utf-8")
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
