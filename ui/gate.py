"""`attune evaluate gate`: a candidate beside a baseline, and whether it may replace it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ui.errors import UIError
from ui.reports import table

if TYPE_CHECKING:
    from agent.local_chat import LocalChat
    from finetune.contestant import Contestant
    from finetune.gate import Verdict
    from ui.settings import Settings

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
BASE, RULES = "base", "rules"
PATIENCE_S = 300.0


@click.command()
@click.option("--candidate", required=True, metavar="ADAPTER", help="Folder of an adapter, base "
              "or rules.")  # fmt: skip
@click.option("--baseline", default=BASE, show_default=True, metavar="ADAPTER",
              help="What answers now.")  # fmt: skip
@click.option("--catalog", "catalogs", type=FOLDER, multiple=True, metavar="DIR",
              help="Project directory; the first is shopped in, all have their labelled dialogues "
              "replayed; default: .attune here, else the demo.")  # fmt: skip
@click.option("--pairs", type=FOLDER, help="Folder of pairs whose held.jsonl is asked about.")
@click.option("--thresholds", type=FILE, metavar="TOML", help="What is asked of a candidate.")
@click.option("--population", metavar="NAME|TOML", help="Who the simulated users are.")
@click.option("--no-improvement-needed", is_flag=True, help="Promote what is only no worse.")
@click.option("--small", is_flag=True, help="A sample that takes about a minute.")
@click.option("--seed", default=0, show_default=True)
@click.option("--llm", metavar="FOLDER|house", help="The base model, in this process.")
@click.option("--out", type=FOLDER, help="Write gate.json, gate.md and gate.svg here.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def gate(
    candidate: str, baseline: str, catalogs: tuple[Path, ...], pairs: Path | None,
    thresholds: Path | None, population: str | None, no_improvement_needed: bool, small: bool,
    seed: int, llm: str | None, out: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Compare two adapters, and say whether the candidate may replace the baseline.

    The verdict is printed; either is a result, so the exit code is 0 for both.
    """
    from finetune.gate.report import to_json
    from ui.cli import settings

    verdict = judged(
        candidate, baseline, settings(llm=llm), catalogs, pairs=pairs, thresholds=thresholds,
        population=population, must_improve=not no_improvement_needed, small=small, seed=seed,
    )  # fmt: skip
    if out is not None:
        write_report(verdict, out)
    said = json.dumps(to_json(verdict), ensure_ascii=False) if as_json else verdict_text(verdict)
    click.echo(said)


def judged(
    candidate: str,
    baseline: str,
    settings: Settings,
    catalogs: tuple[Path, ...] = (),
    *,
    pairs: Path | None = None,
    thresholds: Path | None = None,
    population: str | None = None,
    must_improve: bool = True,
    small: bool = False,
    seed: int = 0,
) -> Verdict:
    """Return the verdict on two adapters (folders), the base or the rules, over projects.

    Raises:
        UIError: If the base model does not run in this process.
        FinetuneError: If an adapter, a catalog, the thresholds or the pairs cannot be used.
    """
    from finetune.gate import evaluate_gate, read_thresholds
    from finetune.simulator import read_population
    from ui import wiring

    asked = read_thresholds(thresholds)
    if not must_improve:
        asked = asked.model_copy(update={"must_improve": False})
    people = read_population(population) if population is not None else None
    with ExitStack() as stack:
        folders = catalogs or (wiring.default_project(settings),)
        retrievers = [wiring.open_retriever(folder, settings) for folder in folders]
        for retriever in retrievers:
            stack.callback(retriever.close)
        theirs, ours = stack.enter_context(contestants((baseline, candidate), settings))
        return evaluate_gate(
            theirs, ours, retrievers[0], others=retrievers[1:], pairs=pairs, thresholds=asked,
            population=people, small=small, seed=seed, progress=sys.stderr.isatty(),
        )  # fmt: skip


