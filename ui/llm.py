"""`attune llm`: run a vLLM server that Attune can use."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent.errors import AgentError
from ui.errors import UIError

if TYPE_CHECKING:
    from agent.vllm_server import Installation, Serving, VLLMServer

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BESIDE_US = Path(".venv-vllm/bin/python")
"""Where `make vllm` puts the interpreter."""

_SAID_EVERY_S = 10


@click.group()
def llm() -> None:
    """Run the language model as a server."""


@llm.command()
@click.option("--base", metavar="NAME", default="house", show_default=True,
              help="Base model: house, a folder, or a model of the hub.")  # fmt: skip
@click.option("--adapter", "adapters", multiple=True, metavar="NAME=FOLDER",
              help="LoRA adapter of that base and the name to ask for it by.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8001, show_default=True, type=click.IntRange(1, 65535))
@click.option("--python", type=click.Path(path_type=Path), help="Interpreter that has vLLM.")
@click.option("--dry-run", is_flag=True, help="Only print the command that would be run.")
@click.argument("extra", nargs=-1, type=click.UNPROCESSED, metavar="[-- FLAGS OF VLLM]")
def serve(
    base: str, adapters: tuple[str, ...], host: str, port: int, python: Path | None,
    dry_run: bool, extra: tuple[str, ...],
) -> None:  # fmt: skip
    """Serve a base model and its adapters with vLLM, for --llm URL --model NAME."""
    from agent.vllm_server import find_vllm
    from ui.cli import settings

    given = settings(vllm_python=python)
    vllm = find_vllm(interpreters(given.vllm_python))
    what = serving(base, adapters, host, port, extra)
    if dry_run:
        click.echo(dry(vllm, what))
        return
    key = given.llm_key.get_secret_value() if given.llm_key else None
    sys.exit(run(vllm, what, os.environ, key))


def interpreters(named: Path | None) -> list[Path]:
    """Return the interpreters that may have vLLM: the one named, else ours and those beside us."""
    if named is not None:
        return [named]
    beside = Path(__file__).parents[1] / BESIDE_US
    return list(dict.fromkeys([Path(sys.executable), BESIDE_US.absolute(), beside]))


def serving(
    base: str, adapters: Sequence[str], host: str, port: int, extra: tuple[str, ...]
) -> Serving:
    """Return what is to be served; a base of the hub is downloaded here.

    Raises:
        BaseModelError: If there is no such base.
        UIError: If an adapter is not given as NAME=FOLDER, or a name is given twice.
    """
    from agent.vllm_server import Serving
    from finetune.bases import resolve

    found = resolve(base)
    name = found.folder.name if Path(base).expanduser().is_dir() else found.name
    named = {name: found.folder}
    for given in adapters:
        own, equals, folder = given.partition("=")
        if not (own and equals and folder):
            raise UIError(f"--adapter {given!r}: expected NAME=FOLDER")
        if own in named:
            raise UIError(f"--adapter {given!r}: the name {own!r} is taken already")
        named[own] = Path(folder).expanduser()
    del named[name]
    return Serving(found.folder, name, named, host, port, extra)


def dry(vllm: Installation, what: Serving) -> str:
    """Return the command with the environment it gets on top of ours, as a shell takes it."""
    import shlex

    from agent.vllm_server import command, environment

    own = [f"{name}={value}" for name, value in environment(vllm, what, {}).items()]
    return shlex.join(["env", *own, *command(vllm, what)])


def run(vllm: Installation, what: Serving, environ: Mapping[str, str], api_key: str | None) -> int:
    """Run the server until it ends or is told to; return its exit code."""
    from agent.vllm_server import VLLMServer

    _say(f"starting vLLM {vllm.version} ({vllm.device}) with {what.name} …")
    with _Forwarding() as signals:
        server = signals.to(VLLMServer(vllm, what, environ, api_key=api_key))
        try:
            server.wait_ready(progress=_progress)
        except AgentError:
            code = server.stop()
            if not signals.received:
                raise
            return code
        for name in (what.name, *what.adapters):
            click.echo(f"ready: --llm {what.url} --model {name}")
        return server.wait()


class _Forwarding:
    """Passes signals on to the server, the second one as an order to end at once.

    It stands before the server does, so that none is lost, nor the server left behind.
    """

    def __init__(self) -> None:
        self.received: list[int] = []
        self._server: VLLMServer | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Forwarding:
        self._before = {number: signal.signal(number, self._forward) for number in FORWARDED}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def to(self, server: VLLMServer) -> VLLMServer:
        """Forward to this server, also what came before it did."""
        self._server = server
        for number in self.received:
            server.signal(number)
        return server

    def _forward(self, number: int, frame: object) -> None:
        self.received.append(number)
        if self._server is None:
            return
        if len(self.received) > 1:
            self._server.kill()
        else:
            self._server.signal(number)


def _progress(seconds: float) -> None:
    if round(seconds) % _SAID_EVERY_S == 0 and seconds >= 1:
        _say(f"waiting for vLLM: {seconds:.0f} s (half a minute to some minutes are usual)")


def _say(text: str) -> None:
    click.echo(text, err=True)
