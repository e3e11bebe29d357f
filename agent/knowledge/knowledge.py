"""Answers from the shop's own pages: quoted with their source, or refused. No language model.

What stands in a page is data: it is compared and quoted, never followed.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np

from agent.knowledge import shelf
from agent.knowledge.features import (
    Asked,
    Corpus,
    Features,
    Seen,
    Sentence,
    adds,
    chosen,
    features,
    standing,
)
from agent.knowledge.model import Models, models_for
from agent.knowledge.questions import bare, leans, split
from agent.knowledge.quoting import excerpt
from agent.knowledge.relevance import relevance_features
from agent.knowledge.subjects import of_subject
from agent.knowledge.tokens import TokenVectors
from agent.knowledge.values import KnowledgeAnswer, Source, named
from agent.knowledge.words import others_of, words_of
from agent.service.values import Offer, Quote
from retrieval.catalog import Item
from retrieval.errors import RetrievalError
from retrieval.filters import TEXT, And, Compare
from retrieval.project import has_manifest
from retrieval.query import Encoder, TokenEncoder, Tokens, Vectors
from retrieval.retriever import Retriever
from retrieval.spelling import Spelling, read_words

CANDIDATES = 12
"""Passages that are looked at closely."""
MOST_OFFERED = 3
"""Pages that are offered where none certainly answers."""
PER_PART = {shelf.PASSAGE: 8, shelf.SENTENCE: 12, shelf.TITLE: 6}
KEPT_WORDS = 20_000
KEPT_VERDICTS = 64
BEFORE = 0.7
"""How much of a question that leans on another one is itself, as a vector."""
LONGEST_TITLE = 90
LONGEST = 600
"""Characters of a question that are looked at."""

Sells = Callable[[str], bool]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage with what it and the question have in common, and how it ranks by that."""

    seen: Seen
    item: Item
    rank: float
    features: Features


@dataclass(frozen=True, slots=True)
class Verdict:
    """The passages for a question, likeliest first, and how sure the first ones answer it.

    Args:
        quoted: How many passages the answer would be taken from.
        fits: Whether the best passage has what a question adds to the one it leans on.
    """

    asked: Asked | None = None
    ranked: tuple[Ranked, ...] = ()
    quoted: int = 0
    score: float = 0.0
    features: Features = field(default_factory=dict)
    fits: bool = True


