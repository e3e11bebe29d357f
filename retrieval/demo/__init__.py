"""The demo catalog: an invented shop of clothing, home, electronics, outdoor and toys."""

from retrieval.demo.make import make_demo

__all__ = ["make_demo"]
