"""Examples of the documentation, run for real: what is pasted there is what was printed."""

from __future__ import annotations

import re
from contextlib import chdir
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner

from ui import terminal, wiring
from ui.cli import main as attune
from ui.cli import settings as settings_of
from ui.settings import Settings

TALK = (
    "a blue dress under 60, not polyester",
    "something like the second one but green",
    "cheaper",
)
"""What is said to the demo shop."""

SHOP = """\
sku,name,category,colour,price_eur,rating,in_stock
A1,Harbour oxford shirt,Shirts,Blue,34.95,4.5,yes
A2,Fjord linen shirt,Shirts,Navy,59.00,4.8,no
A3,Moor bomber jacket,Jackets,Black,229.00,4.6,yes
,Quay denim shirt,Shirts,Blue,79.00,4.2,yes
A5,Drizzle rain jacket,Jackets,Yellow,call us,4.0,yes
"""
"""A small catalog with two faults."""


def transcript() -> str:
    """Return a first conversation with the demo catalog, as `attune chat` prints it to a pipe."""
    with TemporaryDirectory() as home:
        return _talked(settings_of().model_copy(update={"home": Path(home), "store": None}))


def _talked(settings: Settings) -> str:
    printed = StringIO()
    project = wiring.open_project(wiring.demo_project(settings), settings)
    try:
        session, console = wiring.session(project, None), terminal.make_console(printed)
        terminal.chat(project.parts, project.retriever.name, session, StringIO("\n".join(TALK)),
                      console)  # fmt: skip
    finally:
        project.close()
    lines = [line.rstrip() for line in printed.getvalue().splitlines()]
    return "```text\n" + "\n".join(lines[:-1]).rstrip() + "\n```\n"  # but the session's id


def indexed() -> str:
    """Return what `attune index` prints of a small catalog, and what it rejects."""
    runner = CliRunner(env={"ATTUNE_ENCODER": "hashing-64"})
    with TemporaryDirectory() as folder, chdir(folder):
        Path("shop.csv").write_text(SHOP, "utf-8")
        done = runner.invoke(attune, ["index", "shop.csv", "--out", "shop"])
        rejects = Path("shop/rejects.csv").read_text("utf-8")
    printed = re.sub(r" in \d+\.\d s ", " in 0.1 s ", done.output)
    shown = (("cat shop.csv", SHOP), ("attune index shop.csv --out shop", printed),
             ("echo $?", f"{done.exit_code}\n"), ("cat shop/rejects.csv", rejects))  # fmt: skip
    return "```console\n" + "".join(f"$ {command}\n{out}" for command, out in shown) + "```\n"
