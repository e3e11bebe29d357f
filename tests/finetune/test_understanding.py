"""Every figure of the harness can be right and can be wrong: a scripted system on five items."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.plan import Act, ActName, Mention, Plan
from agent.rules.request import PlanRequest
from agent.state import Constraint, Likeness, Need, Preference, Sorting, State
from finetune.labels import Dialogue
from finetune.replay import Parts, replay
from finetune.understanding import UnderstandingReport, evaluate, evaluate_files, figures
from retrieval.catalog import Facet, Item

ITEMS = {
    item.id: item
    for item in (
        Item("1", "Blue shirt", fields={"colour": "Blue", "kind": "Shirts", "price": 20.0}),
        Item("2", "Navy shirt", fields={"colour": "Navy Blue", "kind": "Shirts", "price": 30.0}),
        Item("3", "Red shirt", fields={"colour": "Red", "kind": "Shirts", "price": 40.0}),
        Item("4", "Red leather boots", fields={"colour": "Red", "kind": "Boots", "price": 90.0}),
        Item("5", "Black boots", fields={"colour": "Black", "kind": "Boots", "price": 60.0}),
    )
}

FACETS = (
    Facet("colour", "categorical", "colour", role="colour"),
    Facet("kind", "categorical", "kind", role="category"),
    Facet("price", "numeric", "price", role="price"),
)


@dataclass
class Answer:
    """What the scripted system makes of an utterance."""

    need: Need | None = None
    acts: tuple[Act, ...] = (Act(act="refine"),)
    mentions: tuple[Mention, ...] = ()
    focus: tuple[str, ...] = ()


@dataclass
class Script:
    """Answers by utterance, and what was seen on the way."""

    answers: Mapping[str, Answer]
    seen: list[tuple[str, State]] = field(default_factory=list)

    def link(self, text: str, state: State, slate: Sequence[Item]) -> tuple[Mention, ...]:
        self.seen.append((text, state))
        return self.answers[text].mentions

    def plan(self, request: PlanRequest) -> Plan:
        answer = self.answers[request.utterance]
        return Plan(acts=answer.acts, mentions=request.mentions, utterance=request.utterance)

    def apply(
        self, state: State, plan: Plan, items: Mapping[str, Item], facets: tuple[Facet, ...]
    ) -> State:
        answer = self.answers[plan.utterance]
        need = answer.need if answer.need is not None else state.need
        update = {"need": need, "turn": state.turn + 1, "focus": answer.focus or state.focus}
        return state.model_copy(update=update)

    def parts(self) -> Parts:
        return Parts(ITEMS, FACETS, self.link, self.plan, self.apply)


def reference(*items: str, id: str = "R1") -> Mention:
    return Mention(id=id, kind="reference", start=0, end=1, text="x", items=items)


def dialogue(*turns: dict, id: str = "d1", catalog: str = "tiny") -> Dialogue:
    whole = [{"expect": {"acts": ["refine"]}, **turn} for turn in turns]
    return Dialogue.model_validate({"id": id, "catalog": catalog, "turns": whole})


BLUE = Constraint(facet="colour", values=("Blue",), turn=1)
RED = Constraint(facet="colour", values=("Red",), turn=1)
BOOTS = Constraint(facet="kind", values=("Boots",), turn=1)
CHEAP = Constraint(facet="price", high=50, turn=1)


def run(label: dict, answer: Answer) -> UnderstandingReport:
    """Return the report of one turn, "hello", understood as scripted."""
    script = Script({"hello": answer})
    return evaluate([dialogue({"text": "hello", **label})], lambda _: script.parts())


def one(label: dict, need: Need) -> tuple[bool, set[str]]:
    """Return whether the state of one turn counts as right, and the kinds of its faults."""
    expect = {"acts": ["refine"], **label}
    (score,) = run({"expect": expect}, Answer(need)).scores
    return score.state, {kind for kind, _ in score.faults}


def needs(*constraints: Constraint, **more: object) -> Need:
    return Need.model_validate({"constraints": constraints, **more})


def wish(facet: str, **label: object) -> dict:
    return {"constraints": [{"facet": facet, **{k.strip("_"): v for k, v in label.items()}}]}


@pytest.mark.parametrize(
    ("label", "need"),
    [
        ({}, needs()),
        (wish("colour", in_=["Blue"]), needs(BLUE)),
        (wish("category", in_=["Boots"]), needs(BOOTS)),
        (wish("colour", in_=["Black"]), needs(Constraint(facet="price", low=60, high=60))),
        (wish("price", max=40), needs(Constraint(facet="price", high=40, high_strict=True))),
        (wish("price", max=40, strict=True), needs(Constraint(facet="price", high=40))),
        (wish("colour", not_in=["Blue"], not_in_ok=["Navy Blue"]),
         needs(Constraint(facet="colour", excluded=("Blue",)))),
        (wish("colour", not_in=["Blue"], not_in_ok=["Navy Blue"]),
         needs(Constraint(facet="colour", excluded=("Blue", "Navy Blue")))),
        (wish("text", not_in=["leather"]),
         needs(Constraint(facet="text", excluded=("leather",)))),
        ({"like": "2"}, needs(like=Likeness(item_id="2"))),
        ({"order": {"facet": "price", "direction": "down"}},
         needs(sorting=Sorting(facet="price", direction="down"))),
        ({"rejected": ["1", "2"]}, needs(rejected=("2", "1"))),
        ({}, needs(rejected=("2",))),
    ],
)  # fmt: skip
def test_right_state_counts(label: dict, need: Need):
    assert one(label, need) == (True, set())


@pytest.mark.parametrize(
    ("label", "need", "fault"),
    [
        (wish("colour", in_=["Blue"]), needs(), "missed value"),
        (wish("colour", in_=["Blue"]), needs(RED), "missed value"),
        (wish("colour", in_=["Blue"]),
         needs(Constraint(facet="colour", values=("Blue", "Red"))), "extra value"),
        (wish("colour", in_=["Blue"]),
         needs(Constraint(facet="colour", excluded=("Blue",))), "wrong polarity"),
        (wish("colour", not_in=["Red"]), needs(RED), "wrong polarity"),
        (wish("colour", not_in=["Red"]), needs(), "missed exclusion"),
        (wish("colour", in_=["Red"]),
         needs(Constraint(facet="kind", values=("Red",))), "wrong facet"),
        (wish("price", max=50), needs(), "missed bound"),
        (wish("price", max=30), needs(CHEAP), "wrong bound"),
        (wish("price", min=25), needs(Constraint(facet="price", low=25, high=50)), "extra bound"),
        ({}, needs(BLUE), "extra constraint"),
        ({"acts": ["recommend"]}, needs(BOOTS.model_copy(update={"turn": 0})),
         "new need taken for refinement"),
        ({}, needs(BOOTS.model_copy(update={"turn": 0})), "constraint kept too long"),
        ({"like": "2"}, needs(), "wrong like"),
        ({"like": "2"}, needs(like=Likeness(item_id="3")), "wrong like"),
        ({}, needs(sorting=Sorting(facet="price", direction="up")), "wrong order"),
        ({"order": {"facet": "price", "direction": "down"}},
         needs(sorting=Sorting(facet="price", direction="up")), "wrong order"),
        ({"rejected": ["1"]}, needs(), "wrong rejection"),
    ],
)  # fmt: skip
def test_wrong_state_is_named(label: dict, need: Need, fault: str):
    right, faults = one(label, need)
    assert not right
    assert fault in faults


IMPOSSIBLE = {"constraints": [{"facet": "colour", "in": ["Blue"]}, {"facet": "price", "min": 80}]}


@pytest.mark.parametrize(
    ("need", "right"),
    [
        (needs(BLUE, Constraint(facet="price", low=80)), True),
        (needs(BLUE, Constraint(facet="price", low=85, high=3)), False),
        (needs(BOOTS, Constraint(facet="price", high=3)), False),
        (needs(BLUE, BOOTS, Constraint(facet="price", low=80)), False),
        (needs(Constraint(facet="price", low=80), RED, BOOTS), False),
    ],
)
def test_empty_result_compares_facets(need: Need, right: bool):
    assert one(IMPOSSIBLE, need)[0] is right


def test_alternative_reading_counts():
    label = {"expect": {"acts": ["refine"], **wish("colour", in_=["Blue"])},
             "or": [{"acts": ["more"], **wish("colour", in_=["Red"])}]}  # fmt: skip
    assert figures(run(label, Answer(needs(RED))).scores)["state_exact"] == 1
    assert figures(run(label, Answer(needs(BOOTS))).scores)["state_exact"] == 0
    assert figures(run(label, Answer(acts=(Act(act="more"),))).scores)["act_accuracy"] == 1


@pytest.mark.parametrize(
    ("labelled", "planned", "right"),
    [
        (["refine"], ["refine"], True),
        (["refine"], ["recommend"], False),
        (["refine"], [], False),
        (["refine"], ["refine", "more"], False),
        ([["recommend", "refine"]], ["recommend"], True),
        ([["reject", "more"]], ["reject", "more"], True),
        (["reset", ["recommend", "refine"]], ["refine", "reset"], True),
        (["reset", ["recommend", "refine"]], ["reset"], False),
        (["refine", "chitchat?"], ["refine"], True),
        (["refine", "chitchat?"], ["chitchat", "refine"], True),
        (["refine", "chitchat?"], ["chitchat"], False),
    ],
)
def test_act_sets_with_alternatives(labelled: list, planned: list[ActName], right: bool):
    acts = tuple(Act(act=name) for name in planned)
    (score,) = run({"expect": {"acts": labelled}}, Answer(acts=acts)).scores
    assert score.acts is right


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (Answer(acts=(Act(act="like", refs=("R1",)),), mentions=(reference("2"),)), True),
        (Answer(acts=(Act(act="like", refs=("R1",)),), mentions=(reference("3"),)), False),
        (Answer(acts=(Act(act="like", refs=("R1",)),), mentions=(reference("2", "3"),)), False),
        (Answer(acts=(Act(act="reject", avoid=("R1",)),), mentions=(reference("2"),)), True),
        (Answer(acts=(Act(act="refine"),), mentions=(reference("2"),)), False),
        (Answer(acts=(Act(act="detail"),), focus=("2",)), True),
        (Answer(acts=(Act(act="refine"),), focus=("2",)), False),
        (Answer(needs(like=Likeness(item_id="2")), acts=(Act(act="like"),)), True),
    ],
)
def test_references_resolved_or_implied(answer: Answer, right: bool):
    label = {"slate": ["1", "2", "3"], "expect": {"acts": ["like"], "refs": ["2"]}}
    assert figures(run(label, answer).scores)["reference_accuracy"] == right


def test_unlabelled_reference_is_spurious():
    answer = Answer(acts=(Act(act="refine", refs=("R1",)),), mentions=(reference("2"),))
    report = run({"expect": {"acts": ["refine"]}}, answer)
    assert report.fault_counts() == {"spurious reference": 1}
    assert figures(report.scores)["reference_accuracy"] is None


def test_soft_recall_looks_at_words():
    label = {"expect": {"acts": ["refine"], "soft": ["comfy", "party"]}}
    wishes = (Preference(text="really comfy ones"), Preference(text="partying"))
    report = run(label, Answer(Need(preferences=wishes)))
    assert figures(report.scores)["soft_recall"] == 0.5


def two_turns() -> tuple[Dialogue, Script]:
    turns = dialogue(
        {"text": "blue", "expect": {"acts": ["refine"], **wish("colour", in_=["Blue"])}},
        {"text": "why", "slate": ["1"], "expect": {"acts": ["explain"], "refs": ["1"],
         **wish("colour", in_=["Blue"])}},
    )  # fmt: skip
    explain = Answer(acts=(Act(act="explain", refs=("R1",)),), mentions=(reference("1"),))
    return turns, Script({"blue": Answer(needs(RED)), "why": explain})


def test_errors_stay_in_the_state():
    turns, script = two_turns()
    report = evaluate([turns], lambda _: script.parts())
    assert figures(report.scores)["state_exact"] == 0
    assert [score.fresh != () for score in report.scores] == [True, False]
    assert report.fault_counts() == {"extra value": 1, "missed value": 1}


def test_screen_comes_from_the_script():
    turns = dialogue(
        {"text": "a", "slate": ["3", "1"], "focus": ["1"]}, {"text": "b"},
        {"text": "c", "slate": ["2"]},
    )  # fmt: skip
    script = Script({text: Answer() for text in "abc"})
    replay(turns, script.parts())
    screens = [(state.slate, state.focus, state.shown) for _, state in script.seen]
    assert screens == [
        (("3", "1"), ("1",), ("3", "1")),
        (("3", "1"), ("1",), ("3", "1")),
        (("2",), (), ("3", "1", "2")),
    ]


def test_crash_is_counted_not_raised():
    report = evaluate([dialogue({"text": "unscripted"})], lambda _: Script({}).parts())
    assert report.fault_counts() == {"crash": 1}
    assert figures(report.scores)["state_exact"] == 0
    assert "KeyError" in report.to_json()["errors"]["list"][0]["understood"]


def test_baselines_forget_or_keep_everything():
    turns = dialogue(
        {"text": "blue", "expect": {"acts": ["refine"], **wish("colour", in_=["Blue"])}},
        {"text": "thanks", "expect": {"acts": ["chitchat"], **wish("colour", in_=["Blue"])}},
    )
    answers = {"blue": Answer(needs(BLUE)), "thanks": Answer(acts=(Act(act="chitchat"),))}
    report = evaluate([turns], lambda _: Script(answers).parts())
    assert figures(report.scores)["state_exact"] == 1
    assert figures(report.baselines["last-turn-only"])["state_exact"] == 0.5
    assert figures(report.baselines["keep-everything-no-negation"])["act_accuracy"] == 0.5


def test_absent_catalog_is_said():
    report = evaluate([dialogue({"text": "a"}, {"text": "b"})], lambda _: None)
    result = report.to_json()
    assert result["skipped"] == {"tiny": 2}
    assert result["ours"]["state_exact"] is None
    assert result["intervals"]["state_exact"] is None


def test_phenomena_break_figures_down():
    turns = dialogue(
        {"text": "a", "expect": {"acts": ["recommend"], **wish("colour", in_=["Blue"])}},
        {"text": "b", "expect": {"acts": ["refine"], **wish("colour", not_in=["Red"])}},
        {"text": "c", "expect": {"acts": ["refine"]}},
        {"text": "d", "expect": {"acts": ["refine"], **wish("price", max=50)}},
        {"text": "e", "expect": {"acts": ["like"], "refs": ["1"], "like": "1"}},
    )
    script = Script({text: Answer(needs()) for text in "abcde"})
    by = evaluate([turns], lambda _: script.parts()).to_json()["by_phenomenon"]
    assert by["negation"] == by["bound"] | {"n": 1}
    assert {name: group["n"] for name, group in by.items()} == {
        "lifting": 2, "bound": 1, "first request": 1, "like": 1, "negation": 1, "reference": 1,
    }  # fmt: skip
    assert by["lifting"]["state_exact"] == 0.5


def test_file_report_is_complete(tmp_path: Path):
    turns, script = two_turns()
    row = json.dumps(turns.model_dump(by_alias=True, mode="json", exclude_none=True))
    files = {}
    for name in ("dev", "test"):
        files[name] = tmp_path / f"{name}.jsonl"
        files[name].write_text(row.replace('"d1"', f'"{name}"'), encoding="utf-8")
    report = evaluate_files(files, lambda _: script.parts(), {"planner": "scripted"}, seed=3)
    json.dumps(report)
    assert report["n"] == {"dialogues": 2, "turns": 4, "references": 2}
    assert report["sets"]["dev"]["n"] == {"dialogues": 1, "turns": 2, "references": 1}
    assert report["ours"]["reference_accuracy"] == 1
    assert report["intervals"]["state_exact"] == (0, 0)
    assert set(report["baselines"]) == {"last-turn-only", "keep-everything-no-negation"}
    assert report["config"] == {"planner": "scripted", "pooled": ["dev", "test"]}
    assert report["seed"] == 3
    assert report["hash"]["dev"] != report["hash"]["test"]
    assert len(report["hash"]["dev"]) == 64


def test_sets_apart_are_not_pooled(tmp_path: Path):
    turns, script = two_turns()
    row = json.dumps(turns.model_dump(by_alias=True, mode="json", exclude_none=True))
    files = {name: tmp_path / f"{name}.jsonl" for name in ("dev", "heldout")}
    for name, path in files.items():
        path.write_text(row.replace('"d1"', f'"{name}"'), encoding="utf-8")
    report = evaluate_files(files, lambda _: script.parts(), {}, apart=("heldout",))
    assert report["n"]["turns"] == report["sets"]["dev"]["n"]["turns"]
    assert report["sets"]["heldout"]["n"]["turns"] == 2
    assert report["config"]["pooled"] == ["dev"]


def test_interval_spans_dialogues_and_repeats():
    right, wrong = needs(BLUE), needs()
    label = {"text": "r", "expect": {"acts": ["refine"], **wish("colour", in_=["Blue"])}}
    rows = [dialogue({**label, "text": t}, id=f"d{i}") for i, t in enumerate("rrrw")]
    script = Script({"r": Answer(right), "w": Answer(wrong)})
    first, again = (evaluate(rows, lambda _: script.parts(), seed=7).to_json() for _ in "ab")
    low, high = first["intervals"]["state_exact"]
    assert 0.0 <= low < first["ours"]["state_exact"] == 0.75 < high <= 1.0
    assert first == again
