"""The command line: each command parses, makes settings, calls one function and prints.

Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed (one line says why),
2 wrong usage, 3 indexed but some rows or fields were rejected.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import ValidationError

from agent.errors import AgentError
from finetune.errors import FinetuneError
from prompts.errors import PromptError
from retrieval.errors import RetrievalError
from ui.adapters import adapters
from ui.critiques import critiques
from ui.doctor import doctor
from ui.errors import UIError
from ui.experiments import drift, experiment, off_policy
from ui.feedback import feedback
from ui.gate import gate
from ui.handovers import handovers
from ui.house import house
from ui.indexing import index, migrate_index
from ui.jobs import jobs
from ui.keys import keys
from ui.knowledge import knowledge
from ui.llm import llm as llm_group
from ui.loop import loop
from ui.mcp import mcp
from ui.pairs import pairs
from ui.privacy import privacy
from ui.ranker import cross_encoder, ranker
from ui.retrieval_quality import evaluate_retrieval
from ui.settings import Settings
from ui.simulate import simulate
from ui.syncing import sync
from ui.tenants import tenants as tenants_group
from ui.tools import tools
from ui.tune import tune
from ui.tune_encoder import encoder
from ui.tune_fusion import fusion
from ui.tune_preference import dpo, kto

Command = TypeVar("Command", bound=Callable[..., Any])

EXPECTED = (AgentError, RetrievalError, PromptError, FinetuneError, UIError, OSError)
"""Errors that say what to do; anything else is a bug and shows its traceback."""

FILE = click.Path(path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


class _Group(click.Group):
    """Turns expected errors into one line on stderr and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except EXPECTED as error:
            raise click.ClickException(" ".join(str(error).split())) from error


def with_model(command: Command) -> Command:
    """Add the options that name a language model."""
    for option in (
        click.option(
            "--adapter",
            metavar="WHAT",
            help="LoRA adapter that answers: its folder, or its name on that server; default: as "
            "the project's routes say.",
        ),
        click.option("--model", metavar="NAME", help="Name of the model on that server."),
        click.option(
            "--llm",
            metavar="WHAT",
            help="What plans turns: URL of an OpenAI-compatible server, folder of a model, house "
            "or none.",
        ),
    ):
        command = option(command)
    return command


def settings(**options: Any) -> Settings:
    """Return the settings: options that were given, else ATTUNE_… variables, else defaults."""
    try:
        return Settings(**{key: value for key, value in options.items() if value is not None})
    except ValidationError as error:
        wrong = error.errors()[0]
        name = f"ATTUNE_{'_'.join(map(str, wrong['loc']))}".upper()
        raise UIError(f"{name}={wrong['input']!r}: {wrong['msg'].lower()}") from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="attune")
