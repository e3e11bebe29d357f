"""`attune adapters`: which adapters a project has, which answer, and how that is changed."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ui.errors import UIError

if TYPE_CHECKING:
    from agent.routes import Experiment
    from finetune.registry import Change, Entry, Registry

Command = TypeVar("Command", bound=Callable[..., Any])

FOLDER = click.Path(file_okay=False, path_type=Path)
REPORT = click.Path(dir_okay=False, path_type=Path)
ADAPTERS = "adapters"
"""Folder of the registry in a project directory."""

_project = click.argument("project", required=False, type=FOLDER, metavar="[DIR]")
_registry = click.option("--registry", type=FOLDER, help="Registry; by default DIR/adapters.")
_why = click.option("--why", default="", metavar="TEXT", help="Reason, for the history.")
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
_force = click.option("--force", is_flag=True, help="Whatever the gate says; it is recorded.")
_report = click.option("--report", type=REPORT, help="The gate's report; by default the last one.")


def _on(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for option in reversed((*options, _project, _registry)):
            command = option(command)
        return command

    return add


@click.group()
def adapters() -> None:
    """Show adapters, and decide which of them answer.

    DIR is a project (default: .attune here, else the demo). A running server follows within a
    second.
    """


@adapters.command("list")
@_on(_json)
def list_(project: Path | None, registry: Path | None, as_json: bool) -> None:
    """Show the adapters of a project, the oldest first."""
    with opened(project, registry) as registry_:
        entries, trial = registry_.list(), registry_.routes().experiment
    if as_json:
        told = [entry_json(one) for one in entries]
        click.echo(json.dumps({"adapters": told, "experiment": trial and asdict(trial)}))
    else:
        click.echo("\n".join([table(entries), *([experiment_line(trial)] if trial else [])]))


@adapters.command()
@click.argument("name")
@_on(_json)
def show(name: str, project: Path | None, registry: Path | None, as_json: bool) -> None:
    """Show one adapter: what it was made from, how it was judged, what was done to it."""
    with opened(project, registry) as registry_:
        entry, history = registry_.get(name), registry_.history(name)
    if as_json:
        changes = [change_json(one) for one in history]
        click.echo(json.dumps({**entry_json(entry), "history": changes}))
    else:
        click.echo(told_of(entry, history))


@adapters.command()
@click.argument("folder", type=FOLDER)
@_on(
    click.option("--base", default="house", show_default=True, help="What it is to be used with."),
    click.option("--parent", metavar="NAME", help="The adapter its training began with."),
)
def add(
    folder: Path, base: str, parent: str | None, project: Path | None, registry: Path | None
) -> None:
    """Take a copy of a trained adapter as a candidate, and print its name."""
    with opened(project, registry) as registry_:
        click.echo(registry_.add(folder, base, parent=parent))


@adapters.command()
@click.argument("name")
@_on(_report, _force, _why)
def promote(
    name: str, report: Path | None, force: bool, why: str, project: Path | None,
    registry: Path | None,
) -> None:  # fmt: skip
    """Have an adapter that passed the gate answer everybody."""
    with opened(project, registry) as registry_:
        registry_.promote(name, report, force=force, why=why)
    click.echo(f"{name} is live")


@adapters.command()
@click.argument("name")
@_on(
    click.option("--share", default=0.1, show_default=True, help="Of the sessions that begin."),
    _report, _force, _why,
)  # fmt: skip
def canary(
    name: str, share: float, report: Path | None, force: bool, why: str, project: Path | None,
    registry: Path | None,
) -> None:  # fmt: skip
    """Have an adapter that passed the gate answer a share of the sessions that begin."""
    with opened(project, registry) as registry_:
        registry_.canary(name, share, report, force=force, why=why)
    click.echo(f"{name} answers {share:.0%} of the sessions that begin")


@adapters.command()
@click.argument("title")
@_on(
    click.option("--arm", "arms", multiple=True, required=True, metavar="NAME=SHARE",
                 help="An adapter, or base, and its share; together they are 1."),
    click.option("--interleave", is_flag=True, help="Both rankings take turns in each slate, "
                 "instead of sessions being shared out; two arms of 0.5."),
    _force, _why,
)  # fmt: skip
def experiment(
    title: str, arms: tuple[str, ...], interleave: bool, force: bool, why: str,
    project: Path | None, registry: Path | None,
) -> None:  # fmt: skip
    """Compare adapters that passed the gate on the sessions that begin."""
    shares = dict(_arm(one) for one in arms)
    with opened(project, registry) as registry_:
        registry_.experiment(title, shares, interleaved=interleave, force=force, why=why)
        trial = registry_.routes().experiment
    if trial is not None:
        click.echo(experiment_line(trial))


@adapters.command()
@_on(_why)
def end(why: str, project: Path | None, registry: Path | None) -> None:
    """End the canary or the experiment: the live adapter answers everybody."""
    with opened(project, registry) as registry_:
        registry_.end_trial(why)
        live = registry_.live()
    click.echo(f"{live.name if live else 'the base'} answers everybody")


@adapters.command()
@_on(_why)
def rollback(why: str, project: Path | None, registry: Path | None) -> None:
    """Go back to what answered before, for everybody at once."""
    with opened(project, registry) as registry_:
        click.echo(f"{registry_.rollback(why) or 'the base'} is live")


@adapters.command()
@click.argument("name")
@_on(_why)
def retire(name: str, why: str, project: Path | None, registry: Path | None) -> None:
    """Take an adapter out of use."""
    with opened(project, registry) as registry_:
        registry_.retire(name, why)
    click.echo(f"{name} is out of use")


def opened(project: Path | None, registry: Path | None) -> Registry:
    """Open the registry that is meant; a project's is made when it is first needed.

    Raises:
        UIError: If there is no such project.
    """
    from finetune.registry import Registry

    return Registry(registry if registry is not None else _of(project), who=who())


def _of(project: Path | None) -> Path:
    from retrieval.project import has_manifest
    from ui.cli import settings
    from ui.wiring import default_project

    folder = project if project is not None else default_project(settings())
    if not has_manifest(folder):
        raise UIError(f"{str(folder)!r} is no project; give a folder that `attune index` wrote, or "
                      "--registry FOLDER")  # fmt: skip
    return folder / ADAPTERS


def who() -> str:
    """Return the name of whoever runs this, where the system knows it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _arm(given: str) -> tuple[str, float]:
    name, _, share = given.rpartition("=")
    try:
        return name or "", float(share)
    except ValueError:
        raise UIError(f"--arm {given!r}: expected NAME=SHARE, such as base=0.5") from None


