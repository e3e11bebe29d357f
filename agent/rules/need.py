"""Acts about the need: a new one, a change of the present one, more of it, or none of these."""

from __future__ import annotations

from agent.plan import Act
from agent.rules.items import detail_act
from agent.rules.reading import Reading
from agent.rules.wishes import wishes

_FEW_MENTIONS = 2


def about_the_need(reading: Reading, led: bool) -> list[Act]:
    """Return the acts about what is looked for.

    Args:
        led: Whether an act that stands alone, such as undo, comes before.
    """
    if led and not reading.firm and not _words_after_reset(reading):
        return []
    lifted = _lifted_budget(reading)
    if lifted:
        return [Act(act="refine", drop=lifted)]
    if reading.cue("more") and not reading.firm:
        return [Act(act="more", want=reading.ids("want", "keyword"))]
    if reading.cue("select") and reading.request.slate and not reading.firm:
        return [Act(act="select", refs=reading.refs())]
    found = wishes(reading, "recommend" if _is_new_need(reading) else "refine")
    if found and (reading.firm or not _is_small_talk(reading)):
        return found
    return _without_wishes(reading)


def _words_after_reset(reading: Reading) -> tuple[str, ...]:
    if not reading.cue("reset") or not reading.need_cue("says_more"):
        return ()
    return reading.ids("want", "keyword", "unknown")


def _lifted_budget(reading: Reading) -> tuple[str, ...]:
    if not reading.need_cue("lift_up"):
        return ()
    return reading.ids("want", "relative", "facet") + reading.ids("drop", "relative", "facet")


def _is_small_talk(reading: Reading) -> bool:
    if not reading.cue("chitchat"):
        return False
    asks = reading.need_cue("fresh") or reading.need_cue("asks")
    return not (asks and reading.ids("want", "keyword"))


def _without_wishes(reading: Reading) -> list[Act]:
    if reading.references:
        return [detail_act(reading)]
    return [Act(act="elicit" if reading.cue("elicit") else "chitchat")]


def _is_new_need(reading: Reading) -> bool:
    need = reading.request.state.need
    if not need.constraints and not need.preferences and need.like is None:
        return True
    if reading.need_cue("goes_with") and _wants_other_category(reading):
        return True
    if reading.need_cue("refine"):
        return False
    if reading.need_cue("new") and reading.ids("want", "value"):
        return True
    fresh = reading.need_cue("fresh") or len(reading.mentions) <= _FEW_MENTIONS
    return fresh and _wants_other_category(reading)


def _wants_other_category(reading: Reading) -> bool:
    """Return whether a category is wanted that the present need does not have."""
    categories = reading.categories
    constraints = reading.request.state.need.constraints
    own = [c for c in constraints if c.facet in categories and c.values]
    if not own:
        return False
    current = {value.casefold() for c in own for value in c.values}
    labels = {word for c in own for word in c.label.casefold().split()}
    wanted = [reading.mention(id) for id in reading.ids("want", "value")]
    return any(
        not current & {value.casefold() for value in mention.values}
        and not labels & set(mention.text.casefold().split())
        for mention in wanted
        if mention.facet in categories
    )
