"""What a server leans on and does not have in its hands: models, webhooks."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests.agent.chat_server import ChatServer, completion
from tests.faults.conftest import kept, people

pytestmark = pytest.mark.slow


@pytest.fixture
def model():
    server = ChatServer()
    yield server
    server.stop()


def slow(handler):
    time.sleep(3)
    handler.send(200, completion('{"acts":[{"act":"elicit"}]}'))


def garbage(handler):
    handler.send(200, completion('{"acts": [{"act": "fly", "want": ["V99"]}]} and more'))


def broken(handler):
    handler.send(200, b"\xff\x00 no json")


def refusing(handler):
    handler.send(500, {"error": {"message": "out of memory"}})


@pytest.mark.parametrize("behaviour", [slow, garbage, broken, refusing])
def test_bad_model_costs_no_turn(shop_of, model, behaviour):
    """The rules plan instead, within the deadline, and everything is kept."""
    model.behave(behaviour)
    shop = shop_of(ATTUNE_LLM=model.url, ATTUNE_MODEL="scripted", ATTUNE_DEADLINE_S="0.5")
    shop.start()
    with people(shop.url, sessions=4, seconds=6, words="llm") as noted:
        pass
    assert model.requests, "the model was never asked"
    assert noted[0]["planners"].get("rules"), noted[0]["planners"]
    assert noted[0]["tries"] == {}
    kept(shop, noted[0])
    assert shop.stop() == 0


def test_model_that_dies_and_comes_back(shop_of, model):
    model.behave(lambda handler: handler.send(200, completion('{"acts":[{"act":"elicit"}]}')))
    shop = shop_of(ATTUNE_LLM=model.url, ATTUNE_MODEL="scripted")
    shop.start()
    with people(shop.url, sessions=4, seconds=10, words="llm") as noted:
        time.sleep(3)
        model.stop()
    assert set(noted[0]["planners"]) == {"llm", "rules"}
    assert noted[0]["tries"] == {}
    kept(shop, noted[0])
    assert shop.stop() == 0


class Webhook(ThreadingHTTPServer):
    """Takes hand-overs, or not."""

    def __init__(self):
        self.taken, self.refused, self.status = [], 0, 200

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler):
                handler.rfile.read(int(handler.headers["content-length"]))
                if self.status == 200:
                    self.taken.append(handler.headers["webhook-id"])
                else:
                    self.refused += 1
                handler.send_response(self.status)
                handler.end_headers()

            def log_message(handler, *arguments):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/handover"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def webhook():
    server = Webhook()
    yield server
    server.shutdown()
    server.server_close()


def wait_for(condition):
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it never came about")


def test_handover_outlives_webhook_and_server(shop_of, webhook):
    """The webhook is down, then the server is killed: the hand-over arrives all the same."""
    webhook.status = 503
    service = f'[handover]\nurl = "{webhook.url}"\nsecret_env = "HOOK_SECRET"\n'
    shop = shop_of(service, HOOK_SECRET="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    shop.start()
    session = httpx.post(f"{shop.url}/v1/sessions", timeout=60).json()["id"]
    said = {"text": "let me talk to a human"}
    answer = httpx.post(f"{shop.url}/v1/sessions/{session}/turns", json=said, timeout=60).json()
    id = answer["service"]["handover"]["id"]
    wait_for(lambda: webhook.refused)
    shop.kill()
    webhook.status = 200
    shop.start()
    wait_for(lambda: webhook.taken)
    assert webhook.taken == [id]
    wait_for(lambda: httpx.get(f"{shop.url}/v1/jobs/{id}", timeout=60).json()["status"] == "done")
    assert shop.stop() == 0
