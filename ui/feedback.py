"""`attune feedback`: what people did, as files, as figures, and as something that can be forgotten.

`attune feedback pairs` is in `ui.pairs`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ui.adapters import ADAPTERS
from ui.errors import UIError
from ui.privacy_jobs import pairs_of
from ui.reports import table

if TYPE_CHECKING:
    from agent.store import Store
    from finetune.events.audit import Entry
    from finetune.events.forgetting import Forgotten, Registry
    from finetune.events.impressions import Form
    from finetune.events.moving import Imported
    from finetune.events.report import Report

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
LISTED = 10
"""Rejects, and people who were limited, that are shown."""
DAYS = 14


@click.group()
def feedback() -> None:
    """Read, count, bound and forget what people did with what they were shown."""


@contextmanager
def stored(folder: Path) -> Iterator[Store]:
    """Open the session store of a project, or the one that ATTUNE_STORE names."""
    from ui import wiring
    from ui.cli import settings

    own = settings()
    if own.store is None and not folder.is_dir():
        raise UIError(f"{str(folder)!r} is no folder; give a project that `attune index` wrote")
    store = wiring.open_store(folder, own)
    try:
        yield store
    finally:
        store.close()


def _moment(date: datetime | None) -> datetime | None:
    return None if date is None else date.replace(tzinfo=UTC)


@feedback.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--out", type=FILE, required=True, help=".jsonl, .jsonl.gz or .parquet.")
@click.option("--since", type=click.DateTime(), metavar="DATE", help="Sessions with anything from "
              "then on (UTC).")  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Also sessions in which learning was "
              "refused, for figures of your own; their events say so.")  # fmt: skip
def export(folder: Path, out: Path, since: datetime | None, everything: bool) -> None:
    """Write sessions with what was said, shown and done to a file."""
    from finetune.events.moving import export_sessions

    with stored(folder) as store:
        done = export_sessions(store, out, since=_moment(since), everything=everything)
    click.echo(f"{done.sessions:,} sessions written to {out}")
    if done.withheld:
        click.echo(f"{done.withheld:,} withheld: learning from them was refused (--all has them)")


@feedback.command("import")
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.argument("file", type=FILE, metavar="FILE")
def import_(folder: Path, file: Path) -> None:
    """Put exported sessions, or single events as JSONL, into the store of a project.

    Importing again changes nothing. Lines that cannot be taken are listed and kept in
    FILE.rejects.jsonl; the exit code is 3 then.
    """
    from finetune.events.moving import import_file
    from ui.cli import settings
    from ui.privacy_wiring import masker_of

    with stored(folder) as store, masker_of(folder, settings()) as masker:
        done = import_file(store, file, masker)
    click.echo(import_text(done))
    if done.rejects:
        raise SystemExit(3)


def import_text(done: Imported) -> str:
    """Return what became of a file, as lines."""
    lines = [f"{done.sessions:,} sessions and {done.events:,} single events taken, {done.known:,} "
             "known already"]  # fmt: skip
    lines += [f"{one.file}:{one.line}: {one.reason}" for one in done.rejects[:LISTED]]
    if len(done.rejects) > LISTED:
        lines.append(f"… and {len(done.rejects) - LISTED:,} more")
    if done.aside is not None:
        lines.append(f"{len(done.rejects):,} lines were not taken; they are kept in {done.aside}")
    return "\n".join(lines)


@feedback.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--since", type=click.DateTime(), metavar="DATE", help="Sessions with anything from "
              "then on (UTC).")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def report(folder: Path, since: datetime | None, as_json: bool) -> None:
    """Count what people did, and say what looks wrong with it."""
    from finetune.events.report import report as figures

    with stored(folder) as store:
        found = figures(store.logged(_moment(since)))
    told = json.dumps(found.to_json(), ensure_ascii=False) if as_json else report_text(found)
    click.echo(told)


def report_text(found: Report) -> str:
    """Return the figures of feedback as text."""
    consent = "–" if found.consent is None else f"{found.consent:.1%}"
    answered = f"{found.with_feedback:.1%} with feedback"
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in found.kinds.items() if n) or "none"
    lines = [
        f"sessions  {found.sessions:,} of {found.users:,} users; {found.anonymous:,} without one",
        f"turns     {found.turns:,}; {found.slates:,} slates, {answered}",
        f"events    {found.events:,}: {kinds}",
        f"consent   {consent} of events; {found.refused:,} sessions withheld from learning",
    ]
    days = [(date, f"{n['sessions']:,}", f"{n['events']:,}") for date, n in found.days.items()]
    lines += ["", *table([("day", "sessions", "events"), *days[-DAYS:]])] if days else []
    rows = [(one.policy, f"{one.slates:,}", f"{one.lowest:.3g}", f"{one.mean:.3g}",
             f"{one.effective:.1%}") for one in found.chances]  # fmt: skip
    head = ("policy", "slates", "lowest chance", "mean", "effective sample")
    lines += ["", *table([head, *rows])] if rows else []
    top = [(one.key, f"{one.sessions:,}", f"{one.events:,}", f"{one.share:.1%}")
           for one in found.top]  # fmt: skip
    lines += ["", *table([("most from", "sessions", "events", "share"), *top])] if top else []
    cuts = [(one.key, one.reason, f"{one.given:,}", f"{one.kept:,}") for one in found.caps.cuts]
    lines += ["", *table([("limited", "why", "gave", "teaches"), *cuts[:LISTED]])] if cuts else []
    return "\n".join([*lines, *(f"doubt: {one}" for one in found.doubts)])


@feedback.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--out", type=FILE, required=True, help="JSONL file to write.")
@click.option("--form", type=click.Choice(["impressions", "pairs"]), default="impressions",
              show_default=True, help="Slates with verdicts, for rankers and encoders; or pairs, "
              "for encoders.")  # fmt: skip
@click.option("--since", type=click.DateTime(), metavar="DATE", help="Sessions with anything from "
              "then on (UTC).")  # fmt: skip
def impressions(folder: Path, out: Path, form: Form, since: datetime | None) -> None:
    """Write what `attune tune ranker`, `cross-encoder` and `encoder` read as --feedback.

    Nobody's part is larger than the limits allow (`attune feedback report` names them).
    """
    from finetune.events.caps import capped
    from finetune.events.impressions import rows_of, write_rows
    from finetune.events.moving import sessions_of

    with stored(folder) as store:
        made = rows_of(capped(sessions_of(store, since=_moment(since))).sessions, form)
    write_rows(out, made)
    click.echo(f"{len(made.rows):,} {form} written to {out}")
    for why, n in made.left_out.most_common():
        click.echo(f"{n:,} slates left out: {why}")


@feedback.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.argument("user", required=False, metavar="[USER]")
@click.option("--pairs", type=FOLDER, multiple=True, help="Folder of pairs; may be repeated.")
@click.option("--registry", "adapters", type=FOLDER, help="Folder of the registry of adapters.  "
              "[default: DIR/adapters]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def forget(
    folder: Path, user: str | None, pairs: tuple[Path, ...], adapters: Path | None, as_json: bool
) -> None:
    """Remove a user: sessions and feedback, rows made of them; mark adapters trained on those.

    Without USER, what was made of data that was deleted before (DELETE /v1/users) is caught up.
    What was done goes into the audit trail of the registry, else of DIR.
    """
    from agent.utterance import strip_control
    from finetune.events import forgetting
    from finetune.events.audit import Audit

    if user is not None and not (user := strip_control(user)):
        raise UIError("no user is named; leave USER out to catch up with earlier deletions")
    if adapters is None and (folder / ADAPTERS).is_dir():
        adapters = folder / ADAPTERS
    pairs = pairs or tuple(pairs_of(folder))
    audit = Audit(adapters or folder)
    with stored(folder) as store, _registry(adapters) as registry:
        if user is None:
            done = forgetting.forget_deleted(store, pairs=pairs, registry=registry, audit=audit)
        else:
            done = forgetting.forget(user, store, pairs=pairs, registry=registry, audit=audit)
    click.echo(json.dumps(asdict(done)) if as_json else forgotten_text(done))


@contextmanager
def _registry(folder: Path | None) -> Iterator[Registry | None]:
    if folder is None:
        yield None
        return
    from finetune.registry import Registry

    if not folder.is_dir():
        raise UIError(f"{str(folder)!r} is no folder; give the registry's")
    with Registry(folder) as registry:
        yield registry


def forgotten_text(done: Forgotten) -> str:
    """Return what was forgotten, as lines."""
    lines = [f"{done.sessions:,} sessions, {done.slates:,} slates and {done.events:,} events "
             "deleted"]  # fmt: skip
    lines += [f"{n:,} rows removed from {folder}" for folder, n in done.rows.items()]
    if done.changed:
        lines.append(f"{done.changed:,} rows that others gave too stay without them")
    lines += [f"{name} learned from them and is marked; train it anew" for name in done.adapters]
    return "\n".join(lines)


@feedback.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--head", metavar="HASH", help="Last hash as told earlier; it must still be there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def audit(folder: Path, head: str | None, as_json: bool) -> None:
    """Print the audit trail of a folder and check that nobody changed it."""
    from finetune.events.audit import NAME, Audit

    trail = Audit(folder)
    if not trail.path.exists():
        raise UIError(f"{str(folder)!r} has no {NAME}: nothing was recorded there")
    checked = trail.check(head)
    entries = [] if checked.broken else trail.entries()
    if as_json:
        told = [{**asdict(one), "time": one.time.isoformat()} for one in entries]
        click.echo(json.dumps({**asdict(checked), "entries": told}, ensure_ascii=False))
    else:
        click.echo("".join(f"{_line(one)}\n" for one in entries), nl=False)
    if checked.broken is not None:
        raise UIError(f"{trail.path}:{checked.broken.line}: {checked.broken.reason}")
    if not as_json:
        click.echo(
            f"{checked.lines:,} lines, each follows from the one before; head {checked.head}"
        )


def _line(entry: Entry) -> str:
    """Return an entry as one line."""
    facts = " ".join(f"{name}={json.dumps(value, ensure_ascii=False)}"
                     for name, value in entry.facts.items())  # fmt: skip
    return f"{entry.number:5} {entry.time:%Y-%m-%d %H:%M:%S}Z {entry.kind:12} {facts}".rstrip()
