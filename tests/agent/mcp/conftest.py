"""The MCP server over the small shop, asked by the SDK's own client."""

from __future__ import annotations

import anyio
import pytest
from mcp import Client

from agent.mcp import Caller, make_server
from agent.server.context import Context
from agent.server.limits import Limits
from tests.agent.clothes import parts_over, writable


@pytest.fixture
def shop(clothes):
    return writable(clothes)


@pytest.fixture
def here(shop, sessions):
    return Context(parts_over(shop, sessions), shop, ("rules",), Limits())


@pytest.fixture(params=["auto", "legacy"])
def asking(request, here):
    """Run a function of a connected client; over the protocol's newest and its older form."""

    def run(function, caller=None):
        async def connected():
            server = make_server(caller or Caller(here))
            async with Client(server, mode=request.param) as client:
                return await function(client)

        return anyio.run(connected)

    return run


@pytest.fixture
def call(asking):
    """Call one tool and return its structured answer, or its error's text."""

    def call(name, caller=None, **arguments):
        result = asking(lambda client: client.call_tool(name, arguments), caller)
        if result.is_error:
            return result.content[0].text
        return result.structured_content

    return call
