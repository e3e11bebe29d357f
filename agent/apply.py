"""Apply: state and plan in, state out. Pure: no catalog search, no clock, no randomness.

The meaning of each act is written down in docs/conventions.md; this module is that page as code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent.plan import ORDER, Act, Mention, Plan
from agent.state import Constraint, Likeness, Need, Preference, Sorting, State
from retrieval.catalog import Facet, Item
from retrieval.filters import TEXT

UNDO_DEPTH = 20

_QUESTIONS = frozenset({"compare", "explain", "detail"})
"""Acts that ask; what they name is not wished for."""

_ON_ITEMS = frozenset({"like", "select", "reject", "compare", "explain", "detail"})
"""Acts that do nothing when what they point at is not there."""

_LOOKING = frozenset({"compare", "explain", "detail", "select"})


def apply(state: State, plan: Plan, items: Mapping[str, Item], facets: tuple[Facet, ...]) -> State:
    """Return the state after a plan.

    Args:
        items: The items the plan may point at (slate, focus, references), by id; an id that is
            not among them has left the catalog and is ignored.
    """
    editor = _Editor(state, plan, items, facets)
    for act in plan.acts:
        editor.act(act)
    return editor.state()


def with_slate(state: State, ids: Iterable[str]) -> State:
    """Return the state after a slate was shown; the focus moves to it."""
    shown = tuple(ids)
    new = tuple(one for one in shown if one not in state.shown)
    return state.model_copy(update={"slate": shown, "shown": state.shown + new, "focus": ()})


class _Editor:
    """Changes one state act by act."""

    def __init__(
        self, state: State, plan: Plan, items: Mapping[str, Item], facets: tuple[Facet, ...]
    ) -> None:
        self._before = state
        self._plan = plan
        self._items = items
        self._facets = {facet.name: facet for facet in facets}
        self._need = state.need
        self._earlier = list(state.earlier)
        self._focus: tuple[str, ...] = state.focus
        self._liked, self._selected = state.liked, state.selected
        self._asked = state.asked
        self._turn = state.turn + 1
        self._touched: set[str] = set()
        self._bounded: set[str] = set()
        self._alone = False
        self._restored: Need | None = None

    def state(self) -> State:
        changed = self._need != self._before.need
        earlier = self._restored or self._before.need
        if changed and self._need != earlier:
            self._earlier = [*self._earlier, earlier][-UNDO_DEPTH:]
        same_search = self._need.model_copy(update={"rejected": ()}) == (
            self._before.need.model_copy(update={"rejected": ()})
        )
        return self._before.model_copy(
            update={
                "need": self._need, "focus": self._focus, "liked": self._liked,
                "selected": self._selected, "earlier": tuple(self._earlier),
                "shown": self._before.shown if same_search else (),
                "asked": self._asked, "turn": self._turn,
            }
        )  # fmt: skip

    def act(self, act: Act) -> None:
        refs = self._resolve(act.refs)
        if act.refs and not refs and act.act in _ON_ITEMS:
            self._edit(act, refs)
            return
        match act.act:
            case "reset":
                self._need = Need()
                self._focus = ()
            case "undo":
                self._undo()
            case "recommend":
                self._new_need()
            case "like":
                self._like(act, refs)
            case "select":
                refs = refs or self._present()[:1]
                self._selected = _union(self._selected, refs)
                self._liked = _union(self._liked, refs)
            case "reject":
                self._reject(act, refs)
            case "elicit" if act.facet:
                self._asked = _union(self._asked, (act.facet,))
        if act.act in _LOOKING:
            self._focus = refs or self._default_focus(act)
        if act.act not in _QUESTIONS:
            self._edit(act, refs)

    def _default_focus(self, act: Act) -> tuple[str, ...]:
        present = self._present()
        return present if act.act == "compare" else present[:1]

    def _present(self) -> tuple[str, ...]:
        return self._focus or self._before.slate

    def _resolve(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Return the item ids that reference and item mentions stand for, in order."""
        found: list[str] = []
        for id in ids:
            mention = self._plan.mention(id)
            found += [one for one in mention.items if one not in found]
        return tuple(found)

    def _undo(self) -> None:
        if self._earlier:
            self._need = self._earlier.pop()
            self._restored = self._need

    def _new_need(self) -> None:
        kept = [c for c in self._need.constraints if c.role == "audience"]
        self._need = Need(constraints=tuple(kept))
        self._focus = ()

    def _like(self, act: Act, refs: tuple[str, ...]) -> None:
        anchor = (refs or self._present()[:1])[:1]
        if not anchor or anchor[0] not in self._items:
            return
        like = Likeness(item_id=anchor[0], changed=tuple(self._facets_of(act)))
        self._need = self._need.model_copy(update={"like": like})
        self._focus = anchor

    def _facets_of(self, act: Act) -> list[str]:
        """Return the facets an act changes, in order."""
        names: list[str] = []
        for id in (*act.want, *act.avoid, *act.change, *act.prefer):
            facet = self._plan.mention(id).facet
            if facet and facet not in names:
                names.append(facet)
        return names

    def _reject(self, act: Act, refs: tuple[str, ...]) -> None:
        rejected = refs or self._present()[:1]
        self._need = self._need.model_copy(
            update={"rejected": _union(self._need.rejected, rejected)}
        )
        self._liked = tuple(one for one in self._liked if one not in rejected)
        self._selected = tuple(one for one in self._selected if one not in rejected)
        self._focus = ()

    def _edit(self, act: Act, refs: tuple[str, ...]) -> None:
        """Apply the wishes of an act to the need: lift, want, exclude, prefer, then compare."""
        if not any((act.want, act.avoid, act.drop, act.change, act.prefer, act.text)):
            return
        mention = self._plan.mention
        self._forget_unknown()
        self._alone = not any(mention(id).kind in ("value", "keyword") for id in act.want)
        for id in act.drop:
            self._drop(mention(id))
        for id in act.want:
            self._want(mention(id), act.join)
        for id in act.avoid:
            self._avoid(mention(id))
        for id in act.prefer:
            self._prefer(mention(id))
        for id in act.change:
            self._change(mention(id), refs)
        if act.text:
            self._add_preference(Preference(text=act.text, turn=self._turn))

    def _forget_unknown(self) -> None:
        """Forget earlier words that the catalog lacks; they were answered when they were said."""
        kept = tuple(p for p in self._need.preferences if p.known or p.turn == self._turn)
        self._set(preferences=kept)

    # -- one mention ---------------------------------------------------------------------------

    def _drop(self, mention: Mention) -> None:
        if mention.facet is None:
            for word in mention.values:
                self._forget_word(word)
            return
        role = self._role(mention.facet)
        same = {
            name
            for name, facet in self._facets.items()
            if name == mention.facet or (role is not None and facet.role == role)
        }
        if mention.kind == "value":
            self._drop_values(mention, mention.facet)
            return
        if mention.facet == ORDER:
            self._set(sorting=None)
            return
        self._set(
            constraints=tuple(c for c in self._need.constraints if c.facet not in same),
            preferences=tuple(p for p in self._need.preferences if p.facet not in same),
        )
        sorting = self._need.sorting
        if sorting and sorting.facet in same:
            self._set(sorting=None)

    def _drop_values(self, mention: Mention, facet: str) -> None:
        """Forget values of a facet, wanted or excluded; others of the facet stay."""
        own = self._own(facet)
        gone = (*mention.values, *mention.family)
        self._put(
            own.model_copy(
                update={
                    "values": _minus(own.values, gone), "excluded": _minus(own.excluded, gone),
                    "family": (),
                }
            )
        )  # fmt: skip

    def _forget_word(self, word: str) -> None:
        self._set(
            preferences=tuple(p for p in self._need.preferences if word not in p.text.casefold())
        )
        own = self._need.constraint(TEXT)
        if own and word in own.excluded:
            self._put(own.model_copy(update={"excluded": _minus(own.excluded, (word,))}))

    def _avoid(self, mention: Mention) -> None:
        if mention.kind in ("reference", "item"):
            self._set(rejected=_union(self._need.rejected, mention.items))
        elif mention.kind == "value" and mention.facet:
            if self._beside_the_category(mention):
                self._exclude(TEXT, (mention.text.casefold(),), mention.text)
            else:
                self._exclude(mention.facet, (*mention.values, *mention.family), mention.text)
        elif mention.kind in ("keyword", "unknown"):
            self._forget_word(mention.values[0])
            self._exclude(TEXT, mention.values, mention.text)
        elif mention.kind == "number" and mention.facet:
            self._exclude_range(mention)
        elif mention.kind == "facet" and mention.facet:
            self._exclude_own(mention, mention.facet)

    def _beside_the_category(self, mention: Mention) -> bool:
        """Return whether an excluded category is not what is wanted anyway ("noodles, no egg")."""
        wanted = [c for c in self._need.constraints if c.role == "category" and c.values]
        own = {value for c in wanted for value in c.values}
        return (
            self._role(mention.facet or "") == "category"
            and bool(wanted)
            and not own & set(mention.values)
        )

    def _exclude(self, facet: str, values: tuple[str, ...], label: str) -> None:
        own = self._own(facet)
        wanted = _minus(own.values, values)
        excluded = _union(own.excluded, values)
        if own.values and wanted and not self._listed(facet):
            excluded = own.excluded
        self._put(
            own.model_copy(
                update={
                    "values": wanted, "family": _minus(own.family, values), "excluded": excluded,
                    "label": own.label if wanted else f"not {label}", "turn": self._turn,
                }
            )
        )  # fmt: skip

    def _exclude_own(self, mention: Mention, facet: str) -> None:
        """Exclude the values the reference has: "a different author", "another colour"."""
        like = (self._need.like.item_id,) if self._need.like else ()
        own = [self._items[id] for id in like or self._present()[:1] if id in self._items]
        values = tuple(str(value) for item in own for value in item.values(facet))
        if values:
            self._exclude(facet, values, mention.text)

    def _exclude_range(self, mention: Mention) -> None:
        """Turn "not under 50" into "at least 50" and back."""
        flipped = mention.model_copy(update={"low": mention.high, "high": mention.low})
        if (mention.low is None) != (mention.high is None):
            self._bound(flipped)

    def _want(self, mention: Mention, join: str) -> None:
        if mention.kind == "value" and mention.facet:
            self._want_value(mention, mention.facet, join)
        elif mention.kind == "number":
            self._bound(mention)
        elif mention.kind in ("keyword", "unknown"):
            self._want_word(mention)
        elif mention.kind in ("relative", "order"):
            self._change(mention, ())

    def _want_value(self, mention: Mention, facet: str, join: str) -> None:
        own = self._own(facet)
        joins = join == "add" or facet in self._touched
        if not joins:
            self._leave_other_categories(facet)
        values = _union(own.values, mention.values) if joins else mention.values
        excluded = _minus(own.excluded, mention.values) if self._listed(facet) else ()
        label = f"{own.label} or {mention.text}" if joins and own.values else mention.text
        self._put(
            own.model_copy(
                update={
                    "values": values, "family": _minus(mention.family, values),
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
                for c in self._need.constraints
                if c.role != "category" or c.facet == facet or c.turn == self._turn
            )
        )

    def _want_word(self, mention: Mention) -> None:
        own = self._need.constraint(TEXT)
        if own and mention.values[0] in own.excluded:
            self._put(own.model_copy(update={"excluded": _minus(own.excluded, mention.values)}))
        known = mention.kind == "keyword" or not self._alone
        self._add_preference(Preference(text=mention.values[0], known=known, turn=self._turn))

    def _prefer(self, mention: Mention) -> None:
        if mention.kind == "number":
            wish = Preference(
                text=mention.text, facet=mention.facet, turn=self._turn,
                low=mention.low,
                high=mention.high,
            )  # fmt: skip
        elif mention.kind == "value":
            wish = Preference(
                text=mention.text, facet=mention.facet, values=mention.values, turn=self._turn
            )
        else:
            wish = Preference(text=" ".join(mention.values) or mention.text, turn=self._turn)
        self._add_preference(wish)

    def _add_preference(self, wish: Preference) -> None:
        known = {preference.text.casefold() for preference in self._need.preferences}
        if wish.text.casefold() not in known:
            self._set(preferences=(*self._need.preferences, wish))

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

    def _change(self, mention: Mention, refs: tuple[str, ...]) -> None:
        if mention.facet is None or mention.direction is None:
            return
        if mention.kind == "order":
            sorting = Sorting(facet=mention.facet, direction=mention.direction, label=mention.text)
            self._set(sorting=sorting)
            return
        values = self._known_values(mention.facet, refs)
        if not values:
            self._set(sorting=Sorting(
                facet=mention.facet, direction=mention.direction, label=mention.text))  # fmt: skip
            return
        beyond = min(values) if mention.direction == "down" else max(values)
        bound = {"high": beyond, "low": None} if mention.direction == "down" else {
            "low": beyond, "high": None}  # fmt: skip
        self._bound(mention.model_copy(update={**bound, "strict": True}))

    def _known_values(self, facet: str, refs: tuple[str, ...]) -> list[float | str]:
        """Return the facet's values of what a relative wish compares with."""
        ids = refs or (self._focus if len(self._focus) == 1 else self._before.slate)
        values: list[float | str] = []
        for id in ids:
            item = self._items.get(id)
            own = item.fields.get(facet) if item else None
            if isinstance(own, str) or (isinstance(own, int | float) and not isinstance(own, bool)):
                values.append(own)
        return values

    # -- the need ------------------------------------------------------------------------------

    def _role(self, facet: str) -> str | None:
        known = self._facets.get(facet)
        return known.role if known else None

    def _listed(self, facet: str) -> bool:
        known = self._facets.get(facet)
        return facet == TEXT or (known is not None and known.kind == "list")

    def _own(self, facet: str) -> Constraint:
        return self._need.constraint(facet) or Constraint(
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
        kept = list(self._need.constraints)
        place = next((i for i, c in enumerate(kept) if c.facet == constraint.facet), len(kept))
        kept[place : place + 1] = [] if empty else [constraint]
        self._set(constraints=tuple(kept))

    def _set(self, **update: object) -> None:
        self._need = self._need.model_copy(update=update)


def _union(left: tuple[str, ...], right: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*left, *right)))


def _minus(left: tuple[str, ...], right: Iterable[str]) -> tuple[str, ...]:
    gone = {value.casefold() for value in right}
    return tuple(value for value in left if value.casefold() not in gone)


def _agrees(low: float | str | None, high: float | str | None) -> bool:
    """Return whether two bounds of one facet leave room between them."""
    if low is None or high is None:
        return low is not None or high is not None
    if isinstance(low, str) or isinstance(high, str):
        return str(low) < str(high)
    return low < high
