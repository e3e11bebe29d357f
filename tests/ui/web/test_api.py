"""The API as the pages call it: what a browser names reaches nothing else."""

import asyncio

import pytest

from ui.web.api import Api


@pytest.fixture
def api(server):
    return Api("http://shop.test", "a-key", transport=server)


def paths(server):
    return [path for _, path, _ in server.requests]


@pytest.mark.parametrize(
    "path", ["../models", "../../metrics", "a/../../keys", ".", "", "a//b.png"]
)
def test_picture_leads_nowhere_else(api, server, path):
    assert asyncio.run(api.picture(path)).status_code == 404
    assert paths(server) == []


def test_page_knows_no_user_of_others(api, server, store):
    store.create_session("ann")
    assert asyncio.run(api.known_of("ann"))["sessions"] == []
    assert asyncio.run(api.forget("ann"))["sessions"] == 0
    asyncio.run(api.start("ann"))
    assert len(asyncio.run(api.known_of("ann"))["sessions"]) == 1
    assert len(store.stored_user("ann").sessions) == 1
