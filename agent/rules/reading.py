"""A reading: one utterance as its mentions, their polarities, and the cues around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.linking.earlier import EARLIER
from agent.linking.hidden import brings_back
from agent.plan import Mention, MentionKind
from agent.rules import cues
from agent.rules.choice import choose
from agent.rules.cues import Masked, mask
from agent.rules.polarity import Polarity, PolarityReader
from agent.rules.request import PlanRequest
from retrieval.filters import TEXT, words

_SURE = 0.5
"""Score below which a mention counts only where nothing else is meant."""

_FEW_WORDS = 4

_PARTS = frozenset({"part", "parts", "requirement", "condition", "filter", "aspect"})
"""What a wish is called that is let go of: "forget the waterproof part"."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One utterance, read.

    Args:
        mentions: One per span, in order of place; beside it the words it was guessed from.
        polarity: Mention id to polarity.
    """

    request: PlanRequest
    mentions: tuple[Mention, ...]
    masked: Masked
    polarity: Mapping[str, Polarity]

    def cue(self, name: str) -> bool:
        """Return whether a cue of an act occurs."""
        return cues.has(self.masked, "acts", name)

    def need_cue(self, name: str) -> bool:
        """Return whether a cue of what becomes of the need occurs."""
        return cues.has(self.masked, "need", name)

    @property
    def asks(self) -> bool:
        """Whether the utterance is a question."""
        return cues.has(self.masked, "detail", "question")

    def ids(self, polarity: Polarity, *kinds: MentionKind) -> tuple[str, ...]:
        """Return the ids of mentions of some kinds with a polarity."""
        return tuple(
            m.id for m in self.mentions if m.kind in kinds and self.polarity.get(m.id) == polarity
        )

    def mention(self, id: str) -> Mention:
        """Return the mention with an id."""
        return next(m for m in self.mentions if m.id == id)

    def facet(self, id: str) -> str | None:
        """Return the facet of the mention with an id."""
        return self.mention(id).facet

    @property
    def references(self) -> tuple[Mention, ...]:
        """Mentions of items: on the slate, in focus, or by title."""
        return tuple(m for m in self.mentions if m.kind in ("reference", "item"))

    def refs(self, polarity: Polarity | None = None) -> tuple[str, ...]:
        """Return the ids of the references, all or those with a polarity."""
        return tuple(m.id for m in self.references if polarity in (None, self.polarity.get(m.id)))

    @property
    def liked_refs(self) -> tuple[str, ...]:
        """The references that are not refused, else all."""
        return self.refs("want") or self.refs()

    @property
    def earlier_lists(self) -> tuple[str, ...]:
        """The references to whole slates that were shown before."""
        return tuple(m.id for m in self.references if m.note == EARLIER)

    @property
    def brought_back(self) -> tuple[str, ...]:
        """The references to hidden items that are wanted again."""
        state = self.request.state
        if not brings_back(self.masked.raw, state):
            return ()
        hidden = set(state.need.rejected)
        return tuple(m.id for m in self.references if m.items and hidden.issuperset(m.items))

    def on_slate(self, ids: Sequence[str]) -> bool:
        """Return whether any of some references points at an item of the slate."""
        slate = {item.id for item in self.request.slate}
        return any(slate & set(m.items) for m in self.references if m.id in ids)

    @property
    def categories(self) -> frozenset[str]:
        """The names of the category facets."""
        return frozenset(f.name for f in self.request.facets if f.role == "category")

    @property
    def want(self) -> tuple[str, ...]:
        """What is wished for."""
        return self.ids("want", "value", "number", "keyword", "unknown")

    @property
    def avoid(self) -> tuple[str, ...]:
        """What must not be: values, words, and named items that are not on the slate."""
        named = tuple(id for id in self.refs("avoid") if not self.on_slate((id,)))
        return self.ids("avoid", "value", "keyword", "unknown", "number", "facet") + named

    @property
    def prefer(self) -> tuple[str, ...]:
        """What would be nice."""
        return self.ids("prefer", "value", "number", "keyword", "unknown")

    @property
    def drop(self) -> tuple[str, ...]:
        """What no longer matters."""
        return self.ids("drop", "facet", "value", "number", "order", "keyword", "unknown")

    @property
    def change(self) -> tuple[str, ...]:
        """Directions, but for facets that get a bound, and at most one order."""
        bounded = {self.facet(id) for id in self.ids("want", "number")}
        kinds: tuple[MentionKind, ...] = ("relative", "order")
        found = self.ids("want", *kinds) + self.ids("avoid", *kinds)
        later_orders = [id for id in found if self.mention(id).kind == "order"][1:]
        return tuple(
            id
            for id in found
            if id not in later_orders
            and (self.mention(id).kind == "order" or self.facet(id) not in bounded)
        )

    @property
    def firm(self) -> tuple[str, ...]:
        """Wishes the catalog can check, and wishes of any other polarity."""
        checked = self.ids("want", "value", "number", "relative", "order")
        return checked + self.avoid + self.drop + self.prefer


def read(request: PlanRequest) -> Reading:
    """Return the reading of an utterance."""
    chosen = [mention for mention in choose(request) if mention.kind != "absent"]
    bare_counts = _bare_amount(request, chosen)
    mentions = tuple(
        m for m in chosen if m.score >= _SURE or bare_counts or _is_fine_too(request, chosen, m)
    )
    masked = mask(request.utterance, mentions)
    polarity = PolarityReader(masked, mentions).read()
    polarity |= _allowed_again(request, mentions, masked, polarity)
    polarity |= _softened(mentions, polarity)
    polarity |= _words_let_go(request, mentions, masked)
    return Reading(request, mentions, masked, polarity)


def _bare_amount(request: PlanRequest, mentions: Sequence[Mention]) -> bool:
    """Return whether a number without a bound is meant: nothing else is said, or a correction."""
    others = [m for m in mentions if m.score >= _SURE and m.kind not in ("keyword", "unknown")]
    if not others and len(request.utterance.split()) <= _FEW_WORDS:
        return True
    constraints = request.state.need.constraints
    bounded = any(c.high is not None or c.low is not None for c in constraints)
    return bounded and cues.said(request.utterance.lower(), "need", "corrects_amount")


def _is_fine_too(request: PlanRequest, chosen: Sequence[Mention], mention: Mention) -> bool:
    """Return whether a bare number widens a bound said before: "2000, but 2500 is ok too"."""
    said = request.utterance[mention.end :].lower()
    bounded = {m.facet for m in chosen if m.kind == "number" and m.end < mention.start}
    own = mention.kind == "number" and mention.facet in bounded
    return own and cues.said(said, "polarity", "fine_again")


def _allowed_again(
    request: PlanRequest,
    mentions: Sequence[Mention],
    masked: Masked,
    polarity: Mapping[str, Polarity],
) -> dict[str, Polarity]:
    """Read "velvet's fine" of an excluded value as no longer excluded, not as wanted."""
    excluded = {value for c in request.state.need.constraints for value in c.excluded}
    lifted = {m.facet for m in mentions if polarity.get(m.id) == "drop"}
    again: dict[str, Polarity] = {}
    for mention in mentions:
        left_out = excluded & set(mention.values) or mention.facet in lifted
        end = masked.spans.get(mention.id, (0, 0))[1]
        said = mention.kind in ("value", "keyword", "unknown")
        fine = said and cues.follows(masked, end, "polarity", "fine_again")
        if left_out and fine:
            again[mention.id] = "drop"
    return again


def _words_let_go(
    request: PlanRequest, mentions: Sequence[Mention], masked: Masked
) -> dict[str, Polarity]:
    """Read "forget the waterproof part" of words that are wished for as no longer wished for."""
    need = request.state.need
    said = {word for wish in need.preferences for word in words(wish.text)}
    said |= {word for c in need.constraints if c.facet == TEXT for one in c.excluded
             for word in words(one)}  # fmt: skip
    gone: dict[str, Polarity] = {}
    for mention in mentions:
        own = mention.kind in ("keyword", "unknown") and mention.id in masked.spans
        if own and said.intersection(w for value in mention.values for w in words(value)):
            start, end = masked.spans[mention.id]
            before = cues.said(masked.text[:start], "polarity", "lets_go")
            if before or cues.follows(masked, end, "polarity", "lets_go_after"):
                gone[mention.id] = "drop"
    parts = [m for m in mentions if gone and m.values and m.values[0] in _PARTS]
    return gone | dict.fromkeys((m.id for m in parts), "drop")


def _softened(mentions: Sequence[Mention], polarity: Mapping[str, Polarity]) -> dict[str, Polarity]:
    """Let a category guessed from other words be a preference, never a hard wish."""
    words = {(m.start, m.end) for m in mentions if m.kind == "keyword"}
    guesses = [m.id for m in mentions if m.kind == "value" and (m.start, m.end) in words]
    return {id: "prefer" if polarity.get(id) == "want" else "drop" for id in guesses}
