"""A shop's API for tests: its OpenAPI description, and a server on this machine to go with it."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMw=="

ORDER = {"name": "order_id", "in": "path", "required": True, "description": "order number",
         "schema": {"type": "string", "pattern": r"^[A-Z]-\d{4}$"},
         "x-attune-ask": "Which order is it? Its number looks like A-1234."}  # fmt: skip


def said(schema=None, **own):
    content = {"application/json": {"schema": schema}} if schema else {}
    return {"description": "", "content": content, **own}


def text(**own):
    return {"type": "string", **own}


API = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "servers": [{"url": "https://shop.example/api"}],
    "paths": {
        "/orders/{order_id}": {
            "get": {
                "operationId": "order_status",
                "summary": "Look up where an order is",
                "x-attune-examples": ["where is my order?", "track my parcel A-1234",
                                      "what is the status of my order", "when will my order arrive",
                                      "my order has not arrived yet"],
                "x-attune-say": ["Order {order_id} is {status}; it arrives on {arrives}.",
                                 "Order {order_id} is {status}."],
                "parameters": [ORDER],
                "responses": {
                    "200": said({"$ref": "#/components/schemas/Order"}),
                    "404": said({"type": "object"},
                                **{"x-attune-say": "There is no order {order_id}."}),
                },
            },
            "delete": {
                "operationId": "cancel_order",
                "summary": "Cancel an order",
                "x-attune-examples": ["cancel my order", "I want to cancel order A-1234",
                                      "please stop my order"],
                "x-attune-confirm": "Shall I cancel order {order_id}?",
                "x-attune-say": "Order {order_id} is cancelled.",
                "parameters": [ORDER],
                "responses": {"200": said({"type": "object"})},
            },
        },
        "/returns": {
            "post": {
                "operationId": "start_return",
                "summary": "Register a return",
                "x-attune-examples": ["I want to return my order", "send back order A-1234",
                                      "start a return"],
                "x-attune-say": "Return {return_id} is registered; the label is on its way.",
                "requestBody": {"content": {"application/json": {"schema": {
                    "type": "object",
                    "required": ["order_id", "reason", "email"],
                    "properties": {
                        "order_id": {"type": "string", "pattern": r"^[A-Z]-\d{4}$",
                                     "description": "order number"},
                        "reason": {"type": "string", "maxLength": 200,
                                   "x-attune-ask": "Why do you send it back?"},
                        "email": {"type": "string", "format": "email",
                                  "description": "mail address"},
                        "pickup": {"type": "string", "format": "date"},
                    },
                }}}},
                "responses": {"201": said({"type": "object", "required": ["return_id"],
                                           "properties": {"return_id": text()}})},
            },
        },
        "/cart": {
            "post": {
                "operationId": "add_to_cart",
                "summary": "Put an item into the cart",
                "x-attune-examples": ["put it in my cart", "add this to my basket",
                                      "add the second one to my cart"],
                "requestBody": {"content": {"application/json": {"schema": {
                    "type": "object",
                    "required": ["item_id", "customer"],
                    "properties": {"item_id": text(), "quantity": {"type": "integer", "minimum": 1},
                                   "customer": text()},
                }}}},
                "responses": {"200": said({"type": "object"})},
            },
        },
    },
    "components": {"schemas": {"Order": {
        "type": "object",
        "required": ["status"],
        "properties": {"status": text(enum=["packed", "shipped", "delivered"]),
                       "arrives": text(format="date")},
    }}},
}  # fmt: skip


@dataclass
class Answering:
    """What the server answers, by method and path, and what it was asked."""

    answers: dict[str, tuple[int, object]] = field(default_factory=dict)
    asked: list[dict] = field(default_factory=list)
    delay_s: float = 0.0
    drip_s: float = 0.0
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    shop: Answering

    def _answer(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = {"method": self.command, "path": self.path, "body": body, "headers": headers}
        self.shop.asked.append(asked)
        time.sleep(self.shop.delay_s)
        status, value = self.shop.answers.get(
            f"{self.command} {self.path.split('?')[0]}", (404, {"error": "not found"})
        )
        data = self.shop.raw if self.shop.raw is not None else json.dumps(value).encode()
        try:
            self.send_response(status)
            for name, one in {"content-type": "application/json", **self.shop.headers}.items():
                self.send_header(name, one)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            if self.shop.drip_s:
                for byte in data:
                    self.wfile.write(bytes([byte]))
                    time.sleep(self.shop.drip_s)
            else:
                self.wfile.write(data)
        except OSError:
            pass  # the caller left

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _answer

    def log_message(self, *args):
        pass


@contextmanager
def serving():
    """Serve a shop's API on this machine."""
    shop = Answering()
    handler = type("Handler", (_Handler,), {"shop": shop})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
