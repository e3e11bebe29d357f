"""A language model's server that takes its time: a process of its own, scripted, OpenAI's API.

    python -m benchmarks.api_load.model PORT [--slow 0.3 0.8]

It reads which mentions the turn has and plans to recommend what they say. The time it takes is
drawn evenly between two bounds, as a model on an accelerator with other users takes it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

_MENTION = re.compile(r'"([VNK]\d+) ')


def answer_to(asked: str) -> dict[str, Any]:
    """Return a plan over the mentions that a prompt names."""
    ids = list(dict.fromkeys(_MENTION.findall(asked)))[:6]
    return {"acts": [{"act": "recommend", "want": ids} if ids else {"act": "elicit"}]}


def make(low: float, high: float, seed: int = 0) -> Starlette:
    """Return the server's app."""
    chance = random.Random(seed)

    async def complete(request: Request) -> JSONResponse:
        body = await request.json()
        await asyncio.sleep(chance.uniform(low, high))
        text = json.dumps(answer_to(body["messages"][-1]["content"]))
        used = {"prompt_tokens": 1200, "completion_tokens": 30, "total_tokens": 1230}
        said = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant",
                "content": text}}  # fmt: skip
        return JSONResponse(
            {"id": "c", "object": "chat.completion", "created": 1, "model": body["model"],
             "choices": [said], "usage": used}
        )  # fmt: skip

    return Starlette(routes=[Route("/v1/chat/completions", complete, methods=["POST"])])


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--slow", nargs=2, type=float, default=(0.3, 0.8))
    given = parser.parse_args()
    uvicorn.run(make(*given.slow), host="127.0.0.1", port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
