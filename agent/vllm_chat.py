"""A chat model behind vLLM that also scores answers, which other servers do not.

vLLM tells the log probability of every token of a prompt (`prompt_logprobs`). The prompt is the
whole conversation with the answer in it, as the server's own chat template writes it; the tokens
that follow where the answer would have begun are the answer's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from agent import background
from agent.errors import ModelUnavailable
from agent.model_call import ModelCall
from agent.openai_chat import OpenAIChat
from agent.openai_errors import unavailable
from prompts import Message


class _Logprob(BaseModel):
    logprob: float


class _Usage(BaseModel):
    prompt_tokens: int


class _Prompted(BaseModel):
    """The part of a chat completion that tells of its prompt."""

    usage: _Usage
    prompt_logprobs: list[dict[str, _Logprob] | None] | None = None


class VLLMChat(OpenAIChat):
    """Asks one model, or adapter, of one vLLM server; see `OpenAIChat`."""

    def score(
        self, messages: Sequence[Message], completions: Sequence[str], *, deadline_s: float = 30.0
    ) -> tuple[float, ...]:
        """Return the log-likelihood of each answer to the messages, in nats.

        Summed over its tokens and those by which the chat template ends a turn.

        Raises:
            ModelUnavailable: If the server gives none within the deadline, or cannot.
            ContextOverflow: If messages and an answer are too long.
        """
        self._check_allowed()
        if not completions:
            return ()
        with self._call(operation="score") as call:
            try:
                return background.call(self._scores(messages, completions, call), deadline_s)
            except Exception as error:
                # Not chained: the SDK's errors hold the request and the server's answer to it.
                raise unavailable(error, deadline_s) from None

    async def _scores(
        self, messages: Sequence[Message], completions: Sequence[str], call: ModelCall
    ) -> tuple[float, ...]:
        said = [[*messages, Message(role="assistant", content=one)] for one in completions]
        work = [asyncio.ensure_future(self._prompted(messages, call, open=True))]
        work += [asyncio.ensure_future(self._prompted(turn, call, open=False)) for turn in said]
        try:
            asked, *answered = await asyncio.gather(*work)
            call.used(sum(one.usage.prompt_tokens for one in (asked, *answered)), len(work))
        finally:
            for one in work:
                one.cancel()
        return tuple(_score(one, asked.usage.prompt_tokens) for one in answered)

    async def _prompted(
        self, messages: Sequence[Message], call: ModelCall, *, open: bool
    ) -> _Prompted:
        """Return what the server makes of messages, with the next turn opened or not."""
        request = self._request(messages, 1, call)
        more: dict[str, Any] = {"add_generation_prompt": open}
        if not open:
            more["prompt_logprobs"] = 0
        request["extra_body"] |= more
        raw = await self._client.chat.completions.with_raw_response.create(**request)
        return _Prompted.model_validate_json(raw.http_response.content)


def _score(answered: _Prompted, begins: int) -> float:
    told = answered.prompt_logprobs
    if told is None or len(told) != answered.usage.prompt_tokens or len(told) <= begins:
        raise ModelUnavailable("the server tells no prompt_logprobs; scoring needs vLLM")
    # Each place tells the token that is there, and the likeliest ones where they are asked for.
    return sum(next(iter(one.values())).logprob for one in told[begins:] if one)
