"""What OpenAI's clients send to /v1/chat/completions, read into what a turn needs.

Of the messages only those of the user count, and what their tools answered. System messages are
data like any other: they are taken, and change nothing. This module looks nothing up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agent.desk import ClientTool, ToolResult
from agent.errors import AgentError
from agent.utterance import strip_control

MOST_MESSAGES = 10_000
MOST_TOOLS = 128
MOST_CONTEXT = 50
IGNORED_NAMES = 30

Role = Literal["system", "developer", "user", "assistant", "tool", "function"]


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


class Part(BaseModel):
    """A part of a message; only text is taken."""

    type: str
    text: str | None = None


class Called(BaseModel):
    """The function of a call, its arguments as JSON text."""

    name: str
    arguments: str = "{}"


class ToolCall(BaseModel):
    """A call of a tool that an answer asked for."""

    id: str
    type: str = "function"
    function: Called | None = None


class Message(BaseModel):
    """One message of the conversation."""

    role: Role
    content: str | list[Part] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None


class Function(BaseModel):
    """A function that the client offers to call."""

    name: Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]{1,64}$")]
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)


class Tool(BaseModel):
    """A tool that the client offers; only functions are taken."""

    type: str
    function: Function | None = None


class StreamOptions(BaseModel):
    """How the answer is streamed."""

    include_usage: bool = False


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


class ChatRequest(BaseModel):
    """A request for a chat completion; fields that are not named here are ignored."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "model": "attune",
                    "messages": [{"role": "user", "content": "a blue shirt under 60"}],
                }
            ]
        },
    )

    model: str = Field("attune", max_length=300)
    messages: list[Message] = Field(min_length=1, max_length=MOST_MESSAGES)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    user: str | None = Field(default=None, max_length=200)
    metadata: dict[str, Any] | None = None
    tools: list[Tool] | None = Field(default=None, max_length=MOST_TOOLS)
    tool_choice: str | dict[str, Any] | None = None
    functions: Any = None
    function_call: Any = None
    response_format: dict[str, Any] | None = None
    logprobs: bool | None = None
    modalities: list[str] | None = None
    attune: Own | None = None

    @property
    def ignored(self) -> list[str]:
        """Names of what was sent and is not heeded."""
        return sorted(name[:64] for name in self.model_extra or {})[:IGNORED_NAMES]


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the conversation as far as it counts: not a system message."""

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
    """

    history: tuple[Said, ...]
    new: tuple[Said, ...]
    text: str
    results: tuple[ToolResult, ...]
    tools: tuple[ClientTool, ...]
    context: Mapping[str, str]
    session_id: str | None
    user: str | None
    items_in_words: bool


def read(body: ChatRequest, header_session: str | None) -> Asked:
    """Return what a request asks for.

    Raises:
        Refused: If it asks for what is not offered, or the messages make no sense.
    """
    _refuse_unoffered(body)
    said = _said(body.messages)
    last = max((i for i, one in enumerate(said) if one.role == "assistant"), default=-1)
    history, new = said[: last + 1], said[last + 1 :]
    if not new:
        raise Refused("the last message must be the user's, or a tool's", "messages")
    results = _results(history, new)
    own = body.attune or Own()
    return Asked(
        history=history,
        new=new,
        text=_text(new) or (_text(history, last_only=True) if results else ""),
        results=results,
        tools=_tools(body),
        context=own.context,
        session_id=_session(body, own, header_session),
        user=(strip_control(body.user) or None) if body.user else None,
        items_in_words=own.content == "full",
    )


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


def _refuse_unoffered(body: ChatRequest) -> None:
    if body.n not in (None, 1):
        raise Refused(f"n={body.n}: one answer is given; leave out n", "n", "unsupported_value")
    for name in ("functions", "function_call"):
        if getattr(body, name) is not None:
            raise Refused(f"{name!r} is not taken any more; send tools and tool_choice", name,
                          "unsupported_parameter")  # fmt: skip
    form = (body.response_format or {}).get("type", "text")
    if form != "text":
        raise Refused(
            f"response_format {str(form)[:40]!r}: the answer is text; what was found comes as JSON "
            "under the key 'attune'", "response_format", "unsupported_value",
        )  # fmt: skip
    if body.logprobs:
        raise Refused("there are no logprobs to give; leave them out", "logprobs",
                      "unsupported_value")  # fmt: skip
    if body.modalities and set(body.modalities) != {"text"}:
        raise Refused("answers are text only", "modalities", "unsupported_value")


