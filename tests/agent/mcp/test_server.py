import json

import pytest
from mcp import MCPError

from agent.mcp import Caller
from agent.mcp.server import TOOLS

NAMES = {"search_items", "get_item", "recommend", "similar_but", "explain", "compare",
         "send_feedback"}  # fmt: skip


@pytest.fixture
def tools(asking):
    listed = asking(lambda client: client.list_tools())
    return {tool.name: tool for tool in listed.tools}


def test_tools_are_described(tools):
    assert set(tools) == NAMES == {function.__name__ for function, _, _ in TOOLS}
    for tool in tools.values():
        assert len(tool.description) > 40
        assert tool.title
        assert tool.output_schema["type"] == "object"
        described = tool.input_schema["properties"].values()
        assert all("description" in one or "$ref" in json.dumps(one) for one in described)


def test_hints_say_what_only_reads(tools):
    reads = {name for name, tool in tools.items() if tool.annotations.read_only_hint}
    assert reads == {"search_items", "get_item", "explain", "compare"}
    assert not any(tool.annotations.destructive_hint for tool in tools.values())


def test_catalog_lists_facets(asking):
    read = asking(lambda client: client.read_resource("attune://catalog"))
    catalog = json.loads(read.contents[0].text)
    colour = next(facet for facet in catalog["facets"] if facet["name"] == "colour")
    assert (catalog["items"], catalog["currency"]) == (14, "EUR")
    assert ["Blue", 4] in colour["values"]


def test_item_is_read_by_uri(asking):
    read = asking(lambda client: client.read_resource("attune://items/9"))
    assert json.loads(read.contents[0].text)["price"] == 90.0


def test_unknown_item_uri_is_refused(asking):
    # Ids look like paths at times; they are looked up in the index and nowhere else.
    async def read(client):
        with pytest.raises(MCPError, match=r"no item '\.\./etc/passwd'"):
            await client.read_resource("attune://items/../etc/passwd")

    asking(read)


def test_catalog_takes_scope(asking, here):
    async def read(client):
        with pytest.raises(MCPError, match="scope 'chat'"):
            await client.read_resource("attune://catalog")

    asking(read, Caller(here, frozenset({"feedback"})))


def test_prompt_carries_need(asking):
    async def prompt(client):
        return await client.get_prompt("shop", {"need": "a gift"})

    said = asking(prompt).messages[0].content.text
    assert "They said: 'a gift'" in said


def test_crash_tells_nothing_of_itself(asking, here, shop, caplog):
    def broken(*args, **more):
        raise RuntimeError("secret path /srv/x")

    shop.get_many = broken
    result = asking(lambda client: client.call_tool("get_item", {"item_id": "9"}))
    assert result.is_error
    assert "secret" not in result.content[0].text
    assert "secret path" in caplog.text
