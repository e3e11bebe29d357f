"""Two plans of one turn made one: a small model's reading and the rules' placing.

A small model reads better what a turn is for and which items are meant; the rules place mentions
more surely. Where both see the same acts, the rules' placings stand and the model says which items;
where they differ, the model's acts stand and what it left lying is put where the rules put it. A
turn with a wish that the catalog knows is no small talk, whatever the model says.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.plan import Act, ActName, MentionKind, Plan

_WISHES = ("want", "avoid", "prefer", "drop", "change")
_HARD: tuple[MentionKind, ...] = ("value", "number", "relative", "order")
_TALK: frozenset[ActName] = frozenset({"chitchat", "elicit"})
_TAKES_WISHES: tuple[ActName, ...] = ("refine", "recommend", "like", "more", "reject")


def named(acts: Sequence[Act], by_rules: Plan) -> tuple[Act, ...]:
    """Return acts with the facet a question is about, where only the rules know its name."""
    facets = {act.act: act.facet for act in by_rules.acts if act.facet}
    return tuple(
        act.model_copy(update={"facet": facets[act.act]})
        if not act.facet and act.act in facets
        else act
        for act in acts
    )


def combined(acts: Sequence[Act], by_rules: Plan) -> tuple[Act, ...]:
    """Return the acts of a small model and of the rules as one plan's."""
    if [act.act for act in acts] == [act.act for act in by_rules.acts]:
        pairs = zip(acts, by_rules.acts, strict=True)
        return tuple(
            rule.model_copy(
                update={"refs": act.refs or rule.refs, "facet": rule.facet or act.facet}
            )
            for act, rule in pairs
        )
    if {act.act for act in acts} <= _TALK and _hard_placed(by_rules):
        return by_rules.acts
    return named(_filled(acts, by_rules), by_rules)


def _hard_placed(by_rules: Plan) -> bool:
    """Return whether the rules found a wish that the catalog has a facet for."""
    hard = {mention.id for mention in by_rules.mentions if mention.kind in _HARD}
    return any(id in hard for act in by_rules.acts for name in _WISHES for id in getattr(act, name))


def _filled(acts: Sequence[Act], by_rules: Plan) -> tuple[Act, ...]:
    """Return acts with the hard wishes that the model left lying, as the rules have them."""
    host = next((at for at, act in enumerate(acts) if act.act in _TAKES_WISHES), None)
    if host is None:
        return tuple(acts)
    hard = {mention.id for mention in by_rules.mentions if mention.kind in _HARD}
    acts = _without_odd_numbers(acts, by_rules)
    placed = {id for act in acts for name in _WISHES for id in getattr(act, name)}
    update = {
        name: (*getattr(acts[host], name), *_of_rules(name, by_rules, hard - placed))
        for name in _WISHES
    }
    return (*acts[:host], acts[host].model_copy(update=update), *acts[host + 1 :])


def _without_odd_numbers(acts: Sequence[Act], by_rules: Plan) -> tuple[Act, ...]:
    """Return acts without the numbers that the rules, who know what is plausible, left lying."""
    placed = {id for act in by_rules.acts for name in _WISHES for id in getattr(act, name)}
    odd = {m.id for m in by_rules.mentions if m.kind == "number" and m.id not in placed}
    return tuple(
        act.model_copy(
            update={name: tuple(id for id in getattr(act, name) if id not in odd)
                    for name in _WISHES}
        )
        for act in acts
    )  # fmt: skip


def _of_rules(name: str, by_rules: Plan, ids: set[str]) -> list[str]:
    found = (id for act in by_rules.acts for id in getattr(act, name) if id in ids)
    return list(dict.fromkeys(found))
