"""Traces as they leave the process: over OTLP to a collector, where the environment says so."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agent.dialogue import respond
from agent.observability import tracing


@pytest.fixture
def collector():
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            self.server.got.append((self.path, body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.got = []
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _talk(parts, text):
    session = parts.store.create_session()
    for _ in respond(parts, session, text):
        pass
    return session


def test_spans_arrive_at_the_collector(collector, parts, monkeypatch):
    url = f"http://127.0.0.1:{collector.server_address[1]}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop-bot")
    provider = tracing.start()
    session = _talk(parts, "blue shirts for Zebulon")
    tracing.stop(provider)
    assert {path for path, _ in collector.got} == {"/v1/traces"}
    sent = b"".join(body for _, body in collector.got)
    for told in (b"invoke_agent attune", b"retrieval catalog", b"shop-bot"):
        assert told in sent
    for private in (session.encode(), b"Zebulon", b"blue shirt"):
        assert private not in sent


def test_turns_go_on_without_a_collector(parts, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    provider = tracing.start()
    session = _talk(parts, "blue shirts")
    tracing.stop(provider)
    assert parts.store.load(session).turns == 1
