"""Measure how utterances in other languages are understood: the share whose whole plan is right.

    python benchmarks/languages.py [--set tuned] [--errors] [--out JSON]

The sets are in benchmarks/languages_data; how a plan is written is told at the top of the held-out
one. Turns before an utterance are taken in English, over the demo catalog and with the rules. The
errors of the held-out set are only listed when asked for: whoever works on the tables looks at the
tuned one.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.dialogue import respond
from agent.parts import Parts
from agent.plan import Act, Mention, Plan
from agent.turn import Done
from ui import wiring
from ui.settings import Settings

ROOT = Path(__file__).parents[1]
DATA = ROOT / "benchmarks/languages_data"
_TOKENS = re.compile(r"\s+(?=[+?!~@-]|\w+(?:<=|>=|<|>|=|:)|add\b)")


@dataclass(frozen=True, slots=True)
class Case:
    """An utterance after others, and the plans that are right, each in its canonical words."""

    before: tuple[str, ...]
    text: str
    plans: tuple[frozenset[str], ...]


def cases(file: Path) -> Iterator[Case]:
    """Yield the cases of a file."""
    before: tuple[str, ...] = ()
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith(">"):
            said = line.removeprefix(">").strip()
            before = (said,) if said else ()
        elif "=>" in line and not line.startswith("#"):
            text, _, plans = line.partition("=>")
            meant = tuple(expected(one) for one in plans.split("||"))
            yield Case(before, text.strip(), meant)


def expected(plan: str) -> frozenset[str]:
    """Return a plan as it is written, in canonical words: one for each part of each act."""
    words: set[str] = set()
    for act in plan.split("&"):
        name, *parts = _TOKENS.split(act.strip())
        for part in parts:
            bare, _, field = part.partition(" ") if part.startswith("@") else (part, "", "")
            words.add(f"{name} {_sorted_values(bare)}")
            words |= {f"{name} {field}"} if field else set()
        name, _, field = name.partition(" ")
        words |= {f"{name} {field}"} if field else {name}
    return frozenset(words)


def _sorted_values(part: str) -> str:
    head, sign, values = part.partition("=")
    if not sign or not head.startswith(("+", "-", "?", "!")):
        return part
    return f"{head}={'|'.join(sorted(values.split('|')))}"


def planned(plan: Plan, slate: Sequence[str]) -> frozenset[str]:
    """Return a plan that was made, in canonical words."""
    words: set[str] = set()
    for act in plan.acts:
        name = "explain-not" if act.why_not else act.act
        words.add(name)
        words |= {f"{name} {part}" for part in _parts(act, plan, slate)}
    return frozenset(words)


def _parts(act: Act, plan: Plan, slate: Sequence[str]) -> Iterator[str]:
    items = [id for ref in act.refs for id in plan.mention(ref).items]
    places = sorted({slate.index(id) + 1 for id in items if id in slate})
    if places:
        yield f"@{','.join(map(str, places))}"
    for sign, ids in (("+", act.want), ("-", act.avoid), ("?", act.prefer), ("!", act.drop)):
        yield from _wishes(sign, [plan.mention(id) for id in ids])
    for mention in map(plan.mention, act.change):
        yield f"{mention.facet}:{mention.direction}"
    if act.join == "add" and any(plan.mention(id).kind == "value" for id in act.want):
        yield "add"
    if act.facet:
        yield act.facet


def _wishes(sign: str, mentions: Sequence[Mention]) -> Iterator[str]:
    values: dict[str, set[str]] = {}
    for one in mentions:
        if one.kind == "value":
            values.setdefault(one.facet or "", set()).update(one.values)
        elif one.kind == "number":
            yield f"{'' if sign == '+' else sign}{one.facet}{_bounds(one)}"
        elif one.kind == "facet" or sign == "!":
            yield f"{sign}{one.facet}"
        elif one.kind in ("relative", "order"):
            yield f"{one.facet}:{one.direction}"
        else:
            yield f"{'' if sign == '+' else sign}~{one.text}"
    yield from (f"{sign}{facet}={'|'.join(sorted(own))}" for facet, own in values.items())


def _bounds(one: Mention) -> str:
    if one.low is not None and one.high is not None:
        return f"={_plain(one.low)}..{_plain(one.high)}"
    sign, bound = ("<", one.high) if one.low is None else (">", one.low)
    return f"{sign}{'' if one.strict else '='}{_plain(bound)}"


def _plain(bound: float | str | None) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)


def taken(parts: Parts, case: Case) -> tuple[Done, tuple[str, ...]]:
    """Return the turn of a case, and what was on show before it."""
    session = parts.store.create_session()
    slate: tuple[str, ...] = ()
    for text in (*case.before, case.text):
        slate = parts.store.load(session).state.slate
        done = next(e for e in respond(parts, session, text) if isinstance(e, Done))
    return done, slate


def measure(parts: Parts, name: str, *, errors: bool) -> dict[str, object]:
    """Return how much of a set is planned exactly as meant; print what is not, if asked to."""
    right: list[bool] = []
    turns: list[float] = []
    for case in cases(DATA / f"{name}.txt"):
        done, slate = taken(parts, case)
        made = _by_the_desk(done) or planned(done.plan, slate)
        right.append(made in case.plans)
        turns.append(done.timings.get("language", 0.0))
        if errors and not right[-1]:
            print(f"{case.text}  [{done.plan.carried}]")
            print(f"    is    {sorted(made)}")
            print(f"    meant {' || '.join(str(sorted(one)) for one in case.plans)}")
    turns.sort()
    return {
        "utterances": len(right), "exact": sum(right),
        "share": round(sum(right) / len(right), 3),
        "carried_ms_median": round(turns[len(turns) // 2], 2),
    }  # fmt: skip


def _by_the_desk(done: Done) -> frozenset[str] | None:
    """Return what the service desk did instead of a planner: a person, or a courtesy."""
    if done.service is not None and done.service.handover is not None:
        return frozenset({"handoff"})
    courtesy = done.service is None and [act.act for act in done.plan.acts] == ["answer"]
    return frozenset({"chitchat"}) if courtesy else None


def main() -> None:
    """Measure the sets and write the figures down."""
    parser = argparse.ArgumentParser(description="Measure understanding of other languages.")
    parser.add_argument("--set", choices=("zh_tuned", "zh_heldout"))
    parser.add_argument("--errors", action="store_true")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(store=f"sqlite:///{folder}/sessions.db", llm="none")
        project = wiring.open_project(None, settings)
        names = [given.set] if given.set else ["zh_tuned", "zh_heldout"]
        report = {name: measure(project.parts, name, errors=given.errors) for name in names}
        project.close()
    print(json.dumps(report, indent=2))
    if given.out is not None:
        given.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
