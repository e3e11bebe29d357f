"""A turn as OpenAI's clients read it: a chat completion, or its chunks.

The text of the message reads well by itself, as Markdown: the words, then what is shown. Whatever
others wrote is escaped (`agent.safe_text`). Everything else of the turn is under `attune`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Literal

from pydantic import BaseModel, Field

from agent.feedback import new_id
from agent.payload import ShownItem, TurnAnswer
from agent.safe_text import markdown, plain, safe_url
from agent.service.values import ToolUse
from agent.turn import Done
from agent.wording import clean, money

Finish = Literal["stop", "tool_calls"]


class CallFunction(BaseModel):
    """What is to be called, its arguments as JSON text."""

    name: str
    arguments: str


class Call(BaseModel):
    """A call of a client's own tool that the answer waits for."""

    id: str
    type: Literal["function"] = "function"
    function: CallFunction


class AnswerMessage(BaseModel):
    """The answer in words."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    refusal: None = None
    tool_calls: list[Call] | None = Field(None, exclude_if=lambda calls: calls is None)


class Choice(BaseModel):
    """The one answer."""

    index: Literal[0] = 0
    message: AnswerMessage
    logprobs: None = None
    finish_reason: Finish


class Usage(BaseModel):
    """Tokens of the messages and of the answer, as the tokenizer shipped with Attune counts."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ModelUsage(BaseModel):
    """What language models were really asked for in the turn, as their servers report it."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class History(BaseModel):
    """How the conversation was followed.

    Args:
        thread: given: a session was named. new: it began. continued, forked: it was known, and
            went on in its session or in a copy. replayed: it was not, and what the user said was
            taken again. again: the same request was answered before; this is that answer.
        replayed: Utterances taken again; left_out: older ones that were not.
    """

    thread: Literal["given", "new", "continued", "forked", "replayed", "again"]
    replayed: int = 0
    left_out: int = 0


class Attune(TurnAnswer):
    """The whole turn, as other routes give it, and what concerns this one."""

    history: History
    model_usage: ModelUsage
    ignored: list[str] = Field(description="Fields of the request that change nothing.")


class ChatCompletion(BaseModel):
    """The answer, as OpenAI's clients expect it."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    attune: Attune


def completion_id() -> str:
    """Return a new id of a completion."""
    return f"chatcmpl-{new_id()}"


def calls_of(done: Done) -> list[Call]:
    """Return the calls of the client's own tools that a turn asks for."""
    uses = done.service.tools if done.service else ()
    asked = [use for use in uses if use.status == "requested"]
    return [_call(done, place, use) for place, use in enumerate(asked)]


def _call(done: Done, place: int, use: ToolUse) -> Call:
    arguments = json.dumps(dict(use.said), ensure_ascii=False)
    function = CallFunction(name=use.tool, arguments=arguments)
    return Call(id=f"call_{done.turn_id}_{place}", function=function)


def finish_of(done: Done) -> Finish:
    """Return why the answer ends."""
    return "tool_calls" if calls_of(done) else "stop"


def completion(
    id: str, model: str, done: Done, content: str, usage: Usage, attune: Attune
) -> ChatCompletion:
    """Return the whole answer."""
    calls = calls_of(done)
    message = AnswerMessage(content=content or None, tool_calls=calls or None)
    choice = Choice(message=message, finish_reason=finish_of(done))
    return ChatCompletion(
        id=id, created=int(time.time()), model=model, choices=[choice], usage=usage, attune=attune
    )


