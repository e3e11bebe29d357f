"""Acts about given items: compare, explain, a detail, a verdict, likeness."""

from __future__ import annotations

from agent.plan import Act
from agent.rules import cues
from agent.rules.detail import asked_facet
from agent.rules.reading import Reading
from agent.rules.wishes import wish_act, wishes


def about_items(reading: Reading) -> list[Act]:
    """Return acts about given items, by the first rule that finds one; none where none is meant."""
    rules = (_compare, _explain, _asked, _verdict, _like, _detail)
    return next(filter(None, (rule(reading) for rule in rules)), [])


def detail_act(reading: Reading) -> Act:
    """Return a question about the items named."""
    facet = asked_facet(reading.masked, reading.request.facets)
    contains = cues.has(reading.masked, "detail", "contains")
    kinds = ("facet",) if contains else ("value", "facet")
    named = [reading.facet(id) for id in reading.ids("want", *kinds)]
    facet = facet or next(filter(None, named), "")
    told = ("keyword", "unknown", "value") if contains else ("keyword", "unknown")
    words = () if facet else reading.ids("want", *told)
    text = " ".join(reading.mention(id).text for id in words)
    return Act(act="detail", refs=reading.refs(), facet=facet, text=text)


def _compare(reading: Reading) -> list[Act]:
    several = sum(len(m.items) for m in reading.references) > 1
    shown = bool(reading.request.slate) and not reading.want
    if not reading.cue("compare") or not (several or shown):
        return []
    # "those" beside two single items only frames them.
    single = tuple(m.id for m in reading.references if len(m.items) == 1)
    return [Act(act="compare", refs=single if len(single) > 1 else reading.refs())]


def _explain(reading: Reading) -> list[Act]:
    request = reading.request
    asked = reading.references or request.slate or request.state.need.constraints
    why_not = reading.cue("why_not")
    if request.slate and reading.cue("advice") and not reading.firm:
        return [Act(act="explain", refs=reading.liked_refs)]
    if not asked or not (why_not or reading.cue("explain")):
        return []
    if why_not and (reading.references or reading.want or reading.avoid):
        named = reading.ids("want", "value") + reading.ids("avoid", "value")
        named = named or reading.ids("want", "keyword") + reading.ids("avoid", "keyword")
        want = () if reading.references else named
        return [Act(act="explain", refs=reading.liked_refs, want=want, why_not=True)]
    if reading.ids("want", "relative"):
        return []
    return [Act(act="explain", refs=reading.liked_refs)]


def _asked(reading: Reading) -> list[Act]:
    """Return a detail act for a plain question about an item: "is the second one …?"."""
    plain = cues.has(reading.masked, "detail", "asked_of_item")
    wished = cues.has(reading.masked, "detail", "asked_as_wish")
    if not plain or wished or reading.ids("want", "relative"):
        return []
    return [detail_act(reading)]


def _verdict(reading: Reading) -> list[Act]:
    """Return select and reject acts, with the wishes said beside them."""
    single = any(len(m.items) == 1 for m in reading.references)
    if reading.request.slate and reading.cue("reject_all") and not single:
        return _all_refused(reading)
    if _moves_the_like(reading):
        return [wish_act(reading, "like", reading.liked_refs)]
    refused = _refused(reading)
    if not refused:
        return _chosen(reading)
    if reading.want and not reading.on_slate(refused):
        return []
    taken_back = _values_taken_back(reading, refused)
    if taken_back:
        return [Act(act="refine", avoid=taken_back)]
    return [Act(act="reject", refs=refused), *_beside_refused(reading, refused)]


def _all_refused(reading: Reading) -> list[Act]:
    every = reading.refs()
    follow = (wishes(reading, "refine") if reading.firm else []) or [Act(act="more")]
    return [Act(act="reject", refs=every), *follow] if every else follow


def _moves_the_like(reading: Reading) -> bool:
    """Return whether a likeness is corrected: "no, the third one"."""
    liked = reading.request.state.need.like
    return bool(liked and reading.references) and reading.cue("corrects_like")


def _refused(reading: Reading) -> tuple[str, ...]:
    """Return the references that are rejected."""
    avoided = () if reading.ids("want", "relative") else reading.refs("avoid")
    if avoided and not reading.cue("rather_than"):
        return avoided
    if reading.references and reading.cue("reject") and not reading.asks:
        rejects = list(cues.spans(reading.masked, "acts", "reject"))
        places = {m.id: reading.masked.spans.get(m.id) for m in reading.references}
        return tuple(
            id
            for id, at in places.items()
            if at and any(first <= at[0] and at[1] <= last for first, last in rejects)
        )
    return ()