def _said(messages: Sequence[Message]) -> tuple[Said, ...]:
    said = []
    for place, message in enumerate(messages):
        text = _content(message, place)
        if message.role == "function":
            raise Refused("role 'function' is not taken any more; send role 'tool'",
                          f"messages.{place}.role", "unsupported_value")  # fmt: skip
        if message.role in ("system", "developer"):
            continue
        calls = tuple(
            (call.id, call.function.name, call.function.arguments)
            for call in message.tool_calls or () if call.function is not None
        )  # fmt: skip
        if message.role == "tool":
            calls = ((message.tool_call_id or "", "", ""),)
        said.append(Said(message.role, text, calls))
    return tuple(said)


def _content(message: Message, place: int) -> str:
    if isinstance(message.content, str):
        return strip_control(message.content).strip()
    texts = []
    for at, part in enumerate(message.content or ()):
        if part.type not in ("text", "refusal"):
            raise Refused(
                f"a part of type {part.type[:40]!r} is not taken; send text",
                f"messages.{place}.content.{at}", "unsupported_value",
            )  # fmt: skip
        texts.append(part.text or "")
    return strip_control("\n".join(texts)).strip()


def _results(history: Sequence[Said], new: Sequence[Said]) -> tuple[ToolResult, ...]:
    asked = {id: name for id, name, _ in history[-1].calls} if history else {}
    results = []
    for one in new:
        if one.role != "tool":
            continue
        id = one.calls[0][0]
        if id not in asked:
            raise Refused(
                f"tool_call_id {id[:64]!r} answers no call of the message before; it asked for "
                f"{', '.join(asked) or 'none'}", "messages", "invalid_tool_call_id",
            )  # fmt: skip
        results.append(ToolResult(asked[id], one.text))
    return tuple(results)


def _tools(body: ChatRequest) -> tuple[ClientTool, ...]:
    choice = body.tool_choice
    if choice not in (None, "auto", "none"):
        named = choice if isinstance(choice, str) else choice.get("type", "a function")
        raise Refused(
            f"tool_choice {str(named)[:40]!r}: which tool is called is decided here; send 'auto' "
            "or 'none'", "tool_choice", "unsupported_value",
        )  # fmt: skip
    tools = []
    for place, tool in enumerate(body.tools or ()):
        if tool.type != "function" or tool.function is None:
            raise Refused(f"a tool of type {tool.type[:40]!r} is not taken; send functions",
                          f"tools.{place}", "unsupported_value")  # fmt: skip
        own = tool.function
        tools.append(ClientTool(own.name, own.description, own.parameters))
    names = [tool.name for tool in tools]
    if len(set(names)) < len(names):
        raise Refused("two tools have the same name", "tools", "invalid_value")
    return () if choice == "none" else tuple(tools)


def _session(body: ChatRequest, own: Own, header: str | None) -> str | None:
    told = (body.metadata or {}).get("session_id")
    if told is not None and not isinstance(told, str):
        raise Refused("metadata.session_id is not text", "metadata", "invalid_value")
    named = {one for one in (own.session_id, told, header) if one}
    if len(named) > 1:
        raise Refused(
            "two sessions are named; give one, as attune.session_id, metadata.session_id or the "
            "header X-Attune-Session", "attune.session_id", "invalid_value",
        )  # fmt: skip
    return named.pop() if named else None


def texts_of(body: ChatRequest) -> Iterator[str]:
    """Yield the texts of all messages, system messages too."""
    for message in body.messages:
        if isinstance(message.content, str):
            yield message.content
        else:
            yield from (part.text or "" for part in message.content or ())
