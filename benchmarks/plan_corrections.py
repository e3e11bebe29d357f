"""How many plan pairs made of simulated logs are right, where what each user meant is known.

    python -m benchmarks.plan_corrections [--users 400] [--population dialect] [--llm house]

A turn was misread if the need after it lacks what its move meant, or wants the opposite. A pair is
right if its turn was misread and the chosen plan gives what was meant. Recall is over misread turns
that the user then repaired. Nobody's words here were written by people.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from agent.apply import apply
from agent.logged import LoggedSession, LoggedTurn
from agent.plan import Act
from agent.state import State
from agent.store import Store
from finetune.pairs.atoms import Atom, atoms
from finetune.pairs.catalog import Catalog
from finetune.pairs.plans import meant_acts
from finetune.pairs.repairs import Repair, repairs
from finetune.simulator import Population, read_population, simulate
from finetune.simulator.speech import Move
from finetune.simulator.users import User
from finetune.simulator.wording import by_phrases
from retrieval.catalog import Item
from retrieval.filters import fold
from ui import wiring
from ui.chat_models import chat_model
from ui.cli import settings


def understood(move: Move, state: State, acts: Sequence[Act]) -> bool:
    """Return whether a state, and the acts that led to it, hold what a move meant."""
    found = {atom._replace(value=fold(str(atom.value))) for atom in atoms(state.need)}
    kind = move.of if move.kind == "repair" and move.of else move.kind
    for wish in move.wishes:
        value = fold(wish.decoy if move.decoy and wish.decoy else wish.value)
        if wish.kind == "below":
            if not any(a.way == "high" and a.facet == wish.facet for a in found):
                return False
            continue
        own = Atom(wish.kind, wish.facet, value)
        as_words = Atom("avoid", "text", value)
        if own not in found and not (wish.kind == "avoid" and as_words in found):
            return False
    if kind == "like":
        return Atom("like", "", fold(move.item_id)) in found
    return kind != "more" or any(act.act == "more" for act in acts)


def measure(population: Population, users: int, seed: int, llm: str) -> dict[str, object]:
    """Return precision and recall of the pairs of a simulation."""
    moves: dict[tuple[str, str], Move] = {}

    def wording(move: Move, user: User, slate: Sequence[Item], random: Random) -> str:
        text = by_phrases(move, user, slate, random)
        moves[user.name, text] = move
        return text

    own = settings(llm=llm)
    folder = wiring.default_project(own)
    with (
        wiring.open_retriever(folder, own) as retriever,
        tempfile.TemporaryDirectory() as scratch,
    ):
        store = Store(f"sqlite:///{Path(scratch) / 'sessions.db'}")
        chat = chat_model(own) if llm != "none" else None
        planner = wiring.make_planner(retriever, own, chat)
        parts = wiring.Parts(store, retriever, wiring.Linker.build(retriever), planner)
        simulate(parts, retriever, store, population, users, seed, wording=wording)
        catalog, counts, notes = Catalog(retriever), Counter[str](), list[str]()
        for session in store.logged():
            _count(session, catalog, moves, counts, notes)
        store.close()
    pairs = counts["pairs"]
    return {
        "population": population.name, "changes": population.changes, "planner": llm,
        "users": users, **counts, "notes": notes[:20],
        "precision": counts["right"] / pairs if pairs else None,
        "recall": counts["found"] / counts["repaired"] if counts["repaired"] else None,
    }  # fmt: skip


def _count(
    session: LoggedSession, catalog: Catalog, moves: dict[tuple[str, str], Move],
    counts: Counter[str], notes: list[str],
) -> None:  # fmt: skip
    def move_of(turn: LoggedTurn) -> Move | None:
        return moves.get((session.user or "", turn.utterance))

    misread: dict[str, str] = {}
    for turn, later in zip(session.turns, session.turns[1:], strict=False):
        move, after = move_of(turn), move_of(later)
        if move is None or after is None:
            continue
        counts["turns"] += 1
        if not understood(move, turn.state, turn.plan.acts):
            misread[turn.id] = ""
            counts["misread"] += 1
            if after.kind == "repair":
                counts["repaired"] += 1
                misread[turn.id] = f"missed: {turn.utterance!r} then {later.utterance!r}"
    for repair in repairs(session, catalog):
        if not isinstance(repair, Repair) or move_of(repair.turn) is None:
            continue
        acts = meant_acts(session, repair, catalog)
        if acts is None or acts == repair.turn.plan.acts:
            continue
        request = catalog.request(session, repair.turn)
        plan = repair.turn.plan.model_copy(update={"acts": acts})
        items = catalog.pointed_at(session, request)
        state = apply(request.state, plan, items, catalog.facets)
        move = move_of(repair.turn)
        assert move is not None
        right = repair.turn.id in misread and understood(move, state, acts)
        counts["pairs"] += 1
        counts["right"] += right
        counts["found"] += bool(misread.pop(repair.turn.id, ""))
        if not right:
            then = [one.utterance for one in session.turns if one.number == repair.turn.number + 1]
            notes.append(f"wrong: {repair.turn.utterance!r} then {then}: {[*map(str, acts)]}")

    notes += filter(None, misread.values())


def main() -> None:
    """Print a line of JSON for the population, and one where it often changes its mind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=400)
    parser.add_argument("--population", default="dialect")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--llm", default="none")
    given = parser.parse_args()
    population = read_population(given.population)
    for one in (population, replace(population, name="fickle", changes=0.8)):
        print(json.dumps(measure(one, given.users, given.seed, given.llm), ensure_ascii=False))


if __name__ == "__main__":
    main()
