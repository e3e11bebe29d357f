"""Answers from the shop's pages: found, refused, and told from shopping.

    python -m benchmarks.knowledge --work DIR [--out JSON]

Nine invented businesses (`benchmarks.knowledge_sets`). On six of them everything was fitted
(`benchmarks.knowledge_fit`); the others are held out. An answer is right where it quotes
the words of a sentence that answers. Where none is sure, pages may be offered by their headings:
that is no answer, and counted apart. Beside ours: BM25 and vectors alone, which quote the
best passage's best sentences too, always, or from the cosine on at which the same share of
answers was right on `demo`. Shopping utterances are those of ../shared/data that nothing was
fitted on; without them that part is left out. One thread; prints tables, writes JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from agent.knowledge import Knowledge, shelf
from agent.knowledge.features import Asked
from agent.knowledge.quoting import excerpt
from benchmarks.knowledge_fit import PRECISION, opened
from benchmarks.knowledge_sets import FITTED_ON, PAGES, ROOT, Question, questions, shopping
from retrieval.encoder import HashingEncoder, make_encoder
from retrieval.filters import Compare

PER_SET = 100
ALREADY_USED = 400
"""Of each set of shopping utterances, so many were fitted on."""

Ask = Callable[[str], tuple[str, float]]
"""A question in; a quote ("" for a refusal) and a score out."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What came of offering pages where no answer was sure enough.

    Args:
        answerable, unanswerable: Number of questions of each kind with pages offered.
        helpful: Number of those of which one answers.
        reached: Share of answerable questions that were answered right or had the right page
            offered.
    """

    answerable: int
    unanswerable: int
    helpful: int
    reached: float


def offered(knowledge: Knowledge, asked: Sequence[Question]) -> Offered:
    """Return what came of offering pages."""
    retriever = knowledge.open()
    assert retriever is not None
    given = {True: 0, False: 0}
    helpful = right = 0
    for question in asked:
        answer = knowledge.ask(question.text)
        quoted = "\n".join(quote.text for quote in answer.quotes)
        if quoted:
            right += any(words in quoted for words in question.answers)
            continue
        pages = retriever.get_many([offer.id for offer in answer.offered])
        given[bool(question.answers)] += bool(pages)
        helpful += any(words in page.description for words in question.answers for page in pages)
    answerable = sum(bool(question.answers) for question in asked)
    return Offered(given[True], given[False], helpful, (right + helpful) / answerable)


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of a business's questions.

    Args:
        right: Share of answerable questions whose answer was quoted.
        precision: Share of the answers given that were right.
        refusal_precision: Share of refusals that were of unanswerable questions.
        refusal_recall: Share of unanswerable questions that were refused.
        false_answers: Number of unanswerable questions that got an answer.
    """

    answerable: int
    unanswerable: int
    right: float
    precision: float
    refusal_precision: float
    refusal_recall: float
    false_answers: int
    p50_ms: float


def figures(asked: Sequence[Question], ask: Ask) -> Figures:
    """Return what a way of answering comes to."""
    right = given = refused = refused_well = false = 0
    took = []
    for question in asked:
        began = time.perf_counter()
        quote, _ = ask(question.text)
        took.append((time.perf_counter() - began) * 1000)
        given += bool(quote)
        right += bool(quote) and any(words in quote for words in question.answers)
        refused += not quote
        refused_well += not quote and not question.answers
        false += bool(quote) and not question.answers
    answerable = sum(bool(question.answers) for question in asked)
    none = len(asked) - answerable
    return Figures(
        answerable, none, right / answerable, right / max(given, 1),
        refused_well / max(refused, 1), refused_well / none, false, statistics.median(took),
    )  # fmt: skip


def ours(knowledge: Knowledge) -> Ask:
    """Answer as the desk does."""

    def ask(text: str) -> tuple[str, float]:
        answer = knowledge.ask(text)
        return "\n".join(quote.text for quote in answer.quotes), answer.confidence

    return ask


