"""Explanations that a person rewrote, as preferences: the edit over what was said.

A model writes placeholders where values belong, so the values in an edit are turned back into
them. An edit is learned from only if every statement in it is borne out by the catalog, and if it
would be said as it stands: what the checks at serving time refuse is not worth learning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.explain_prompt import Prompt, messages
from agent.explainer import MOST_SENTENCES
from agent.facts import Fact, facts
from agent.feedback import FeedbackEvent
from agent.logged import LoggedSession, LoggedTurn
from agent.plan_prompt import PROMPT as INSTRUCTED
from agent.state import State
from agent.telling import sentences, words_of, wrong
from agent.turn import Reason
from agent.wording import listing, say, title_of
from finetune.pairs.catalog import Catalog
from finetune.pairs.keys import origin
from finetune.pairs.rows import Dropped, Pair
from prompts import Message
from retrieval.catalog import Item


@dataclass(frozen=True, slots=True)
class _Said:
    """What was said of an item, and what it was made of."""

    item: Item
    claims: tuple[Reason, ...]
    text: str
    state: State
    others: Mapping[str, Item]


def explanation_rows(
    session: LoggedSession, catalog: Catalog, prompt: str
) -> Iterator[Pair | Dropped]:
    """Yield a pair for each explanation that was rewritten; of several edits, the last counts.

    Args:
        prompt: The plan prompt of the model to be trained; with plan@2 goes explain@1, with plan@1
            explain@2.
    """
    asked_by: Prompt = "explain@2" if prompt == INSTRUCTED else "explain@1"
    edits = {(e.slate_id, e.item_id): e for e in session.events if e.kind == "edit"}
    for event in edits.values():
        said = _said(session, event, catalog)
        if isinstance(said, str):
            yield Dropped("explanation", said)
            continue
        made = _pair(said, str(event.value), catalog, asked_by)
        if isinstance(made, str):
            yield Dropped("explanation", made)
            continue
        asked, chosen, rejected = made
        yield Pair(prompt=asked, chosen=chosen, rejected=rejected, kind="explanation",
                   **origin(session, [event.id]))  # fmt: skip


def _said(session: LoggedSession, event: FeedbackEvent, catalog: Catalog) -> _Said | str:
    """Return what an edit takes the place of, or why that can't be told."""
    turn = next((one for one in session.turns if one.slate_id == event.slate_id), None)
    if turn is None:
        return "its turn is not in the log"
    about = {e.item_id for claim in turn.claims for e in claim.evidence}
    explains = any(act.act == "explain" for act in turn.plan.acts)
    if event.item_id is None and len(about) != 1:
        return "it is not about one item"
    id = event.item_id or next(iter(about))
    like = turn.state.need.like
    known = catalog.items(session, [id, *([like.item_id] if like else [])])
    if id not in known:
        return "its item is no longer in the catalog"
    item = known.pop(id)
    if about == {id} and explains:
        return _Said(item, turn.claims, turn.reply, turn.state, known)
    claims = _reasons(session, turn, id)
    if not claims:
        return "nothing was said of its item"
    text = say("explain.why", title=title_of(item), reasons=listing([r.text for r in claims]))
    return _Said(item, claims, text, turn.state, known)


def _reasons(session: LoggedSession, turn: LoggedTurn, id: str) -> tuple[Reason, ...]:
    slates = [slate for slate in session.slates if slate.id == turn.slate_id]
    return next((one.reasons for s in slates for one in s.items if one.item_id == id), ())


def _pair(
    said: _Said, edit: str, catalog: Catalog, prompt: Prompt
) -> tuple[tuple[Message, ...], str, str] | str:
    """Return prompt, edit and what was said as a model writes them, or why nothing is learned."""
    language, item = said.state.language, said.item
    if words_of(language) is None:
        return f"nothing can be checked in {language!r}"
    given = facts(said.claims, item, said.state, catalog.facets, catalog.currency, said.others)
    if not given:
        return "nothing was said of its item"
    chosen = with_placeholders(edit, given, title_of(item))
    rejected = with_placeholders(said.text, given, title_of(item))
    if chosen == rejected:
        return "it says what was said"
    verdicts = catalog.checker.check(edit, [item], said.state, others=said.others)
    if any(verdict.status != "supported" for verdict in verdicts):
        return "it claims what the catalog does not bear out"
    told = list(sentences(chosen))
    if len(told) > MOST_SENTENCES:
        return f"it is longer than {MOST_SENTENCES} sentences"
    if any(wrong(sentence, given, language) for sentence in told) or not told:
        return "it would not be said: words or values that no fact of the item stands for"
    return messages(given, prompt, language), chosen, rejected


def with_placeholders(text: str, given: Sequence[Fact], title: str) -> str:
    """Return a text with the item's values and title as placeholders; longer ones first.

    Where a value and the wish for it are the same words, they are taken for the value.
    """
    names = {title.casefold(): "T"}
    for kind in "FWG":
        for fact in given:
            words = fact.fills.get(f"{kind}{fact.id}")
            if words:
                names.setdefault(words.casefold(), f"{kind}{fact.id}")
    longest = sorted(names, key=len, reverse=True)
    found = re.compile(
        "|".join(rf"(?<!\w){re.escape(words)}(?!\w)" for words in longest), re.IGNORECASE
    )
    line = " ".join(text.split())
    return found.sub(lambda match: f"{{{names[match[0].casefold()]}}}", line)
