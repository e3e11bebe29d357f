"""The API as the pages call it: the JSON they keep, trouble in words, nowhere else reached."""

import asyncio

import httpx
import pytest

from agent.client import errors
from agent.client.errors import NotReached, NotUnderstood, TooSlow, refused
from ui.web.api import Api, ApiError, in_words


@pytest.fixture
def api(server):
    return Api("http://shop.test", "a-key", transport=server)


def paths(server):
    return [path for _, path, _ in server.requests]


def answering(*responses):
    """Return an API that answers what it is told, and the requests it got."""
    seen, left = [], list(responses)

    async def answer(request):
        seen.append(request)
        return left.pop(0)

    return Api("http://shop.test", "a-key", transport=httpx.MockTransport(answer)), seen


async def events_of(api, *given):
    return [event async for event in api.turn(*given)]


@pytest.mark.parametrize(
    "path", ["../models", "../../metrics", "a/../../keys", ".", "", "a//b.png"]
)
def test_picture_leads_nowhere_else(api, server, path):
    assert asyncio.run(api.picture(path)) is None
    assert paths(server) == []


def test_page_knows_no_user_of_others(api, server, store):
    store.create_session("ann")
    assert asyncio.run(api.known_of("ann"))["sessions"] == []
    assert asyncio.run(api.forget("ann"))["sessions"] == 0
    asyncio.run(api.start("ann"))
    assert len(asyncio.run(api.known_of("ann"))["sessions"]) == 1
    assert len(store.stored_user("ann").sessions) == 1


def test_answers_are_the_json_that_came(api, server):
    async def asked():
        http = httpx.AsyncClient(transport=server, base_url="http://shop.test")
        id = (await api.start())["id"]
        *_, done = await events_of(api, id, "black shoes", None, "once")
        pairs = [
            (await api.session(id), await http.get(f"/v1/sessions/{id}")),
            (await api.suggestions(id), await http.get(f"/v1/sessions/{id}/suggestions")),
            (await api.facets(), await http.get("/v1/facets")),
            (await api.item(done.data["items"][0]["id"]),
             await http.get(f"/v1/items/{done.data['items'][0]['id']}")),
        ]  # fmt: skip
        return done, pairs

    done, pairs = asyncio.run(asked())
    assert (done.name, done.data["utterance"]) == ("done", "black shoes")
    for ours, theirs in pairs:
        assert ours == theirs.json()


def test_languages_and_votes_pass_through(api):
    async def asked():
        started = await api.start(language="zh")
        *_, done = await events_of(api, started["id"], "black shoes", None, "once", "zh")
        item, slate = done.data["items"][0]["id"], done.data["slate_id"]
        vote = {"id": "v1", "slate_id": slate, "item_id": item, "kind": "rating", "value": 5}
        await api.feedback([vote])
        (found,) = await api.votes(started["id"])
        chips = [await api.suggestions(started["id"], language) for language in (None, "en")]
        return started, vote, found, chips, await api.facets("zh")

    started, vote, found, chips, facets = asyncio.run(asked())
    assert started["language"] == "zh"
    assert vote.items() <= found.items()
    assert chips[0]["replies"] != chips[1]["replies"]
    assert facets["facets"]


@pytest.mark.parametrize("id", ["", ".", "..", "\ud800", "x" * 70_000])
def test_id_that_cannot_be_sent_is_refused(api, server, id):
    for asked in (api.session(id), api.suggestions(id), api.item(id), api.delete_session(id)):
        with pytest.raises(ApiError) as caught:
            asyncio.run(asked)
        assert caught.value.kind == "refused"
    assert paths(server) == []


def test_words_that_cannot_be_sent_are_refused(api):
    with pytest.raises(ApiError) as caught:
        asyncio.run(events_of(api, "s", "half a \ud83d", None, "once"))
    assert caught.value.kind == "refused"


