"""The pages over the API of the small shop, without a browser and without a network."""

import asyncio

import httpx
import pytest

from agent.dialogue import Parts
from agent.linking import Linker
from agent.planner import RulePlanner
from agent.server import create_app
from agent.store import Store
from tests.agent.shop import open_shop
from ui.web.api import Api
from ui.web.shopping import Shop
from ui.web.words import Words


class Failing(httpx.ASGITransport):
    """A server that can be lost and come back."""

    def __init__(self, app):
        super().__init__(app, raise_app_exceptions=False)
        self.lost = False
        self.cut = False
        self.requests = []

    async def handle_async_request(self, request):
        self.requests.append((request.method, request.url.path, dict(request.headers)))
        if self.lost:
            raise httpx.ConnectError("gone")
        answer = await super().handle_async_request(request)
        if self.cut and request.url.path.endswith("/turns"):
            answer.stream = Cut(answer.stream)
        return answer


class Cut(httpx.AsyncByteStream):
    """An answer that breaks off before its end."""

    def __init__(self, stream):
        self.stream = stream

    async def __aiter__(self):
        whole = b"".join([piece async for piece in self.stream])
        yield whole[: whole.index(b"event: text")]
        raise httpx.ReadError("cut off")


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/sessions.db")
    yield store
    store.close()


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    with open_shop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture
def server(catalog, store):
    parts = Parts(store, catalog, Linker.build(catalog), RulePlanner(catalog.facets))
    return Failing(create_app(parts))


@pytest.fixture
def shop(server):
    return Shop(Api("http://shop.test", transport=server), Words())


@pytest.fixture
def go(shop):
    """Do something on a page and return all pages that were shown."""

    async def every(page, does):
        pages = shop.say(page, does) if isinstance(does, str) else shop.act(page, does)
        return [one async for one in pages]

    def go(page, does):
        return asyncio.run(every(page, does))

    return go


@pytest.fixture
def opened(shop):
    return asyncio.run(shop.opened())
