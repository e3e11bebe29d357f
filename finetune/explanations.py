"""How good explanations are, measured on sampled wishes over whole catalogs.

    attune evaluate explanations [--catalog FILE] [--llm URL --model NAME] [--json]

Needs come from items' own fields, some missed on purpose (`finetune.wishing`). What is said is read
by `finetune.oracle`, which shares no code with what makes and checks it; the checker itself is
measured on false claims made on purpose (`finetune.falsehoods`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np

from agent.checking import Checker
from agent.errors import ModelError
from agent.explain import why
from agent.explain_prompt import messages
from agent.explainer import LLMExplainer, Subject
from agent.facts import Fact, facts, fill
from agent.placeholders import names, parts
from agent.turn import Written
from agent.wording import describe, find, label, title_of
from finetune.errors import FinetuneError
from finetune.falsehoods import KINDS, falsehoods
from finetune.house.explaining import completion
from finetune.oracle import Oracle
from finetune.wishing import Asked, asked
from retrieval.filters import words
from retrieval.loading import LoadedCatalog

METRICS = ("statement_precision", "claims_per_explanation", "wish_coverage", "dist_2")
MIN_WISHES = 2
RESAMPLES = 1000
NAIVE, UNCHECKED = "everything as asked", "model, unchecked"


@dataclass(frozen=True, slots=True)
class Told:
    """One explanation as one system wrote it, and how many of its statements are true.

    Args:
        claims: Facts it tells; wishes: constraints of the need; named: those of them it tells.
    """

    catalog: str
    text: str
    claims: int
    wishes: int
    named: int
    statements: int
    true: int
    false: tuple[str, ...] = ()


@dataclass(slots=True)
class _System:
    """What one system said so far."""

    told: list[Told] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)


def evaluate(
    catalogs: Mapping[str, LoadedCatalog],
    n: int = 600,
    seed: int = 0,
    explainer: LLMExplainer | None = None,
    false_texts: int = 2400,
) -> dict[str, Any]:
    """Return the report: figures of ours and the baselines, and of the checker.

    Args:
        n: Explanations in all, shared by the catalogs.
        explainer: Words explanations with a model; ours are then the model's, checked.
        false_texts: Texts with a false claim that the checker is shown, at least.

    Raises:
        FinetuneError: If no catalog has items with enough fields.
    """
    systems: dict[str, _System] = {}
    checker = _CheckerScore()
    for name, catalog in catalogs.items():
        random = Random(f"{seed} {name}")
        share = -(-n // len(catalogs))
        reader = _Reader(name, catalog, Oracle(catalog.facets), explainer)
        for one in _needs(catalog, share, random):
            for system, told, written in reader.tell(one):
                systems.setdefault(system, _System()).told.append(told)
                systems[system].written += [written] if written else []
        checker.measure(catalog, -(-false_texts // len(catalogs)), random)
    ours = "model" if explainer is not None else "template"
    if ours not in systems:
        raise FinetuneError(
            f"nothing to explain in {', '.join(map(repr, catalogs)) or 'no catalog'}: no item has "
            f"{MIN_WISHES} fields to wish for; give a catalog with prices, colours or the like"
        )
    return {
        "ours": figures(systems[ours].told),
        "intervals": {"statement_precision": _interval(systems[ours].told, seed)},
        "baselines": {name: figures(one.told) for name, one in systems.items() if name != ours},
        "sentences": _sentences(systems[ours].written),
        "checker": checker.report(),
        "n": {"explanations": len(systems[ours].told), "false_claims": checker.false_seen},
        "by_catalog": _by_catalog(systems[ours].told),
        "errors": _errors(systems[ours].told),
        "config": _config(explainer),
        "hash": {name: _digest(catalog) for name, catalog in catalogs.items()},
        "seed": seed,
    }


def _needs(catalog: LoadedCatalog, n: int, random: Random) -> Iterator[Asked]:
    """Yield n items with two wishes or more; a catalog too bare for that yields fewer."""
    found = 0
    for _ in range(20 * n):
        one = asked(catalog.items, catalog.facets, catalog.currency, random)
        need = one.state.need
        if len(need.constraints) + (need.like is not None) >= MIN_WISHES:
            yield one
            found += 1
        if found == n:
            return


def _facts(one: Asked, catalog: LoadedCatalog) -> tuple[Fact, ...]:
    return facts(one.reasons, one.item, one.state, catalog.facets, catalog.currency, one.others)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Has every system explain items of one catalog, and the oracle read them."""

    name: str
    catalog: LoadedCatalog
    oracle: Oracle
    explainer: LLMExplainer | None

    def tell(self, one: Asked) -> Iterator[tuple[str, Told, Written | None]]:
        """Yield what each system says of an item."""
        catalog, given = self.catalog, _facts(one, self.catalog)
        template = why(one.item, one.state, catalog.facets, catalog.currency, one.others).text
        yield "template", self._scored(one, template, given), None
        wishes = [_as_asked(one, wish.facet, catalog) for wish in one.state.need.constraints]
        naive = self._scored(one, f"{title_of(one.item)}: {', '.join(wishes)}.", ())
        yield NAIVE, replace(naive, claims=len(wishes), named=len(wishes)), None
        if self.explainer is not None:
            yield from self._by_model(one, self.explainer, template, given)

    def _by_model(
        self, one: Asked, explainer: LLMExplainer, template: str, given: Sequence[Fact]
    ) -> Iterator[tuple[str, Told, Written | None]]:
        subject = Subject(one.item, one.reasons, template, one.others)
        telling = explainer.tell(subject, one.state, self.catalog.facets, self.catalog.currency)
        text = "".join(telling)
        told = [fact for fact in given if fact.own in text or fact.text in text]
        yield "model", self._scored(one, text, told), telling.written
        shown = messages(given, explainer.prompt)
        try:
            answer = explainer.model.complete(
                shown, max_tokens=explainer.max_tokens, deadline_s=explainer.deadline_s
            )
        except ModelError:
            return
        said = [fact for fact in given if f"F{fact.id}" in names(answer.text)]
        yield UNCHECKED, self._scored(one, _filled(answer.text, given, one), said), None

    def _scored(self, one: Asked, text: str, told: Sequence[Fact]) -> Told:
        found = self.oracle.statements(text, one.item, one.state, one.others)
        about = {e.facet for fact in told if fact.reason for e in fact.reason.evidence}
        wishes = [wish.facet for wish in one.state.need.constraints]
        false = tuple(statement.text for statement in found if not statement.true)
        return Told(
            catalog=self.name, text=text, claims=len(told), wishes=len(wishes),
            named=sum(facet in about for facet in wishes), statements=len(found),
            true=len(found) - len(false), false=false,
        )  # fmt: skip


