"""Time from Enter to the first card and to the first word, as a browser sees it.

    .venv/bin/python -m benchmarks.ui_speed [PROJECT …] [--turns 30] [--rounds 1]

For each project directory (a copy is served; the demo catalog where none is given): one person
types requests into `attune ui` in Chromium. A script in the page notes performance.now() when Enter
is pressed, when the first card of the new slate is painted, and when the first word of the answer
is. The same requests go to the API of the same process as a stream, without pages, by turns first
and second; the time to its events `items` and `text` is what the pages cannot beat. Turns after
which no new item is shown have no first card. Without a language model: words are those of the
templates.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.browser.served import Process, copied, served
from benchmarks.browser.visitor import Visitor, has_browser, opened_browser
from ui.settings import Settings
from ui.wiring import demo_project

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "ui_speed.json"
TURNS = 30

WATCH = """() => {
  const slate = () => document.querySelector('.at-card')?.getAttribute('aria-labelledby');
  const words = () => [...document.querySelectorAll('#at-chat [data-testid=bot]')];
  const note = (name) => { window.seen[name] ??= performance.now(); };
  const painted = (name) => requestAnimationFrame(() => note(name));
  let before, said;
  window.arm = () => { window.seen = {}; before = slate(); said = words().length; };
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') note('enter');
  }, true);
  new MutationObserver(() => {
    if (!window.seen || !window.seen.enter) return;
    if (!window.seen.card && slate() && slate() !== before) painted('card');
    const one = words().at(-1);
    if (!window.seen.word && words().length > said && one.textContent.trim()) painted('word');
  }).observe(document.body,
             {childList: true, subtree: true, characterData: true, attributes: true});
}"""


def requests_for(url: str, turns: int) -> list[list[str]]:
    """Return conversations of three turns made of the catalog's own values."""
    facets = httpx.get(f"{url}v1/facets", timeout=60).json()
    named = {facet["role"]: facet for facet in facets["facets"] if facet["values"]}
    first = named.get("category") or next(iter(named.values()))
    kinds = [one["value"] for one in first["values"]]
    colours = [one["value"] for one in (named.get("colour") or first)["values"]]
    talks = []
    for place in range(-(-turns // 3)):
        kind, colour = kinds[place % len(kinds)], colours[place % len(colours)]
        opening = (f"{colour} {kind}", f"I am looking for {kind}", f"{kind} as a present")[
            place % 3
        ]
        follow = (
            f"not {colours[(place + 1) % len(colours)]}",
            "something cheaper",
            "with good reviews",
        )
        talks.append(
            [opening, follow[place % 3], ("under 80", f"in {colour}", "show me more")[place % 3]]
        )
    return talks


def in_browser(process: Process, browser: Any, talks: Sequence[Sequence[str]]) -> list[list[float]]:
    """Return milliseconds to the first card and to the first word, by turn."""
    times = []
    for talk in talks:
        context = browser.new_context(viewport={"width": 1200, "height": 860})
        person = Visitor(context.new_page()).visit(process.url)
        person.tab.evaluate(WATCH)
        for text in talk:
            person.tab.evaluate("() => window.arm()")
            person.say(text)
            person.tab.wait_for_timeout(300)
            seen = person.tab.evaluate("() => window.seen")
            card = seen.get("card", float("nan"))  # the same slate again: no card is new
            times.append([card - seen["enter"], seen["word"] - seen["enter"]])
        context.close()
    return times


def by_api(process: Process, talks: Sequence[Sequence[str]]) -> list[list[float]]:
    """Return milliseconds to the events items and text, by turn."""
    times = []
    with httpx.Client(base_url=process.url, timeout=60) as client:
        for talk in talks:
            id = client.post("/v1/sessions", json={}).json()["id"]
            for text in talk:
                times.append(_streamed(client, f"/v1/sessions/{id}/turns", text))
    return times


def _streamed(client: httpx.Client, path: str, text: str) -> list[float]:
    seen: dict[str, float] = {}
    start = time.perf_counter()
    with client.stream("POST", path, json={"text": text, "stream": True}) as answer:
        for line in answer.iter_lines():
            if line.startswith("event: "):
                seen.setdefault(line[7:], (time.perf_counter() - start) * 1000)
    return [seen.get("items", float("nan")), seen["text"]]


def measured(project: Path, browser: Any, turns: int, rounds: int) -> dict[str, Any]:
    """Return the figures of one project."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        process = Process(("ui", str(copied(project, folder))), folder)
        with served(process):
            items = httpx.get(f"{process.url}v1/facets", timeout=60).json()["items"]
            talks = requests_for(process.url, turns)
            in_browser(process, browser, talks[:1])  # warm
            pages, api = [], []
            for talk_number, talk in enumerate(talks * rounds):
                # Who comes second finds what the first one's search left in the caches.
                if talk_number % 2:
                    api += by_api(process, [talk])
                pages += in_browser(process, browser, [talk])
                if not talk_number % 2:
                    api += by_api(process, [talk])
    return {"project": project.name, "items": items, "turns": len(pages),
            "browser": figures(pages), "api": figures(api)}  # fmt: skip


def figures(times: Sequence[Sequence[float]]) -> dict[str, dict[str, float]]:
    """Return p50 and p95 of the first card and the first word; turns that lack one are left out."""
    made = {}
    for name, column in zip(("card", "word"), np.array(times).T, strict=True):
        known = column[~np.isnan(column)]
        made[name] = {"n": len(known), "p50": round(float(np.percentile(known, 50)), 1),
                      "p95": round(float(np.percentile(known, 95)), 1)}  # fmt: skip
    return made


def show(results: Sequence[dict[str, Any]]) -> None:
    """Print the figures as a table."""
    table = Table(
        "catalog", "items", "turns", "until", "browser p50", "p95", "API p50", "p95", "ratio"
    )
    for one in results:
        for name in ("card", "word"):
            page, api = one["browser"][name], one["api"][name]
            cells = (page["p50"], page["p95"], api["p50"], api["p95"])
            row = (one["project"], f"{one['items']:,}", str(page["n"]), f"first {name}")
            table.add_row(*row, *(f"{cell:.0f} ms" for cell in cells), f"{cells[0] / cells[2]:.1f}")
    Console(width=120).print(table)


def main() -> None:
    """Measure, print and write."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("projects", nargs="*", type=Path)
    options.add_argument("--turns", type=int, default=TURNS)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--out", type=Path, default=RESULTS)
    given = options.parse_args()
    missing = [str(one) for one in given.projects if not (one / "manifest.json").exists()]
    if missing or not has_browser():
        sys.exit(f"skipped: {', '.join(missing) or 'chromium or playwright'} is not there")
    results = []
    with opened_browser() as browser:
        for project in given.projects or [demo_project(Settings())]:
            result = measured(project, browser, given.turns, given.rounds)
            results.append({**result, "load": round(os.getloadavg()[1], 1)})
    show(results)
    about = {"machine": platform.processor() or platform.machine(),
             "when": datetime.now(UTC).date().isoformat(), "milliseconds": results}  # fmt: skip
    given.out.write_text(json.dumps(about, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
