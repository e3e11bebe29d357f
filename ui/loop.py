"""`attune loop`: rounds of learning, once, again and again, or shown on simulated users."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ui.adapters import ADAPTERS
from ui.errors import UIError
from ui.privacy_jobs import ROUNDS
from ui.reports import table

if TYPE_CHECKING:
    from agent.store import Store
    from agent.voice import Voice
    from finetune.contestant import Contestant
    from finetune.loop.demo import Run, Setting
    from finetune.loop.rounds import Learner, MakeContestant, Round
    from retrieval.retriever import Retriever
    from ui.settings import Settings

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def loop() -> None:
    """Learn from feedback: pairs, an adapter, the gate, and into service."""


def with_llm(command: Any) -> Any:
    """Add the options that name the model that learns."""
    for option in (
        click.option("--model", metavar="NAME", help="Name of the model on that server."),
        click.option("--llm", metavar="WHAT", help="The model that learns, as it is served: URL, "
                     "folder or house.  [default: house]"),
        click.option("--base", metavar="NAME", help="The same model's weights, where --llm is a "
                     "server: a folder or a model of the hub."),
    ):  # fmt: skip
        command = option(command)
    return command


@loop.command()
@click.argument("folder", required=False, type=FOLDER, metavar="[DIR]")
@click.option("--every", metavar="TIME", help="Go on, a round each 12h, 1d, 1w …, until stopped.")
@click.option("--small", is_flag=True, help="A gate that takes about a minute.")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a round.")
@with_llm
def run(
    folder: Path | None, every: str | None, small: bool, seed: int, as_json: bool,
    llm: str | None, model: str | None, base: str | None,
) -> None:  # fmt: skip
    """Learn from what people did in a project since its last round.

    What is live stays live until the gate has passed what was learned. An interrupted round goes
    on where it stopped.
    """
    from finetune.loop.schedule import duration, one_round, repeat
    from ui.cli import settings

    pause = duration(every) if every else None
    with learning(folder, settings(llm=llm, model=model), base, small, seed) as (learner, store):
        if pause is None:
            click.echo(_told(one_round(learner, store), as_json))
            return
        repeat(learner, store, pause, lambda done: click.echo(_told(done, as_json)))


@loop.command()
@click.argument("folder", required=False, type=FOLDER, metavar="[DIR]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def status(folder: Path | None, as_json: bool) -> None:
    """Tell the rounds of a project and what became of them."""
    from finetune.loop.rounds import rounds
    from ui import wiring
    from ui.cli import settings

    folder = folder if folder is not None else wiring.default_project(settings())
    found = rounds(folder / ROUNDS)
    if as_json:
        click.echo(json.dumps({"rounds": [one.to_json() for one in found]}))
    else:
        click.echo(rounds_text(found))


@loop.command()
@click.option("--small", is_flag=True, help="One round with few people, in minutes.")
@click.option("--rounds", type=click.IntRange(1, 20), help="Rounds for each seed.")
@click.option("--seed", "seeds", type=int, multiple=True, help="Seed; repeat for several.")
@click.option("--work", type=FOLDER, help="Keep everything here, and go on from what is here.")
@click.option("--plot", type=FILE, metavar="SVG|PNG", help="Draw the rounds.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def demo(
    small: bool, rounds: int | None, seeds: tuple[int, ...], work: Path | None,
    plot: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Show the loop on simulated users whose taste the base does not know."""
    from finetune.loop.demo import SMALL, Setting

    setting = SMALL if small else Setting()
    setting = replace(setting, rounds=rounds or setting.rounds, seeds=seeds or setting.seeds)
    with _folder(work) as folder:
        runs, report = shown(setting, folder)
    if plot is not None:
        from finetune.loop.plot import draw

        draw(runs, plot)
    click.echo(json.dumps(report) if as_json else demo_text(report))


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@contextmanager
def learning(
    folder: Path | None, settings: Settings, base: str | None, small: bool, seed: int
) -> Iterator[tuple[Learner, Store]]:
    """Open what rounds over a project are run with.

    Raises:
        UIError: If there is no model that could learn.
    """
    from finetune.loop.rounds import Learner
    from finetune.registry import Registry
    from ui import wiring
    from ui.chat_models import HOUSE, NONE, llm_of

    folder = folder if folder is not None else wiring.default_project(settings)
    llm = llm_of(settings)
    if llm == NONE:
        raise UIError("rules learn nothing: name a model with --llm")
    if "://" in llm and base is None:
        raise UIError(f"{llm!r} is a server: name the weights it serves with --base, to train on")
    retriever = wiring.open_retriever(folder, settings)
    store = wiring.open_store(folder, settings)
    try:
        with Registry(folder / ADAPTERS, who="attune loop") as registry:
            yield Learner(
                folder / ROUNDS, retriever, registry, base or (HOUSE if llm == HOUSE else llm),
                contestants(settings, retriever), small=small, seed=seed,
                progress=sys.stderr.isatty(),
            ), store  # fmt: skip
    finally:
        store.close()
        retriever.close()


