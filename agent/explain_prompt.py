"""The prompts of an explanation: facts as a model is shown them.

explain@1 is for models tuned on it (the house model): relations and slots, no values. explain@2
tells any other model the rules, and shows the values, which it must not repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from agent.facts import Fact
from agent.plan_prompt import data
from prompts import Message, Template, load

Prompt = Literal["explain@1", "explain@2"]

LANGUAGES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "zh": "Chinese",
}
"""What a model is told to answer in; what cannot be checked in a language is said by templates."""

_TOLD = {
    "met": "as wished",
    "under": "within the wished limit, below it",
    "above": "within the wished limit, above the least wished",
    "within": "within the wished limit",
    "avoided": "as wished: free of what was ruled out",
    "nice": "as wished (nice to have)",
    "mentions": "as wished: a word in the item's text",
    "same": "the same as the reference item",
    "instead": "differs from the reference item",
    "cheaper": "cheaper than the reference item by this much",
    "dearer": "dearer than the reference item by this much",
    "missed": "NOT as wished",
    "over": "NOT as wished: above the wished limit",
    "below": "NOT as wished: below the least wished",
    "limit": "NOT as wished: exactly at the limit, which was to be left out",
    "unwanted": "NOT as wished: this was ruled out",
    "lacks": "NOT as wished: the item's text does not mention it",
    "plain": "a plain fact, not wished for",
    "unknown": "the catalog does not say this",
}


def house_messages(given: Sequence[Fact]) -> tuple[Message, ...]:
    """Return the messages of explain@1: one short line per fact, "F1 met colour"."""
    lines = "\n".join(f"F{fact.id} {fact.relation} {fact.slot}" for fact in given)
    return load("explain@1").messages(facts=lines)


def messages(
    given: Sequence[Fact], prompt: Prompt, language: str = "en", wording: Template | None = None
) -> tuple[Message, ...]:
    """Return the messages that ask a model to word facts.

    Args:
        wording: explain@2 in an owner's words.
    """
    if prompt == "explain@1":
        return house_messages(given)
    shown = [_shown(fact) for fact in given]
    own = wording or load(prompt)
    return own.messages(facts=data(shown), language=LANGUAGES.get(language, "English"))


def _shown(fact: Fact) -> dict[str, str]:
    told = {"about": fact.label or fact.slot, "meaning": _TOLD[fact.relation]}
    return {**{f"{{{name}}}": said[:60] for name, said in fact.fills.items()}, **told}