class Knowledge:
    """The pages of one project, asked. Shared between threads.

    Args:
        folder: Of the shelf; where it is empty or missing every question is refused.
        sells: Whether a word names something of the catalog: "can I return the dress" is answered
            by a page that speaks of no dress.
    """

    def __init__(self, folder: Path, encoder: Encoder, sells: Sells = lambda word: False) -> None:
        self.folder = folder
        self._encoder = encoder
        self._sells = sells
        self._tokens = TokenVectors(encoder) if isinstance(encoder, TokenEncoder) else None
        self.models = models_for(encoder.name)
        self._lock = threading.Lock()
        self._retriever: Retriever | None = None
        self._spelling: Spelling | None = None
        self._seen_version = -1
        self._corpus = Corpus(())
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._verdicts: OrderedDict[tuple[int, str, str | None], Verdict] = OrderedDict()

    def ask(self, question: str, before: str | None = None) -> KnowledgeAnswer:
        """Answer the questions of a text with quotes, or refuse those the pages do not answer.

        Args:
            before: The question before this one, for "and how long does that take?".

        Raises:
            RetrievalError: If the shelf is broken.
        """
        quotes: list[Quote] = []
        answered: list[str] = []
        unanswered: list[str] = []
        offered: list[Offer] = []
        sure: list[float] = []
        unsure: list[float] = [0.0]
        for one in split(question[:LONGEST]):
            found = self.judge(one, before)
            half_sure = found.fits and found.score >= self.models.offers
            if found.ranked and found.fits and found.score >= self.models.answers.threshold:
                best = found.ranked[: found.quoted]
                new = [_quote(found, passage.seen, passage.item) for passage in best]
                quotes += [quote for quote in new if quote not in quotes]
                answered.append(one)
                sure.append(found.score)
                before = one if before is None or not leans(one) else f"{before} {one}"
            elif half_sure and (on_subject := _on_subject(found)):
                quotes += [quote for quote in on_subject if quote not in quotes]
                answered.append(one)
                sure.append(found.score)
            else:
                unanswered.append(one)
                unsure.append(found.score)
                if half_sure:
                    offered += _offers(found, one)
        confidence = min(sure) if sure else max(unsure)
        return KnowledgeAnswer(
            tuple(quotes), tuple(answered), tuple(unanswered), tuple(offered[:MOST_OFFERED]),
            confidence,
        )  # fmt: skip

    def quote(self, offer: Offer) -> Quote | None:
        """Return the words of a page that was offered; None where it is there no more."""
        retriever = self.open()
        items = retriever.get_many([offer.id]) if retriever is not None else []
        if retriever is None or not items:
            return None
        asked = self._asked(offer.question or offer.title, None)
        return _quoted(asked, self.seen(retriever, items[0], 0.0), items[0], 1.0)

    def relevance(self, clause: str) -> float:
        """Return how likely a clause is about the shop's service and not about items, 0 to 1.

        From one half on it is the shop's; of clauses about items one in a hundred gets there.
        """
        return self.models.relevant.centred(self.clause_features(clause))

    def clause_features(self, clause: str) -> Features:
        """Return what that is decided on."""
        verdict = self.judge(clause)
        sold = any(self._sells(word.text) for word in words_of(clause))
        return relevance_features(clause, verdict.features, verdict.score, sold)

    def use(self, models: Models) -> None:
        """Decide by other models, as fitting them needs."""
        self.models = models
        self._verdicts.clear()

    def sources(self) -> tuple[Source, ...]:
        """Return the sources that are indexed."""
        retriever = self.open()
        return shelf.listed(retriever.items(), date.today()) if retriever is not None else ()

    def judge(self, question: str, before: str | None = None) -> Verdict:
        """Return the passages that may answer one question, and how sure the first ones do."""
        retriever = self.open()
        if retriever is None:
            return Verdict()
        key = (self._seen_version, question[:LONGEST], before)
        known = self._verdicts.get(key)
        if known is None:
            known = self._judged(retriever, question[:LONGEST], before)
            # Whether a clause is for the shop and what answers it are asked one after the other.
            with self._lock:
                self._verdicts[key] = known
                if len(self._verdicts) > KEPT_VERDICTS:
                    self._verdicts.popitem(last=False)
        return known

    def _judged(self, retriever: Retriever, question: str, before: str | None) -> Verdict:
        asked = self._asked(question, before)
        vectors = self._word_vectors if self.models.by_meaning else None
        ranked = []
        for seen, item in self._with_tokens(self._candidates(retriever, asked)):
            found = features(asked, seen, self._corpus, vectors)
            ranked.append(Ranked(seen, item, self.models.rank(found), found))
        if not ranked:
            return Verdict()
        ranked.sort(key=lambda one: -one.rank)
        ranks = [one.rank for one in ranked]
        quoted = chosen(ranks, [one.seen.page for one in ranked])
        whole = [one.seen.vector for one in ranked]
        best = standing(ranks, [one.features for one in ranked], whole, quoted)
        score = self.models.answers.score(best)
        return Verdict(asked, tuple(ranked), quoted, score, best, adds(asked, ranked[0].seen))

    def close(self) -> None:
        """Release files; safe to call twice."""
        with self._lock:
            if self._retriever is not None:
                self._retriever.close()
                self._retriever = None

    def open(self) -> Retriever | None:
        """Return the shelf as it is now; None where there is none, or one of another encoder."""
        with self._lock:
            if self._retriever is None:
                if not has_manifest(self.folder):
                    return None
                self._retriever = Retriever.open(self.folder, self._encoder, write=False)
            version = self._retriever.version
            if version != self._seen_version:
                self._spelling = Spelling(read_words(self.folder), self._has_word)
                passages = (item for item in self._retriever.items() if shelf.is_passage(item))
                self._corpus = Corpus(f"{item.title}\n{item.description}" for item in passages)
                self._seen_version = version
            return self._retriever

    def _has_word(self, word: str) -> bool:
        retriever = self._retriever
        known = retriever is not None and retriever.index.count(Compare(TEXT, "contains", word)) > 0
        return known or self._sells(word)

    def _asked(self, question: str, before: str | None) -> Asked:
        assert self._spelling is not None
        text = self._spelling.correct(bare(question)).strip() or question
        vector: Vectors = self._encoder.encode_queries([text])[0]
        words = words_of(text)
        sold = frozenset(word.stem for word in words if self._sells(word.text))
        asked = Asked.of(text, vector, sold)
        if before is None or not leans(question):
            return replace(asked, tokens=self._tokens_of(text))
        both = f"{self._spelling.correct(before)} {text}"
        joined: Vectors = self._encoder.encode_queries([both])[0]
        mixed = BEFORE * joined + (1 - BEFORE) * vector
        mixed = (mixed / np.linalg.norm(mixed)).astype(np.float32)
        return replace(
            asked, text=both, vector=mixed, words=words_of(both), tokens=self._tokens_of(both),
            added=frozenset(one.stem for one in words) - {one.stem for one in words_of(before)},
        )  # fmt: skip

    def _tokens_of(self, text: str) -> Tokens | None:
        if self._tokens is None or not self.models.by_meaning:
            return None
        return self._tokens.of(text)

    def _with_tokens(self, found: list[tuple[Seen, Item]]) -> list[tuple[Seen, Item]]:
        """Return candidates with their tokens, where the encoder gives any."""
        if self._tokens is None or not self.models.by_meaning:
            return found
        told = self._tokens.of_passages([seen.whole for seen, _ in found])
        return [
            (replace(seen, tokens=tokens), item)
            for (seen, item), tokens in zip(found, told, strict=True)
        ]

    def _candidates(self, retriever: Retriever, asked: Asked) -> list[tuple[Seen, Item]]:
        """Return the passages found whole, by a sentence or by their question."""
        text = " ".join((asked.text, *others_of(asked.words)))
        places: dict[str, float] = {}
        lexical: dict[str, float] = {}
        holds = shelf.holding(date.today())
        for part, k in PER_PART.items():
            found = retriever.search(
                text, filter=And((Compare("part", "eq", part), holds)), k=k, dense=asked.vector
            )
            most = max((one.lexical or 0.0 for one in found), default=0.0) or 1.0
            for rank, one in enumerate(found):
                id = shelf.passage_id(one.item.id)
                places[id] = places.get(id, 0.0) + 1.0 / (3 + rank)
                if part == shelf.PASSAGE:
                    lexical[id] = (one.lexical or 0.0) / most
        ids = sorted(places, key=lambda id: -places[id])[:CANDIDATES]
        items = retriever.get_many(ids)
        return [(self.seen(retriever, item, lexical.get(item.id, 0.0)), item) for item in items]

    def seen(self, retriever: Retriever, item: Item, lexical: float) -> Seen:
        """Return a passage with the vectors of its parts."""
        passage = shelf.passage_of(item)
        ids = shelf.parts_of(passage)
        there = [one.id for one in retriever.get_many(ids)]
        vectors = dict(zip(there, retriever.index.vectors(there), strict=True))
        found = shelf.sentences_of(passage)
        told = tuple(Sentence(text, vectors[id]) for id, text in found if id in vectors)
        under = passage.heading[-1] if passage.heading else ""
        titled = vectors.get(f"{item.id}.t")
        page = "\n".join((passage.source, *passage.heading[:1]))
        return Seen(item.id, item.title, item.description, vectors[item.id], told, under, titled,
                    lexical, page)  # fmt: skip

    def _word_vectors(self, words: Sequence[str]) -> Vectors:
        """Return the vectors of single words; those of words seen before are kept."""
        with self._lock:
            new = [word for word in dict.fromkeys(words) if word not in self._vectors]
        made = self._encoder.encode_queries(new)
        with self._lock:
            self._vectors.update(zip(new, made, strict=True))
            result = np.stack([self._vectors[word] for word in words])
            while len(self._vectors) > KEPT_WORDS:
                self._vectors.popitem(last=False)
        return result


