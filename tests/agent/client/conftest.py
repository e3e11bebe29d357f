"""A real server over the small shop, and a server that answers as it is told."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from agent.access.keyring import Keyring
from agent.access.keys import SCOPES
from agent.adapter_desk import Adapters
from agent.client import AttuneClient
from agent.routing import AdapterRouter
from agent.server import create_app
from agent.service.config import HandoverTable, OpeningTable
from agent.service.desk import ServiceDesk
from agent.service.escalation import Escalation
from agent.service.openings import Openings
from agent.store_handovers import Handovers
from tests.agent.hosting import ScriptedHost
from tests.agent.server.conftest import (  # noqa: F401 (fixtures)
    library,
    parts,
    shop,
    store,
)
from tests.agent.server.desks import Desk
from tests.agent.server.live import serving

NOON = datetime(2026, 11, 23, 11, tzinfo=UTC)


@pytest.fixture
def url(parts):  # noqa: F811
    with serving(create_app(parts)) as url:
        yield url


@pytest.fixture
def client(url):
    with AttuneClient(url) as client:
        yield client


@pytest.fixture
def whole(parts, library, tmp_path):  # noqa: F811
    """A server with everything, which asks for keys: its address, and a key of all scopes."""
    escalation = Escalation(
        HandoverTable(), None, "", Handovers(parts.store.database), lambda: NOON
    )
    tables = [OpeningTable(text="Hello!", suggestions=["Blue shirts"]),
              OpeningTable(text="Hallo!", language="de")]  # fmt: skip
    desk = ServiceDesk(parts.linker, escalation, openings=Openings(tables, None, lambda: NOON))
    router = AdapterRouter(tmp_path, ScriptedHost())
    pictures = tmp_path / "shop"
    (pictures / "images").mkdir(parents=True)
    (pictures / "images" / "blue shirt.svg").write_text("<svg/>")
    key = Keyring(parts.store.database).add("all", SCOPES)[1]
    app = create_app(
        replace(parts, desk=desk, router=router), library=library, pictures=pictures,
        adapters=Adapters(router, Desk(tmp_path)),
    )  # fmt: skip
    with serving(app) as url:
        yield SimpleNamespace(url=url, key=key, store=parts.store, router=router)


@pytest.fixture
def operator(whole):
    with AttuneClient(whole.url, whole.key) as client:
        yield client


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    """Wait for nothing; tell what was to be waited for."""
    waited = []

    async def pause(seconds):
        waited.append(seconds)

    monkeypatch.setattr("agent.client.waiting.time", SimpleNamespace(sleep=waited.append))
    monkeypatch.setattr("agent.client.awaiting.asyncio", SimpleNamespace(sleep=pause))
    return waited


class _Told(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append((self.path, headers, json.loads(body or b"null")))
        answer = self.server.answers.pop(0)
        if answer is None:
            self.close_connection = True
            return
        status, headers, content = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "connection" not in headers:
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = "connection" in headers

    do_GET = do_DELETE = do_POST

    def log_message(self, *args):
        pass


@pytest.fixture
def told():
    """A server whose answers are listed: (status, headers, body), or None to hang up."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Told)
    server.daemon_threads = True
    server.answers, server.seen = [], []
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)
