"""The frameworks' side, run by their own interpreter: reads conversations, prints what they took.

    .venv-frameworks/bin/python benchmarks/framework_run/agents.py langgraph MODEL_URL CATALOG_URL

Each line on stdin is a list of conversations, each a list of texts; they are held at once, each one
turn after the other. Each line on stdout is the list of seconds per turn, and the last answers.
The catalog is searched through Attune's /v1/recommendations: the same items, the same search.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any, Protocol

import httpx

SYSTEM = (
    "You are a shopping assistant of one catalog. Use search_catalog to find items; recommend only "
    "items that it returned, with their prices. Ask when something is unclear."
)
SEARCH = (
    "Search the catalog. query: what is wanted, in words. filters: facet, op (lte, gte), value."
)


class Catalog:
    """The search tool, and the retriever: five items as JSON."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=60)

    async def found(self, query: str, filters: list[dict[str, Any]] | None = None) -> list[Any]:
        """Return the best five items, with the fields that an answer may need."""
        body: dict[str, Any] = {"text": query, "k": 5}
        if filters:
            body["filter"] = {"and": filters}
        answer = await self._http.post("/v1/recommendations", json=body)
        if answer.status_code == 422:  # a facet that takes no such filter: by words alone
            answer = await self._http.post("/v1/recommendations", json={"text": query, "k": 5})
        answer.raise_for_status()
        return [
            {name: one[name] for name in ("id", "title", "price", "currency", "brand", "category",
                                          "attributes")}
            for one in answer.json()["items"]
        ]  # fmt: skip


class Talking(Protocol):
    """One conversation with a framework's agent."""

    async def say(self, text: str) -> str:
        """Return its answer."""
        ...


class LangGraph:
    """`langchain.agents.create_agent`, a LangGraph graph, with a checkpointer."""

    def __init__(self, model: str, catalog: Catalog, number: int) -> None:
        from langchain.agents import create_agent
        from langchain_core.tools import tool
        from langchain_openai import ChatOpenAI
        from langgraph.checkpoint.memory import InMemorySaver

        @tool(description=SEARCH)
        async def search_catalog(query: str, filters: list[dict[str, Any]] | None = None) -> str:
            return json.dumps(await catalog.found(query, filters))

        chat = ChatOpenAI(model="langgraph", base_url=model, api_key="none", max_retries=0)
        self._agent = create_agent(
            chat, [search_catalog], system_prompt=SYSTEM, checkpointer=InMemorySaver()
        )
        self._config = {"configurable": {"thread_id": str(number)}}

    async def say(self, text: str) -> str:
        asked = {"messages": [{"role": "user", "content": text}]}
        return (await self._agent.ainvoke(asked, self._config))["messages"][-1].text


def _llama(model: str, name: str) -> Any:
    from llama_index.llms.openai_like import OpenAILike

    return OpenAILike(
        model=name, api_base=model, api_key="none", is_chat_model=True, max_retries=0,
        is_function_calling_model=True, context_window=32_000,
    )  # fmt: skip


class LlamaAgent:
    """LlamaIndex's FunctionAgent, with a memory."""

    def __init__(self, model: str, catalog: Catalog, number: int) -> None:
        from llama_index.core.agent.workflow import FunctionAgent
        from llama_index.core.memory import Memory

        async def search_catalog(query: str, filters: list[dict[str, Any]] | None = None) -> str:
            return json.dumps(await catalog.found(query, filters))

        search_catalog.__doc__ = SEARCH
        self._agent = FunctionAgent(
            tools=[search_catalog], llm=_llama(model, "llamaindex-agent"), system_prompt=SYSTEM,
            streaming=False,
        )  # fmt: skip
        self._memory = Memory.from_defaults(session_id=str(number), token_limit=30_000)

    async def say(self, text: str) -> str:
        return str(await self._agent.run(text, memory=self._memory))


class LlamaChat:
    """LlamaIndex's chat engine that rewords the question, retrieves, and answers."""

    def __init__(self, model: str, catalog: Catalog, number: int) -> None:
        from llama_index.core.chat_engine import CondensePlusContextChatEngine
        from llama_index.core.retrievers import BaseRetriever
        from llama_index.core.schema import NodeWithScore, TextNode

        class Retriever(BaseRetriever):
            def _retrieve(self, query_bundle: Any) -> list[NodeWithScore]:
                raise NotImplementedError("asked for without waiting only")

            async def _aretrieve(self, query_bundle: Any) -> list[NodeWithScore]:
                found = await catalog.found(query_bundle.query_str)
                return [NodeWithScore(node=TextNode(text=json.dumps(one)), score=1.0)
                        for one in found]  # fmt: skip

        self._engine = CondensePlusContextChatEngine.from_defaults(
            retriever=Retriever(), llm=_llama(model, "llamaindex-chat"), system_prompt=SYSTEM
        )

    async def say(self, text: str) -> str:
        return str(await self._engine.achat(text))


KINDS = {"langgraph": LangGraph, "llamaindex-agent": LlamaAgent, "llamaindex-chat": LlamaChat}


async def _hold(talking: Talking, texts: list[str]) -> tuple[list[float], str]:
    seconds, answer = [], ""
    for text in texts:
        started = time.perf_counter()
        answer = await talking.say(text)
        seconds.append(time.perf_counter() - started)
    return seconds, answer


async def main() -> None:
    """Hold the conversations of each line."""
    kind, model, url = sys.argv[1:4]
    catalog, number = Catalog(url), 0
    loop = asyncio.get_running_loop()
    print("ready", flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        texts = json.loads(line)
        talking = [KINDS[kind](model, catalog, number + place) for place in range(len(texts))]
        number += len(texts)
        held = await asyncio.gather(*map(_hold, talking, texts))
        print(json.dumps(held), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
