"""What a reply is made from and what it is made of: values shared by the parts of the reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agent.compare import Table
from agent.languages.tongue import ENGLISH, Tongue
from agent.plan import Act, Mention, Plan
from agent.ports import Retriever
from agent.recommend import Recommendation
from agent.state import Constraint, State
from agent.turn import Reason
from agent.wording import describe, find, listing, say
from retrieval.catalog import Item


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a reply with the claims it makes about items.

    Args:
        asked: The facet that a question in it is about.
        about: The item that the claims explain, where a model may word them.
        found: The item that the words are about, where the reply itself found it: "why no Puma?".
    """

    text: str
    claims: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
    table: Table | None = None
    asked: str | None = None
    about: Item | None = None
    found: Item | None = None


@dataclass(frozen=True)
class Scene:
    """Everything a reply can draw on."""

    plan: Plan
    before: State
    state: State
    recommendation: Recommendation | None
    retriever: Retriever
    known: Mapping[str, Item]
    tongue: Tongue = ENGLISH
    _found: dict[str, Item] = field(default_factory=dict)

    def say(self, key: str, **values: object) -> str:
        """Return a sentence of the table, its variant taken by the number of the turn."""
        return say(key, self.state.turn, self.tongue.code, **values)

    def item(self, id: str) -> Item | None:
        """Return an item as it is known to this turn or the catalog, None when it is gone."""
        if id not in self.known and id not in self._found:
            self._found.update({item.id: item for item in self.retriever.get_many([id])})
        return self.known.get(id) or self._found.get(id)

    def items(self, ids: tuple[str, ...]) -> tuple[Item, ...]:
        """Return the items with these ids that still are in the catalog."""
        return tuple(item for id in ids if (item := self.item(id)) is not None)

    def wish(self, constraint: Constraint) -> str:
        """Return a constraint as people say it."""
        facet = find(self.retriever.facets, constraint.facet)
        return describe(constraint, facet, self.retriever.currency, self.tongue)

    def listed(self, parts: Sequence[str], last: Literal["and", "or", "wishes"] = "and") -> str:
        """Return "a, b and c"."""
        return listing(parts, last, self.tongue)

    def mentions(self, ids: tuple[str, ...]) -> tuple[Mention, ...]:
        """Return the mentions with these ids; ids that the plan lacks are left out."""
        by_id = {mention.id: mention for mention in self.plan.mentions}
        return tuple(by_id[id] for id in ids if id in by_id)

    def targets(self, act: Act) -> tuple[Item, ...]:
        """Return the items an act is about: its references, else the focus, else the slate."""
        if act.refs:
            ids = tuple(id for mention in self.mentions(act.refs) for id in mention.items)
            return self.items(tuple(dict.fromkeys(ids)))
        return self.items(self.state.focus or self.before.focus or self.before.slate)
