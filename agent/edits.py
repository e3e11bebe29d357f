"""Edits: the wishes of acts applied to one need, mention by mention.

Knows nothing of slates shown, verdicts or undo, which are `agent.apply`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent import soft
from agent.plan import ORDER, Act, Mention, Plan
from agent.state import Constraint, Need, Preference, Sorting, State
from retrieval.catalog import Facet, Item
from retrieval.filters import TEXT


class NeedEditor:
    """Holds a need and edits it, act by act, within one turn.

    Args:
        before: The state before the turn: its need, and the slate that wishes compare with.
        items: The items that may be compared with, by id.
    """

    def __init__(self, before: State, items: Mapping[str, Item], facets: tuple[Facet, ...]) -> None:
        self.need: Need = before.need
        self._items = items
        self._facets = {facet.name: facet for facet in facets}
        self._slate = before.slate
        self._turn = before.turn + 1
        self._touched: set[str] = set()
        self._bounded: set[str] = set()
        self._alone = False

    def edit(self, act: Act, plan: Plan, refs: tuple[str, ...], focus: tuple[str, ...]) -> None:
        """Apply the wishes of an act: lift, want, exclude, prefer, then compare.

        Args:
            refs: The items the act is about, by id.
            focus: The items spoken of last, by id.
        """
        if not any((act.want, act.avoid, act.drop, act.change, act.prefer, act.text)):
            return
        mention, compared = plan.mention, focus if len(focus) == 1 else self._slate
        self._forget_unknown()
        self._alone = not any(mention(id).kind in ("value", "keyword") for id in act.want)
        for id in act.drop:
            self._drop(mention(id))
        for id in act.want:
            self._want(mention(id), act.join, compared)
        for id in act.avoid:
            self._avoid(mention(id), refs, focus or self._slate)
        for id in act.prefer:
            self._prefer(mention(id), act.join == "add")
        for id in act.change:
            self._change(mention(id), refs or compared)
        if act.text:
            self._add_preference(Preference(text=act.text, turn=self._turn))

    def _forget_unknown(self) -> None:
        """Forget earlier words that the catalog lacks; they were answered when they were said."""
        kept = tuple(p for p in self.need.preferences if p.known or p.turn == self._turn)
        self._set(preferences=kept)

    def _drop(self, mention: Mention) -> None:
        if mention.kind in ("reference", "item"):
            self._let_go(mention.items)
        elif mention.facet is None:
            for said in mention.values:
                self._let_go_of_words(said)
        elif mention.kind == "value":
            self._drop_values(mention, mention.facet)
        elif mention.facet == ORDER:
            self._set(sorting=None)
        elif mention.kind == "number":
            self._drop_bounds(mention.facet)
        else:
            self._drop_facets(self._alike(mention.facet))

    def _let_go(self, items: tuple[str, ...]) -> None:
        """Forget what items were to be like, and bring back those that were hidden."""
        like = self.need.like
        if like is not None and like.item_id in items:
            self._set(like=None)
        self._set(rejected=tuple(one for one in self.need.rejected if one not in items))

    def _alike(self, facet: str) -> set[str]:
        """Return the facets that a facet's name may also mean: those of its role."""
        role = self._role(facet)
        own = {name for name, one in self._facets.items() if role and one.role == role}
        return own | ({facet} & self._facets.keys())

    def _drop_facets(self, facets: set[str]) -> None:
        self._set(
            constraints=tuple(c for c in self.need.constraints if c.facet not in facets),
            preferences=tuple(p for p in self.need.preferences if p.facet not in facets),
        )
        if self.need.sorting and self.need.sorting.facet in facets:
            self._set(sorting=None)

    def _drop_bounds(self, facet: str) -> None:
        """Forget the bounds of a facet, asked for or only wished; its order stays."""
        free = {"low": None, "high": None, "low_strict": False, "high_strict": False}
        self._put(self._own(facet).model_copy(update={**free, "relative": False}))
        self._set(
            preferences=tuple(p for p in self.need.preferences if p.facet != facet or p.values)
        )

    def _drop_values(self, mention: Mention, facet: str) -> None:
        """Forget values of a facet, wanted or excluded; others of the facet stay."""
        own = self._own(facet)
        gone = (*mention.values, *mention.family)
        self._put(
            own.model_copy(
                update={
                    "values": minus(own.values, gone), "excluded": minus(own.excluded, gone),
                    "family": (),
                }
            )
        )  # fmt: skip

    def _let_go_of_words(self, said: str) -> None:
        """Forget what shares a word with what was said, whether wished for or ruled out."""
        self._set(preferences=soft.without_words(self.need.preferences, said))
        own = self.need.constraint(TEXT)
        if own:
            kept = soft.apart(own.excluded, said)
            self._put(own.model_copy(update={"excluded": kept}))

    def _forget_word(self, word: str) -> None:
        self._set(
            preferences=tuple(p for p in self.need.preferences if word not in p.text.casefold())
        )
        own = self.need.constraint(TEXT)
        if own and word in own.excluded:
            self._put(own.model_copy(update={"excluded": minus(own.excluded, (word,))}))

    def _avoid(self, mention: Mention, refs: tuple[str, ...], present: tuple[str, ...]) -> None:
        if mention.kind in ("reference", "item"):
            self._set(rejected=union(self.need.rejected, mention.items))
        elif mention.kind == "value" and mention.facet:
            if self._beside_the_category(mention) or self._wanted_now(mention, mention.facet):
                words = mention.carried or mention.text
                self._exclude(TEXT, (words.casefold(),), mention.text)
            else:
                self._exclude(mention.facet, (*mention.values, *mention.family), mention.text)
        elif mention.kind in ("keyword", "unknown"):
            self._forget_word(mention.values[0])
            self._exclude(TEXT, mention.values, mention.text)
        elif mention.kind == "number" and mention.facet:
            self._exclude_range(mention)
        elif mention.kind == "facet" and mention.facet:
            self._exclude_own(mention, mention.facet, refs, present)

    def _beside_the_category(self, mention: Mention) -> bool:
        """Return whether an excluded category is not what is wanted anyway ("noodles, no egg")."""
        wanted = [c for c in self.need.constraints if c.role == "category" and c.values]
        own = {value for c in wanted for value in c.values}
        return (
            self._role(mention.facet or "") == "category"
            and bool(wanted)
            and not own & set(mention.values)
        )

    def _wanted_now(self, mention: Mention, facet: str) -> bool:
        """Return whether a kind was wanted in this turn by another name: "shampoo, no conditioner"
        where Shampoo & Conditioner is one kind."""
        own = self.need.constraint(facet)
        if own is None or own.role != "category" or facet not in self._touched:
            return False
        other = mention.text.casefold() not in own.label.casefold()
        return other and set(mention.values) <= set(own.values)

    def _exclude(self, facet: str, values: tuple[str, ...], label: str) -> None:
        own = self._own(facet)
        self._set(preferences=soft.without_values(self.need.preferences, facet, values))
        wanted = minus(own.values, values)
        excluded = union(own.excluded, values)
        if own.values and wanted and not self._listed(facet):
            excluded = own.excluded
        self._put(
            own.model_copy(
                update={
                    "values": wanted, "family": minus(own.family, values), "excluded": excluded,
                    "label": own.label if wanted else f"not {label}", "turn": self._turn,
                }
            )
        )  # fmt: skip

    def _exclude_own(
        self, mention: Mention, facet: str, refs: tuple[str, ...], present: tuple[str, ...]
    ) -> None:
        """Exclude the values the reference has: "a different author", "another colour"."""
        like = (self.need.like.item_id,) if self.need.like else ()
        own = [self._items[id] for id in refs or like or present[:1] if id in self._items]
        values = tuple(str(value) for item in own for value in item.values(facet))
        if values:
            self._exclude(facet, values, mention.text)

    def _exclude_range(self, mention: Mention) -> None:
        """Turn "not under 50" into "at least 50" and back."""
        flipped = mention.model_copy(update={"low": mention.high, "high": mention.low})
        if (mention.low is None) != (mention.high is None):
            self._bound(flipped)

    def _want(self, mention: Mention, join: str, compared: tuple[str, ...]) -> None:
        if mention.kind == "value" and mention.facet:
            self._want_value(mention, mention.facet, join)
        elif mention.kind == "number":
            self._bound(mention)
        elif mention.kind in ("keyword", "unknown"):
            self._want_word(mention)
        elif mention.kind in ("relative", "order"):
            self._change(mention, compared)

    def _want_value(self, mention: Mention, facet: str, join: str) -> None:
        own = self._own(facet)
        joins = join == "add" or facet in self._touched
        self._set(preferences=soft.without_facet(self.need.preferences, facet, self._turn))
        if not joins:
            self._leave_other_categories(facet)
        values = union(own.values, mention.values) if joins else mention.values
        excluded = minus(own.excluded, mention.values) if self._listed(facet) else ()
        label = f"{own.label} or {mention.text}" if joins and own.values else mention.text
        self._put(
            own.model_copy(
                update={
                    "values": values, "family": minus(mention.family, values),
                    "excluded": excluded, "label": label, "turn": self._turn,
                }
            )
        )  # fmt: skip
        self._touched.add(facet)

    def _leave_other_categories(self, facet: str) -> None:
        """A new category takes the place of earlier ones on other category facets."""
        if self._role(facet) != "category":
            return
        self._set(
            constraints=tuple(
                c
                for c in self.need.constraints
                if c.role != "category" or c.facet == facet or c.turn == self._turn
            )
        )

    def _want_word(self, mention: Mention) -> None:
        own = self.need.constraint(TEXT)
        if own and mention.values[0] in own.excluded:
            self._put(own.model_copy(update={"excluded": minus(own.excluded, mention.values)}))
        known = mention.kind == "keyword" or not self._alone
        words = mention.text if mention.carried else ""
        wish = Preference(text=mention.values[0], words=words, known=known, turn=self._turn)
        self._add_preference(wish)

    def _prefer(self, mention: Mention, joins: bool) -> None:
        said, words = mention.carried or mention.text, mention.text if mention.carried else ""
        if mention.kind == "number":
            wish = Preference(
                text=said, facet=mention.facet, turn=self._turn, words=words,
                low=mention.low,
                high=mention.high,
            )  # fmt: skip
        elif mention.kind == "value":
            wish = Preference(
                text=said, facet=mention.facet, values=mention.values, words=words,
                turn=self._turn,
            )  # fmt: skip
        else:
            text = " ".join(mention.values) or said
            wish = Preference(text=text, words=words, turn=self._turn)
        self._add_preference(wish, joins)

    def _add_preference(self, wish: Preference, joins: bool = False) -> None:
        self._set(preferences=soft.with_wish(self.need.preferences, wish, joins=joins))

    def _bound(self, mention: Mention) -> None:
        if mention.facet is None:
            return
        own = self._own(mention.facet)
        low, high = mention.low, mention.high
        low_strict = high_strict = mention.strict
        if mention.facet in self._bounded:
            low, high = (own.low if low is None else low), (own.high if high is None else high)
        elif low is None and _agrees(own.low, high):
            low, low_strict = own.low, own.low_strict
        elif high is None and _agrees(low, own.high):
            high, high_strict = own.high, own.high_strict
        self._put(
            own.model_copy(
                update={
                    "low": low, "high": high, "low_strict": low_strict,
                    "high_strict": high_strict, "label": mention.text, "turn": self._turn,
                    "relative": mention.kind == "relative",
                }
            )
        )  # fmt: skip
        self._bounded.add(mention.facet)

    def _change(self, mention: Mention, compared: tuple[str, ...]) -> None:
        if mention.facet is None or mention.direction is None:
            return
        values = [] if mention.kind == "order" else self._known_values(mention.facet, compared)
        if not values:
            said = mention.text.rpartition(" by ")[2]  # "rating" of "sort by rating"
            said = "" if said.startswith("too ") else said  # "too big" is what comes last
            sorting = Sorting(facet=mention.facet, direction=mention.direction, label=said)
            self._set(sorting=sorting)
        elif self._is_narrower(mention, values):
            return  # what was shown beside the bound, since nothing fitted, does not widen it
        elif mention.direction == "down":
            update = {"high": min(values), "low": None, "strict": True}
            self._bound(mention.model_copy(update=update))
        else:
            update = {"high": None, "low": max(values), "strict": True}
            self._bound(mention.model_copy(update=update))

    def _is_narrower(self, mention: Mention, values: list[float | str]) -> bool:
        """Return whether the bound there is leaves out all of some values already."""
        own = self._own(mention.facet or "")
        if mention.direction == "down":
            return own.high is not None and all(_within(own.high, value) for value in values)
        return own.low is not None and all(_within(value, own.low) for value in values)

    def _known_values(self, facet: str, ids: tuple[str, ...]) -> list[float | str]:
        """Return the facet's values of what a relative wish compares with."""
        values: list[float | str] = []
        for id in ids:
            item = self._items.get(id)
            own = item.fields.get(facet) if item else None
            if isinstance(own, str) or (isinstance(own, int | float) and not isinstance(own, bool)):
                values.append(own)
        return values

    def _role(self, facet: str) -> str | None:
        known = self._facets.get(facet)
        return known.role if known else None

    def _listed(self, facet: str) -> bool:
        known = self._facets.get(facet)
        return facet == TEXT or (known is not None and known.kind == "list")

    def _own(self, facet: str) -> Constraint:
        return self.need.constraint(facet) or Constraint(
            facet=facet, role=self._role(facet), turn=self._turn
        )

    def _put(self, constraint: Constraint) -> None:
        """Store a constraint in place; one that demands nothing any more goes."""
        empty = not (
            constraint.values
            or constraint.excluded
            or constraint.low is not None
            or constraint.high is not None
        )
        kept = list(self.need.constraints)
        place = next((i for i, c in enumerate(kept) if c.facet == constraint.facet), len(kept))
        kept[place : place + 1] = [] if empty else [constraint]
        self._set(constraints=tuple(kept))

    def _set(self, **update: object) -> None:
        self.need = self.need.model_copy(update=update)


def union(left: tuple[str, ...], right: Iterable[str]) -> tuple[str, ...]:
    """Return both without repeats, in order."""
    return tuple(dict.fromkeys((*left, *right)))


def minus(left: tuple[str, ...], right: Iterable[str]) -> tuple[str, ...]:
    """Return what is left of values without some, however those are capitalised."""
    gone = {value.casefold() for value in right}
    return tuple(value for value in left if value.casefold() not in gone)


def _within(low: float | str, high: float | str) -> bool:
    """Return whether one value is at most another of its kind."""
    if isinstance(low, str) or isinstance(high, str):
        return str(low) <= str(high)
    return low <= high


def _agrees(low: float | str | None, high: float | str | None) -> bool:
    """Return whether two bounds of one facet leave room between them."""
    if low is None or high is None:
        return low is not None or high is not None
    if isinstance(low, str) or isinstance(high, str):
        return str(low) < str(high)
    return low < high
