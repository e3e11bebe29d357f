"""The shop's page: what is said, pressed, saved and told, and what it does when things go wrong."""

import asyncio
from dataclasses import replace

import pytest

from ui.web.page import Page, kept, remembered
from ui.web.shopping import MOST_CHARACTERS


def titles(page):
    return [item["title"] for item in page.items]


def labels(page):
    return [wish["label"] for wish in page.wishes]


def feedback_of(store, page):
    return [(e.kind, e.item_id, e.value) for e in store.feedback(page.session)]


def on(page, place, does, **more):
    """What a button on a card tells."""
    item = page.items[place]
    return {"do": does, "item": item["id"], "title": item["title"], "slate": page.slate, **more}


def of_feed(page, place, does, **more):
    """What a button on a card of the feed tells."""
    item = page.feed[place]
    return {"do": does, "item": item["id"], "title": item["title"], "slate": page.feed_slate,
            **more}  # fmt: skip


def pressed(wish):
    return {"do": "press", "text": "without it", "press": wish["press"]}


def test_new_page_has_openings(opened):
    assert opened.replies
    assert (opened.items, opened.messages, opened.session) == ((), (), "")


def test_new_page_shows_what_there_is(opened, go):
    assert opened.browsing
    assert len({item["id"] for item in opened.feed}) == len(opened.feed) > 5
    judged = go(opened, of_feed(opened, 1, "judge", verdict="up"))[-1]
    saved = go(judged, of_feed(opened, 1, "save"))[-1]
    assert [item["id"] for item in saved.saved] == [opened.feed[1]["id"]]
    assert saved.judged == {opened.feed[1]["id"]: "up"}
    assert saved.session == ""


@pytest.mark.parametrize("does", ["more_like", "why", "hide", "like_form"])
def test_conversation_begins_with_what_is_pressed(opened, go, does):
    wish = {"facet": "colour", "values": ["Black"]}
    action = of_feed(opened, 0, does, want=[wish], avoid=[], said="Black")
    after = go(opened, action)[-1]
    assert not after.trouble
    assert after.session
    assert len(after.messages) == 2
    assert not after.browsing or does == "why"


def test_two_of_the_first_items_are_compared(opened, go):
    page = opened
    for place in range(2):
        page = go(page, of_feed(opened, place, "compare"))[-1]
    after = go(page, {"do": "compare_go"})[-1]
    assert (after.panel, [one["id"] for one in after.about]) == (
        "compare", [one["id"] for one in opened.feed[:2]])  # fmt: skip


def test_first_items_give_way_while_others_are_looked_for(opened, go):
    pages = go(opened, "black shoes")
    assert not any(page.browsing for page in pages)


def test_items_come_before_the_words(opened, go):
    pages = go(opened, "black shoes under 100")
    assert pages[0].busy
    assert [one["role"] for one in pages[0].messages] == ["user"]
    first_items = next(n for n, page in enumerate(pages) if page.items)
    first_words = next(n for n, page in enumerate(pages) if len(page.messages) > 1)
    assert first_items < first_words
    assert not pages[-1].busy


def test_turn_shows_items_wishes_and_replies(opened, go):
    page = go(opened, "black shoes under 100")[-1]
    assert all(item["attributes"]["colour"] == "Black" for item in page.items)
    assert "under €100" in labels(page)
    assert page.replies
    assert page.messages[-1]["turn"]


def test_removing_a_chip_is_a_turn(opened, go):
    page = go(opened, "black shoes under 100")[-1]
    bound = next(wish for wish in page.wishes if wish["kind"] == "bound")
    after = go(page, pressed(bound))[-1]
    assert "under €100" not in labels(after)
    assert len(labels(after)) == len(labels(page)) - 1
    assert after.messages[-2] == {"role": "user", "content": "without it"}


def test_like_this_but_is_exact(opened, go):
    page = go(opened, "black shoes")[-1]
    wish = {"facet": "colour", "values": ["Grey"]}
    does = on(page, 0, "like_form", want=[wish], avoid=[], said="Grey")
    after = go(page, does)[-1]
    assert {item["attributes"]["colour"] for item in after.items} == {"Grey"}
    assert after.messages[-2]["content"].startswith(f"Like {page.items[0]['title']}, but Grey")


