"""How well the service desk sorts clauses: python benchmarks/desk.py [--project DIR] [--show]

On utterances written for it (tests/agent/service/data: one set to tune on, one held out), and on
real shopping utterances of ../shared/data, of which no word should be lost to the desk. The project
is the demo catalog with the demo's pages and the tools of tests/agent/tools/shop_api.py.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from agent.desk import DeskRequest  # noqa: E402
from agent.linking import Linker  # noqa: E402
from agent.service.clauses import split  # noqa: E402
from agent.service.desk import ServiceDesk  # noqa: E402
from agent.service.visit import Visit  # noqa: E402
from agent.state import State  # noqa: E402
from retrieval.retriever import Retriever  # noqa: E402
from tests.agent.service.labelled import LABELS, Labelled, labelled  # noqa: E402

SETS = ("clauses_dev", "clauses_heldout", "clauses_final")
"""Tuned on; looked at once before the last changes; measured once, at the end."""

DATA = ROOT.parent / "shared/data"
REAL = {
    "webshop": ("utterances_webshop.jsonl.gz", "text"),
    "queries": ("queries_shopping.jsonl.gz", "query"),
    "simmc": ("dialogs_simmc1.jsonl.gz", "turns"),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, help="default: the demo")
    parser.add_argument("--n", type=int, default=1_500, help="real utterances of each source")
    parser.add_argument("--show", action="store_true", help="every utterance that was sorted wrong")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        desk, slate = make(asked.project, Path(folder))
        report = {name: measured(desk, slate, labelled(name), asked.show) for name in SETS}
        report |= {name: real(desk, name, asked.n, asked.show) for name in REAL}
    if asked.json:
        print(json.dumps(report))
        return
    for name, figures in report.items():
        print(name, json.dumps(figures))


def make(project: Path | None, folder: Path) -> tuple[ServiceDesk, list[Any]]:
    """Return a desk over a project with its pages and the tools of the tests, and a slate."""
    from agent.service.config import ServiceConfig
    from agent.service.escalation import Escalation
    from agent.service.tooling import ToolDesk
    from agent.tools import Caller, read_tools
    from agent.tools.matching import Matcher
    from tests.agent.tools.shop_api import API
    from ui import wiring
    from ui.knowledge import make_knowledge
    from ui.service_wiring import encode_with, now
    from ui.settings import Settings

    settings = Settings()
    project = project or wiring.demo_project(settings)
    retriever: Retriever = wiring.open_retriever(project, settings)
    knowledge = make_knowledge(retriever, settings)
    tools = read_tools(API, "shop")
    config = ServiceConfig.model_validate({"handover": {}})

    class Nobody:
        def is_open(self, id: str) -> bool:
            return False

    desk = ServiceDesk(
        Linker.build(retriever),
        Escalation(config.handover, None, "", Nobody(), now),
        pages=lambda: knowledge,
        tools=ToolDesk(tools, Matcher(tools, encode_with(retriever)), Caller(), now),
    )
    return desk, [one.item for one in retriever.search("shirt", k=5)]


def sorted_as(desk: ServiceDesk, slate: Sequence[Any], text: str) -> list[tuple[Any, str]]:
    """Return the clauses of a text with what each was taken for."""
    ids = tuple(item.id for item in slate)
    state = State(slate=ids, focus=ids[:1], shown=ids, turn=1 if ids else 0)
    visit = Visit(DeskRequest("bench", text, text, state, slate, slate[:1]), state.desk)
    return desk.sort(visit, split(text))


def measured(
    desk: ServiceDesk, slate: Sequence[Any], rows: Sequence[Labelled], show: bool
) -> dict[str, Any]:
    """Return how many parts went where they belong."""
    right: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    lost = 0
    for row in rows:
        found = sorted_as(desk, slate, row.text)
        for part in row.parts:
            got = {about for clause, about in found
                   if clause.begin < part.end and part.start < clause.end}  # fmt: skip
            if part.label == "o":
                continue
            served = got - {"items"}
            fine = not served if part.label == "i" else got == {LABELS[part.label]}
            if part.label == "i" and served <= {"courtesy"}:
                fine = True
            parts[part.label] += 1
            right[part.label] += fine
            lost += part.label == "i" and not fine
            if show and not fine:
                print(f"  {part.label} {sorted(got)} {row.text!r}", file=sys.stderr)
    return {
        "parts": sum(parts.values()), "lost": lost,
        **{LABELS[label]: f"{right[label]}/{parts[label]}" for label in parts},
    }  # fmt: skip


def real(desk: ServiceDesk, name: str, n: int, show: bool) -> dict[str, Any]:
    """Return how many real shopping utterances lose a word to the desk."""
    texts = list(dict.fromkeys(_texts(name)))
    if not texts:
        return {"skipped": "not here"}
    random.Random(0).shuffle(texts)
    taken: Counter[str] = Counter()
    for text in texts[:n]:
        found = {about for _, about in sorted_as(desk, (), text)} - {"items", "courtesy"}
        if found:
            taken[min(found)] += 1
            if show:
                print(f"  {name} {sorted(found)} {text!r}", file=sys.stderr)
    seen = min(n, len(texts))
    return {"n": seen, "losing": sum(taken.values()), "rate": sum(taken.values()) / seen, **taken}


def _texts(name: str) -> Iterator[str]:
    file, key = REAL[name]
    if not (DATA / file).exists():
        return
    with gzip.open(DATA / file, "rt", encoding="utf-8") as lines:
        for line in lines:
            value = json.loads(line)[key]
            yield from (turn["user"] for turn in value) if isinstance(value, list) else (value,)


if __name__ == "__main__":
    main()
