"""The same conversations through Attune, a LangGraph agent and two of LlamaIndex's.

    make frameworks && .venv/bin/python -m benchmarks.frameworks [--talks 27] [--at-once 3]

Protocol. 27 labelled conversations over the demo catalog (167 turns, finetune/data). One scripted
model server plays the model for all (benchmarks/framework_run/model.py): it plans where Attune asks
it to; for the others it calls the search tool with the wishes that the labels have, and writes an
answer. All search the same catalog with the same search: the others by /v1/recommendations of a
second Attune that has no model. Attune is asked over HTTP, the others run in processes and an
environment of their own. Blocks of conversations alternate between them in one run, in another
order each time, some conversations at once; a turn's time is that until the whole answer is there.

What this compares: how often and with how many tokens a model is asked, and what that costs in
time with a model of that speed. What it does not: whether answers are good (the model is scripted,
and knows the labels), and words written by a model, which Attune's templates replace unless it is
told otherwise. Tokens are those of one small tokenizer for all.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Protocol

import httpx

from agent.client import AttuneClient
from benchmarks.api_load.served import free_port, serve
from benchmarks.framework_run.script import Talk, talks
from ui.settings import Settings
from ui.wiring import demo_project

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv-frameworks" / "bin" / "python"
RESULTS = ROOT / "benchmarks" / "results" / "frameworks.json"
FRAMEWORKS = ("langgraph", "llamaindex-agent", "llamaindex-chat")
ATTUNE = "scripted"
"""The name that Attune asks the model by."""

PATIENT = {"ATTUNE_DEADLINE_S": "30"}
"""Nobody else has a deadline either; with its own (2 s) Attune lets the rules go on."""

PACKAGES = ("langgraph", "langchain", "llama-index-core", "langchain-openai")


class Contestant(Protocol):
    """Holds conversations."""

    def hold(self, block: Sequence[Talk]) -> list[float]:
        """Hold them at once; return the seconds of each turn."""
        ...


@dataclass
class Attune:
    """Attune's own API."""

    client: AttuneClient
    planners: dict[str, int] = field(default_factory=dict)

    def hold(self, block: Sequence[Talk]) -> list[float]:
        """Hold conversations, each in a session of its own."""
        with ThreadPoolExecutor(len(block)) as pool:
            return [one for times in pool.map(self._one, block) for one in times]

    def _one(self, talk: Talk) -> list[float]:
        session, seconds = self.client.create_session(), []
        for said in talk.turns:
            started = time.perf_counter()
            turn = self.client.say(session, said.text)
            seconds.append(time.perf_counter() - started)
            self.planners[turn.planner] = self.planners.get(turn.planner, 0) + 1
        return seconds


