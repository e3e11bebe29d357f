"""Adapters of a project while it is served: the router, and who decides over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from agent.adapter_desk import Adapters
from agent.adapter_hosts import LocalHost, ServerHost, Speak
from agent.errors import AdapterRefused, NoSuchAdapter
from agent.explain_prompt import Prompt
from agent.llm import ChatModel
from agent.ports import Retriever
from agent.routing import AdapterHost, AdapterRouter
from agent.store import Store
from agent.tagged_prompt import PROMPT as TAGGED
from agent.voices import CHOOSE_S, Speaking
from finetune.errors import FinetuneError
from finetune.registry import Registry
from ui.adapters import ADAPTERS
from ui.chat_models import asking_of, served, sure_of, wording_of
from ui.settings import Settings


def make_router(
    project: Path, settings: Settings, chat: ChatModel, retriever: Retriever, store: Store
) -> AdapterRouter:
    """Return the router of a project, not following yet: `start` it, or `follow` once.

    Args:
        chat: The base model.
        store: Knows whose sessions are; users are shared out as a whole.
    """
    host = host_of(settings, chat, retriever)
    return AdapterRouter(project / ADAPTERS, host, unit=unit_of(store))


def host_of(
    settings: Settings, chat: ChatModel, retriever: Retriever, choose_s: float = CHOOSE_S
) -> AdapterHost:
    """Return where the adapters of a base model run, and how it takes its part in turns.

    Args:
        choose_s: Deadline for choosing one slate.
    """
    speaks = replace(speaking(settings, chat, retriever), choose_s=choose_s)
    return _host(settings, chat, speaks.voice)


def speaking(settings: Settings, chat: ChatModel, retriever: Retriever) -> Speaking:
    """Return how a base model, and every adapter of it, takes its part in turns."""
    asking = asking_of(chat.name, settings)
    words: Prompt = "explain@1" if asking.prompt == TAGGED else "explain@2"
    return Speaking(
        retriever, asking, sure_of(asking, settings),
        explains=words if settings.explainer == "model" else None,
        plan_s=settings.deadline_s, explain_s=settings.explain_s,
        wording=wording_of("explain@2", settings),
    )  # fmt: skip


def unit_of(store: Store) -> Callable[[str], str]:
    """Return what a session is shared out by: its user, where it has one."""
    return lambda session: store.load(session).user or session


def _host(settings: Settings, chat: ChatModel, speak: Speak) -> AdapterHost:
    from agent.local_chat import LocalChat

    if isinstance(chat, LocalChat):
        return LocalHost(chat, speak)
    from agent.adapters_admin import AdaptersAdmin

    url = settings.llm or ""
    key = settings.llm_key.get_secret_value() if settings.llm_key else None
    return ServerHost(AdaptersAdmin(url, key), chat, lambda name: served(settings, name), speak)


def make_adapters(project: Path, settings: Settings, router: AdapterRouter) -> Adapters:
    """Return what the HTTP API needs to tell of adapters, and to decide on them with the key."""
    key = settings.admin_key.get_secret_value() if settings.admin_key else None
    return Adapters(router, RegistryDesk(project / ADAPTERS), key)


class RegistryDesk:
    """Decides by the registry in a folder, opened for each decision; see `AdapterDesk`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def promote(self, name: str, *, force: bool, why: str) -> None:
        """Have an adapter answer everybody."""
        with self._opened(name) as registry:
            registry.promote(name, force=force, why=why)

    def canary(self, name: str, share: float, *, force: bool, why: str) -> None:
        """Have an adapter answer a share of the new sessions."""
        with self._opened(name) as registry:
            registry.canary(name, share, force=force, why=why)

    def rollback(self, *, why: str) -> str | None:
        """Go back to what answered before."""
        with self._opened() as registry:
            return registry.rollback(why)

    def statuses(self) -> dict[str, str]:
        """Return the status of each adapter."""
        with self._opened() as registry:
            return {entry.name: entry.status for entry in registry.list()}

    def learned_from(self, session_keys: Collection[str], user_keys: Collection[str]) -> list[str]:
        """Return the adapters made from the data of these keys."""
        with self._opened() as registry:
            return registry.learned_from(session_keys, user_keys)

    @contextmanager
    def _opened(self, name: str | None = None) -> Iterator[Registry]:
        try:
            with Registry(self._folder, who="api") as registry:
                if name is not None and name not in {entry.name for entry in registry.list()}:
                    raise NoSuchAdapter(f"there is no adapter {name!r} here; GET /v1/adapters "
                                        "lists them")  # fmt: skip
                yield registry
        except FinetuneError as error:
            raise AdapterRefused(str(error)) from error