@click.option("-v", "--verbose", is_flag=True, help="Log what happens to stderr.")
def main(verbose: bool) -> None:
    """Talk to any catalog."""
    _log(logging.INFO if verbose else logging.ERROR)
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _log(level: int) -> None:
    """Log to stderr from a level on; libraries that set levels of their own are held to it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(level)
    logging.basicConfig(level=level, handlers=[handler])
    for library in ("huggingface_hub", "torch.onnx._internal"):
        logging.getLogger(library).setLevel(level)


@main.command()
@click.argument("folder", required=False, type=FOLDER, metavar="[DIR]")
@click.option("--session", metavar="ID", help="Go on with an earlier session.")
@click.option("--language", metavar="CODE", help="What it answers in, e.g. zh (default: en).")
@with_model
def chat(
    folder: Path | None, session: str | None, language: str | None, **named: str | None
) -> None:
    """Talk to a project (default: .attune here, else the demo), also by pipe."""
    from ui import terminal, wiring

    project = wiring.open_project(folder, settings(**named))
    session = wiring.session(project, session)
    console = terminal.make_console()
    terminal.chat(project.parts, project.retriever.name, session, sys.stdin, console, language)


@main.command()
@click.argument("words", nargs=-1, required=True, metavar="[DIR] TEXT")
@click.option("--session", metavar="ID", help="Take the turn in an earlier session.")
@click.option("--json/--text", "as_json", default=True, help="Turn as JSON (default), or as text.")
@with_model
def ask(words: tuple[str, ...], session: str | None, as_json: bool, **named: str | None) -> None:
    """Take one turn in a project (default: .attune here, else the demo) and print it."""
    from ui import terminal, wiring

    folder, text = folder_and_text(words)
    project = wiring.open_project(folder, settings(**named))
    done = wiring.turn(project, wiring.session(project, session), text)
    if as_json:
        click.echo(json.dumps(wiring.turn_json(done, project.retriever), ensure_ascii=False))
    else:
        terminal.print_turn(done, project.parts, terminal.make_console())


def folder_and_text(words: tuple[str, ...]) -> tuple[Path | None, str]:
    """Return the project directory, if one is given before the text, and the text."""
    if len(words) > 2:
        raise click.UsageError(f"expected [DIR] TEXT, got {len(words)} arguments; quote the text")
    return (Path(words[0]) if len(words) == 2 else None), words[-1]


@main.command()
@click.argument("folder", required=False, type=FOLDER, metavar="[DIR]")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 256),
              help="Processes that serve.")  # fmt: skip
@click.option("--tenants", type=FILE, metavar="FILE", help="Serve the projects that FILE names.")
@with_model
def serve(
    folder: Path | None, host: str, port: int, workers: int, tenants: Path | None,
    **named: str | None,
) -> None:  # fmt: skip
    """Serve the HTTP API over a project (default: .attune here, else the demo)."""
    from ui import serving

    serving.serve(folder, tenants, settings(**named), host, port, workers)


@main.command("ui")
@click.argument("folder", required=False, type=FOLDER, metavar="[DIR]")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=7860, show_default=True, type=click.IntRange(1, 65535))
@click.option("--url", metavar="URL", help="A running server's, instead of serving DIR here.")
@click.option("--key", default="", metavar="KEY", envvar="ATTUNE_KEY",
              help="API key of that server; better as ATTUNE_KEY.")  # fmt: skip
@with_model
def shop_ui(
    folder: Path | None, host: str, port: int, url: str | None, key: str, **named: str | None
) -> None:
    """Shop in the browser: a project (default: .attune here, else the demo), or a server."""
    from ui.pages import serve_pages

    serve_pages(folder, settings(**named), host, port, url, key)


@main.command()
@click.option("--out", type=FOLDER, required=True, help="Folder to write into.")
@click.option("--items", default=2400, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--seed", default=7, show_default=True)
def demo(out: Path, items: int, seed: int) -> None:
    """Write the demo catalog and its pictures."""
    from retrieval.demo import make_demo

    click.echo(make_demo(out, items=items, seed=seed))


@main.group()
def evaluate() -> None:
    """Measure how well it works."""


@evaluate.command()
@click.option("--catalog", type=FILE, metavar="FILE", help="Replay over this catalog only.")
@click.option("--labels", type=FILE, multiple=True, help="Label file; default: the project's own.")
@click.option(
    "--by-case", is_flag=True, help="With --json: what each dialogue adds to the figures."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def understanding(
    catalog: Path | None, labels: tuple[Path, ...], by_case: bool, as_json: bool
) -> None:
    """Replay hand-labelled dialogues and compare what was understood."""
    from ui import wiring
    from ui.reports import understanding_text

    report = wiring.understanding(labels, catalog, by_case)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else understanding_text(report))


@evaluate.command()
@click.option("--catalog", type=FILE, metavar="FILE", help="Over this catalog only.")
@click.option("--n", default=700, show_default=True, type=click.IntRange(1, 100_000),
              help="Explanations; four times as many false claims.")  # fmt: skip
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
@with_model
def explanations(
    catalog: Path | None, n: int, seed: int, as_json: bool, **named: str | None
) -> None:
    """Check explanations against the catalog, and their checker on false claims."""
    from ui.explaining import explanations as measured
    from ui.reports import explanations_text

    report = measured(catalog, settings(**named), n, seed)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else explanations_text(report))


evaluate.add_command(critiques)
evaluate.add_command(evaluate_retrieval)
evaluate.add_command(gate)
main.add_command(index)
main.add_command(mcp)
main.add_command(migrate_index)
main.add_command(sync)
main.add_command(tune)
tune.add_command(dpo)
tune.add_command(kto)
tune.add_command(ranker)
tune.add_command(cross_encoder)
tune.add_command(encoder)
tune.add_command(fusion)
main.add_command(house)
main.add_command(handovers)
main.add_command(tools)
main.add_command(adapters)
main.add_command(simulate)
main.add_command(llm_group, "llm")
for command in (drift, off_policy, experiment):
    feedback.add_command(command)
main.add_command(knowledge)
main.add_command(doctor)
main.add_command(loop)
main.add_command(keys)
main.add_command(tenants_group)
main.add_command(jobs)
main.add_command(feedback)
main.add_command(privacy)
feedback.add_command(pairs)

if __name__ == "__main__":
    main()
