"""What can be asked for those who shop: sessions, turns, items, feedback, explanations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import httpx

from agent.client.call import (
    Call,
    Request,
    Streamed,
    error_of,
    given,
    new_key,
    nothing,
    part,
    reads,
)
from agent.client.values import (
    Done,
    Event,
    Explained,
    ExplainedItem,
    Explaining,
    Explanation,
    Facets,
    Feed,
    Feedback,
    ItemDetail,
    Items,
    ItemWords,
    Json,
    Model,
    NewSession,
    Picture,
    Press,
    Session,
    Suggestions,
    Turn,
    Understood,
    Words,
)

Writer = Literal["template", "model"]


def create_session(user: str | None = None) -> Call[str]:
    """Start a session and return its id; `user` is a name of your own."""
    return Call(Request("POST", "/v1/sessions", given(user=user)), reads(str, "id"))


def open_session(user: str | None = None, language: str | None = None) -> Call[NewSession]:
    """Start a session; return its id with what the shop greets with, where it has said so.

    Args:
        user: A name of your own.
        language: Languages as browsers tell them, e.g. "de-AT, en;q=0.5".
    """
    request = Request("POST", "/v1/sessions", given(user=user), language=language)
    return Call(request, reads(NewSession))


def session(id: str) -> Call[Session]:
    """Return a session as it stands, with all its turns."""
    return Call(Request("GET", f"/v1/sessions/{part(id)}"), reads(Session))


def delete_session(id: str) -> Call[None]:
    """Delete a session with everything that hangs on it."""
    return Call(Request("DELETE", f"/v1/sessions/{part(id)}"), nothing)


def session_feedback(id: str) -> Call[tuple[Feedback, ...]]:
    """Return what was told of everything that a session was shown, oldest first."""
    request = Request("GET", f"/v1/sessions/{part(id)}/feedback")
    return Call(request, reads(tuple[Feedback, ...], "events"))


def suggestions(session_id: str, *, language: str | None = None) -> Call[Suggestions]:
    """Return the wishes of a session as chips, and what may be said next.

    Both come with the press that does it: `client.say(session, reply.text, press=reply.press)`.

    Args:
        language: Of their words, e.g. "zh"; without, the session's.
    """
    path = f"/v1/sessions/{part(session_id)}/suggestions"
    return Call(Request("GET", path, query=given(language=language)), reads(Suggestions))


def say(
    session_id: str,
    text: str,
    *,
    press: Press | Json | None = None,
    language: str | None = None,
    context: Mapping[str, str] | None = None,
    idempotency_key: str | None = None,
) -> Call[Turn]:
    """Take a turn.

    Args:
        press: What was pressed instead; `text` is its words for the transcript.
        language: What is answered in from here on, e.g. "zh"; without, the session's.
        context: What tools may be called with, such as a customer's number; not stored.
        idempotency_key: To take it once, also over several calls; else each call has its own.
    """
    return Call(_turn(session_id, text, press, language, context, idempotency_key), reads(Turn))


def stream(
    session_id: str,
    text: str,
    *,
    press: Press | Json | None = None,
    language: str | None = None,
    context: Mapping[str, str] | None = None,
    idempotency_key: str | None = None,
) -> Streamed[Event]:
    """Take a turn as `say` does, and give its events as they come: `with … as events:`.

    Whoever leaves before the last event leaves a turn that is not kept.
    """
    return Streamed(
        _turn(session_id, text, press, language, context, idempotency_key, stream=True),
        {
            "understood": Understood.model_validate,
            "items": Items.model_validate,
            "text": Words.model_validate,
            "done": lambda data: Done(turn=Turn.model_validate(data)),
        },
    )


def _turn(
    session_id: str,
    text: str,
    press: Press | Json | None,
    language: str | None,
    context: Mapping[str, str] | None,
    key: str | None,
    **more: bool,
) -> Request:
    if isinstance(press, Press):
        press = press.model_dump(mode="json", exclude_defaults=True)
    told = dict(context) if context else None
    body = given(text=text, press=press, language=language, context=told) | more
    path = f"/v1/sessions/{part(session_id)}/turns"
    return Request("POST", path, body, new_key() if key is None else key)


def send_feedback(*events: Feedback) -> Call[list[str]]:
    """Tell what people did with what they were shown: all is stored, or none; return ids."""
    body = {"events": [event.model_dump(exclude_none=True) for event in events]}
    return Call(Request("POST", "/v1/feedback", body, new_key()), reads(list[str], "ids"))


def recommend(
    *,
    filter: Json | None = None,
    text: str | None = None,
    session_id: str | None = None,
    k: int | None = None,
    language: str | None = None,
) -> Call[Feed]:
    """Return items for a filter, a text, a session's wishes, or nobody in particular.

    Args:
        language: Of the reasons, e.g. "zh"; without, the session's.
    """
    body = given(filter=filter, text=text, session_id=session_id, k=k, language=language)
    return Call(Request("POST", "/v1/recommendations", body), reads(Feed))


def explain(
    item_ids: Sequence[str],
    *,
    text: str | None = None,
    wishes: Sequence[Json] | str | None = None,
    session_id: str | None = None,
    language: str | None = None,
    writer: Writer | None = None,
) -> Call[tuple[Explanation, ...]]:
    """Return why items fit what somebody wants.

    Args:
        wishes: A text, or comparisons as filters have them.
        writer: Who words it; by default the model, where the server has one for it.
    """
    request = _explanations(item_ids, text, wishes, session_id, language, writer)
    return Call(request, reads(tuple[Explanation, ...], "items"))


def stream_explanations(
    item_ids: Sequence[str],
    *,
    text: str | None = None,
    wishes: Sequence[Json] | str | None = None,
    session_id: str | None = None,
    language: str | None = None,
    writer: Writer | None = None,
) -> Streamed[Explaining]:
    """Explain items as `explain` does, and give the events as they come: `with … as events:`."""
    request = _explanations(item_ids, text, wishes, session_id, language, writer, stream=True)
    return Streamed(
        request,
        {
            "item": ExplainedItem.model_validate,
            "text": ItemWords.model_validate,
            "done": Explained.model_validate,
        },
    )


def _explanations(
    item_ids: Sequence[str],
    text: str | None,
    wishes: Sequence[Json] | str | None,
    session_id: str | None,
    language: str | None,
    writer: Writer | None,
    **more: bool,
) -> Request:
    body = given(
        item_ids=list(item_ids), text=text, session_id=session_id, language=language, writer=writer,
        wishes=wishes if isinstance(wishes, str) or wishes is None else list(wishes),
    )  # fmt: skip
    return Request("POST", "/v1/explanations", body | more)


def facets(*, language: str | None = None) -> Call[Facets]:
    """Return what items can be searched by, with counts, and openings that the catalog can meet.

    Args:
        language: Of the labels and openings, e.g. "zh".
    """
    return Call(Request("GET", "/v1/facets", query=given(language=language)), reads(Facets))


def item(id: str) -> Call[ItemDetail]:
    """Return an item as the catalog has it now."""
    return Call(Request("GET", f"/v1/items/{part(id)}"), reads(ItemDetail))


def picture(path: str) -> Call[Picture]:
    """Return a picture that lies beside the catalog, by the path that an item's `image` gives."""
    inside = "/".join(part(one) for one in path.split("/"))
    return Call(Request("GET", f"/v1/pictures/{inside}"), _picture)


def _picture(response: httpx.Response) -> Picture:
    if not response.is_success:
        raise error_of(response)
    headers = {name.lower(): value for name, value in response.headers.items()}
    media_type = headers.get("content-type", "")
    return Picture(content=response.content, media_type=media_type, headers=headers)


def models() -> Call[tuple[Model, ...]]:
    """Return what can answer."""
    return Call(Request("GET", "/v1/models"), reads(tuple[Model, ...], "data"))


def model(id: str) -> Call[Model]:
    """Return one of the models that can answer."""
    return Call(Request("GET", f"/v1/models/{part(id)}"), reads(Model))
