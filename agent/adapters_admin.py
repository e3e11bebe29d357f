"""What an operator asks of a running vLLM server: its models, adapters loaded and unloaded, cache.

Adapters come and go while the server answers, so a new one is loaded under a new name, asked for
by that name, and the old one unloaded later. This module asks nothing of the models themselves
(`agent.openai_chat`) and starts no server (`agent.vllm_server`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from agent.errors import ServerError
from agent.model_folder import check_adapter

_QUERIES = "vllm:prefix_cache_queries"
_HITS = "vllm:prefix_cache_hits"


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model that a server answers with.

    Args:
        base: Name of the base model, for an adapter.
        folder: Where the server has it from.
    """

    name: str
    base: str | None
    folder: str


@dataclass(frozen=True, slots=True)
class PrefixCache:
    """Prompt tokens looked up in the prefix cache since the server started, and those found."""

    looked_up: int
    found: int

    @property
    def hit_rate(self) -> float:
        """Return the share that was found."""
        return self.found / self.looked_up if self.looked_up else 0.0


class AdaptersAdmin:
    """Manages one vLLM server.

    Args:
        base_url: As for `OpenAIChat`: ends in /v1.
        timeout_s: Loading a large adapter can take a while.
    """

    def __init__(self, base_url: str, api_key: str | None = None, timeout_s: float = 60.0) -> None:
        self._url = base_url.rstrip("/")
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx2.Client(timeout=timeout_s, headers=headers)

    def __enter__(self) -> AdaptersAdmin:
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close()

    def healthy(self) -> bool:
        """Return whether the server is there and able to answer."""
        try:
            return self._client.get(f"{self._root}/health").is_success
        except httpx2.HTTPError:
            return False

    def models(self) -> tuple[ServedModel, ...]:
        """Return the base and the adapters that are loaded."""
        listed = self._ask("GET", f"{self._url}/models").json()
        return tuple(
            ServedModel(one["id"], one.get("parent"), str(one.get("root") or one["id"]))
            for one in listed["data"]
        )

    def load(self, name: str, folder: Path) -> None:
        """Load an adapter under a name that is not in use.

        Raises:
            BadModelFolder: If the folder holds no LoRA adapter.
            ServerError: If the server does not take it.
        """
        check_adapter(folder)
        body = {"lora_name": name, "lora_path": str(folder.absolute())}
        self._ask("POST", f"{self._url}/load_lora_adapter", body)

    def unload(self, name: str) -> None:
        """Unload an adapter; answers under way are finished with it.

        Raises:
            ServerError: If no adapter has that name.
        """
        self._ask("POST", f"{self._url}/unload_lora_adapter", {"lora_name": name})

    def warm_up(self, name: str) -> None:
        """Have a model answer once, as for a plan, whatever the answer is."""
        body = {
            "model": name,
            "messages": [{"role": "user", "content": "warm up " * 100}],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"type": "object"}},
            },
            "temperature": 0,
            "max_tokens": 8,
        }
        self._ask("POST", f"{self._url}/chat/completions", body)

    def prefix_cache(self) -> PrefixCache:
        """Return what the prefix cache has done so far."""
        sums = {_QUERIES: 0.0, _HITS: 0.0}
        text = self._ask("GET", f"{self._root}/metrics").text
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                name = sample.name.removesuffix("_total")
                if name in sums:
                    sums[name] += sample.value
        return PrefixCache(int(sums[_QUERIES]), int(sums[_HITS]))

    @property
    def _root(self) -> str:
        return self._url.removesuffix("/v1")

    def _ask(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> httpx2.Response:
        try:
            answer = self._client.request(method, url, json=body)
        except httpx2.HTTPError as error:
            raise ServerError(f"no answer from {url}: {type(error).__name__}; is it running? "
                              "attune llm serve starts one") from None  # fmt: skip
        if not answer.is_success:
            raise ServerError(f"{url} answered HTTP {answer.status_code}: {_reason(answer)}")
        return answer


def _reason(answer: httpx2.Response) -> str:
    if answer.status_code == 404 and "lora" in str(answer.url) and "error" not in answer.text:
        return ("it takes no adapters while it runs; start it with "
                "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, as attune llm serve does")  # fmt: skip
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200] or "no reason given"
