"""The one model server of all contestants: OpenAI's API, scripted, taking its time.

    python -m benchmarks.framework_run.model PORT

It plans over mentions where Attune asks; calls the search tool and answers where an agent asks;
rewords a question where a chat engine asks. The time is that of a served model of some 8 billion
parameters: a fixed part, one per token of the prompt that a prefix cache (vLLM's, by default) does
not have from an earlier prompt of the same contestant, and one per token written. GET /counts tells
calls and tokens by model name, one name per contestant.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections import defaultdict, deque
from os.path import commonprefix
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.tokens import count
from benchmarks.framework_run.script import Said, locate, talks

FIXED_S, PROMPT_PER_S, WRITTEN_PER_S = 0.03, 5_000.0, 60.0
TALKS = talks()
COUNTS: dict[str, dict[str, int]] = defaultdict(
    lambda: {"calls": 0, "prompt_tokens": 0, "cached_tokens": 0, "completion_tokens": 0}
)
SEEN: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=60))
"""The last prompts of each contestant, for what of a new one a prefix cache would have."""

_MENTION = re.compile(r'"([VNK]\d+) ')
_TITLE = re.compile(r'"title": "((?:[^"\\]|\\.)*)", "price": ([0-9.]+|null)')


def plan_for(asked: str) -> str:
    """Return a plan for Attune: what its mentions say is wanted."""
    ids = list(dict.fromkeys(_MENTION.findall(asked)))[:6]
    return json.dumps({"acts": [{"act": "recommend", "want": ids} if ids else {"act": "elicit"}]})


def words_for(prompt: str) -> str:
    """Return an answer as agents write them: what was found last, and a question."""
    found = _TITLE.findall(prompt.replace('\\"', '"'))[-5:]
    if not found:  # fmt: skip
        return (
            "From what I have shown you, that one should fit: it matches what you asked for, "
            "and the details are in the list above. Shall I look for something else?"
        )
    lines = [f"{place}. {title} for {price} euros" for place, (title, price) in enumerate(found, 1)]
    return ("Here is what I found for you:\n" + "\n".join(lines) + "\nThe first one fits what you "
            "asked for best. Would you like more details, or shall I narrow it down?")  # fmt: skip


def answer_to(body: dict[str, Any]) -> dict[str, Any]:
    """Return the message that a sensible model answers with."""
    messages = body["messages"]
    prompt = "\n".join(_text(one.get("content")) for one in messages)
    if body.get("response_format"):
        return {"content": plan_for(_text(messages[-1]["content"]))}
    said = locate(prompt, TALKS)
    if "standalone" in prompt.lower():
        return {"content": said.text if said is None or not said.search else said.search["query"]}
    if body.get("tools") and messages[-1]["role"] == "user" and said and said.search:
        return {"content": None, "tool_calls": [_call(said, len(messages))]}
    return {"content": words_for(prompt)}


def _call(said: Said, place: int) -> dict[str, Any]:
    arguments = json.dumps(said.search)
    return {"id": f"call_{place}", "type": "function",
            "function": {"name": "search_catalog", "arguments": arguments}}  # fmt: skip


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content)
    return content or ""


def cached_of(contestant: str, asked: str) -> str:
    """Return what a prompt begins with as an earlier one did."""
    seen = SEEN[contestant]
    shared = (commonprefix([one, asked]) for one in seen)  # noqa: RUF071 (characters are meant)
    longest = max(shared, key=len, default="")
    seen.append(asked)
    return longest


async def complete(request: Request) -> JSONResponse:
    """Answer one request, as late as a real model would."""
    body = await request.json()
    message = answer_to(body)
    # As chat templates put it: the tools, then the messages. A schema is enforced, not shown.
    asked = json.dumps([body.get("tools"), body["messages"]], ensure_ascii=False)
    written = message.get("content") or json.dumps(message["tool_calls"])
    usage = {"prompt_tokens": count([asked]), "completion_tokens": count([written])}
    cached = count([cached_of(body["model"], asked)])
    own = COUNTS[body["model"]]
    for name, more in {**usage, "calls": 1, "cached_tokens": cached}.items():
        own[name] += more
    await asyncio.sleep(
        FIXED_S + (usage["prompt_tokens"] - cached) / PROMPT_PER_S
        + usage["completion_tokens"] / WRITTEN_PER_S
    )  # fmt: skip
    choice = {"index": 0, "message": {"role": "assistant", **message},
              "finish_reason": "tool_calls" if message.get("tool_calls") else "stop"}  # fmt: skip
    return JSONResponse(
        {"id": "c", "object": "chat.completion", "created": 1, "model": body["model"],
         "choices": [choice], "usage": {**usage, "total_tokens": sum(usage.values())}}
    )  # fmt: skip


async def counts(request: Request) -> JSONResponse:
    """Tell what was asked for."""
    return JSONResponse(COUNTS)


app = Starlette(
    routes=[
        Route("/v1/chat/completions", complete, methods=["POST"]),
        Route("/counts", counts),
    ]
)


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    uvicorn.run(app, host="127.0.0.1", port=parser.parse_args().port, log_level="warning")


if __name__ == "__main__":
    main()
