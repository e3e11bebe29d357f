"""The HTTP API: `create_app` wires the parts to one router per noun."""

from agent.server.app import create_app

__all__ = ["create_app"]
