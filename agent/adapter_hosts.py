"""Where adapters run: beside the base model in this process, or in a vLLM server.

Both load an adapter under its name, have it answer once, and let it go by that name; see
`agent.routing.AdapterHost`. What a model says in a turn is not known here: voices are made by
whoever wires the parts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from agent.adapters_admin import AdaptersAdmin
from agent.errors import AgentError, ServerError
from agent.llm import ChatModel
from agent.taught import Taught, taught_by
from agent.voice import Voice
from prompts import Message

Speak = Callable[[ChatModel, ChatModel | None, Taught], Voice]
"""Makes a voice of a model, the base that it was tuned from (None where it is the base), and what
tuning has taught it."""

WARM_UP: tuple[Message, ...] = ({"role": "user", "content": "warm up"},)
WARM_UP_S = 60.0


class Adaptable(ChatModel, Protocol):
    """A chat model that can have adapters, each a chat model of its own (`agent.local_chat`)."""

    @property
    def adapters(self) -> tuple[str, ...]:
        """The names of the adapters that are loaded."""
        ...

    def load_adapter(self, name: str, folder: Path) -> ChatModel:
        """Load an adapter under a name; return what it makes of the model."""
        ...

    def unload_adapter(self, name: str) -> None:
        """Let it go."""
        ...

    def with_adapter(self, name: str) -> ChatModel:
        """Return the model with a loaded adapter."""
        ...


class LocalHost:
    """Adapters beside the base model of this process."""

    def __init__(self, base: Adaptable, speak: Speak) -> None:
        self._base = base
        self._speak = speak
        self._taught: dict[str, Taught] = {}

    def load(self, name: str, folder: Path) -> None:
        """Load an adapter and have it answer once; raises what the model raises."""
        self._taught[name] = taught_by(folder)
        if name in self._base.adapters:
            return
        tuned = self._base.load_adapter(name, folder)
        try:
            tuned.complete(WARM_UP, max_tokens=1, deadline_s=WARM_UP_S)
        except AgentError:
            self._base.unload_adapter(name)
            raise

    def unload(self, name: str) -> None:
        """Let an adapter go; calls that were made before are still answered by it."""
        self._base.unload_adapter(name)

    def loaded(self) -> frozenset[str]:
        """Return the adapters that are loaded."""
        return frozenset(self._base.adapters)

    def voice(self, name: str | None) -> Voice:
        """Return the voice of an adapter, or of the base."""
        if name is None:
            return self._speak(self._base, None, None)
        tuned = self._base.with_adapter(name)
        return self._speak(tuned, self._base, self._taught.get(name))


class ServerHost:
    """Adapters of a vLLM server.

    Args:
        base: The served model without an adapter.
        chat_of: Makes the client of an adapter by its name.
    """

    def __init__(
        self,
        admin: AdaptersAdmin,
        base: ChatModel,
        chat_of: Callable[[str], ChatModel],
        speak: Speak,
    ) -> None:
        self._admin = admin
        self._base = base
        self._chat_of = chat_of
        self._speak = speak
        self._taught: dict[str, Taught] = {}

    def load(self, name: str, folder: Path) -> None:
        """Load an adapter and have it answer once.

        Raises:
            BadModelFolder: If the folder holds no adapter.
            ServerError: If the server does not take it, or has another one of that name.
        """
        self._taught[name] = taught_by(folder)
        served = {model.name: model.folder for model in self._admin.models()}
        if name not in served:
            self._admin.load(name, folder)
        elif Path(served[name]).absolute() != folder.absolute():
            raise ServerError(f"the server has another adapter called {name!r}, from "
                              f"{served[name]!r}: unload it there")  # fmt: skip
        try:
            self._admin.warm_up(name)
        except AgentError:
            if name not in served:
                self._admin.unload(name)
            raise

    def unload(self, name: str) -> None:
        """Let an adapter go; answers under way are finished with it."""
        self._admin.unload(name)

    def loaded(self) -> frozenset[str]:
        """Return the adapters that the server has."""
        return frozenset(model.name for model in self._admin.models() if model.base is not None)

    def voice(self, name: str | None) -> Voice:
        """Return the voice of an adapter, or of the base."""
        if name is None:
            return self._speak(self._base, None, None)
        return self._speak(self._chat_of(name), self._base, self._taught.get(name))
