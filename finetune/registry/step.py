"""One step under way: what of it is allowed, and what follows for the adapters around it.

Everything here happens inside one transaction of the book (`finetune.registry.registry` opens it);
where a rule is broken an error leaves all as it was.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.routes import Canary, Experiment
from finetune.adapters import Card, open_adapter
from finetune.errors import AdapterError, RegistryError
from finetune.registry.book import Book, Serving
from finetune.registry.experiments import shares_of
from finetune.registry.reports import GateReport
from finetune.registry.values import SERVING, Change, Entry, Judgement, Status

BASE = "base"
"""How the model without an adapter is called where an adapter's name is expected."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a step works with.

    Args:
        folder: That of the registry.
        who: Who takes the step.
    """

    book: Book
    folder: Path
    who: str

    @property
    def serving(self) -> Serving:
        """Who answers now."""
        return self.book.serving()

    def entries(self) -> dict[str, Entry]:
        """Return the adapters by name, the oldest first."""
        shares = shares_of(self.serving)
        found = self.book.entries(self.folder)
        return {name: replace(one, share=shares.get(name, 0.0)) for name, one in found.items()}

    def get(self, name: str) -> Entry:
        """Return one adapter; RegistryError names those there are."""
        entries = self.entries()
        if name not in entries:
            known = ", ".join(map(repr, entries)) or "none yet"
            raise RegistryError(f"there is no adapter {name!r} here; there are: {known}")
        return entries[name]

    def parent(self, card: Card, given: str | None) -> str | None:
        """Return the adapter that training began with: the one given, else the card's, if here."""
        if given is not None:
            return self.get(given).name
        found = [e.name for e in self.entries().values() if e.card.weights_hash == card.parent]
        return found[0] if found else None

    def note(
        self, action: str, adapter: str | None, before: str | None, after: str | None,
        *, why: str = "", **facts: Any,
    ) -> None:  # fmt: skip
        """Write down what is done."""
        now = datetime.now(UTC)
        self.book.note(Change(0, now, self.who, action, adapter, before, after, why, facts))

    def usable(self, name: str) -> Entry:
        """Return an adapter that may serve: its files are whole, and its data not deleted."""
        entry = self.get(name)
        if entry.marked is not None:
            raise RegistryError(f"{name!r} was made from data that was deleted on "
                                f"{entry.marked:%Y-%m-%d}: train another one")  # fmt: skip
        open_adapter(entry.folder)
        return entry

    def check_passed(self, entry: Entry, *, force: bool) -> bool:
        """Return whether an adapter serves although no gate passed it; refuse it unless forced."""
        problem = self._against(entry)
        if problem and not force:
            raise RegistryError(f"{entry.name!r} is not put before people: {problem}")
        return bool(problem)

    def _against(self, entry: Entry) -> str:
        """Return what speaks against an adapter; nothing where the gate passed it."""
        said, live = entry.judgement, self.serving.live
        if said is None:
            return "no gate has judged it; run attune evaluate gate, or force it"
        if not said.passed:
            return f"the gate refused it ({said.path})"
        if entry.status == "retired":
            return "it was taken out of use; judge it again, or force it"
        # A base is called so, or by its own name.
        now = {BASE, entry.card.base} if live is None else {live}
        if said.baseline not in now:
            return (f"the gate compared it with {said.baseline!r}, but {live or BASE!r} answers "
                    "now; judge it again")  # fmt: skip
        return ""

    def judged(self, entry: Entry, said: GateReport, kept: Path) -> None:
        """Write down what the gate said."""
        known = entry.judgement is not None and entry.judgement.hash == said.hash
        where = str(kept.relative_to(self.folder))
        judgement = Judgement(said.passed, said.baseline, where, said.hash)
        self.book.update(entry.name, judgement=json.dumps(asdict(judgement)))
        after = entry.status
        if not said.passed and entry.status in ("candidate", "retired"):
            after = "refused"
        elif said.passed and entry.status in ("refused", "retired") and not known:
            after = "candidate"
        self.put(entry.name, after)
        self.note("judge", entry.name, entry.status, after, passed=said.passed, report=said.hash)

    def put(self, name: str, status: Status) -> None:
        """Give an adapter a status."""
        self.book.update(name, status=status)

    def leave(self, entry: Entry) -> Status:
        """Take an adapter out of use; return what it is then."""
        after: Status = "forgotten" if entry.marked else "retired"
        self.put(entry.name, after)
        return after

    def serve(
        self,
        lives: tuple[str, ...],
        canary: Canary | None = None,
        experiment: Experiment | None = None,
    ) -> None:
        """Change who answers."""
        self.book.serve(Serving(self.serving.version + 1, lives, canary, experiment))

    def end_trials(self, keep: str | None = None) -> list[str]:
        """Take what answers only a share out of use, but one; return their names."""
        ended = [e for e in self.entries().values() if e.status == "canary" and e.name != keep]
        for entry in ended:
            self.leave(entry)
        return [entry.name for entry in ended]

    def no_experiment(self) -> None:
        """Refuse to go on while an experiment is under way."""
        if self.serving.experiment is not None:
            raise RegistryError(f"the experiment {self.serving.experiment.name!r} is under way: "
                                "end it first")  # fmt: skip

    def roll_back(self, why: str) -> str | None:
        """Go back to the last that may serve; return it, None for the base."""
        serving, entries = self.serving, self.entries()
        if serving.live is None:
            raise RegistryError("the base model answers already: nothing to roll back to")
        left, *others = [entries[name] for name in reversed(serving.lives)]
        passed_over = []
        while others and not _may_return(others[0]):
            passed_over.append(others.pop(0).name)
        ended = self.end_trials()
        after = self.leave(left)
        back = others[0].name if others else None
        if back is not None:
            self.put(back, "live")
        self.serve(tuple(entry.name for entry in reversed(others)))
        self.note("rollback", left.name, "live", after, why=why, ended=ended, live=back,
                  passed_over=passed_over)  # fmt: skip
        return back

    def mark(self, entry: Entry) -> None:
        """Mark that data an adapter was made from was deleted."""
        if entry.marked is not None:
            return
        after: Status = entry.status if entry.status in SERVING else "forgotten"
        self.book.update(entry.name, marked=datetime.now(UTC).isoformat(timespec="seconds"))
        self.put(entry.name, after)
        self.note("forget", entry.name, entry.status, after)


def _may_return(entry: Entry) -> bool:
    try:
        open_adapter(entry.folder)
    except AdapterError:
        return False
    return entry.marked is None
