"""What pages and those who run a shop ask, against a server that has all of it."""

import asyncio

import pytest

from agent.client import (
    AsyncAttuneClient,
    AttuneClient,
    Conflicted,
    Explained,
    ExplainedItem,
    Feedback,
    Invalid,
    ItemWords,
    NotAllowed,
    NotFound,
    NotLoggedIn,
    Press,
    PressedWish,
)
from agent.jobs import NewJob

BLUE = "blue shirts under 40"


def facets_of(turn):
    return [one["facet"] for one in turn.state["need"]["constraints"]]


def test_chips_and_replies_are_pressed(operator):
    session = operator.create_session()
    turn = operator.say(session, BLUE)
    suggested = operator.suggestions(session)
    chips = {chip.kind: chip for chip in suggested.wishes}
    assert chips["bound"].label == "under €40"
    after = operator.say(session, "any price", press=chips["bound"].press)
    assert facets_of(after) == [name for name in facets_of(turn) if name != "price"]
    reply = next(one for one in operator.suggestions(session).replies if one.press)
    with operator.stream(session, reply.text, press=reply.press) as events:
        assert list(events)[-1].turn.utterance == reply.text


def test_press_of_ones_own_is_exact(operator):
    session = operator.create_session()
    first = operator.say(session, "shirts").items[0].id
    red = PressedWish(facet="colour", values=("Red",))
    press = Press(act="like", items=(first,), want=(red,))
    turn = operator.say(session, "like it, but red", press=press, idempotency_key="k")
    assert {item.attributes["colour"] for item in turn.items} == {"Red"}
    as_json = {"act": "like", "items": [first], "want": [{"facet": "colour", "values": ["Red"]}]}
    again = operator.say(session, "like it, but red", press=as_json, idempotency_key="k")
    assert again == turn


@pytest.mark.parametrize(
    "press",
    [{"act": "dance"}, {"act": "refine", "want": [{"facet": "nope"}]}, {"acts": "like"},
     Press(act="refine", want=(PressedWish(facet="price", values=("low",)),)),
     Press.model_validate({"act": "like", "item": "7"})],
)  # fmt: skip
def test_wrong_press_is_refused(operator, press):
    session = operator.create_session()
    with pytest.raises(Invalid):
        operator.say(session, "x", press=press)
    with pytest.raises(Invalid), operator.stream(session, "x", press=press):
        pytest.fail("the turn was taken")
    assert operator.session(session).turns == ()


def test_facets_have_counts_and_openings(operator):
    found = operator.facets()
    by_name = {facet.name: facet for facet in found.facets}
    assert found.items == 14
    assert by_name["colour"].values[0].count > 0
    assert by_name["price"].low < by_name["price"].high
    assert operator.say(operator.create_session(), found.examples[0].text).items


def test_session_opens_with_a_greeting(operator):
    assert operator.open_session("ann").opening.suggestions == ("Blue shirts",)
    german = operator.open_session(language="de-AT, en;q=0.5")
    assert german.opening.text == "Hallo!"
    assert operator.session(german.id).turns == ()


def test_language_is_that_of_the_session(operator):
    session = operator.create_session()
    assert operator.open_session(language="zh-CN, en;q=0.5").language == "zh"
    operator.say(session, BLUE, language="zh")
    chinese, english = operator.suggestions(session), operator.suggestions(session, language="en")
    assert [one.press for one in chinese.wishes] == [one.press for one in english.wishes]
    assert chinese.replies[-1].label != english.replies[-1].label
    with pytest.raises(Invalid):
        operator.say(session, BLUE, language="not a language")


def test_votes_come_back(operator):
    session = operator.create_session()
    slate = operator.say(session, BLUE).slate_id
    vote = Feedback(slate_id=slate, kind="rating", item_id="1", value=5, id="v1")
    operator.send_feedback(vote)
    (found,) = operator.session_feedback(session)
    assert (found.id, found.kind, found.item_id, found.value) == ("v1", "rating", "1", 5)
    with pytest.raises(NotFound):
        operator.session_feedback("nope")