def _filled(raw: str, given: Sequence[Fact], one: Asked) -> str:
    """Return a model's words with what placeholders can be filled."""
    known = {"T", *(place for fact in given for place in fact.fills)}
    whole = "".join(said + (f"{{{place}}}" if place in known else "") for said, place in parts(raw))
    return fill(whole, given, title_of(one.item))


def _as_asked(one: Asked, facet: str, catalog: LoadedCatalog) -> str:
    known = find(catalog.facets, facet)
    wish = one.state.need.constraint(facet)
    assert wish is not None
    return f"{describe(wish, known, catalog.currency)}, as asked ({label(known, facet)})"


def figures(told: Sequence[Told]) -> dict[str, float | None]:
    """Return the figures of some explanations; None where there is nothing to measure."""
    total, wishes = sum(one.statements for one in told), sum(one.wishes for one in told)
    return {
        "statement_precision": sum(one.true for one in told) / total if total else None,
        "claims_per_explanation": sum(one.claims for one in told) / len(told) if told else None,
        "wish_coverage": sum(one.named for one in told) / wishes if wishes else None,
        "dist_2": dist_2([one.text for one in told]),
    }


def dist_2(texts: Sequence[str]) -> float | None:
    """Return distinct pairs of words over all pairs: 1 when no two words are said twice."""
    pairs = [pair for text in texts for pair in pairwise(words(text))]
    return len(set(pairs)) / len(pairs) if pairs else None


