"""Real vLLM over a tiny stand-in base, in an environment of its own that is made once and kept."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.adapters_admin import AdaptersAdmin
from agent.vllm_server import Installation, Serving, VLLMServer, find_vllm
from tests.conftest import free_port
from tests.tiny_llama import GREET, MORE, RECOMMEND, write_adapter, write_base

ROOT = Path(__file__).parents[2]


@dataclass
class Models:
    """A base and adapters of it; each answers whatever is asked with one text."""

    base: Path
    more: Path
    greet: Path
    answers: dict[str, str]


@dataclass
class Served:
    """A running server and how to start another in its place."""

    vllm: Installation
    serving: Serving
    log: Path
    server: VLLMServer

    @property
    def url(self) -> str:
        return self.serving.url

    def restart(self) -> None:
        """Start the server anew where the last one was."""
        with self.log.open("ab") as log:
            self.server = VLLMServer(self.vllm, self.serving, os.environ, log=log)
        self.server.wait_ready(600)


@pytest.fixture(scope="session")
def vllm() -> Installation:
    """The interpreter named by ATTUNE_VLLM_PYTHON, else that of `make vllm`."""
    if named := os.environ.get("ATTUNE_VLLM_PYTHON"):
        return find_vllm([Path(named)])
    subprocess.run(["make", "vllm"], cwd=ROOT, check=True)
    return find_vllm([ROOT / ".venv-vllm/bin/python"])


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Models:
    folder = tmp_path_factory.mktemp("models")
    base = write_base(folder / "tiny")
    return Models(
        base,
        write_adapter(folder / "more", base, MORE),
        write_adapter(folder / "greet", base, GREET),
        {"tiny": RECOMMEND, "more": MORE, "greet": GREET},
    )


@contextmanager
def running(vllm: Installation, base: Path, name: str, adapters: dict[str, Path], log: Path):
    """Start vLLM with a base and adapters on a free port, and stop it in the end."""
    # A few seconds of engine checks are of no use to tests; memory for the cache is.
    serving = Serving(base, name, adapters, port=free_port())
    with log.open("wb") as opened:
        server = VLLMServer(vllm, serving, os.environ, log=opened)
    served = Served(vllm, serving, log, server)
    try:
        server.wait_ready(600)
        yield served
    finally:
        served.server.stop()
        print(log.read_text(errors="replace")[-4000:])


@pytest.fixture(scope="session")
def served(vllm, models, tmp_path_factory):
    """vLLM with the base and one adapter."""
    log = tmp_path_factory.mktemp("vllm") / "vllm.log"
    with running(vllm, models.base, "tiny", {"more": models.more}, log) as served:
        yield served


@pytest.fixture
def admin(served):
    with AdaptersAdmin(served.url) as admin:
        yield admin
