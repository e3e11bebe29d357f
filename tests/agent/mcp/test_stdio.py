"""`attune mcp` as a client starts it: a process of its own, spoken to over its pipes."""

import os
import subprocess
import sys
import time
from pathlib import Path

import anyio
import httpx
import pytest
from click.testing import CliRunner
from mcp import Client, StdioServerParameters

from retrieval.encoder import HashingEncoder
from retrieval.loading import load
from retrieval.retriever import Retriever
from tests.agent.server.test_process import write_catalog
from ui.cli import main

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stdio")
    write_catalog(folder / "catalog.csv")
    Retriever.build(load([folder / "catalog.csv"]), folder / "project", encoder=HashingEncoder())
    env = {**os.environ, "ATTUNE_LLM": "none", "ATTUNE_HOME": str(folder), "PYTHONPATH": str(ROOT)}
    return StdioServerParameters(
        command=sys.executable, args=["-m", "ui", "mcp", str(folder / "project")], env=env
    )


@pytest.mark.parametrize("mode", [pytest.param("auto", marks=pytest.mark.slow), "legacy"])
def test_client_talks_over_pipes(command, mode):
    async def talk():
        async with Client(command, mode=mode) as client:
            listed = await client.list_tools()
            first = await client.call_tool("recommend", {"text": "navy shoes under 30"})
            item = first.structured_content["items"][0]
            like = {"item_id": item["id"], "change": "not navy, under 20"}
            other = await client.call_tool("similar_but", like)
            wrong = await client.call_tool("get_item", {"item_id": "none"})
            return listed, item, other.structured_content, wrong

    listed, item, other, wrong = anyio.run(talk)
    assert len(listed.tools) == 7
    assert item["attributes"]["colour"] == "Navy"
    assert all(one["price"] < 20 for one in other["items"])
    assert other["items"]
    assert wrong.is_error


def test_stdout_carries_protocol_only(command):
    # Nothing that is no message may come out, also when what comes in is none.
    done = subprocess.run(
        [command.command, *command.args], input="not json\n{}\n[1]\n", env=command.env,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert all(line.startswith('{"jsonrpc"') for line in done.stdout.splitlines())


def test_unknown_folder_is_one_line(tmp_path):
    done = CliRunner().invoke(main, ["mcp", str(tmp_path / "none")])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")


def test_http_is_served_as_well(command, port):
    server = subprocess.Popen(
        [command.command, *command.args, "--http", "--port", str(port)], env=command.env,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    async def talk():
        async with Client(f"http://127.0.0.1:{port}/mcp") as client:
            return await client.call_tool("search_items", {"query": "navy shoes", "k": 1})

    try:
        for _ in range(600):
            try:
                httpx.get(f"http://127.0.0.1:{port}/health")
                break
            except httpx.TransportError:
                time.sleep(0.2)
        found = anyio.run(talk).structured_content
    finally:
        server.terminate()
        server.wait(60)
    assert found["items"][0]["attributes"]["colour"] == "Navy"
