"""Each message is a step of a trace, by its method and tool and by nothing that anybody wrote."""

import pytest
from mcp import MCPError

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def traced(asking, spans):
    """Run a function of a connected client; return the spans by name."""

    def traced(function):
        asking(function)
        return {span.name: span for span in spans()}

    return traced


def test_call_is_told_by_its_tool(traced):
    found = traced(lambda client: client.call_tool("recommend", {"text": "blue shirts"}))
    call, turn = found["tools/call recommend"], found["invoke_agent attune"]
    assert call.kind.name == "SERVER"
    assert call.attributes["mcp.method.name"] == "tools/call"
    assert call.attributes["gen_ai.operation.name"] == "execute_tool"
    assert call.attributes["gen_ai.tool.name"] == "recommend"
    assert turn.parent.span_id == call.context.span_id


def test_call_goes_on_with_the_clients_trace(traced):
    meta = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
    found = traced(lambda client: client.call_tool("get_item", {"item_id": "1"}, meta=meta))
    call = found["tools/call get_item"]
    assert (f"{call.context.trace_id:032x}", f"{call.parent.span_id:016x}") == (TRACE, SPAN)


def test_errors_are_told_without_their_words(traced):
    async def ask(client):
        await client.call_tool("get_item", {"item_id": "zebulon@example.org"})
        await client.call_tool("zebulon", {"secret": "zebulon"})
        with pytest.raises(MCPError):
            await client.read_resource("attune://items/zebulon")

    found = traced(ask)
    assert found["tools/call get_item"].attributes["error.type"] == "tool_error"
    assert "gen_ai.tool.name" not in found["tools/call"].attributes
    assert (
        found["resources/read"].attributes["error.type"]
        == (found["resources/read"].attributes["rpc.response.status_code"])
    )
    assert "zebulon" not in "".join(span.to_json() for span in found.values())


def test_progress_is_told_to_those_who_ask(asking):
    heard = []

    async def hear(done, of, said):
        heard.append((done, of, said))

    async def ask(client):
        words = {"text": "blue shirts under 40"}
        await client.call_tool("recommend", words, progress_callback=hear)
        await client.call_tool("recommend", words)

    asking(ask)
    assert heard == [(1.0, 3.0, "understood"), (2.0, 3.0, "2 items")]
