"""What a user does next: repairs, changes their mind, tells a wish, asks for more, or takes one.

The rules decide the move and its facts; `finetune.simulator.speech` words it. Knows no store and
no dialogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from finetune.simulator.reading import Misread
from finetune.simulator.speech import Move
from finetune.simulator.users import User, Wish
from retrieval.catalog import Item

MOST_REPAIRS = 2
"""So often one thing is said again; then it is let go."""

_OPENS_WITH_MORE = 0.5
_LIKES = 0.35
_CHEAPER = 0.6

Looked = Sequence[tuple[int, Item]]
"""Ranks and items that were looked at."""


@dataclass(slots=True)
class Mind:
    """A user in a session.

    Args:
        open: Wishes not told yet, in order.
        told: Wishes told, and not let go.
        decoys: Wishes told with another value, to be changed.
        tries: How often the present misreading was repaired.
    """

    user: User
    price: str
    random: Random
    open: list[Wish] = field(default_factory=list)
    told: list[Wish] = field(default_factory=list)
    decoys: list[Wish] = field(default_factory=list)
    vague: list[str] = field(default_factory=list)
    restated: list[Wish] = field(default_factory=list)
    tries: int = 0

    @classmethod
    def of(cls, user: User, price: str) -> Mind:
        """Return the mind of a user before they said anything."""
        random = Random(f"{user.name} mind")
        return cls(user, price, random, open=list(user.wishes), vague=list(user.vague))

    def first(self) -> Move:
        """Return how the user begins."""
        if self.user.wide:
            return Move("wide", text=self.user.wide)
        if not self.open:
            return Move("vague", text=self.vague.pop()) if self.vague else Move("more")
        count = 2 if len(self.open) > 1 and self.random.random() < _OPENS_WITH_MORE else 1
        return self._tell("open", self.open[:count])

    def next(
        self, last: Move, wrong: Misread | None, slate: Sequence[Item], looked: Looked
    ) -> Move:
        """Return the next move, where nothing shown was taken."""
        again = self._repair(last, wrong, slate) if wrong is not None else None
        if again is not None:
            self.tries += 1
            return again
        self.tries = 0
        if self.decoys:
            wish = self.decoys.pop(0)
            self.told.append(wish)
            return Move("change", (wish,))
        return self._refine(slate, looked) or self._browse(last, slate, looked)

    def _repair(self, last: Move, wrong: Misread, slate: Sequence[Item]) -> Move | None:
        if self.tries >= MOST_REPAIRS:
            if wrong.wish in self.told:
                self.told.remove(wrong.wish)
            return None
        if wrong.kind == "like":
            ranks = [rank for rank, one in enumerate(slate, 1) if one.id == last.item_id]
            if not ranks:
                return Move("undo")
            return Move("repair", rank=ranks[0], item_id=last.item_id, of="like")
        if wrong.kind == "cheaper":
            return Move("repair", bound=last.bound, of="below")
        if wrong.wish is None:
            return Move("repair", of=wrong.kind)
        return Move("repair", (wrong.wish,), decoy=wrong.wish in self.decoys, of=wrong.kind)

    def _tell(self, kind: str, wishes: Sequence[Wish], rank: int = 0, id: str = "") -> Move:
        """Return a move that tells wishes, with decoys where the user will change their mind."""
        self.open = [wish for wish in self.open if wish not in wishes]
        decoy = any(wish.decoy for wish in wishes)
        self.decoys += [wish for wish in wishes if wish.decoy]
        self.told += [wish for wish in wishes if not wish.decoy]
        kinds = {"open": "open", "like": "like"}
        own = kinds.get(kind, wishes[0].kind)
        return Move(own, tuple(wishes), rank=rank, item_id=id, decoy=decoy)  # type: ignore[arg-type]

    def _refine(self, slate: Sequence[Item], looked: Looked) -> Move | None:
        """Tell the wish that most of what was looked at breaks; else the next one."""
        lost = [w for w in self.told if looked and all(not w.met(item) for _, item in looked)
                and w not in self.restated]  # fmt: skip
        if lost:
            self.restated.append(lost[0])
            return Move(lost[0].kind, (lost[0],))
        if not self.open:
            return Move("vague", text=self.vague.pop()) if self.vague else None
        broken = [sum(not wish.met(item) for _, item in looked) for wish in self.open]
        wish = self.open[broken.index(max(broken))]
        near = self._nearest(looked)
        if near and self.random.random() < _LIKES and wish.kind != "below":
            return self._tell("like", [wish], near[0], near[1])
        return self._tell("wish", [wish])

    def _browse(self, last: Move, slate: Sequence[Item], looked: Looked) -> Move:
        """All is told: look for something cheaper, something like the best one, or more."""
        own = self.user.target.number(self.price) if self.price else None
        amounts = [amount for item in slate if (amount := item.number(self.price)) is not None]
        if own is not None and amounts and own < min(amounts):
            bound = min(amounts)
            if last.kind != "cheaper" and self.random.random() < _CHEAPER:
                return Move("cheaper", bound=bound)
        near = self._nearest(looked)
        if near and last.kind not in ("like", "repair") and self.random.random() < _LIKES:
            return Move("like", rank=near[0], item_id=near[1])
        return Move("more")

    def _nearest(self, looked: Looked) -> tuple[int, str] | None:
        """Return rank and id of what comes nearest among the looked at, if anything does."""
        best = max(looked, key=lambda one: self.user.relevance(one[1]), default=None)
        if best is None or self.user.relevance(best[1]) < 0.4:
            return None
        return best[0], best[1].id
