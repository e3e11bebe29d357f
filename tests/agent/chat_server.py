"""A small real HTTP server that speaks the chat completions API, well or badly.

`server.behave(...)` says what to do with the next requests, the last behaviour for all that
follow; `server.requests` holds what came in.
"""

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Handler"], None]


@dataclass
class Received:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def text(self) -> str:
        return "\n".join(message["content"] for message in self.body["messages"])


class Handler(BaseHTTPRequestHandler):
    server: "ChatServer"
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.connections.append(self.connection)

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["content-length"]))
        body = json.loads(raw)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append(Received(self.path, headers, body))
        self.body = body
        try:
            self.server.next_behaviour()(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def send(self, status, body, content_type="application/json"):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def open_stream(self, content_type):
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True

    def log_message(self, *args):
        pass


class ChatServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.requests: list[Received] = []
        self.connections: list[socket.socket] = []
        self.stopping = threading.Event()
        self._behaviours: list[Behaviour] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def port(self):
        return self.server_address[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    def behave(self, *behaviours: Behaviour):
        self._behaviours = list(behaviours)

    def next_behaviour(self):
        return self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]

    def stop(self):
        self.stopping.set()
        self.shutdown()
        self.server_close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request, client_address):
        pass


def completion(text, finish="stop"):
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "served-model",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": finish,
            }
        ],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
    }


def reply(text, finish="stop"):
    """Answer well."""
    return lambda handler: handler.send(200, completion(text, finish))


def status(code, message="no"):
    """Answer with an error that echoes the request, as servers do."""

    def behave(handler):
        echo = {"sent": handler.body, "auth": handler.headers.get("authorization")}
        handler.send(code, {"error": {"message": f"{message} {json.dumps(echo)}"}})

    return behave


def without_schemas(text, refuses=lambda form: True, code=400):
    """Answer well, but refuse a response_format (or only those that `refuses` says)."""

    def behave(handler):
        form = handler.body.get("response_format")
        if form is not None and refuses(form):
            handler.send(code, {"error": {"message": "response_format is not supported"}})
        else:
            handler.send(200, completion(text))

    return behave


def silence(handler):
    """Take the request and say nothing."""
    handler.server.stopping.wait()


def drip(handler):
    """Send one byte after another, none of them the last."""
    handler.open_stream("application/json")
    while not handler.server.stopping.wait(0.01):
        handler.wfile.write(b" ")
        handler.wfile.flush()


def drip_headers(handler):
    """Send header after header, none of them the last."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not handler.server.stopping.wait(0.01):
        handler.wfile.write(b"x-wait: 1\r\n")
        handler.wfile.flush()


def flood(handler):
    """Send garbage for ever, as fast as it goes."""
    handler.open_stream("application/json")
    while not handler.server.stopping.is_set():
        handler.wfile.write(b"garbage " * 8192)


def cut_off(handler):
    """Promise more bytes than are sent."""
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [{"mess')
    handler.wfile.flush()
    handler.close_connection = True


def hang_up(handler):
    """Close the connection without a word."""
    handler.close_connection = True


def page(handler):
    """Answer 200 with something that is no chat completion."""
    handler.send(200, b"<html>It works!</html>", "text/html")


def redirect(handler):
    """Point to another host."""
    handler.send_response(307)
    handler.send_header("location", "http://192.0.2.1/v1/chat/completions")
    handler.send_header("content-length", "0")
    handler.end_headers()


def stream(*pieces, finish="stop", then=None):
    """Answer as server-sent events; `finish=None` breaks off."""

    def behave(handler):
        handler.open_stream("text/event-stream")
        for piece in pieces:
            event(handler, {"delta": {"content": piece}, "finish_reason": None})
        if then is not None:
            then(handler)
        if finish:
            event(handler, {"delta": {}, "finish_reason": finish})
            handler.wfile.write(b"data: [DONE]\n\n")

    return behave


def event(handler, choice):
    chunk = {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "served-model",
        "choices": [{"index": 0, **choice}],
    }
    handler.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
    handler.wfile.flush()
