"""`attune tune fusion`: weigh search by meaning against search by words for one project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from retrieval.fusion import Fusion
    from retrieval.fusion_tuning import FusionReport
    from retrieval.retriever import Retriever

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--judgements", type=FILE, help="CSV of query, item id and rating.")
@click.option("--seed", default=0, show_default=True)
@click.option("--dry-run", is_flag=True, help="Tell what would be chosen; keep nothing.")
def fusion(folder: Path, judgements: Path | None, seed: int, dry_run: bool) -> None:
    """Weigh search by meaning against search by words.

    By queries made from the items; with judgements by these, where that is better beyond doubt on
    queries it was not chosen by. Whoever has the project open sees it at the next opening.
    """
    from retrieval.project import write_fusion
    from ui import wiring
    from ui.cli import settings

    with wiring.open_retriever(folder, settings()) as retriever:
        before, report = retriever.fusion, tuned(retriever, judgements, seed)
    click.echo(fusion_text(report, before))
    if not dry_run:
        write_fusion(folder, report.fusion)
        click.echo(f"kept in {folder / 'fusion.json'}")


def tuned(retriever: Retriever, judgements: Path | None, seed: int) -> FusionReport:
    """Return how the rankings of a project are weighed, by judgements where there are some."""
    from finetune.retrieval_quality import JudgedSet, usable
    from finetune.retrieval_sets import grades_of
    from retrieval.fusion_tuning import tune_fusion, tune_fusion_on

    made = tune_fusion(retriever, seed)
    if judgements is None:
        return made
    judged = JudgedSet(judgements.name, grades_of(judgements), "catalog", "")
    kept, _ = usable(judged, frozenset(retriever.index.ids()))
    return tune_fusion_on(retriever, kept, made.fusion, seed)


def fusion_text(report: FusionReport, before: Fusion) -> str:
    """Return what was chosen and why, as text."""
    lines = [f"meaning : words = {_shares(report.fusion)} ({report.reason})"]
    if before != report.fusion:
        lines[0] += f"; it was {_shares(before)}"
    if report.gain is not None:
        gain = report.gain
        lines.append(
            f"nDCG@10 against {_shares(report.start)}: {gain.mean:+.3f} "
            f"({gain.low:+.3f} to {gain.high:+.3f}) over {gain.n:,} queries"
        )
    for kind, curve in report.curves.items():
        lines.append(
            f"{kind:12} words alone {curve[0]:.3f}, best {max(curve):.3f}, "
            f"meaning alone {curve[-1]:.3f}"
        )
    return "\n".join(lines)


def _shares(fusion: Fusion) -> str:
    return f"{fusion.dense:g} : {fusion.lexical:g} by {fusion.by}"
