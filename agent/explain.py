"""Answers about items from evidence: why, why not, side by side, a detail. Pure.

Every claim is made by `agent.claims` or `agent.compare` and can be checked by `verify`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from agent import claims
from agent import compare as tables
from agent.claims import View
from agent.compare import Table
from agent.languages.tongue import ENGLISH, Tongue
from agent.state import Constraint, Need, Preference, State
from agent.turn import Reason
from agent.verify import verify
from agent.wording import clean, listing, ordinal, quoted, repeated, say, title_of
from retrieval.catalog import Facet, Item, primary
from retrieval.filters import matches

__all__ = ["Answer", "compare", "detail", "reasons", "verify", "why", "why_not"]

MOST = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said about items, the claims in it, and a table where items are compared."""

    text: str
    claims: tuple[Reason, ...] = ()
    table: Table | None = None


def reasons(
    item: Item,
    state: State,
    facets: tuple[Facet, ...],
    currency: str | None = None,
    others: Mapping[str, Item] | None = None,
    tongue: Tongue = ENGLISH,
) -> tuple[Reason, ...]:
    """Return one to four claims on why an item is shown, trade-offs included.

    Args:
        others: Items to compare with, by id; the reference of a like-this wish belongs here.
    """
    view = View(state, facets, currency, others or {}, tongue)
    chosen: dict[str, Reason] = {}
    subjects: set[str] = set()
    for reason in _by_weight(item, view):
        about = {e.facet for e in reason.evidence if e.facet}
        if not about or not about <= subjects:
            chosen.setdefault(reason.text, reason)
            subjects |= about
        if len(chosen) == MOST:
            break
    return tuple(chosen.values())


def _by_weight(item: Item, view: View) -> Iterator[Reason]:
    """Yield what can be said of an item, what matters most first."""
    wanted = _recent_first(view.state)
    held = [constraint for constraint in wanted if matches(constraint.filter(), item)]
    broken = [constraint for constraint in wanted if constraint not in held]
    yield from islice(_said(claims.missed(item, view, c) for c in broken), 2)
    sorting = view.state.need.sorting
    if sorting is not None:
        yield claims.stated(item, view, sorting.facet)
    yield from islice(claims.likeness(item, view), 3)
    yield from islice(_said([claims.mentions(item, view)]), 1)
    yield from islice(_said(claims.met(item, view, c) for c in held), 3)
    yield from islice(claims.wished(item, view), 2)
    gone = claims.availability(item, view)
    if gone is not None and gone.text == view.say("claims.unavailable"):
        yield gone
    yield from _said([claims.rating(item, view), claims.costs(item, view), gone])
    for facet in (primary(view.facets, "category"), primary(view.facets, "brand")):
        if facet is not None and item.values(facet.name):
            yield claims.stated(item, view, facet.name)


def _said(found: Iterator[Reason | None] | Sequence[Reason | None]) -> Iterator[Reason]:
    return (reason for reason in found if reason is not None)


def _recent_first(state: State) -> list[Constraint]:
    """Return the constraints, the latest wish first, what the item is (category) last."""
    return sorted(state.need.constraints, key=lambda c: (c.role == "category", -c.turn))


def why(
    item: Item,
    state: State,
    facets: tuple[Facet, ...],
    currency: str | None = None,
    others: Mapping[str, Item] | None = None,
    tongue: Tongue = ENGLISH,
) -> Answer:
    """Say why an item was shown."""
    made = reasons(item, state, facets, currency, others, tongue)
    found = checked(made, item, state, facets, others, tongue)
    if not found:
        return Answer(say("explain.no_reason", 0, tongue.code, title=title_of(item)))
    said = listing([reason.text for reason in found], "claims", tongue)
    return Answer(say("explain.why", 0, tongue.code, title=title_of(item), reasons=said), found)


def checked(
    found: Sequence[Reason],
    item: Item,
    state: State,
    facets: tuple[Facet, ...],
    others: Mapping[str, Item] | None = None,
    tongue: Tongue = ENGLISH,
) -> tuple[Reason, ...]:
    """Return the claims that hold when they are checked against the catalog once more."""
    return tuple(one for one in found if verify(one, item, state, others, facets, tongue))


