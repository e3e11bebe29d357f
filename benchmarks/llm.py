"""Measure the language model in the loop: load on vLLM, first words, calls and tokens of turns.

    python benchmarks/llm.py [--model FOLDER] [--project DIR] [--quick] [--out JSON]

Scripted sessions (turns.toml) are held over a project and every request to the model is noted;
then the same requests go to vLLM from a bare HTTP client, through the planner and through whole
turns, in turn and several times over. Also: when the first item and word of a turn come, calls and
tokens per turn (on labelled dialogues too, never the held-out ones), the model in this process
beside vLLM, and vLLM's prefix cache. Without vLLM (`make vllm`, or ATTUNE_VLLM_PYTHON) its part is
left out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from rich.console import Console

from agent.asking import Instructed
from agent.dialogue import Parts
from agent.errors import ModelUnavailable, ServerError
from agent.llm import ChatModel
from agent.local_chat import LocalChat
from agent.openai_chat import OpenAIChat
from agent.plan import Plan
from agent.planner import Planner, PlanRequest
from agent.tagged_prompt import PROMPT as TAGGED
from benchmarks.llm_load.asked import (
    PATIENCE_S,
    Listening,
    Noted,
    Script,
    Turn,
    always_asking,
    body,
    hold,
    own_store,
    record,
)  # fmt: skip
from benchmarks.llm_load.clients import Load, bare, spread, through
from benchmarks.llm_load.report import tables
from benchmarks.llm_load.served import Served, apart, hit_rate, looked_up_and_found, serve
from benchmarks.turns import sessions
from finetune.bases import HOUSE
from finetune.labels import read_dialogues
from finetune.replay import replay
from finetune.rule_parts import by_rules
from ui.chat_models import SURE
from ui.settings import Settings
from ui.wiring import make_planner, open_project

ROOT = Path(__file__).parents[1]
LABELS = ("understanding_dev", "understanding_dev2", "understanding_test")
WAYS = ("bare", "planner", "turns")
LONG_PROMPTS = 24
"""Prompts with instructions that are sent to fill the prefix cache: they are long."""

Figures = dict[str, Any]


def as_shipped(model: ChatModel | None, catalog: Any) -> Planner:
    """Return the planner that turns over a catalog (its facets count) have unless told otherwise.

    With a model it asks as the house model is asked, whatever this one is called.
    """
    return make_planner(catalog, Settings(llm_prompt=TAGGED), model)


def held(parts: Parts, lines: Sequence[Sequence[str]], model: Noted | None) -> list[Turn]:
    """Hold sessions with the planner that turns have."""
    parts = replace(parts, planner=as_shipped(model, parts.retriever))
    return [turn for one in lines for turn in hold(parts, one, model)]


def first(turns: Sequence[Turn]) -> Figures:
    """Return when the first item and the first word came, where the model was asked and not."""

    def times(own: Sequence[Turn]) -> Figures:
        items = [turn.item_ms / 1000 for turn in own if turn.item_ms is not None]
        return {
            "turns": len(own), "with_items": len(items),
            "item_ms": spread(items) if items else None,
            "word_ms": spread([turn.word_ms / 1000 for turn in own]) if own else None,
        }  # fmt: skip

    asked = [turn for turn in turns if turn.asked]
    stages = {name for turn in asked for name in turn.stages}
    where = {
        name: round(sum(turn.stages.get(name, 0.0) for turn in asked) / len(asked), 2)
        for name in sorted(stages)
    }
    return {**times(turns), "asked": {**times(asked), "mean_stages_ms": where}}


def usage(counts: Sequence[int], model: Noted, fallbacks: Sequence[str] = ()) -> Figures:
    """Return calls and tokens per turn, from the calls of each turn and all that was noted."""
    turns, answers = len(counts), [call.answer for call in model.calls]
    tokens = [(one.prompt_tokens, one.completion_tokens) for one in answers]
    prompt, completion = np.sum(tokens or [(0, 0)], axis=0)
    return {
        "turns": turns,
        "calls": {"median": float(np.median(counts)), "mean": sum(counts) / turns,
                  "max": max(counts)},
        "fast_path": sum(not count for count in counts) / turns,
        "prompt_tokens": {"per_turn": prompt / turns, "per_call": prompt / max(1, len(answers))},
        "completion_tokens": {"per_turn": completion / turns,
                              "per_call": completion / max(1, len(answers))},
        "fallbacks": {reason: fallbacks.count(reason) for reason in sorted(set(fallbacks))},
    }  # fmt: skip


def labelled(path: Path, chat: ChatModel, most: int, catalogs: Sequence[str]) -> Figures | None:
    """Replay labelled dialogues; return what planning them asks of the model."""
    dialogues = read_dialogues(path)
    Random(0).shuffle(dialogues)
    noted, counts, fallbacks = Noted(chat), list[int](), list[str]()
    for name in sorted({one.catalog for one in dialogues}):
        parts = by_rules(path.parent)(name) if not catalogs or name in catalogs else None
        if parts is None:
            continue
        listening = Listening(as_shipped(noted, parts))

        def plan(request: PlanRequest, ask: Listening = listening) -> Plan:
            before = len(noted.calls)
            made = ask.plan(request)
            counts.append(len(noted.calls) - before)
            return made

        for one in dialogues:
            if one.catalog == name and len(counts) < most:
                replay(one, replace(parts, plan=plan))
        fallbacks += listening.fallbacks
    return usage(counts, noted, fallbacks) if counts else None


def alone(model: Noted, script: Script, facets: Any, clients: int, most: int) -> Figures:
    """Return latency and rate of planning the recorded turns by so many clients."""
    planner = always_asking(model, facets)
    requests = script.requests[:most]
    # With fewer requests than clients one is idle at once, and nothing is measured.
    clients = min(clients, max(1, len(requests) // 2))
    load = through(model, planner.plan, requests, clients, lambda: 0.0)
    return {"clients": clients, **asdict(load)}


@dataclass(frozen=True, slots=True)
class Rig:
    """What load is put on, and with what."""

    served: Served
    script: Script
    parts: Parts
    bodies: tuple[bytes, ...]

    def run(self, way: str, clients: int) -> Load:
        """Send all that was recorded in one way, the prefix cache empty at first."""
        self.served.forget()
        cpu = self.served.cpu_seconds
        if way == "bare":
            return bare(self.served.url, self.bodies, clients, cpu)
        with OpenAIChat(self.served.url, "house", logprobs=True) as chat:
            noted = Noted(chat)
            planner = Listening(always_asking(noted, self.parts.retriever.facets))
            if way == "planner":
                load = through(noted, planner.plan, self.script.requests, clients, cpu)
            else:
                parts = replace(self.parts, planner=planner)
                load = through(noted, partial(_all, parts), self.script.sessions, clients, cpu)
        if planner.fallbacks:
            raise ModelUnavailable(f"no figures: the model failed, {set(planner.fallbacks)}")
        recorded = {call.key for call in self.script.calls}
        same = sum(call.key in recorded for call in noted.calls) / len(noted.calls)
        return replace(load, same=same)


def _all(parts: Parts, lines: Sequence[str]) -> None:
    for _ in hold(parts, lines):
        pass


def saturated(rig: Rig, clients: int, repeats: int, placement: str) -> Figures:
    """Return tokens a second of each way, run in turn, and their ratios to the bare client."""
    rounds = []
    for number in range(repeats):
        # Each way is first, second and last in turn: whatever grows or tires, grows for all.
        order = [WAYS[(number + place) % len(WAYS)] for place in range(len(WAYS))]
        _say(f"{clients} clients, cores {placement}, {number + 1} of {repeats}")
        rounds.append({way: rig.run(way, clients) for way in order})
    found: Figures = {"clients": clients, "placement": placement, "repeats": repeats}
    for way in WAYS:
        found[way] = {
            name: float(np.median([getattr(one[way], name) for one in rounds]))
            for name in ("tokens_per_s", "prompt_tokens_per_s", "answers_per_s", "own_ms",
                         "server_ms", "seconds", "answers", "same")
        }  # fmt: skip
        ratios = [one[way].tokens_per_s / one["bare"].tokens_per_s for one in rounds]
        found[way] |= {"ratio": ratio(ratios), "ratios": [round(one, 3) for one in ratios]}
        found[way]["ms"] = {
            point: float(np.median([one[way].ms[point] for one in rounds]))
            for point in ("p50", "p95")
        }
    return found


def ratio(ratios: Sequence[float]) -> float:
    """Return the ratio of paired runs: the middle one."""
    return round(float(np.median(ratios)), 3)


def prefix_cache(rig: Rig, clients: int = 8) -> Figures:
    """Return what share of prompt tokens the prefix cache served, for both prompts."""
    found = {}
    long = [
        _prompt_only(Instructed().messages(request))
        for request in rig.script.requests[:LONG_PROMPTS]
    ]
    for name, bodies in {"plan@2": rig.bodies, "plan@1": tuple(long)}.items():
        rig.served.forget()
        before = looked_up_and_found(rig.served)
        load = bare(rig.served.url, bodies, clients, rig.served.cpu_seconds)
        found[name] = {
            "hit_rate": round(hit_rate(rig.served, before), 4), "prompts": len(bodies),
            "tokens_per_prompt": load.prompt_tokens_per_s / load.answers_per_s,
        }  # fmt: skip
    return found


def _prompt_only(messages: Any) -> bytes:
    return json.dumps({"model": "house", "messages": messages, "max_tokens": 1}).encode()


def with_server(
    served: Served, script: Script, parts: Parts, given: argparse.Namespace
) -> Iterator[tuple[str, Any]]:
    """Yield the figures that need vLLM, as they come."""
    rig = Rig(served, script, parts, tuple(body("house", call) for call in script.calls))
    _say("bare requests, to warm up")
    rig.run("bare", 8)  # compiles the grammars, for all ways alike
    _say("turns and plans by vLLM")
    with OpenAIChat(served.url, "house", logprobs=True) as chat:
        yield "first", first(held(parts, script.sessions, noted := Noted(chat)))
        facets = parts.retriever.facets
        yield "alone", [alone(noted, script, facets, n, given.most) for n in (1, 8)]
    _say("prefix cache")
    yield "prefix_cache", prefix_cache(rig)
    runs = []
    for placement in given.placements:
        with apart(served) if placement == "apart" else nullcontext():
            runs += [saturated(rig, n, given.repeats, placement) for n in given.clients]
    yield "saturation", runs


def without_server(
    chat: ChatModel, script: Script, parts: Parts, given: argparse.Namespace
) -> Figures:
    """Return what can be measured with the model in this process."""
    facets, noted = parts.retriever.facets, Noted(chat)
    _say("turns with the rules, then with the model")
    rules = first(held(parts, script.sessions, None))
    turns = held(parts, script.sessions, noted)
    calls = {"scripted": usage([turn.asked for turn in turns], noted)}
    for name in given.labels:
        _say(f"calls of {name}")
        path = ROOT / f"finetune/data/{name}.jsonl"
        if own := labelled(path, chat, given.most_labelled, given.catalogs):
            calls[name] = own
    _say("plans by the model in this process")
    timed = Noted(chat)
    return {
        "first": {"rules": rules, "house": first(turns)},
        "calls": calls,
        "alone": {"house": [alone(timed, script, facets, n, given.most) for n in (1, 8)]},
    }


def measure(
    parts: Parts,
    chat: ChatModel,
    serving: AbstractContextManager[Served],
    given: argparse.Namespace,
) -> Figures:
    """Measure everything that can be here; `serving` raises ServerError where there is no vLLM."""
    lines = list(sessions(given.rounds))[: given.sessions]
    _say(f"what {sum(map(len, lines))} turns ask of the model")
    script = record(parts, lines, chat)
    found: Figures = {"turns": len(script.requests), "requests": len(script.calls)}
    found |= without_server(chat, script, parts, given)
    _say("starting vLLM")
    with ExitStack() as stack:
        try:
            served = stack.enter_context(serving)
        except ServerError as error:
            return {**found, "skipped": str(error)}
        found["vllm"] = f"{served.vllm.version}, {served.vllm.device}"
        for name, own in with_server(served, script, parts, given):
            if name in ("first", "alone"):
                found[name]["vllm"] = own
            else:
                found[name] = own
    return found


def _say(text: str) -> None:
    Console(stderr=True).log(text)


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure the language model in the loop.")
    parser.add_argument("--model", type=Path, default=HOUSE, help="folder of the house model")
    parser.add_argument("--project", type=Path, help="project directory; else the demo catalog")
    parser.add_argument("--vllm-python", type=Path, default=Settings().vllm_python)
    parser.add_argument("--rounds", type=int, default=2, help="168 turns each")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each way under load")
    parser.add_argument("--clients", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--quick", action="store_true", help="only to see that it works")
    parser.add_argument(
        "--out", type=Path, help="default: benchmarks/results/llm.json, if not quick"
    )
    given = parser.parse_args(words)
    given.sessions, given.most, given.most_labelled = None, 120, 300
    given.labels, given.catalogs, given.placements = LABELS, (), ("shared", "apart")
    if given.quick:
        given.rounds, given.sessions, given.repeats, given.clients = 1, 10, 1, [8]
        given.most, given.most_labelled = 20, 60
        given.catalogs, given.placements = ("demo",), ("shared",)
    elif given.out is None:
        given.out = ROOT / "benchmarks/results/llm.json"
    return given


def about(given: argparse.Namespace) -> Figures:
    """Return what was measured, on what."""
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, python {sys.version.split()[0]}",
        "model": given.model.name,
        "catalog": given.project.name if given.project else "demo",
        "load_before": round(os.getloadavg()[0], 1),
        "sure": SURE,
        "deadline_s": {"turns": Settings().deadline_s, "under load": PATIENCE_S},
        "targets": {"ratio": 0.9, "median calls": 1},
    }


def main() -> None:
    """Measure, print the tables and write the figures down."""
    given, started = arguments(), time.perf_counter()
    report = about(given)
    project = open_project(given.project, Settings(llm="none"))
    with tempfile.TemporaryDirectory() as name, LocalChat(given.model) as chat:
        chat.wait()
        scratch = Path(name)
        parts = own_store(project.parts, scratch)
        with (scratch / "vllm.log").open("wb") as log:
            serving = serve(given.model, given.vllm_python, log)
            report |= measure(parts, chat, serving, given)
        parts.store.close()
    report |= {"items": project.retriever.index.count()}
    project.close()
    report |= {"seconds": round(time.perf_counter() - started)}
    for one in tables(report):
        Console().print(one)
    if given.out is not None:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
