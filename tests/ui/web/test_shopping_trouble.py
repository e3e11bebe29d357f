"""The shop's page when things go wrong: what was said, shown and typed stays."""

import asyncio

import pytest

from tests.ui.web.test_shopping import labels, on
from ui.web.api import ApiError
from ui.web.page import kept


def test_lost_server_keeps_the_words(opened, go, server):
    page = go(opened, "black shoes")[-1]
    server.lost = True
    failed = go(page, "under 100")[-1]
    assert failed.draft == "under 100"
    assert failed.trouble
    assert "cannot be reached" in failed.status
    assert failed.messages == page.messages
    assert failed.items == page.items
    server.lost = False
    back = go(failed, failed.draft)[-1]
    assert "under €100" in labels(back)
    assert (back.draft, back.unsent) == ("", ("", ""))


def test_same_words_again_are_the_same_request(opened, go, server):
    page = go(opened, "black shoes")[-1]
    server.lost = True
    failed = go(page, "under 100")[-1]
    go(failed, "under 100")
    server.lost = False
    go(failed, "under 100")
    sent = [headers["idempotency-key"] for method, path, headers in server.requests
            if path.endswith("/turns")]  # fmt: skip
    assert len(sent) == 4
    assert len(set(sent)) == 2


def test_page_opens_without_a_server(shop, server):
    server.lost = True
    page = asyncio.run(shop.opened())
    assert page.trouble
    assert "cannot be reached" in page.status


def test_server_lost_in_the_middle_keeps_words_and_items(opened, go, server):
    page = go(opened, "black shoes")[-1]
    server.cut = True
    failed = go(page, "under 100")[-1]
    assert (failed.trouble, failed.busy, failed.draft) == (True, False, "under 100")
    assert "cannot be reached" in failed.status
    assert (failed.messages, failed.items, failed.wishes) == (
        page.messages, page.items, page.wishes)  # fmt: skip
    server.cut = False
    back = go(failed, failed.draft)[-1]
    assert len(back.messages) == len(page.messages) + 2
    assert not back.trouble


def test_lost_server_leaves_no_words_of_a_button(opened, go, server):
    page = go(opened, "black shoes")[-1]
    server.lost = True
    failed = go(page, on(page, 0, "hide", because="price"))[-1]
    assert (failed.draft, failed.trouble) == ("", True)
    failed = go(page, on(page, 0, "more_like"))[-1]
    assert (failed.draft, failed.trouble, failed.items) == ("", True, page.items)


def test_deleted_session_can_still_be_read(opened, go, store):
    page = go(opened, "black shoes")[-1]
    store.delete_session(page.session)
    gone = go(page, "under 100")[-1]
    assert "was deleted" in gone.status
    assert [one["content"] for one in gone.messages] == [one["content"] for one in page.messages]
    assert (gone.items, gone.draft) == (page.items, "under 100")
    assert (gone.session, gone.slate, gone.wishes, gone.talks) == ("", "", (), ())
    anew = go(gone, gone.draft)[-1]
    assert len(anew.messages) == len(page.messages) + 2
    assert [turn.utterance for turn in store.turns(anew.session)] == ["under 100"]


@pytest.mark.parametrize("does", ["save", "judge", "hide"])
def test_deleted_session_is_told_whatever_is_pressed(opened, go, store, does):
    page = go(opened, "black shoes")[-1]
    store.delete_session(page.session)
    after = go(page, on(page, 0, does, verdict="up"))[-1]
    assert after.trouble
    assert after.messages
    assert after.items == page.items


def test_turn_of_another_window_is_shown_too(opened, go, shop):
    page = go(opened, "black shoes")[-1]
    other = asyncio.run(shop.opened(kept(page)))
    other = go(other, "under 100")[-1]
    assert go(page, {"do": "sync"})[-1].messages == other.messages
    after = go(page, "in leather")[-1]
    said = [one["content"] for one in after.messages if one["role"] == "user"]
    assert said == ["black shoes", "under 100", "in leather"]
    assert "another window" in after.status
    assert go(after, {"do": "sync"})[-1] == after


def test_profile_that_may_not_be_seen_is_told(opened, go, shop, monkeypatch):
    async def refused(person):
        raise ApiError("login", "no such scope")

    page = go(opened, "shoes")[-1]
    monkeypatch.setattr(type(shop.api), "known_of", lambda self, person: refused(person))
    after = go(page, {"do": "profile"})[-1]
    assert "may not look into profiles" in after.status
    assert after.messages == page.messages