def test_form_without_changes_does_nothing(opened, go):
    page = go(opened, "black shoes")[-1]
    assert go(page, on(page, 0, "like_form", want=[], avoid=[], said="")) == [page]


def test_hiding_tells_why_and_hides(opened, go, store):
    page = go(opened, "shoes")[-1]
    gone = page.items[0]["id"]
    after = go(page, on(page, 0, "hide", because="price"))[-1]
    assert gone not in [item["id"] for item in after.items]
    told = feedback_of(store, after)
    assert ("reject", gone, None) in told
    assert ("critique", gone, "price") in told


def test_why_is_answered(opened, go):
    page = go(opened, "black shoes")[-1]
    after = go(page, on(page, 0, "why"))[-1]
    assert after.items == page.items
    assert page.items[0]["title"][:20] in after.messages[-1]["content"]


def test_up_to_four_are_compared(opened, go):
    page = go(opened, "shoes")[-1]
    assert len(page.items) == 5
    for place in range(4):
        page = go(page, on(page, place, "compare"))[-1]
    assert len(page.compared) == 4
    full = go(page, on(page, 4, "compare"))[-1]
    assert (len(full.compared), full.trouble) == (4, True)
    assert len(go(page, on(page, 0, "compare"))[-1].compared) == 3
    shown = go(page, {"do": "compare_go"})[-1]
    assert (shown.panel, shown.about) == ("compare", page.compared)
    assert go(shown, {"do": "clear"})[-1].compared == ()


def test_saved_items_stay_and_can_go(opened, go, store):
    page = go(opened, "shoes")[-1]
    saved = page.items[1]["id"]
    after = go(page, on(page, 1, "save"))[-1]
    assert [item["id"] for item in after.saved] == [saved]
    assert feedback_of(store, after) == [("select", saved, None)]
    later = go(after, "shirts")[-1]
    assert [item["id"] for item in later.saved] == [saved]
    why_not = {"do": "why_not", "item": saved, "title": "it"}
    assert len(go(later, why_not)[-1].messages) == len(later.messages) + 2
    assert go(later, {"do": "save", "item": saved})[-1].saved == ()


def test_verdicts_are_feedback(opened, go, shop, store):
    page = go(opened, "shoes")[-1]
    first = page.items[0]["id"]
    page = go(page, on(page, 0, "judge", verdict="up"))[-1]
    assert page.judged[first] == "up"
    page = go(page, on(page, 0, "judge", verdict="up"))[-1]
    page = asyncio.run(shop.judge(page, 1, False))
    assert feedback_of(store, page) == [("rating", first, 5.0), ("rating", None, 1.0)]
    assert page.panel == "wrong"


def test_better_words_are_feedback(opened, go, shop, store):
    page = asyncio.run(shop.judge(go(opened, "shoes")[-1], 1, False))
    fields = {"what": "too long", "edit": "Five pairs, the cheapest first."}
    after = go(page, {"do": "wrong", "fields": fields})[-1]
    assert after.panel == ""
    told = {kind: value for kind, _, value in feedback_of(store, after)}
    assert (told["critique"], told["edit"]) == ("too long", "Five pairs, the cheapest first.")


def test_unchanged_words_are_no_edit(opened, go, shop, store):
    page = asyncio.run(shop.judge(go(opened, "shoes")[-1], 1, False))
    fields = {"what": "", "edit": page.messages[1]["content"]}
    after = go(page, {"do": "wrong", "fields": fields})[-1]
    assert [kind for kind, _, _ in feedback_of(store, after)] == ["rating"]


def test_conversation_is_rated(opened, go, store):
    page = go(go(opened, "shoes")[-1], {"do": "rate", "stars": 4})[-1]
    assert page.stars == 4
    assert feedback_of(store, page) == [("rating", None, 4.0)]
    assert go(page, {"do": "rate", "stars": 9})[-1] == page


def test_comparison_says_what_it_comes_to(opened, go):
    page = go(opened, "shoes")[-1]
    for place in range(2):
        page = go(page, on(page, place, "compare"))[-1]
    said = go(page, {"do": "compare_go"})[-1].messages[-1]["content"]
    assert "cheapest" in said
    assert "\n" not in said


@pytest.mark.parametrize("stored", [{}, {"talks": 3, "saved": ["x"], "guest": "yes"},
                                    {"session": None, "person": None}])  # fmt: skip
