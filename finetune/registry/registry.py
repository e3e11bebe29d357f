"""The registry: which adapters there are, which one answers, and every step that led there.

    registry = Registry(project / "adapters")
    name = registry.add(trained.folder, "house")
    registry.promote(name, Path("gate.json"))      # only where the gate passed it
    registry.rollback()                            # back to what answered before

The database is the truth. What follows from it (`routes.json`, which serving processes read, and
the audit trail) is written after the transaction and, where a crash came between, by the next
process that opens the registry: until then the old adapter serves. This module loads no model.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from agent.errors import BadRoutes
from agent.routes import Canary, Experiment, Routes, read_routes, write_routes
from finetune.adapters import open_adapter
from finetune.bases import Base, resolve
from finetune.errors import RegistryError
from finetune.events.audit import Audit
from finetune.registry.book import Book
from finetune.registry.experiments import arms_of, shares_of
from finetune.registry.folders import (
    clear_leftovers,
    copy_in,
    keep_report,
    name_of,
    read_lineage,
)
from finetune.registry.reports import read_report
from finetune.registry.step import BASE, Step
from finetune.registry.values import Change, Entry

DATABASE = "registry.db"
KEPT = 10
"""Adapters, the live one and those before it, that sessions may go on with."""

Entries = list[Entry]
Changes = list[Change]
Names = list[str]


class Registry:
    """The adapters of one project. Any number of processes may use one.

    Args:
        folder: Where it is kept; made when it is not there.
        who: Who makes the changes, for the history.
        trail: Where changes are recorded as well; by default in the same folder.
    """

    def __init__(self, folder: Path, *, who: str = "", trail: Audit | None = None) -> None:
        self.folder = folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._trail = trail or Audit(self.folder)
        self._lock = FileLock(self.folder / "registry.lock")
        with self._lock:
            self._book = Book(self.folder / DATABASE)
            self._step = Step(self._book, self.folder, who)
            clear_leftovers(self.folder)
            self._settle()

    def __enter__(self) -> Registry:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the files."""
        self._book.close()

    def list(self) -> Entries:
        """Return the adapters, the oldest first."""
        return [*self._step.entries().values()]

    def get(self, name: str) -> Entry:
        """Return one adapter.

        Raises:
            RegistryError: If there is none of that name.
        """
        return self._step.get(name)

    def live(self) -> Entry | None:
        """Return the adapter that answers; None where the base does without one."""
        name = self._book.serving().live
        return None if name is None else self.get(name)

    def routes(self) -> Routes:
        """Return who is answered with what, as serving processes read it."""
        serving, entries = self._book.serving(), self._step.entries()
        routes = Routes(serving.version, serving.live, serving.canary, serving.experiment)
        # Sessions that began with one before may end with it, and it serves where this one fails.
        before = [name for name in serving.lives[-KEPT:-1] if entries[name].marked is None]
        folders = {name: entries[name].folder for name in (*routes.named, *before)}
        return replace(routes, adapters=folders)

    def history(self, name: str | None = None) -> Changes:
        """Return what was done, the oldest first; to one adapter, or at all."""
        return [one for one in self._book.history() if name is None or one.adapter == name]

    def add(self, folder: Path, base: Base | str, *, parent: str | None = None) -> str:
        """Take a copy of an adapter as a candidate, and return its name here.

        Args:
            base: What it is to be used with, or its name.
            parent: The adapter here that its training began with; by default the one its card
                says, where that is here.

        Raises:
            AdapterError: If it is damaged, or was made for another base.
            RegistryError: If there is no such parent.
        """
        adapter = open_adapter(folder, base if isinstance(base, Base) else resolve(base))
        lineage, name = read_lineage(folder), name_of(adapter)
        with self._change() as step:
            if name in step.entries():
                return name
            parent = step.parent(adapter.card, parent)
            copy_in(adapter, self.folder)
            self._book.add(name, adapter.card, parent)
            self._book.add_lineage(name, "session", lineage.sessions)
            self._book.add_lineage(name, "user", lineage.users)
            step.note(
                "add", name, None, "candidate", weights=adapter.card.weights_hash,
                data=adapter.card.data_hash, parent=parent, sessions=len(lineage.sessions),
                users=len(lineage.users),
            )  # fmt: skip
        return name

    def judge(self, name: str, report: Path) -> bool:
        """Record what the gate said of an adapter, and return whether it passed; else refuse it.

        Raises:
            RegistryError: If the report is none, or of another adapter.
        """
        said = read_report(report)
        with self._change() as step:
            entry = step.get(name)
            if said.candidate != name:
                raise RegistryError(f"{str(report)!r} is about {said.candidate!r}, not {name!r}; "
                                    "the gate must know it by its name here")  # fmt: skip
            step.judged(entry, said, keep_report(self.folder, report, name))
        return said.passed

    def promote(
        self, name: str, report: Path | None = None, *, force: bool = False, why: str = ""
    ) -> None:
        """Have an adapter answer everybody; a canary or experiment ends.

        Args:
            report: The gate's report on it; by default the one it was judged by last.
            force: Promote it whatever the gate says; the history says so.

        Raises:
            RegistryError: If no gate passed it against what answers now, or it is out of use.
        """
        if report is not None:
            self.judge(name, report)
        with self._change() as step:
            entry, serving = step.usable(name), step.serving
            if serving.live == name:
                raise RegistryError(f"{name!r} is live already")
            forced = step.check_passed(entry, force=force)
            step.end_trials(keep=name)
            if serving.live is not None:
                step.leave(step.get(serving.live))
            step.put(name, "live")
            step.serve((*serving.lives, name))
            step.note("promote", name, entry.status, "live", why=why, forced=forced,
                      replaced=serving.live)  # fmt: skip

    def canary(
        self, name: str, share: float, report: Path | None = None, *, force: bool = False,
        why: str = "",
    ) -> None:  # fmt: skip
        """Have an adapter answer a share of the sessions that begin from now on.

        Args:
            report, force: As for `promote`.

        Raises:
            RegistryError: If no gate passed it, or an experiment is under way.
        """
        if not 0 < share < 1:
            raise RegistryError(f"share {share!r}: expected more than 0 and less than 1")
        if report is not None:
            self.judge(name, report)
        with self._change() as step:
            entry, serving = step.usable(name), step.serving
            if serving.live == name:
                raise RegistryError(f"{name!r} is live already, and answers everybody")
            step.no_experiment()
            forced = step.check_passed(entry, force=force)
            before = serving.canary
            # Whoever met it keeps meeting it when its share changes.
            salt = before.salt if before and before.name == name else secrets.token_hex(8)
            step.end_trials(keep=name)
            step.put(name, "canary")
            step.serve(serving.lives, Canary(name, share, salt))
            step.note("canary", name, entry.status, "canary", why=why, share=share, forced=forced)

    def experiment(
        self, title: str, arms: Mapping[str, float], *, interleaved: bool = False,
        force: bool = False, why: str = "",
    ) -> None:  # fmt: skip
        """Compare adapters on the sessions that begin from now on.

        Args:
            arms: Share of each by name, "base" for the model without one; they add up to 1.
            interleaved: Two arms, each with half of every slate; the first one plans and explains.

        Raises:
            RegistryError: If an arm has not passed the gate, or another trial is under way.
        """
        made = arms_of(arms, BASE, interleaved=interleaved)
        with self._change() as step:
            serving = step.serving
            step.no_experiment()
            if serving.canary is not None:
                raise RegistryError(f"{serving.canary.name!r} is a canary: end or promote it first")
            names = [arm.adapter for arm in made if arm.adapter is not None]
            entries = [step.usable(name) for name in names if name != serving.live]
            forced = [step.check_passed(entry, force=force) for entry in entries]
            for entry in entries:
                step.put(entry.name, "canary")
            trial = Experiment(title, secrets.token_hex(8), made, interleaved)
            step.serve(serving.lives, experiment=trial)
            step.note("experiment", None, None, None, why=why, title=title, arms=dict(arms),
                      interleaved=interleaved, forced=any(forced))  # fmt: skip

    def reshare(self, arms: Mapping[str, float], why: str = "") -> None:
        """Share the sessions that begin from now on otherwise among the arms of the experiment.

        Who falls to an arm goes on to, but for those between the old and the new border.

        Raises:
            RegistryError: If none is under way, it has other arms, or its slates are interleaved.
        """
        made = {arm.adapter: arm for arm in arms_of(arms, BASE)}
        with self._change() as step:
            trial = step.serving.experiment
            if trial is None:
                raise RegistryError("no experiment is under way")
            if trial.interleaved:
                raise RegistryError("each ranking fills half of every interleaved slate: there is "
                                    "no other share")  # fmt: skip
            if {arm.adapter for arm in trial.arms} != made.keys():
                own = ", ".join(arm.adapter or BASE for arm in trial.arms)
                raise RegistryError(f"its arms are {own}: end it to compare others")
            ordered = tuple(made[arm.adapter] for arm in trial.arms)
            step.serve(step.serving.lives, experiment=replace(trial, arms=ordered))
            step.note("reshare", None, None, None, why=why, title=trial.name, arms=dict(arms))

    def end_trial(self, why: str = "") -> None:
        """End the canary or the experiment: the live adapter answers everybody.

        Raises:
            RegistryError: If there is none.
        """
        with self._change() as step:
            serving = step.serving
            if serving.canary is None and serving.experiment is None:
                raise RegistryError("no canary or experiment is under way")
            ended = step.end_trials()
            step.serve(serving.lives)
            step.note("end", None, None, None, why=why, ended=ended)

    def rollback(self, why: str = "") -> str | None:
        """Go back to what answered before, for everybody at once; return it, None for the base.

        A canary or experiment ends too. Adapters that must not serve any more are passed over.

        Raises:
            RegistryError: If the base answers already.
        """
        with self._change() as step:
            return step.roll_back(why)

    def retire(self, name: str, why: str = "") -> None:
        """Take an adapter out of use; sessions that have it go on with the live one.

        Raises:
            RegistryError: If it is live: something must answer.
        """
        with self._change() as step:
            entry, serving = step.get(name), step.serving
            if serving.live == name:
                raise RegistryError(f"{name!r} is live: promote another one, or roll back")
            on_trial = entry.status == "canary"
            if on_trial:
                step.end_trials(keep=name)
            after = step.leave(entry)
            lives = tuple(one for one in serving.lives if one != name)
            trials = (None, None) if on_trial else (serving.canary, serving.experiment)
            step.serve(lives, *trials)
            step.note("retire", name, entry.status, after, why=why)

    def mark_forgotten(
        self, session_keys: Collection[str], user_key: str | None = None, *, retire: bool = False
    ) -> Names:
        """Mark the adapters made from data that was deleted; return their names.

        Those that serve go on until another one takes their place; the others are out of use.
        Adapters trained on from a marked one are marked as well.

        Args:
            retire: Take those that serve out of use now.
        """
        with self._change() as step:
            held = self._book.holding("session", list(session_keys))
            held |= self._book.holding("user", [user_key] if user_key else [])
            entries = step.entries()
            for name, entry in entries.items():  # parents come before children
                if name in held or entry.parent in held:
                    held.add(name)
                    step.mark(entry)
            if retire and step.serving.live in held:
                step.roll_back("data it was made from was deleted")
            elif retire and held & set(shares_of(step.serving)):
                step.end_trials()
                step.serve(step.serving.lives)
            return [name for name in entries if name in held]

    def learned_from(self, session_keys: Collection[str], user_keys: Collection[str] = ()) -> Names:
        """Return the adapters made from the data of these keys, and those trained on from them."""
        held = self._book.holding("session", list(session_keys))
        held |= self._book.holding("user", list(user_keys))
        for entry in self.list():  # parents come before children
            if entry.parent in held:
                held.add(entry.name)
        return [entry.name for entry in self.list() if entry.name in held]

    @contextmanager
    def _change(self) -> Iterator[Step]:
        """Hold the registry for one change: all of it, or nothing."""
        with self._lock:
            with self._book.transaction():
                yield self._step
            self._settle()

    def _settle(self) -> None:
        """Write what follows from the database, where it is not written yet."""
        routes = self.routes()
        try:
            behind = read_routes(self.folder) != routes
        except BadRoutes:
            behind = True
        if behind:
            write_routes(self.folder, routes)
        for change in self._book.history(unaudited=True):
            told = {"adapter": change.adapter, "before": change.before, "after": change.after}
            self._trail.append(f"adapter.{change.action}", change=change.number, who=change.who,
                               why=change.why, **told, **change.facts)  # fmt: skip
            self._book.audited(change.number)
