"""A real server over the small shop, and a server that answers as it is told."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from agent.client import AttuneClient
from agent.server import create_app
from tests.agent.server.conftest import (  # noqa: F401 (fixtures)
    parts,
    shop,
    store,
)
from tests.agent.server.live import serving


@pytest.fixture
def url(parts):  # noqa: F811
    with serving(create_app(parts)) as url:
        yield url


@pytest.fixture
def client(url):
    with AttuneClient(url) as client:
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
