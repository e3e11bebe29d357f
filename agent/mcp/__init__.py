"""The MCP server: the catalog as tools, resources and a prompt for language models elsewhere."""

from agent.mcp.caller import Caller
from agent.mcp.http import MCPEndpoint
from agent.mcp.server import make_server

__all__ = ["Caller", "MCPEndpoint", "make_server"]
