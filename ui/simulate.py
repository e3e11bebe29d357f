"""`attune simulate`: users with hidden targets talk to the recommender; what came of it."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ui.reports import table

if TYPE_CHECKING:
    from agent.store import Store
    from finetune.simulator import Outcome, Outcomes
    from ui.settings import Settings

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", required=False, type=FOLDER, metavar="[DIR]")
@click.option("--users", default=200, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--seed", default=0, show_default=True)
@click.option("--population", default="plain", show_default=True, metavar="NAME|TOML",
              help="Who they are: plain, dialect, or a file.")  # fmt: skip
@click.option("--store", metavar="URL", help="Keep sessions and feedback there, e.g. "
              "sqlite:///sim.db; default: thrown away.")  # fmt: skip
@click.option("--out", type=FILE, metavar="JSONL", help="Write the transcripts here.")
@click.option("--llm", metavar="WHAT", help="What plans turns besides the rules: URL, folder or "
              "house; default: none.")  # fmt: skip
@click.option("--model", metavar="NAME", help="Name of the model on that server.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def simulate(
    folder: Path | None, users: int, seed: int, population: str, store: str | None,
    out: Path | None, llm: str | None, model: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Let simulated users shop, and say how well they were served."""
    from ui.cli import settings

    given = settings(llm=llm or "none", model=model)
    found = simulated(folder, given, population, users, seed, store)
    if out is not None:
        write_transcripts(out, found.users)
    report = found.to_json()
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else simulation_text(report))


def simulated(
    folder: Path | None,
    settings: Settings,
    population: str,
    users: int,
    seed: int,
    store: str | None = None,
) -> Outcomes:
    """Simulate users over a project (default: .attune here, else the demo).

    Args:
        store: URL of the store that keeps their sessions; without one they are thrown away. The
            store of the settings is that of real people, and is left alone.
    """
    from agent.dialogue import Parts
    from agent.linking import Linker
    from finetune import simulator
    from ui import wiring
    from ui.chat_models import chat_model
    from ui.explaining import make_explainer

    who = simulator.read_population(population)
    retriever = wiring.open_retriever(folder or wiring.default_project(settings), settings)
    try:
        chat = chat_model(settings) if settings.llm != "none" else None
        planner = wiring.make_planner(retriever, settings, chat)
        with _store(store) as kept:
            parts = Parts(
                kept, retriever, Linker.build(retriever), planner,
                explainer=make_explainer(settings, chat),
            )  # fmt: skip
            progress = sys.stderr.isatty()
            return simulator.simulate(parts, retriever, kept, who, users, seed, progress=progress)
    finally:
        retriever.close()


@contextmanager
def _store(url: str | None) -> Iterator[Store]:
    """Open the store that is named, or one that goes away again."""
    from agent.store import Store

    with tempfile.TemporaryDirectory(prefix="attune-simulate-") as scratch:
        store = Store(url or f"sqlite:///{Path(scratch) / 'sessions.db'}")
        try:
            yield store
        finally:
            store.close()


def write_transcripts(path: Path, users: Sequence[Outcome]) -> None:
    """Write one line per user: what they wanted, what was said, what came of it."""
    lines = (json.dumps(one.to_json(), ensure_ascii=False) for one in users)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def simulation_text(report: Mapping[str, Any]) -> str:
    """Return the report as text."""
    measures = {name: own for name, own in report.items() if isinstance(own, dict)}
    rows = [("", "mean", "95 % interval")]
    rows += [(name, f"{own['mean']:.3f}", f"{own['low']:.3f} to {own['high']:.3f}")
             for name, own in measures.items()]  # fmt: skip
    head = (
        f"{report['n']:,} users of population {report['population']!r}, seed {report['seed']}"
        f", {report['leaked']} left out for naming their target; "
        f"{report['sessions_per_s']:.1f} sessions/s"
    )
    return "\n".join([head, "", *table(rows)])
