"""The model hub is asked once; what cannot be had from it is told at once."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from huggingface_hub import constants

from retrieval.encoder import DEFAULT_ENCODER, SentenceTransformerEncoder
from retrieval.errors import RetrievalError
from retrieval.hub import hub_answers


class Hub(ThreadingHTTPServer):
    """A hub on this machine that answers everything with one status, and counts."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.status, self.asked = status, 0


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self):
        self.server.asked += 1
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(request, monkeypatch):
    server = Hub(request.param)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(("hub", "answers"), [(200, True), (404, True), (503, False)],
                         indirect=["hub"])  # fmt: skip
def test_hub_with_trouble_does_not_answer(hub, answers):
    assert hub_answers() is answers
    assert hub.asked == 1


def test_unreachable_hub_does_not_answer(monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    assert not hub_answers()


@pytest.mark.parametrize("hub", [200], indirect=True)
def test_offline_mode_asks_nobody(hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert not hub_answers()
    assert hub.asked == 0


@pytest.mark.parametrize("hub", [503], indirect=True)
def test_unknown_encoder_asks_hub_once(hub):
    with pytest.raises(RetrievalError, match=f"'no-such-model': it is not on .*{DEFAULT_ENCODER}"):
        SentenceTransformerEncoder("no-such-model")
    assert hub.asked == 1


@pytest.mark.parametrize("hub", [200], indirect=True)
def test_installed_encoder_asks_nobody(hub):
    assert SentenceTransformerEncoder().dimension == 384
    assert hub.asked == 0