class Chunks:
    """Makes the chunks of one streamed answer."""

    def __init__(self, id: str, model: str, *, with_usage: bool) -> None:
        self._same = {"id": id, "object": "chat.completion.chunk", "created": int(time.time()),
                      "model": model}  # fmt: skip
        self.with_usage = with_usage
        self._usage: dict[str, Any] = {"usage": None} if with_usage else {}

    def first(self) -> bytes:
        """Return the chunk that says who speaks."""
        return self._chunk({"role": "assistant", "content": ""})

    def items(self, slate_id: str, items: Sequence[ShownItem]) -> bytes:
        """Return the chunk with the items, before any words."""
        shown = [item.model_dump(mode="json") for item in items]
        return self._chunk({}, attune={"slate_id": slate_id, "items": shown})

    def words(self, text: str) -> bytes:
        """Return a chunk with more of the answer."""
        return self._chunk({"content": text})

    def calls(self, calls: Sequence[Call]) -> bytes:
        """Return the chunk with the calls the answer waits for."""
        deltas = [{"index": place, **call.model_dump()} for place, call in enumerate(calls)]
        return self._chunk({"tool_calls": deltas})

    def last(self, finish: Finish, attune: Attune) -> bytes:
        """Return the chunk that ends the answer, with the whole turn."""
        return self._chunk({}, finish, attune=attune.model_dump(mode="json"))

    def usage(self, usage: Usage) -> bytes:
        """Return the chunk with the tokens, sent where they were asked for."""
        return encode({**self._same, "choices": [], "usage": usage.model_dump()})

    def _chunk(self, delta: dict[str, Any], finish: Finish | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return encode({**self._same, "choices": [choice], **self._usage, **more})


DONE = b"data: [DONE]\n\n"


_LINE_ENDS = {ord(char): f"\\u{ord(char):04x}" for char in "\x85\u2028\u2029"}
"""What some clients take for the end of a line; in JSON they can only be inside of a text."""


def one_line(value: Any) -> str:
    """Return a value as JSON without the end of a line in it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_LINE_ENDS)


def encode(value: Any) -> bytes:
    """Return a value as one event of a stream."""
    return f"data: {one_line(value)}\n\n".encode()


_COLUMNS = re.compile(r"\S {2,}\S")
_TICKS = re.compile("`{3,}")


def in_markdown(words: str) -> str:
    """Return the words of a turn as Markdown: tables as they are set, all else escaped."""
    blocks = _blocks(plain(words))
    return "\n".join(_fenced(text) if table else markdown(text) for table, text in blocks)


def _blocks(words: str) -> list[tuple[bool, str]]:
    """Return runs of lines, and of each whether it is a table: two lines or more in columns."""
    runs: list[tuple[bool, list[str]]] = []
    for columns, lines in groupby(words.split("\n"), key=lambda line: bool(_COLUMNS.search(line))):
        run = list(lines)
        table = columns and len(run) > 1
        if runs and not table and not runs[-1][0]:
            runs[-1][1].extend(run)
        else:
            runs.append((table, run))
    return [(table, "\n".join(run)) for table, run in runs]


def _fenced(text: str) -> str:
    fence = "`" * max(3, *(len(ticks) + 1 for ticks in _TICKS.findall(text)), 0)
    return f"{fence}\n{text}\n{fence}"


def listed(items: Sequence[ShownItem]) -> str:
    """Return what is shown as a numbered list: titles, linked where there is a page, and prices."""
    return "\n".join(f"{item.rank}. {_line(item)}" for item in items)


def _line(item: ShownItem) -> str:
    title = markdown(clean(item.title, 100)) or markdown(item.id)
    url = safe_url(item.url)
    shown = f"[{title}]({url.replace('(', '%28').replace(')', '%29')})" if url else f"**{title}**"
    price = "" if item.price is None else f" – {money(item.price, item.currency)}"
    return f"{shown}{price}" + ("" if item.availability is not False else " (not available)")


class Worder:
    """Makes Markdown of words that come in pieces, the same as of all of them at once.

    A piece may end within what must be escaped, so the last word waits for what follows; a table
    waits for its end.
    """

    def __init__(self) -> None:
        self._raw = ""
        self._at = 0
        self.said = ""

    def more(self, piece: str) -> str:
        """Return what can be said after one more piece."""
        self._raw += piece
        table, last = _blocks(self._raw)[-1]
        line = self._raw.rfind("\n") + 1
        cut = len(self._raw) - len(last) if table else max(self._raw.rfind(" ") + 1, line)
        # What a line begins with may be markup or not, by what follows.
        settled = cut <= line or any(char.isalnum() for char in self._raw[line:cut])
        return self._up_to(cut if settled else line)

    def rest(self) -> str:
        """Return what is left to be said."""
        return self._up_to(len(self._raw))

    def _up_to(self, cut: int) -> str:
        if cut <= self._at:
            return ""
        shown = in_markdown(self._raw[:cut])
        whole = shown.startswith(self.said)
        new = shown[len(self.said) :] if whole else in_markdown(self._raw[self._at : cut])
        self._at = cut
        self.said += new
        return new
