"""A host of adapters that does as it is told, and a planner that says whose it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event

from agent.errors import ServerError
from agent.planner import RulePlanner
from agent.voice import Voice


@dataclass
class ScriptedHost:
    """Loads what it does not refuse, and writes down what was asked of it."""

    refused: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    down: bool = False
    go: Event = field(default_factory=Event)

    def __post_init__(self):
        self.go.set()

    def load(self, name, folder):
        self.asked.append(f"load {name}")
        assert self.go.wait(10)
        if not folder.is_dir():
            raise ServerError(f"{folder.name} is not there")
        if name in self.refused:
            raise ServerError(self.refused[name])
        self.names.add(name)

    def unload(self, name):
        self.asked.append(f"unload {name}")
        self.names.remove(name)

    def loaded(self):
        if self.down:
            raise ServerError("no answer")
        return frozenset(self.names)

    def voice(self, name):
        return Voice(name or "base", RulePlanner())
