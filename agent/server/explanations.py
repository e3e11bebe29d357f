"""/v1/explanations: why given items fit what someone wants, from the items' own fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from agent.errors import UserInputError
from agent.explain import why
from agent.explainer import LLMExplainer, Subject
from agent.languages.languages import LANGUAGE
from agent.languages.tongue import base
from agent.payload import ExplainedItem, explained_item
from agent.server.access import needs
from agent.server.context import Context, Here
from agent.server.errors import ErrorAnswer, UnknownItem, describe
from agent.server.examples import EVENTS
from agent.server.rows import ItemId, whole
from agent.server.taking import paid
from agent.server.wishes import filtered, grounded, read_filter, understood
from agent.state import State
from agent.turn import Written
from agent.utterance import clean_utterance
from retrieval.catalog import Item

router = APIRouter(prefix="/v1/explanations", tags=["explanations"], dependencies=[needs("chat")])

MOST_ITEMS = 100
NAMED = 20
"""Unknown item ids that an error lists."""

Wish = Annotated[dict[str, Any], AfterValidator(whole)]


class Asked(BaseModel):
    """Which items to explain, and for whom: a session, a text, a list of wishes, or several.

    `wishes` is a text, or comparisons as filters have them; they replace a session's wishes on the
    same facets. `writer` says who words the explanations (default: the model where the server has
    one for it).
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"item_ids": ["7"], "wishes": [{"facet": "price", "op": "lt", "value": 60}]}
            ]
        },
    )

    item_ids: list[ItemId] = Field(min_length=1, max_length=MOST_ITEMS)
    session_id: str | None = None
    text: str | None = None
    wishes: str | list[Wish] | None = None
    language: str | None = Field(default=None, pattern=LANGUAGE)
    writer: Literal["template", "model"] | None = None
    stream: bool = False


class Explanation(ExplainedItem):
    """An item with its reasons, an explanation in words, and who wrote that."""

    explanation: str
    written: Written


class Explanations(BaseModel):
    """The items in the order asked for."""

    items: list[Explanation]


class ItemData(ExplainedItem):
    """Data of the event `item`: an item with its reasons, before any words on it."""


class WordsData(BaseModel):
    """Data of the event `text`: the next piece of the explanation of an item."""

    item_id: str
    delta: str


STREAM = {
    "description": "All explanations; with `stream`, for each item the events item and text…, at "
    "the end done (whose data is this same object), or error.",
    "content": {"text/event-stream": EVENTS},
}


@router.post("", response_model=Explanations, responses={200: STREAM}, dependencies=[paid])
def explain(body: Asked, here: Here) -> Explanations | EventSourceResponse:
    """Explain items: each reason is tied to the fields or wishes it was made from."""
    state, items = _state(body, here), _items(body, here)
    writer = _writer(body, here)
    if body.stream:
        return EventSourceResponse(
            _stream(items, state, writer, here),
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )
    told = [event for event in _events(items, state, writer, here)]
    return Explanations(items=[one for one in told if isinstance(one, Explanation)])


def _state(body: Asked, here: Context) -> State:
    if body.session_id is None and body.text is None and not body.wishes:
        raise UserInputError(
            "explain for whom? give session_id, or text with what is wanted, or wishes"
        )
    state = State()
    if body.session_id is not None:
        state = here.parts.store.load(body.session_id).state
    for text in (body.text, body.wishes):
        if isinstance(text, str):
            said = clean_utterance(text, here.limits.characters)
            state = understood(here.parts, here.retriever, said, state)
    if isinstance(body.wishes, list):
        wanted = read_filter({"and": body.wishes})
        state = filtered(state, wanted, here.retriever.facets)
    asked = base(body.language) if body.language else None
    return state.model_copy(update={"language": asked}) if asked else state


def _items(body: Asked, here: Context) -> list[Item]:
    found = {item.id: item for item in here.retriever.get_many(body.item_ids)}
    missing = list(dict.fromkeys(id for id in body.item_ids if id not in found))
    if missing:
        named = ", ".join(repr(id[:200]) for id in missing[:NAMED])
        more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
        raise UnknownItem(f"not in the catalog: {named}{more}")
    return [found[id] for id in body.item_ids]


def _writer(body: Asked, here: Context) -> LLMExplainer | None:
    explainer = here.parts.explainer
    if body.writer == "model" and explainer is None:
        raise UserInputError("no language model words explanations here; leave out writer")
    return None if body.writer == "template" else explainer


def _events(
    items: list[Item], state: State, writer: LLMExplainer | None, here: Context
) -> Iterator[ItemData | WordsData | Explanation]:
    """Yield each item, the pieces of its explanation, and both together."""
    retriever, like = here.retriever, state.need.like
    tongue = here.parts.languages.tongue(state.language)
    others = {one.id: one for one in retriever.get_many([like.item_id] if like else [])}
    for item in items:
        claims = grounded(item, state, retriever, tongue)
        shown = explained_item(item, claims, retriever)
        yield ItemData(**shown.model_dump())
        template = why(item, state, retriever.facets, retriever.currency, others, tongue).text
        pieces, written = [], Written()
        if writer is None:
            pieces.append(template)
            yield WordsData(item_id=item.id, delta=template)
        else:
            subject = Subject(item, claims, template, others)
            telling = writer.tell(subject, state, retriever.facets, retriever.currency)
            for piece in telling:
                pieces.append(piece)
                yield WordsData(item_id=item.id, delta=piece)
            written = telling.written
        yield Explanation(**shown.model_dump(), explanation="".join(pieces), written=written)


def _stream(
    items: list[Item], state: State, writer: LLMExplainer | None, here: Context
) -> Iterator[bytes]:
    done: list[Explanation] = []
    try:
        for event in _events(items, state, writer, here):
            if isinstance(event, Explanation):
                done.append(event)
            else:
                yield _encode("item" if isinstance(event, ItemData) else "text", event)
        yield _encode("done", Explanations(items=done))
    except Exception as error:
        _, body = describe(error)
        yield _encode("error", ErrorAnswer(error=body))


def _encode(name: str, data: BaseModel) -> bytes:
    plain = data.model_dump_json(exclude_none=isinstance(data, ErrorAnswer))
    return format_sse_event(event=name, data_str=plain)