def _on_subject(found: Verdict) -> list[Quote]:
    """Return what the pages say of a subject that is asked about as a whole."""
    if found.asked is None:
        return []
    items = {one.seen.id: one.item for one in found.ranked}
    passages = of_subject(found.asked, [one.seen for one in found.ranked])
    return [_quote(found, seen, items[seen.id]) for seen in passages]


def _quote(found: Verdict, seen: Seen, item: Item) -> Quote:
    assert found.asked is not None
    return _quoted(found.asked, seen, item, found.score)


def _quoted(asked: Asked, seen: Seen, item: Item, score: float) -> Quote:
    passage = shelf.passage_of(item)
    return Quote(text=excerpt(asked, seen), source=passage.source, title=passage.title,
                 place=passage.place, url=passage.url, score=round(score, 3))  # fmt: skip


def _offers(found: Verdict, question: str) -> list[Offer]:
    """Return the best passages by the headings they stand under, each heading once."""
    made: dict[str, Offer] = {}
    for one in found.ranked[:MOST_OFFERED]:
        passage = shelf.passage_of(one.item)
        title = named(passage.heading) or passage.text.split("\n")[0]
        title = f"{title[:LONGEST_TITLE]}…" if len(title) > LONGEST_TITLE else title
        if title in made:
            continue
        made[title] = Offer(id=one.item.id, title=title, question=question[:LONGEST],
                            source=passage.source, url=passage.url)  # fmt: skip
    return list(made.values())


def open_knowledge(folder: Path, encoder: Encoder, sells: Sells = lambda word: False) -> Knowledge:
    """Return the knowledge of a project, once it is known that it can be read.

    Raises:
        RetrievalError: If the shelf is broken, or was made with another encoder.
    """
    knowledge = Knowledge(folder / shelf.FOLDER, encoder, sells)
    try:
        knowledge.sources()
    except RetrievalError:
        knowledge.close()
        raise
    return knowledge
