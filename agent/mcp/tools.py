"""The seven tools. Each finds its caller, does one thing with the caller's parts, and returns it.

They run in worker threads of the server. A call that is cancelled stops at the next step and
leaves nothing stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Annotated, Any, Literal

from anyio.from_thread import check_cancelled
from pydantic import Field

from agent import explain as explaining
from agent.dialogue import item_fields
from agent.feedback import FeedbackEvent, new_id
from agent.mcp.caller import caller, report
from agent.mcp.values import (
    MOST_COMPARED,
    CompareAnswer,
    ComparedRow,
    Comparison,
    ExplainedAnswer,
    ExplainedOne,
    FeedbackAnswer,
    Id,
    Ids,
    ItemFull,
    K,
    RecommendAnswer,
    Recommended,
    Result,
    SearchAnswer,
    SessionId,
    SimilarAnswer,
    Sort,
    Words,
)
from agent.payload import ItemAnswer, item_answer, items_answer
from agent.privacy.port import without_marks
from agent.recommend import Recommendation
from agent.recommend import recommend as recommended
from agent.safe_text import plain
from agent.server.context import Context
from agent.server.errors import UnknownItem
from agent.server.explanations import Asked
from agent.server.explanations import explain as explained
from agent.server.wishes import constraints_of, grounded, read_filter, understood
from agent.state import Likeness, State
from agent.turn import Done, Items, Slate, SlateItem, Understood
from agent.utterance import clean_utterance
from agent.wording import describe, find
from retrieval.catalog import Item
from retrieval.errors import FilterError
from retrieval.filters import matches
from retrieval.query import Candidate, Order

STEPS = 3
"""Of a turn, as its progress is told: understood, items, words."""


def search_items(
    query: Annotated[str, Field(max_length=2_000, description="Words; empty for any item.")] = "",
    where: Annotated[
        list[Comparison], Field(max_length=20, description="Conditions that all must hold.")
    ] = [],  # noqa: B006 (pydantic copies it)
    sort: Annotated[Sort | None, Field(description="Order; by relevance if left out.")] = None,
    k: K = 10,
) -> SearchAnswer:
    """Search the catalog by words and exact conditions.

    Use it when you know the facets and values you want; read attune://catalog for their names. For
    a shopper's own words use recommend. Conditions always hold; nothing is relaxed.
    """
    here = _here("chat")
    retriever = here.retriever
    conditions = read_filter({"and": [one.model_dump() for one in where]}) if where else None
    if conditions is not None:
        constraints_of(conditions, retriever.facets)
    order = Order(sort.facet, sort.direction) if sort else None
    if order is not None:
        sortable = [f.name for f in retriever.facets if f.kind in ("numeric", "date")]
        if order.facet not in sortable:
            raise FilterError(f"cannot sort by {order.facet!r}; by {', '.join(sortable)}")
    text = clean_utterance(query) if query.strip() else ""
    found = retriever.search(text, filter=conditions, k=k, order=order)
    items = [
        Result(**item_answer(one.item, retriever).model_dump(exclude={"description"}), rank=rank)
        for rank, one in enumerate(found, start=1)
    ]
    return SearchAnswer(items=items, matched=retriever.index.count(conditions))


def get_item(item_id: Id) -> ItemFull:
    """Look one item up by its id: full description, price, availability, all fields."""
    here = _here("chat")
    return ItemFull(**item_answer(_item(here, item_id), here.retriever).model_dump())


def recommend(text: Words, session_id: SessionId = None) -> RecommendAnswer:
    """Take one turn of a conversation with the shop, in the shopper's own words.

    Understands wishes, limits, "cheaper", "the second one", "not leather", questions about the
    items shown and about the shop. Pass the session_id of the answer to go on with "the second
    one" or "something cheaper"; without it a new conversation begins.
    """
    here = _here("chat")
    store = here.parts.store
    words = clean_utterance(text, here.limits.characters)
    if session_id:
        return _turn(store.load(session_id).id, words, here)
    id = store.create_session()
    try:
        return _turn(id, words, here)
    except BaseException:  # cancelled too: nobody was told of the session
        store.delete_session(id)
        raise


def _turn(session_id: str, words: str, here: Context) -> RecommendAnswer:
    with closing(caller().events(session_id, words)) as events:
        for event in events:
            if isinstance(event, Done):
                here.metrics.turn(event)
                return _answer(event, here)
            check_cancelled()
            if isinstance(event, Understood):
                report(1, STEPS, "understood")
            elif isinstance(event, Items):
                report(2, STEPS, f"{len(event.slate.items)} items")
    raise AssertionError("respond() ended without Done")


def _answer(done: Done, here: Context) -> RecommendAnswer:
    return RecommendAnswer(
        session_id=done.session_id,
        turn_id=done.turn_id,
        slate_id=done.slate.id,
        reply=done.reply,
        items=[Recommended.of(one) for one in items_answer(done.slate, here.retriever)],
        relaxations=[one.text for one in done.relaxations],
        needs_human=bool(done.service and done.service.handover),
    )


def similar_but(item_id: Id, change: Words, k: K = 5) -> SimilarAnswer:
    """Find items like one item but different in what you say: "blue, under 60, not leather".

    What the change asks for always holds ("under 60" is never 61); everything else is kept as
    close to the item as the catalog allows. "cheaper" means cheaper than this item.
    """
    here = _here("chat")
    item = _item(here, item_id)
    words = clean_utterance(change, here.limits.characters)
    state = _changed(item, words, here)
    check_cancelled()
    found = recommended(here.retriever, state, k=k, exclude=(item.id,))
    check_cancelled()
    slate = _slate(found, state, here)
    here.parts.store.record_slate(slate, policy="similar")
    wanted = state.need.filter()
    kept = {one.item.id for one in found.candidates if matches(wanted, one.item)}
    shown = [Recommended.of(one) for one in items_answer(slate, here.retriever)]
    facets, currency = here.retriever.facets, here.retriever.currency
    return SimilarAnswer(
        reference=_card(item, here),
        understood=[
            describe(one, find(facets, one.facet), currency) for one in state.need.constraints
        ],
        not_understood=_lost(item, words, here),
        slate_id=slate.id,
        items=[one for one in shown if one.id in kept],
        closest=[one for one in shown if one.id not in kept],
        relaxations=[one.text for one in found.relaxations],
    )


def _changed(item: Item, change: str, here: Context) -> State:
    """Return the state after "like this one, but …", with the item as its reference for sure."""
    before = State(slate=(item.id,), focus=(item.id,), shown=(item.id,))
    text = f"something like the first one but {change}"
    state = understood(here.parts, here.retriever, text, before)
    need = state.need
    if need.like is None or need.like.item_id != item.id:
        changed = tuple(one.facet for one in need.constraints)
        like = Likeness(item_id=item.id, changed=changed)
        state = state.model_copy(update={"need": need.model_copy(update={"like": like})})
    return state


def _lost(item: Item, change: str, here: Context) -> list[str]:
    """Return the words of a change that the catalog has nothing for."""
    parts, state = here.parts, State(slate=(item.id,))
    text = without_marks(parts.masker.mask(change))
    carried = parts.languages.carried(text, state.language)
    mentions = parts.linker.link(carried.text if carried else text, state, (item,))
    return [plain(one.text) for one in mentions if one.kind in ("absent", "unknown")]


def _slate(found: Recommendation, state: State, here: Context) -> Slate:
    def shown(rank: int, one: Candidate) -> SlateItem:
        return SlateItem(
            item_id=one.item.id, rank=rank, score=one.score, fields=item_fields(one.item),
            reasons=grounded(one.item, state, here.retriever),
        )  # fmt: skip

    items = tuple(shown(rank, one) for rank, one in enumerate(found.candidates, start=1))
    return Slate(id=new_id(), items=items)


def explain(
    item_ids: Ids,
    wishes: Annotated[
        str | None, Field(max_length=20_000, description="What is wanted, in plain words.")
    ] = None,
    session_id: SessionId = None,
) -> ExplainedAnswer:
    """Say why items fit what is wanted, and what they break of it, from the catalog's own fields.

    Give the wishes in words, or the session_id of a conversation, or both.
    """
    here = _here("chat")
    asked = Asked(item_ids=item_ids, text=wishes, session_id=session_id)
    answer = explained(asked, here)
    wanted = set(ExplainedOne.model_fields)
    items = [one.model_dump(include=wanted) for one in answer.items]  # type: ignore[union-attr]
    return ExplainedAnswer(items=[ExplainedOne.model_validate(one) for one in items])


def compare(
    item_ids: Annotated[
        list[Id], Field(min_length=2, max_length=MOST_COMPARED, description="2 to 6 item ids.")
    ],
) -> CompareAnswer:
    """Put items side by side: a table of their facets, differences first, and who leads on what."""
    here = _here("chat")
    items = [_item(here, id) for id in dict.fromkeys(item_ids)]
    facets, currency = here.retriever.facets, here.retriever.currency
    answer = explaining.compare(items, State(), facets, currency)
    rows = answer.table.rows if answer.table is not None else ()
    return CompareAnswer(
        items=[_card(item, here) for item in items],
        rows=[
            ComparedRow(
                facet=row.facet, label=row.label, values=[cell.text for cell in row.cells],
                best=[cell.best for cell in row.cells], differs=row.differs,
            )
            for row in rows
        ],
        summary=answer.text,
    )  # fmt: skip


def send_feedback(
    slate_id: Annotated[str, Field(description="slate_id of the answer that showed the item.")],
    kind: Annotated[
        Literal["click", "select", "reject", "rating", "purchase", "critique"],
        Field(description="What the person did with it."),
    ],
    item_id: Annotated[Id | None, Field(description="Which item; only a critique needs none.")]
    = None,
    value: Annotated[
        str | float | None,
        Field(description="rating: 1 to 5. purchase: amount paid. critique: what is wrong."),
    ] = None,
    consent: Annotated[bool, Field(description="Whether the shop may learn from it.")] = True,
    event_id: Annotated[
        str | None, Field(description="An id of your own: the same one sent twice counts once.")
    ] = None,
) -> FeedbackAnswer:  # fmt: skip
    """Tell the shop what a person did with an item it showed. Only what really happened."""
    here = _here("feedback")
    said: dict[str, Any] = {"id": event_id} if event_id else {}
    event = FeedbackEvent(
        slate_id=slate_id, item_id=item_id, kind=kind, value=value, consent=consent, **said
    )
    id = here.parts.store.add_feedback(event)
    here.metrics.feedback(kind)
    return FeedbackAnswer(id=id)


def _here(scope: str) -> Context:
    found = caller()
    found.check(scope)
    return found.here


def _item(here: Context, id: str) -> Item:
    found: Sequence[Item] = here.retriever.get_many([id])
    if not found:
        raise UnknownItem(f"no item {id[:200]!r} in the catalog; ids come from search_items")
    return found[0]


def _card(item: Item, here: Context) -> ItemAnswer:
    return ItemAnswer(**item_answer(item, here.retriever).model_dump(exclude={"description"}))
