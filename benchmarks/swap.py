"""Swap adapters under load: plans are asked for all the while, none may fail.

    python benchmarks/swap.py [--quick] [--only server|local] [--out JSON]

Two adapters on the house model are promoted and rolled back, again and again, through a registry
and a router that follows it, as in serving; threads hold sessions all the while. Once with vLLM
(left out where there is none: `make vllm`) and once with the model in this process. A request has
failed when no language model planned it, or another one than the voice it was held with. Times are
told as ratios to those before the first swap.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from agent.adapter_hosts import LocalHost, ServerHost, Speak
from agent.adapters_admin import AdaptersAdmin
from agent.errors import ServerError
from agent.linking import Linker
from agent.llm import ChatModel
from agent.local_chat import LocalChat
from agent.openai_chat import OpenAIChat
from agent.planner import PlanRequest
from agent.ports import Retriever
from agent.routing import AdapterHost, AdapterRouter
from agent.state import State
from agent.voice import Voice
from benchmarks.llm_load.asked import always_asking
from benchmarks.llm_load.served import NAME, serve
from benchmarks.random_talk.shops import open_shop
from finetune.adapters import WEIGHTS, Card, write_card
from finetune.bases import Base, resolve
from finetune.registry import Registry
from finetune.weights import file_hash

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks/results/swap.json"
SAID = (
    "blue ones under 200",
    "hmm what would my aunt fancy",
    "something warmer, not leather",
    "show me others",
    "take me back a step",
    "start over please",
)
SESSION = 5
"""Turns of a session; the next one may be given another adapter."""

PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: when it began and ended, who had it, who answered, and why it failed."""

    began: float
    ended: float
    voice: str
    model: str
    failed: str


@dataclass(slots=True)
class Load:
    """Threads that hold sessions until they are told to end."""

    router: AdapterRouter
    requests: Sequence[PlanRequest]
    threads: int
    asked: list[Asked] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Ask all the while."""
        with ThreadPoolExecutor(self.threads) as pool:
            running = [pool.submit(self._talk, number) for number in range(self.threads)]
            try:
                yield
            finally:
                self.ended.set()
        for one in running:
            one.result()

    def _talk(self, number: int) -> None:
        turn = 0
        while not self.ended.is_set():
            request = self.requests[(number + turn) % len(self.requests)]
            self.asked.append(self._ask(f"{number}-{turn // SESSION}", request))
            turn += 1

    def _ask(self, session: str, request: PlanRequest) -> Asked:
        began = time.perf_counter()
        with self.router.lease(session) as voice:
            plan = voice.planner.plan(request)
        failed = plan.fallback or ""
        if not failed and plan.model != voice.name:
            failed = "answered by another"
        return Asked(began, time.perf_counter(), voice.name, plan.model or "", failed)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long what takes, in seconds.

    Args:
        steady: Asking before the first swap, and after the last.
        dwell: With an adapter before the next one comes.
        cycles: Each promotes one adapter, then the other, then rolls back.
    """

    steady: float = 15.0
    dwell: float = 5.0
    cycles: int = 4


def speak(retriever: Retriever) -> Speak:
    """Return what makes voices that ask their model for every plan."""
    return lambda model, base, taught: Voice(model.name, always_asking(model, retriever.facets))


def requests_of(retriever: Retriever, linker: Linker) -> list[PlanRequest]:
    """Return what is asked, each at the beginning of a session."""
    return [
        PlanRequest(text, linker.link(text, State(), ()), State(), (), retriever.facets)
        for text in SAID
    ]


def under_load(
    host: AdapterHost,
    registry: Registry,
    names: tuple[str, str],
    requests: Sequence[PlanRequest],
    timing: Timing,
    threads: int = 4,
) -> dict[str, Any]:
    """Swap adapters while threads ask for plans; return what became of the requests."""
    one, two = names
    with AdapterRouter(registry.folder, host) as router:
        load, swaps = Load(router, requests, threads), []
        with load.running():
            time.sleep(timing.steady)
            for _ in range(timing.cycles):
                for live, change in (
                    (one, lambda: registry.promote(one, force=True)),
                    (two, lambda: registry.promote(two, force=True)),
                    (one, registry.rollback),
                    (None, registry.rollback),
                ):
                    swaps.append(_swap(router, live, change))
                    time.sleep(timing.dwell)
            time.sleep(timing.steady)
        problems = router.status().problems
    return _report(load.asked, swaps, set(names), problems)


def _swap(
    router: AdapterRouter, live: str | None, change: Callable[[], object]
) -> tuple[float, float]:
    """Make a change and wait until new sessions are answered by it; return when that was."""
    began = time.perf_counter()
    change()
    while router.status().live != live:
        if time.perf_counter() - began > PATIENCE_S:
            raise TimeoutError(f"{live} does not answer: {router.status().problems}")
        time.sleep(0.002)
    return began, time.perf_counter()


def _report(
    asked: Sequence[Asked],
    swaps: Sequence[tuple[float, float]],
    known: set[str],
    problems: dict[str, str],
) -> dict[str, Any]:
    first, last = swaps[0][0], swaps[-1][1]
    parts: dict[str, list[float]] = {"before": [], "during": [], "between": [], "after": []}
    for one in asked:
        parts[_part(one, swaps, first, last)].append(one.ended - one.began)
    failed = [one.failed for one in asked if one.failed]
    base = {one.voice for one in asked if one.ended < first}
    return {
        "requests": len(asked),
        "failed": len(failed),
        "reasons": dict(Counter(failed)),
        "unknown_voices": len([one for one in asked if one.voice not in known | base]),
        "by_voice": dict(Counter(one.voice for one in asked)),
        "swaps": len(swaps),
        "swap_seconds": _figures([ended - began for began, ended in swaps]),
        "requests_per_second": {
            "before": len(parts["before"]) / (first - asked[0].began),
            "while_swapping": len(parts["during"] + parts["between"]) / (last - first),
        },
        "latency_ratio_to_before": {
            name: _ratios(parts[name], parts["before"]) for name in ("during", "between", "after")
        },
        # Closer in time than "before", so a busy machine blurs it less.
        "latency_ratio_during_to_between": _ratios(parts["during"], parts["between"]),
        "before_ms": {name: 1000 * v for name, v in _figures(parts["before"]).items()},
        "problems": problems,
    }


