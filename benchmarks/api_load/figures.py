"""Figures of a run under load, and their table: pure functions over what people noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

BLOCKS = 20
WARM = 0.25
"""Share of a run that fills caches and is left out of the slope of memory."""


IN_TIME_S = 3.5
"""What a turn may take before people think that something is wrong."""


def merged(rounds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what people noted in several rounds of a load as if those were one."""
    first, *others = (dict(one) for one in rounds)
    for one in others:
        end = max(first["at"], default=0.0)
        first["at"] = [*first["at"], *(at + end for at in one["at"])]
        for name in ("turns", "events", "seconds"):
            first[name] = [*first[name], *one[name]]
        for name in ("tries", "planners"):
            first[name] = dict(Counter(first[name]) + Counter(one[name]))
        first["given_up"] += one["given_up"]
    return first


def speed(notes: Mapping[str, Any]) -> dict[str, Any]:
    """Return turns per second and how long they took, in milliseconds."""
    if not notes["at"]:
        return {"turns": 0, "per_s": 0.0, "p50": None, "p95": None, "p99": None,
                "in_time": None}  # fmt: skip
    taken = np.asarray(notes["seconds"]) * 1000
    p50, p95, p99 = (round(float(value), 1) for value in np.percentile(taken, (50, 95, 99)))
    per_second = len(taken) / max(notes["at"])
    return {
        "turns": len(taken), "per_s": round(per_second, 1), "p50": p50, "p95": p95, "p99": p99,
        "in_time": round(float((taken <= IN_TIME_S * 1000).mean()), 3),
    }  # fmt: skip


def compared(
    run: Mapping[str, Any], before: Mapping[str, Any] | None
) -> dict[str, float | None] | None:
    """Return a run's figures as multiples of those of the code before, under the same load."""
    if before is None or run is before:
        return None
    names = ("per_s", "p50", "p95", "p99", "cpu_ms")
    return {name: round(run[name] / before[name], 2) if before[name] else None for name in names}


def slope(memory: Sequence[tuple[float, float]], at: Sequence[float]) -> dict[str, float] | None:
    """Return by how many megabytes memory grows in 1,000 turns, with a 95 % interval.

    Memory is averaged over blocks of turns first: neighbouring samples are not independent.

    Args:
        memory: (seconds, megabytes); at: when each turn ended, by the same clock.
    """
    turns = np.searchsorted(np.sort(np.asarray(at)), [second for second, _ in memory])
    used = np.asarray([megabytes for _, megabytes in memory])
    kept = turns > WARM * len(at)
    turns, used = turns[kept] / 1000, used[kept]
    if len(turns) < BLOCKS:
        return None
    x = np.asarray([block.mean() for block in np.array_split(turns, BLOCKS)])
    y = np.asarray([block.mean() for block in np.array_split(used, BLOCKS)])
    centred = x - x.mean()
    steepness = float(centred @ y / (centred @ centred))
    rest = y - y.mean() - steepness * centred
    error = float(np.sqrt(rest @ rest / (BLOCKS - 2) / (centred @ centred)))
    t = 2.101  # Student's t, 18 degrees of freedom, 97.5 %
    return {
        "mb_per_1000_turns": round(steepness, 3), "low": round(steepness - t * error, 3),
        "high": round(steepness + t * error, 3), "mb_at_start": round(float(y[0]), 1),
        "mb_at_end": round(float(y[-1]), 1),
    }  # fmt: skip


HEAD = ("store", "planner", "processes", "people", "code", "turns/s", "p50 ms", "p95 ms", "p99 ms",
        "in time", "CPU ms/turn", "× turns/s", "× p95", "tried again", "lost", "twice",
        "half")  # fmt: skip


def row(run: Mapping[str, Any]) -> list[str]:
    """Return a run as cells of the table."""
    again = sum(run["tries"].values())
    than = run["of_before"] or {}
    cells = (
        run["store"], run["planner"], run["workers"], run["sessions"], run["code"], run["per_s"],
        run["p50"], run["p95"], run["p99"], run["in_time"], run["cpu_ms"], than.get("per_s", "–"),
        than.get("p95", "–"), again, run["lost"], run["twice"], run["halves"],
    )  # fmt: skip
    return [f"{cell:g}" if isinstance(cell, float) else str(cell) for cell in cells]


def markdown(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return runs as a table."""
    lines = [HEAD, ["---"] * len(HEAD), *(row(run) for run in runs)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


BEGIN, END = "<!-- written by benchmarks/load.py: {name} -->\n", "<!-- end -->\n"


def documented(found: Mapping[str, Any]) -> str:
    """Return the table of a page: one line for each store and planner, a column for each crowd."""
    runs = [run for run in found["runs"] if run["code"] == "now"]
    crowds = sorted({run["sessions"] for run in runs})
    servers = dict.fromkeys((run["store"], run["planner"], run["workers"]) for run in runs)
    lines = [["store, planner, processes", *map(str, crowds)], ["---"] * (1 + len(crowds))]
    for server in servers:
        own = {
            run["sessions"]: run
            for run in runs
            if (run["store"], run["planner"], run["workers"]) == server
        }
        cells = [_cell(own[crowd]) if crowd in own else "–" for crowd in crowds]
        lines.append([f"{NAMES[server[0]]}, {NAMES[server[1]]}, {server[2]}", *cells])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL", "rules": "rules", "llm": "model"}


def _cell(run: Mapping[str, Any]) -> str:
    seconds = "/".join(f"{run[name] / 1000:.2g}" for name in ("p50", "p95", "p99"))
    than = run["of_before"]
    ratio = f" (×{than['per_s']:g}, p95 ×{than['p95']:g})" if than else ""
    return f"{run['per_s']:g}/s{ratio}, {seconds} s"


def written_into(page: str, name: str, table: str) -> str:
    """Return a page with the table of a measurement in place of the one before."""
    begin = BEGIN.format(name=name)
    before, found, rest = page.partition(begin)
    if not found:
        raise ValueError(f"the page has no place for {name!r}; write {begin.strip()} and {END}")
    return f"{before}{begin}{table}{END}{rest.partition(END)[2]}"
