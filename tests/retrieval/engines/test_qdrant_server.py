"""Connecting to Qdrant: addresses, and every way it can go wrong said in one line."""

import gc
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

pytest.importorskip("qdrant_client", reason="needs attune[qdrant]")
pytest.importorskip("qdrant_edge", reason="needs attune[edge]")

import grpc
import httpx
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from retrieval.engines import Target, open_index
from retrieval.engines.qdrant import QdrantIndex
from retrieval.engines.qdrant_server import Address, Server, parse_address
from retrieval.errors import IndexError_, IndexLocked
from tests.conftest import free_port
from tests.retrieval.engines.qdrant_places import *  # noqa: F403
from tests.retrieval.index_contract import ENCODER, SHOP, put

KEY = "a-key-nobody-may-see"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://h:6333", Address("https://h:6333", "https://h:6333")),
        ("http://h/base", Address("http://h/base", "http://h/base")),
        ("http://h?grpc=6334", Address("http://h", "http://h", grpc=6334)),
        ("http://h?shards=6&replicas=2", Address("http://h", "http://h", shards=6, replicas=2)),
        ("https://me:pass@h", Address("https://h", "https://me:pass@h")),
        (":memory:", Address(":memory:", ":memory:")),
        ("path:/tmp/x", Address("path:/tmp/x", "path:/tmp/x")),
    ],
)
def test_address_of_a_url(url, address):
    assert parse_address(url) == address


@pytest.mark.parametrize(
    "url",
    ["", "h:6333", "ftp://h", "http://", "http://h:99999", "http://h?grpc=x", "http://h?a=1",
     "http://h?url=1", "http://me:pass@h?a=1"],
)  # fmt: skip
def test_other_urls_are_refused(url):
    with pytest.raises(IndexError_, match="expected the URL of a Qdrant server") as caught:
        parse_address(url)
    assert "pass@" not in str(caught.value)


def test_missing_server_is_named():
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(IndexError_, match=f"cannot reach the Qdrant server at {url}") as caught:
        QdrantIndex(url, "items", "hashing-16", 16, api_key=KEY)
    assert KEY not in str(caught.value)


def test_missing_name_is_named():
    with pytest.raises(IndexError_, match=r"cannot reach .*nowhere\.invalid"):
        Server("http://nowhere.invalid:6333")


@pytest.mark.parametrize(
    ("key", "message"),
    [("wrong " + KEY, "refuses this API key"), (None, "without an API key")],
)
def test_wrong_key_is_refused(core, key, message):
    core.key = KEY
    with pytest.raises(IndexError_, match=message) as caught:
        Server(core.url, key)
    assert KEY not in str(caught.value)
    Server(core.url, KEY).close()


@pytest.mark.parametrize(("version", "old"), [("1.16.3", True), ("1.17.0", False), ("2.0", False)])
def test_old_server_is_refused(core, version, old):
    core.version = version
    if not old:
        Server(core.url).close()
        return
    with pytest.raises(IndexError_, match=r"is version 1\.16\.3; 1\.17 or newer is needed"):
        Server(core.url)


def test_failing_server_is_quoted(core):
    index = QdrantIndex(core.url, "items", "hashing-16", 16, api_key=KEY)
    put(index, SHOP)
    core.failing = lambda method, path: 500 if path.endswith("/points/count") else None
    with pytest.raises(IndexError_, match=r"could not count: .*told to fail"):
        index.count()
    core.failing = lambda method, path: 503 if method == "PUT" else None
    version = index.version
    with pytest.raises(IndexError_, match="could not upsert"):
        put(index, SHOP)
    core.failing = lambda method, path: None
    put(index, SHOP)
    assert index.version > version
    index.close()


def test_other_web_page_is_no_server():
    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *arguments):
            pass

    page = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=page.serve_forever, args=(0.01,))
    thread.start()
    with pytest.raises(IndexError_, match="could not info"):
        Server(f"http://127.0.0.1:{page.server_port}")
    page.shutdown()
    thread.join()
    page.server_close()


def test_silent_server_times_out(monkeypatch):
    monkeypatch.setattr("retrieval.engines.qdrant_server.TIMEOUT_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(IndexError_, match="gave no answer within 1 seconds"):
            Server(f"http://127.0.0.1:{port}")


class Refusal(grpc.RpcError):
    def __init__(self, code):
        self._code = code

    def code(self):
        return self._code


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ResponseHandlingException(httpx.ConnectError(f"no {KEY}")), "cannot reach .*no \\*\\*\\*"),
        (ResponseHandlingException(httpx.ReadTimeout("late")), "gave no answer"),
        (UnexpectedResponse(403, "Forbidden", b"", httpx.Headers()), "refuses this API key"),
        (Refusal(grpc.StatusCode.UNAVAILABLE), "cannot reach"),
        (Refusal(grpc.StatusCode.DEADLINE_EXCEEDED), "gave no answer"),
        (Refusal(grpc.StatusCode.UNAUTHENTICATED), "refuses this API key"),
        (Refusal(grpc.StatusCode.INTERNAL), "could not count"),
        (ValueError("Collection items not found"), "could not count: Collection items not found"),
    ],
)
def test_errors_of_the_client_are_explained(local, error, message):
    server = Server("path:here", KEY)

    def fail(**arguments):
        raise error

    server._client.client.count = fail
    with pytest.raises(IndexError_, match=message) as caught:
        server.ask("count")
    assert KEY not in str(caught.value)
    server.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_local_folder_is_kept_and_locked(tmp_path):
    url = f"path:{tmp_path / 'index'}"
    index = QdrantIndex(url, "items", "hashing-16", 16)
    put(index, SHOP)
    with pytest.raises(IndexLocked, match="open in another process"):
        Server(url)
    gc.collect()  # the client leaves the file open that it could not lock
    index.close()
    again = QdrantIndex(url, "items", "hashing-16", 16, write=False)
    assert again.ids() == [item.id for item in SHOP]
    assert [hit.item.id for hit in again.search(text="boots")] == ["s2"]
    again.close()


def test_memory_holds_an_index():
    index = QdrantIndex(":memory:", "items", "hashing-16", 16)
    put(index, SHOP)
    assert index.count() == len(SHOP)
    index.close()


def test_missing_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "qdrant_client.http.exceptions", None)
    with pytest.raises(IndexError_, match=r"pip install 'attune\[qdrant\]'"):
        Server("http://localhost")


def test_engine_is_opened_by_name(core, tmp_path):
    core.key = KEY
    target = Target("qdrant", core.url, "items", KEY)
    index = open_index("qdrant", target.place(tmp_path / "project", ENCODER))
    put(index, SHOP)
    index.close()
    index = open_index("qdrant", target.place(tmp_path / "project", ENCODER), write=False)
    assert index.ids() == [item.id for item in SHOP]
    index.close()