def _part(one: Asked, swaps: Sequence[tuple[float, float]], first: float, last: float) -> str:
    if any(began < one.ended and one.began < ended for began, ended in swaps):
        return "during"
    if one.ended < first:
        return "before"
    return "after" if one.began > last else "between"


def _figures(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    found = {"median": np.median(values), "p95": np.quantile(values, 0.95), "max": max(values)}
    return {name: round(float(value), 4) for name, value in found.items()}


def _ratios(values: Sequence[float], before: Sequence[float]) -> dict[str, float]:
    ours, theirs = _figures(values), _figures(before)
    return {name: round(ours[name] / theirs[name], 2) for name in ours if theirs.get(name)}


def random_adapter(folder: Path, base: Base, seed: int) -> Path:
    """Write a small random LoRA adapter of a base, with its card; it changes answers a little."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    model: Any = AutoModelForCausalLM.from_pretrained(base.folder)
    lora = LoraConfig(r=8, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    tuned: Any = get_peft_model(model, lora)
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if ".lora_B." in name:
                torch.nn.init.normal_(weights, std=0.002)
    tuned.save_pretrained(folder)
    card = Card(
        name=folder.name, method="random", base=base.name, base_fingerprint=base.fingerprint,
        data_hash="", data={}, prompts=("plan@2",), metrics={}, config={"seed": seed},
        libraries={}, weights_hash=file_hash(folder / WEIGHTS), created="",
    )  # fmt: skip
    return write_card(folder, card).folder


def registered(folder: Path, base: Base) -> tuple[Registry, tuple[str, str]]:
    """Return a registry with two random adapters, and their names."""
    registry = Registry(folder / "adapters", who="benchmark")
    one, two = (
        registry.add(random_adapter(folder / name, base, seed), base)
        for seed, name in enumerate(("first", "second"))
    )
    return registry, (one, two)


@contextmanager
def server_host(
    retriever: Retriever, model: Path, python: Path | None, folder: Path
) -> Iterator[AdapterHost]:
    """Serve a model with vLLM and return it as a host of adapters."""
    with ExitStack() as stack:
        log = stack.enter_context((folder / "vllm.log").open("wb"))
        served = stack.enter_context(serve(model, python, log))
        admin = stack.enter_context(AdaptersAdmin(served.url))
        chats = {NAME: stack.enter_context(OpenAIChat(served.url, NAME))}

        def chat_of(name: str) -> ChatModel:
            if name not in chats:
                chats[name] = stack.enter_context(OpenAIChat(served.url, name))
            return chats[name]

        yield ServerHost(admin, chats[NAME], chat_of, speak(retriever))


@contextmanager
def local_host(retriever: Retriever, model: Path) -> Iterator[AdapterHost]:
    """Load a model in this process and return it as a host of adapters."""
    with LocalChat(model, name=NAME) as chat:
        chat.wait(300)
        yield LocalHost(chat, speak(retriever))


def measure(
    kinds: Sequence[str], timing: Timing, python: Path | None, base: Base
) -> dict[str, Any]:
    """Return the figures of each kind of host; one that is not there says why."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "shop").mkdir()
        shop = open_shop("no category", folder / "shop")
        stack.callback(shop.close)
        retriever = shop.retriever
        requests = requests_of(retriever, Linker.build(retriever))
        for kind in kinds:
            own = folder / kind
            own.mkdir()
            registry, names = registered(own, base)
            making = (
                server_host(retriever, base.folder, python, own)
                if kind == "server"
                else local_host(retriever, base.folder)
            )
            try:
                with registry, making as host:
                    found[kind] = under_load(host, registry, names, requests, timing)
            except ServerError as error:
                found[kind] = {"left_out": str(error)}
    return found


def table(found: dict[str, Any]) -> str:
    """Return the figures for people."""
    lines = []
    for kind, one in found.items():
        if "left_out" in one:
            lines.append(f"{kind}: left out, {one['left_out']}")
            continue
        lines.append(
            f"{kind}: {one['requests']} requests, {one['failed']} failed, "
            f"{one['unknown_voices']} from nobody known, {one['swaps']} swaps of "
            f"{one['swap_seconds']['median']:.2f} s"
        )
        for part, ratios in one["latency_ratio_to_before"].items():
            told = ", ".join(f"{name} x{value}" for name, value in ratios.items())
            lines.append(f"  {part}, to before: {told or 'none'}")
        near = one["latency_ratio_during_to_between"]
        told = ", ".join(f"{name} x{value}" for name, value in near.items())
        lines.append(f"  during, to between: {told or 'none'}")
    return "\n".join(lines)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="Some seconds only.")
    parser.add_argument("--only", choices=("server", "local"))
    parser.add_argument("--python", type=Path, help="Interpreter that has vLLM.")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    timing = Timing(3.0, 1.5, 1) if given.quick else Timing()
    kinds = (given.only,) if given.only else ("server", "local")
    found = measure(kinds, timing, given.python, resolve("house"))
    about = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "timing": {"steady": timing.steady, "dwell": timing.dwell, "cycles": timing.cycles},
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({**about, **found}, indent=2) + "\n")
    print(table(found))


if __name__ == "__main__":
    main()
