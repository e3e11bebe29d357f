"""`attune evaluate critiques`: like-this-but-X over a catalog file or a project, and its report."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ui.reports import figure, table

if TYPE_CHECKING:
    from retrieval.retriever import Retriever
    from ui.settings import Settings

FILE = click.Path(path_type=Path)
SHOWN = (
    "change_accuracy", "change_accuracy@1", "keep_accuracy", "keep_accuracy@1", "violation_rate",
    "mrr", "hit@5",
)  # fmt: skip


@click.command()
@click.option("--catalog", type=FILE, metavar="FILE|DIR", help="Catalog file, or project "
              "directory; default: .attune here, else the demo.")  # fmt: skip
@click.option("--n", default=2000, show_default=True, type=click.IntRange(1, 100_000),
              help="Cases to make.")  # fmt: skip
@click.option("--seed", default=0, show_default=True)
@click.option("--out", type=FILE, metavar="JSONL", help="Write the cases here.")
@click.option("--cases", type=FILE, metavar="JSONL", help="Take these cases instead of new ones.")
@click.option("--answers", type=FILE, metavar="JSONL", help="Score these answers of another system "
              "to those cases too.")  # fmt: skip
@click.option("--llm", metavar="WHAT", help="What plans turns besides the rules: URL, folder or "
              "house; default: none.")  # fmt: skip
@click.option("--model", metavar="NAME", help="Name of the model on that server.")
@click.option("--by-case", is_flag=True, help="With --json: what each case adds to the figures.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def critiques(
    catalog: Path | None, n: int, seed: int, out: Path | None, cases: Path | None,
    answers: Path | None, llm: str | None, model: str | None, by_case: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make like-this-but-X cases from a catalog, and measure who answers them."""
    from ui.cli import settings

    if answers is not None and cases is None:
        raise click.UsageError("--answers needs the --cases that they answer")
    given = settings(llm=llm, model=model)
    report = measured(
        catalog, given, n=n, seed=seed, out=out, cases=cases, answers=answers, by_case=by_case
    )
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else critiques_text(report))


def measured(
    catalog: Path | None,
    settings: Settings,
    *,
    n: int,
    seed: int,
    out: Path | None = None,
    cases: Path | None = None,
    answers: Path | None = None,
    by_case: bool = False,
) -> dict[str, Any]:
    """Return the report over a catalog; a file is indexed into a folder that goes away again."""
    from agent.linking import Linker
    from finetune.critiques import read_answers, read_cases, write_cases
    from finetune.critiques.report import check_cases, evaluate, make_cases
    from ui import wiring
    from ui.chat_models import chat_model

    read = read_cases(cases) if cases is not None else None
    answered = read_answers(answers, read[1]) if read and answers is not None else None
    with _opened(catalog, settings) as retriever:
        header, found = read or make_cases(retriever, n, seed)
        if read:
            check_cases(header, found, retriever)
        if out is not None:
            write_cases(out, header, found)
        named = settings.llm not in (None, "none")
        chat = chat_model(settings) if named else None
        planner = wiring.make_planner(retriever, settings, chat)
        config = {"planner": chat.name if chat else "rules", "encoder": retriever.encoder.name}
        return evaluate(
            retriever, Linker.build(retriever), planner, header, found,
            config=config, answers=answered, progress=sys.stderr.isatty(), by_case=by_case,
        )  # fmt: skip


@contextmanager
def _opened(catalog: Path | None, settings: Settings) -> Iterator[Retriever]:
    """Open a project directory, or one made of a catalog file for the time being."""
    from ui import wiring

    with tempfile.TemporaryDirectory(prefix="attune-critiques-") as scratch:
        folder = catalog
        if catalog is not None and catalog.is_file():
            folder = Path(scratch) / catalog.name.split(".")[0]
            progress = sys.stderr.isatty()
            wiring.build(wiring.load([catalog]), folder, settings, progress=progress)
        retriever = wiring.open_retriever(folder or wiring.default_project(settings), settings)
        try:
            yield retriever
        finally:
            retriever.close()


def critiques_text(report: Mapping[str, Any]) -> str:
    """Return the report of `evaluate critiques` as text."""
    config = report["config"]
    systems = {"ours": report["ours"], "ours, plan given": report["ours_plan_given"],
               **report["baselines"]}  # fmt: skip
    rows = [(name, *(figure(own[key]) for key in SHOWN)) for name, own in systems.items()]
    around = (figure(report["ours"][key], report["intervals"][key]) for key in SHOWN[:1])
    lines = [
        f"{report['n']:,} critiques over {config['items']:,} items of {config['catalog']!r}, "
        f"planner {config['planner']}; change_accuracy of ours {next(around)}",
        "",
        *table([("", *SHOWN), *rows]),
        "",
    ]
    kinds = [(kind, str(own["n"]), *(figure(own[key]) for key in SHOWN))
             for kind, own in report["by_kind"]["ours"].items()]  # fmt: skip
    lines += [*table([("ours", "n", *SHOWN), *kinds]), "", *_equal_change(report)]
    wrong = [error for error in report["errors"] if error["violated"]]
    lines += [f"  {error['id']}: {error['text']}" for error in wrong]
    return "\n".join(lines)


def _equal_change(report: Mapping[str, Any]) -> list[str]:
    rows = [("keep at equal change", "n", "ours", "baseline", "difference")]
    for name, own in report["keep_at_equal_change"].items():
        if own is None:
            rows.append((name, "0", "–", "–", "–"))
            continue
        difference = figure(own["mean"], (own["low"], own["high"]))
        rows.append((name, str(own["n"]), figure(own["ours"]), figure(own["theirs"]), difference))
    return table(rows)