@dataclass
class Framework:
    """A framework in its own process."""

    process: subprocess.Popen[str]

    def hold(self, block: Sequence[Talk]) -> list[float]:
        """Have the process hold conversations."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([[s.text for s in t.turns] for t in block]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the framework's process ended; its errors are above"
        return [one for seconds, _ in json.loads(line) for one in seconds]


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process with pipes, and end it."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def model_server() -> Iterator[str]:
    """Start the scripted model; give its address."""
    port = free_port()
    with running(sys.executable, "-m", "benchmarks.framework_run.model", str(port)) as process:
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            assert process.poll() is None
            try:
                httpx.get(f"{url}/counts")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url


def measure(
    contestants: dict[str, Contestant], known: Sequence[Talk], at_once: int
) -> dict[str, dict[str, Any]]:
    """Return the seconds of turns and of blocks by contestant, blocks in turn."""
    found = {name: {"seconds": [], "wall": 0.0} for name in contestants}
    names = list(contestants)
    blocks = [known[at : at + at_once] for at in range(0, len(known), at_once)]
    for number, block in enumerate(blocks):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            started = time.perf_counter()
            found[name]["seconds"] += contestants[name].hold(block)
            found[name]["wall"] += time.perf_counter() - started
        print(f"block {number + 1} of {len(blocks)}", file=sys.stderr)
    return found


def row(measured: dict[str, Any], counts: dict[str, int]) -> dict[str, Any]:
    """Return the figures of one contestant; `not_cached` and `written` are tokens per turn."""
    seconds = measured["seconds"]
    turns = len(seconds)
    return {
        "turns": turns,
        "llm_calls": counts.get("calls", 0),
        "prompt_tokens": counts.get("prompt_tokens", 0),
        "cached_tokens": counts.get("cached_tokens", 0),
        "completion_tokens": counts.get("completion_tokens", 0),
        "calls_per_turn": round(counts.get("calls", 0) / turns, 2),
        "tokens_per_turn": round(
            (counts.get("prompt_tokens", 0) + counts.get("completion_tokens", 0)) / turns
        ),
        "not_cached": round(
            (counts.get("prompt_tokens", 0) - counts.get("cached_tokens", 0)) / turns
        ),
        "written": round(counts.get("completion_tokens", 0) / turns),
        "turns_per_s": round(turns / measured["wall"], 2),
        "p50_s": round(median(seconds), 3),
        "p95_s": round(quantiles(seconds, n=20)[-1], 3),
    }


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Return the figures side by side."""
    names = ("calls_per_turn", "tokens_per_turn", "not_cached", "written", "turns_per_s", "p50_s",
             "p95_s")  # fmt: skip
    lines = [" ".join([f"{'':18}", *(f"{name:>16}" for name in names)])]
    lines += [
        " ".join([f"{who:18}", *(f"{one[name]:>16,}" for name in names)])
        for who, one in rows.items()
    ]
    return "\n".join(lines)


def versions() -> dict[str, str]:
    """Return the versions of the frameworks."""
    script = ("import json, sys; from importlib.metadata import version; "
              "print(json.dumps({name: version(name) for name in sys.argv[1:]}))")  # fmt: skip
    done = subprocess.run(
        [PYTHON, "-c", script, *PACKAGES], capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def main() -> None:
    """Run, print a table, write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--talks", type=int, help="Only so many conversations.")
    parser.add_argument("--at-once", type=int, default=3)
    given = parser.parse_args()
    if not PYTHON.exists():
        sys.exit("the frameworks are not installed; run `make frameworks` first")
    known = talks()[: given.talks]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        model = stack.enter_context(model_server())
        project = demo_project(Settings())
        served = stack.enter_context(
            serve(project, folder, store=None, llm=f"{model}/v1", settings=PATIENT)
        )
        search = stack.enter_context(serve(project, folder, store=None))
        attune = Attune(stack.enter_context(AttuneClient(served.url)))
        contestants: dict[str, Contestant] = {"attune": attune}
        for kind in FRAMEWORKS:
            command = (str(PYTHON), "benchmarks/framework_run/agents.py", kind, f"{model}/v1",
                       search.url)  # fmt: skip
            process = stack.enter_context(running(*command))
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            contestants[kind] = Framework(process)
        for one in contestants.values():  # everything is imported and warm before it counts
            one.hold(known[:1])
        before = httpx.get(f"{model}/counts").json()
        attune.planners.clear()
        measured = measure(contestants, known, given.at_once)
        after = httpx.get(f"{model}/counts").json()
    rows = {}
    for name in contestants:
        asked_as = ATTUNE if name == "attune" else name
        old, new = before.get(asked_as, {}), after.get(asked_as, {})
        rows[name] = row(measured[name], {key: new[key] - old.get(key, 0) for key in new})
    print(table(rows))
    report = {"protocol": (__doc__ or "").split("Protocol. ")[1], "conversations": len(known),
              "at_once": given.at_once, "rows": rows, "planned_by": attune.planners,
              "versions": versions()}  # fmt: skip
    if given.talks is None:
        RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
