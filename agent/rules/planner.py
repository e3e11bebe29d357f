"""The rule planner: acts from cues, polarities from clauses, everything else from the mentions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agent.plan import Act, ActName, Mention, Plan
from agent.rules import cues
from agent.rules.choice import choose
from agent.rules.cues import mask
from agent.rules.detail import asked_facet
from agent.rules.polarity import Polarity, PolarityReader
from agent.rules.request import PlanRequest
from retrieval.catalog import Facet

_SIMPLE = frozenset({"recommend", "refine", "more", "undo", "reset", "chitchat", "select"})


class RulePlanner:
    """Plans without a language model; the fallback and the fast path.

    Args:
        facets: The catalog's facets; those of a request take their place.
    """

    def __init__(self, facets: Sequence[Facet] = ()) -> None:
        self._facets = tuple(facets)

    def plan(self, request: PlanRequest) -> Plan:
        """Return the plan of a turn; never raises for what a user can type."""
        chosen = choose(request)
        acts = _Reading(request, chosen).acts()
        return Plan(
            acts=tuple(acts), mentions=request.mentions, utterance=request.utterance,
            planner="rules",
        )  # fmt: skip


def _bare_amount(request: PlanRequest, mentions: Sequence[Mention]) -> bool:
    """Return whether a number without a bound is meant: nothing else is said, or a correction."""
    corrects = re.search(
        r"\b(?:mean|meant|sorry|no|make it|actually|loosen|raise|lower|increase|bump|change|extend|stretch)\b",
        request.utterance.lower(),
    )
    others = [m for m in mentions if m.score >= 0.5 and m.kind not in ("keyword", "unknown")]
    bounds = [c for c in request.state.need.constraints if c.high is not None or c.low is not None]
    return bool(bounds and corrects) or not others and len(request.utterance.split()) <= 4


class _Reading:
    """One utterance, read act by act."""

    def __init__(self, request: PlanRequest, mentions: Sequence[Mention]) -> None:
        self._request = request
        self._mentions = [m for m in mentions if m.score >= 0.5 or _bare_amount(request, mentions)]
        mentions = self._mentions
        self._known = {m.id: m for m in mentions}
        self._masked = mask(request.utterance, mentions)
        self._polarity = PolarityReader(self._masked, mentions).read()
        self._allow_excluded()
        self._soften_guesses()
        self._references = [m for m in mentions if m.kind in ("reference", "item")]
        self._category = {f.name for f in request.facets if f.role == "category"}

    def _soften_guesses(self) -> None:
        """Let a category guessed from other words be a preference, never a hard wish."""
        words = {(m.start, m.end) for m in self._mentions if m.kind == "keyword"}
        for mention in self._mentions:
            if mention.kind == "value" and (mention.start, mention.end) in words:
                guessed: Polarity = "prefer" if self._polarity.get(mention.id) == "want" else "drop"
                self._polarity[mention.id] = guessed

    def _allow_excluded(self) -> None:
        """Read "velvet's fine" of an excluded value as no longer excluded, not as wanted."""
        excluded = {v for c in self._request.state.need.constraints for v in c.excluded}
        lifted = {m.facet for m in self._mentions if self._polarity.get(m.id) == "drop"}
        for mention in self._mentions:
            end = self._masked.spans.get(mention.id, (0, 0))[1]
            fine = re.match(r"(?:'?s| is| are)?(?: \w+)? (?:fine|ok|okay|good|alright|great)\b",
                            self._masked.text[end:])  # fmt: skip
            if mention.kind == "value" and fine and (
                excluded & set(mention.values) or mention.facet in lifted
            ):  # fmt: skip
                self._polarity[mention.id] = "drop"

    # -- what was said -------------------------------------------------------------------------

    def _cue(self, name: str) -> bool:
        return cues.has(self._masked, "acts", name)

    def _ids(self, polarity: Polarity, *kinds: str) -> tuple[str, ...]:
        return tuple(
            m.id for m in self._mentions
            if m.kind in kinds and self._polarity.get(m.id) == polarity
        )  # fmt: skip

    @property
    def _want(self) -> tuple[str, ...]:
        return self._ids("want", "value", "number", "keyword", "unknown")

    @property
    def _firm(self) -> tuple[str, ...]:
        """Wishes the catalog can check, and wishes of any other polarity."""
        return (
            self._ids("want", "value", "number", "relative", "order") + self._avoid + self._drop
            + self._prefer
        )  # fmt: skip

    @property
    def _avoid(self) -> tuple[str, ...]:
        named = tuple(id for id in self._refs("avoid") if not self._on_slate((id,)))
        kinds = ("value", "keyword", "number", "facet")
        return self._ids("avoid", *kinds) + named

    @property
    def _prefer(self) -> tuple[str, ...]:
        return self._ids("prefer", "value", "number", "keyword", "unknown")

    @property
    def _drop(self) -> tuple[str, ...]:
        return self._ids("drop", "facet", "value", "number", "order")

    @property
    def _change(self) -> tuple[str, ...]:
        bounded = {self._facet(id) for id in self._ids("want", "number")}
        found = self._relative_wishes
        orders = [id for id in found if id[0] == "O"]
        if len(orders) > 1:
            found = tuple(id for id in found if id not in orders[1:])
        return tuple(id for id in found if self._facet(id) not in bounded)

    @property
    def _relative_wishes(self) -> tuple[str, ...]:
        return self._ids("want", "relative", "order") + self._ids("avoid", "relative", "order")

    def _refs(self, polarity: Polarity | None = None) -> tuple[str, ...]:
        return tuple(m.id for m in self._references if polarity in (None, self._polarity.get(m.id)))

    # -- acts ----------------------------------------------------------------------------------

    def acts(self) -> list[Act]:
        """Return the acts of the utterance, in the order they apply."""
        before: list[Act] = []
        if self._cue("reset") and not self._drop:
            before.append(Act(act="reset"))
        elif self._undoes():
            before.append(Act(act="undo"))
        if self._cue("off_topic") and not self._ids("want", "value", "number"):
            return [*before, Act(act="chitchat")]
        if self._cue("handoff"):
            return [*before, Act(act="handoff")]
        if self._asks_the_shop():
            before.append(Act(act="answer"))
            if not self._ids("want", "value") and not self._cue("select"):
                return before
        if before and before[0].act in ("undo", "reset"):
            return [*before, *self._about_the_need(True)]
        rest = self._about_items() or self._about_the_need(bool(before))
        return [*before, *rest] or [Act(act="chitchat")]

    def _undoes(self) -> bool:
        wishes = self._ids("want", "value", "number")
        outright = re.search(
            r"^\W*(?:undo|scratch that|never ?mind(?: that|[.,!]))", self._masked.raw
        )
        return self._cue("undo") and (bool(outright) or not (wishes or self._drop))

    def _asks_the_shop(self) -> bool:
        return self._cue("answer")

    def _about_items(self) -> list[Act]:
        """Return acts about given items: questions, verdicts, likeness."""
        rules = (
            self._compare, self._explain, self._asked, self._verdict, self._like, self._detail,
        )  # fmt: skip
        for rule in rules:
            acts = rule()
            if acts:
                return acts
        return []

    def _compare(self) -> list[Act]:
        refs = self._compared()
        several = sum(len(m.items) for m in self._references) > 1
        if several and self._cue("compare"):
            return [Act(act="compare", refs=refs)]
        if not self._cue("compare") or not (several or (self._request.slate and not self._want)):
            return []
        return [Act(act="compare", refs=refs)]

    def _compared(self) -> tuple[str, ...]:
        """Return the references compared; "those" beside two single items only frames them."""
        single = tuple(m.id for m in self._references if len(m.items) == 1)
        return single if len(single) > 1 else self._refs()

    def _explain(self) -> list[Act]:
        asked = self._references or self._request.slate or self._request.state.need.constraints
        if not asked or not (self._cue("why_not") or self._cue("explain")):
            return []
        if self._cue("why_not") and (self._references or self._want or self._avoid):
            named = self._ids("want", "value") + self._ids("avoid", "value")
            want = () if self._references else named
            return [Act(act="explain", refs=self._liked_refs(), want=want, why_not=True)]
        if self._ids("want", "relative"):
            return []
        return [Act(act="explain", refs=self._liked_refs())]

    def _asked(self) -> list[Act]:
        """Return a detail act for a plain question about an item: "is the second one …?"."""
        start = r"^\W*(?:and |so |ok |but )?(?:is|are|does|do|was|were|has|did)n?'?t? <[RT]\d+>"
        if not re.search(start, self._masked.text) or self._ids("want", "relative"):
            return []
        if re.search(r"^\W*do <R\d+> (?:come|have)|available in <V", self._masked.text):
            return []
        return [self._detail_act()]

    def _detail_act(self) -> Act:
        facet = asked_facet(self._masked, self._request.facets)
        return Act(act="detail", refs=self._refs(), facet=facet)

    def _verdict(self) -> list[Act]:
        """Return select and reject acts, with the wishes said beside them."""
        if self._request.slate and self._cue("reject_all") and not self._single_reference():
            every = tuple(m.id for m in self._references)
            wishes = self._wishes("refine") if self._firm else []
            follow = wishes or [Act(act="more")]
            return [Act(act="reject", refs=every), *follow] if every else follow
        if self._moves_the_like():
            return [self._act("like", refs=self._liked_refs())]
        refused = self._refused()
        same = {one for m in self._references if m.id in refused for one in m.items}
        others = tuple(
            m.id for m in self._references if m.id not in refused and not set(m.items) <= same
        )
        if refused and not self._on_slate(refused) and self._want:
            return []
        taken_back = self._values_taken_back(refused)
        if taken_back:
            return [Act(act="refine", avoid=taken_back)]
        if refused:
            acts = [Act(act="reject", refs=refused)]
            if others:
                return [*acts, *self._on_reference(others)]
            if self._cue("more"):
                return [*acts, Act(act="more")]
            dislikes = all(self._known[id].text.startswith("too") for id in self._change)
            others_said = self._firm and not (self._change and dislikes and not self._want)
            return [*acts, *(self._wishes("refine") if others_said else [])]
        changes = self._ids("want", "value", "number")
        chosen = self._cue("select") and (self._references or self._request.slate)
        if chosen and (not self._like() or not changes) and not self._dearer():
            return [Act(act="select", refs=self._refs())]
        return []

    def _values_taken_back(self, refused: tuple[str, ...]) -> tuple[str, ...]:
        """Return wished-for values that a refused "it" stands for: "about Nike, remove it"."""
        pronouns = [m for m in self._references if m.id in refused and m.text.lower() == "it"]
        wished = {v for c in self._request.state.need.constraints for v in c.values}
        return tuple(
            m.id for m in self._mentions
            if pronouns and m.kind == "value" and wished & set(m.values)
        )  # fmt: skip

    def _moves_the_like(self) -> bool:
        """Return whether a likeness is corrected: "no, the third one"."""
        corrects = re.search(r"^\W*(?:no|nope|sorry|i meant?)\b", self._masked.text)
        return bool(corrects and self._request.state.need.like and self._references)

    def _dearer(self) -> bool:
        """Return whether an item is only named as too dear, too big…: "number 2 is too pricey"."""
        judged = re.search(r"<[RT]\d+>(?:'s| is| are)? <D", self._masked.text)
        return judged is not None and bool(self._ids("want", "relative"))

    def _on_slate(self, ids: tuple[str, ...]) -> bool:
        slate = {item.id for item in self._request.slate}
        return any(set(m.items) & slate for m in self._references if m.id in ids)

    def _on_reference(self, refs: tuple[str, ...]) -> list[Act]:
        """Return what "…, the third" means after a correction: the act that stands, on refs."""
        if self._request.state.need.like or self._firm:
            return [self._act("like", refs=refs)]
        return [Act(act="select", refs=refs)]

    def _single_reference(self) -> bool:
        return any(len(m.items) == 1 for m in self._references)

    def _refused(self) -> tuple[str, ...]:
        """Return the references that are rejected."""
        if not self._references:
            return ()
        avoided = () if self._ids("want", "relative") else self._refs("avoid")
        if avoided and not re.search(r"\b(?:than|instead of)\b", self._masked.text):
            return avoided
        if self._cue("reject") and not self._question():
            named = [m for m in self._references if self._beside_reject(m)]
            return tuple(m.id for m in named)
        return ()

    def _beside_reject(self, mention: Mention) -> bool:
        at = self._masked.spans.get(mention.id)
        return at is not None and any(
            first <= at[0] and at[1] <= last
            for first, last in cues.spans(self._masked, "acts", "reject")
        )

    def _like(self) -> list[Act]:
        """Return a like act: similar to a reference, or a reference with changes."""
        if not self._references and not (self._cue("like") and self._request.slate):
            return []
        if self._than() or self._other_category():
            return []
        if self._cue("like") or self._reference_with_change():
            return [self._act("like", refs=self._liked_refs())]
        return []

    def _liked_refs(self) -> tuple[str, ...]:
        """Return the references a likeness is about: those not refused."""
        return self._refs("want") or self._refs()

    def _other_category(self) -> bool:
        """Return whether "same thing in skirts" names another kind of item."""
        named = any(self._facet(id) in self._category for id in self._want)
        return named and not any(m.kind == "item" or m.score >= 0.9 for m in self._references)

    def _reference_with_change(self) -> bool:
        """Return whether a reference stands with a wish and no question: "that one, cheaper"."""
        if not self._references or self._question():
            return False
        return bool(
            self._ids("want", "relative") and not self._than()
        ) or bool(self._firm and re.search(r"<[RT]\d+>[ ,]*(?:<|in|with|but|only)", self._masked.text))  # fmt: skip

    def _than(self) -> bool:
        return re.search(r"\bthan (?:the |that |this )?<[RT]", self._masked.text) is not None

    def _question(self) -> bool:
        return cues.has(self._masked, "detail", "question")

    def _detail(self) -> list[Act]:
        """Return a detail act: a question about a field of an item."""
        state = self._request.state
        if not self._question() or not (self._references or state.focus or self._request.slate):
            return []
        facet = asked_facet(self._masked, self._request.facets)
        if self._references and not self._ids("want", "relative"):
            return [self._detail_act()]
        pronoun = re.search(r"\b(?:it|its|they|them|this|that)\b", self._masked.text)
        bare = not self._want and not self._change and not self._drop and not self._cue("more")
        if facet and bare and (pronoun or state.focus):
            return [Act(act="detail", facet=facet)]
        return []

    # -- the need ------------------------------------------------------------------------------

    def _about_the_need(self, led: bool) -> list[Act]:
        said_more = re.search(r"[:,.;!] *\w", self._masked.text) is not None
        words = self._ids("want", "keyword", "unknown")
        words = words if self._cue("reset") and said_more else ()
        if led and not self._firm and not words:
            return []
        lifted = self._lift_budget()
        if lifted:
            return lifted
        if self._cue("more") and not self._firm:
            return self._more()
        if self._cue("select") and self._request.slate and not self._firm:
            return [Act(act="select", refs=self._refs())]
        name: ActName = "recommend" if self._new_need() else "refine"
        wishes = self._wishes(name)
        if wishes and (self._firm or not self._small_talk()):
            return wishes
        return self._without_wishes()

    def _more(self) -> list[Act]:
        words = self._ids("want", "keyword")
        return [Act(act="more", want=words)]

    def _small_talk(self) -> bool:
        asks = self._cue_need("fresh") or re.search(r"\b(?:something|anything|ones?|please)\b",
                                                    self._masked.text)  # fmt: skip
        return self._cue("chitchat") and not (self._ids("want", "keyword") and asks)

    def _without_wishes(self) -> list[Act]:
        if self._references:
            return [self._detail_act()]
        if self._cue("chitchat") and not self._cue("elicit"):
            return [Act(act="chitchat")]
        if self._cue("elicit"):
            return [Act(act="elicit")]
        return [Act(act="chitchat")]

    def _lift_budget(self) -> list[Act]:
        if not cues.has(self._masked, "need", "lift_up"):
            return []
        named = self._ids("want", "relative", "facet") + self._ids("drop", "relative", "facet")
        return [Act(act="refine", drop=named)] if named else []

    def _wishes(self, name: ActName) -> list[Act]:
        act = self._act(name, refs=self._refs() if self._change else ())
        empty = not (act.want or act.avoid or act.prefer or act.drop or act.change)
        return [] if empty else [act]

    def _act(self, name: ActName, refs: tuple[str, ...]) -> Act:
        return Act(
            act=name, refs=refs, want=self._corrected_want(), avoid=self._avoid,
            prefer=self._prefer, drop=self._drop, change=self._change,
            join="add" if self._joins() else "replace",
        )  # fmt: skip

    def _corrected_want(self) -> tuple[str, ...]:
        """Return what is wanted; in a correction only what was said last on a facet."""
        want = self._compatible(list(self._want))
        if not re.search(r"\b(?:i meant?|no wait|wait no|sorry|scratch that|actually)\b|"
                         r"\bno,? (?=<)|<V\d+>[^<]{0,12}\b(?:no|err?|oops|i mean)\b", self._masked.text):  # fmt: skip
            return tuple(want)
        last: dict[str, str] = {}
        for id in want:
            facet = self._facet(id)
            if facet:
                last[facet] = id
        return tuple(
            id for id in want
            if not (facet := self._facet(id)) or last[facet] == id or self._either(id, last[facet])
        )  # fmt: skip

    def _compatible(self, want: list[str]) -> list[str]:
        """Keep, of values of one facet that are not a list, the surest: "toothpaste 4 kids"."""
        kept: list[str] = []
        scores = {m.id: m.score for m in self._mentions}
        multiple = {
            f.name for f in self._request.facets if f.kind == "list" and f.role != "category"
        }
        want = [id for id in want if not self._says_less(id, want)]
        for id in want:
            facet = self._facet(id)
            rivals = [k for k in kept if facet and self._same_kind(self._facet(k), facet)]
            rival = rivals[0] if rivals else None
            joined = (
                self._facet(rivals[-1]) == facet and self._listed(rivals[-1], id) if rivals else 0
            )
            if (
                rival is None
                or id[0] != "V"
                or facet in multiple
                or joined
                or self._closed_list(id)
            ):
                kept.append(id)
            elif self._facet(rival) != facet and scores[id] == scores[rival]:
                kept.append(id)
            elif scores[id] > scores[rival]:
                kept[kept.index(rival)] = id
        return kept

    def _same_kind(self, one: str | None, other: str) -> bool:
        """Return whether two facets say what an item is: the same one, or both categories."""
        return one == other or (one in self._category and other in self._category)

    def _says_less(self, id: str, want: list[str]) -> bool:
        """Return whether another wish on the facet is part of this one: "sanderson. brandon …"."""
        own = self._by_id(id)
        return any(
            other != id and self._facet(other) == own.facet is not None
            and set(self._by_id(other).values) < set(own.values)
            for other in want
        )  # fmt: skip

    def _by_id(self, id: str) -> Mention:
        return self._known[id]

    def _closed_list(self, id: str) -> bool:
        """Return whether an "or" follows that closes a list without commas: "acer hp or asus"."""
        rest = self._masked.text[self._masked.spans[id][1] :]
        return re.match(r" (?:<V\d+> )*or <V", rest) is not None

    def _either(self, id: str, other: str) -> bool:
        """Return whether "or" or "and" joins two mentions, also in a correction."""
        first, last = self._masked.spans[id][1], self._masked.spans[other][0]
        return bool(re.search(r"\b(?:or|and)\b", self._masked.text[first:last]))

    def _listed(self, id: str, other: str) -> bool:
        """Return whether two mentions are joined by "or" or "and"."""
        first, last = self._masked.spans[id][1], self._masked.spans[other][0]
        return bool(re.search(r"\b(?:or|and)\b|[,/&]", self._masked.text[first:last]))

    def _facet(self, id: str) -> str | None:
        return self._known[id].facet

    def _joins(self) -> bool:
        return cues.has(self._masked, "polarity", "add") and not cues.has(
            self._masked, "need", "fresh"
        )

    def _new_need(self) -> bool:
        need = self._request.state.need
        if not need.constraints and not need.preferences and need.like is None:
            return True
        if self._cue_need("new") and self._ids("want", "value") and not self._cue_need("refine"):
            return True
        if not self._new_categories(need.constraints):
            return False
        if cues.has(self._masked, "need", "refine"):
            return False
        return cues.has(self._masked, "need", "fresh") or len(self._mentions) <= 2

    def _cue_need(self, name: str) -> bool:
        return cues.has(self._masked, "need", name)

    def _new_categories(self, constraints: Iterable[object]) -> bool:
        """Return whether a category is wanted that the present need does not have."""
        need = self._request.state.need
        own = [c for c in need.constraints if c.facet in self._category and c.values]
        if not own:
            return False
        current = {value.casefold() for c in own for value in c.values}
        wanted = [
            m for m in self._mentions
            if m.facet in self._category and m.kind == "value" and m.id in self._want
        ]  # fmt: skip
        labels = {word for c in own for word in c.label.casefold().split()}
        return any(
            not {value.casefold() for value in mention.values} & current
            and not labels & set(mention.text.casefold().split())
            for mention in wanted
        )


def covers(request: PlanRequest, plan: Plan) -> bool:
    """Return whether the links explain the whole utterance beyond doubt: no model is needed.

    True when every word is a stop word or part of a mention, no span has two meanings, nothing is
    unknown or guessed, and the plan is one simple act.
    """
    if len(plan.acts) != 1 or plan.acts[0].act not in _SIMPLE:
        return False
    if len(request.utterance) > 200 or any(m.score <= 0.9 for m in request.mentions):
        return False
    spans = [(m.start, m.end) for m in request.mentions]
    kinds = {m.kind for m in request.mentions}
    if len(spans) != len(set(spans)) or kinds & {"unknown", "keyword", "relative"}:
        return False
    return not re.search(r"\b(?:but|not|no|instead|except|or)\b", request.utterance.casefold())
