"""Explanations of sampled items in a contestant's words, read by the oracle.

Without an explainer the templates speak, for either contestant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from agent.explain import why
from agent.explainer import LLMExplainer, Subject
from agent.facts import facts
from agent.turn import Written
from finetune.contestant import Contestant
from finetune.gate.bench import Bench, Opened
from finetune.gate.metrics import Mean, Reading
from finetune.gate.suite import Examine, NotMeasured
from finetune.oracle import Oracle
from finetune.wishing import Asked, asked
from retrieval.filters import words

MIN_WISHES = 2
_TRIES = 20


def make(bench: Bench) -> ExplanationSuite:
    """Return the suite over the main catalog.

    Raises:
        NotMeasured: If its items have too few fields to be explained by.
    """
    catalog, n = bench.main, bench.n(20, 200)
    items, random = list(catalog.items.values()), Random(f"explanations {bench.seed}")
    retriever, found = catalog.retriever, dict[str, Asked]()
    for _ in range(_TRIES * n):
        one = asked(items, retriever.facets, retriever.currency, random)
        need = one.state.need
        if len(need.constraints) + (need.like is not None) >= MIN_WISHES:
            found[f"{len(found) + 1}:{one.item.id}"] = one
        if len(found) == n:
            return ExplanationSuite(catalog, found)
    raise NotMeasured(f"items of {catalog.name!r} have too few fields to wish for")


@dataclass(frozen=True, slots=True)
class ExplanationSuite:
    """One unit an item with wishes, some of which it misses."""

    catalog: Opened
    needs: Mapping[str, Asked]
    name: str = "explanations"

    @property
    def units(self) -> tuple[str, ...]:
        """Return the numbered ids of the items."""
        return tuple(self.needs)

    def examiner(self, contestant: Contestant) -> Examine:
        """Return what has an item explained."""
        explainer = contestant.voice(self.catalog.retriever).explainer
        oracle = Oracle(self.catalog.retriever.facets)
        return lambda unit: self._readings(self.needs[unit], explainer, oracle)

    def _readings(
        self, one: Asked, explainer: LLMExplainer | None, oracle: Oracle
    ) -> dict[str, Reading]:
        retriever = self.catalog.retriever
        known, currency = retriever.facets, retriever.currency
        text = why(one.item, one.state, known, currency, one.others).text
        written: Written | None = None
        if explainer is not None:
            subject = Subject(one.item, one.reasons, text, one.others)
            telling = explainer.tell(subject, one.state, known, currency)
            text, written = "".join(telling), telling.written
        given = facts(one.reasons, one.item, one.state, known, currency, one.others)
        found = oracle.statements(text, one.item, one.state, one.others)
        claims = sum(fact.own in text or fact.text in text for fact in given)
        own: dict[str, Reading] = {
            "explanations.statement_precision": Mean(
                float(sum(statement.true for statement in found)), float(len(found))
            ),
            "explanations.claims": Mean(float(claims)),
            "explanations.words": Mean(float(len(words(text)))),
        }
        return own | _by_model(written)


def _by_model(written: Written | None) -> dict[str, Reading]:
    """Return what became of a model's sentences; templates refuse none."""
    if written is None:
        return {"explanations.refused": Mean(0.0), "explanations.fallback": Mean(0.0)}
    refused = written.rewritten + written.dropped
    return {
        "explanations.refused": Mean(float(refused), float(written.kept + refused)),
        "explanations.fallback": Mean(float(written.writer == "template")),
    }
