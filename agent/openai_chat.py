"""A chat model behind any OpenAI-compatible server: vLLM, llama.cpp, Ollama, a hosted one.

Every call has a hard deadline, no retries of its own, and a cap on what it reads. Neither
messages nor keys are logged, and no error carries them: servers echo both in their error bodies,
so of those only the status code is told. This module does not know what is asked.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from queue import Empty, Queue
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import httpx2
import openai
from pydantic import BaseModel

from agent import background, llm
from agent.errors import ModelUnavailable
from agent.llm import Completion
from agent.model_call import ModelCall
from agent.openai_errors import refused, unavailable
from agent.pace import waiting
from prompts import Message, load

logger = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 8_000_000
"""More than any answer needs; a server that sends garbage for ever must not fill the memory."""

Structured = Literal["strict", "schema", "plain"]
"""How a schema reaches the server: enforced to the letter, as far as it can, or only in words."""

_LEVELS: tuple[Structured, ...] = ("strict", "schema", "plain")


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None
    logprobs: Any = None


class _Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Answer(BaseModel):
    """The part of a chat completion that is used; servers differ in the rest."""

    choices: list[_Choice]
    model: str | None = None
    usage: _Usage | None = None


class OpenAIChat:
    """Asks one model of one server.

    Args:
        base_url: Where the API lives, e.g. "http://localhost:8000/v1".
        api_key: Sent as bearer token. The SDK's environment variables are not read, so that a
            key for one server never reaches another.
        temperature: None leaves it to the server (some reasoning models accept no other).
        token_limit: The parameter that carries `max_tokens`; newer OpenAI models want the longer.
        logprobs: Ask how sure the model is, for `Completion.confidence`. Servers that mask what
            the schema forbids first (vLLM) tell probabilities among what it allows.
        extra: More fields of the request body, e.g. {"chat_template_kwargs": {…}} for vLLM.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str | None = None,
        *,
        temperature: float | None = 0.0,
        token_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens",
        logprobs: bool = False,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = model
        self.structured: Structured = "strict"
        self.logprobs = logprobs
        # What a server once gave it can give: a later refusal is of one request alone.
        self._gave_logprobs = self._took_schema = False
        self._tells_usage = True
        self._host, self._port = _address(base_url)
        self._fixed = {} if temperature is None else {"temperature": temperature}
        self._fixed |= extra or {}
        self._token_limit = token_limit
        self._client = openai.AsyncOpenAI(
            base_url=base_url,
            api_key=_key(api_key),
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(
                follow_redirects=False, event_hooks={"response": [_cap]}
            ),
        )
        # At DEBUG the SDK logs whole request bodies, and with them what people wrote.
        sdk = logging.getLogger("openai")
        sdk.setLevel(max(sdk.level, logging.INFO))

    def __repr__(self) -> str:
        return f"OpenAIChat({self._host!r}, {self.name!r})"

    def __enter__(self) -> OpenAIChat:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        background.call(self._client.close(), 5.0)

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 512,
        deadline_s: float = 30.0,
    ) -> Completion:
        """Return the whole answer, constrained to a schema where the server can.

        Raises:
            ModelUnavailable: If the server gives no chat completion within the deadline.
            ContextOverflow: If the server says that the messages are too long.
        """
        self._check_allowed()
        started = time.monotonic()
        with self._call(max_tokens=max_tokens) as call:
            request = self._request(messages, max_tokens, call)
            try:
                answer = background.call(self._complete(request, schema), deadline_s)
            except Exception as error:
                # Not chained: the SDK's errors hold the request and the server's answer to it.
                raise unavailable(error, deadline_s) from None
            completion = _completion(answer, self.name, time.monotonic() - started)
            call.answered(completion)
            return completion

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int = 512, deadline_s: float = 30.0
    ) -> Iterator[str]:
        """Yield the answer in pieces as it is written; the deadline is for all of it."""
        self._check_allowed()
        return self._pieces(messages, max_tokens, deadline_s)

    def _pieces(
        self, messages: Sequence[Message], max_tokens: int, deadline_s: float
    ) -> Iterator[str]:
        pieces: Queue[str | Exception | None] = Queue()
        with self._call(max_tokens=max_tokens, stream=True) as call:
            request = self._request(messages, max_tokens, call)
            future = background.submit(_feed(self._stream(request, call), pieces, deadline_s))
            yield from _drain(pieces, deadline_s, future.cancel)

    def _check_allowed(self) -> None:
        if not llm.allow_model_requests and not _is_loopback(self._host):
            raise RuntimeError(
                f"model requests are switched off (agent.llm.allow_model_requests), but {self!r} "
                "was asked; use ScriptedModel, or a server on 127.0.0.1"
            )

    def _call(self, **told: Any) -> ModelCall:
        return ModelCall(self.name, provider="openai", server=(self._host, self._port), **told)

    def _request(
        self, messages: Sequence[Message], max_tokens: int, call: ModelCall
    ) -> dict[str, Any]:
        return {
            "model": self.name,
            "messages": _clean(messages),
            "extra_body": {**self._fixed, self._token_limit: max_tokens},
            "extra_headers": call.headers(),
        }

    async def _complete(self, request: dict[str, Any], schema: Mapping[str, Any] | None) -> _Answer:
        if not self.logprobs:
            return await self._at_levels(request, schema)
        try:
            answer = await self._at_levels({**request, "logprobs": True}, schema)
        except openai.APIStatusError as error:
            if not refused(error):
                raise
        else:
            self._gave_logprobs = True
            return answer
        answer = await self._at_levels(request, schema)
        if not self._gave_logprobs:
            logger.info("%r gives no logprobs", self)
            self.logprobs = False
        return answer

    async def _at_levels(
        self, request: dict[str, Any], schema: Mapping[str, Any] | None
    ) -> _Answer:
        if schema is None:
            return await self._post(request)
        levels = _LEVELS[_LEVELS.index(self.structured) :]
        for level in levels[:-1]:
            try:
                answer = await self._post(_with_schema(request, schema, level))
            except openai.APIStatusError as error:
                if not refused(error):
                    raise
            else:
                self._remember(level)
                return answer
        answer = await self._post(_with_schema(request, schema, levels[-1]))
        self._remember(levels[-1])
        return answer

    def _remember(self, level: Structured) -> None:
        known, self._took_schema = self._took_schema, True
        if level != self.structured and not known:
            logger.info("%r takes JSON schemas only as %r", self, level)
            self.structured = level

    async def _post(self, request: dict[str, Any]) -> _Answer:
        raw = await self._client.chat.completions.with_raw_response.create(**request)
        return _Answer.model_validate_json(raw.http_response.content)

    async def _stream(self, request: dict[str, Any], call: ModelCall) -> AsyncGenerator[str]:
        finished = False
        async with await self._open_stream(request) as chunks:
            async for chunk in chunks:
                if chunk.usage is not None:
                    call.used(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
                for choice in chunk.choices[:1]:
                    finished = finished or choice.finish_reason is not None
                    if choice.delta.content:
                        yield choice.delta.content
        if not finished:
            raise ModelUnavailable("the server broke off in the middle of its answer")

    async def _open_stream(self, request: dict[str, Any]) -> Any:
        create = self._client.chat.completions.create
        if self._tells_usage:
            try:
                return await create(**request, stream=True, stream_options={"include_usage": True})
            except openai.APIStatusError as error:
                if not refused(error):
                    raise
                logger.info("%r tells no usage of streams", self)
                self._tells_usage = False
        return await create(**request, stream=True)


class _Capped(httpx2.AsyncByteStream):
    """The bytes of an answer, up to `MAX_ANSWER_BYTES`."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MAX_ANSWER_BYTES
        async for piece in self._stream:
            left -= len(piece)
            if left < 0:
                raise ModelUnavailable(f"the server sent more than {MAX_ANSWER_BYTES} bytes")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _cap(response: httpx2.Response) -> None:
    response.stream = _Capped(cast(httpx2.AsyncByteStream, response.stream))


async def _feed(
    source: AsyncGenerator[str], pieces: Queue[str | Exception | None], deadline_s: float
) -> None:
    try:
        async with asyncio.timeout(deadline_s), aclosing(source):
            async for piece in source:
                pieces.put(piece)
    except Exception as error:
        pieces.put(error)
    else:
        pieces.put(None)


def _drain(
    pieces: Queue[str | Exception | None], deadline_s: float, stop: Callable[[], object]
) -> Iterator[str]:
    ends = time.monotonic() + deadline_s + background.GRACE_S
    try:
        while (piece := _next(pieces, ends)) is not None:
            if isinstance(piece, Exception):
                raise unavailable(piece, deadline_s) from None
            yield piece
    finally:
        stop()


def _next(pieces: Queue[str | Exception | None], ends: float) -> str | Exception | None:
    try:
        with waiting():
            return pieces.get(timeout=max(0.0, ends - time.monotonic()))
    except Empty:
        return TimeoutError()


def _with_schema(
    request: dict[str, Any], schema: Mapping[str, Any], level: Structured
) -> dict[str, Any]:
    if level == "plain":
        *before, last = request["messages"]
        words = load("json_only@1").render(schema=json.dumps(schema, separators=(",", ":")))
        return {**request, "messages": [*before, {**last, "content": last["content"] + words}]}
    format = {"name": "answer", "schema": schema, "strict": level == "strict"}
    return {**request, "response_format": {"type": "json_schema", "json_schema": format}}


def _clean(messages: Sequence[Message]) -> list[dict[str, str]]:
    # Half a surrogate pair, as broken clients send it, cannot be encoded as UTF-8.
    return [
        {"role": message["role"], "content": message["content"].encode(errors="replace").decode()}
        for message in messages
    ]


def _completion(answer: _Answer, name: str, seconds: float) -> Completion:
    if not answer.choices:
        raise ModelUnavailable("the server sent a chat completion without choices")
    choice, usage = answer.choices[0], answer.usage or _Usage()
    return Completion(
        text=choice.message.content or "",
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        model=answer.model or name,
        seconds=seconds,
        truncated=choice.finish_reason == "length",
        confidence=_confidence(choice.logprobs),
    )


def _confidence(logprobs: Any) -> float:
    try:
        found = [float(token["logprob"]) for token in logprobs["content"]]
    except (KeyError, TypeError, ValueError):
        return 0.0
    return math.exp(min(0.0, sum(found))) if found else 0.0


def _address(base_url: str) -> tuple[str, int]:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"expected a base URL such as 'http://localhost:8000/v1', got {base_url!r}"
        )
    if parts.username or parts.password:
        # Transports log URLs, and with them what stands before the @.
        raise ValueError("the base URL holds a user or a password; pass a key as api_key instead")
    return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _key(api_key: str | None) -> str:
    key = (api_key or "").strip()
    if not key.isascii() or not key.isprintable():
        raise ValueError("the API key has characters that no HTTP header can carry; copy it again")
    return key or "none"
