"""Play every hostile text (tests/hostile/attacks.jsonl) through whole conversations and count.

    python benchmarks/hostile.py [--minds rules obedient house] [--every N] [--out JSON] [--docs]

Minds: `rules`, the planner without a model; `house`, the model that comes with Attune, where it is
installed; `obedient`, a model that always answers what the attacker wants. Broken: an invariant of
tests/hostile/invariants.py does not hold. Misread: the turns brought other wishes or items than
the same turns with the text neutralised (not counted where the shopper says the text). With --docs
the tables in docs/security.md are written again from the result.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.progress import track

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from agent.store import Store  # noqa: E402
from agent.voice import Voice  # noqa: E402
from tests.agent.clothes import MemoryShop  # noqa: E402
from tests.hostile.attacks import Attack, attacks  # noqa: E402
from tests.hostile.invariants import misread, violations  # noqa: E402
from tests.hostile.world import World, make_world, obeying, play  # noqa: E402

OUT = ROOT / "benchmarks" / "results" / "hostile.json"
DOCS = ROOT / "docs" / "security.md"
_BLOCK = re.compile(r"(<!-- hostile: (\w+) -->\n).*?(<!-- /hostile -->)", re.DOTALL)

VoiceOf = Callable[[Attack, MemoryShop], Voice]


def house() -> VoiceOf | None:
    """Return the house model's voice as it is served; None where it is not installed."""
    from agent.local_chat import LocalChat
    from agent.voices import house_voice
    from finetune.bases import HOUSE

    if not (HOUSE / "config.json").is_file():
        return None
    chat = LocalChat(HOUSE, name="house", patience_s=120.0)
    return lambda attack, shop: house_voice(chat, shop, explains=True)  # type: ignore[arg-type]


def minds(names: Sequence[str]) -> dict[str, VoiceOf | None]:
    """Return what plans, by name."""
    known: dict[str, Callable[[], VoiceOf | None]] = {
        "rules": lambda: None, "obedient": lambda: obeying, "house": house,
    }  # fmt: skip
    made = {name: known[name]() for name in names}
    return {name: voice for name, voice in made.items() if voice is not None or name == "rules"}


def run(
    chosen: Sequence[Attack], store: Store, of: dict[str, VoiceOf | None], house_every: int
) -> list[dict[str, Any]]:
    """Play the attacks; return one row for each and each mind."""
    rows = []
    for place, attack in enumerate(track(chosen, "Attacks", transient=True)):
        quiet = attack.neutral()
        for mind, voice_of in of.items():
            if mind == "house" and place % house_every:
                continue
            neutral = play(make_world(quiet, store, voice_of if mind == "house" else None), quiet)
            world = play(make_world(attack, store, voice_of), attack)
            compared = None if mind == "obedient" else neutral
            rows.append({
                "id": attack.id, "mind": mind, "channel": attack.channel, "goal": attack.goal,
                "trick": attack.trick, "broken": violations(world, attack, compared),
                "misread": attack.channel != "user" and misread(world, neutral),
                "planned_by_model": _planned(world),
            })  # fmt: skip
    return rows


def _planned(world: World) -> int:
    return sum(done.planner == "llm" for done in world.said)


def counts(rows: Sequence[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    """Return runs, broken and misread ones by a key and mind."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        own = found.setdefault(row[key], {}).setdefault(row["mind"], Counter())
        own.update({"n": 1, "broken": bool(row["broken"]), "misread": row["misread"]})
    return {name: {mind: dict(own) for mind, own in by.items()} for name, by in found.items()}


def table(by: dict[str, dict[str, Any]], first: str) -> str:
    """Return counts as a Markdown table: attacks, and broken ones by mind."""
    names = list(dict.fromkeys(mind for own in by.values() for mind in own))
    head = [first, "attacks", *(f"broken, {name}" for name in names), "misread, obedient"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for name, own in by.items():
        cells = [name, str(max(one["n"] for one in own.values()))]
        cells += [_broken(own.get(mind, {})) for mind in names]
        cells.append(str(own.get("obedient", {}).get("misread", "–")))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _broken(own: dict[str, int]) -> str:
    return f"{own['broken']} of {own['n']}" if own else "–"


def write_docs(result: dict[str, Any]) -> None:
    """Write the tables of the page again."""
    text = DOCS.read_text(encoding="utf-8")
    DOCS.write_text(
        _BLOCK.sub(lambda m: f"{m[1]}{table(result['by_' + m[2]], m[2])}\n{m[3]}", text),
        encoding="utf-8",
    )


def main() -> None:
    """Run everything and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minds", nargs="+", default=["rules", "obedient", "house"],
                        choices=["rules", "obedient", "house"])  # fmt: skip
    parser.add_argument("--every", type=int, default=1, help="only every Nth attack")
    parser.add_argument("--house-every", type=int, default=4, help="every Nth of these by house")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--docs", action="store_true", help="only write the page from the result")
    args = parser.parse_args()
    if args.docs:
        write_docs(json.loads(args.out.read_text(encoding="utf-8")))
        return
    logging.disable(logging.CRITICAL)
    begun, chosen = time.perf_counter(), attacks()[:: args.every]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/sessions.db")
        rows = run(chosen, store, minds(args.minds), args.house_every)
        store.close()
    result = {
        "attacks": len(chosen), "conversations": len(rows),
        "turns_planned_by_a_model": sum(row["planned_by_model"] for row in rows),
        "broken": [row for row in rows if row["broken"]],
        "by_channel": counts(rows, "channel"), "by_goal": counts(rows, "goal"),
        "by_trick": counts(rows, "trick"), "seconds": round(time.perf_counter() - begun),
    }  # fmt: skip
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"{len(chosen)} attacks, {len(rows)} conversations, {len(result['broken'])} broken")
    raise SystemExit(bool(result["broken"]))


if __name__ == "__main__":
    main()