@pytest.mark.parametrize("press", [{"act": "dance"}, {"want": "blue"}, {"act": "like", "x": 1}])
def test_press_that_a_browser_made_up_is_refused(api, press):
    async def asked():
        return await events_of(api, (await api.start())["id"], "x", press, "once")

    with pytest.raises(ApiError) as caught:
        asyncio.run(asked())
    assert caught.value.kind == "refused"


@pytest.mark.parametrize("event", [{"kind": "dance", "slate_id": "x"}, {}, {"slate_id": 3}])
def test_feedback_that_is_none_is_refused(api, event):
    with pytest.raises(ApiError) as caught:
        asyncio.run(api.feedback([event]))
    assert caught.value.kind == "refused"


def body(type="x"):
    return {"error": {"type": type, "message": "told", "hint": "do"}}


TROUBLES = (
    (TooSlow("x"), "slow"), (NotReached("x"), "server"), (NotUnderstood("x", 200), "server"),
    (NotUnderstood("x", 502), "busy"), (NotUnderstood("x", 504), "slow"),
    (NotUnderstood("x", 401), "login"), (NotUnderstood("x", 302), "server"),
    (refused(401, body("missing_key")), "login"), (refused(403, body("missing_scope")), "login"),
    (refused(404, body("unknown_session")), "session"), (refused(404, body("unknown_item")),
    "refused"), (refused(409, body("conflict")), "refused"), (refused(422, body()), "refused"),
    (refused(429, body("rate_limited")), "busy"), (refused(500, body("internal")), "refused"),
    (refused(503, body("busy")), "busy"), (refused(504, body("timeout")), "slow"),
    (refused(200, body("timeout")), "slow"), (refused(200, body("store_unavailable")), "refused"),
    (refused(200, body("unknown_session")), "session"),
)  # fmt: skip


@pytest.mark.parametrize(("error", "kind"), TROUBLES)
def test_trouble_is_told_by_kind(error, kind):
    found = in_words(error)
    assert found.kind == kind
    if isinstance(error, errors.Refused) and kind in ("refused", "busy", "login"):
        assert found.reason == "told"


def test_nothing_is_sent_again_by_itself():
    api, seen = answering(httpx.Response(503, json=body("busy")), httpx.Response(200, text="<p>"))
    for kind in ("busy", "server"):
        with pytest.raises(ApiError) as caught:
            asyncio.run(api.facets())
        assert caught.value.kind == kind
        assert "a-key" not in str(caught.value)
    assert [request.headers["authorization"] for request in seen] == ["Bearer a-key"] * 2


def test_stream_that_breaks_is_a_lost_server():
    words = b'event: text\ndata: {"delta": "a"}\n\n'
    api, seen = answering(httpx.Response(200, content=words))

    async def asked():
        names = []
        try:
            async for event in api.turn("s", "x", None, "once-1"):
                names.append(event.name)
        except ApiError as error:
            return names, error.kind

    assert asyncio.run(asked()) == (["text"], "server")
    assert seen[0].headers["idempotency-key"] == "once-1"


def test_file_is_passed_on_piece_by_piece(api):
    async def asked(path, given):
        async with api.download(path, given) as file:
            return file.media_type, b"".join([piece async for piece in file.pieces])

    kind, content = asyncio.run(asked("/metrics", {}))
    assert (kind.partition(";")[0], b"attune_" in content) == ("text/plain", True)
    for path, given in (("/v1/jobs", {"limit": "0"}), ("//elsewhere.example", {}), ("../x", {})):
        with pytest.raises(ApiError) as caught:
            asyncio.run(asked(path, given))
        assert caught.value.kind == "refused"


def test_any_route_gives_its_json(api):
    assert asyncio.run(api.ask("GET", "/v1/models"))["object"] == "list"
    assert asyncio.run(api.send("GET", "/health")) == {"status": "ok"}
    with pytest.raises(ApiError) as caught:
        asyncio.run(api.ask("GET", "http://elsewhere.example/"))
    assert caught.value.kind == "refused"
