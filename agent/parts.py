"""What a turn is made with: the parts that `agent.dialogue` calls, as one value."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from agent.choosing import Chooser
from agent.desk import Desk
from agent.explainer import LLMExplainer
from agent.exploring import GREEDY, Policy
from agent.languages.languages import Languages, plain_languages
from agent.plan import Mention
from agent.planner import Planner
from agent.ports import Retriever
from agent.privacy.port import MASKS_NOTHING, Masker
from agent.state import State
from agent.store import Store
from agent.voice import RULES, Router, Voice
from retrieval.catalog import Item


class Linker(Protocol):
    """Finds mentions."""

    def link(self, utterance: str, state: State, slate: Sequence[Item]) -> tuple[Mention, ...]:
        """Return the mentions of an utterance."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What a turn is made with. Shared between threads and sessions.

    Args:
        page: Items on a slate.
        explainer: Words the explanations; without one the templates do.
        chooser: Reorders the best of what was found; without one the search decides.
        voice: Name of the planner, explainer and chooser together.
        policy: Makes a slate of a ranking.
        router: Decides which voice answers a session; without one it is the parts' own.
        desk: Takes care of what is not about items; without one nobody does.
        masker: Masks personal data before anything else sees the utterance.
        languages: What is said, and what is understood, beside English.
    """

    store: Store
    retriever: Retriever
    linker: Linker
    planner: Planner
    page: int = 5
    explainer: LLMExplainer | None = None
    chooser: Chooser | None = None
    voice: str = RULES
    policy: Policy = GREEDY
    router: Router | None = None
    desk: Desk | None = None
    masker: Masker = MASKS_NOTHING
    languages: Languages = field(default_factory=plain_languages)

    def lease(self, session_id: str) -> AbstractContextManager[Voice]:
        """Hold the voice that answers a session for one turn."""
        if self.router is not None:
            return self.router.lease(session_id)
        return nullcontext(Voice(self.voice, self.planner, self.explainer, self.chooser))
