"""`attune feedback drift | off-policy | experiment`: what has changed, and what would be better."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ui.adapters import ADAPTERS
from ui.errors import UIError
from ui.reports import table

if TYPE_CHECKING:
    from agent.logged import LoggedSession, LoggedTurn
    from finetune.experiments.drift import Drift
    from finetune.experiments.interleaving import Comparison
    from finetune.experiments.off_policy import Estimate
    from finetune.experiments.sequential import Reading

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--days", default=7.0, show_default=True, type=click.FloatRange(0, min_open=True),
              help="How long the present time is.")  # fmt: skip
@click.option(
    "--reference",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="Days before it to compare with.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def drift(folder: Path, days: float, reference: float, as_json: bool) -> None:
    """Say whether people, or the answers they get, have changed."""
    from finetune.experiments.drift import drift as compared
    from ui.feedback import stored

    split = datetime.now(UTC) - timedelta(days=days)
    start = split - timedelta(days=reference)
    with stored(folder) as store:
        sessions = [one for one in store.logged(start) if one.created >= start]
    before = [one for one in sessions if one.created < split]
    found = compared(before, [one for one in sessions if one.created >= split])
    click.echo(json.dumps(asdict(found)) if as_json else drift_text(found))


@click.command("off-policy")
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--adapter", required=True, metavar="NAME", help="An adapter of the project's "
              "registry, or base.")  # fmt: skip
@click.option("--estimator", default="snips", show_default=True,
              type=click.Choice(["ips", "snips", "dr"]))  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
@click.option("--llm", metavar="WHAT", help="The model that the adapter is for.")
@click.option("--model", metavar="NAME", help="Name of the model on that server.")
def off_policy(
    folder: Path, adapter: str, estimator: Any, as_json: bool, llm: str | None, model: str | None
) -> None:
    """Estimate what people would have chosen with an adapter, before anybody meets it.

    From slates that were drawn by chance (ATTUNE_EXPLORE): what was earned, and what it would be.
    """
    from finetune.experiments.off_policy import estimate
    from ui.cli import settings

    log = explored(folder, adapter, settings(llm=llm, model=model))
    found = estimate(log, estimator)
    logged = float(log.reward.sum(axis=1).mean())
    if as_json:
        click.echo(json.dumps({"logged": logged, **asdict(found), "trusted": found.trusted}))
    else:
        click.echo(estimate_text(found, logged))


@click.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.argument("control")
@click.argument("trial")
@click.option("--alpha", default=0.05, show_default=True, type=click.FloatRange(0, 0.5),
              help="Chance of a wrong decision, however often you look.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def experiment(folder: Path, control: str, trial: str, alpha: float, as_json: bool) -> None:
    """Read an A/B test between two voices, e.g. house and an adapter; look as often as you like.

    Slates that interleave the two (CONTROL is A) are read as well, or alone.
    """
    from ui.feedback import stored

    with stored(folder) as store:
        found, interleaved = compared(list(store.logged()), control, trial, alpha)
    if as_json:
        told = asdict(found) if found else {}
        click.echo(json.dumps({**told, "interleaved": asdict(interleaved)}))
    else:
        click.echo(experiment_text(found, interleaved))


def compared(
    sessions: Sequence[LoggedSession], control: str, trial: str, alpha: float = 0.05
) -> tuple[Reading | None, Comparison]:
    """Return what sessions say of two voices: of people shared out, and of interleaved slates.

    Raises:
        UIError: If one of the voices answered nobody.
    """
    from finetune.experiments.interleaving import compare
    from finetune.experiments.logs import arms, by_voice, winners
    from finetune.experiments.sequential import read

    voices, won = by_voice(sessions), list(winners(sessions, (control, trial)))
    for name in (control, trial):
        if name not in voices and not won:
            known = ", ".join(f"{voice} ({count})" for voice, count in voices.items()) or "none"
            raise UIError(
                f"no session was answered by {name!r}; voices and their sessions: {known}"
            )
    people = arms(sessions, control, trial)
    shared = not won or (people.control and people.trial)
    return (read(people, alpha=alpha) if shared else None), compare(won)


def explored(folder: Path, adapter: str, settings: Any) -> Any:
    """Return the explored slates of a project beside what an adapter would have shown.

    Raises:
        DataError: If no slate was explored.
    """
    from agent.recommend import recommend
    from finetune.experiments.logs import ranked_log
    from finetune.registry import BASE, Registry
    from ui import wiring
    from ui.feedback import stored
    from ui.loop import contestants

    with Registry(folder / ADAPTERS) as registry:
        place = None if adapter == BASE else registry.get(adapter).folder
    retriever = wiring.open_retriever(folder, settings)
    try:
        chooser = contestants(settings, retriever)(adapter, place).voice(retriever).chooser

        def ranking(session: LoggedSession, turn: LoggedTurn) -> list[str]:
            more = any(act.act == "more" for act in turn.plan.acts)
            shown = session.before(turn).shown if more else ()
            made = recommend(retriever, turn.state, exclude=shown, chooser=chooser)
            return [item.id for item in made.items]

        with stored(folder) as store:
            return ranked_log(store.logged(), ranking)
    finally:
        retriever.close()


def drift_text(found: Drift) -> str:
    """Return signals as a table, those that changed most first."""
    rows = [("signal", "PSI", "p", "", "what moved most")]
    for one in found.changes:
        value, before, now = one.moved[0]
        rows.append((
            one.signal, f"{one.psi:.3f}", f"{one.p:.3f}", "DRIFT" if one.drifted else "",
            f"{value}: {before:.1%} to {now:.1%}",
        ))  # fmt: skip
    head = f"{found.before:,} sessions before, {found.now:,} now"
    return "\n".join([head, *table(rows)])


def estimate_text(found: Estimate, logged: float) -> str:
    """Return an estimate in words."""
    lines = [
        f"choices per slate, as logged     {logged:.3f}",
        f"with the adapter ({found.estimator:>5})         {found.value:.3f} "
        f"({found.low:.3f} to {found.high:.3f})",
        f"{found.slates:,} explored slates, effectively {found.effective:.0f} at the weakest rank; "
        f"{found.supported:.0%} of what it would show was shown at times",
    ]
    lines.append("taken to be so: what is chosen at one rank does not keep from choosing at others")
    if not found.trusted:
        lines.append("too little to go by: explore more, or wait for more sessions")
    return "\n".join(lines)


def experiment_text(found: Reading | None, interleaved: Comparison) -> str:
    """Return the reading of a test in words; without one, of its interleaved slates."""
    verdicts = {"better": "the trial is better", "worse": "the trial is worse",
                "undecided": "undecided: let it run"}  # fmt: skip
    lines = []
    if found is not None:
        lines += [
            f"success  control {found.control:.3f} ({found.users[0]:,} people), "
            f"trial {found.trial:.3f} ({found.users[1]:,})",
            f"difference {found.difference:+.3f} ({found.low:+.3f} to {found.high:+.3f}): "
            f"{verdicts[found.decision]}",
        ]
    if found is None or interleaved.wins_a + interleaved.wins_b:
        lines.append(
            f"interleaved slates: A won {interleaved.wins_a}, B won {interleaved.wins_b}, "
            f"{interleaved.ties} ties; evidence {interleaved.evidence:.3g} of the 20 that decide"
        )
    return "\n".join(lines)
