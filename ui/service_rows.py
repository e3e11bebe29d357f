"""Headline rows of the service and its pages, for the README's table. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

Report = dict[str, Any]
Row = Sequence[str]

STORES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
PLANNERS = {"rules": "by rules", "llm": "with a model"}


def load(report: Report) -> Iterator[Row]:
    """Yield how many turns a second a server answers, how fast, and how its memory grows."""
    runs = [run for run in report.get("load", {}).get("runs", ()) if run["code"] != "before"]
    most = max((run["sessions"] for run in runs), default=0)
    for planner, told in PLANNERS.items():
        crowd = [run for run in runs if (run["planner"], run["sessions"]) == (planner, most)]
        if crowd:
            where = " and ".join(STORES[run["store"]] for run in crowd)
            yield (
                f"turns a second, {most} people without a pause, {told}, {where}",
                " and ".join(f"{run['per_s']:.0f}" for run in crowd),
                "",
            )
            times = " and ".join(f"{_s(run['p50'])} / {_s(run['p95'])}" for run in crowd)
            yield "their turns, p50 / p95", f"{times} s", "< 3.5 s"
    for run in report.get("think", {}).get("runs", ()):
        if run["code"] != "before":
            yield (
                f"turns of {run['sessions']} people who read for {run['think']:g} s, p50 / p95",
                f"{_s(run['p50'])} / {_s(run['p95'])} s",
                "< 3.5 s",
            )
    for run in report.get("memory", {}).get("runs", ()):
        yield (
            f"memory over {run['turns']:,} turns, at the start and at the end",
            f"{run['slope']['mb_at_start']:.0f} and {run['slope']['mb_at_end']:.0f} MB",
            "flat",
        )


def faults(report: Report) -> Iterator[Row]:
    """Yield what was lost of what was acknowledged."""
    runs = report.values()
    kept = sum(run["turns"] + run["events"] for run in runs)
    wrong = " / ".join(str(sum(run[name] for run in runs)) for name in ("lost", "twice", "halves"))
    what = f"lost / twice / by half, {len(report)} kinds of faults under load"
    yield what, f"{wrong} of {kept:,} turns and clicks", "0"


def fuzz(report: Report) -> Iterator[Row]:
    """Yield how many requests the server could not bear."""
    yield "server errors, schemathesis", f"{report['server_errors']} of {report['requests']:,}", "0"


def hostile(report: Report) -> Iterator[Row]:
    """Yield how many attacks changed what Attune does."""
    yield (
        "attacks by text that changed behaviour",
        f"{len(report['broken'])} of {report['attacks']} ({report['conversations']} conversations)",
        "0 of ≥ 200",
    )


def knowledge(report: Report) -> Iterator[Row]:
    """Yield how questions to pages that nothing was fitted on were answered."""
    fitted = report["config"]["fitted_on"]
    for name, one in report.items():
        if name != "config" and name not in fitted:
            own = one["ways"]["ours"]
            asked = own["answerable"] + own["unanswerable"]
            yield (
                f"answers from pages, {name}: right of answerable, of answered; false answers",
                f"{own['right']:.2f}, {own['precision']:.2f}; {own['false_answers']} of {asked}",
                "",
            )


def privacy(report: Report) -> Iterator[Row]:
    """Yield how much personal data was masked when the held-out set was first looked at."""
    kinds = report["held_out_first_look"]["generated"]["kinds"]
    told = ", ".join(f"{name} {kinds[name]['recall']:.2f}" for name in sorted(kinds))
    yield "personal data masked, by kind", told, ""


def frameworks(report: Report) -> Iterator[Row]:
    """Yield what other ways to build an agent take for the same conversations."""
    own = report["rows"]["attune"]
    others = {name: one for name, one in report["rows"].items() if name != "attune"}
    for what, name, digits in (
        ("model calls a turn", "calls_per_turn", 2),
        ("turns a second", "turns_per_s", 2),
        ("p95 of a turn, s", "p95_s", 1),
    ):
        told = ", ".join(f"{other} {one[name]:.{digits}f}" for other, one in others.items())
        yield f"{what}, same model server", f"{own[name]:.{digits}f} ({told})", ""


def ui_speed(report: Report) -> Iterator[Row]:
    """Yield how long people wait in the browser."""
    one = max(report["milliseconds"], key=lambda run: run["items"])
    for name in ("card", "word"):
        times = one["browser"][name]
        yield (
            f"Enter to first {name} in the browser, {one['items']:,} items, p50 / p95",
            f"{times['p50']:.0f} / {times['p95']:.0f} ms",
            "",
        )


def languages(report: Report) -> Iterator[Row]:
    """Yield how well other languages than English are understood."""
    for name, one in report.items():
        if name.endswith("_heldout"):
            told = f"{one['share']:.2f} of {one['utterances']}"
            yield f"held-out utterances in {name.partition('_')[0]}, state exact", told, ""


def _s(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2g}"
