"""Webhook tools: operations of the shop's own API, described by an OpenAPI 3 file."""

from agent.tools.calling import Caller, Server, ToolFailed
from agent.tools.folder import FOLDER, add, load, remove
from agent.tools.spec import Argument, BadTool, Tool, read_tools

__all__ = [
    "FOLDER", "Argument", "BadTool", "Caller", "Server", "Tool", "ToolFailed", "add", "load",
    "read_tools", "remove",
]  # fmt: skip