def why_not(
    item: Item,
    state: State,
    facets: tuple[Facet, ...],
    currency: str | None = None,
    rank: int | None = None,
    tongue: Tongue = ENGLISH,
) -> Answer:
    """Say why an item was not shown: what it breaks, or where it ranks.

    Args:
        rank: Its place among all that match, where known.
    """
    view, title = View(state, facets, currency, tongue=tongue), title_of(item)
    if item.id in state.slate:
        place = state.slate.index(item.id) + 1
        return Answer(view.say("explain.is_shown", title=title, place=place))
    if item.id in state.need.rejected:
        return Answer(view.say("explain.rejected", title=title))
    broken = [c for c in _recent_first(state) if not matches(c.filter(), item)]
    found = tuple(_said(claims.missed(item, view, c) for c in broken))
    found = checked(found, item, state, facets, tongue=tongue)
    if found:
        said = listing([reason.text for reason in found], "claims", tongue)
        return Answer(view.say("explain.why_not", title=title, reasons=said), found)
    if broken:
        wishes = view.listed([view.wish(constraint) for constraint in broken], "wishes")
        return Answer(view.say("explain.breaks", title=title, wishes=wishes))
    if rank is not None:
        return Answer(view.say("explain.ranked", title=title, rank=ordinal(rank, tongue)))
    return Answer(view.say("explain.outranked", title=title))


def compare(
    items: Sequence[Item],
    state: State,
    facets: tuple[Facet, ...],
    currency: str | None = None,
    tongue: Tongue = ENGLISH,
) -> Answer:
    """Put items side by side, differences first, and say who leads on what."""
    compared = tables.table(items, facets, currency, tongue)
    others = {item.id: item for item in items}
    view = View(state, facets, currency, others, tongue)
    found = [
        reason
        for reason in tables.verdicts(items, view)
        if verify(reason, others[reason.evidence[0].item_id], state, others, facets, tongue)
    ]
    differ = [row.label for row in compared.rows if row.differs][:4]
    if found:
        said = view.say("explain.leads", verdicts=tables.together(found, view))
    elif differ:
        said = view.say("explain.differ", facets=view.listed(differ))
    else:
        said = view.say("explain.alike")
    return Answer(said, tuple(found), compared)


def detail(
    item: Item,
    facet: str | None,
    facets: tuple[Facet, ...],
    currency: str | None = None,
    asked: str = "",
    tongue: Tongue = ENGLISH,
) -> Answer:
    """Say what the catalog says of one field of an item, or of the item as a whole.

    Args:
        facet: The field asked about; None when the catalog has no such field.
        asked: The user's words for what was asked, where it is no facet.
    """
    view, title = View(State(), facets, currency, tongue=tongue), title_of(item)
    if facet:
        claim = claims.stated(item, view, facet)
        if not item.values(facet):
            name = view.label(facet)
            return Answer(view.say("explain.unsaid", title=title, facet=name), (claim,))
        return Answer(view.say("explain.detail", title=title, claim=claim.text), (claim,))
    if asked.strip():
        return Answer(view.say("explain.no_field", title=title, asked=repeated(asked, 40)))
    found = tuple(claims.stated(item, view, f.name) for f in facets if item.values(f.name))[:8]
    said = listing([reason.text for reason in found], "claims", tongue)
    about = f" {clean(item.description, 200)}" if item.description else ""
    if not found and not about:
        return Answer(view.say("explain.nothing_more", title=title))
    return Answer(view.say("explain.overview", title=title, claims=said) + about, found)


def mentioned(
    item: Item,
    words: str,
    facets: tuple[Facet, ...],
    currency: str | None = None,
    tongue: Tongue = ENGLISH,
) -> Answer:
    """Say whether an item's text mentions what was asked for: "is it machine washable?"."""
    asked = State(need=Need(preferences=(Preference(text=words),)))
    view, title = View(asked, facets, currency, tongue=tongue), title_of(item)
    claim = claims.mentions(item, view)
    if claim is None:
        said = quoted([repeated(words, 40)], tongue)
        return Answer(view.say("explain.unmentioned", title=title, asked=said))
    return Answer(view.say("explain.detail", title=title, claim=claim.text), (claim,))
