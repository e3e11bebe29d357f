"""Which difficulties of language a labelled turn shows, read off its labels."""

from __future__ import annotations

from finetune.labels import Expect, LabelledTurn, Wish


def _by_facet(expect: Expect | None) -> dict[str, Wish]:
    return {wish.facet: wish for wish in expect.constraints} if expect else {}


def _acts(expect: Expect) -> set[str]:
    names: set[str] = set()
    for act in expect.acts:
        names.update([act] if isinstance(act, str) else act)
    return names


def _change_phenomena(old: dict[str, Wish], new: dict[str, Wish], fresh: bool) -> set[str]:
    found = set()
    for facet, wish in new.items():
        was = old.get(facet)
        if wish == was:
            continue
        if set(wish.excluded) - set(was.excluded if was else ()):
            found.add("negation")
        if (wish.low, wish.high) != ((was.low, was.high) if was else (None, None)):
            found.add("bound")
        if len(wish.wanted) > 1:
            found.add("either/or")
        if was and was.wanted and wish.wanted and set(was.wanted) != set(wish.wanted):
            found.add("replacement")
    if old.keys() - new.keys():
        found.add("new need" if fresh else "lifting")
    return found


def phenomena(turn: LabelledTurn, before: Expect | None) -> tuple[str, ...]:
    """Return the names of what is difficult in a turn, given the label of the turn before it."""
    expect = turn.expect
    acts = _acts(expect)
    required = [act for act in expect.acts if isinstance(act, tuple) or not act.endswith("?")]
    found = {act for act in acts if act not in ("recommend", "refine") and not act.endswith("?")}
    fresh = "recommend" in acts or "reset" in acts
    if not acts & {"undo", "reset"}:
        found |= _change_phenomena(_by_facet(before), _by_facet(expect), fresh)
    if before is None:
        found.add("first request")
    if expect.refs:
        found.add("reference")
    if expect.order and expect.order != (before.order if before else None):
        found.add("order")
    if expect.soft:
        found.add("soft wish")
    if len(required) > 1:
        found.add("several acts")
    if turn.alternatives:
        found.add("ambiguous")
    return tuple(sorted(found))