def test_picture_is_bytes(operator):
    found = operator.picture("images/blue shirt.svg")
    assert (found.content, found.media_type) == (b"<svg/>", "image/svg+xml")
    assert "sandbox" in found.headers["content-security-policy"]
    with pytest.raises(NotFound):
        operator.picture("images/none.svg")
    for path in ("../models", "a/../../models", "", "/", "a//b.svg"):
        with pytest.raises(ValueError, match="an id is needed"):
            operator.picture(path)


def test_explanations_come_one_by_one(operator):
    with operator.stream_explanations(["9", "1"], text="shoes", writer="template") as events:
        seen = list(events)
    assert [type(one) for one in seen] == [ExplainedItem, ItemWords] * 2 + [Explained]
    assert seen[-1].items == operator.explain(["9", "1"], text="shoes", writer="template")
    with pytest.raises(Invalid, match="no language model"):
        operator.explain(["9"], text="shoes", writer="model")
    with pytest.raises(NotFound), operator.stream_explanations(["0"], text="shoes"):
        pytest.fail("there is no such item")


def test_pages_are_added_and_removed(operator, library):
    page = "# Gifts\n\n## Do you wrap gifts?\n\nGift wrapping costs 3 euro for each item.\n"
    taken = operator.add_knowledge({"help/gifts.md": page, "b.md": page.encode(), "c.exe": "x"})
    assert taken.sources == ("help/gifts.md", "b.md")
    assert len(taken.rejected) == 1
    library.index(operator.job(taken.job).payload)
    assert {one.name for one in operator.knowledge()} == {"help/gifts.md", "b.md"}
    assert operator.delete_knowledge("help/gifts.md") == 1
    with pytest.raises(NotFound):
        operator.delete_knowledge("help/gifts.md")
    with pytest.raises(Invalid):
        operator.add_knowledge({})


def test_items_are_taken_as_the_catalog_keeps_them(operator):
    row = {"id": "70", "title": "Teal shirt", "fields": {"colour": "Teal"}}
    assert operator.upsert_items([row], form="stored").stored == 1
    assert operator.item("70").attributes["colour"] == "Teal"
    assert operator.upsert_items([operator.item("70").model_dump()], form="catalog").stored == 1
    with pytest.raises(Invalid):
        operator.upsert_items([row], form="rows")


def test_jobs_are_listed_and_tried_again(operator, whole):
    whole.store.work.add(NewJob("reindex", {}, id="j1"))
    assert [job.id for job in operator.jobs(status="waiting", kind="reindex", limit=5)] == ["j1"]
    assert operator.jobs(status="dead") == ()
    assert operator.retry_job("j1") == operator.job("j1")
    assert operator.reindex().id == "j1"
    assert operator.reindex(allow_delete=0.1).payload == {"allow_delete": 0.1}
    with pytest.raises(NotFound):
        operator.job("j2")
    with pytest.raises(Invalid):
        operator.jobs(status="lost")
    with pytest.raises(Invalid):
        operator.reindex(allow_delete=2)


def test_handover_is_shown_and_closed(operator):
    session = operator.create_session()
    made = operator.say(session, "can I talk to a person?").service["handover"]["id"]
    (waiting,) = operator.handovers(status="waiting")
    assert (waiting.id, waiting.session_id) == (made, session)
    assert [turn.user for turn in operator.handover(made).transcript] == ["can I talk to a person?"]
    assert operator.close_handover(made).status == "closed"
    assert operator.handovers(status="waiting", limit=3) == ()
    with pytest.raises(NotFound):
        operator.close_handover("nope")


