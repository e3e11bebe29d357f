"""What OpenAI's clients send to /v1/responses, read into what a turn needs.

An answer comes as several items here, its words and each call; they are one message again. This
module looks nothing up: what a response that is named said is given to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
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
    last_answer,
    refuse_format,
    session_of,
    tools_of,
)
from agent.threads import Place
from agent.utterance import strip_control

_TEXTS = ("input_text", "output_text", "text", "refusal")
_PASSED_OVER = ("reasoning",)
"""Items that a client sends back with an answer, and that say nothing to anybody here."""


class Part(BaseModel):
    """A part of a message or of what a tool answered; only text is taken."""

    type: str
    text: str | None = None
    refusal: str | None = None


class Item(BaseModel):
    """An item of the input: a message, a call of a tool, or what the tool answered."""

    type: str = "message"
    role: Literal["system", "developer", "user", "assistant"] | None = None
    content: str | list[Part] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | list[Part] | None = None


class Tool(BaseModel):
    """A tool that the client offers; only functions are taken."""

    type: str
    name: FunctionName | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None


class TextForm(BaseModel):
    """What form the answer should have."""

    format: dict[str, Any] | None = None


class ResponseRequest(Conversing):
    """A request for a response; fields that are not named here are ignored."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "attune", "input": "a blue shirt under 60"}]}
    )

    input: str | list[Item]
    instructions: str | None = None
    previous_response_id: str | None = Field(default=None, max_length=100)
    tools: list[Tool] | None = Field(default=None, max_length=MOST_TOOLS)
    text: TextForm | None = None
    background: bool | None = None
    conversation: Any = None
    prompt: Any = None
    top_logprobs: int | None = None


def read(
    body: ResponseRequest,
    header_session: str | None,
    before: tuple[Place, Sequence[Said]] | None = None,
) -> Asked:
    """Return what a request asks for.

    Args:
        before: Where the response is that the request goes on from, and what was said there.

    Raises:
        Refused: If it asks for what is not offered, or the input makes no sense.
    """
    _refuse_unoffered(body)
    items = [Item(role="user", content=body.input)] if isinstance(body.input, str) else body.input
    if len(items) > MOST_MESSAGES:
        raise Refused(f"{len(items):,} items; at most {MOST_MESSAGES:,} are taken", "input")
    said, texts = _said(items), tuple(_texts(body, items))
    session = session_of(body, header_session)
    if before is None:
        return asked_of(body, said, _tools(body), texts, session, "input")
    if session is not None:
        raise Refused("a session and a response are named; name one of them",
                      "previous_response_id", "invalid_value")  # fmt: skip
    place, there = before
    new = said[last_answer(said) + 1 :]
    asked = asked_of(body, [*there, *new], _tools(body), texts, None, "input")
    return replace(asked, before=place)


def _refuse_unoffered(body: ResponseRequest) -> None:
    refuse_format(body.text.format if body.text else None, "text.format")
    if body.background:
        raise Refused("answers are given at once; leave out background", "background",
                      "unsupported_value")  # fmt: skip
    if body.top_logprobs:
        raise Refused("there are no logprobs to give; leave them out", "top_logprobs",
                      "unsupported_value")  # fmt: skip
    for name, instead in (
        ("conversation", "send previous_response_id, or attune.session_id"),
        ("prompt", "send input; what Attune does is set by its owner"),
    ):
        if getattr(body, name) is not None:
            raise Refused(f"{name!r} is not taken; {instead}", name, "unsupported_parameter")


def _said(items: Sequence[Item]) -> list[Said]:
    said: list[Said] = []
    # What nobody can answer any more is no reason to refuse all that comes after it.
    answered = max((i for i, one in enumerate(items) if one.role == "assistant"), default=-1)
    for place, item in enumerate(items):
        where = f"input.{place}"
        match item.type:
            case "message":
                text = _words(item.content, f"{where}.content", answered=place <= answered)
                if item.role is None:
                    raise Refused("a message needs a role", f"{where}.role", "invalid_value")
                if item.role in ("user", "assistant"):
                    said.append(Said(item.role, text))
            case "function_call":
                call = (item.call_id or "", item.name or "", item.arguments or "{}")
                if not said or said[-1].role != "assistant":
                    said.append(Said("assistant", ""))
                said[-1] = replace(said[-1], calls=(*said[-1].calls, call))
            case "function_call_output":
                text = _words(item.output, f"{where}.output", answered=place <= answered)
                said.append(Said("tool", text, ((item.call_id or "", "", ""),)))
            case kind if kind not in _PASSED_OVER:
                raise Refused(
                    f"an item of type {kind[:40]!r} is not taken; send messages, function_call and "
                    "function_call_output", where, "unsupported_value",
                )  # fmt: skip
    return said


def _words(content: str | list[Part] | None, where: str, *, answered: bool) -> str:
    if isinstance(content, str):
        return strip_control(content).strip()
    texts = []
    for at, part in enumerate(content or ()):
        if part.type not in _TEXTS and not answered:
            raise Refused(
                f"a part of type {part.type[:40]!r} is not taken: only text is read; send text",
                f"{where}.{at}", "unsupported_value",
            )  # fmt: skip
        texts.append(part.text or part.refusal or "")
    return strip_control("\n".join(texts)).strip()


def _tools(body: ResponseRequest) -> tuple[ClientTool, ...]:
    tools = []
    for place, tool in enumerate(body.tools or ()):
        if tool.type != "function" or tool.name is None:
            raise Refused(f"a tool of type {tool.type[:40]!r} is not taken; send functions",
                          f"tools.{place}", "unsupported_value")  # fmt: skip
        tools.append(ClientTool(tool.name, tool.description or "", tool.parameters or {}))
    return tools_of(body, tools)


def _texts(body: ResponseRequest, items: Sequence[Item]) -> Iterator[str]:
    if body.instructions:
        yield body.instructions
    for item in items:
        for content in (item.content, item.output):
            if isinstance(content, str):
                yield content
            else:
                yield from (part.text or "" for part in content or ())
