"""A turn as OpenAI's Responses API tells it: a response, or the events it comes in.

The text is that of a chat completion, and so is what is under `attune`. Calls of the client's own
tools are items beside the message.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from fastapi.sse import format_sse_event
from pydantic import BaseModel, Field

from agent.feedback import new_id
from agent.payload import ShownItem
from agent.server.completions_answer import Attune, Call, Usage, one_line
from agent.server.responses_request import ResponseRequest

Status = Literal["in_progress", "completed"]


class OutputText(BaseModel):
    """The words of a message."""

    type: Literal["output_text"] = "output_text"
    text: str
    annotations: list[Any] = []
    logprobs: list[Any] = []


class OutputMessage(BaseModel):
    """The answer in words."""

    id: str
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"
    status: Status = "completed"
    content: list[OutputText]


class OutputCall(BaseModel):
    """A call of a client's own tool that the answer waits for."""

    id: str
    type: Literal["function_call"] = "function_call"
    status: Status = "completed"
    call_id: str
    name: str
    arguments: str


class InputDetails(BaseModel):
    """Of the tokens that came in: nothing is kept for the next time."""

    cached_tokens: int = 0
    cache_write_tokens: int = 0


class OutputDetails(BaseModel):
    """Of the tokens that went out."""

    reasoning_tokens: int = 0


class ResponseUsage(BaseModel):
    """Tokens of the input and of the answer, as the tokenizer shipped with Attune counts."""

    input_tokens: int
    input_tokens_details: InputDetails = InputDetails()
    output_tokens: int
    output_tokens_details: OutputDetails = OutputDetails()
    total_tokens: int


class ModelResponse(BaseModel):
    """The answer, as OpenAI's clients expect it; what is asked for and not heeded is null."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    status: Status
    model: str
    output: list[OutputMessage | OutputCall]
    usage: ResponseUsage | None = None
    previous_response_id: str | None = None
    instructions: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    tools: list[dict[str, Any]] = []
    tool_choice: str = "auto"
    parallel_tool_calls: bool = True
    text: dict[str, Any] = {"format": {"type": "text"}}
    truncation: Literal["disabled"] = "disabled"
    background: Literal[False] = False
    store: Literal[True] = True
    user: str | None = None
    error: None = None
    incomplete_details: None = None
    max_output_tokens: None = None
    temperature: None = None
    top_p: None = None
    attune: Attune | None = Field(default=None, exclude_if=lambda attune: attune is None)


def response_id() -> str:
    """Return a new id of a response."""
    return f"resp_{new_id()}"


def begun(id: str, body: ResponseRequest) -> ModelResponse:
    """Return a response of which nothing is said yet."""
    return ModelResponse(
        id=id, created_at=int(time.time()), status="in_progress", model=body.model, output=[],
        previous_response_id=body.previous_response_id, instructions=body.instructions,
        metadata=body.metadata or {},
        tools=[tool.model_dump(exclude_none=True) for tool in body.tools or ()],
        tool_choice=body.tool_choice if isinstance(body.tool_choice, str) else "auto",
        user=body.user,
    )  # fmt: skip


def ended(
    begun: ModelResponse, content: str, calls: Sequence[Call], usage: Usage, attune: Attune
) -> ModelResponse:
    """Return the whole response."""
    output: list[OutputMessage | OutputCall] = [_call(call) for call in calls]
    if content or not calls:
        message = OutputMessage(id=_message_id(begun), content=[OutputText(text=content)])
        output.insert(0, message)
    told = ResponseUsage(
        input_tokens=usage.prompt_tokens, output_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
    )  # fmt: skip
    return begun.model_copy(
        update={"status": "completed", "output": output, "usage": told, "attune": attune}
    )


def _message_id(begun: ModelResponse) -> str:
    return begun.id.replace("resp_", "msg_", 1)


def _call(call: Call) -> OutputCall:
    own = call.function
    return OutputCall(
        id=call.id.replace("call_", "fc_", 1), call_id=call.id, name=own.name,
        arguments=own.arguments,
    )  # fmt: skip


class Events:
    """Makes the events of one streamed response, numbered from 0.

    The message begins with its items or with its first words, whichever come first; a response
    without either has none.
    """

    def __init__(self, begun: ModelResponse) -> None:
        self._begun = begun
        self._number = -1
        self._said: str | None = None

    def begin(self) -> Iterator[bytes]:
        """Yield that the response has begun."""
        begun = self._begun.model_dump(mode="json")
        yield self._event("response.created", response=begun)
        yield self._event("response.in_progress", response=begun)

    def items(self, slate_id: str, items: Sequence[ShownItem]) -> Iterator[bytes]:
        """Yield the beginning of the message, with the items, before any words."""
        if self._said is None and items:
            shown = [item.model_dump(mode="json") for item in items]
            yield from self._open(attune={"slate_id": slate_id, "items": shown})

    def words(self, text: str) -> Iterator[bytes]:
        """Yield more of the answer."""
        if self._said is None:
            yield from self._open()
        self._said = (self._said or "") + text
        yield self._event("response.output_text.delta", **self._part, delta=text, logprobs=[])

    def end(self, whole: ModelResponse) -> Iterator[bytes]:
        """Yield the end of the message, the calls, and the whole response."""
        for place, item in enumerate(whole.output):
            if isinstance(item, OutputCall):
                yield from self._call(place, item)
            else:
                if self._said is None:  # nothing to say, and nothing to show
                    yield from self._open()
                yield from self._close(item)
        yield self._event("response.completed", response=whole.model_dump(mode="json"))

    def fail(self, body: Mapping[str, Any]) -> bytes:
        """Return that the response failed, as the SDK raises it and as others read it.

        Args:
            body: The error in OpenAI's shape.
        """
        error = body["error"]
        told = {name: error[name] for name in ("code", "message", "param")}
        return self._event("error", **told, error=error)

    @property
    def _part(self) -> dict[str, Any]:
        return {"item_id": _message_id(self._begun), "output_index": 0, "content_index": 0}

    def _open(self, **more: Any) -> Iterator[bytes]:
        self._said = ""
        message = OutputMessage(id=_message_id(self._begun), status="in_progress", content=[])
        yield self._event("response.output_item.added", output_index=0,
                          item=message.model_dump(mode="json"), **more)  # fmt: skip
        part = OutputText(text="").model_dump(mode="json")
        yield self._event("response.content_part.added", **self._part, part=part)

    def _close(self, message: OutputMessage) -> Iterator[bytes]:
        text = message.content[0]
        yield self._event("response.output_text.done", **self._part, text=text.text, logprobs=[])
        part = text.model_dump(mode="json")
        yield self._event("response.content_part.done", **self._part, part=part)
        item = message.model_dump(mode="json")
        yield self._event("response.output_item.done", output_index=0, item=item)

    def _call(self, place: int, call: OutputCall) -> Iterator[bytes]:
        where = {"item_id": call.id, "output_index": place}
        begun = call.model_copy(update={"status": "in_progress", "arguments": ""})
        yield self._event("response.output_item.added", output_index=place,
                          item=begun.model_dump(mode="json"))  # fmt: skip
        yield self._event("response.function_call_arguments.delta", **where, delta=call.arguments)
        yield self._event("response.function_call_arguments.done", **where, name=call.name,
                          arguments=call.arguments)  # fmt: skip
        yield self._event("response.output_item.done", output_index=place,
                          item=call.model_dump(mode="json"))  # fmt: skip

    def _event(self, type: str, **data: Any) -> bytes:
        self._number += 1
        told = {"type": type, "sequence_number": self._number, **data}
        return format_sse_event(event=type, data_str=one_line(told))
