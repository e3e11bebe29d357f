"""What a request of OpenAI's clients asks for, whichever of their two forms it came in.

Of a conversation only what the user said counts, and what their tools answered. System messages
are data like any other: they are taken, and change nothing. This module looks nothing up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agent.desk import ClientTool, ToolResult
from agent.errors import AgentError
from agent.threads import Place
from agent.utterance import strip_control

MOST_MESSAGES = 10_000
MOST_TOOLS = 128
MOST_CONTEXT = 50
IGNORED_NAMES = 30
MAX_USER = 200

Role = Literal["user", "assistant", "tool"]


class Refused(AgentError):
    """A request that asks for what is not offered, told in OpenAI's words.

    Args:
        param: The field it is about; code: OpenAI's or our name for what is wrong.
    """

    def __init__(
        self, message: str, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.param, self.code, self.status = param, code, status


class Own(BaseModel):
    """What is Attune's own, under the key `attune`.

    Args:
        session_id: Go on in this session; of the messages only what is new counts then.
        context: Values that tools may be called with, e.g. a customer's number; not stored.
        content: "words" leaves the list of items out of the answer's text.
    """

    model_config = ConfigDict(extra="forbid")

    session_id: str | None = Field(default=None, max_length=64)
    context: dict[str, Annotated[str, StringConstraints(max_length=2_000)]] = Field(
        default_factory=dict, max_length=MOST_CONTEXT
    )
    content: Literal["full", "words"] = "full"


FunctionName = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]{1,64}$")]


class Conversing(BaseModel):
    """The fields that both forms of a request have; fields that neither names are ignored."""

    model_config = ConfigDict(extra="allow")

    model: str = Field("attune", max_length=300)
    stream: bool | None = None
    user: str | None = Field(default=None, max_length=MAX_USER)
    safety_identifier: str | None = Field(default=None, max_length=MAX_USER)
    metadata: dict[str, Any] | None = None
    tool_choice: str | dict[str, Any] | None = None
    attune: Own | None = None

    @property
    def ignored(self) -> list[str]:
        """Names of what was sent and is not heeded."""
        return sorted(name[:64] for name in self.model_extra or {})[:IGNORED_NAMES]


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the conversation as far as it counts: not a system message.

    Args:
        calls: Id, name and arguments of what an answer asked for; of a tool's answer, the id.
    """

    role: Role
    text: str
    calls: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it was read.

    Args:
        history: The conversation up to the last answer, that included.
        new: What came after it.
        text: What the user says now, or said before the tools were called.
        results: What the client's tools answered.
        texts: All that was sent in words, system messages too.
        ignored: Names of what was sent and is not heeded.
        before: The turn it goes on from, where the request names it.
    """

    model: str
    history: tuple[Said, ...]
    new: tuple[Said, ...]
    text: str
    results: tuple[ToolResult, ...]
    tools: tuple[ClientTool, ...]
    context: Mapping[str, str]
    session_id: str | None
    user: str | None
    items_in_words: bool
    texts: tuple[str, ...]
    ignored: tuple[str, ...]
    before: Place | None = None


def asked_of(
    body: Conversing,
    said: Sequence[Said],
    tools: tuple[ClientTool, ...],
    texts: Sequence[str],
    session_id: str | None,
    field: str,
) -> Asked:
    """Return what a request asks for.

    Args:
        said: The conversation that was sent.
        session_id: Of the session that it names.
        field: What the conversation is called in this form of request.

    Raises:
        Refused: If nothing new was said, or a tool answers what nobody asked.
    """
    last = last_answer(said)
    history, new = tuple(said[: last + 1]), tuple(said[last + 1 :])
    if not new:
        raise Refused("the last message must be the user's, or a tool's", field, "invalid_value")
    results = _results(history, new, field)
    own, user = body.attune or Own(), body.user or body.safety_identifier
    return Asked(
        model=body.model,
        history=history,
        new=new,
        text=_text(new) or (_text(history, last_only=True) if results else ""),
        results=results,
        tools=tools,
        context=own.context,
        session_id=session_id,
        user=(strip_control(user) or None) if user else None,
        items_in_words=own.content == "full",
        texts=tuple(texts),
        ignored=tuple(body.ignored),
    )


def last_answer(said: Sequence[Said]) -> int:
    """Return the place of the last answer in a conversation; -1 where there is none."""
    return max((place for place, one in enumerate(said) if one.role == "assistant"), default=-1)


def users_words(said: Sequence[Said]) -> list[str]:
    """Return what the user said, each time in one piece, as often as an answer came between."""
    turns: list[list[str]] = [[]]
    for one in said:
        if one.role == "user" and one.text:
            turns[-1].append(one.text)
        elif one.role == "assistant" and turns[-1]:
            turns.append([])
    return ["\n".join(texts) for texts in turns if texts]


def _text(said: Sequence[Said], *, last_only: bool = False) -> str:
    words = users_words(said)
    return words[-1] if words and (last_only or len(words) == 1) else ""


def _results(history: Sequence[Said], new: Sequence[Said], field: str) -> tuple[ToolResult, ...]:
    asked = {id: name for id, name, _ in history[-1].calls} if history else {}
    results = []
    for one in new:
        if one.role != "tool":
            continue
        id = one.calls[0][0]
        if id not in asked:
            raise Refused(
                f"the tool's answer to {id[:64]!r} answers no call of the message before; it asked "
                f"for {', '.join(asked) or 'none'}", field, "invalid_tool_call_id",
            )  # fmt: skip
        results.append(ToolResult(asked[id], one.text))
    return tuple(results)


def tools_of(body: Conversing, tools: Sequence[ClientTool]) -> tuple[ClientTool, ...]:
    """Return the tools that may be called.

    Raises:
        Refused: If one must be, or two have one name.
    """
    choice = body.tool_choice
    if choice not in (None, "auto", "none"):
        named = choice if isinstance(choice, str) else choice.get("type", "a function")
        raise Refused(
            f"tool_choice {str(named)[:40]!r}: which tool is called is decided here; send 'auto' "
            "or 'none'", "tool_choice", "unsupported_value",
        )  # fmt: skip
    names = [tool.name for tool in tools]
    if len(set(names)) < len(names):
        raise Refused("two tools have the same name", "tools", "invalid_value")
    return () if choice == "none" else tuple(tools)


def session_of(body: Conversing, header: str | None) -> str | None:
    """Return the id of the session that a request names, None where it names none.

    Raises:
        Refused: If it names two.
    """
    told = (body.metadata or {}).get("session_id")
    if told is not None and not isinstance(told, str):
        raise Refused("metadata.session_id is not text", "metadata", "invalid_value")
    own = body.attune.session_id if body.attune else None
    named = {one for one in (own, told, header) if one}
    if len(named) > 1:
        raise Refused(
            "two sessions are named; give one, as attune.session_id, metadata.session_id or the "
            "header X-Attune-Session", "attune.session_id", "invalid_value",
        )  # fmt: skip
    return named.pop() if named else None


def refuse_format(given: Mapping[str, Any] | None, param: str) -> None:
    """Pass where text is asked for.

    Raises:
        Refused: If the answer should have another form.
    """
    form = (given or {}).get("type", "text")
    if form != "text":
        raise Refused(
            f"{param} {str(form)[:40]!r}: the answer is text; what was found comes as JSON under "
            "the key 'attune'", param, "unsupported_value",
        )  # fmt: skip