def best_passage(knowledge: Knowledge, by: str, limit: float) -> Ask:
    """Answer with the best passage's sentences by one score alone, from a limit on."""
    retriever = knowledge.open()
    assert retriever is not None

    def ask(text: str) -> tuple[str, float]:
        vector = retriever.encoder.encode_queries([text])[0]
        found = retriever.index.search(
            vector if by == "dense" else None, text if by == "bm25" else None,
            Compare("part", "eq", shelf.PASSAGE), 1,
        )  # fmt: skip
        if not found:
            return "", 0.0
        score = (found[0].dense if by == "dense" else found[0].lexical) or 0.0
        seen = knowledge.seen(retriever, found[0].item, 0.0)
        quote = excerpt(Asked.of(text, vector), seen)
        return (quote if score >= limit else ""), score

    return ask


def limit_of(asked: Sequence[Question], ask: Ask) -> float:
    """Return the score from which on answers were as often right as ours were fitted to be."""
    found = sorted(
        ((score, any(words in quote for words in question.answers))
         for question in asked for quote, score in [ask(question.text)]), reverse=True,
    )  # fmt: skip
    best, right = float("inf"), 0
    for place, (score, is_right) in enumerate(found, start=1):
        right += is_right
        if right >= PRECISION * place:
            best = score
    return best


def drawn(knowledge: Knowledge) -> dict[str, Any]:
    """Return which shopping utterances would be taken for questions to the shop."""
    result = {}
    for name in ("sgd", "webshop", "fashioniq", "iard"):
        texts = shopping(name, PER_SET + ALREADY_USED, seed=1)[ALREADY_USED:]
        if texts:
            taken = sum(knowledge.relevance(text) >= 0.5 for text in texts)
            result[name] = {"n": len(texts), "taken": taken, "rate": taken / len(texts)}
    return result


def recognised(knowledge: Knowledge, asked: Sequence[Question]) -> float:
    """Return the share of answerable questions that are taken for questions to the shop."""
    own = [question for question in asked if question.answers]
    return sum(knowledge.relevance(question.text) >= 0.5 for question in own) / len(own)


def measure(work: Path) -> dict[str, Any]:
    """Return all figures."""
    encoder = make_encoder(cache=work / "models")
    config = {"encoder": encoder.name, "precision": PRECISION, "fitted_on": FITTED_ON}
    result: dict[str, Any] = {"config": config}
    limits = {"bm25": 0.0, "dense": 0.0}
    for business in PAGES:
        asked = questions(business)
        knowledge = opened(business, work, encoder)
        if business == "demo":
            limits = {by: limit_of(asked, best_passage(knowledge, by, -1.0)) for by in limits}
        words = opened(business, work, HashingEncoder(256))
        ways = {"ours": ours(knowledge), "ours, words only": ours(words)}
        for by, limit in limits.items():
            ways[f"{by}, always"] = best_passage(knowledge, by, -1.0)
            ways[f"{by}, from {limit:.2f}"] = best_passage(knowledge, by, limit)
        result[business] = {
            "ways": {name: asdict(figures(asked, ask)) for name, ask in ways.items()},
            "offered": asdict(offered(knowledge, asked)),
            "recognised": recognised(knowledge, asked),
            "shopping": drawn(knowledge),
        }
        show(business, result[business])
    return result


def show(business: str, found: dict[str, Any]) -> None:
    """Print the figures of a business."""
    print(f"\n{business}{'' if business in FITTED_ON else ' (held out)'}")
    print(f"{'':24}{'right':>8}{'precision':>11}{'refused':>9}{'false':>7}{'p50 ms':>8}")
    for name, one in found["ways"].items():
        print(f"{name:24}{one['right']:8.3f}{one['precision']:11.3f}{one['refusal_recall']:9.3f}"
              f"{one['false_answers']:7}{one['p50_ms']:8.1f}")  # fmt: skip
    pages = found["offered"]
    print(
        f"pages offered: {pages['answerable']} answerable, {pages['helpful']} of them helpful, "
        f"{pages['unanswerable']} unanswerable; answered or offered: {pages['reached']:.3f}"
    )
    print(
        f"taken for the shop's: {found['recognised']:.3f} of its questions; of shopping: ", end=""
    )
    print(
        ", ".join(f"{k} {v['taken']}/{v['n']}" for k, v in found["shopping"].items()) or "no data"
    )


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/knowledge.json")
    options = parser.parse_args()
    found = measure(options.work)
    options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
