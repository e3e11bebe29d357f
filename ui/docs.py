"""Write the generated blocks of the documentation: python -m ui.docs [--check] [--slow].

A block stands between `<!-- begin:NAME -->` and `<!-- end:NAME -->`; tests fail when one is stale.
With --slow, those that need the demo catalog and the real encoder too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click

from ui import examples, figures, headlines, llm_figures
from ui.cli import main as attune
from ui.critique_figures import critiques
from ui.engine_figures import engines
from ui.loop_figures import loop, off_policy
from ui.planner_figures import planners
from ui.retrieval_figures import retrieval
from ui.settings import Settings
from ui.tree import tree

ROOT = Path(__file__).parents[1]
WIDTH = 88


def _commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, child in sorted(command.commands.items()):
            yield from _commands(child, f"{path} {name}")


def _help(path: str, command: click.Command) -> str:
    names = attune.context_settings["help_option_names"]
    context = click.Context(
        command, info_name=path, terminal_width=WIDTH, max_content_width=WIDTH,
        help_option_names=names,
    )  # fmt: skip
    return command.get_help(context)


def cli_help() -> str:
    """Return the help of every command."""
    texts = [_help(path, command) for path, command in _commands(attune, "attune")]
    return "\n\n".join(f"```\n{text}\n```" for text in texts)


def settings_table() -> str:
    """Return the settings as a table: variable, default and what it does."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    prefix = Settings.model_config["env_prefix"]
    for name, field in Settings.model_fields.items():
        made = field.default_factory is not None
        default = "per-user data folder" if made else f"`{field.default}`" if field.default else "–"
        rows.append(f"| `{prefix}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)


Blocks = Mapping[str, Callable[[], str]]

BLOCKS: Blocks = {
    "cli": cli_help,
    "settings": settings_table,
    "tree": lambda: tree(ROOT),
    "indexed": examples.indexed,
    "figures": headlines.headlines,
    "indexing": figures.indexing,
    "turns": figures.turns,
    "conversations": figures.conversations,
    "understanding": figures.understanding,
    "planners": planners,
    "critiques": critiques,
    "loop": loop,
    "off_policy": off_policy,
    "retrieval": retrieval,
    "engines": engines,
    "llm-load": llm_figures.under_load,
    "llm-words": llm_figures.first_words,
    "llm-calls": llm_figures.calls,
    "llm-alone": llm_figures.in_process,
}
SLOW_BLOCKS: Blocks = {"transcript": examples.transcript}


def regenerated(text: str, blocks: Blocks = BLOCKS) -> str:
    """Return a document with every block it has markers for written anew."""
    for name, make in blocks.items():
        begin, end = f"<!-- begin:{name} -->\n", f"<!-- end:{name} -->"
        if begin in text and end in text:
            before, _, rest = text.partition(begin)
            after = rest.partition(end)[2]
            text = f"{before}{begin}{make().rstrip()}\n{end}{after}"
    return text


def documents(root: Path = ROOT) -> list[Path]:
    """Return the documents that may hold generated blocks."""
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


def stale(root: Path = ROOT, blocks: Blocks = BLOCKS) -> list[Path]:
    """Return the documents whose blocks are not what would be generated now."""
    texts = [(path, path.read_text("utf-8")) for path in documents(root) if path.exists()]
    return [path for path, text in texts if regenerated(text, blocks) != text]


def main() -> None:
    """Rewrite stale documents; with --check only name them and fail."""
    blocks = {**BLOCKS, **SLOW_BLOCKS} if "--slow" in sys.argv else BLOCKS
    found = stale(blocks=blocks)
    for path in found:
        print(path.relative_to(ROOT))
        if "--check" not in sys.argv:
            path.write_text(regenerated(path.read_text("utf-8"), blocks), "utf-8")
    sys.exit(1 if found and "--check" in sys.argv else 0)


if __name__ == "__main__":
    main()