def test_keys_are_made_and_taken_back(operator, whole):
    made = operator.add_key("web shop", ["chat"], expires="90d")
    assert made.key not in repr(made)
    with AttuneClient(whole.url, made.key) as shop:
        session = shop.create_session()
        with pytest.raises(NotAllowed) as caught:
            shop.jobs()
        assert not isinstance(caught.value, NotLoggedIn)
    names = {one.name for one in operator.keys()}  # noqa: SIM118 (API keys, not of a dict)
    assert names == {"all", "web shop"}
    assert operator.revoke_key(made.id).status == "revoked"
    with AttuneClient(whole.url, made.key[:-1] + "_") as shop, pytest.raises(NotLoggedIn):
        shop.session(session)
    with pytest.raises(Invalid):
        operator.add_key("x", ["everything"])
    with pytest.raises(NotFound):
        operator.revoke_key("nope")


def test_adapters_are_decided_on(operator, whole):
    assert operator.promote_adapter("good", why="better").adapters == {"good": "live"}
    operator.canary_adapter("bad", share=0.2, force=True)
    whole.router.follow()
    assert (operator.adapters().version, operator.adapters().canary) == (2, "bad")
    assert operator.roll_back_adapter().adapters == {}
    whole.router.follow()
    assert operator.adapters().live is None
    with pytest.raises(Conflicted):
        operator.roll_back_adapter(why="again")
    with pytest.raises(NotFound):
        operator.promote_adapter("nobody")
    with pytest.raises(Invalid):
        operator.canary_adapter("good", share=2)


def test_standing_and_models_are_told(operator):
    assert (operator.ready().status, operator.ready().catalog) == ("ready", "clothes")
    assert operator.model("attune").id == "attune"
    with pytest.raises(NotFound):
        operator.model("gpt-0")


def test_any_route_can_be_asked(operator):
    session = operator.ask("POST", "/v1/sessions", {"user": "ann"})["id"]
    assert operator.ask("GET", "/v1/jobs?limit=1") == {"jobs": []}
    assert operator.ask("DELETE", f"/v1/sessions/{session}") is None
    with pytest.raises(NotFound):
        operator.ask("GET", "/v1/owner/catalog")
    for method, path in (
        ("GET", "v1/jobs"),
        ("GET", "http://elsewhere.example/"),
        ("FETCH", "/"),
        ("GET", "/v1/sessions/../keys"),
        ("GET", "/./metrics"),
    ):
        with pytest.raises(ValueError, match="expected"):
            operator.ask(method, path)


def test_file_comes_in_pieces(operator):
    with operator.download("/v1/pictures/images/blue shirt.svg") as file:
        assert (file.media_type, b"".join(file.pieces)) == ("image/svg+xml", b"<svg/>")
    with pytest.raises(Invalid), operator.download("/v1/jobs", {"limit": "0"}):
        pytest.fail("the limit is wrong")
    with pytest.raises(ValueError, match="expected the path"), operator.download("http://x/"):
        pytest.fail("that is no path")


async def _asked(whole):
    async with AsyncAttuneClient(whole.url, whole.key) as client:
        session = (await client.open_session(language="de")).id
        await client.say(session, BLUE, context={"customer": "c"})
        chip = (await client.suggestions(session)).wishes[0]
        async with client.stream(session, "without it", press=chip.press) as events:
            done = [event async for event in events][-1]
        async with client.stream_explanations(["9"], text="shoes") as events:
            explained = [event async for event in events][-1]
        async with client.download("/metrics") as file:
            lines = b"".join([piece async for piece in file.pieces]).splitlines()
        made = await client.add_key("x", ["chat"])
        with pytest.raises(NotFound):
            await client.picture("none.png")
        return {
            "pressed": done.turn.utterance == "without it",
            "explained": explained.items[0].id == "9",
            "file": b"attune_" in lines[-1],
            "facets": (await client.facets()).items == 14,
            "jobs": await client.jobs(limit=1) == (),
            "handovers": await client.handovers() == (),
            "pages": await client.knowledge() == (),
            "revoked": (await client.revoke_key(made.id)).status == "revoked",
            "adapters": (await client.adapters()).live is None,
            "ready": (await client.ready()).status == "ready",
            "asked": await client.ask("GET", "/health") == {"status": "ok"},
        }


def test_awaited_client_asks_the_same(whole):
    found = asyncio.run(_asked(whole))
    assert all(found.values()), found
