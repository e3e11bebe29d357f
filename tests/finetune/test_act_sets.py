"""Human turns with acceptable acts: what is read, how labels are mapped, what stands before."""

import gzip
import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from agent.plan import Act, Plan
from agent.state import State
from finetune import act_iard, act_sgd, act_simmc
from finetune.act_sets import act_sets
from finetune.act_turns import ActTurn, catalog_of, coarse_of, expect, stratified
from finetune.catalogs import SHARED
from finetune.errors import LabelError
from finetune.scoring import acts_match
from retrieval.catalog import Item
from retrieval.loading import Column

INFORM = ["INFORM", "city", ["Napa"]]
SELECT = ["SELECT", "", []]
FIND = ["INFORM_INTENT", "intent", ["FindRestaurants"]]
BOOK = ["INFORM_INTENT", "intent", ["ReserveRestaurant"]]


def planned(*names: str) -> Plan:
    return Plan(acts=tuple(Act(act=name) for name in names))


def sgd_row(kind: str, *acts: list, text: str = "in Napa", split: str = "test") -> dict:
    return {"kind": kind, "text": text, "acts": list(acts), "service": "Restaurants_2",
            "intent": "X", "split": split, "system_before": ""}  # fmt: skip


def write(folder: Path, name: str, rows: list[dict]) -> None:
    with gzip.open(folder / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


# --- IARD


@pytest.mark.parametrize(
    ("intents", "acts", "right"),
    [
        (["IQU"], ["recommend"], True),
        (["IQU"], ["chitchat"], False),
        (["OTH", "IQU"], ["recommend"], True),
        (["OTH", "IQU"], ["chitchat", "recommend"], True),
        (["OTH", "IQU"], ["chitchat"], False),
        (["OTH"], ["chitchat"], True),
        (["OTH"], ["recommend"], False),
        (["SEE"], ["reject"], True),
        (["SEE", "CON"], ["more"], True),
        (["SEE", "CON"], ["reject", "more"], True),
        (["SEE", "CON"], ["reject"], False),
        (["REJ"], ["reject", "more"], True),
        (["REJ", "CRI-F"], ["refine"], True),
        (["ACC", "INQ"], ["select", "detail"], True),
        (["ACC", "INQ"], ["select"], False),
        (["ACC", "OTH"], ["detail"], False),
    ],
)
def test_intents_accept_acts(intents, acts, right):
    assert acts_match(planned(*acts), expect(*act_iard.acceptable(intents))) is right


def test_every_intent_has_acts_and_class():
    assert act_iard.INTENTS.keys() == act_iard.CLASSES.keys()


def film(id: str, name: str, *genres: str) -> dict:
    return {"redial_id": id, "name": name, "is_item": True, "plot": "", "genre": list(genres),
            "director": [], "star": []}  # fmt: skip


@pytest.fixture
def films(tmp_path):
    rows = [film("1", "Alien (1979)", "horror"), film("2", "Fargo (1996)", "crime")]
    rows += [film(str(i), f"Film {i}", "comedy", "drama") for i in range(3, 9)]
    write(tmp_path, "redial_items", rows)
    return act_iard.films(tmp_path)


def dialogue(split: str, *turns: tuple[str, str, list[str]]) -> dict:
    said = [{"pos": i, "role": role, "text": text, "intents": intents}
            for i, (role, text, intents) in enumerate(turns, 1)]  # fmt: skip
    return {"id": "7", "redial_split": split, "utterances": said}


TALK = (
    ("seeker", "I want a comedy", ["IQU"]),
    ("recommender", "Fargo (1996) or Alien (1979)?", ["REC-E"]),
    ("seeker", "Sounds good...thanks", ["ACC", "OTH"]),
)
MOVIES = {"7": {"movies": {"1": {"title": "Alien (1979)"}, "2": {"title": "Fargo (1996)"}}}}


def test_only_test_dialogues_are_read(films):
    splits = ("train", "valid", "train (conversation not otherwise held here)", "test")
    found = [list(act_iard.dialogues([dialogue(split, *TALK)], MOVIES, films)) for split in splits]
    assert [len(turns) for turns in found] == [0, 0, 0, 2]


def test_named_films_are_on_the_slate(films):
    first, second = act_iard.dialogues([dialogue("test", *TALK)], MOVIES, films)
    assert first.state.slate == ()
    assert first.state.need.constraints == ()
    assert second.state.slate == second.state.focus == ("2", "1")
    assert second.text == "Sounds good. thanks"
    assert second.classes == {"verdict"}


def test_earlier_wishes_stand_before_a_turn(films):
    _, second = act_iard.dialogues([dialogue("test", *TALK)], MOVIES, films)
    assert [(c.facet, c.values) for c in second.state.need.constraints] == [("genre", ("comedy",))]


def test_turns_are_sampled_as_they_come(films, tmp_path):
    write(tmp_path, "redial_test", [{"id": "7", **MOVIES["7"]}])
    write(tmp_path, "iard_intents", [dialogue("test", *TALK)])
    assert len(act_iard.read(tmp_path, 10, 0).turns) == 2
    (one,) = act_iard.read(tmp_path, 1, 0).turns
    assert one in act_iard.read(tmp_path, 10, 0).turns


def test_year_is_read_from_the_title(films):
    assert films.items["1"].fields["year"] == 1979.0
    assert "year" not in films.items["3"].fields


# --- SGD


@pytest.mark.parametrize(
    ("row", "acts", "right"),
    [
        (sgd_row("open_request", INFORM, FIND), ["recommend"], True),
        (sgd_row("open_request", INFORM, FIND), ["select"], False),
        (sgd_row("open_request", INFORM, BOOK), ["select"], True),
        (sgd_row("open_request", INFORM, FIND, SELECT), ["select", "recommend"], True),
        (sgd_row("constraint", INFORM), ["refine"], True),
        (sgd_row("constraint", INFORM), ["recommend"], False),
        (sgd_row("constraint", INFORM), ["refine", "select"], False),
        (sgd_row("constraint", INFORM, ["AFFIRM", "", []]), ["refine", "select"], True),
        (sgd_row("negate_refine", INFORM, ["NEGATE", "", []]), ["reject", "refine"], True),
        (sgd_row("alternatives", ["REQUEST_ALTS", "", []]), ["more"], True),
        (sgd_row("alternatives", ["REQUEST_ALTS", "", []]), ["refine"], False),
        (sgd_row("alternatives", INFORM, ["REQUEST_ALTS", "", []]), ["refine"], True),
        (sgd_row("question", ["REQUEST", "address", []]), ["detail"], True),
        (sgd_row("question", ["REQUEST", "address", []]), ["select", "detail"], False),
        (sgd_row("select", SELECT), ["select"], True),
        (sgd_row("select", SELECT), ["chitchat"], False),
        (sgd_row("reject", ["NEGATE_INTENT", "", []]), ["chitchat"], True),
        (sgd_row("reject", ["NEGATE_INTENT", "", []], FIND), ["reject"], False),
        (sgd_row("reject", ["NEGATE_INTENT", "", []], FIND), ["recommend"], True),
    ],
)
def test_kinds_accept_acts(row, acts, right):
    assert acts_match(planned(*acts), expect(*act_sgd.acceptable(row))) is right


SGD = [
    *(sgd_row("constraint", ["INFORM", "city", [city]], text=f"in {city}") for city in
      ("Napa", "Fresno", "San Jose", "dontcare")),
    *(sgd_row("question", ["REQUEST", "address", []], text="Where is it?") for _ in range(3)),
    *(sgd_row("constraint", INFORM, split="train") for _ in range(3)),
    {**sgd_row("constraint", ["INFORM", "new_alarm_time", ["9"]]), "service": "Alarm_1"},
]  # fmt: skip


@pytest.fixture
def sgd(tmp_path):
    write(tmp_path, "utterances_sgd", SGD)
    return act_sgd.read(tmp_path, 100, 0)


def test_sgd_reads_test_split_of_services_with_choice(sgd):
    assert Counter(turn.kind for turn in sgd.turns) == {"constraint": 4, "question": 3}
    assert set(sgd.parts) == {"Restaurants_2"}


def test_invented_catalog_links_values_and_things(sgd):
    turn = sgd.turns[0]
    parts = sgd.parts["Restaurants_2"]
    found = parts.link("a restaurant in San Jose, what's the address?", turn.state, ())
    linked = {(mention.facet, *mention.values) for mention in found if mention.facet}
    assert linked == {("kind", "Restaurants"), ("city", "San Jose"), ("address",)}
    assert "dontcare" not in {item.fields.get("city") for item in parts.items.values()}


def test_question_has_slate_focus_and_facet(sgd):
    turn = next(turn for turn in sgd.turns if turn.kind == "question")
    assert turn.facet == "address"
    assert len(set(turn.state.slate)) == 3
    assert turn.state.focus == turn.state.slate[:1]
    assert turn.state.need.constraints[0].values == ("Restaurants",)


def test_new_need_has_empty_state_before(sgd):
    parts = sgd.parts["Restaurants_2"]
    fresh = act_sgd.state_before(sgd_row("open_request", INFORM, FIND), parts, Random(0))
    shown = act_sgd.state_before(sgd_row("open_request", INFORM, FIND, SELECT), parts, Random(0))
    assert fresh.need.constraints == ()
    assert fresh.slate == ()
    assert len(shown.slate) == 3


def test_correction_is_of_something_wanted(sgd):
    row = sgd_row("negate_refine", INFORM, ["NEGATE", "", []])
    state = act_sgd.state_before(row, sgd.parts["Restaurants_2"], Random(0))
    assert [c.facet for c in state.need.constraints] == ["kind", "city"]


# --- SIMMC 1

RED = {"O1": {"type": "skirt", "color": ["red"], "pos": "focus"}}
BLUE = {"O2": {"type": "skirt", "color": ["blue"], "pos": "focus"}}
MOVED = {"O9": {"type": "skirt", "color": ["red"], "pos": "left"}}


@pytest.mark.parametrize(
    ("answer", "before", "after", "kind"),
    [
        ("I've added it to your cart!", RED, RED, "select"),
        ("Would you like me to add it to your cart?", RED, RED, None),
        ("Here is the HOMCOM Wooden Kitchen Cart", None, None, None),
        ("Here's one in blue.", RED, BLUE, "show"),
        ("Here it is from the side view.", RED, BLUE, None),
        ("Here are a few options", None, None, "show"),
        ("Here is what I know", RED, MOVED, None),
        ("It's $40 and comes in S and M", RED, MOVED, "detail"),
        ("It's $40 and comes in S and M", RED, BLUE, None),
        ("It's $40 and comes in S and M", RED, None, None),
        ("What size do you need?", RED, RED, None),
        ("What color are you looking for?", None, None, "ask"),
        ("What color are you looking for?", RED, RED, None),
        ("Of course.", RED, RED, None),
    ],
)
def test_answers_say_what_a_turn_was(answer, before, after, kind):
    assert act_simmc.weak_kind(answer, before, after) == kind


def test_simmc_reads_even_dialogues_only(tmp_path):
    turns = [{"user": "What does it 212 Localt?", "system": "It's $40", "objects": RED},
             {"user": "Thanks", "system": "", "objects": MOVED}]  # fmt: skip
    write(tmp_path, "dialogs_simmc1", [{"id": id, "turns": turns} for id in (4, 5)])
    act_set = act_simmc.read(tmp_path, 10, 0)
    (turn,) = act_set.turns
    assert act_set.weak
    assert turn.id == "000004:0"
    assert (turn.kind, turn.text) == ("detail", "What does it cost?")
    assert turn.state.slate == turn.state.focus
    item = act_set.parts["simmc"].items[turn.state.slate[0]]
    assert item.fields["color"] == ("red",)
    assert "price" in item.fields


# --- together


def test_stratified_takes_kinds_equally_and_repeatably():
    def turn(kind: str, number: int) -> ActTurn:
        return ActTurn(f"{kind}{number}", "x", "c", kind, State(), ())

    turns = [turn("a", i) for i in range(50)] + [turn("b", i) for i in range(4)]
    turns += [turn("c", i) for i in range(50)]
    chosen = stratified(turns, 24, seed=1)
    assert Counter(one.kind for one in chosen) == {"a": 10, "b": 4, "c": 10}
    assert chosen == stratified(turns, 24, seed=1) != stratified(turns, 24, seed=2)


@pytest.mark.parametrize(
    ("acts", "classes"),
    [
        (["recommend"], {"preference"}),
        (["reject", "more"], {"verdict", "more"}),
        (["chitchat"], {"other"}),
        (["chitchat", "detail"], {"question"}),
        ([], {"other"}),
    ],
)
def test_coarse_view_of_plans(acts, classes):
    assert coarse_of(planned(*acts)) == classes


def test_catalog_in_memory_has_facets():
    items = [Item(str(i), f"Lamp {i}", fields={"colour": c}) for i, c in enumerate(("red", "blue"))]
    parts = catalog_of(
        "lamps", items, [Column("colour", "facet", "colour", "categorical", "colour")]
    )
    assert [(facet.name, facet.role) for facet in parts.facets] == [("colour", "colour")]


def test_absent_data_is_an_error_that_says_so(tmp_path):
    with pytest.raises(LabelError, match=r"no human turns in .*expected e\.g\. iard_intents"):
        list(act_sets(tmp_path, 10))


def test_only_sets_that_are_there_are_read(tmp_path):
    write(tmp_path, "utterances_sgd", SGD)
    assert [one.name for one in act_sets(tmp_path, 10)] == ["sgd"]
    with pytest.raises(LabelError, match="no human turns"):
        list(act_sets(tmp_path, 10, names=["iard"]))


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "iard_intents.jsonl.gz").exists(), reason="shared data absent")
def test_shared_data_gives_its_test_parts():
    iard, sgd, simmc = act_sets(SHARED, 300)
    assert len(iard.turns) == 223
    assert len({turn.id.split(":")[0] for turn in iard.turns}) == 38
    assert set(Counter(turn.kind for turn in sgd.turns).values()) <= {42, 43}
    assert {turn.kind for turn in simmc.turns} == set(act_simmc.ACTS)
    for act_set in (iard, sgd, simmc):
        known = [set(turn.state.slate) <= act_set.parts[turn.catalog].items.keys()
                 for turn in act_set.turns]  # fmt: skip
        assert all(known)
