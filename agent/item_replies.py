"""Replies about items: compare, why, why not, details, verdicts, references to nothing."""

from __future__ import annotations

from collections.abc import Iterator

from agent import explain
from agent.compare import render
from agent.plan import Act, Mention
from agent.recommend import recommend
from agent.scene import Part, Scene
from agent.wording import repeated, title_of
from retrieval.catalog import Item
from retrieval.filters import TEXT, And, Compare, Filter, matches

MOST = 3
GONE = "no longer in the catalog"
"""Note of a reference to an item that was shown and has since been deleted."""

DEPTH = 50


def lost_references(scene: Scene, act: Act) -> Iterator[Part]:
    """Say which references point at nothing, and how many items there are to point at."""
    for mention in scene.mentions((*act.refs, *act.avoid)):
        if mention.kind not in ("reference", "item"):
            continue
        named = repeated(mention.text, 40)
        if mention.note == GONE:
            yield Part(scene.say("reply.gone", named=named))
        elif not mention.items:
            n = len(scene.before.slate)
            key = "reply.no_such" if n else "reply.no_slate"
            yield Part(scene.say(key, n=n, named=named))
        elif not scene.items(mention.items):
            yield Part(scene.say("reply.gone", named=named))


def shown_again(scene: Scene) -> Iterator[Part]:
    """Say of hidden items that were wanted again where they are now."""
    named = {id for act in scene.plan.acts for m in scene.mentions(act.drop) for id in m.items}
    now = scene.state.need.rejected
    back = tuple(id for id in scene.before.need.rejected if id in named and id not in now)
    found = scene.recommendation.items if scene.recommendation else ()
    listed = {item.id for item in found}
    wanted = scene.state.need.filter()
    for item in scene.items(back)[:MOST]:
        key = "reply.back_in_view" if item.id in listed else "reply.back_behind"
        key = key if item.id in listed or matches(wanted, item) else "reply.back_unfit"
        yield Part(scene.say(key, title=title_of(item)))


def _nothing_meant(scene: Scene, act: Act) -> Iterator[Part]:
    if not act.refs:
        yield Part(scene.say("reply.about_what" if scene.before.slate else "reply.no_items_yet"))


def compare(scene: Scene, act: Act) -> Iterator[Part]:
    """Put items side by side, or ask which."""
    items = scene.targets(act)[:5]
    if len(items) < 2:
        yield Part(scene.say("reply.compare_two"))
        return
    answer = explain.compare(
        items, scene.state, scene.retriever.facets, scene.retriever.currency, scene.tongue
    )
    if answer.table is not None:
        shown = scene.before.slate
        on_slate = all(id in shown for id in answer.table.item_ids)
        places = tuple(shown.index(id) + 1 for id in answer.table.item_ids) if on_slate else ()
        numbered = answer.table.model_copy(update={"places": places})
        yield Part(f"\n{render(numbered)}\n", table=numbered)
    yield Part(answer.text, answer.claims)


def _anchor(scene: Scene) -> dict[str, Item]:
    like = scene.state.need.like
    anchor = scene.item(like.item_id) if like else None
    return {anchor.id: anchor} if anchor else {}


def why(scene: Scene, act: Act) -> Iterator[Part]:
    """Say why items were shown, or why not."""
    if act.why_not:
        yield from _why_not(scene, act)
        return
    items = scene.targets(act)
    if not items:
        yield from _nothing_meant(scene, act)
    for item in items[:MOST]:
        facets, currency = scene.retriever.facets, scene.retriever.currency
        answer = explain.why(item, scene.state, facets, currency, _anchor(scene), scene.tongue)
        yield Part(answer.text, answer.claims, about=item)


def _why_not(scene: Scene, act: Act) -> Iterator[Part]:
    items = scene.targets(act) if act.refs else _named_by_value(scene, act)
    if not items:
        yield from _nothing_meant(scene, act)
        return
    ranks = _ranks(scene)
    for item in items[:MOST]:
        answer = explain.why_not(
            item, scene.state, scene.retriever.facets, scene.retriever.currency, ranks.get(item.id),
            scene.tongue,
        )  # fmt: skip
        yield Part(answer.text, answer.claims, found=None if act.refs else item)


def _ranks(scene: Scene) -> dict[str, int]:
    """Return the place of each matching item that comes after the slate."""
    found = recommend(scene.retriever, scene.state, k=DEPTH)
    ranked = enumerate(found.items, 1) if not found.relaxations else ()
    return {item.id: rank for rank, item in ranked if rank > len(scene.state.slate)}


def _named_by_value(scene: Scene, act: Act) -> tuple[Item, ...]:
    """Return the best item that has what the question names ("why not the Puma?")."""
    for mention in scene.mentions((*act.want, *act.avoid)):
        chosen = _having(mention)
        if chosen is not None:
            need = scene.state.need
            kind = [c.filter() for c in need.constraints if c.role == "category"]
            for wanted in (And((need.filter(), chosen)), And((*kind, chosen)), chosen):
                found = scene.retriever.search(" ".join(mention.values), filter=wanted, k=1)
                if found:
                    return (found[0].item,)
    return ()


def _having(mention: Mention) -> Filter | None:
    """Return the filter for items that have a value, or mention words; None for other mentions."""
    if mention.facet and mention.values:
        return Compare(mention.facet, "in", mention.values)
    if mention.kind in ("keyword", "unknown"):
        return And(tuple(Compare(TEXT, "contains", word) for word in mention.values))
    return None


def detail(scene: Scene, act: Act) -> Iterator[Part]:
    """Say what the catalog says of a field of some items."""
    items = scene.targets(act)
    if not items:
        yield from _nothing_meant(scene, act)
    known = {facet.name for facet in scene.retriever.facets}
    facet = act.facet if act.facet in known else None
    for item in items[:MOST]:
        facets, currency = scene.retriever.facets, scene.retriever.currency
        if act.text and not act.facet:
            answer = explain.mentioned(item, act.text, facets, currency, scene.tongue)
        else:
            answer = explain.detail(item, facet, facets, currency, act.facet, scene.tongue)
        yield Part(answer.text, answer.claims)


def select(scene: Scene, act: Act) -> Iterator[Part]:
    """Confirm what was chosen."""
    new = tuple(id for id in scene.state.selected if id not in scene.before.selected)
    items = scene.items(new) or scene.targets(act)[:1]
    if not items:
        yield from _nothing_meant(scene, act)
        return
    titles = scene.listed([title_of(item) for item in items[:5]])
    yield Part(scene.say("reply.selected", titles=titles))


def reject(scene: Scene, act: Act) -> Iterator[Part]:
    """Confirm what is hidden from now on."""
    before = scene.before.need.rejected
    new = tuple(id for id in scene.state.need.rejected if id not in before)
    items = scene.items(new)
    if len(items) > MOST:
        yield Part(scene.say("reply.rejected_many", n=len(items)))
    elif items:
        yield Part(scene.say("reply.rejected", titles=scene.listed([title_of(i) for i in items])))
    elif not act.refs:
        yield from _nothing_meant(scene, act)