def _values_taken_back(reading: Reading, refused: tuple[str, ...]) -> tuple[str, ...]:
    """Return wished-for values that a refused "it" stands for: "about Nike, remove it"."""
    if not any(m.id in refused and m.text.lower() == "it" for m in reading.references):
        return ()
    wished = {v for c in reading.request.state.need.constraints for v in c.values}
    return tuple(m.id for m in reading.mentions if m.kind == "value" and wished & set(m.values))


def _beside_refused(reading: Reading, refused: tuple[str, ...]) -> list[Act]:
    """Return what is meant beside a refusal: another item, more items, or wishes."""
    same = {one for m in reading.references if m.id in refused for one in m.items}
    others = tuple(
        m.id for m in reading.references if m.id not in refused and not set(m.items) <= same
    )
    if others and (reading.request.state.need.like or reading.firm):
        return [wish_act(reading, "like", others)]
    if others:
        return [Act(act="select", refs=others)]
    if reading.cue("more"):
        return [Act(act="more")]
    change = [reading.mention(id) for id in reading.change]
    only_dislikes = change and all(m.text.startswith("too") for m in change) and not reading.want
    return wishes(reading, "refine") if reading.firm and not only_dislikes else []


def _chosen(reading: Reading) -> list[Act]:
    if not reading.cue("select") or not (reading.references or reading.request.slate):
        return []
    changes = reading.ids("want", "value", "number")
    if (changes and _like(reading)) or _only_judged(reading) or reading.cue("asks_on"):
        return []
    return [Act(act="select", refs=reading.refs()), *_sought_beside(reading)]


def _sought_beside(reading: Reading) -> list[Act]:
    """Return the search for another kind of thing: "I'll take it, and find me a matching bag"."""
    if not reading.cue("seeks_too"):
        return []
    kinds = any(reading.facet(id) in reading.categories for id in reading.ids("want", "value"))
    return wishes(reading, "recommend") if kinds else []


def _only_judged(reading: Reading) -> bool:
    """Return whether an item is only named as too dear, too big…: "number 2 is too pricey"."""
    return bool(reading.ids("want", "relative")) and reading.cue("judges")


def _like(reading: Reading) -> list[Act]:
    """Return a like act: similar to a reference, or a reference with changes."""
    like = reading.cue("like") or (_one_in_view(reading) and reading.cue("same"))
    if not reading.references and not (like and reading.request.slate):
        return []
    if reading.cue("than_item") or _other_category(reading):
        return []
    if like or _reference_with_change(reading):
        return [wish_act(reading, "like", reading.liked_refs)]
    return []


def _one_in_view(reading: Reading) -> bool:
    """Return whether one item is spoken of, or shown alone: what "the same" is the same as."""
    request = reading.request
    return len(request.state.focus or request.slate) == 1


def _other_category(reading: Reading) -> bool:
    """Return whether "same thing in skirts" names another kind of item."""
    if any(m.kind == "item" or m.score >= 0.9 for m in reading.references):
        return False
    return any(reading.facet(id) in reading.categories for id in reading.want)


def _reference_with_change(reading: Reading) -> bool:
    """Return whether a reference stands with a wish and no question: "that one, cheaper"."""
    if not reading.references or reading.asks:
        return False
    return bool(reading.ids("want", "relative")) or (
        bool(reading.firm) and reading.cue("item_with_wish")
    )


def _detail(reading: Reading) -> list[Act]:
    """Return a detail act: a question about a field of an item."""
    focus = reading.request.state.focus
    if not reading.asks or not (reading.references or focus or reading.request.slate):
        return []
    if reading.references and not reading.ids("want", "relative"):
        return [detail_act(reading)]
    facet = asked_facet(reading.masked, reading.request.facets)
    bare = not (reading.want or reading.change or reading.drop or reading.cue("more"))
    named = [reading.facet(id) or "" for id in reading.ids("want", "facet")]
    facet = facet or next(iter(named), "")
    if facet and bare and (focus or named or cues.has(reading.masked, "detail", "pronoun")):
        return [Act(act="detail", facet=facet)]
    return []
