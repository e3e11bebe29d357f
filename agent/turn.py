"""What a turn yields: evidence, reasons, slates, replies and the stream of events.

Terminal, HTTP and every other surface render this one stream; none of them parses text.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from agent.plan import Plan
from agent.service.values import Service
from agent.state import Constraint, State


def tupled(value: Any) -> Any:
    """Return lists as tuples, as items have them: a turn read back then equals the one held."""
    if isinstance(value, dict):
        return {name: tupled(one) for name, one in value.items()}
    return tuple(value) if isinstance(value, list) else value


class Value(BaseModel):
    """Base of the frozen values of a turn."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Evidence(Value):
    """What a claim rests on.

    field: the item's `facet` is `value`. constraint: the user asked for `facet` as `wish`.
    text: `value` is a passage of the item's text. relation: `value` compares the item with
    `other_id` on `facet`. behaviour: `value` says what other users did.
    """

    kind: Literal["field", "constraint", "text", "relation", "behaviour"]
    item_id: str
    facet: str | None = None
    value: Annotated[Any, AfterValidator(tupled)] = None
    wish: str | None = None
    other_id: str | None = None


class Reason(Value):
    """One claim about an item, in words, with the evidence it was made from."""

    text: str
    evidence: tuple[Evidence, ...]


class SlateItem(Value):
    """One item as shown: its rank from 1, rendered from the catalog when it was shown."""

    item_id: str
    rank: int
    score: float
    fields: Annotated[dict[str, Any], AfterValidator(tupled)]
    reasons: tuple[Reason, ...] = ()


class Slate(Value):
    """The items of one answer, in order."""

    id: str
    items: tuple[SlateItem, ...] = ()


class Relaxation(Value):
    """A wish that could not be met together with the others, and what was done about it."""

    dropped: Constraint
    instead: Constraint | None = None
    text: str


class Understood(Value):
    """First event: what was recognised and what will be done."""

    kind: Literal["understood"] = "understood"
    plan: Plan
    state: State


class Items(Value):
    """Second event, when items are shown: the slate, before any words."""

    kind: Literal["items"] = "items"
    slate: Slate


class Text(Value):
    """A piece of the reply's words; pieces are joined without separator."""

    kind: Literal["text"] = "text"
    delta: str


class Written(Value):
    """Who worded an explanation, and what became of the sentences that a model wrote.

    Args:
        prompt: Id of the prompt the model answered.
        kept, rewritten, dropped: Sentences said as written, said by the template instead, and
            left out.
        fallback: Why the model's words ended, where it failed.
    """

    writer: Literal["template", "model"] = "template"
    model: str = ""
    prompt: str = ""
    kept: int = 0
    rewritten: int = 0
    dropped: int = 0
    fallback: str | None = None


class Done(Value):
    """Last event: the whole turn, as stored and as the HTTP API returns it.

    Args:
        voice: What took the turn: an adapter, a model without one, or "rules"; None for turns from
            before that was kept. Where rules planned for it, `planner` says so.
        service: What the service desk did, where it did anything.
    """

    kind: Literal["done"] = "done"
    turn_id: str
    session_id: str
    utterance: str
    reply: str
    slate: Slate
    plan: Plan
    state: State
    claims: tuple[Reason, ...] = ()
    relaxations: tuple[Relaxation, ...] = ()
    notes: tuple[str, ...] = ()
    timings: dict[str, float] = Field(default_factory=dict)
    planner: Literal["rules", "llm"] = "rules"
    written: tuple[Written, ...] = ()
    voice: str | None = None
    service: Service | None = None


StreamEvent = Annotated[Understood | Items | Text | Done, Field(discriminator="kind")]