@contextmanager
def contestants(named: tuple[str, ...], settings: Settings) -> Iterator[list[Contestant]]:
    """Hold contestants by name: an adapter's folder, "base" or "rules". One base serves them all.

    Each adapter has the name it has in a registry.

    Raises:
        UIError: If there is no such adapter, or the base does not run in this process.
    """
    for name in named:
        if name not in (BASE, RULES) and not Path(name).expanduser().is_dir():
            raise UIError(f"no adapter {name!r}: expected its folder, {BASE} or {RULES}")
    with ExitStack() as stack:
        models = [name for name in named if name != RULES]
        chat = stack.enter_context(base_model(settings)) if models else None
        yield [_contestant(name, chat) for name in named]


def base_model(settings: Settings) -> LocalChat:
    """Return the base model of this process, loaded when it is first asked.

    Raises:
        UIError: If the settings name a server or no model at all.
    """
    from agent.local_chat import LocalChat
    from ui.chat_models import HOUSE, NONE, house_folder

    llm = settings.llm or HOUSE
    if llm == NONE or "://" in llm:
        raise UIError(
            f"--llm {llm!r}: the gate compares adapters in this process; expected house or the "
            "folder of their base"
        )
    folder = house_folder() if llm == HOUSE else Path(llm).expanduser()
    if not folder.is_dir():
        raise UIError(f"--llm {llm!r}: there is no such folder; expected house or a base model's")
    return LocalChat(folder, name=BASE, threads=settings.llm_threads, patience_s=PATIENCE_S)


def _contestant(name: str, chat: LocalChat | None) -> Contestant:
    from agent.planner import RulePlanner
    from agent.voice import Voice
    from agent.voices import house_voice
    from finetune.adapters import open_adapter
    from finetune.contestant import Contestant
    from finetune.registry import name_of

    if name == RULES or chat is None:
        return Contestant(RULES, lambda one: Voice(RULES, RulePlanner(one.facets)))
    if name == BASE:
        return Contestant(BASE, lambda one: house_voice(chat, one, explains=True))
    folder = Path(name).expanduser()
    known = name_of(open_adapter(folder))
    return Contestant(known, lambda one: house_voice(chat, one, folder, explains=True))


def write_report(verdict: Verdict, out: Path) -> None:
    """Write a verdict as JSON, Markdown and, where matplotlib is installed, a picture."""
    from finetune.errors import MissingExtra
    from finetune.gate.plots import draw
    from finetune.gate.report import to_json, to_markdown

    out.mkdir(parents=True, exist_ok=True)
    try:
        plot: str | None = draw(verdict, out / "gate.svg").name
    except MissingExtra as error:
        click.echo(f"no picture: {error}", err=True)
        plot = None
    report = json.dumps(to_json(verdict), ensure_ascii=False, indent=1)
    (out / "gate.json").write_text(report + "\n", "utf-8")
    (out / "gate.md").write_text(to_markdown(verdict, plot), "utf-8")


def verdict_text(verdict: Verdict) -> str:
    """Return a verdict as text: what was decided, why, and every metric."""
    from finetune.gate.report import WORD, mark

    config: Mapping[str, Any] = verdict.config
    lines = [f"{WORD[verdict.promote]}: {config['candidate']} against {config['baseline']}"]
    lines += [f"  {reason}" for reason in verdict.reasons] + [""]
    rows = [("", "baseline", "candidate", "difference", "interval", "n", "")]
    rows += [
        (one.metric, f"{one.baseline:.3f}", f"{one.candidate:.3f}", f"{one.difference:+.3f}",
         f"[{one.low:+.3f}, {one.high:+.3f}]", str(one.units), mark(one))
        for one in verdict.metrics
    ]  # fmt: skip
    lines += table(rows)
    lines += [f"not measured: {name}: {why}" for name, why in verdict.skipped.items()]
    return "\n".join(lines)
