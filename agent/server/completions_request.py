"""What OpenAI's clients send to /v1/chat/completions, read into what a turn needs.

This module looks nothing up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.desk import ClientTool
from agent.server.asked import (
    MOST_MESSAGES,
    MOST_TOOLS,
    Asked,
    Conversing,
    FunctionName,
    Refused,
    Said,
    asked_of,
    refuse_format,
    session_of,
    tools_of,
)
from agent.utterance import strip_control


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

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None


class Function(BaseModel):
    """A function that the client offers to call."""

    name: FunctionName
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Tool(BaseModel):
    """A tool that the client offers; only functions are taken."""

    type: str
    function: Function | None = None


class StreamOptions(BaseModel):
    """How the answer is streamed."""

    include_usage: bool = False


class ChatRequest(Conversing):
    """A request for a chat completion; fields that are not named here are ignored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": "attune",
                    "messages": [{"role": "user", "content": "a blue shirt under 60"}],
                }
            ]
        },
    )

    messages: list[Message] = Field(min_length=1, max_length=MOST_MESSAGES)
    stream_options: StreamOptions | None = None
    n: int | None = None
    tools: list[Tool] | None = Field(default=None, max_length=MOST_TOOLS)
    functions: Any = None
    function_call: Any = None
    response_format: dict[str, Any] | None = None
    logprobs: bool | None = None
    modalities: list[str] | None = None


def read(body: ChatRequest, header_session: str | None) -> Asked:
    """Return what a request asks for.

    Raises:
        Refused: If it asks for what is not offered, or the messages make no sense.
    """
    _refuse_unoffered(body)
    said = _said(body.messages)
    return asked_of(
        body, said, _tools(body), tuple(_texts(body)), session_of(body, header_session), "messages"
    )


def _refuse_unoffered(body: ChatRequest) -> None:
    if body.n not in (None, 1):
        raise Refused(f"n={body.n}: one answer is given; leave out n", "n", "unsupported_value")
    for name in ("functions", "function_call"):
        if getattr(body, name) is not None:
            raise Refused(f"{name!r} is not taken any more; send tools and tool_choice", name,
                          "unsupported_parameter")  # fmt: skip
    refuse_format(body.response_format, "response_format")
    if body.logprobs:
        raise Refused("there are no logprobs to give; leave them out", "logprobs",
                      "unsupported_value")  # fmt: skip
    if body.modalities and set(body.modalities) != {"text"}:
        raise Refused("answers are text only", "modalities", "unsupported_value")


def _said(messages: Sequence[Message]) -> list[Said]:
    said = []
    # What nobody can answer any more is no reason to refuse all that comes after it.
    answered = max((i for i, one in enumerate(messages) if one.role == "assistant"), default=-1)
    for place, message in enumerate(messages):
        text = _content(message, place, answered=place <= answered)
        if message.role == "function":
            raise Refused("role 'function' is not taken any more; send role 'tool'",
                          f"messages.{place}.role", "unsupported_value")  # fmt: skip
        if message.role == "system" or message.role == "developer":
            continue
        calls = tuple(
            (call.id, call.function.name, call.function.arguments)
            for call in message.tool_calls or () if call.function is not None
        )  # fmt: skip
        if message.role == "tool":
            calls = ((message.tool_call_id or "", "", ""),)
        said.append(Said(message.role, text, calls))
    return said


def _content(message: Message, place: int, *, answered: bool) -> str:
    if isinstance(message.content, str):
        return strip_control(message.content).strip()
    texts = []
    for at, part in enumerate(message.content or ()):
        if part.type not in ("text", "refusal") and not answered:
            raise Refused(
                f"a part of type {part.type[:40]!r} is not taken: only text is read; send text",
                f"messages.{place}.content.{at}", "unsupported_value",
            )  # fmt: skip
        texts.append(part.text or "")
    return strip_control("\n".join(texts)).strip()


def _tools(body: ChatRequest) -> tuple[ClientTool, ...]:
    tools = []
    for place, tool in enumerate(body.tools or ()):
        if tool.type != "function" or tool.function is None:
            raise Refused(f"a tool of type {tool.type[:40]!r} is not taken; send functions",
                          f"tools.{place}", "unsupported_value")  # fmt: skip
        own = tool.function
        tools.append(ClientTool(own.name, own.description or "", own.parameters or {}))
    return tools_of(body, tools)


def _texts(body: ChatRequest) -> Iterator[str]:
    """Yield the texts of all messages, system messages too."""
    for message in body.messages:
        if isinstance(message.content, str):
            yield message.content
        else:
            yield from (part.text or "" for part in message.content or ())