def test_damaged_memory_is_a_new_page(stored):
    page = remembered(stored)
    assert page.person
    assert (page.talks, page.saved, page.guest, page.session) == ((), (), False, "")


def test_verdict_on_own_words_is_none(opened, go, shop, store):
    page = go(opened, "shoes")[-1]
    assert asyncio.run(shop.judge(page, 0, True)) is page
    assert asyncio.run(shop.judge(page, 99, True)) is page
    assert feedback_of(store, page) == []


def test_reload_brings_everything_back(opened, go, shop):
    page = go(go(opened, "black shoes")[-1], "under 100")[-1]
    again = asyncio.run(shop.opened(kept(page)))
    assert again.messages == page.messages
    assert again.items == page.items
    assert (again.wishes, again.replies) == (page.wishes, page.replies)


def test_lost_session_starts_anew(shop):
    page = asyncio.run(shop.opened({"session": "0" * 32}))
    assert (page.session, page.trouble) == ("", True)
    assert page.replies


def test_comparing_in_words_opens_the_table(opened, go):
    page = go(opened, "black shoes")[-1]
    after = go(page, "compare the first two")[-1]
    assert after.panel == "compare"
    assert [one["id"] for one in after.about] == [one["id"] for one in page.items[:2]]
    assert after.compared == after.about


def test_one_taken_out_of_the_table_closes_a_pair(opened, go):
    page = go(go(opened, "shoes")[-1], "compare the first two")[-1]
    left = go(page, {"do": "compare", "item": page.about[0]["id"]})[-1]
    assert (left.panel, len(left.compared)) == ("", 1)


def test_hidden_items_are_listed_and_come_back(opened, go):
    page = go(opened, "shoes")[-1]
    gone = page.items[0]
    page = go(page, on(page, 0, "hide"))[-1]
    listed = go(page, {"do": "missing"})[-1]
    assert (listed.panel, [one["id"] for one in listed.about]) == ("missing", [gone["id"]])
    back = go(listed, {"do": "bring_back", "item": gone["id"], "title": gone["title"]})[-1]
    assert gone["id"] in [one["id"] for one in back.items]
    assert go(back, {"do": "missing"})[-1].about == ()


def test_votes_come_back_with_the_conversation(opened, go, shop):
    page = go(go(opened, "shoes")[-1], "black")[-1]
    page = go(page, on(page, 0, "judge", verdict="down"))[-1]
    page = go(page, on(page, 0, "judge", verdict="up"))[-1]
    page = asyncio.run(shop.judge(page, 1, False))
    page = asyncio.run(shop.judge(page, 3, True))
    page = go(page, {"do": "rate", "stars": 2})[-1]
    again = asyncio.run(shop.opened(kept(page)))
    assert again.judged == page.judged
    assert (len(again.judged), again.stars) == (3, 2)


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_nothing_said_is_told(opened, go, text):
    (page,) = go(opened, text)
    assert page.trouble
    assert page.messages == ()


def test_long_paste_is_kept_and_told(opened, go, server):
    before = len(server.requests)
    (page,) = go(opened, "x" * (MOST_CHARACTERS + 1))
    assert len(page.draft) == MOST_CHARACTERS + 1
    assert "20,001" in page.status
    assert len(server.requests) == before


def test_unknown_action_changes_nothing(opened, go):
    assert go(opened, {"do": "format"}) == [opened]
    assert go(opened, {}) == [opened]


def test_details_are_those_of_the_catalog(opened, go, store):
    page = go(opened, "shoes")[-1]
    after = go(page, on(page, 0, "detail"))[-1]
    assert after.panel == "details"
    assert after.about[0]["id"] == page.items[0]["id"]
    assert "description" in after.about[0]
    assert feedback_of(store, after) == [("click", page.items[0]["id"], None)]
    assert go(after, {"do": "close"})[-1].panel == ""


def test_item_that_vanished_is_told(opened, go):
    page = go(opened, "shoes")[-1]
    gone = replace(page, items=({**page.items[0], "id": "gone"},))
    after = go(gone, {**on(gone, 0, "detail"), "slate": ""})[-1]
    assert after.trouble
    assert after.status == f"“{page.items[0]['title']}” is no longer in the catalog."
    assert after.items == gone.items


def test_page_is_a_value():
    assert Page() == Page()