def contestants(settings: Settings, retriever: Retriever) -> MakeContestant:
    """Return what makes the base, or an adapter of it, as it is served; the model loads once."""
    from agent.voices import MEASURING_S
    from finetune.contestant import Contestant
    from ui.adapter_serving import host_of
    from ui.chat_models import chat_model

    patient = unhurried(settings)
    chat = chat_model(patient)
    assert chat is not None  # who calls has made sure that there is a model
    host = host_of(patient, chat, retriever, choose_s=MEASURING_S)

    def make(name: str, folder: Path | None) -> Contestant:
        def voice(catalog: Retriever) -> Voice:
            if folder is None:
                return host.voice(None)
            host.load(name, folder)
            return host.voice(name)

        return Contestant(name, voice)

    return make


def unhurried(settings: Settings) -> Settings:
    """Return settings under which nobody is in a hurry: figures must not depend on the machine."""
    from agent.voices import MEASURING_S

    patient = {"deadline_s": MEASURING_S, "explain_s": MEASURING_S}
    return settings.model_copy(update=patient)


def shown(setting: Setting, work: Path) -> tuple[list[Run], dict[str, Any]]:
    """Run the demonstration over the demo catalog; return its runs and its report."""
    from finetune.loop.demo import Shop, demo, refused_faults, to_json
    from finetune.preference.dpo import DPOConfig
    from ui import wiring
    from ui.cli import settings

    own = settings(llm="house")
    with wiring.open_retriever(wiring.demo_project(own), own) as retriever:
        shop = Shop(retriever, "house", contestants(own, retriever), DPOConfig(base="house"))
        bar = sys.stderr.isatty()
        runs = demo(setting, shop, work, tell=lambda text: click.echo(text, err=True), progress=bar)
        refused = refused_faults(shop, progress=bar)
    return runs, to_json(setting, runs, refused)


def _told(done: Round | Exception, as_json: bool) -> str:
    if isinstance(done, Exception):
        return json.dumps({"error": str(done)}) if as_json else f"failed, and goes on later: {done}"
    if as_json:
        return json.dumps(done.to_json())
    head = f"round {done.number}: {done.ending}"
    named = [f"adapter {done.adapter}"] if done.adapter else []
    counted = [f"{count} {kind} pairs" for kind, count in done.pairs.items()]
    return "\n".join([", ".join([head, *named, *counted]), *(f"  {why}" for why in done.reasons)])


def rounds_text(found: list[Round]) -> str:
    """Return rounds as a table."""
    if not found:
        return "no round has ended yet: attune loop run"
    rows = [("round", "begun", "ending", "adapter", "pairs", "why")]
    rows += [
        (
            str(one.number), f"{one.begun:%Y-%m-%d %H:%M}", one.ending, one.adapter or "–",
            str(sum(one.pairs.values())), one.reasons[0][:70] if one.reasons else "",
        )
        for one in found
    ]  # fmt: skip
    return "\n".join(table(rows))


def demo_text(report: dict[str, Any]) -> str:
    """Return the demonstration's report as tables."""
    rows = [("after round", "measure", "base", "now", "difference, 95 % interval")]
    for one in report["changes"]:
        difference = one["difference"]
        rows.append((
            str(one["round"]), one["measure"], f"{one['before']['mean']:.3f}",
            f"{one['after']['mean']:.3f}",
            f"{difference['mean']:+.3f} ({difference['low']:+.3f} to {difference['high']:+.3f})",
        ))  # fmt: skip
    rounds = [
        f"seed {run['seed']}: " + ", ".join(f"{r['number']} {r['ending']}" for r in run["rounds"])
        for run in report["runs"]
    ]
    return "\n".join([
        *table(rows), "", *rounds,
        f"{report['n']} fresh people, each with the base and after each round; seeded regressions "
        f"refused: {report['regressions_refused']}",
    ])  # fmt: skip