def entry_json(entry: Entry) -> dict[str, Any]:
    """Return an adapter as JSON."""
    said = entry.judgement
    return {
        "name": entry.name, "status": entry.status, "share": round(entry.share, 6),
        "added": entry.added.isoformat(), "method": entry.card.method, "base": entry.card.base,
        "data_hash": entry.card.data_hash, "weights_hash": entry.card.weights_hash,
        "metrics": entry.card.metrics, "parent": entry.parent,
        "gate": said and {"passed": said.passed, "baseline": said.baseline, "report": said.path,
                          "hash": said.hash},
        "data_deleted": entry.marked and entry.marked.isoformat(), "folder": str(entry.folder),
    }  # fmt: skip


def change_json(change: Change) -> dict[str, Any]:
    """Return a change as JSON."""
    return {
        "time": change.time.isoformat(), "who": change.who, "action": change.action,
        "before": change.before, "after": change.after, "why": change.why, **change.facts,
    }  # fmt: skip


def table(entries: list[Entry]) -> str:
    """Return adapters as a table."""
    if not entries:
        return "no adapters yet: the base answers; attune adapters add FOLDER takes one"
    rows = [("NAME", "STATUS", "SHARE", "GATE", "METHOD", "BASE", "ADDED", "")]
    rows += [
        (
            entry.name, entry.status, f"{entry.share:.0%}" if entry.share else "-", _gate(entry),
            entry.card.method, entry.card.base, f"{entry.added:%Y-%m-%d %H:%M}",
            "its data was deleted" if entry.marked else "",
        )
        for entry in entries
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def experiment_line(trial: Experiment) -> str:
    """Return an experiment in a line."""
    shares = ", ".join(f"{arm.adapter or 'base'} {arm.share:.0%}" for arm in trial.arms)
    how = " of each slate, interleaved" if trial.interleaved else ""
    return f"experiment {trial.name}: {shares}{how}"


def _gate(entry: Entry) -> str:
    if entry.judgement is None:
        return "-"
    return "passed" if entry.judgement.passed else "refused"


def told_of(entry: Entry, history: list[Change]) -> str:
    """Return one adapter with its history, for people."""
    card, said = entry.card, entry.judgement
    judged = f"{_gate(entry)} beside {said.baseline} ({said.path})" if said else "not judged"
    facts = {
        "status": entry.status, "share": f"{entry.share:.0%}", "gate": judged,
        "method": card.method, "base": f"{card.base} ({card.base_fingerprint[:12]}…)",
        "data": f"{card.data_hash[:12]}…", "parent": entry.parent or "none",
        "metrics": ", ".join(f"{name} {value:.4g}" for name, value in card.metrics.items()),
        "folder": str(entry.folder),
    }  # fmt: skip
    lines = [entry.name, *(f"  {name:<8}{value}" for name, value in facts.items())]
    if entry.marked:
        lines.append(f"  data it was made from was deleted on {entry.marked:%Y-%m-%d}")
    return "\n".join([*lines, "history", *map(_line, history)])


def _line(change: Change) -> str:
    moved = f"{change.before or 'new'} -> {change.after}" if change.before != change.after else ""
    said = (f"{change.time:%Y-%m-%d %H:%M:%S}", change.who, change.action, moved, change.why)
    return f"  {'  '.join(part for part in said if part)}"
