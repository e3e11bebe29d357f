"""What is kept of a person: shown, changed, forgotten, and shared by the windows of a browser."""

import asyncio

import pytest

from agent.errors import UnknownSession
from tests.ui.web.test_shopping import labels, on
from ui.web.page import kept, shared


def test_earlier_conversations_open_and_go(opened, go, store):
    first = go(opened, "black shoes")[-1]
    second = go(go(first, {"do": "new"})[-1], "blue shirts")[-1]
    assert [talk["title"] for talk in second.talks] == ["blue shirts", "black shoes"]
    assert second.session != first.session
    back = go(second, {"do": "open", "session": first.session})[-1]
    assert back.messages == first.messages
    left = go(back, {"do": "delete", "session": first.session})[-1]
    assert [talk["title"] for talk in left.talks] == ["blue shirts"]
    assert (left.session, left.messages) == ("", ())
    with pytest.raises(UnknownSession):
        store.load(first.session)


def test_profile_tells_what_is_known(opened, go):
    page = go(opened, "black shoes")[-1]
    page = go(page, on(page, 0, "save"))[-1]
    shown = go(page, {"do": "profile"})[-1]
    (known,) = shown.about
    (talk,) = known["talks"]
    assert talk["title"] == "black shoes"
    assert "black" in [wish["label"].lower() for wish in talk["wishes"]]
    assert known["done"]["select"] == [page.items[0]["title"]]


def test_forgetting_leaves_nothing(opened, go, store):
    page = go(opened, "black shoes")[-1]
    page = go(page, on(page, 0, "save"))[-1]
    gone = go(page, {"do": "forget"})[-1]
    assert "1 conversations" in gone.status
    assert (gone.talks, gone.saved, gone.session) == ((), (), "")
    assert gone.person != page.person
    assert list(store.logged()) == []


def test_shopping_for_someone_else_keeps_no_profile(opened, go, store):
    page = go(go(opened, {"do": "guest"})[-1], "black shoes")[-1]
    page = go(page, on(page, 0, "save"))[-1]
    (session,) = store.logged()
    assert session.user is None
    assert [event.consent for event in session.events] == [False]
    assert go(page, {"do": "guest"})[-1].session == ""


def known_of(page):
    (known,) = page.about
    return known


def unwish(talk, place=0):
    wish = talk["wishes"][place]
    return {"do": "unwish", "session": talk["id"], "title": wish["label"], "drop": wish["drop"]}


def test_kept_wish_is_taken_back(opened, go):
    page = go(go(opened, "black shoes under 100, something sturdy")[-1], {"do": "profile"})[-1]
    (talk,) = known_of(page)["talks"]
    while talk["wishes"]:
        page = go(page, unwish(talk))[-1]
        (left,) = known_of(page)["talks"]
        assert len(left["wishes"]) == len(talk["wishes"]) - 1
        talk = left
    assert page.panel == "profile"
    assert labels(page) == []


def test_wish_of_another_conversation_leaves_this_one(opened, go):
    first = go(opened, "black shoes")[-1]
    second = go(go(first, {"do": "new"})[-1], "blue shirts")[-1]
    page = go(second, {"do": "profile"})[-1]
    newest, oldest = known_of(page)["talks"]
    assert [newest["title"], oldest["title"]] == ["blue shirts", "black shoes"]
    after = go(page, unwish(oldest))[-1]
    assert (after.messages, after.wishes) == (second.messages, second.wishes)
    assert len(known_of(after)["talks"][1]["wishes"]) == len(oldest["wishes"]) - 1


def test_conversation_is_deleted_from_the_profile(opened, go, store):
    first = go(opened, "black shoes")[-1]
    second = go(go(first, {"do": "new"})[-1], "blue shirts")[-1]
    gone = {"do": "delete", "session": first.session, "from": "profile"}
    after = go(go(second, {"do": "profile"})[-1], gone)[-1]
    assert [talk["title"] for talk in known_of(after)["talks"]] == ["blue shirts"]
    assert (after.panel, after.messages) == ("profile", second.messages)
    with pytest.raises(UnknownSession):
        store.load(first.session)


def news(page):
    return {"do": "sync", "shared": shared(page)}


def test_saved_items_are_those_of_the_other_window(opened, go, shop):
    page = go(opened, "black shoes")[-1]
    other = asyncio.run(shop.opened(kept(page)))
    page = go(page, on(page, 1, "save"))[-1]
    other = go(other, news(page))[-1]
    assert [one["title"] for one in other.saved] == [page.items[1]["title"]]
    other = go(other, {"do": "save", "item": page.items[1]["id"]})[-1]
    assert go(page, news(other))[-1].saved == ()


def test_windows_of_two_conversations_keep_theirs(opened, go):
    first = go(opened, "black shoes")[-1]
    second = go(go(first, {"do": "new"})[-1], "blue shirts")[-1]
    second = go(second, on(second, 0, "save"))[-1]
    after = go(first, news(second))[-1]
    assert (after.session, after.messages) == (first.session, first.messages)
    assert [talk["title"] for talk in after.talks] == ["blue shirts", "black shoes"]
    assert len(after.saved) == 1


def test_forgotten_in_one_window_is_forgotten_in_all(opened, go):
    page = go(opened, "black shoes")[-1]
    gone = go(page, {"do": "forget"})[-1]
    after = go(page, news(gone))[-1]
    assert after.person == gone.person
    assert (after.talks, after.saved, after.session) == ((), (), "")
    assert "was deleted" in after.status


@pytest.mark.parametrize("told", [None, 3, {}, {"saved": 3, "talks": "x"}, {"saved": [{}, 1]}])
def test_damaged_news_changes_no_conversation(opened, go, told):
    page = go(opened, "black shoes")[-1]
    after = go(page, {"do": "sync", "shared": told})[-1]
    assert (after.messages, after.saved, after.person) == (page.messages, (), page.person)
