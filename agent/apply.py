"""Apply: state and plan in, state out. Pure: no catalog search, no clock, no randomness.

The meaning of each act is written down in docs/conventions.md; this module is that page as code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent.edits import NeedEditor, union
from agent.plan import Act, Plan
from agent.state import Likeness, Listing, Need, State
from retrieval.catalog import Facet, Item

UNDO_DEPTH = 20
LISTS = 8

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
    turn = _Turn(state, plan, NeedEditor(state, items, facets), items)
    for act in plan.acts:
        turn.act(act)
    return turn.state()


def with_slate(state: State, ids: Iterable[str]) -> State:
    """Return the state after a slate was shown; the focus moves to it."""
    shown = tuple(ids)
    new = tuple(one for one in shown if one not in state.shown)
    return state.model_copy(
        update={
            "slate": shown, "shown": state.shown + new, "focus": (),
            "lists": _with_list(state, shown),
        }
    )  # fmt: skip


def _with_list(state: State, shown: tuple[str, ...]) -> tuple[Listing, ...]:
    """Return the slates shown so far with one more; the first of all is never forgotten."""
    lists = state.lists
    if not shown or (lists and lists[-1] == Listing(items=shown, need=state.need)):
        return lists
    lists = (*lists, Listing(items=shown, need=state.need))
    return lists if len(lists) <= LISTS else (lists[0], *lists[1 - LISTS :])


class _Turn:
    """Changes one state act by act."""

    def __init__(
        self, state: State, plan: Plan, editor: NeedEditor, items: Mapping[str, Item]
    ) -> None:
        self._before = state
        self._plan = plan
        self._editor = editor
        self._items = items
        self._earlier = list(state.earlier)
        self._focus = state.focus
        self._liked, self._selected = state.liked, state.selected
        self._asked = state.asked
        self._lists = state.lists
        self._restored: Need | None = None

    def state(self) -> State:
        need, before = self._editor.need, self._before.need
        earlier = self._restored or before
        if need not in (before, earlier):
            self._earlier = [*self._earlier, earlier][-UNDO_DEPTH:]
        same_search = need.model_copy(update={"rejected": before.rejected}) == before
        return self._before.model_copy(
            update={
                "need": need, "focus": self._focus, "liked": self._liked,
                "selected": self._selected, "earlier": tuple(self._earlier),
                "shown": self._before.shown if same_search else (),
                "asked": self._asked, "lists": self._lists, "turn": self._before.turn + 1,
            }
        )  # fmt: skip

    def act(self, act: Act) -> None:
        refs = self._resolve(act.refs)
        if act.refs and not refs and act.act in _ON_ITEMS:
            if act.act not in _QUESTIONS:
                self._editor.edit(act, self._plan, refs, self._focus)
            return
        match act.act:
            case "reset":
                self._reset(Need())
            case "undo":
                self._undo(refs)
            case "recommend":
                self._new_need()
            case "like":
                self._like(act, refs)
            case "select":
                self._select(refs)
            case "reject":
                self._reject(refs)
            case "elicit" if act.facet:
                self._asked = union(self._asked, (act.facet,))
        if act.act in _LOOKING:
            self._focus = refs or self._default_focus(act)
        if act.act not in _QUESTIONS:
            self._editor.edit(act, self._plan, refs, self._focus)

    def _default_focus(self, act: Act) -> tuple[str, ...]:
        present = self._present()
        return present if act.act == "compare" else present[:1]

    def _present(self) -> tuple[str, ...]:
        return self._focus or self._before.slate

    def _resolve(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Return the item ids that reference and item mentions stand for, in order."""
        return union((), (one for id in ids for one in self._plan.mention(id).items))

    def _undo(self, refs: tuple[str, ...]) -> None:
        """Go back to the need of the list that is named, else to the one before the last change."""
        at = [place for place, one in enumerate(self._lists) if one.items == refs]
        if at:
            self._go_back(at[-1])
        elif self._earlier:
            self._editor.need = self._restored = self._earlier.pop()

    def _go_back(self, place: int) -> None:
        """Restore the need of an earlier list; what has been hidden since stays hidden."""
        self._lists = self._lists[: place + 1]
        need = self._lists[place].need
        hidden = union(need.rejected, self._editor.need.rejected)
        self._editor.need = need.model_copy(update={"rejected": hidden})
        self._focus = ()

    def _new_need(self) -> None:
        kept = [c for c in self._editor.need.constraints if c.role == "audience"]
        self._reset(Need(constraints=tuple(kept)))

    def _reset(self, need: Need) -> None:
        self._editor.need = need
        self._focus = ()

    def _like(self, act: Act, refs: tuple[str, ...]) -> None:
        anchor = (refs or self._present()[:1])[:1]
        if not anchor or anchor[0] not in self._items:
            return
        like = Likeness(item_id=anchor[0], changed=self._facets_of(act))
        self._editor.need = self._editor.need.model_copy(update={"like": like})
        self._focus = anchor

    def _facets_of(self, act: Act) -> tuple[str, ...]:
        """Return the facets an act changes, in order."""
        ids = (*act.want, *act.avoid, *act.change, *act.prefer)
        return union((), (facet for id in ids if (facet := self._plan.mention(id).facet)))

    def _select(self, refs: tuple[str, ...]) -> None:
        chosen = refs or self._present()[:1]
        self._selected = union(self._selected, chosen)
        self._liked = union(self._liked, chosen)

    def _reject(self, refs: tuple[str, ...]) -> None:
        rejected = refs or self._present()[:1]
        need = self._editor.need
        every = union(need.rejected, rejected)
        self._editor.need = need.model_copy(update={"rejected": every})
        self._liked = tuple(one for one in self._liked if one not in rejected)
        self._selected = tuple(one for one in self._selected if one not in rejected)
        self._focus = ()
