import pytest

from agent.mcp import Caller
from retrieval.catalog import Item

UNDER_40 = {"facet": "price", "op": "lt", "value": 40}


def ids(answer, key="items"):
    return [item["id"] for item in answer[key]]


def test_search_meets_every_condition(call):
    blue = {"facet": "colour", "op": "in", "value": ["Blue", "Navy"]}
    found = call("search_items", query="shirt", where=[UNDER_40, blue])
    assert sorted(ids(found)) == ["1", "3", "7"]
    assert found["matched"] == 3


def test_search_sorts_by_number(call):
    found = call("search_items", sort={"facet": "price", "direction": "descending"}, k=2)
    assert ids(found) == ["14", "11"]


def test_get_item_gives_all(call):
    item = call("get_item", item_id="9")
    assert (item["title"], item["price"]) == ("Alto men black leather shoes", 90.0)
    assert item["description"] == "waterproof, formal"


def test_recommend_goes_on_with_session(call, here):
    first = call("recommend", text="blue shirts under 40")
    assert ids(first)[0] == "1"
    second = call("recommend", text="the second one in black", session_id=first["session_id"])
    assert second["session_id"] == first["session_id"]
    assert here.parts.store.load(first["session_id"]).turns == 2


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ("under 40", lambda item: item.fields["price"] < 40),
        ("not leather", lambda item: item.fields["material"] != "Leather"),
        ("red, under 120", lambda i: i.fields["colour"] == "Red" and i.fields["price"] < 120),
        ("cheaper", lambda item: item.fields["price"] < 90),
    ],
    ids=["bound", "negation", "two", "relative"],
)
def test_similar_but_keeps_hard_conditions(call, shop, change, holds):
    answer = call("similar_but", item_id="9", change=change)
    assert answer["items"]
    assert all(holds(shop.items[id]) for id in ids(answer))
    assert "9" not in ids(answer)


def test_similar_but_says_what_it_could_not_read(call):
    answer = call("similar_but", item_id="9", change="blue, more waterproofness, longer warranty")
    assert answer["understood"] == ["Blue"]
    assert "warranty" in " ".join(answer["not_understood"])
    assert call("similar_but", item_id="9", change="blue")["not_understood"] == []


def test_similar_but_likes_even_so(call):
    # "start over" would forget the reference; what this tool is for stands.
    answer = call("similar_but", item_id="9", change="start over, black shoes")
    assert ids(answer)[0] in {"13", "14"}


def test_impossible_change_names_way_out(call):
    answer = call("similar_but", item_id="9", change="under 1")
    assert answer["items"] == []
    assert answer["closest"]
    assert answer["relaxations"]


def test_explain_tells_broken_wish(call):
    answer = call("explain", item_ids=["9"], wishes="leather shoes under 60")
    assert "€90, €30 over your €60" in answer["items"][0]["reasons"]


def test_compare_marks_best(call):
    answer = call("compare", item_ids=["9", "10"])
    price = next(row for row in answer["rows"] if row["facet"] == "price")
    assert (price["values"], price["best"]) == (["€90", "€80"], [False, True])


def test_feedback_is_stored_once(call, here):
    shown = call("recommend", text="blue shirts")
    sent = {"slate_id": shown["slate_id"], "item_id": "1", "kind": "select", "event_id": "e-1"}
    assert call("send_feedback", **sent) == call("send_feedback", **sent) == {"id": "e-1"}
    assert len(here.parts.store.feedback(shown["session_id"])) == 1


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("get_item", {"item_id": "nope"}, "no item 'nope'"),
        ("search_items", {"k": -1}, "greater than or equal to 1"),
        ("search_items", {"k": 10**9}, "less than or equal to 50"),
        ("search_items", {"where": [UNDER_40 | {"facet": "size"}]}, "no facet 'size'"),
        ("search_items", {"sort": {"facet": "colour"}}, "cannot sort by 'colour'"),
        ("search_items", {"where": [UNDER_40 | {"value": "cheap"}]}, "price"),
        ("recommend", {"text": "x" * 20_001}, "at most 20000 characters"),
        ("recommend", {"text": "\x00\x01"}, "the text is empty"),
        ("recommend", {"text": "hi", "session_id": "f" * 32}, "no session"),
        ("similar_but", {"item_id": "9", "change": ""}, "at least 1 character"),
        ("similar_but", {"item_id": "\ud800", "change": "blue"}, ""),
        ("explain", {"item_ids": ["9"]}, "explain for whom?"),
        ("compare", {"item_ids": ["9"]}, "at least 2 items"),
        ("compare", {"item_ids": ["9", "zzz"]}, "no item 'zzz'"),
        ("send_feedback", {"slate_id": "0" * 32, "item_id": "1", "kind": "click"}, "slate"),
        ("send_feedback", {"slate_id": "a", "item_id": "1", "kind": "rating", "value": 9}, "to 5"),
        ("send_feedback", {"slate_id": "a", "kind": "steal"}, "'click', 'select'"),
    ],
)  # fmt: skip
def test_bad_input_is_tool_error(call, tool, arguments, said):
    try:
        answer = call(tool, **arguments)
    except UnicodeEncodeError:
        assert said == ""  # half a character cannot even be sent
        return
    assert isinstance(answer, str), answer
    assert said in answer


def test_scopes_are_asked_for(call, here):
    reader = Caller(here, frozenset({"chat"}))
    assert call("get_item", reader, item_id="9")["id"] == "9"
    refused = call("send_feedback", reader, slate_id="a", item_id="1", kind="click")
    assert "takes a key with the scope 'feedback'" in refused
    writer = Caller(here, frozenset({"feedback"}))
    assert "the scope 'chat'" in call("search_items", writer, query="shirt")


def test_texts_of_items_come_plain(call, shop):
    shop.items["9"] = Item("9", "Alto\u202e shoes\U000e0049", "a\u200bb", shop.items["9"].fields,
                           url="javascript:alert(1)")  # fmt: skip
    item = call("get_item", item_id="9")
    assert (item["title"], item["description"], item["url"]) == ("Alto shoes", "ab", None)