def _interval(told: Sequence[Told], seed: int) -> tuple[float, float] | None:
    """Return the bootstrap 95 % interval of the precision, explanations resampled."""
    if not told:
        return None
    random = np.random.default_rng(seed)
    counts = np.array([(one.true, one.statements) for one in told])
    drawn = counts[random.integers(len(told), size=(RESAMPLES, len(told)))].sum(axis=1)
    low, high = np.percentile(drawn[:, 0] / np.maximum(drawn[:, 1], 1), [2.5, 97.5])
    return float(low), float(high)


def _sentences(written: Sequence[Written]) -> dict[str, float | int]:
    counts = {key: sum(getattr(one, key) for one in written)
              for key in ("kept", "rewritten", "dropped")}  # fmt: skip
    total = sum(counts.values())
    shares = {f"{key}_share": count / total for key, count in counts.items()} if total else {}
    by_model = sum(one.writer == "model" for one in written)
    return {**counts, **shares, "by_model": by_model, "fallbacks": len(written) - by_model}


def _by_catalog(told: Sequence[Told]) -> dict[str, dict[str, Any]]:
    known = dict.fromkeys(one.catalog for one in told)
    groups = {name: [one for one in told if one.catalog == name] for name in known}
    return {name: {"n": len(group), **figures(group)} for name, group in groups.items()}


def _errors(told: Sequence[Told], most: int = 20) -> list[dict[str, Any]]:
    wrong = [one for one in told if one.false]
    return [{"catalog": one.catalog, "text": one.text, "false": one.false} for one in wrong[:most]]


def _config(explainer: LLMExplainer | None) -> dict[str, Any]:
    if explainer is None:
        return {"writer": "template"}
    return {"writer": "model", "model": explainer.model.name, "prompt": explainer.prompt}


def _digest(catalog: LoadedCatalog) -> str:
    text = "\n".join(f"{item.id}\t{item.title}" for item in catalog.items)
    return hashlib.sha256(text.encode()).hexdigest()


class _CheckerScore:
    """The checker on false claims made on purpose, and on true ones."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._caught: Counter[str] = Counter()
        self._kept = self._true = 0
        self.missed: list[dict[str, str]] = []

    @property
    def false_seen(self) -> int:
        """Return how many false texts were shown."""
        return self._seen.total()

    def measure(self, catalog: LoadedCatalog, n: int, random: Random) -> None:
        """Show the checker n false texts of a catalog, and the true ones they came from."""
        checker, before = Checker(catalog.facets, catalog.currency), self.false_seen
        for one in _needs(catalog, n, random):
            given = _facts(one, catalog)
            for false in falsehoods(one, given, catalog, random):
                found = checker.check(false.text, [false.item], one.state, others=one.others)
                self._seen[false.kind] += 1
                caught = any(verdict.status != "supported" for verdict in found)
                self._caught[false.kind] += caught
                if not caught:
                    self.missed.append({"kind": false.kind, "text": false.text})
            self._keep(one, given, checker, catalog, random)
            if self.false_seen - before >= n:
                return

    def _keep(
        self, one: Asked, given: Sequence[Fact], checker: Checker, catalog: LoadedCatalog,
        random: Random,
    ) -> None:  # fmt: skip
        texts = [why(one.item, one.state, catalog.facets, catalog.currency, one.others).text]
        if given:
            texts.append(fill(completion(given, random), given, title_of(one.item)))
        for text in texts:
            found = checker.check(text, [one.item], one.state, others=one.others)
            self._true += len(found)
            self._kept += sum(verdict.status == "supported" for verdict in found)

    def report(self) -> dict[str, Any]:
        """Return the shares caught and kept, and some of what was missed."""
        seen = self.false_seen
        return {
            "false_claims_caught": self._caught.total() / seen if seen else None,
            "true_claims_kept": self._kept / self._true if self._true else None,
            "true_claims": self._true,
            "by_kind": {kind: self._of(kind) for kind in KINDS if self._seen[kind]},
            "missed": self.missed[:20],
        }

    def _of(self, kind: str) -> dict[str, float]:
        seen = self._seen[kind]
        return {"n": seen, "caught": self._caught[kind] / seen}
