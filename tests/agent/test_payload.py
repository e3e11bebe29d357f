import json

from agent.dialogue import item_fields
from agent.payload import explained_item, item_answer, items_answer, turn_answer, turn_json
from agent.plan import Plan
from agent.state import State
from agent.turn import Done, Evidence, Reason, Slate, SlateItem
from retrieval.catalog import Facet, Item

BLUE = Reason(
    text="it is blue",
    evidence=(
        Evidence(kind="field", item_id="1", facet="colour", value="Blue"),
        Evidence(kind="constraint", item_id="1", facet="colour", value="Blue", wish="blue"),
    ),
)
CHEAP = Reason(text="it is cheap", evidence=(Evidence(kind="field", item_id="1", facet="price"),))


def slate_of(*items, reasons=()):
    shown = (
        SlateItem(item_id=item.id, rank=rank, score=1.0, fields=item_fields(item), reasons=reasons)
        for rank, item in enumerate(items, start=1)
    )
    return Slate(id="s1", items=tuple(shown))


def done_of(slate):
    return Done(
        turn_id="t1", session_id="s", utterance="hi 🙂", reply="Here.", slate=slate,
        plan=Plan(acts=()), state=State(turn=1), claims=(BLUE,),
    )  # fmt: skip


def test_roles_have_their_own_place(clothes):
    answer = item_answer(clothes.items["1"], clothes)
    assert (answer.brand, answer.category, answer.availability) == ("Alto", "Shirts", True)
    assert (answer.price, answer.currency) == (35.0, "EUR")
    assert set(answer.attributes) == {"gender", "colour", "material", "rating", "reviews"}


def test_shown_item_outlives_its_catalog(clothes):
    slate = slate_of(clothes.items["1"], clothes.items["2"])
    before = items_answer(slate, clothes)
    del clothes.items["1"]
    clothes.items["2"] = Item("2", "Renamed", fields={"price": 1.0})
    assert items_answer(slate, clothes) == before


def test_missing_fields_come_from_catalog(clothes):
    bare = SlateItem(item_id="1", rank=1, score=0.5, fields={"price": 9.0})
    [shown] = items_answer(Slate(id="s1", items=(bare,)), clothes)
    assert (shown.title, shown.price) == ("Alto men blue cotton shirt", 9.0)
    [gone] = items_answer(
        Slate(id="s1", items=(bare.model_copy(update={"item_id": "gone"}),)), clothes
    )
    assert (gone.id, gone.title, gone.currency) == ("gone", "gone", "EUR")


def test_evidence_points_at_its_reason(clothes):
    [item] = items_answer(slate_of(clothes.items["1"], reasons=(BLUE, CHEAP)), clothes)
    assert item.reasons == ["it is blue", "it is cheap"]
    assert [one.reason for one in item.evidence] == [0, 0, 1]
    assert item.evidence[1].wish == "blue"
    explained = explained_item(clothes.items["1"], (CHEAP,), clothes)
    assert [one.reason for one in explained.evidence] == [0]


def test_catalog_without_roles_still_answers(shop_of):
    shop = shop_of((Facet("mood", "list", "mood"),), [Item("a", "A", fields={"mood": ("x", "y")})])
    answer = item_answer(shop.items["a"], shop)
    assert answer.attributes == {"mood": ("x", "y")}
    assert answer.brand is answer.category is answer.availability is answer.price is None
    [shown] = items_answer(slate_of(shop.items["a"]), shop)
    assert json.loads(shown.model_dump_json())["attributes"] == {"mood": ["x", "y"]}


def test_fields_named_like_ours_are_kept(shop_of):
    fields = {"attributes": "many", "rank": 3.0, "brand": "Alto"}
    shop = shop_of((), [Item("a", "A", fields=fields)])
    answer = item_answer(shop.items["a"], shop)
    assert answer.brand == "Alto"
    assert answer.attributes == {"attributes": "many", "rank": 3.0}


def test_turn_is_plain_json(clothes):
    done = done_of(slate_of(clothes.items["1"], reasons=(BLUE,)))
    plain = turn_json(done, clothes)
    assert json.loads(json.dumps(plain)) == plain
    assert plain == json.loads(turn_answer(done, clothes).model_dump_json())
    assert plain["utterance"] == "hi 🙂"
    assert plain["claims"][0]["text"] == "it is blue"
