"""The rule planner: acts from cues, polarities from clauses, everything else from the mentions."""

from __future__ import annotations

from collections.abc import Sequence

from agent.plan import Act, Plan
from agent.rules import cues
from agent.rules.items import about_items
from agent.rules.need import about_the_need
from agent.rules.reading import Reading, read
from agent.rules.request import PlanRequest
from agent.rules.wishes import wishes
from retrieval.catalog import Facet

_SIMPLE = frozenset({"recommend", "refine", "more", "undo", "reset", "chitchat", "select"})
_UNEXPLAINED = frozenset({"unknown", "keyword", "relative"})

_LONG = 200
"""Characters beyond which an utterance is never beyond doubt."""

_CERTAIN = 0.9


class RulePlanner:
    """Plans without a language model; the fallback and the fast path.

    Args:
        facets: The catalog's facets; those of a request take their place.
    """

    def __init__(self, facets: Sequence[Facet] = ()) -> None:
        self._facets = tuple(facets)

    def plan(self, request: PlanRequest) -> Plan:
        """Return the plan of a turn; never raises for what a user can type."""
        return Plan(
            acts=tuple(_acts(read(request))), mentions=request.mentions,
            utterance=request.utterance, planner="rules",
        )  # fmt: skip


def covers(request: PlanRequest, plan: Plan) -> bool:
    """Return whether the links explain the whole utterance beyond doubt: no model is needed.

    True when every word is a stop word or part of a mention, no span has two meanings, nothing is
    unknown or guessed, and the plan is one simple act.
    """
    if len(plan.acts) != 1 or plan.acts[0].act not in _SIMPLE or _is_vague(request, plan.acts[0]):
        return False
    if len(request.utterance) > _LONG or any(m.score <= _CERTAIN for m in request.mentions):
        return False
    spans = [(m.start, m.end) for m in request.mentions]
    if len(spans) != len(set(spans)) or any(m.kind in _UNEXPLAINED for m in request.mentions):
        return False
    return not cues.said(request.utterance.casefold(), "need", "qualifies")


def _is_vague(request: PlanRequest, act: Act) -> bool:
    """Return whether an act is only what is left when no cue was found.

    "Sounds good" before a slate may be a choice, and "some other options?" changes nothing.
    """
    if act.act == "chitchat":
        polite = cues.said(request.utterance.casefold(), "need", "courtesy")
        return bool(request.state.slate) and not polite
    wishes = (act.want, act.avoid, act.prefer, act.drop, act.change, act.refs)
    return act.act in ("refine", "recommend") and not any(wishes)


def _acts(reading: Reading) -> list[Act]:
    """Return the acts of the utterance, in the order they apply."""
    if reading.brought_back:
        return [_brought_back(reading)]
    leading = _leading(reading)
    aside = reading.cue("off_topic") or reading.cue("recap")
    if aside and not reading.ids("want", "value", "number"):
        return [*leading, Act(act="chitchat")]
    if reading.cue("handoff"):
        return [*leading, Act(act="handoff")]
    answers = [Act(act="answer")] if reading.cue("answer") else []
    wished = reading.ids("want", "value") + reading.ids("avoid", "value")
    if answers and not wished and not reading.cue("select"):
        return [*leading, *answers]
    if not leading and _takes_words_back(reading):
        return [Act(act="undo"), *wishes(reading, "refine")]
    if leading:
        return [*leading, *answers, *about_the_need(reading, led=True)]
    rest = about_items(reading) or about_the_need(reading, led=bool(answers))
    return [*answers, *rest] or [Act(act="chitchat")]


def _brought_back(reading: Reading) -> Act:
    """Return the act that shows hidden items again, with what is wished for beside."""
    want = reading.ids("want", "value", "number")
    return Act(act="refine", want=want, drop=reading.brought_back, change=reading.change)


def _takes_words_back(reading: Reading) -> bool:
    """Return whether words of the turn before give way to others: "actually no, crime"."""
    state = reading.request.state
    just_now = any(p.facet is None and p.turn == state.turn for p in state.need.preferences)
    words = reading.ids("want", "keyword", "unknown")
    corrects = just_now and bool(words) and reading.need_cue("takes_back")
    return corrects and not (reading.firm or reading.references)


def _leading(reading: Reading) -> list[Act]:
    """Return a reset or undo, which comes before what else is said."""
    if reading.cue("reset") and not reading.drop:
        return [Act(act="reset")]
    about = ("compare", "explain", "why_not", "reject")
    if reading.earlier_lists and not any(reading.cue(name) for name in about):
        return [Act(act="undo", refs=reading.earlier_lists[:1])]
    wished = reading.ids("want", "value", "number") or reading.drop
    outright = cues.said(reading.masked.raw, "acts", "undo_outright")
    named = any(cues.said(m.text.lower(), "acts", "undo") for m in reading.references)
    if named:  # an item of "the previous list"
        return []
    if reading.cue("undo") and (outright or not wished):
        return [Act(act="undo")]
    return []
